# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Scenes as cases: what happens, and what must be reported, word by word. A module or a test adds to the list with the
decorators, and run() checks tdsmon against it."""
import fnmatch
import os
import tempfile

import replaylib as lib
import scene

CASES = []
PORTS = [1433, 11000]


class Case:
    def __init__(self, build, kind, verdict, text, options, also):
        self.name, self.build, self.kind = build.__name__, build, kind
        self.verdict, self.text, self.options, self.also = verdict, text, list(options), also or {}


def _case(kind, verdict, text, options, also):
    def add(build):
        CASES.append(Case(build, kind, verdict, text, options, also))
        return build
    return add


def login(verdict, text, options=(), also=None):
    """A case: build(scene) returns the connection whose login record is checked; None: the only one. also: other
    expected keys."""
    return _case("login", verdict, text, options, also)


def close(verdict, text, options=(), also=None):
    """The same for a close record. verdict None: there must be none."""
    return _case("close", verdict, text, options, also)


def fact(also, options=(), kind="login"):
    """Expected keys of a record, whatever its verdict."""
    return _case(kind, "*", None, options, also)


def _record(case, records, meant):
    """The record that a case checks, or None."""
    found = [r for r in records if r["type"] == case.kind]
    if meant is not None:
        found = [r for r in found if [(r[s]["addr"], r[s]["port"]) for s in ("client", "server")] == meant.ends]
    return found[0] if len(found) == 1 else None


def _check(case, build, path):
    s = scene.Scene()
    meant = case.build(s)
    s.write(path)
    options = list(case.options)
    if s.errorlog:
        with open(path + ".errorlog", "wb") as f:
            f.write(s.errorlog.bytes())
        options += ["--errorlog", path + ".errorlog"]
    try:
        records = lib.run(build, path, PORTS, options)
    except lib.ReplayError as err:
        return [str(err)]
    bad = lib.invariants(records, "--show-identities" in case.options)
    record = _record(case, records, meant)
    if record is None:
        return bad + ["no single record of it"]
    verdict = record.get("verdict") or {"name": None, "text": None}
    if case.verdict != "*" and (verdict["name"], verdict["text"]) != (case.verdict, case.text):
        bad.append('%s "%s", want %s "%s"' % (verdict["name"], verdict["text"], case.verdict, case.text))
    return bad + lib.differ(case.also, record)


def run(build, pattern="*"):
    """Run the cases with matching names. True if all pass."""
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if fnmatch.fnmatch(case.name, pattern):
                good = lib.report(case.name, _check(case, build, os.path.join(folder, "scene.pcap"))) and good
    return good
