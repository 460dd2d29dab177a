# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""tshark's reading of a capture with keys, beside tdsmon's and the server's own log: both TLS and TDS are tshark's."""
import collections
import os
import sys

import keyed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import tls_plain  # noqa: E402

FIELDS = ("ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tds.type", "tds.status.eom", "tds.length",
          "tds.7login.appname", "tds.7login.clientname", "tds.7login.version", "tds.error.number")
LOGIN_TYPES, COMMAND_TYPES = (0x10, 0x11, 0x08), (0x01, 0x03, 0x07, 0x0e)  # MS-TDS 2.2.3.1.1
HEADER = 8


class Reading:
    """A connection as tshark reads it."""

    def __init__(self):
        self.app = self.host = self.version = None
        self.errors, self.requests, self.responses = [], [], []
        self.answer = 0  # bytes of the tokens that ended the login
        self.open = False  # a request goes on

    def client(self, kind, length, end):
        if kind in LOGIN_TYPES:
            self.answer = 0
        elif kind in COMMAND_TYPES:
            if not self.open:
                self.requests.append(0)
                self.responses.append(0)
            self.requests[-1] += length
            self.open = not end

    def server(self, length):
        if self.responses:
            self.responses[-1] += length
        else:
            self.answer += length - HEADER


def readings(capture, keys, folder):
    """{(server's address, port, client's port): Reading}"""
    plain, clear = os.path.join(folder, "plain.pcap"), os.path.join(folder, "clear.pcap")
    ends = tls_plain.clear(capture, plain, keys, clear)
    servers, found = {e[1] for e in ends}, {}
    text = tls_plain.tshark(clear, None, {port for _, port in servers}, "-T", "fields", "-E", "aggregator=|",
                            *(a for f in FIELDS for a in ("-e", f)), "-Y", "tds")
    for line in text.splitlines():
        src, sport, dst, dport, types, ends_, lengths, app, host, version, error = line.split("\t")
        from_client = (dst, int(dport)) in servers
        place = (dst, int(dport), int(sport)) if from_client else (src, int(sport), int(dport))
        r = found.setdefault(place, Reading())
        for kind, end, length in zip(types.split("|"), ends_.split("|"), lengths.split("|")):
            if from_client:
                r.client(int(kind), int(length), end == "1")
            else:
                r.server(int(length))
        r.app, r.host, r.version = r.app or app, r.host or host, r.version or version
        r.errors += [int(e) for e in error.split("|") if e]
    return found


def unlogged(records, name):
    """Lines in place of a server's log that does not exist: tdsmon's own word."""
    commands = collections.Counter(r["id"] for r in records if r["type"] == "command")
    return [{"driver": name, "case": r["server"]["port"], "client_port": r["client"]["port"],
             "server": [r["server"]["addr"], r["server"]["port"]], "app": r["tds"]["app"], "host": r["tds"]["host"],
             "error": r["error"]["number"] if r["error"] else 0, "commands": commands[r["id"]], "mars": False}
            for r in records if r["type"] == "login"]


def disagreements(capture, keys, folder, truth, records):
    """Sentences on what tshark reads otherwise than the server's log says, or than tdsmon does."""
    found, out = readings(capture, keys, folder), []
    logins, closes = keyed.by_place(records, "login"), keyed.by_place(records, "close")
    for line in truth:
        place, name = keyed.place(line), "%s %s" % (line["driver"], line["case"])
        r, login, close = found.get(place), logins.get(place), closes.get(place)
        if not r or not login or not close:
            out.append("%s: read by %s" % (name, "nobody" if not r and not login else "one of two"))
            continue
        commands = [c for c in records if c["type"] == "command" and c["id"] == login["id"] and c["kind"] != "attention"]
        three = [("app", r.app, login["tds"]["app"], line["app"]), ("host", r.host, login["tds"]["host"], line["host"]),
                 ("error", (r.errors + [0])[0], (login["error"] or {"number": 0})["number"], line["error"]),
                 ("answer", r.answer, r.answer, line.get("answer", r.answer))]
        if not line["mars"]:  # tshark 4.0 does not look into SMP here
            three += [("commands", len(r.requests), len(commands), line["commands"]),
                      ("requests", r.requests, [c["request_bytes"] for c in commands], r.requests),
                      ("responses", r.responses, [c["response_bytes"] for c in commands], r.responses)]
        out += ["%s: %s: tshark %s, tdsmon %s, server %s" % (name, what, a, b, c) for what, a, b, c in three
                if not a == b == c]
    return out
