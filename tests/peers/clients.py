# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The real clients and how to run them.

Each runner takes HOST PORT USER PASSWORD ENCRYPT and exits 0 if and only if it logged in and its
query was answered. ENCRYPT is default (what the client does by itself), none, login, full or strict.
The environment may hold AUTH, MARS=1, QUERY, DATABASE, LOGIN_TIMEOUT (seconds), INSTANCE (whose
port SQL Server Browser tells; PORT is of no use then) and CAFILE (the certificate to trust;
python-tds and strict need it) and SSLKEYLOGFILE. AUTH is sql, ntlm (the user is then
DOMAIN\\user), token (a federated login whose token is in the LOGIN7) or msal (one whose token is
sent when the server asks for it); the token is made of the password.
"""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's, where Debian's modules are
JTDS = "/usr/share/java/jtds.jar"
GOPATH = "/usr/share/gocode"
NPM_PAUSES_S = (2, 10, 30) # between attempts
GO_DRIVER = GOPATH + "/src/github.com/denisenkom/go-mssqldb"


class Client:
    """What a client can do, what it needs, and its command line."""

    def __init__(self, name, encrypt, auth=("sql",), mars=False, keylog=True):
        self.name, self.encrypt, self.auth, self.mars, self.keylog = name, encrypt, auth, mars, keylog

    def missing(self):
        """Why it cannot run here, or None."""
        raise NotImplementedError

    def build(self, out):
        """What is to be made once, in the directory out."""

    def argv(self, out):
        raise NotImplementedError

    def environment(self, _out):
        return {}


def no_program(name):
    return None if shutil.which(name) else "no program " + name


def no_file(path):
    return None if os.path.exists(path) else "no " + path


def here(name):
    return os.path.join(HERE, name)


def npm_dir(out):
    """Of the build directory, as a download that is worth keeping."""
    return os.path.join(os.path.dirname(out), "npm")


def build_once(target, source, argv, **options):
    """Runs argv, which makes target of source, unless target is there and newer."""
    if os.path.exists(target) and os.path.getmtime(target) >= os.path.getmtime(source):
        return
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode or not os.path.exists(target):
        raise RuntimeError("%s failed: %s" % (argv[0], done.stdout[-500:]))
    os.utime(target)


def npm_packages(lists, out, proof, *options):
    """Installs into out what package-lock.json in lists names, unless out/node_modules/proof is there and newer. A name
    server may drop some of many questions at the same time: few connections, and more than one attempt."""
    os.makedirs(out, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(lists, name), out)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--maxsockets", "4", *options]
    for pause_s in (*NPM_PAUSES_S, None):
        try:
            return build_once(os.path.join(out, "node_modules", proof, "package.json"),
                              os.path.join(lists, "package-lock.json"), argv, cwd=out)
        except RuntimeError:
            if pause_s is None:
                raise
            time.sleep(pause_s)


class Tsql(Client):
    def missing(self):
        return no_program("tsql")

    def argv(self, _out):
        return ["sh", here("tsql.sh")]


class Python(Client):
    def missing(self):
        check = subprocess.run([PYTHON, "-c", "import " + self.name], check=False,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return "no python module " + self.name if check.returncode else None

    def argv(self, _out):
        return [PYTHON, here(self.name + "_login.py")]


class Jtds(Client):
    def missing(self):
        return no_program("javac") or no_file(JTDS)

    def build(self, out):
        build_once(os.path.join(out, "JtdsLogin.class"), here("JtdsLogin.java"),
                   ["javac", "-d", out, here("JtdsLogin.java")])

    def argv(self, out):
        # A starting JVM looks for entropy and compiles; neither is wanted of a login.
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", JTDS + ":" + out, "JtdsLogin"]


class Go(Client):
    def missing(self):
        return no_program("go") or no_file(GO_DRIVER)

    def build(self, out):
        env = dict(os.environ, GO111MODULE="off", GOPATH=GOPATH, GOFLAGS="",
                   GOCACHE=os.path.join(out, "go-cache"))
        overlay, made = self.overlay(out), os.path.join(out, "go_login")
        build_once(made, overlay, ["go", "build", "-overlay", overlay, "-o", made, here("go_login.go")], env=env)
        made = os.path.join(out, "go_tunnel")
        build_once(made, here("go_tunnel.go"), ["go", "build", "-o", made, here("go_tunnel.go")], env=env)

    @staticmethod
    def overlay(out):
        """The driver has no hook for a key log: it gets one source file more, and one line that calls it."""
        source, added = os.path.join(GO_DRIVER, "tds.go"), here("go_keylog.go")
        patched, overlay = os.path.join(out, "tds.go.patched"), os.path.join(out, "overlay.json")
        if os.path.exists(overlay) and os.path.getmtime(overlay) > os.path.getmtime(added):
            return overlay
        with open(source, encoding="utf-8") as f:
            text = f.read()
        if text.count("tls.Client(toconn, &config)") != 1:
            raise RuntimeError("another go-mssqldb: its tds.go calls tls.Client() in another way")
        with open(patched, "w", encoding="utf-8") as f:
            f.write(text.replace("tls.Client(toconn, &config)", "tls.Client(toconn, withKeyLog(&config))"))
        with open(overlay, "w", encoding="utf-8") as f:
            json.dump({"Replace": {source: patched, os.path.join(GO_DRIVER, "keylog.go"): added}}, f)
        return overlay

    def argv(self, out):
        return [os.path.join(out, "go_login")]


class Tedious(Client):
    def missing(self):
        return no_program("node") or no_program("npm")

    def build(self, out):
        npm_packages(HERE, npm_dir(out), "tedious")

    def argv(self, _out):
        return ["node", here("tedious_login.js")]

    def environment(self, out):
        return {"NODE_PATH": os.path.join(npm_dir(out), "node_modules"), "NODE_NO_WARNINGS": "1"}


CLIENTS = {c.name: c for c in (
    Tsql("tsql", ("none", "login", "full"), ("sql", "ntlm")),
    Python("pytds", ("none", "login", "full"), mars=True),
    Python("pymssql", ("none", "login", "full"), ("sql", "ntlm")),
    Jtds("jtds", ("none", "login", "full"), ("sql", "ntlm"), keylog=False),
    Go("go", ("none", "login", "full"), ("sql", "ntlm")),
    Tedious("tedious", ("none", "full", "strict"), ("sql", "ntlm", "token", "msal")),
)}


def available(build):
    """Readies all clients below build; returns two dicts by name: usable Clients, and reasons."""
    out = os.path.join(os.path.abspath(build), "peers")
    os.makedirs(out, exist_ok=True)
    usable, missing = {}, {}
    with open(os.path.join(out, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another suite may be about it
        ready(out, usable, missing)
    return usable, missing


def ready(out, usable, missing):
    for name, client in CLIENTS.items():
        reason = client.missing()
        if not reason:
            try:
                client.build(out)
            except (RuntimeError, OSError) as e:
                reason = str(e)
        if reason:
            missing[name] = reason
        else:
            usable[name] = client


def command(build, name, host, port, user, password, encrypt="default", auth="sql", mars=False,
            cafile=None, query=None, database=None, timeout=None, instance=None, keylog=None):
    """The argv and the environment of one login."""
    out = os.path.join(os.path.abspath(build), "peers")
    client = CLIENTS[name]
    env = dict(os.environ, **client.environment(out))
    settings = {"AUTH": auth if auth != "sql" else None, "MARS": "1" if mars else None,
                "CAFILE": cafile, "INSTANCE": instance, "QUERY": query, "DATABASE": database,
                "LOGIN_TIMEOUT": str(timeout) if timeout else None,
                # FreeTDS through GnuTLS, python-tds by its runner, go-mssqldb by go_keylog.go; tedious.
                "SSLKEYLOGFILE": keylog, "NODE_OPTIONS": "--tls-keylog=" + keylog if keylog else None}
    env.update({k: v for k, v in settings.items() if v})
    return client.argv(out) + [host, str(port), user, password, encrypt], env


if __name__ == "__main__":
    # clients.py BUILD: readies the clients and tells which can be used.
    READY, LACKING = available(sys.argv[1])
    for each in READY:
        print(each)
    for each, why in LACKING.items():
        print("missing: %s: %s" % (each, why), file=sys.stderr)
    sys.exit(bool(LACKING))
