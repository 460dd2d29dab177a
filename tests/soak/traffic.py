#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The soak's clients: tests/soak/traffic.py BUILD HOST SECONDS, in the clients' namespace.

Load of every encryption, failing logins, bulk results, real clients and connections that are not clients', all at once
for that long. At the end one JSON object on standard output: "expected", how often each connection must be reported, as
"PORT OUTCOME", and "wrong", sentences on clients that did not behave as expected.
"""
import collections
import json
import os
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
import clients  # noqa: E402

USER, PASSWORD = "load", "Sesame-1"
PLAIN, SEALED, STRICT, SILENT, BULK, CLOSED = range(1433, 1439)
SLICE_S = 20  # of a load generator's run, so that its counts come in the meantime
END_S = 60
REAL_EVERY_S, ROUGH_EVERY_S = 2.0, 1.0
NAMES = ("tsql", "pytds", "pymssql")

# port, options of tds-load
LOADS = (
    (PLAIN, "--rate 60 --concurrency 20 --batches 2 --bad-password-every 7 --ntlm-every 9"),
    (PLAIN, "--rate 20 --concurrency 20 --batches 1 --close rst --kerberos-every 3"),
    (PLAIN, "--rate 10 --concurrency 10 --batches 2 --encrypt login --bad-password-every 11"),
    (SEALED, "--rate 5 --concurrency 10 --batches 2 --encrypt full"),
    (SEALED, "--rate 5 --concurrency 10 --batches 2 --encrypt full --resume"),
    (STRICT, "--rate 5 --concurrency 10 --batches 2 --encrypt strict"),
    (BULK, "--rate 1 --concurrency 2 --batches 2 --rows 10000 --width 200"),
)
# The logins of real clients: port, settings of clients.command(), the outcome
REAL = (
    (PLAIN, {"encrypt": "none"}, "ok"),
    (PLAIN, {"encrypt": "login"}, "ok"),
    (SEALED, {"encrypt": "full"}, "ok"),
    (PLAIN, {"encrypt": "none", "password": "wrong"}, "refused"),
    (PLAIN, {"encrypt": "login", "password": "wrong"}, "refused"),
    (PLAIN, {"encrypt": "none", "database": "nowhere"}, "refused"),
)


class Counts:
    """The counts of all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.expected = collections.Counter()
        self.wrong = []

    def add(self, port, outcome, number=1):
        with self.lock:
            self.expected["%d %s" % (port, outcome)] += number

    def fail(self, text):
        with self.lock:
            self.wrong.append(text)


def load(build, host, until, counts, port, options):
    program = os.path.join(build, "tests", "tds-load")
    while time.monotonic() < until:
        seconds = max(1, min(SLICE_S, round(until - time.monotonic())))
        done = subprocess.run(
            [program, "--user", USER, "--password", PASSWORD, "--database", "stock",
             "--seconds", str(seconds)] + options.split() + [host, str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=seconds + END_S)
        words = done.stdout.split()
        if done.returncode or words[:1] != ["logins"]:
            counts.fail("tds-load %s: %s" % (options, done.stdout.strip()))
            return
        got = dict(zip(words[::2], words[1::2]))
        counts.add(port, "ok", int(got["logins"]))
        counts.add(port, "refused", int(got["refused"]))


def real(build, host, until, counts, cafile):
    """One after another: each client with each setting."""
    todo = [(name, job) for job in REAL for name in NAMES
            if job[1]["encrypt"] in clients.CLIENTS[name].encrypt]
    number = 0
    while time.monotonic() < until:
        name, (port, settings, outcome) = todo[number % len(todo)]
        settings = {"password": PASSWORD, "database": "stock", **settings}
        argv, env = clients.command(build, name, host, port, USER, settings.pop("password"),
                                    cafile=cafile[port], **settings)
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=END_S)
        if (done.returncode == 0) != (outcome == "ok"):
            counts.fail("%s %s on port %d: exit status %d: %s" % (
                name, settings, port, done.returncode, done.stdout.strip()[-200:]))
        counts.add(port, outcome)
        number += 1
        time.sleep(REAL_EVERY_S)


def talk(host, port, said, wait_s=0.0):
    """Connect, send that, and leave when the server does or after that time."""
    with socket.create_connection((host, port), END_S) as s:
        if said:
            s.sendall(said)
        if wait_s:
            s.settimeout(wait_s)
            try:
                s.recv(4096)
            except socket.timeout:
                pass


# MS-TDS 2.2.6.5: VERSION and ENCRYPTION (not supported)
PRELOGIN = bytes.fromhex("1201001a00000000" "00000b0006" "0100110001" "ff" "000000000000" "02")


def rough(host, until, counts):
    """Connections that are not logins."""
    jobs = (
        ("probe", lambda: talk(host, PLAIN, b""), PLAIN),
        ("not_tds", lambda: talk(host, PLAIN, b"GET / HTTP/1.1\r\n\r\n", 5), PLAIN),
        ("timed_out", lambda: talk(host, SILENT, PRELOGIN, 1.5), SILENT),
        ("rejected", lambda: talk(host, CLOSED, b""), CLOSED),
    )
    number = 0
    while time.monotonic() < until:
        outcome, job, port = jobs[number % len(jobs)]
        try:
            job()
        except ConnectionRefusedError:
            if outcome != "rejected":
                counts.fail("port %d is closed" % port)
        except OSError as error:
            counts.fail("%s on port %d: %s" % (outcome, port, error))
        counts.add(port, outcome)
        number += 1
        time.sleep(ROUGH_EVERY_S)


def main():
    build, host, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    cafile = {PLAIN: os.path.join(build, "plain.pem"), SEALED: os.path.join(build, "sealed.pem")}
    until, counts = time.monotonic() + seconds, Counts()
    threads = [threading.Thread(target=load, args=(build, host, until, counts) + row)
               for row in LOADS]
    threads.append(threading.Thread(target=real, args=(build, host, until, counts, cafile)))
    threads.append(threading.Thread(target=rough, args=(host, until, counts)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    json.dump({"expected": counts.expected, "wrong": counts.wrong}, sys.stdout)


if __name__ == "__main__":
    main()
