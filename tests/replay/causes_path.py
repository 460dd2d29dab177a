# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What the path, the capture or a stranger's packets did to a connection, and must not be taken for the doing of
client or server: segments that were never acknowledged, copies, resets and SYNs that nobody takes, lost packets,
clocks that jump."""
import causes
from causes_close import session, worked
from causes_slow import split
from scene import ACK, CLIENT, FIN, PSH, RST, SERVER, SYN
from tdsbytes import *

DEAD = ("the path lost them, or that host is gone; SQL Server had no part in it. Check firewalls and the network "
        "between the two hosts")
MTU = ("smaller segments went through, so the path drops large packets; check the MTU along it, and whether a firewall "
       "drops the ICMP messages that name it")
GAVE_UP = 15000


def again(c, side, length, times=(300, 600, 1200, 2400, 4800)):
    """The last `length` bytes of a side, sent again and again."""
    for after in times:
        c.packet(side, ACK | PSH, b"\0" * length, after, seq=c.seq[side] - length)


# ---- acknowledged or not --------------------------------------------------------------------------

@causes.login("path_dead", "the client sent 158 bytes 6 times within 15.000 s, and the server never acknowledged them: "
              + DEAD, also={"outcome": "timed_out", "waits": {"server_ns": 900000}, "verdict": {"class": "failed"},
              "steps": split("client_close", unacknowledged=15000000000)})
def login7_never_acknowledged(s):
    c = begin_clear(s.connection()).client(login7())
    again(c, CLIENT, len(login7()))
    c.fin(CLIENT, GAVE_UP - 9300)


@causes.login("path_dead", "the server sent 43 bytes 3 times within 5.000 s, and the client never acknowledged them: "
              + DEAD, also={"outcome": "timed_out", "steps": split("client_close", unacknowledged=5000000000)})
def prelogin_reply_never_acknowledged(s):
    c = s.connection().connect().client(prelogin()).server(prelogin_reply())
    c.packet(SERVER, ACK | PSH, prelogin_reply(), 300, seq=c.seq[SERVER] - 43)
    c.packet(SERVER, ACK | PSH, prelogin_reply(), 600, seq=c.seq[SERVER] - 43)
    c.packet(CLIENT, ACK | FIN, after=4100, ack=c.seq[SERVER] - 43)


def flight(size):
    """The server's flight of that many bytes: a certificate takes up most of it."""
    body = record(22, server_hello() + certificate(CERTIFICATE + b"\0" * (size - 453)) + handshake(14, b""))
    return tds(PRELOGIN, body)


def large_flight_lost(s):
    """The server's TLS flight: a full segment that never arrives, and a small one behind it that does."""
    c = s.connection().connect().client(prelogin(ON)).server(prelogin_reply(ON)).client(carried(client_hello()))
    before = c.seq[SERVER]
    return c, before


@causes.login("mtu", "the server sent 1760 bytes 5 times within 14.980 s, and the client never acknowledged them: " + MTU,
              also={"outcome": "timed_out", "waits": {"server_ns": 1800000}})
def server_flight_too_large(s):
    c, before = large_flight_lost(s)
    c.send(SERVER, ACK, flight(1760)[:1460], 1)
    c.send(SERVER, ACK | PSH, flight(1760)[1460:], 0)
    c.packet(CLIENT, ACK, after=20, ack=before)
    for after in (300, 600, 1200, 2400):
        c.packet(SERVER, ACK, flight(1760)[:1460], after, seq=before)
    c.packet(CLIENT, ACK | FIN, after=10460, ack=before)


@causes.login("mtu", "1460 bytes of the server never arrived, though later ones did: " + MTU,
              also={"outcome": "timed_out", "tcp": {"missing_bytes": 0}})
def server_flight_too_large_seen_by_the_client(s):
    c, before = large_flight_lost(s)
    c.seq[SERVER] += 1460
    c.send(SERVER, ACK | PSH, flight(1760)[1460:], 1)
    c.packet(CLIENT, ACK, after=0.1, ack=before)
    c.packet(CLIENT, ACK | FIN, after=14980, ack=before)


@causes.login("timed_out", "the client never acknowledged the server's SYN+ACK, and after 75 s nothing more came: the way "
              "back to the client drops it, or the SYN's source address was made up",
              also={"outcome": "timed_out", "total_ns": 75000100000})
def half_open(s):
    c = s.connection()
    c.syn()
    c.syn_ack()
    s.idle_until(75000.2)
    return c


@causes.login("timed_out", "the client sent 100 of 158 bytes of LOGIN7, and then nothing for 75 s: its program hangs, or "
              "the rest was lost on the way", also={"outcome": "timed_out", "waits": {"server_ns": 900000}})
def half_a_login7(s):
    c = begin_clear(s.connection()).client(login7()[:100])
    c.ack(SERVER)
    s.idle_until(75004.3)
    return c


@causes.close("path_dead", "the client sent its last 46 bytes 3 times, and the server never acknowledged them: the path "
              "lost them, or that host is gone; check firewalls and the network between the two hosts",
              also={"unacknowledged": {"side": "client", "bytes": 46, "sent": 3, "ns": 2000000000}, "how": "rst",
                    "verdict": {"class": "failed"}})
def request_never_acknowledged(s):
    c = worked(s).client(batch())
    size = len(batch())
    again(c, CLIENT, size, (300, 600))
    c.rst(CLIENT, 1100)


@causes.close("idle_dropped", "the client sent its last 46 bytes 3 times, and the server never acknowledged them: before "
              "that the connection had been idle, so a firewall, load balancer or NAT in the path has probably forgotten "
              "it (inferred). Raise its idle time-out, or let the driver send keep-alive probes sooner")
def request_after_an_idle_time(s):
    c = worked(s).client(batch(), 300000)
    again(c, CLIENT, len(batch()), (300, 600))
    c.rst(CLIENT, 14000)


@causes.close("closed", "the client closed the connection", also={"unacknowledged": None})
def request_acknowledged_at_last(s):
    c = worked(s).client(batch())
    again(c, CLIENT, len(batch()), (300,))
    c.server(answer(done()))
    c.close()


# ---- copies ---------------------------------------------------------------------------------------

@causes.login("slow_login", "the server took 3.000 s to answer LOGIN7; possible causes: no free worker thread, a "
                            "logon trigger, the database's state or, for Windows logins, its domain controller",
              also={"tcp": {"syn_retransmits": 0, "retransmits": 0, "out_of_order": 0}})
def each_packet_twice(s):
    begin_clear(s.connection()).client(login7()).server(success(), 3000).close()
    s.packets += [(ts + 10000, data) for ts, data in s.packets]


# ---- resets and SYNs that the peer ignores --------------------------------------------------------

@causes.login("ok", "logged in after 5.200 ms", also={"outcome": "ok", "confidence": "certain"})
def reset_one_too_high(s):
    c = begin_clear(s.connection())
    c.packet(CLIENT, RST, after=0.5, seq=c.seq[CLIENT] + 1)
    c.client(login7(), 1.5).server(success()).client(batch()).server(answer(done())).close()


@causes.login("ok", "logged in after 1005.200 ms", also={"outcome": "ok", "confidence": "certain"})
def reset_of_the_server_and_a_second_of_silence(s):
    c = begin_clear(s.connection())
    c.packet(SERVER, RST | ACK, after=1, seq=c.seq[SERVER] + 30000)
    c.client(login7(), 1001).server(success()).close()


@causes.close("closed", "the client closed the connection", also={"how": "fin", "commands": {"batch": 3}})
def reset_ahead_in_a_session(s):
    c = worked(s)
    c.packet(CLIENT, RST, after=1, seq=c.seq[CLIENT] + 50000)
    for _ in range(2):
        c.client(batch()).server(answer(done()))
    c.close()


@causes.login("ok", "logged in after 5.200 ms", also={"outcome": "ok", "phases": {"tcp_ns": 200000}})
def syn_within_a_login(s):
    c = begin_clear(s.connection())
    c.packet(CLIENT, SYN, after=0.5, seq=77777)
    c.packet(SERVER, ACK, after=0.1)
    c.client(login7(), 1.4).server(success()).close()


@causes.close("closed", "the client closed the connection", also={"commands": {"batch": 3}, "how": "fin"})
def syn_within_a_session(s):
    c = worked(s)
    c.packet(CLIENT, SYN, after=5, seq=77777)
    c.packet(SERVER, ACK, after=0.1)
    for _ in range(2):
        c.client(batch()).server(answer(done()))
    c.close()


@causes.close("path_dead", "the server sent its last 43 bytes 3 times, and the client never acknowledged them: the path lost "
              "them, or that host is gone; check firewalls and the network between the two hosts",
              also={"by": None, "how": "open"})
def reset_ahead_after_which_its_receiver_goes_on(s):
    c = s.connection().connect().client(prelogin())
    c.packet(CLIENT, RST, after=0.1, seq=c.seq[CLIENT] + 50000)
    c.server(prelogin_reply())
    again(c, SERVER, len(prelogin_reply()), (600, 1200))


@causes.fact({"outcome": "timed_out", "tcp": {"missing_bytes": 0}, "waits": {"network_ns": 400000},
              "verdict": {"name": "timed_out"}})
def payload_too_far_ahead(s):
    """Nothing of it arrives: else the path would have lost what seems to be before it."""
    c = s.connection().connect()
    c.packet(SERVER, ACK | PSH, b"x" * 100, 0.1, seq=c.seq[SERVER] + (1 << 24))
    c.client(login7())
    c.ack(SERVER, 0)
    c.fin(CLIENT, 12000).fin(SERVER, 1)


@causes.close(None, None, also={"login": "ok", "by": None, "how": "open", "commands": {"batch": 1}})
def fin_too_far_ahead(s):
    c = begin_clear(s.connection())
    c.packet(CLIENT, FIN | ACK, after=0.1, seq=c.seq[CLIENT] + (1 << 20))
    c.client(login7()).server(success()).client(batch())


@causes.close(None, None, also={"login": "refused", "by": "client", "how": "rst", "bytes": {"client": 205}})
def fin_too_far_ahead_and_a_reset(s):
    c = begin_clear(s.connection())
    c.packet(CLIENT, FIN | ACK, after=0.1, seq=c.seq[CLIENT] + 70000)
    c.client(login7()).server(failure(18456)).rst(CLIENT)


@causes.close("packets_missing", "the client closed the connection; packets before that are missing from the capture, so "
              "the other side may have closed it first", also={"by": None, "how": "fin", "login": "ok"})
def fin_ahead_that_nobody_acknowledges(s):
    c = worked(s)
    c.packet(CLIENT, FIN | ACK, after=1, seq=c.seq[CLIENT] + 5000)


@causes.close("closed", "the client closed the connection", also={"by": "client", "how": "fin", "commands": {"batch": 2}})
def second_fin_behind_the_first(s):
    c = worked(s)
    c.packet(SERVER, FIN | ACK, after=1, seq=c.seq[SERVER] + 3000)
    c.client(batch()).server(answer(done())).close()


def joined_at_login7(s, forge):
    """A login without its handshake; forge(connection) adds a packet between two others."""
    c = s.connection().client(prelogin(NOT_SUP))
    forge(c)
    c.server(prelogin_reply(NOT_SUP)).client(login7()).server(success()).client(batch()).server(answer(done())).close()


JOINED = {"outcome": "ok", "mid_stream": True, "verdict": {"name": "ok"}}


@causes.fact(JOINED)
def joined_and_an_old_fin(s):
    joined_at_login7(s, lambda c: c.packet(SERVER, FIN | ACK, seq=c.seq[SERVER] - 1000))


@causes.fact(JOINED)
def joined_and_an_old_reset(s):
    joined_at_login7(s, lambda c: c.packet(CLIENT, RST, seq=c.seq[CLIENT] - 1000))


@causes.fact(JOINED)
def joined_and_a_syn_of_the_server(s):
    def forge(c):
        c.ack(SERVER)
        c.packet(SERVER, SYN, seq=c.seq[SERVER])
    joined_at_login7(s, forge)


@causes.close("closed", "the client closed the connection", also={"login": "ok", "by": "client", "commands": {"batch": 1}})
def joined_and_a_syn_ack_of_the_client(s):
    joined_at_login7(s, lambda c: c.packet(CLIENT, SYN | ACK, seq=c.seq[CLIENT] + (1 << 31) - 999, ack=123456))


@causes.fact(JOINED)
def joined_and_a_syn_of_the_client(s):
    joined_at_login7(s, lambda c: c.packet(CLIENT, SYN, seq=777777777))


@causes.login("ok", "logged in after 5.200 ms", also={"outcome": "ok", "tcp": {"missing_bytes": 0}})
def forged_acknowledgement(s):
    c = begin_clear(s.connection())
    c.packet(CLIENT, ACK, after=0.5, ack=c.seq[SERVER] + 5000)
    c.client(login7(), 1.5).server(success()).client(batch(), 50).server(answer(done())).close()


@causes.login("ok", "logged in after 504.300 ms", also={"outcome": "ok", "phases": {"tcp_ns": 500200000}})
def refused_then_taken(s):
    c = s.connection()
    c.syn()
    c.packet(SERVER, RST | ACK, after=0.1, ack=c.seq[CLIENT] + 1, seq=0)
    c.syn(499.9)
    c.syn_ack()
    c.seq = [n + 1 for n in c.seq]
    c.ack()
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7()).server(success(), 1.1)


@causes.close(None, None, also={"login": "incomplete", "how": "open", "by": None})
def refused_and_taken_by_a_syn_that_is_lost(s):
    c = s.connection()
    c.syn()
    c.packet(SERVER, RST | ACK, after=0.1, ack=c.seq[CLIENT] + 1, seq=0)
    c.syn_ack(500)
    c.seq = [n + 1 for n in c.seq]
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP))
    c.seq[SERVER] += 200
    c.client(batch())
    s.idle_until(3000)
    return c


@causes.login("listen_queue_full", "the server refused 2 of 3 SYNs (RST) before it took one, which cost 1.200 s: it was just "
              "starting, or its listen queue was full", also={"outcome": "ok", "verdict": {"class": "slow"}})
def refused_twice_then_taken(s):
    c = s.connection()
    for after in (0, 599.9):
        c.syn(after)
        c.packet(SERVER, RST | ACK, after=0.1, ack=c.seq[CLIENT] + 1, seq=0)
    c.syn(599.9)
    c.syn_ack()
    c.seq = [n + 1 for n in c.seq]
    c.ack()
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7()).server(success())


@causes.login("port_reused", "the server answered the first SYN for an earlier connection on the same ports, which it still "
              "held open; the client reset that one and got through 1.000 s later: the client uses its ports again too "
              "soon, or a device in the path forgot the earlier connection",
              also={"outcome": "ok", "tcp": {"syn_retransmits": 1, "missing_bytes": 0}})
def answered_for_an_earlier_connection(s):
    c = s.connection()
    c.syn()
    c.packet(SERVER, ACK, after=0.1, seq=777000, ack=555000)
    c.packet(CLIENT, RST, after=0.1, seq=555000)
    c.syn(999.8)
    c.syn_ack()
    c.seq = [n + 1 for n in c.seq]
    c.ack()
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7()).server(success())


# ---- lost to the capture --------------------------------------------------------------------------

@causes.login("packets_missing", "43 bytes of this login are missing from the capture, so nothing is concluded from it",
              also={"outcome": "incomplete", "verdict": {"class": "unknown"}})
def answer_lost_and_acknowledged(s):
    c = s.connection().connect().client(prelogin())
    c.seq[SERVER] += len(prelogin_reply())
    c.ack(CLIENT)
    s.idle_until(100000)
    return c


def silent_after_prelogin(s):
    """The client's PRELOGIN, and then nothing for 100 s."""
    c = s.connection().connect().client(prelogin(NOT_SUP))
    c.ack(SERVER)
    s.idle_until(100000)
    return c


@causes.fact({"outcome": "incomplete", "tcp": {"missing_bytes": 98}, "phases": {"prelogin_ns": None},
              "verdict": {"name": "packets_missing"}})
def request_after_a_silence_shows_that_a_login_is_missing(s):
    c = silent_after_prelogin(s)
    c.seq[CLIENT] += 98
    return c.client(batch("SELECT 1"), 120000)


@causes.fact({"outcome": "incomplete", "tcp": {"missing_bytes": 43}, "verdict": {"name": "packets_missing"}})
def keep_alive_after_a_silence_shows_that_an_answer_is_missing(s):
    c = silent_after_prelogin(s)
    c.seq[SERVER] += 43
    c.keep_alive(CLIENT, 120000)
    return c


@causes.fact({"outcome": "timed_out", "tcp": {"missing_bytes": 0},
              "phases": {"prelogin_ns": {"near": [75000000000, 2000000]}}})
def answer_after_a_silence_in_which_nothing_was_lost(s):
    return silent_after_prelogin(s).server(prelogin_reply(NOT_SUP), 120000)


@causes.fact({"outcome": "timed_out", "phases": {"prelogin_ns": {"near": [75000000000, 2000000]}}})
def new_connection_on_the_ports_of_a_silent_one(s):
    c = silent_after_prelogin(s)
    s.connection(200000, client_port=c.ends[0][1]).syn()
    return c


@causes.fact({"outcome": "probe"})
def whole_message_as_old_as_the_handshake(s):
    """Coarse times: what was sent in one tick has one time. The client owes the next message, and sent no part of it."""
    c = s.connection().connect(to_server=0, to_client=0)
    c.client(prelogin(NOT_SUP), 0)
    c.server(prelogin_reply(NOT_SUP), 0)
    return c.fin(CLIENT, 5000)


@causes.fact({"outcome": "timed_out", "tcp": {"missing_bytes": 0}})
def part_of_a_message_that_seems_to_complete_the_handshake(s):
    """SYN and ACK are lost: the client's first payload is the first that is seen of it."""
    c = s.connection()
    c.syn_ack()
    c.seq = [n + 1 for n in c.seq]
    c.client(prelogin()[:20])
    c.ack(SERVER)
    return c.fin(CLIENT, 5000)


@causes.login("packets_missing", "the packet that completes the TCP handshake is missing from the capture, so no time is "
              "given", also={"outcome": "incomplete"})
def server_spoke_and_its_syn_ack_is_lost(s):
    c = s.connection()
    c.syn()
    c.packet(SERVER, ACK | PSH, after=4000, ack=c.seq[CLIENT] + 1)
    s.idle_until(100000)
    return c


@causes.close("packets_missing", "the server closed the connection; packets before that are missing from the capture, so "
              "the other side may have closed it first", also={"by": None, "how": "fin", "graceful": False})
def client_fin_lost(s):
    c = worked(s)
    c.seq[CLIENT] += 1
    c.fin(SERVER)
    c.ack(CLIENT)


@causes.close("closed", "the client closed the connection", also={"how": "fin", "by": "client"})
def last_two_answers_and_the_servers_fin_lost(s):
    """The client's second request acknowledges the first answer: that one is missing before it, the others after it."""
    c = worked(s).client(batch())
    c.seq[SERVER] += len(answer(done()))
    c.client(batch())
    c.seq[SERVER] += len(answer(done()))
    c.fin(CLIENT)
    c.seq[SERVER] += 1
    c.ack(CLIENT)


@causes.close("closed", "the client closed the connection", also={"how": "fin"})
def last_answer_lost(s):
    c = worked(s).client(batch())
    c.seq[SERVER] += len(answer(done()))
    c.close()


@causes.login("one_direction", "only the packets of the client were captured; capture both directions (a mirror port may "
              "copy one of them, or the way back takes another path)", also={"outcome": "incomplete"})
def only_the_client(s):
    begin_clear(s.connection()).client(login7()).server(success()).client(batch()).server(answer(done())).close()
    s.packets = [p for p in s.packets if p[1][34:36] != b"\x05\x99"]


def one_side(s, server):
    """Only the packets that this side sent are in the capture."""
    s.packets = [p for p in s.packets if (p[1][34:36] == b"\x05\x99") == server]


@causes.close("packets_missing", "the server closed the connection; packets before that are missing from the capture, so "
              "the other side may have closed it first", also={"by": None, "how": "fin", "login": "ok"})
def only_the_server(s):
    worked(s).close()
    one_side(s, True)


@causes.fact({"outcome": "ok", "mars": None})
def only_the_server_which_agrees_to_mars(s):
    """What the client said of it is not known."""
    session(s, mars=1).close()
    one_side(s, True)


@causes.login("one_direction", "only the packets of the client were captured; capture both directions (a mirror port may "
              "copy one of them, or the way back takes another path)", also={"outcome": "incomplete"})
def only_the_client_from_its_login7_on(s):
    begin_clear(s.connection()).client(login7()).server(success()).client(batch()).server(answer(done())).close()
    one_side(s, False)
    s.packets = s.packets[3:]


@causes.login("one_direction", "only the packets of the client were captured; capture both directions (a mirror port may "
              "copy one of them, or the way back takes another path)", also={"outcome": "incomplete"})
def the_syn_and_later_acknowledgements_of_the_client(s):
    c = s.connection().connect().client(login7())
    c.ack(CLIENT, 10000)
    one_side(s, False)
    s.packets = [s.packets[0], s.packets[-1]]
    s.idle_until(100000)
    return c


# ---- clocks ---------------------------------------------------------------------------------------

@causes.login("ok", "logged in after 5.300 ms", also={"outcome": "ok", "time": "1970-01-01T00:00:00.000000000Z",
              "phases": {"tcp_ns": 200000, "prelogin_ns": 2000000}})
def times_begin_at_zero(s):
    begin_clear(s.connection()).client(login7()).server(success(), 2.1).close()
    first = s.packets[0][0]
    s.packets = [(ts - first, data) for ts, data in s.packets]


def shifted(s, which, by_ms):
    """The packets from place `which` on, or that one, at other times; the order in the file stays."""
    for i in which:
        s.packets[i] = (s.packets[i][0] + int(by_ms * 1000000), s.packets[i][1])
    s.sort = False


JUMPED = "logged in; the capture's clock jumped during this login, so how long it took is not known"


@causes.login("ok", JUMPED, also={"outcome": "ok", "phases": {"tcp_ns": 200000, "login_ns": None}, "total_ns": None,
                                  "waits": {"server_ns": None}})
def clock_set_back(s):
    begin_clear(s.connection()).client(login7()).server(success()).close()
    shifted(s, range(6, len(s.packets)), -3600000)


@causes.login("ok", JUMPED, also={"outcome": "ok", "phases": {"login_ns": None}, "total_ns": None})
def one_time_far_ahead(s):
    begin_clear(s.connection()).client(login7()).server(success()).client(batch()).server(answer(done())).close()
    shifted(s, [6], 864000000)


@causes.login("clock_stepped", "the capture's clock jumped during this login, so how long anybody waited is not known",
              also={"outcome": "incomplete", "verdict": {"class": "unknown"}})
def clock_set_back_and_left(s):
    begin_clear(s.connection()).client(login7()).fin(CLIENT, 5000)
    shifted(s, [6], -3600000)


@causes.login("ok", JUMPED, also={"outcome": "ok", "phases": {"tcp_ns": None, "login_ns": None}, "total_ns": None})
def first_time_an_hour_early(s):
    begin_clear(s.connection()).client(login7()).server(success()).close()
    shifted(s, [0], -3600000)


@causes.login("slow_login", "the server took 2.500 s to answer LOGIN7; possible causes: no free worker thread, a logon trigger, the "
              "database's state or, for Windows logins, its domain controller",
              also={"outcome": "ok", "phases": {"login_ns": 2501000000}, "waits": {"server_ns": 2500800000}})
def others_times_ahead_for_a_while(s):
    """Ten packets of another connection, 1,000 s ahead, while the server works."""
    begin_clear(s.connection()).client(login7()).server(success(), 2500).close()
    first, other = len(s.packets), s.connection(1000, client="10.1.0.8")
    for _ in range(10):
        other.ack()
    ahead = s.packets[first:]
    s.packets[6:] = ahead + s.packets[6:first]
    shifted(s, range(6, 6 + len(ahead)), 1000000)


# ---- room -----------------------------------------------------------------------------------------

@causes.login("evicted", "tdsmon had to forget this connection to make room for others while it waited for the answer to "
              "LOGIN7; give it more room by --max-connections", options=["--max-connections", "1"],
              also={"outcome": "incomplete"})
def no_more_room(s):
    c = begin_clear(s.connection()).client(login7())
    s.connection(100).connect()
    return c
