# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins about which the server's own error log says more."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import causes
from causes_slow import SLOW_LOGIN
from errorlog import Log
from scene import CLIENT, SERVER, START_NS
from tdsbytes import *

HOST = "10.1.0.1"
START_S = START_NS / 1e9
INFERRED = "%s; inferred from state %d in the server's error log, whose entry fits this login only"

# The states of 18456.
STATES = {
    2: "the server has no login of that name",
    5: "the server has no login of that name",
    6: "the client gave a Windows account's name for a SQL login: use integrated security, or a SQL login's name",
    7: "the login is disabled, and the password was wrong",
    8: "the login exists and the password was wrong: check the password that this client has stored",
    9: "the password is not valid",
    11: "the Windows account is valid and may not connect to this server: check that it, or a group of its, has a login "
        "with CONNECT SQL; on the server's own host run the client as administrator",
    12: "the login is valid and may not connect to this server: check its CONNECT SQL permission and that on the endpoint",
    13: "the SQL Server service is paused",
    18: "the password must be changed first",
    38: "the server could not open the database that the client asked for: check its name, its state, and whether the "
        "login has a user in it",
    40: "the server could not open the login's default database: it was dropped, is offline, or the login has no user in it",
    46: "the server found no database of the name that the client asked for",
    58: "the server takes Windows logins only, and this was a SQL login: use integrated security, or set the server to "
        "mixed mode",
    102: "Microsoft Entra ID did not authenticate the client",
    111: "Microsoft Entra ID did not authenticate the client",
    123: "the name or the password was empty",
    126: "the database that the client asked for does not exist",
    133: "Microsoft Entra ID did not authenticate the client",
}


def log(s):
    s.errorlog = Log(START_S - 3600)
    return s.errorlog


def at(c):
    """When the connection's last packet was."""
    return c.now / 1e9


def refused_hidden(s):
    c = s.connection()
    handshake12(c, ON, ON)
    return c.client(hidden(250)).server(hidden(120))


def _state(number):
    def build(s):
        c = refused_hidden(s)
        log(s).failed(at(c), HOST, number).line(at(c) + 60, "Server", "More.")
        c.fin(SERVER)
    build.__name__ = "state_%d" % number
    return build


for _number, _text in STATES.items():
    causes.login("login_failed", "login failed (18456): " + INFERRED % (_text, _number),
                 also={"outcome": "refused", "outcome_basis": "inferred", "confidence": "high", "grounds": "error log",
                       "error": {"number": 18456, "state": _number, "class": 14, "message": None}})(_state(_number))


@causes.login("login_failed", "the server refused the login with error 18456, state 65 (inferred from its error log, whose "
              "entry fits this login only): Something else.", also={"outcome": "refused", "confidence": "high"})
def a_state_that_is_not_known(s):
    c = refused_hidden(s)
    log(s).failed(at(c), HOST, 65, why="Something else.")
    c.fin(SERVER)


@causes.login("account_disabled", "the account is disabled (18470): ALTER LOGIN ... ENABLE lets it in; inferred from the "
              "server's error log, whose entry (state 1) fits this login only", also={"outcome": "refused"})
def another_error_by_the_log(s):
    c = refused_hidden(s)
    log(s).error(at(c), 18470, 1, "Login failed for user 'app'. Reason: The account is disabled. [CLIENT: %s]" % HOST)
    c.fin(SERVER)


@causes.login("login_failed", "login failed (18456): " + INFERRED % (STATES[58] + " (after 12.001 s)", 58),
              also={"outcome": "refused", "outcome_basis": "observed", "error": {"number": 18456, "state": 1}})
def a_refusal_that_was_read_and_slow(s):
    c = begin_clear(s.connection()).client(login7()).server(failure(18456), 11997.8)
    log(s).failed(at(c), HOST, 58)
    c.close()


def with_states(s, state, count=20):
    """So many refusals, each with its entry in the error log: the state that the client does not get."""
    lines = log(s)
    for i in range(count):
        c = begin_clear(s.connection(i * 2000.0)).client(login7()).server(failure(18456)).close()
        lines.failed(at(c), HOST, state)
    return c


@causes.login("guessing", "20 logins of this client were refused within a minute: somebody guesses passwords, or a "
              "service goes on with an old one", also={"errorlog": {"state": 8}})
def wrong_passwords_by_the_error_log(s):
    return with_states(s, 8)


def _no_guessing(state):
    def build(s):
        return with_states(s, state)
    build.__name__ = "state_%d_is_no_guessing" % state
    return build


for _number in (11, 38, 40, 46, 58):
    causes.fact({"verdict": {"name": "login_failed"}, "errorlog": {"state": _number}})(_no_guessing(_number))


# ---- not refused --------------------------------------------------------------------------------

@causes.login("server_dropped", "the server closed the connection while PRELOGIN was due of the client; its error log says "
              "why; the server's error log has an entry that fits this login only (error 17189, "
              "state 1, inferred): the server could not start a thread for the connection (17189): check its memory and its "
              "worker threads", also={"outcome": "dropped", "outcome_basis": "observed", "error": None,
                                      "errorlog": {"number": 17189, "state": 1}})
def no_thread_for_it(s):
    c = s.connection().connect()
    c.fin(SERVER, 1.8).fin(CLIENT)
    log(s).error(at(c), 17189, 1, "SQL Server failed with error code 0xc0000000 to spawn a thread to process a new login or "
                 "connection. [CLIENT: %s]" % HOST)


# ---- no worker thread ---------------------------------------------------------------------------

WORKERS = ("%s after 12.003 s: the server had no free worker thread: its error log says that new requests were not picked up "
           "for 60 s (17884), and this login waited 12.000 s for the server then (inferred); look for blocking, long queries "
           "and 'max worker threads'")


@causes.login("worker_threads", WORKERS % "logged in", also={"outcome": "ok", "verdict": {"class": "slow"}})
def worker_threads(s):
    c = begin_clear(s.connection()).client(login7()).server(success(), 12000.1)
    log(s).stalled(START_S + 10)
    c.close()


@causes.login("worker_threads", WORKERS % "the login stopped", also={"outcome": "timed_out"})
def worker_threads_of_a_login_that_gives_up(s):
    c = begin_clear(s.connection()).client(login7())
    c.fin(CLIENT, 12000).fin(SERVER)
    log(s).stalled(START_S + 5)


@causes.login("slow_login", SLOW_LOGIN % "12.000", also={"outcome": "ok"})
def worker_threads_of_another_time(s):
    log(s).stalled(START_S - 120)
    begin_clear(s.connection()).client(login7()).server(success(), 12000.1).close()
