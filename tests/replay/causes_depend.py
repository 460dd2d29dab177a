# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Slow logins whose hosts asked others meanwhile: DNS, a KDC, a domain controller, a directory; and
requests that have nothing to do with the login, which must not be blamed."""
import struct

import causes
from causes_slow import SLOW_LOGIN
from scene import CLIENT, SERVER
from tdsbytes import *

CLIENT_HOST, SERVER_HOST, DC = "10.1.0.1", "10.1.0.2", "10.1.0.9"


def samlogon(number):
    head = struct.pack("<BBBBIHHIIHH", 5, 0, 0, 3, 0x10, 40, 8, number, 0, 0, 39)
    return head + struct.pack("<BBBBI", 0x44, 6, 0, 0, 1) + bytes(8)


def samlogon_response(number):
    return struct.pack("<BBBBIHHIII", 5, 0, 2, 3, 0x10, 24, 0, number, 0, 0)


def ldap_search():
    return bytes.fromhex("300c0201026307") + b"\4\5dc=ex"


def ldap_done():
    return bytes.fromhex("300c02010265070a010004000400")


def kerberos(tag):
    """A request or reply of which only the kind shows: RFC 4120 5.10."""
    der = bytes([0x60 | tag, 5, 0x30, 3, 2, 1, 5])
    return struct.pack(">I", len(der)) + der


def asked(s, at, host, port, request, response, took, ack=0.2):
    """A request of a host on a connection of its own, and the response after so many ms."""
    c = s.connection(at, client=host, server=DC, port=port)
    c.connect(to_server=ack)
    c.client(request, 0.1)
    if response is not None:
        c.ack(SERVER, ack)
        c.server(response, took - ack)
        c.fin(CLIENT, 0.1)
    return c


def windows_login(s, server, at=0.0):
    """An NTLM login whose server answers so many ms after the last token, which comes 4.3 ms after the start."""
    c = begin_clear(s.connection(at)).client(login7(sspi=NTLM_NEGOTIATE)).server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(sspi(ntlm_authenticate())).server(success(), server).close()
    return c


DC_SLOW = ("logged in after %.3f s: the server waited %.3f s for domain controller " + DC + ", at most 0.2 ms away "
           "(inferred): check that controller's load, and the trusts that it has to ask itself")


@causes.login("dc_slow", DC_SLOW % (3.006, 3.0), also={"verdict": {"class": "slow"}})
def the_domain_controller_took_three_seconds(s):
    asked(s, 5.2, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 3000.0)
    return windows_login(s, 3001.0)


@causes.login("dc_slow", DC_SLOW % (2.999, 2.991), also={"verdict": {"class": "slow"}})
def two_calls_at_the_same_time(s):
    """They end within a millisecond, and before the first login is answered. The call of a third login begins then."""
    asked(s, 5.2, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 3000.0)
    asked(s, 15.2, SERVER_HOST, 49152, samlogon(8), samlogon_response(8), 2990.7)
    asked(s, 3007.6, SERVER_HOST, 49152, samlogon(9), samlogon_response(9), 400.0)
    windows_login(s, 3003.0)
    windows_login(s, 3400.0, at=20.0)
    return windows_login(s, 2993.7, at=10.0)


@causes.login("dc_far", "logged in after 0.156 s: the server waited 0.150 s for domain controller " + DC + ", a round "
              "trip of 150.0 ms away (inferred): check which site the server is in, and why it does not use a near "
              "controller", options=["--slow-login", "100"])
def the_domain_controller_is_far(s):
    """Its connection is there already."""
    asked(s, 55.2, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 150.0, ack=150.0)
    return windows_login(s, 151.0, at=200.0)


@causes.login("server_busy_with_login", "logged in after 2.505 s: the domain controller answered within 2.000 ms, the "
              "rest is the server's own time (inferred): check logon triggers, the Resource Governor's classifier and "
              "the state of the login's database")
def its_call_was_prompt_and_others_go_on(s):
    asked(s, 5.3, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 2.0)
    for i in range(6):
        asked(s, 300.0 * i + 50, SERVER_HOST, 389, ldap_search(), ldap_done(), 3.0)
    return windows_login(s, 2500.0)


@causes.login("slow_login", SLOW_LOGIN % "2.500")
def a_sql_login_beside_a_slow_domain_controller(s):
    """It asks none, whoever else waits for one."""
    asked(s, 5.2, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 2400.0)
    c = begin_clear(s.connection()).client(login7()).server(success(), 2500.1)
    c.close()
    return c


@causes.login("slow_login", SLOW_LOGIN % "2.500")
def a_search_of_somebody_else(s):
    """It began before the login waited, and went on after it."""
    asked(s, 0.0, SERVER_HOST, 389, ldap_search(), ldap_done(), 2000.0)
    asked(s, 2000.5, SERVER_HOST, 389, ldap_search(), ldap_done(), 2000.0)
    c = begin_clear(s.connection()).client(login7()).server(success(), 2500.1)
    c.close()
    return c


@causes.login("slow_ldap", "logged in after 2.502 s: the server waited 2.490 s for the directory at " + DC + " (LDAP, "
              "inferred: its answer came right before the login's): check that directory's load and the search's "
              "indexes")
def the_server_looked_the_user_up(s):
    asked(s, 10.0, SERVER_HOST, 389, ldap_search(), ldap_done(), 2490.0)
    c = begin_clear(s.connection()).client(login7()).server(success(), 2499.0)
    c.close()
    return c


@causes.login("slow_kdc", "logged in after 3.006 s: the client waited 2.995 s for its KDC at " + DC + " (inferred): check "
              "that host and the path to it from the client", also={"auth": {"method": "kerberos"}})
def the_kdc_took_three_seconds(s):
    asked(s, 5.0, CLIENT_HOST, 88, kerberos(12), kerberos(13), 2995.0)
    c = begin_clear(s.connection()).client(login7(sspi=kerberos_token()), 3002.0)
    c.server(answer(sspi_token(kerberos_token(2, 100)))).server(success()).close()
    return c


@causes.login("certificate_check_slow", "logged in after 3.007 s: the client waited 2.994 s for crl.example.test over "
              "HTTP meanwhile (inferred: a revocation list or OCSP): let it reach that host, or serve the list nearer")
def the_revocation_list_took_three_seconds(s):
    asked(s, 8.0, CLIENT_HOST, 80, b"GET /ca.crl HTTP/1.1\r\nHost: crl.example.test\r\n\r\n",
          b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2994.0)
    c = s.connection()
    handshake12(c, key=3000.0)
    c.client(hidden(250)).server(success()).close()
    return c


@causes.login("slow_token", "logged in after 3.003 s: 2.995 s went by while login.example.test was asked over HTTPS "
              "(inferred: a token service): check the way to it", also={"auth": {"method": "fedauth"}})
def the_token_service_took_three_seconds(s):
    asked(s, 5.0, CLIENT_HOST, 443, client_hello(sni="login.example.test"), server_flight(), 2995.0)
    c = begin_clear(s.connection()).client(login7(features=[(2, b"\2" + struct.pack("<I", 900) + bytes(900))]), 3000.1)
    c.server(success(feature_ack([(2, b"")]))).close()
    return c


@causes.login("server_stalled", "logged in after 3.003 s: the server let this login and 2 others wait, and went on with "
              "all of them at the same moment: SQL Server as a whole stood still for 3.000 s (inferred); possible "
              "causes: no free worker thread (sys.dm_os_schedulers, THREADPOOL waits), no CPU, a paused machine")
def three_logins_waited_until_one_moment(s):
    for i in range(2):
        begin_clear(s.connection(700.0 * (i + 1)), reply=3000.0 - 700.0 * (i + 1)).client(login7()).server(success()).close()
    c = begin_clear(s.connection(), reply=3000.0).client(login7()).server(success())
    c.close()
    return c


@causes.login("slow_prelogin", "the server took 3.000 s to answer PRELOGIN, which costs it next to nothing; possible "
              "causes: no free worker thread, too little CPU, or a server that was just starting")
def another_was_answered_meanwhile(s):
    """Then the server did not stand still."""
    begin_clear(s.connection(700.0), reply=2300.0).client(login7()).server(success()).close()
    begin_clear(s.connection(1000.0)).client(login7()).server(success()).close()
    c = begin_clear(s.connection(), reply=3000.0).client(login7()).server(success())
    c.close()
    return c


# ---- traps: traffic that has nothing to do with the login ------------------------------------------

BUSY = ("logged in after 2.505 s: the domain controller answered within 2.000 ms, the rest is the server's own time "
        "(inferred): check logon triggers, the Resource Governor's classifier and the state of the login's database")


def dns_query(number, name=b"else"):
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + bytes([len(name)]) + name + b"\0\0\1\0\1"


@causes.login("server_busy_with_login", BUSY)
def others_calls_come_every_50_ms(s):
    """Another service of the host verifies its own users by short calls, one after the other, with pauses."""
    asked(s, 5.3, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 2.0)
    c = s.connection(50, client=SERVER_HOST, server=DC, port=49152)
    c.connect()
    for i in range(60):
        c.client(samlogon(20 + i), 45.0).server(samlogon_response(20 + i), 5.0)
    return windows_login(s, 2500.0)


@causes.login("server_busy_with_login", BUSY)
def one_other_call_ends_with_the_login(s):
    asked(s, 5.3, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 2.0)
    asked(s, 1500.0, SERVER_HOST, 49152, samlogon(8), samlogon_response(8), 1000.0)
    return windows_login(s, 2500.0)


@causes.login("slow_login", SLOW_LOGIN % "2.500")
def somebody_elses_name_server_is_dead(s):
    """A program of the host asks for a name again and again, before the login and after it."""
    for at in range(-1000, 9000, 1000):
        s.datagram(1000 + at, (SERVER_HOST, 40000), ("10.1.0.8", 53), dns_query(7))
    c = begin_clear(s.connection(1000)).client(login7()).server(success(), 2500.1)
    c.close()
    return c


@causes.login("slow_login", SLOW_LOGIN % "2.500")
def somebody_elses_directory_is_dead(s):
    """The host asks a domain controller's directory again and again, and the login is a SQL login."""
    asked(s, 0, SERVER_HOST, 88, kerberos(12), kerberos(13), 3.0)
    c = s.connection(1004, client=SERVER_HOST, server=DC, port=389)
    c.connect()
    for at in (0.1, 300, 600, 1200, 2400, 4800):
        c.packet(CLIENT, 24, ldap_search(), after=at)
    c = begin_clear(s.connection(1000)).client(login7()).server(success(), 2500.1)
    c.close()
    return c


@causes.login("slow_login", SLOW_LOGIN % "2.500")
def names_that_somebody_else_looks_up(s):
    """Prompt look-ups that follow each other without a pause, until after the login."""
    for i in range(300):
        s.datagram(10.0 * i, (SERVER_HOST, 40000), ("10.1.0.8", 53), dns_query(i))
        s.datagram(10.0 * i + 9, ("10.1.0.8", 53), (SERVER_HOST, 40000), dns_response(i))
    c = begin_clear(s.connection()).client(login7()).server(success(), 2500.1)
    c.close()
    return c


def again_and_again(s, host, port, request, response, every, takes):
    """Requests of another program, each on a connection of its own, from 3 s before the login at 3000 ms until after it."""
    for i in range(int(6000 / every)):
        asked(s, every * i, host, port, request, response, takes)


@causes.login("slow_login", SLOW_LOGIN % "2.000")
def a_program_that_asks_the_directory_all_the_time(s):
    again_and_again(s, SERVER_HOST, 389, ldap_search(), ldap_done(), 50, 40.0)
    c = begin_clear(s.connection(3000)).client(login7()).server(success(), 2000.1)
    c.close()
    return c


@causes.login("slow_login", SLOW_LOGIN % "2.000")
def a_backup_over_https(s):
    """Each object is sent on a connection of its own."""
    again_and_again(s, SERVER_HOST, 443, client_hello(sni="backup.example.test"), server_flight(), 50, 40.0)
    c = begin_clear(s.connection(3000)).client(login7()).server(success(), 2000.1)
    c.close()
    return c


@causes.login("slow_domain_controller", "the server took 2.500 s over the client's authentication message; it asks its domain "
              "controller then, which may be slow, far away or overrun")
def calls_of_other_services_without_a_pause(s):
    """They go through the same channel to the controller, so the login may have waited for them, or not."""
    c = s.connection(0, client=SERVER_HOST, server=DC, port=49152)
    c.connect()
    for i in range(140):
        c.client(samlogon(20 + i), 2.0).server(samlogon_response(20 + i), 38.0)
    asked(s, 305.3, SERVER_HOST, 49152, samlogon(6), samlogon_response(6), 2.0)
    windows_login(s, 3.0, at=300)
    asked(s, 3005.3, SERVER_HOST, 49152, samlogon(7), samlogon_response(7), 2.0)
    return windows_login(s, 2500.0, at=3000)


def dns_response(number, name=b"else"):
    return (struct.pack(">HHHHHH", number, 0x8180, 1, 1, 0, 0) + bytes([len(name)]) + name + b"\0\0\1\0\1" +
            struct.pack(">HHHIHBBBB", 0xc00c, 1, 1, 60, 4, 10, 9, 9, 9))
