# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What the server's own log says of connections, and what tdsmon reads of them with keys, or infers without."""
import collections

import replaylib as lib


def place(line):
    return tuple(line["server"]) + (line["client_port"],)


def by_place(records, kind):
    return {(r["server"]["addr"], r["server"]["port"], r["client"]["port"]): r for r in records if r["type"] == kind}


def expected_login(line):
    """The login record that a line of the log asks for, if the keys are known."""
    return {"outcome": line["outcome"], "outcome_basis": "observed", "confidence": "certain",
            "encryption": {"effective": line["encrypt"]}, # Without PRELOGIN, as jTDS does it in a tunnel, nobody asked.
            "mars": line["mars"] or {"any": [False, None]},
            "tls": {"version": line["tls"][len("TLSv"):], "resumed": line["resumed"]},
            "auth": {"method": line["auth"], "basis": "observed"},
            "tds": {"app": line["app"], "host": line["host"], "version_raw": "0x%08x" % line["version"]},
            "error": {"number": line["error"]} if line["error"] else None}


def read_right(records, truth):
    """Sentences on how the records of a run with keys deviate from the server's log."""
    logins, closes, out = by_place(records, "login"), by_place(records, "close"), []
    for line in truth:
        name = "%s %s" % (line["driver"], line["case"])
        login, close = logins.get(place(line)), closes.get(place(line))
        if not login or not close:
            out.append(name + ": no record")
            continue
        out += ["%s: %s" % (name, d) for d in lib.differ(expected_login(line), login)]
        commands = sum(n or 0 for kind, n in close["commands"].items() if kind not in ("attention", "reset_connection"))
        if commands != line["commands"]:
            out.append("%s: %d commands, the server had %d" % (name, commands, line["commands"]))
    out += ["a command is inferred: %s" % lib.describe(r) for r in records
            if r["type"] == "command" and r["basis"] != "observed"]
    if len(logins) != len(truth):
        out.append("%d login records of %d connections" % (len(logins), len(truth)))
    return out


# ---- without keys -------------------------------------------------------------------------------

HIDDEN = ("full", "strict")
COLUMNS = (("high", "right"), ("medium", "right"), ("low", "right"), (None, "unknown"), ("low", "wrong"),
           ("medium", "wrong"), ("high", "wrong"))


def verdict(record, line):
    """(confidence, right | unknown | wrong) of what was inferred about a login; None: it was read."""
    right = record["outcome"] == line["outcome"]
    if right and record["outcome_basis"] == "observed":
        return None
    if record["outcome"] == "incomplete":
        return None, "unknown"
    return record["confidence"], "right" if right else "wrong"


def method_wrong(record, line):
    return record["auth"]["method"] not in ("unknown", line["auth"])


class Calibration:
    """Counts by row (driver, how it was encrypted) and column; wrong: the wrong ones that were stated."""

    def __init__(self):
        self.counts, self.wrong = collections.Counter(), []

    def add(self, records, truth):
        logins = by_place(records, "login")
        for line in truth:
            record = logins.get(place(line))
            name = "%s %s" % (line["driver"], line["case"])
            if not record:
                self.wrong.append(name + ": no record")
                continue
            said = verdict(record, line) if line["encrypt"] in HIDDEN else None
            if not said:
                continue
            self.counts[self.row(line), line["outcome"], said] += 1
            if said[1] == "wrong" and said[0] != "low":
                self.wrong.append("%s: %s, %s; it was %s" % (name, record["outcome"], said[0], line["outcome"]))
            if method_wrong(record, line):
                self.wrong.append("%s: method %s; it was %s" % (name, record["auth"]["method"], line["auth"]))

    @staticmethod
    def row(line):
        return ("tds-load" if line["driver"] == "load" else line["driver"],
                "TDS 8" if line["encrypt"] == "strict" else "full", line["tls"][len("TLSv"):],
                "Go's" if line["tunnel"] else "its own")

    def table(self):
        """Markdown."""
        head = ("driver", "encryption", "TLS", "whose TLS", "logins", "right: high", "medium", "low", "unknown",
                "wrong: low", "medium", "high")
        out = ["| %s |" % " | ".join(head), "|" + "---|" * len(head)]
        rows = sorted({row for row, _, _ in self.counts})
        for row in rows + [("all", "", "", "")]:
            of = [sum(n for (r, _, said), n in self.counts.items() if row[0] in (r[0], "all") and
                      (row[0] == "all" or r == row) and said == column) for column in COLUMNS]
            out.append("| %s |" % " | ".join(list(row) + [str(n) for n in [sum(of)] + of]))
        return "\n".join(out) + "\n"

    def outcomes(self):
        """Markdown: the same by what happened."""
        out = ["| outcome | logins | right | unknown | wrong |", "|---|---|---|---|---|"]
        for outcome in sorted({o for _, o, _ in self.counts}):
            of = [sum(n for (_, o, said), n in self.counts.items() if o == outcome and said[1] == word)
                  for word in ("right", "unknown", "wrong")]
            out.append("| %s | %s |" % (outcome, " | ".join(str(n) for n in [sum(of)] + of)))
        return "\n".join(out) + "\n"
