# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""How sessions ended, and by whom."""
import causes
from scene import CLIENT, SERVER, SYN
from tdsbytes import *

DEVICE = ("the connection was reset by a packet whose TTL is not that of the %s's other packets: a firewall or load "
          "balancer in the path may have sent it, as they do with connections that were idle for long")
GONE = "the %s's host is gone, or a firewall in the path forgot the connection"


def session(s, mars=0):
    c = s.connection().connect().client(prelogin(NOT_SUP, mars)).server(prelogin_reply(NOT_SUP, mars))
    return c.client(login7()).server(success())


def worked(s):
    c = session(s).client(batch()).server(answer(done()))
    c.ack(CLIENT)
    return c


@causes.close("closed", "the client closed the connection", also={"login": "ok", "graceful": True})
def session_closed(s):
    worked(s).close()


@causes.close(None, None, also={"how": "open", "by": None})
def session_open_at_the_end(s):
    worked(s)


@causes.close(None, None, also={"login": "refused"})
def refused_and_closed(s):
    begin_clear(s.connection()).client(login7()).server(failure(18456)).close()


@causes.close("client_reset", "the client reset the connection and did not close it: drivers and pools that end so are "
              "many; else its process was killed", also={"graceful": False, "by": "client"})
def client_reset(s):
    worked(s).rst(CLIENT)


@causes.close("closed", "the client closed the connection", also={"graceful": True, "how": "fin"})
def client_reset_after_its_fin(s):
    worked(s).fin(CLIENT).rst(CLIENT)


@causes.close("closed_busy", "the client reset the connection while its request was not answered yet: a command "
              "time-out, or its process was killed", also={"by": "client", "how": "rst"})
def client_left_its_request(s):
    session(s).client(batch()).rst(CLIENT, 30000)


@causes.close("closed_busy", "the server closed the connection while a request was under way: see its error log for a "
              "severe error, KILL, shutdown or failover", also={"by": "server", "how": "fin"})
def server_left_a_request(s):
    session(s).client(batch()).fin(SERVER, 100)


@causes.close("server_closed", "the server reset the connection: KILL, a shutdown, a failover, or an error that ends "
              "the session; see its error log", also={"by": "server"})
def server_reset(s):
    worked(s).rst(SERVER, 60000)


@causes.close("reset_by_device", DEVICE % "server", also={"by": "server", "how": "rst", "reset_hops": 2})
def device_reset_session(s):
    worked(s).rst(SERVER, 3600000, ttl=62)


@causes.close("server_closed", "the server reset the connection: KILL, a shutdown, a failover, or an error that ends "
              "the session; see its error log")
def ways_of_several_lengths_are_no_device(s):
    """The server's packets came by two ways before: the reset's distance says nothing."""
    c = worked(s)
    c.ttl[SERVER] = 127
    c.client(batch()).server(answer(done()))
    c.rst(SERVER, 1000, ttl=62)


@causes.close("keepalive_dead", "at least 3 keep-alive probes of the client had no answer, then it reset the connection: " +
              GONE % "server", also={"by": "client", "how": "rst", "reset_hops": 0})
def keep_alive_death(s):
    """One byte, again and again a second apart, then a reset."""
    c = worked(s)
    c.keep_alive(CLIENT, 30000)
    for _ in range(4):
        c.keep_alive(CLIENT)
    c.rst(CLIENT, 1000)


@causes.close("keepalive_dead", "at least 3 keep-alive probes of the server had no answer: " + GONE % "client",
              also={"how": "open"})
def keep_alive_unanswered(s):
    """Without a byte, as Linux sends them; the capture ends before the reset."""
    c = worked(s)
    for _ in range(9):
        c.keep_alive(SERVER, payload=b"")


@causes.close("client_reset", "the client reset the connection and did not close it: drivers and pools that end so are "
              "many; else its process was killed")
def keep_alives_that_were_answered(s):
    c = worked(s)
    for _ in range(5):
        c.keep_alive(CLIENT, 30000)
        c.ack(SERVER)
    c.rst(CLIENT)


def smp(flags, sid, seq, window, payload=b""):
    """MC-SMP 2.2.1"""
    return struct.pack("<BBHIII", 0x53, flags, sid, 16 + len(payload), seq, window) + payload


def mars(s):
    c = session(s, mars=1).client(smp(1, 0, 0, 4)).client(smp(8, 0, 1, 4, batch()))
    return c.server(smp(8, 0, 1, 5, answer(done())))


@causes.close("mars_finished", "all 1 MARS sessions were closed before the client reset the connection: the end of a "
              "finished MARS connection, no failure", also={"mars": {"sessions": 1, "open": 0, "window_stalls": 0}})
def mars_finished(s):
    mars(s).client(smp(4, 0, 1, 5)).server(smp(4, 0, 1, 5)).rst(CLIENT)


@causes.close("client_reset", "the client reset the connection and did not close it: drivers and pools that end so are "
              "many; else its process was killed", also={"mars": {"sessions": 1, "open": 1, "window_stalls": 0}})
def mars_not_finished(s):
    mars(s).rst(CLIENT)


# ---- joined in the middle ------------------------------------------------------------------------

def rdp(length):
    """A TPKT packet of RDP (RFC 2126 4.3): its first bytes could be the head of an RPC."""
    return b"\3\0" + struct.pack(">H", length) + b"\2\xf0\x80\x64" + bytes(length - 8)


@causes.close(None, None, also={"commands": {"rpc": 0, "batch": 0}, "login": None})
def rdp_is_no_session(s):
    """The client resets it while something would be under way."""
    c = s.connection()
    for _ in range(3):
        c.client(rdp(0x2a))
    c.rst(CLIENT)


@causes.close(None, None, also={"commands": {"rpc": 0, "batch": 0, "attention": 0}})
def one_head_that_fits_is_no_proof(s):
    c = s.connection()
    c.client(b"\1\1\0\x20\0\0\1\0" + bytes(24))
    c.client(b"what follows is no TDS at all, whatever it was")
    c.rst(CLIENT)


@causes.close("closed_busy", "the client reset the connection while its request was not answered yet: a command time-out, or "
              "its process was killed", also={"commands": {"batch": 2}})
def two_requests_that_fit_are_a_session(s):
    c = s.connection()
    c.client(batch("select 1")).client(batch("select 2"))
    c.rst(CLIENT)


@causes.close(None, None, also={"login": None, "commands": {"attention": 0}})
def a_login_joined_at_its_challenge_is_no_session(s):
    """The client gives up on the answer to its last message; python-tds sends it in LOGIN7's type of packet."""
    c = s.connection().server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(tds(LOGIN7, ntlm_authenticate()))
    c.ack(SERVER)
    c.client(tds(ATTENTION, b""), 10000)
    c.ack(SERVER)
    c.fin(CLIENT)


@causes.close(None, None, also={"login": None, "by": "server"})
def joined_under_tls_and_refused(s):
    """The first record was LOGIN7, as it may always be: the server did not close a session."""
    s.connection().client(hidden(300)).server(hidden(120)).fin(SERVER)


@causes.close(None, None, also={"login": None, "by": "server", "how": "rst"})
def joined_under_tls_and_reset(s):
    s.connection().client(hidden(300)).rst(SERVER)


@causes.close("server_closed", "the server closed the connection: KILL, a shutdown, a failover, or an error that ends the "
              "session; see its error log", also={"login": None, "commands": {"unknown": 3}})
def joined_under_tls_and_a_session(s):
    c = s.connection()
    for _ in range(4):
        c.client(hidden(60)).server(hidden(120))
    c.fin(SERVER)


@causes.fact({"outcome": "ok", "mid_stream": True, "phases": {"prelogin_ns": None}, "auth": {"method": "sql"}})
def a_login_joined_before_the_prelogin_response(s):
    c = s.connection()
    c.server(prelogin_reply(NOT_SUP)).client(login7()).server(success())
    c.client(batch("select 1")).server(rows()).close()


@causes.close("closed", "the client closed the connection", also={"login": None, "commands": {"batch": 1}})
def a_session_joined_by_a_response(s):
    c = s.connection()
    c.server(rows()).client(batch("select 1")).server(rows()).close()
