# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Files of saved packets (--save): what each of them has to be, wherever the packets came from."""
import os
import re
import stat
import subprocess

import replaylib as lib

NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f._]+-[0-9a-f._]+-[a-z0-9_]+(-\d+)?\.pcapng$")
SAME = ("outcome", "outcome_basis", "confidence", "error", "phases", "steps", "total_ns", "auth", "encryption", "tds",
        "tls", "mid_stream", "redirect", "mars", "tcp", "proxied_from")
# The verdict rests on other connections, too: the client's attempts elsewhere, other logins of the server.
OTHERS = {"guessing", "listen_queue_full", "dead_address", "dead_address_first", "server_stalled", "port_scan"}


def wanted(logins):
    """Those that are saved."""
    return [r for r in logins if r["verdict"] and r["verdict"]["class"] in ("failed", "slow")]


def is_proper(path):
    """Sentences on its name, mode and owner."""
    name, status = os.path.basename(path), os.stat(path)
    bad = [] if NAME.match(name) else ["%s is no such name" % name]
    bad += [] if stat.S_IMODE(status.st_mode) == 0o600 else ["%s has mode %o" % (name, status.st_mode)]
    return bad + ([] if status.st_uid == os.geteuid() else ["%s is user %d's" % (name, status.st_uid)])


def reads_back(build, path, logins, options, same=SAME):
    """Sentences on how `tdsmon -r` of it differs from the record of the login among `logins`."""
    records = [r for r in lib.run(build, path, options=options) if r["type"] == "login"]
    name = os.path.basename(path)
    if len(records) != 1:
        return ["%s: %d logins" % (name, len(records))]
    got = records[0]
    wants = [r for r in logins if lib.connection(r) == lib.connection(got) and r["time"] == got["time"]]
    if len(wants) != 1:
        return ["%s: of no login" % name]
    want, bad = wants[0], []
    bad += ["%s: %s is %r, not %r" % (name, k, got[k], want[k]) for k in same if k in want and got[k] != want[k]]
    if want["verdict"]["name"] not in OTHERS and got["verdict"] != want["verdict"]:
        bad.append("%s: the verdict is %r, not %r" % (name, got["verdict"], want["verdict"]))
    return bad


def tool(*command):
    """What it says, and sentences on what is wrong: it complains or fails."""
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    words = [l for l in run.stderr.splitlines() if "Running as user" not in l]
    return run.stdout, ["%s: %s" % (command[0], " ".join(words) or run.returncode)] if words or run.returncode else []


def forms(text):
    """As it may stand in a file: UTF-8, UTF-16, and LOGIN7's form of a password."""
    raw = text.encode("utf-16-le")
    return {"UTF-8": text.encode(), "UTF-16": raw,
            "LOGIN7": bytes(((b << 4 | b >> 4) & 0xff) ^ 0xa5 for b in raw)}
