# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Running a compiler or an analyser over the source files, for the suites of tests/static."""
import glob
import os
import shutil
import subprocess

import suite

# As the Makefile compiles user/.
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", '-DTDSMON_VERSION="0"', "-Iinclude", "-Iuser"]
TIME_LIMIT_S = 300


def tool(name):
    """Its path, or the case is skipped."""
    path = shutil.which(name)
    if not path:
        raise suite.Skip("%s is not installed" % name)
    return path


def rooms():
    """{room: its C files}: the folders of user/ and user/ itself."""
    found = {}
    for path in sorted(glob.glob("user/**/*.c", recursive=True)):
        found.setdefault(os.path.dirname(path), []).append(path)
    return found


def output(argv):
    """(exit status, what it prints), both streams as one text."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIME_LIMIT_S, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def findings(argv, known=()):
    """Run a tool: the lines with a warning or an error that `known` does not name, and that it failed.

    known: (file, part of the message, why it is no fault)."""
    status, text = output(argv)
    lines = [line for line in text.splitlines() if "warning:" in line or "error:" in line]
    out = [line for line in lines if not any(f in line and part in line for f, part, _ in known)]
    if status and not lines:
        out.append("exit status %d: %s" % (status, text.strip()[-300:]))
    return out
