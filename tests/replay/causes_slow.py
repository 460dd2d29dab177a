# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins that succeeded: in good time, or slow in each phase, by each side."""
import causes
from scene import ACK, CLIENT, PSH, SERVER, SYN
from tdsbytes import *

SLOW_LOGIN = ("the server took %s s to answer LOGIN7; possible causes: no free worker thread, a logon trigger, the "
              "database's state or, for Windows logins, its domain controller")
SLOW_DOMAIN = ("the server took %s s over the client's authentication message; it asks its domain controller then, "
               "which may be slow, far away or overrun")
SLOW_PRELOGIN = ("the server took %s s to answer PRELOGIN, which costs it next to nothing; possible causes: no free "
                 "worker thread, too little CPU, or a server that was just starting")


@causes.login("ok", "logged in after 4.200 ms", also={"outcome": "ok", "confidence": "certain", "phases": {
    "tcp_ns": 200000, "prelogin_ns": 2000000, "tls_ns": None, "login_ns": 2000000, "auth_ns": None}})
def fine(s):
    begin_clear(s.connection()).client(login7()).server(success()).close()


@causes.login("ok", "logged in after 8.200 ms", also={"encryption": {"effective": "login"}, "auth": {"method": "sql"}})
def fine_with_login_only_encryption(s):
    c = s.connection()
    handshake12(c)
    c.client(hidden(250)).server(success()).close()


@causes.login("error_after_login", "logged in, but with error 4064, severity 11, in the same answer: see whether the "
              "client can work with what it got", also={"outcome": "ok"})
def error_after_loginack(s):
    begin_clear(s.connection()).client(login7()).server(answer(loginack(), error(4064, "Cannot.", 11), done())).close()


def browser_answers_after(s, ms):
    """MC-SQLR 2.2.3 and 2.2.5: the client asks for an instance, and connects 1 ms after the answer."""
    said = b"ServerName;SQL1;InstanceName;INST1;IsClustered;No;Version;16.0.1000.6;tcp;1433;;"
    s.datagram(0, ("10.1.0.1", 40000), ("10.1.0.2", 1434), b"\4INST1\0")
    s.datagram(ms, ("10.1.0.2", 1434), ("10.1.0.1", 40000), b"\5" + struct.pack("<H", len(said)) + said)
    begin_clear(s.connection(ms + 1)).client(login7()).server(success()).close()


SLOW_BROWSER = ("the login took 4.200 ms, but before it the client waited %.3f s for SQL Server Browser, which was slow to "
                "answer: see UDP 1434 on the way, the Browser service, and the other addresses that the server's name "
                "has, or give the port in the connection string")


@causes.login("slow_browser", SLOW_BROWSER % 1.5,
              also={"tds": {"instance": "INST1"}, "browser": {"ns": 1500000000, "retries": 0},
                    "verdict": {"class": "slow"}})
def slow_browser(s):
    browser_answers_after(s, 1500)


@causes.login("ok", "logged in after 4.200 ms", ["--slow-prelogin", "2s"],
              also={"browser": {"ns": 1500000000, "retries": 0}, "verdict": {"class": "ok"}})
def browser_within_the_limit(s):
    browser_answers_after(s, 1500)


@causes.login("slow_browser", SLOW_BROWSER % 0.15, ["--slow-prelogin", "100ms"],
              also={"browser": {"ns": 150000000, "retries": 0}, "verdict": {"class": "slow"}})
def browser_beyond_the_limit(s):
    browser_answers_after(s, 150)


def split(step="loginack", **parts):
    """The record's step of that name with these parts, in ns."""
    return {"has": [{"name": step, "within": {"has": [{"part": part, "ns": ns} for part, ns in parts.items()]}}]}


# ---- the path -----------------------------------------------------------------------------------

def late_handshake(s, *times):
    """SYNs at these times, the last one answered after 0.3 ms, seen on the server's host or not."""
    c = s.connection()
    c.syn()
    for after in times:
        c.syn(after)
    return c


def go_on(c):
    c.seq = [n + 1 for n in c.seq]
    c.ack(CLIENT)
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7()).server(success()).close()


@causes.login("syn_lost", "3.000 s went by until one of 3 SYNs was answered: SYNs were lost on the way, or the "
              "server's listen queue was full", also={"outcome": "ok", "vantage": "client",
                                                      "tcp": {"syn_retransmits": 2}})
def syn_lost(s):
    c = late_handshake(s, 1000, 2000)
    c.syn_ack(5)
    c.seq = [n + 1 for n in c.seq]
    c.ack(CLIENT, 0.01)
    c.client(prelogin(NOT_SUP), 6).server(prelogin_reply(NOT_SUP), 6).client(login7()).server(success(), 6).close()


@causes.login("listen_queue_full", "3.000 s went by until one of 3 SYNs was answered: they reached this host, so its "
              "listen queue was full: SQL Server did not accept connections fast enough, see its CPU and worker "
              "threads", also={"outcome": "ok", "vantage": "server"})
def listen_queue_full(s):
    c = late_handshake(s, 1000, 2000)
    c.syn_ack(0.02)
    c.seq = [n + 1 for n in c.seq]
    c.ack(CLIENT, 5)
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7(), 6).server(success()).close()


@causes.login("slow_connect", "the SYN was answered after 4.000 s: a far or crowded path, or the server's listen queue "
              "was full", also={"outcome": "ok"})
def syn_answered_late(s):
    c = late_handshake(s)
    c.syn_ack(4000)
    go_on(c)


@causes.login("slow_connect", "the client's ACK came 3.000 s after the SYN+ACK: one of the two was lost on the way to "
              "or from the client", also={"outcome": "ok"})
def ack_late(s):
    c = late_handshake(s)
    c.syn_ack(0.1)
    c.syn_ack(1000)
    c.seq = [n + 1 for n in c.seq]
    c.ack(CLIENT, 2000)
    c.client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP)).client(login7()).server(success()).close()


@causes.login("slow_network", "logged in after 1.800 s, 1.800 s of it on the network (0 retransmissions): see the "
              "path, not the server", also={"vantage": "middle"})
def far_away(s):
    c = s.connection().connect(0, 300, 300)
    c.client(prelogin(NOT_SUP), 300).server(prelogin_reply(NOT_SUP), 300).ack(CLIENT, 0)
    c.client(login7(), 300).server(success(), 300)


@causes.login("packets_lost", "packets were lost: 3.000 s went by until loginack was through, with 1 retransmissions "
              "and 0 segments out of order; see the path, not the server", also={"tcp": {"retransmits": 1},
                                                                      "steps": split(unacknowledged=2997900000, process=2000000)})
def answer_retransmitted(s):
    """LOGIN7 was sent twice: the server's host had not got it the first time. No bare ACK shows when it had."""
    c = begin_clear(s.connection()).client(login7())
    c.packet(CLIENT, ACK, login7(), after=2998, seq=c.seq[CLIENT] - len(login7()))
    c.server(success(), 2).close()


@causes.fact({"steps": split(unacknowledged=999900000, process=2000000000)})
def login7_sent_again_and_then_waited_for(s):
    """Once the server's TCP had it, the server took two seconds."""
    c = begin_clear(s.connection()).client(login7())
    c.packet(CLIENT, ACK, login7(), after=999.8, seq=c.seq[CLIENT] - len(login7()))
    c.ack(SERVER, 0.2)
    c.server(success(), 2000).close()


@causes.fact({"steps": split(unacknowledged=199900000, process=2800000000)})
def login7_sent_again_and_its_ack_not_captured(s):
    """No sender waits that long for an ACK: it had one."""
    c = begin_clear(s.connection()).client(login7())
    c.packet(CLIENT, ACK, login7(), after=200, seq=c.seq[CLIENT] - len(login7()))
    c.server(success(), 2800).close()


@causes.fact({"steps": {"has": [{"name": "loginack", "within": None}]}})
def login7_acknowledged_late_and_not_sent_again(s):
    """Hosts delay ACKs: it may have come at once."""
    c = begin_clear(s.connection()).client(login7())
    c.ack(SERVER, 200)
    c.server(success(), 2800).close()


@causes.fact({"steps": split(unacknowledged=1999900000, process=1000000, step="login7")})
def prelogin_reply_sent_again(s):
    """The client had nothing to answer before."""
    c = s.connection().connect().client(prelogin(NOT_SUP)).server(prelogin_reply(NOT_SUP))
    size = len(prelogin_reply(NOT_SUP))
    for after in (300, 600):
        c.packet(SERVER, ACK | PSH, prelogin_reply(NOT_SUP), after, seq=c.seq[SERVER] - size)
    c.packet(CLIENT, ACK, after=1100)
    c.client(login7(), 1).server(success()).close()


@causes.login("packets_lost", "packets were lost: 2.500 s went by until login7 was through, with 0 retransmissions and "
              "1 segments out of order; see the path, not the server", also={"tcp": {"out_of_order": 1}})
def login7_with_a_lost_segment(s):
    """Of two segments of LOGIN7 the first was lost before it came to us, and came again."""
    long_login7 = login7(app="a" * 128, host="h" * 128, database="d" * 128, user="u" * 128, features=[(1, bytes(600))])
    c = begin_clear(s.connection())
    c.packet(CLIENT, ACK, long_login7[1460:], after=1, seq=c.seq[CLIENT] + 1460)
    c.packet(CLIENT, ACK, long_login7[:1460], after=2499)
    c.seq[CLIENT] += len(long_login7)
    c.server(success()).close()


@causes.login("zero_window", "the client closed its TCP window while 5.010 s went by: its program does not read what "
              "came, see its CPU, memory and, of a paused machine, its host", also={"tcp": {"zero_windows": 2}})
def client_reads_nothing(s):
    c = begin_clear(s.connection()).client(login7())
    whole = success(feature_ack([(1, bytes(2000))]))
    c.data(SERVER, whole[:1460], 10)
    c.packet(CLIENT, ACK, after=0, window=0)
    c.packet(CLIENT, ACK, after=2000, window=0)
    c.ack(CLIENT, 2999)
    c.data(SERVER, whole[1460:], 1)


# ---- each phase, each side ----------------------------------------------------------------------

@causes.login("slow_prelogin", SLOW_PRELOGIN % "10.000", also={"outcome": "ok"})
def slow_prelogin_server(s):
    begin_clear(s.connection(), reply=10000.1).client(login7()).server(success()).close()


@causes.login("slow_client", "the client took 3.000 s after the TCP handshake before it sent PRELOGIN; possible "
                             "causes: too little CPU or too few threads, or a proxy that connects ahead")
def slow_prelogin_client(s):
    begin_clear(s.connection(), after=3000.1).client(login7()).server(success()).close()


@causes.login("ok", "logged in after 903.200 ms")
def prelogin_within_the_limit(s):
    begin_clear(s.connection(), reply=900).client(login7()).server(success()).close()


@causes.login("slow_prelogin", SLOW_PRELOGIN % "0.900", options=["--slow-prelogin", "500"])
def prelogin_beyond_a_limit_of_ones_own(s):
    begin_clear(s.connection(), reply=900.1).client(login7()).server(success()).close()


@causes.login("slow_login", SLOW_LOGIN % "0.300", options=["--slow-login", "250"])
def login_beyond_a_limit_of_ones_own(s):
    begin_clear(s.connection()).client(login7()).server(success(), 300.1).close()


def slow_tls(s, **delay):
    c = s.connection()
    handshake12(c, **delay)
    c.client(hidden(250)).server(success()).close()


@causes.login("slow_tls", "the client took 2.000 s to begin TLS (client_hello); possible causes: too little CPU or "
                          "too few threads, or it loads its certificate store")
def slow_client_hello(s):
    slow_tls(s, hello=2000.1)


@causes.login("slow_tls", "the server took 10.000 s in the TLS handshake; possible causes: too little CPU, or no "
                          "free worker thread")
def slow_server_hello(s):
    slow_tls(s, flight=10000.1)


@causes.login("slow_tls", "the client took 5.000 s in the TLS handshake (client_finished): a client that looks up "
              "certificate revocation does that")
def slow_client_finished(s):
    slow_tls(s, key=5000.1)


@causes.login("slow_tls", "the server took 1.500 s in the TLS handshake; possible causes: too little CPU, or no free "
                          "worker thread")
def slow_server_finished(s):
    slow_tls(s, finished=1500.1)


@causes.login("slow_ticket", "the client took 4.000 s before it sent LOGIN7; a Windows login gets its ticket then, "
                             "so check its domain controller (KDC) and its DNS", also={"auth": {"method": "kerberos"}})
def slow_ticket(s):
    c = begin_clear(s.connection()).client(login7(sspi=kerberos_token()), 4000.1)
    c.server(answer(sspi_token(kerberos_token(2, 100)))).server(success()).close()


@causes.login("slow_token", "the client took 4.000 s before it sent LOGIN7 with its federated token; check its way "
                            "to the token service", also={"auth": {"method": "fedauth", "rounds": 0}})
def slow_token_in_login7(s):
    c = begin_clear(s.connection()).client(login7(features=[(2, b"\2" + struct.pack("<I", 900) + bytes(900))]), 4000.1)
    c.server(success(feature_ack([(2, b"")]))).close()


@causes.login("slow_client", "the client took 4.000 s before it sent LOGIN7; possible causes: too little CPU or too "
                             "few threads, or a certificate check after the handshake", also={"auth": {"method": "sql"}})
def slow_client_before_login7(s):
    begin_clear(s.connection()).client(login7(), 4000.1).server(success()).close()


@causes.login("slow_login7", "the client took 4.000 s before it sent LOGIN7; possible causes: a certificate check, a "
                             "ticket or token that was slow to come (its KDC, DNS or token service), or too little "
                             "CPU",
              also={"auth": {"method": "unknown"}})
def slow_hidden_login7(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.client(hidden(600), 4000.1).server(hidden(600)).client(hidden(60)).server(hidden(100)).close()


@causes.login("slow_login", SLOW_LOGIN % "12.000", also={"outcome": "ok"})
def slow_login_server(s):
    begin_clear(s.connection()).client(login7()).server(success(), 12000.1).close()


def ntlm(s, challenge=1.0, client=1.0, server=1.0):
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE))
    c.server(answer(sspi_token(NTLM_CHALLENGE)), challenge)
    c.client(sspi(ntlm_authenticate()), client).server(success(), server).close()


@causes.login("slow_domain_controller", SLOW_DOMAIN % "7.000", also={"auth": {"method": "ntlm", "rounds": 2}})
def slow_domain_controller(s):
    ntlm(s, server=7000.1)


@causes.login("slow_login", "the server took 7.000 s after it had the client's Kerberos ticket, which it seldom checks "
                            "with a domain controller; possible causes: no free worker thread, a logon trigger or the "
                            "database's state", also={"auth": {"method": "kerberos"}})
def slow_after_the_ticket(s):
    c = begin_clear(s.connection()).client(login7(sspi=kerberos_token()))
    c.server(answer(sspi_token(kerberos_token(2, 100)))).server(success(), 7000.1).close()


@causes.login("slow_client", "the client took 6.000 s to answer the server's challenge; check its CPU and its domain "
                             "controller")
def slow_challenge_answer(s):
    ntlm(s, client=6000.1)


@causes.login("slow_login", SLOW_LOGIN % "5.000", also={"auth": {"method": "ntlm"}})
def slow_challenge(s):
    ntlm(s, challenge=5000.1)


def federated(s, token=1.0, server=1.0):
    c = begin_clear(s.connection()).client(login7(features=[(2, b"\4\1")])).server(answer(fedauth_info()))
    c.client(fedauth_token(), token).server(success(feature_ack([(2, b"")])), server).close()


@causes.login("slow_token", "the client took 30.000 s to get its federated token; check its way to the token "
                            "service, and whether a person was asked", also={"auth": {"method": "fedauth", "rounds": 2}})
def slow_federated_token(s):
    federated(s, token=29999.98 + 0.1)


@causes.login("slow_token_check", "the server took 3.000 s over the client's federated token; check its way to the "
                                  "identity provider, and logon triggers", also={"auth": {"method": "fedauth"}})
def slow_token_check(s):
    federated(s, server=3000.1)


@causes.login("slow", "logged in after 2.803 s, of which 1.000 s were spent in phase tcp waiting for the network (syn_ack)")
def slow_here_and_there(s):
    """The longest step was the path's, and yet most of the time is not."""
    c = s.connection().connect(0, 1000, 0.1)
    c.client(prelogin(NOT_SUP), 900).server(prelogin_reply(NOT_SUP)).client(login7(), 900).server(success(), 1.9)
