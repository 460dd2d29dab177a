# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The command line and the report of a test suite in Python.

  SUITE [BUILD [CASE]]   run every case, or those whose name is CASE or matches it as a shell pattern
  SUITE --list           print the name of each case, run none

A suite reports each case on a line: "ok - NAME", "not ok - NAME: why" or "skip - NAME: why".
"""
import fnmatch
import os
import sys


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Suite:
    """names: of all cases, in the order in which they run."""

    def __init__(self, names, argv=None):
        argv = sys.argv[1:] if argv is None else argv
        self.names, self.failed = list(names), 0
        if argv[:1] == ["--list"]:
            print("".join(name + "\n" for name in self.names), end="")
            sys.exit(0)
        self.build = argv[0] if argv else "build"
        self.pattern = argv[1] if len(argv) > 1 else "*"
        if self.names and not any(map(self.wants, self.names)):
            sys.exit("no case %r; --list prints their names" % self.pattern)

    def wants(self, name):
        """Whether the command line asks for this case."""
        return name == self.pattern or fnmatch.fnmatchcase(name, self.pattern)

    def report(self, name, why=None):
        """why: a sentence or a list of them, empty if the case holds. Returns whether it holds."""
        if not self.wants(name):
            return True
        if isinstance(why, (list, tuple)):
            why = "; ".join(w for w in why if w)
        print("not ok - %s: %s" % (name, why) if why else "ok - " + name, flush=True)
        self.failed += bool(why)
        return not why

    def skip(self, name, why):
        if self.wants(name):
            print("skip - %s: %s" % (name, why), flush=True)

    def status(self):
        """The exit status."""
        return 1 if self.failed else 0


def run(cases, argv=None):
    """Run a suite of functions and end the process. cases: (name, function) pairs; a function gets the
    build directory, and returns why the case fails or raises. Skip is not a failure."""
    cases = list(cases)
    suite = Suite([name for name, _ in cases], argv)
    for name, function in cases:
        if not suite.wants(name):
            continue
        try:
            suite.report(name, function(suite.build))
        except Skip as why:
            suite.skip(name, why)
        except Exception as error:  # whatever a case raises, the next one runs
            suite.report(name, "%s: %s" % (type(error).__name__, " ".join(str(error).split())[:600]))
    sys.exit(suite.status())


def top():
    """The source tree's top directory."""
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
