# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins that the server refused or redirected."""
import causes
from scene import CLIENT, SERVER
from tdsbytes import *

FAILED = ("login failed (18456): wrong name or password, or a Windows account without a login; only the server's error "
          "log has the state that tells which")

# Each login error by number: its verdict, and the sentence.
ERRORS = {
    18456: ("login_failed", FAILED),
    18452: ("untrusted_domain", "Windows login from an untrusted domain (18452): no Kerberos ticket, null credentials "
            "or a local account; see the SPN, the trust and the client's account"),
    18470: ("account_disabled", "the account is disabled (18470): ALTER LOGIN ... ENABLE lets it in"),
    18486: ("account_locked", "the account is locked out (18486): somebody tried wrong passwords; ALTER LOGIN ... "
            "UNLOCK lets it in"),
    18487: ("password_expired", "the password has expired (18487): give the login a new one"),
    18488: ("password_must_change", "the password must be changed first (18488): the client must offer that, or an "
            "administrator sets a new one"),
    4060: ("database_unavailable", "the database can't be opened (4060): see its name, its state, and whether the "
           "login has a user in it"),
    4061: ("database_unavailable", "neither the database asked for nor the login's default database can be opened "
           "(4061)"),
    4064: ("database_unavailable", "the login's default database can't be opened (4064): it was dropped, is offline, "
           "or the login has no user in it"),
    911: ("database_unavailable", "there is no such database (911): see the connection string's spelling"),
    40613: ("database_unavailable", "the database is not available just now (40613): try again, it may be starting or "
            "moving"),
    4221: ("database_unavailable", "the readable secondary was not ready (4221): a long transaction on the primary "
           "holds it up"),
    976: ("replica_not_readable", "the database is in an availability group and not readable here (976): connect to "
          "the listener or the primary"),
    978: ("replica_not_readable", "the secondary replica takes only read-only logins (978): "
          "ApplicationIntent=ReadOnly is missing"),
    979: ("replica_not_readable", "the replica takes no read-only logins (979): see its role's connection setting"),
    983: ("replica_not_readable", "the replica is neither primary nor secondary just now (983): see the availability "
          "group's state"),
    17892: ("logon_trigger", "a logon trigger refused the login (17892): see the trigger and what it printed in the "
            "error log"),
    18461: ("single_user", "the server is in single user mode (18461): another connection has the one place"),
    18451: ("administrators_only", "only administrators may connect at this time (18451): the server starts, stops or "
            "is being serviced"),
    18401: ("upgrading", "the server is in script upgrade mode (18401): wait until its upgrade is done, see its error "
            "log"),
    18458: ("license_limit", "the licensed number of users is reached (18458)"),
    18459: ("license_limit", "the licensed number of workstations is reached (18459)"),
    18460: ("license_limit", "the licensed number of connections is reached (18460)"),
    17809: ("too_many_connections", "the largest number of user connections is reached (17809): see sp_configure "
            "'user connections' and who leaves connections open"),
    17810: ("dac_in_use", "the dedicated administrator connection is in use (17810): there is only one"),
    18489: ("dac_in_use", "the dedicated administrator connection is in use (18489): there is only one"),
    18462: ("password_change_failed", "the password change failed (18462): the old password is too new to be changed"),
    18463: ("password_change_failed", "the password change failed (18463): that password can't be used at this time"),
    18464: ("password_change_failed", "the password change failed (18464): the new password is too short"),
    18465: ("password_change_failed", "the password change failed (18465): the new password is too long"),
    18466: ("password_change_failed", "the password change failed (18466): the new password is not complex enough"),
    18467: ("password_change_failed", "the password change failed (18467): a password filter refused the new one"),
    18468: ("password_change_failed", "the password change failed (18468): an error in checking the new password"),
    18471: ("password_change_failed", "the password change failed (18471): the login may not change its password"),
    17187: ("server_starting", "the server is not ready for connections yet (17187): it starts, wait until it is up"),
    17188: ("server_stopping", "the server shuts down and takes no connections (17188)"),
    17189: ("no_thread", "the server could not start a thread for the connection (17189): check its memory and its "
            "worker threads"),
    17828: ("login_malformed", "the server could not read the PRELOGIN packet (17828): the client's driver does not "
            "fit, or another service's client connected"),
    17829: ("login_broken_off", "a network error broke the login off (17829)"),
    17806: ("sspi_failed", "the SSPI handshake failed (17806): see the server's account, its domain controller and "
            "the SPN"),
    17830: ("login_broken_off", "a network error broke the login off (17830): the server's error log has its timers"),
    17832: ("login_malformed", "the server could not read the login packet (17832): the client's driver does not fit, "
            "or a device changed it"),
    17835: ("encryption_required", "the server requires encryption and the client does not encrypt (17835)"),
    17836: ("login_malformed", "the login packet's length is wrong (17836): the client's driver does not fit"),
    18056: ("pool_reset_failed", "a pooled connection could not be reset (18056): see the errors before it in the "
            "server's error log"),
    18061: ("pool_reset_failed", "a pooled connection could not be reset for another login (18061)"),
    4014: ("login_malformed", "the server could not read on from the network (4014): see the path and the client"),
    4019: ("language_unknown", "the server does not know the requested language (4019)"),
    40615: ("firewall_rule", "the server's firewall does not allow this address (40615): add a rule for it"),
    40532: ("server_unknown", "the gateway knows no such server (40532): see the server's name, and user@server"),
    40197: ("service_error", "the service had an error (40197): try again after some seconds"),
    40501: ("service_busy", "the service is busy (40501): try again after ten seconds"),
    49918: ("service_busy", "too few resources for the request (49918): try again later"),
    49919: ("service_busy", "too many create or update operations (49919): try again later"),
    49920: ("service_busy", "too many operations are under way (49920): try again later"),
    10928: ("resource_limit", "the database's limit of workers or sessions is reached (10928): see what holds them"),
    10929: ("resource_limit", "the server is too busy for more than the guaranteed minimum (10929): try again later"),
    # One without a name of its own.
    50001: ("login_refused", "the server refused the login with error 50001, severity 14"),
}


def _refused_with(number):
    def build(s):
        begin_clear(s.connection()).client(login7()).server(failure(number, text="No.")).close()
    build.__name__ = "error_%d" % number
    return build


for _number, (_name, _text) in ERRORS.items():
    causes.login(_name, _text, also={"outcome": "refused", "error": {"number": _number, "class": 14}})(
        _refused_with(_number))


@causes.login("database_unavailable", ERRORS[4060][1], also={"error": {"number": 4060, "class": 11}})
def database_before_login_failed(s):
    """SQL Server sends both; the first one is the reason. An information before them does not count."""
    c = begin_clear(s.connection()).client(login7())
    c.server(answer(error(5701, "Changed.", 0, 2), error(4060, "Cannot open.", 11), error(18456), done(2))).close()


@causes.login("login_failed", FAILED + " (after 12.001 s)", also={"outcome": "refused"})
def refused_after_a_while(s):
    begin_clear(s.connection()).client(login7()).server(failure(18456), 11997.8).close()


@causes.login("login_refused", "the server refused the login (inferred: the server closed at once after its answer); "
              "encryption hides why: see its error log",
              also={"outcome": "refused", "outcome_basis": "inferred", "error": None})
def refused_under_encryption(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.client(hidden(250)).server(hidden(120)).fin(SERVER)


# ---- under encryption: inferred from how the server answers others -------------------------------

def sealed(s, at, answer, login7_=250, client="10.1.0.1", port=1433, server="10.1.0.2"):
    """A login under full encryption up to its answer."""
    c = s.connection(at, client=client, port=port, server=server)
    handshake12(c, ON, ON)
    return c.client(hidden(login7_)).server(hidden(answer))


def let_in(s, at, answer, client="10.1.0.3", **how):
    """It goes on with a command: this server's login answers have that size."""
    return sealed(s, at, answer, client=client, **how).client(hidden(46)).server(hidden(39)).close()


def guess(s, count, answer=118, every=40.0):
    """Refusals after which the server closes."""
    for i in range(count):
        sealed(s, i * every, answer, login7_=200 + 2 * (i % 5)).fin(SERVER, 0.4).fin(CLIENT, 0.4)


COMPARED = "the answer has the size of this server's other login answers, and of none of its refusals"
LEFT_OPEN = ("this server closes after its refusals, but not after this answer, which has the size of none of them")
GUESSED = ("logged in right after %d refusals in a row of this client: a password was guessed, or a service got the "
           "right one at last; see what this login does")


@causes.login("guess_succeeded", GUESSED % 22 + " (that it succeeded is inferred: " + LEFT_OPEN + ")",
              also={"outcome": "ok", "outcome_basis": "inferred", "confidence": "medium"})
def a_guess_that_succeeds_and_leaves(s):
    let_in(s, 0, 385)
    guess(s, 22)
    return sealed(s, 1000, 410, 204).close(200)


@causes.login("guess_succeeded", GUESSED % 20 + " (that it succeeded is inferred: " + COMPARED + ")")
def a_guess_that_succeeds_and_leaves_at_once(s):
    let_in(s, 0, 385)
    guess(s, 20)
    return sealed(s, 1000, 385, 204).close(0.2)


@causes.login("guess_succeeded", GUESSED % 20 + " (that it succeeded is inferred: after the answer the client sent what "
              "is too small for an authentication message, or got more than a login's answer is)",
              also={"confidence": "high"})
def a_guess_that_goes_on(s):
    guess(s, 20)
    return let_in(s, 1000, 385, client="10.1.0.1", login7_=204)


@causes.login("guess_succeeded", GUESSED % 20, also={"outcome": "ok", "outcome_basis": "observed"})
def a_guess_that_succeeds_in_clear(s):
    many(s, 20, 18456, 100.0)
    return begin_clear(s.connection(3000)).client(login7()).server(success())


@causes.login("ok", "logged in after 4.200 ms")
def nineteen_refusals_are_no_guessing(s):
    many(s, 19, 18456, 100.0)
    return begin_clear(s.connection(3000)).client(login7()).server(success())


@causes.login("ok", "logged in after 4.200 ms")
def who_was_let_in_before_the_refusals_does_not_guess(s):
    begin_clear(s.connection()).client(login7()).server(success())
    for at in range(25):
        begin_clear(s.connection(100 + at * 100)).client(login7(user="other")).server(failure(18456)).close()
    return begin_clear(s.connection(3000)).client(login7()).server(success())


@causes.login("login_refused", "the server refused the login (inferred: the answer has the size of this server's "
              "refusals, and of none of its login answers); encryption hides why: see its error log",
              also={"outcome": "refused", "confidence": "medium"})
def refused_and_the_client_leaves_first(s):
    let_in(s, 0, 385)
    guess(s, 1)
    return sealed(s, 1000, 126, client="10.1.0.4").close(0.2)


UNTOLD = {"outcome": "incomplete", "outcome_basis": "inferred", "confidence": "low", "error": None}


@causes.fact(UNTOLD)
def left_at_once_at_a_server_of_which_no_refusal_is_known(s):
    let_in(s, 0, 385)
    return sealed(s, 1000, 385, client="10.1.0.4").close(0.2)


@causes.fact(UNTOLD)
def left_at_once_at_a_server_of_which_no_login_is_known(s):
    guess(s, 3)
    return sealed(s, 1000, 118, client="10.1.0.4").close(0.2)


# The lengths of known texts of Azure SQL: 40613, 40615, 10929, 47073.
AZURE = {40613: 241, 40615: 361, 10929: 314, 47073: 231}


def azure_refuses(number, by, known):
    def build(s):
        if known:
            let_in(s, 0, 385)
            guess(s, 3)
        c = sealed(s, 1000, 88 + 2 * len("contoso-sql1") + 2 * AZURE[number], client="10.1.0.4")
        if by == SERVER:
            c.fin(SERVER, 0.4).fin(CLIENT, 0.4)
        else:
            c.close(0.4)
        return c
    build.__name__ = "azure_%d_%s%s" % (number, "server" if by == SERVER else "client", "_known" if known else "")
    return build


for _number in AZURE:
    for _known in (False, True):
        causes.fact({"outcome": "refused", "outcome_basis": "inferred", "confidence": "medium"})(
            azure_refuses(_number, SERVER, _known))
        causes.fact(UNTOLD)(azure_refuses(_number, CLIENT, _known))


@causes.login("redirected", "the server sent the client on to port 11003 (inferred: the connection ended after one "
              "answer, and 19.500 ms after that the client connected to port 11003, one of those to which Azure's "
              "gateways send)", ["-p", "1433,11003"], also={
                  "outcome": "redirected", "outcome_basis": "inferred", "confidence": "medium", "redirect": None,
                  "phases": {"login_ns": 2000000}})
def azure_gateway(s):
    c = sealed(s, 0, 616).close()
    let_in(s, 27.7, 576, client="10.1.0.1", port=11003, server="10.9.9.9")
    s.idle_until(9000)
    return c


@causes.fact({"outcome": "redirected", "confidence": "medium"}, ["-p", "1433,11003"])
def azure_gateway_that_closes(s):
    c = sealed(s, 0, 616).fin(SERVER, 0.4).fin(CLIENT, 0.4)
    let_in(s, 27.7, 576, client="10.1.0.1", port=11003, server="10.9.9.9")
    return c


@causes.close("closed", "the client closed the connection", ["-p", "1433,11003"], also={"login": "redirected"})
def azure_gateway_closed(s):
    return azure_gateway(s)


@causes.fact({"outcome": "refused", "confidence": "medium"}, ["-p", "1433,11003"])
def refused_then_tried_again_and_elsewhere(s):
    c = sealed(s, 0, 616).fin(SERVER, 0.4).fin(CLIENT, 0.4)
    sealed(s, 20, 616).fin(SERVER, 0.4).fin(CLIENT, 0.4)
    let_in(s, 50, 576, client="10.1.0.1", port=11003, server="10.9.9.9")
    return c


@causes.fact(UNTOLD, ["-p", "1433,11003"])
def another_client_s_connection_is_no_redirect(s):
    c = sealed(s, 0, 616).close()
    let_in(s, 27.7, 576, client="10.1.0.8", port=11003, server="10.9.9.9")
    let_in(s, 6000, 576, client="10.1.0.1", port=11003, server="10.9.9.9")
    s.idle_until(9000)
    return c


@causes.login("null_credentials", "the client sent NTLM credentials without a name: it could not use its own, for lack "
              "of a Kerberos delegation or a logged-in user", also={"auth": {"method": "ntlm", "rounds": 2}})
def null_credentials(s):
    c = begin_clear(s.connection()).client(login7(sspi=NTLM_NEGOTIATE)).server(answer(sspi_token(NTLM_CHALLENGE)))
    c.client(sspi(ntlm_authenticate(user=""))).server(failure(18452)).close()


def many(s, count, number, every=1000.0):
    for at in range(count):
        c = begin_clear(s.connection(at * every)).client(login7()).server(failure(number)).close()
    return c


@causes.login("guessing", "20 logins of this client were refused within a minute: somebody guesses passwords, or a "
              "service goes on with an old one", also={"outcome": "refused", "error": {"number": 18456}})
def password_guessing(s):
    return many(s, 20, 18456)


@causes.login("login_failed", FAILED)
def some_wrong_passwords_are_no_guessing(s):
    return many(s, 19, 18456)


@causes.login("database_unavailable", ERRORS[4060][1])
def a_missing_database_is_no_guessing(s):
    return many(s, 30, 4060)


# ---- redirects ----------------------------------------------------------------------------------

def redirect(s, host="node7.example.test", port=11000):
    c = begin_clear(s.connection()).client(login7()).server(answer(loginack(), routing(host, port), done()))
    return c.close()


@causes.login("redirected", "the server sent the client on to node7.example.test port 11000; the record of this connection's "
              "end says whether it went there", also={
                  "outcome": "redirected", "redirect": {"host": "node7.example.test", "port": 11000}})
def redirected(s):
    redirect(s)


@causes.close("redirect_not_followed", "no connection of this client to port 11000 was seen in the 5 s after the "
              "redirect: it can't resolve or reach the host it was sent to, or its way there does not pass here",
              also={"login": "redirected", "by": "client", "graceful": True})
def redirect_not_followed(s):
    redirect(s)
    s.idle_until(9000)


@causes.close("redirect_not_followed", "no connection of this client to port 11000 was seen in the 5 s after the "
              "redirect: it can't resolve or reach the host it was sent to, or its way there does not pass here",
              also={"how": "rst"})
def redirect_not_followed_reset(s):
    c = begin_clear(s.connection()).client(login7()).server(answer(loginack(), routing("n", 11000), done()))
    c.rst(CLIENT)
    begin_clear(s.connection(2000, port=1433)).client(login7()).server(success()) # it tries again
    s.idle_until(9000)
    return c


@causes.close("redirect_open", "whether the client followed the redirect to port 11000 is not known: this is too soon "
              "after it")
def redirect_at_the_end(s):
    redirect(s)
    s.idle_until(3000)


def follow(s):
    gateway = redirect(s)
    target = begin_clear(s.connection(20, server="10.1.0.7", port=11000)).client(login7()).server(success())
    return gateway, target.close()


@causes.close("redirect_followed", "the client followed the redirect: it connected to port 11000 15.800 ms after the answer")
def redirect_followed(s):
    return follow(s)[0]


@causes.login("ok", "logged in after 4.200 ms, sent here by the server on port 1433 (inferred: it is this "
              "client's next connection to the port that the redirect named)")
def redirect_target(s):
    return follow(s)[1]


@causes.login("ok", "logged in after 4.200 ms")
def another_port_is_not_where_it_was_sent(s):
    redirect(s)
    return begin_clear(s.connection(20)).client(login7()).server(success())
