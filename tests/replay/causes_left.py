# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins that did not get through, or that a side left; probes and scans."""
import causes
from scene import ACK, CLIENT, SERVER
from tdsbytes import *

SERVER_IDLE = ("its host took the connection and SQL Server did not answer: it hangs, is short of worker threads, "
               "or something else listens there")
SERVER_LOGIN = ("see the server's worker threads, logon triggers, the database's state and, for Windows logins, its "
                "domain controller")
SERVER_AUTH = "the server asks its domain controller then (of a federated token, the identity provider)"
CLIENT_LOGIN = "it waits for a ticket or token (its KDC, DNS or token service), or hangs"
CLIENT_AUTH = "see the client's domain controller or its way to the token service"
CANCELLED = "it was cancelled or killed, or its time-out is shorter than a second"


# ---- not reached --------------------------------------------------------------------------------

@causes.login("syn_unanswered", "3 SYNs without an answer: host down, a firewall that drops, or the listen queue is "
              "full", also={"outcome": "unanswered", "tcp": {"syn_retransmits": 2}})
def syn_never_answered(s):
    c = s.connection()
    c.syn()
    c.syn(1000)
    c.syn(2000)
    s.idle_until(80000)


@causes.login("connection_refused", "connection refused: nothing listens on port 1433, or a firewall rejects; check "
              "that TCP is enabled and which port the instance has", also={"outcome": "rejected"})
def syn_refused(s):
    c = s.connection()
    c.syn()
    c.packet(SERVER, 4 | ACK, ack=c.seq[CLIENT] + 1, seq=0)


def dial_both(s, first):
    """MultiSubnetFailover: both addresses at once; the other one takes the login."""
    loser = s.connection(0, server="10.2.0.2")
    loser.syn()
    first(loser)
    winner = s.connection(0.2)
    begin_clear(winner)
    winner.client(login7()).server(success())
    return loser


@causes.login("parallel_attempt", "this address did not answer, but the client connected to another address at the "
              "same time and logged in there: parallel attempts (MultiSubnetFailover, transparent network IP "
              "resolution), no failure", also={"outcome": "unanswered"})
def multi_subnet_failover_loser_unanswered(s):
    loser = dial_both(s, lambda c: None)
    s.idle_until(80000)
    return loser


@causes.login("syn_unanswered", "3 SYNs without an answer: host down, a firewall that drops, or the listen queue is "
              "full", also={"outcome": "unanswered", "verdict": {"class": "failed"}})
def another_login_of_that_client_is_no_excuse(s):
    """It went on trying while the other had long been let in."""
    loser = dial_both(s, lambda c: [c.syn(1000), c.syn(2000)])
    s.idle_until(80000)
    return loser


@causes.login("connection_refused", "connection refused: nothing listens on port 1433, or a firewall rejects; check "
              "that TCP is enabled and which port the instance has", also={"outcome": "rejected"})
def refused_while_another_port_takes_a_login(s):
    begin_clear(s.connection(0, server="10.2.0.2", port=11000)).client(login7()).server(success())
    c = s.connection(100)
    c.syn()
    c.packet(SERVER, 4 | ACK, ack=c.seq[CLIENT] + 1, seq=0)
    return c


@causes.login("listen_queue_full", "connection refused, though port 1433 took other connections within 10 s of it: the "
              "listen queue was full (Windows answers so), or the service was restarting",
              also={"outcome": "rejected"})
def refused_among_others(s):
    begin_clear(s.connection(0, client="10.1.0.7")).client(login7()).server(success())
    c = s.connection(300)
    c.syn()
    c.packet(SERVER, 4 | ACK, ack=c.seq[CLIENT] + 1, seq=0)
    return c


def one_after_the_other(s):
    """The first address is dead, the next one answers: 21 s, as Windows waits."""
    dead = s.connection(0, server="10.2.0.2")
    dead.syn()
    dead.syn(3000)
    dead.syn(6000)
    alive = s.connection(21000, server="10.3.0.2")
    begin_clear(alive).client(login7()).server(success())
    s.idle_until(110000)
    return dead, alive


@causes.login("dead_address", "this address did not answer (3 SYNs), and the client went on to the next one, where it "
              "logged in (inferred): remove the address from DNS or bring its server back; MultiSubnetFailover=True "
              "makes drivers try all addresses at once",
              also={"outcome": "unanswered", "verdict": {"class": "failed"}, "before": None})
def the_first_address_is_dead(s):
    return one_after_the_other(s)[0]


@causes.login("dead_address_first", "the login took 4.200 ms, but before it the client tried 1 other address in vain for "
              "21.000 s (inferred): MultiSubnetFailover=True makes drivers try all addresses at once; or take the dead "
              "ones out of DNS",
              also={"outcome": "ok", "verdict": {"class": "slow"}, "before": {"ns": 21000000000, "dns_ns": None,
                    "attempts": [{"server": {"addr": "10.2.0.2", "port": 1433}, "outcome": "unanswered",
                                  "ns": 21000000000}]}})
def the_next_address_takes_it(s):
    return one_after_the_other(s)[1]


@causes.login("ok", "logged in after 4.200 ms", also={"before": None})
def a_login_an_hour_after_an_outage(s):
    dead = s.connection(0, server="10.2.0.2")
    dead.syn()
    dead.syn(1000)
    c = s.connection(60000, server="10.3.0.2")
    begin_clear(c).client(login7()).server(success())
    return c


@causes.login("scan", "this client asked several servers from the same port 44893 within a second, and sent nothing: a "
              "port scan", also={"outcome": "probe", "verdict": {"class": "ended"}})
def a_scan_from_one_port(s):
    first = s.connection(0, client_port=44893)
    first.syn()
    first.syn_ack()
    other = s.connection(0.05, server="10.1.0.9", client_port=44893)
    other.syn()
    first.packet(CLIENT, 4, after=0.1, seq=first.seq[CLIENT] + 1)
    return first


@causes.login("parallel_attempt", "this address refused the connection, but the client connected to another address "
              "at the same time and logged in there: parallel attempts (MultiSubnetFailover, transparent network IP "
              "resolution), no failure", also={"outcome": "rejected"})
def transparent_network_ip_loser_refused(s):
    loser = s.connection(0, server="10.2.0.2")
    winner = s.connection(500)
    begin_clear(winner)
    loser.syn(after=500.2)
    winner.client(login7()).server(success())
    loser.packet(SERVER, 4 | ACK, ack=loser.seq[CLIENT] + 1, seq=0, after=900)
    return loser


@causes.login("parallel_attempt", "the client left without a byte, and connected to another address within half a second: "
              "the loser of parallel attempts (MultiSubnetFailover, transparent network IP resolution), or a health "
              "check of several servers", also={"outcome": "probe"})
def multi_subnet_failover_loser_closed(s):
    loser = s.connection(0, server="10.2.0.2").connect()
    begin_clear(s.connection(500)).client(login7()).server(success())
    return loser.close(600)


# ---- no TDS, probes, scans ----------------------------------------------------------------------

@causes.login("not_tds", "what the client sent is not TDS but HTTP: another protocol's client, or a scanner, connected "
              "to this port", also={"outcome": "not_tds"})
def http_client(s):
    s.connection().connect().client(b"GET / HTTP/1.1\r\nHost: sql1\r\n\r\n").close()


@causes.login("not_tds", "what the client sent is not TDS: another protocol's client, or a scanner, connected to this port")
def unknown_client(s):
    s.connection().connect().client(b"\xfe\xed\xfa\xce\0\0\0\1").close()


@causes.login("not_tds", "what the server sent is not TDS but SSH: another service listens on this port, or a proxy "
              "answers")
def ssh_server(s):
    s.connection().connect().client(prelogin()).server(b"SSH-2.0-OpenSSH_9.2\r\n").close()


@causes.login("probe", "the client connected and left without a byte: a probe, a health check or the loser of "
              "parallel attempts", also={"outcome": "probe"})
def connect_only(s):
    s.connection().connect().close()


@causes.login("probe", "the client asked for PRELOGIN and left: a probe or health check", also={"outcome": "probe"})
def prelogin_only(s):
    s.connection().connect().client(prelogin()).server(prelogin_reply()).close()


@causes.login("scan", "this client connected to 16 servers or ports within a minute and asked for nothing: a port scan, or "
              "the monitoring of many servers", also={"outcome": "probe"})
def port_scan(s):
    for host in range(1, 17):
        c = s.connection(host * 700, server="10.1.1.%d" % host).connect().close()
    return c


@causes.login("scan", "this client sent 3 kinds of what is not TDS within a minute: a scanner that finds out what "
              "listens here", also={"outcome": "not_tds"})
def service_scan(s):
    s.connection(0).connect().client(b"GET / HTTP/1.0\r\n\r\n").close()
    s.connection(3000).connect().client(b"\r\n\r\n").close()
    return s.connection(6000).connect().client(b"HELP\r\n").close()


@causes.login("not_tds", "what the client sent is not TDS but HTTP: another protocol's client, or a scanner, connected "
              "to this port")
def http_client_that_retries_is_no_scan(s):
    for number in range(20):
        c = s.connection(number * 1000).connect().client(b"GET / HTTP/1.1\r\n\r\n").close()
    return c


# ---- somebody gave up waiting -------------------------------------------------------------------

@causes.login("timed_out", "the client gave up after waiting 14.998 s for the PRELOGIN response (15 s is what "
              "SqlClient and ODBC wait by default): " + SERVER_IDLE, also={"outcome": "timed_out"})
def client_gave_up_on_prelogin(s):
    s.connection().connect().client(prelogin()).fin(CLIENT, 14998)


@causes.login("timed_out", "the client sent but a part of PRELOGIN, left after 5.000 s, and did not send the rest: a "
              "scanner, or a program that hangs", also={"outcome": "timed_out"})
def client_sent_half_a_prelogin(s):
    s.connection().connect().client(prelogin()[:20]).fin(CLIENT, 5000)


@causes.login("timed_out", "the client gave up after waiting 5.000 s for the PRELOGIN response, of which 20 of 43 "
              "bytes came: " + SERVER_IDLE)
def server_sent_half_a_response(s):
    s.connection().connect().client(prelogin()).server(prelogin_reply()[:20], 1).fin(CLIENT, 4999)


@causes.login("timed_out", "the client gave up after waiting 5.000 s for the TLS handshake's next message: the server "
              "is short of CPU or worker threads, or the path drops large packets (MTU)")
def client_gave_up_on_tls(s):
    c = s.connection().connect().client(prelogin()).server(prelogin_reply())
    c.client(carried(client_hello())).fin(CLIENT, 5000)


@causes.login("timed_out", "the client gave up after waiting 29.950 s for the answer to LOGIN7 (30 s is what JDBC "
              "waits by default): " + SERVER_LOGIN, also={"outcome": "timed_out", "encryption": {"effective": "none"}})
def client_gave_up_on_login(s):
    begin_clear(s.connection()).client(login7()).fin(CLIENT, 29950)


@causes.login("timed_out", "the client gave up after waiting 10.000 s for the answer to LOGIN7: " + SERVER_LOGIN,
              also={"encryption": {"effective": "full"}})
def client_gave_up_on_hidden_login(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.client(hidden(250)).rst(CLIENT, 10000)


def attention():
    return tds(ATTENTION, b"")


@causes.login("timed_out", "the client gave up after waiting 2.000 s for the answer to LOGIN7: " + SERVER_LOGIN,
              also={"outcome": "timed_out", "waits": {"client_ns": 1800000}})
def client_takes_its_login_back_and_leaves(s):
    """As python-tds does after its login time-out."""
    begin_clear(s.connection()).client(login7()).client(attention(), 1999.8).fin(CLIENT, 0.2)


@causes.login("timed_out", "the client gave up after waiting 2.000 s for the answer to LOGIN7: " + SERVER_LOGIN,
              also={"encryption": {"effective": "login"}})
def client_takes_its_encrypted_login_back(s):
    c = s.connection()
    handshake12(c)
    c.client(hidden(250)).client(attention(), 1999.8).fin(CLIENT, 0.2)


@causes.login("timed_out", "the client gave up after waiting 2.000 s for the answer to LOGIN7: " + SERVER_LOGIN,
              also={"encryption": {"effective": "full"}})
def client_takes_its_login_back_under_tls(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.client(hidden(250)).client(hidden(8), 1999.8).fin(CLIENT, 0.2)


@causes.login("answer_too_late", "the server logged the client in after the client had left, which had waited 2.000 s "
              "for it: " + SERVER_LOGIN, also={"outcome": "timed_out"})
def late_loginack_after_an_attention(s):
    c = begin_clear(s.connection()).client(login7()).client(attention(), 1999.8).fin(CLIENT, 0.2)
    c.server(success(), 300)


@causes.login("timed_out", "the client gave up after waiting 20.000 s for the answer to the authentication message: " +
              SERVER_AUTH, also={"auth": {"method": "ntlm", "rounds": 2}})
def client_gave_up_on_domain_controller(s):
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE)).server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(sspi(ntlm_authenticate())).fin(CLIENT, 20000)


@causes.login("timed_out", "the client gave up after waiting 10.000 s for the answer to the authentication message: " +
              SERVER_AUTH, also={"auth": {"method": "ntlm", "rounds": 2}, "waits": {"client_ns": 2700000}})
def client_gave_up_on_a_token_sent_as_login7(s):
    """Python-tds sends NTLM's last message in a packet of LOGIN7's type."""
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE)).server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(tds(LOGIN7, ntlm_authenticate())).client(attention(), 9999.8).fin(CLIENT, 0.2)


@causes.login("timed_out", "the server gave up after waiting 60.000 s for LOGIN7: " + CLIENT_LOGIN,
              also={"outcome": "timed_out"})
def server_gave_up_on_login7(s):
    begin_clear(s.connection()).fin(SERVER, 60000)


@causes.login("timed_out", "the server gave up after waiting 12.000 s for the client's authentication message: " +
              CLIENT_AUTH)
def server_gave_up_on_federated_token(s):
    c = begin_clear(s.connection()).client(login7(features=[(2, b"\4\1")])).server(answer(fedauth_info()))
    c.fin(SERVER, 12000)


@causes.login("timed_out", "nobody has sent anything for 75 s; the PRELOGIN response was due of the server: " +
              SERVER_IDLE)
def nobody_went_on(s):
    s.connection().connect().client(prelogin())
    s.idle_until(75010)


@causes.login("answer_too_late", "the server logged the client in after the client had left, which had waited 15.000 s "
              "for it: " + SERVER_LOGIN, also={"outcome": "timed_out"})
def late_loginack(s):
    begin_clear(s.connection()).client(login7()).fin(CLIENT, 15000).server(success(), 300)


@causes.login("answer_too_late", "the server refused the login (error 18456) after the client had left, which had "
              "waited 15.000 s for it: " + SERVER_LOGIN, also={"outcome": "timed_out", "error": None})
def late_error(s):
    begin_clear(s.connection()).client(login7()).fin(CLIENT, 15000).server(failure(18456), 300)


# ---- left at once -------------------------------------------------------------------------------

@causes.login("client_left", "the client left of its own accord while the answer to LOGIN7 was due: " + CANCELLED,
              also={"outcome": "abandoned"})
def client_killed(s):
    begin_clear(s.connection()).client(login7()).rst(CLIENT, 100)


@causes.login("client_left", "the client left of its own accord while the client's authentication message was due: see "
              "its own log, for it did not like what it got, or was cancelled or killed")
def client_disliked_challenge(s):
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE))
    c.server(answer(sspi_token(NTLM_CHALLENGE))).fin(CLIENT)


@causes.login("server_dropped", "the server closed the connection instead of sending the PRELOGIN response: a proxy "
              "without a server behind it, a listener only for TDS 8.0, or a PRELOGIN that it can't read (17828 in "
              "its error log)", also={"outcome": "dropped"})
def server_closed_on_prelogin(s):
    s.connection().connect().client(prelogin()).fin(SERVER)


@causes.login("server_dropped", "the server reset the connection instead of sending the answer to LOGIN7: see its "
              "error log: a malformed or too large LOGIN7 (17832, 17836), no room for more connections (17809), or a "
              "shutdown")
def server_reset_on_login7(s):
    begin_clear(s.connection()).client(login7()).rst(SERVER)


@causes.login("server_dropped", "the server closed the connection instead of sending the answer to the authentication "
              "message: see its error log, where a failed SSPI handshake is 17806 and 18452")
def server_closed_on_authentication(s):
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE)).server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(sspi(ntlm_authenticate())).fin(SERVER)


@causes.login("server_dropped", "the server closed the connection while LOGIN7 was due of the client; its error log "
              "says why")
def server_closed_before_login7(s):
    begin_clear(s.connection()).fin(SERVER, 100)


@causes.login("server_dropped", "the server closed the connection while PRELOGIN was due of the client; its error log "
              "says why")
def server_closed_at_once(s):
    s.connection().connect().fin(SERVER)


# ---- resets from the path -----------------------------------------------------------------------

@causes.login("reset_by_device", "the connection was reset while the answer to LOGIN7 was due, by a packet whose TTL is "
              "not that of the server's other packets: a firewall or load balancer in the path may have sent it",
              also={"outcome": "dropped"})
def device_reset(s):
    begin_clear(s.connection()).client(login7()).rst(SERVER, ttl=61)


@causes.login("reset_by_device", "the connection was reset while the answer to LOGIN7 was due, by a packet whose TTL is "
              "not that of the client's other packets: a firewall or load balancer in the path may have sent it",
              also={"outcome": "timed_out"})
def device_reset_after_a_while(s):
    begin_clear(s.connection()).client(login7()).rst(CLIENT, 30000, ttl=254)


@causes.login("probe", "the client connected and left without a byte: a probe, a health check or the loser of "
              "parallel attempts", also={"outcome": "probe"})
def half_open_scan_is_no_device(s):
    """nmap makes the SYN, with a TTL of its own; the kernel, which knows of none, resets what is answered."""
    c = s.connection()
    c.packet(CLIENT, 2, after=0, ttl=47)
    c.syn_ack()
    c.packet(CLIENT, 4, after=0.1, seq=c.seq[CLIENT] + 1)


@causes.login("server_dropped", "the server reset the connection instead of sending the PRELOGIN response: a proxy "
              "without a server behind it, a listener only for TDS 8.0, or a PRELOGIN that it can't read (17828 in "
              "its error log)")
def reset_of_another_default_ttl_is_no_device(s):
    """128 - 3 and 64 - 3 are as far away: stacks begin resets at another TTL."""
    c = s.connection()
    c.ttl = [64, 125]
    c.connect().client(prelogin()).rst(SERVER, ttl=61)


# ---- what the capture did -----------------------------------------------------------------------

@causes.login("packets_missing", "%d bytes of this login are missing from the capture, so nothing is concluded from it" %
              len(login7()), also={"outcome": "incomplete"})
def packet_missing(s):
    c = begin_clear(s.connection())
    c.seq[CLIENT] += len(login7())
    c.server(success()).client(batch()).server(rows()).close()


@causes.login("capture_ended", "the capture ended while the answer to LOGIN7 was waited for",
              also={"outcome": "incomplete"})
def capture_ended(s):
    begin_clear(s.connection()).client(login7())


@causes.login("outcome_hidden", "the login is encrypted, and what came after it does not tell whether it succeeded",
              also={"outcome": "incomplete"})
def outcome_hidden(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.client(hidden(250)).server(hidden(320)).fin(CLIENT)


@causes.login("capture_cut", "the capture cut packets short, so that the answer can't be read; capture with a longer "
              "snap length", also={"outcome": "incomplete"})
def capture_cut(s):
    s.snap = 120
    begin_clear(s.connection()).client(login7()).server(success()).close()


INFERRED = " (inferred: its answer was not read whole, but the client's requests followed it)"


@causes.login("ok", "logged in after 4.200 ms" + INFERRED, also={"outcome": "ok", "outcome_basis": "inferred",
              "confidence": "high", "phases": {"login_ns": 2000000, "auth_ns": None}})
def capture_cut_and_requests(s):
    s.snap = 120
    begin_clear(s.connection()).client(login7()).server(success()).client(batch()).server(rows()).close()


@causes.login("capture_cut", "a message of this login is longer than is held, or there was no room left to hold it, so "
              "it was not read", also={"outcome": "incomplete"})
def message_too_long(s):
    c = begin_clear(s.connection()).client(login7())
    c.server(answer(*[error(5701, "x" * 2000, 0, 2, 0xab)] * 45, loginack(), done())).close()
