# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins under TLS whose keys are written down, and what the server's own log says of each: for keylog.test.

Each login has a server of its own, at an address that tdsmon has not seen, so that nothing is known from others. A driver
without TDS 8 gets it by a tunnel (tests/peers/go_tunnel.go): TLS is Go's then, and what is inside is the driver's.
"""
import json
import os
import subprocess

import netlib as net
import clients
from server import Server

USER, PASSWORD, DOMAIN = "probe", "Sesame-1", "TDSTEST"
PORT, ROUTED_PORT, TUNNEL_PORT = 1433, 11003, 24331
SIDE, HOST = "10.79.0.1", "10.79.%d.%d"
LOG_S = 10
LOADS = 3  # logins of tds-load, of which all but the first resume
RETRIES = 4  # tedious connects so often in all, if an error is one of these
TRANSIENT = ("40613,", "10929,")
TUNNELLED = ("tsql", "pytds", "go", "jtds")
FULL, LOGIN, STRICT = {"encrypt": "full"}, {"encrypt": "login"}, {"encrypt": "strict"}
TUNNEL = {"encrypt": "strict", "tunnel": True}
WRONG = {"password": "wrong"}

# In the words of Azure SQL.
AZURE = {
    40615: "Cannot open server 'contoso-sql1' requested by the login. Client with IP address '203.0.113.7' is "
           "not allowed to access the server.  To enable access, use the Azure Management Portal or run "
           "sp_set_firewall_rule on the master database to create a firewall rule for this IP address or address "
           "range.  It may take up to five minutes for this change to take effect.",
    40613: "Database 'orders' on server 'contoso-sql1' is not currently available.  Please retry the connection "
           "later.  If the problem persists, contact customer support, and provide them the session tracing ID of "
           "'3F2504E0-4F89-41D3-9A0C-0305E82C3301'.",
    10929: "Resource ID: 1. The request minimum guarantee is 0, maximum limit is 60 and the current usage for the "
           "database is 60. However, the server is currently too busy to support requests greater than 0 for this "
           "database. See http://go.microsoft.com/fwlink/?LinkId=267637 for assistance. Otherwise, please try "
           "again later.",
    47073: "An instance-specific error occurred while establishing a connection to SQL Server. The public network "
           "interface on this server is not accessible. To connect to this server, use the Private Endpoint from "
           "inside your virtual network.",
}


def refusing(number, text):
    return ("--error", "%d,1,17,%s" % (number, text))


# case, the server's options, what clients.command() takes (and password, tunnel), who logs in: nobody named is everybody
# who can
LIVE = (
    ("login", ("--delay", "login=200"), LOGIN, ()),
    ("full", (), FULL, ()),
    # The other drivers send the end of a TLS 1.3 handshake too late, or do not offer TLS 1.3 in PRELOGIN packets.
    ("full, TLS 1.3", ("--tls-max", "1.3"), FULL, ("jtds",)),
    ("full, retry", ("--tls-max", "1.3", "--groups", "P-384"), FULL, ("jtds",)),
    ("full, key update", ("--tls-max", "1.3", "--rekey"), FULL, ("jtds",)),
    ("full, renegotiated", ("--rekey",), FULL, ("load",)),
    ("full, resumed", (), FULL, ("load",)),
    ("wrong", (), {**FULL, **WRONG}, ()),
    ("ntlm", ("--ntlm",), {**FULL, "auth": "ntlm"}, ()),
    ("token", ("--fedauth",), {**FULL, "auth": "token"}, ()),
    ("msal", ("--fedauth",), {**FULL, "auth": "msal"}, ()),
    ("mars", ("--mars",), {**FULL, "mars": True}, ()),
    ("strict", ("--encrypt", "strict"), STRICT, ()),
    ("strict, TLS 1.2", ("--encrypt", "strict", "--tls-max", "1.2"), STRICT, ()),
    ("strict, wrong", ("--encrypt", "strict"), {**STRICT, **WRONG}, ()),
    ("strict, retry", ("--encrypt", "strict", "--groups", "P-384"), STRICT, ()),
    ("strict, key update", ("--encrypt", "strict", "--rekey"), STRICT, ()),
    ("strict, resumed", ("--encrypt", "strict"), STRICT, ("load",)),
    ("tunnel", ("--encrypt", "strict"), TUNNEL, TUNNELLED),
    ("tunnel, retry", ("--encrypt", "strict", "--groups", "P-384"), TUNNEL, ("tsql",)),
    ("tunnel, key update", ("--encrypt", "strict", "--rekey"), TUNNEL, ("go",)),
)
# These only in the captures of tests/captures/keyed.
RECORDED = LIVE + (
    # Of the drivers, only tedious takes a renegotiation that the server asks for. Node writes the new key when it was
    # used already: live that is too late.
    ("full, renegotiated", ("--rekey",), FULL, ("tedious",)),
    ("wrong, login-only", ("--delay", "login=200"), {**LOGIN, **WRONG}, ()),
    ("full, ECDSA", ("--ecdsa",), FULL, ()),
    ("tunnel, TLS 1.2", ("--encrypt", "strict", "--tls-max", "1.2"), TUNNEL, TUNNELLED),
    ("tunnel, wrong", ("--encrypt", "strict"), {**TUNNEL, **WRONG}, TUNNELLED),
    ("ntlm, wrong", ("--ntlm",), {**FULL, "auth": "ntlm", **WRONG}, ()),
    ("strict, ntlm", ("--encrypt", "strict", "--ntlm"), {**STRICT, "auth": "ntlm"}, ()),
    ("strict, token", ("--encrypt", "strict", "--fedauth"), {**STRICT, "auth": "token"}, ()),
    ("strict, msal", ("--encrypt", "strict", "--fedauth"), {**STRICT, "auth": "msal"}, ()),
    ("database", ("--database", "stock"), {**FULL, "database": "nowhere"}, ("pytds", "go", "tedious")),
    ("redirected", ("--redirect", "%s:%d"), FULL, ("go", "tedious")),
) + tuple(
    ("%s%d, %d characters" % (name, number, len(text)), options + refusing(number, text), settings, who)
    for number, text in list(AZURE.items()) + [(50000, "x" * n) for n in (1, 160, 400, 1000, 2000)]
    for name, options, settings, who in (("", (), FULL, ()), ("strict, ", ("--encrypt", "strict"), STRICT, ()),
                                         ("tunnel, ", ("--encrypt", "strict"), TUNNEL, TUNNELLED)))


def can(client, settings):
    return (settings["encrypt"] in client.encrypt and settings.get("auth", "sql") in client.auth and
            (not settings.get("mars") or client.mars))


def plan(usable, cases, name):
    """The cases of one driver, or of tds-load: (case, the server's options, settings)."""
    return [(case, options, settings) for case, options, settings, who in cases
            if (name in who if who else name != "load" and can(usable[name], settings))]


class Rig:
    """Two namespaces, a server for each login, the keys and the truth. The truth is a list of the server's log lines,
    each with the case, the driver and the server's address."""

    def __init__(self, build, usable, folder):
        self.build, self.usable, self.truth = os.path.abspath(build), usable, []
        self.keys, self.cert, self.log = (os.path.join(folder, n) for n in ("keys", "cert", "log"))
        self.hosts = 0
        with open(self.keys, "w", encoding="ascii"):
            pass
        net.namespace("server")
        net.namespace("client")
        net.veth(("server", "srv", None), ("client", "cli", SIDE + "/16"))

    def host(self):
        self.hosts += 1
        host = HOST % (1 + self.hosts // 250, self.hosts % 250)
        net.run(["ip", "address", "add", host + "/16", "dev", "srv"], "server")
        return host

    def serve(self, host, options, port=PORT):
        return Server(self.build, "--user", USER, "--password", PASSWORD, "--cert-out", self.cert, *options,
                      listen="%s:%d" % (host, port), prefix=net.inside("server", []))

    def log_in(self, name, case, options, settings):
        """Why the client ended otherwise than its password says, or None; refusals by options are the server's."""
        settings, host = dict(settings), self.host()
        if os.path.exists(self.log):
            os.remove(self.log)
        if "--redirect" in options:
            target, before = self.host(), len(self.truth)
            with self.serve(target, (*self.logging(name), "--log", self.log), ROUTED_PORT):
                options = [o.replace("%s:%d", "%s:%d" % (target, ROUTED_PORT)) for o in options]
                why = self.attempt(name, case, options, settings, host, 2)
            for line in self.truth[before:]:
                line["server"] = [host, PORT] if line["outcome"] == "redirected" else [target, ROUTED_PORT]
            return why
        return self.attempt(name, case, options, settings, host, self.connections(name, options))

    @staticmethod
    def connections(name, options):
        if name == "tedious" and any(o.startswith(TRANSIENT) for o in options):
            return RETRIES
        return LOADS if name == "load" else 1

    def logging(self, name):
        """Options of a server that writes the keys of clients that cannot."""
        return () if name != "load" and self.usable[name].keylog else ("--keylog", self.keys)

    def attempt(self, name, case, options, settings, host, connections):
        password = settings.pop("password", PASSWORD)
        wanted = password == PASSWORD and "--error" not in options and "--database" not in options
        tunnel = settings.pop("tunnel", False)
        writer = () if tunnel else self.logging(name)
        with self.serve(host, (*options, *writer, "--log", self.log)):
            argv, env = self.command(name, host, password, tunnel, settings)
            carrier = self.tunnel(host, 1) if tunnel else None
            done = net.run(argv, "client", check=False, env=env)
            lines = net.wait_for(lambda: self.lines(connections), LOG_S) or self.lines(0)
            if carrier:
                net.end(carrier)
        for line in lines:
            line.update(case=case, driver=name, server=[host, PORT], tunnel=tunnel, encrypt=settings["encrypt"],
                        mars=bool(settings.get("mars")))
        self.truth += lines
        if len(lines) != connections:
            return "%s %s: the server logged %d connections" % (name, case, len(lines))
        if (done.returncode == 0) != wanted:
            return "%s %s: exit status %d: %s" % (name, case, done.returncode, done.stdout[-200:])
        return None

    def command(self, name, host, password, tunnel, settings):
        if name == "load":
            return [os.path.join(self.build, "tests/tds-load"), "--resume", "--count", str(LOADS), "--batches", "1",
                    "--encrypt", settings["encrypt"], "--user", USER, "--password", password, host,
                    str(PORT)], os.environ
        user = DOMAIN + "\\" + USER if settings.get("auth") == "ntlm" else USER
        if tunnel:
            return clients.command(self.build, name, "127.0.0.1", TUNNEL_PORT, user, password, encrypt="none")
        return clients.command(self.build, name, host, PORT, user, password, cafile=self.cert, keylog=self.keys,
                               **settings)

    def resumed_by_go(self):
        """Two logins by a tunnel that resumes its TLS 1.2 session. Returns the server's address."""
        host = self.host()
        with self.serve(host, ("--encrypt", "strict", "--tls-max", "1.2")):
            carrier = self.tunnel(host, 2)
            for _ in range(2):
                argv, env = self.command("pytds", host, PASSWORD, True, {})
                net.run(argv, "client", env=env)
            net.end(carrier)
        return host

    def tunnel(self, host, count):
        process = net.start([os.path.join(self.build, "peers", "go_tunnel"), "127.0.0.1:%d" % TUNNEL_PORT,
                             "%s:%d" % (host, PORT), str(count)], "client", stdout=subprocess.PIPE,
                            env=dict(os.environ, SSLKEYLOGFILE=self.keys))
        process.stdout.readline()
        return process

    def lines(self, least):
        """What the server has logged, if there is that much."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as f:
            found = [json.loads(line) for line in f]
        return found if len(found) >= least else []
