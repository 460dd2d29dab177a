# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Shared by the replay tests: run tdsmon, read its records, check them against the record contract.

A record is the dict of one JSON line. Expectations (NAME.json beside NAME.pcap) are records, too: every key in
one must have that value; other keys may have any. {"any": [...]} matches any value of the list, {"has": [...]} a
list that has a value for each of these, {"near": [N, D]} a number from N - D to N + D. A connection that an
expectation names must have no further login and close records. Lines that are not records:

  {"type": "run", "options": [...]}    run tdsmon with these ({dir}: the capture's folder), not with -p for each
                                       server port in the records
  {"type": "none", "of": [...]}        there is no record of these types
  {"type": "says", "text": REGEX}      the text format with --explain, including messages, matches this
  {"type": "silent", "text": REGEX}    it does not
"""
import concurrent.futures
import fnmatch
import glob
import json
import os
import re
import subprocess

RUN_TIMEOUT_S = 120
JOBS = 2

VERDICT_CLASSES = ["ok", "slow", "failed", "ended", "unknown"]
PHASES = ["tcp", "prelogin", "tls", "login", "auth"]
PHASES_STRICT = ["tcp", "tls", "prelogin", "login", "auth"]
OUTCOMES = ["unanswered", "rejected", "not_tds", "ok", "refused", "redirected", "timed_out", "tls_failed",
            "probe", "abandoned", "dropped", "incomplete"]
ANSWERED = ["ok", "refused", "redirected"]

# Names as shell patterns, "*_ns" being every duration: keys that depend on the clock and on the place.
LIVE_DIFFERS = ("id", "time", "interface", "vantage", "*_ns")


class ReplayError(Exception):
    """tdsmon did not run, or its output is not one JSON object per line."""


# ---- running and reading ------------------------------------------------------------------------

def _no_duplicates(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("key given twice among %s" % keys)
    return dict(pairs)


def _no_constant(word):
    raise ValueError("%s is not JSON" % word)


def parse(text):
    """The records in `text` (bytes or str), one JSON object per line."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as err:
            raise ReplayError("output is not UTF-8: %s" % err)
    if text and not text.endswith("\n"):
        raise ReplayError("the last line is cut short: %r" % text[-60:])
    out = []
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            record = json.loads(line, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        except ValueError as err:
            raise ReplayError("line %d is no JSON: %s: %r" % (number, err, line[:80]))
        if not isinstance(record, dict):
            raise ReplayError("line %d is no JSON object" % number)
        out.append(record)
    return out


class Expected(list):
    """The records of an expectation file, and its other lines."""

    def __init__(self, lines, folder):
        others = {"run": [], "none": [], "says": [], "silent": []}
        super().__init__(line for line in lines if line["type"] not in others)
        for line in lines:
            if line["type"] in others:
                others[line["type"]].append(line)
        if len(others["run"]) > 1:
            raise ReplayError("%d lines of type run" % len(others["run"]))
        self.none = [kind for line in others["none"] for kind in line["of"]]
        self.says, self.silent = ([line["text"] for line in others[k]] for k in ("says", "silent"))
        self.options = sum((["-p", str(port)] for port in ports(self)), [])
        if others["run"]:
            self.options = [o.replace("{dir}", folder) for o in others["run"][0]["options"]]

    @property
    def empty(self):
        """It expects nothing."""
        return not (self or self.none or self.says or self.silent)


def load(path):
    """The expectation file's records and lines."""
    with open(path, "rb") as f:
        return Expected(parse(f.read()), os.path.dirname(os.path.abspath(path)))


def ports(expected):
    """The server ports in the expectations."""
    return sorted({r["server"]["port"] for r in expected})


def output(build, capture, port_list=(), options=(), messages=False):
    """tdsmon's output for a capture file, bytes; it must exit 0. messages: including standard error."""
    cmd = [os.path.join(build, "tdsmon"), "-r", capture]
    for port in port_list:
        cmd += ["-p", str(port)]
    cmd += list(options)
    try:
        done = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=RUN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ReplayError("no end within %d s" % RUN_TIMEOUT_S)
    except OSError as err:
        raise ReplayError("%s: %s" % (cmd[0], err.strerror))
    if done.returncode:
        raise ReplayError("exit status %d: %s" % (done.returncode,
                                                  done.stderr.decode(errors="replace").strip()[-200:]))
    return done.stdout + (done.stderr if messages else b"")


def run(build, capture, port_list=(), options=()):
    """tdsmon's records for a capture file."""
    return parse(output(build, capture, port_list, ["--format", "json", *options]))


def captures(folder, pattern="*"):
    """Names of the captures in a folder that have an expectation beside them."""
    paths = glob.glob(os.path.join(folder, pattern + ".pcap"))
    names = [os.path.basename(p)[:-len(".pcap")] for p in paths]
    return sorted(n for n in names if os.path.exists(os.path.join(folder, n + ".json")))


def other_captures(folder, pattern="*"):
    """The same for other formats than pcap: (name, the file's suffix)."""
    paths = sum((glob.glob(os.path.join(folder, pattern + e)) for e in (".pcapng", ".pcapng.zst", ".pcap.gz")), [])
    split = [os.path.basename(p).split(".", 1) for p in paths]
    return sorted((n, "." + e) for n, e in split if os.path.exists(os.path.join(folder, n + ".json")))


# ---- comparing with expectations ----------------------------------------------------------------

def _ignored(key, ignoring):
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in ignoring)


def differ(want, got, ignoring=(), path=""):
    """Where `got` does not have what `want` expects: a list of sentences, empty if it has."""
    if isinstance(want, dict) and set(want) == {"any"}:
        if any(not differ(w, got, ignoring) for w in want["any"]):
            return []
        return ["%s: %s is none of %s" % (path, json.dumps(got), json.dumps(want["any"]))]
    if isinstance(want, dict) and set(want) == {"near"}:
        middle, distance = want["near"]
        if type(got) is int and abs(got - middle) <= distance:
            return []
        return ["%s: %s is not within %d of %d" % (path, json.dumps(got), distance, middle)]
    if isinstance(want, dict) and set(want) == {"has"}:
        lacks = [w for w in want["has"]
                 if not isinstance(got, list) or all(differ(w, g, ignoring) for g in got)]
        return ["%s: %s lacks %s" % (path, json.dumps(got), json.dumps(w)) for w in lacks]
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return ["%s: want an object, got %s" % (path, json.dumps(got))]
        out = []
        for key, value in want.items():
            if _ignored(key, ignoring):
                continue
            where = path + "." + key if path else key
            if key not in got:
                out.append("%s: missing" % where)
            else:
                out += differ(value, got[key], ignoring, where)
        return out
    if type(want) is type(got) and want == got:
        return []
    return ["%s: want %s, got %s" % (path, json.dumps(want), json.dumps(got))]


def connection(record):
    """What identifies a record's connection, hashable."""
    c, s = record["client"], record["server"]
    return (c["addr"], c["port"], s["addr"], s["port"])


def _in_tunnel(record):
    """The same for all connections: those in tunnels may have the same ends."""
    tunnel = record["tunnel"] or {"kind": None, "id": None}
    return connection(record) + (tunnel["kind"], tunnel["id"])


def describe(record):
    c, s = record["client"], record["server"]
    return "%s %s:%s-%s:%s" % (record["type"], c["addr"], c["port"], s["addr"], s["port"])


def _match(wants, gots, ignoring):
    """Give each expectation one record: (want index -> got index) of a largest matching."""
    fits = [[g for g, got in enumerate(gots) if not differ(want, got, ignoring)] for want in wants]
    owner = {}

    def place(want, tried):
        for got in fits[want]:
            if got in tried:
                continue
            tried.add(got)
            if got not in owner or place(owner[got], tried):
                owner[got] = want
                return True
        return False

    for want in range(len(wants)):
        place(want, set())
    return {want: got for got, want in owner.items()}


def compare(records, expected, ignoring=()):
    """Compare records with expectations: a list of sentences, empty if they agree.

    ignoring: key names or shell patterns, at any depth, that are not compared (LIVE_DIFFERS). Records of connections
    that no expectation names are not checked."""
    kinds = {"login", "close"} | {w["type"] for w in expected}
    want_by, got_by = {}, {}
    for w in expected:
        want_by.setdefault((w["type"],) + connection(w), []).append(w)
    for g in records:
        if g.get("type") in kinds:
            got_by.setdefault((g["type"],) + connection(g), []).append(g)
    out = []
    for key, wants in want_by.items():
        gots = got_by.get(key, [])
        taken = _match(wants, gots, ignoring)
        left = [g for i, g in enumerate(gots) if i not in taken.values()]
        for i, want in enumerate(wants):
            if i in taken:
                continue
            if not left:
                out.append("%s: no such record" % describe(want))
                continue
            near = min(left, key=lambda g: len(differ(want, g, ignoring)))
            left.remove(near)
            out.append("%s: %s" % (describe(want), "; ".join(differ(want, near, ignoring)[:6])))
        if key[0] != "command":
            out += ["%s: one record too many" % describe(g) for g in left]
    return out


def compare_rest(build, capture, records, expected):
    """Check a run against the lines that are not records."""
    out = ["there is a %s record" % k for k in expected.none if any(r.get("type") == k for r in records)]
    if expected.says or expected.silent:
        text = output(build, capture, (), [*expected.options, "--explain"], messages=True)
        text = " ".join(text.decode("utf-8", "replace").split())
        out += ["the text does not say /%s/" % s for s in expected.says if not re.search(s, text, re.I)]
        out += ["the text says /%s/" % s for s in expected.silent if re.search(s, text, re.I)]
    return out


# ---- the invariants of every record -------------------------------------------------------------

_ADDRESS = {"addr": "str", "port": "int"}
# Key -> type: "?" allows null. An object that may be null is given as ("?", keys).
_TUNNEL = ("?", {"kind": ["vxlan", "geneve", "gre", "erspan"], "id": "int?"})
CONTRACT = {
    "login": {
        "type": "str", "v": "int", "id": "id", "time": "time", "client": _ADDRESS, "server": _ADDRESS,
        "tunnel": _TUNNEL, "interface": "str?",
        "vantage": ["server", "client", "middle", "unknown"], "mid_stream": "bool", "proxied_from": ("?", _ADDRESS),
        "browser": ("?", {"ns": "int?", "retries": "int"}), "before": ("?", {"dns_ns": "int?", "attempts": "list", "ns": "int"}),
        "tds": {"version": "str?", "version_raw": "str?", "server_version": "str?", "client_version": "str?",
                "instance": "str?", "spid": "int?", "packet_size": "int?", "connection_id": "str?",
                "activity_id": "str?", "driver": "str?", "app": "str?", "host": "str?", "database": "str?",
                "features": "list?", "features_acked": "list?"},
        "encryption": {"client": ["off", "on", "not_supported", "required", None],
                       "server": ["off", "on", "not_supported", "required", None],
                       "effective": ["none", "login", "full", "strict", "unknown"]},
        "tls": ("?", {"version": "str?", "cipher": "str?", "sni": "str?", "alpn": "str?", "resumed": "bool?",
                      "alert": ("?", {"from": ["client", "server"], "level": "str", "description": "str"}),
                      "certificate": ("?", {"subject": "str?", "issuer": "str?", "not_after": "str?",
                                            "self_signed": "bool?"})}),
        "auth": {"method": ["sql", "windows", "ntlm", "kerberos", "fedauth", "unknown"],
                 "basis": ["observed", "inferred", "unknown"], "grounds": "str?", "rounds": "int?", "kerberos_fallback": ("?", {"spn": "str", "error": "str"}),
                 "user": "str?", "domain": "str?", "workstation": "str?"},
        "mars": "bool?", "outcome": OUTCOMES, "outcome_basis": ["observed", "inferred", "unknown", None],
        "confidence": ["certain", "high", "medium", "low", None],
        "error": ("?", {"number": "int", "state": "int", "class": "int", "message": "str?"}),
        "redirect": ("?", {"host": "str", "port": "int"}),
        "total_ns": "int?", "phases": {p + "_ns": "int?" for p in PHASES}, "steps": "list",
        "waits": {"client_ns": "int?", "server_ns": "int?", "network_ns": "int?"}, "dependencies": "list?",
        "verdict": {"name": "str", "class": VERDICT_CLASSES, "text": "str"},
        "tcp": {"syn_retransmits": "int", "retransmits": "int", "out_of_order": "int", "zero_windows": "int",
                "missing_bytes": "int"}},
    "close": {
        "type": "str", "v": "int", "id": "id", "time": "time", "client": _ADDRESS, "server": _ADDRESS,
        "tunnel": _TUNNEL, "interface": "str?",
        "login": OUTCOMES + [None], "by": ["client", "server", None],
        "how": ["fin", "rst", "idle", "evicted", "open"], "graceful": "bool", "phase": PHASES + ["session"],
        "duration_ns": "int?", "bytes": {"client": "int", "server": "int"},
        "commands": {"batch": "int", "rpc": "int", "bulk": "int", "transaction": "int", "attention": "int",
                     "unknown": "int?", "reset_connection": "int"},
        "mars": ("?", {"sessions": "int", "open": "int", "window_stalls": "int",
                       "basis": ["observed", "inferred"]}),
        "unacknowledged": ("?", {"side": ["client", "server"], "bytes": "int", "sent": "int", "ns": "int?"}),
        "verdict": ("?", {"name": "str", "class": VERDICT_CLASSES, "text": "str"})},
    "command": {
        "type": "str", "v": "int", "id": "id", "time": "time", "client": _ADDRESS, "server": _ADDRESS,
        "tunnel": _TUNNEL, "spid": "int?",
        "kind": ["batch", "rpc", "bulk", "transaction", "attention", None], "session": "int?", "first_byte_ns": "int?",
        "total_ns": "int?", "request_bytes": "int", "response_bytes": "int", "basis": ["observed", "inferred"],
        "cancelled": "bool?", "answered": "bool?"},
    "pending": {
        "type": "str", "v": "int", "id": "id", "time": "time", "client": _ADDRESS, "server": _ADDRESS,
        "tunnel": _TUNNEL, "interface": "str?",
        "phase": PHASES, "waits_on": ["client", "server", "network"], "for": "str", "ns": "int", "within": "list?"},
}
_STEP = {"name": "str", "phase": PHASES, "waits_on": ["client", "server", "network"], "ns": "int", "within": "list?"}
PARTS = ["unacknowledged", "unaccepted", "stopped", "throttled", "unread", "dc", "dc_queue", "kdc", "ldap", "dns", "crl",
         "token", "process"]
_PART = {"part": PARTS, "ns": "int", "basis": ["observed", "sampled", "inferred"], "grounds": "str?",
         "peer": ("?", _ADDRESS)}
_DEPENDENCY = {"side": ["client", "server"], "kind": ["dns", "kerberos", "netlogon", "ldap", "smb", "http", "https", "other"],
               "peer": _ADDRESS, "operation": "str?", "target": "str?", "requests": "int", "unanswered": "int",
               "ns": "int", "rtt_ns": "int?", "in_flight_most": "int", "result": "str?"}
_ID = re.compile(r"^[0-9a-f]{16}$")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
_TYPES = {"str": str, "int": int, "bool": bool, "list": list, "time": str, "id": str}


def _shape(keys, got, path):
    if isinstance(keys, tuple):
        if got is None:
            return []
        keys = keys[1]
    if isinstance(keys, list):
        return [] if got in keys and not isinstance(got, bool) else ["%s: %s is no word of the contract"
                                                                    % (path, json.dumps(got))]
    if isinstance(keys, str):
        if got is None:
            return [] if keys.endswith("?") else ["%s: null" % path]
        kind = keys.rstrip("?")
        if type(got) is not _TYPES[kind]:
            return ["%s: %s is no %s" % (path, json.dumps(got)[:60], kind)]
        if kind == "id" and not _ID.match(got):
            return ["%s: %s is not 16 hex digits" % (path, got)]
        if kind == "time" and not _TIME.match(got):
            return ["%s: %s is not RFC 3339 UTC with nine decimals" % (path, got)]
        return []
    if not isinstance(got, dict):
        return ["%s: %s is no object" % (path, json.dumps(got)[:60])]
    out = []
    for key, kind in keys.items():
        where = path + "." + key if path else key
        out += _shape(kind, got[key], where) if key in got else ["%s: missing" % where]
    return out


def _negative(value, path):
    if isinstance(value, dict):
        return [x for k, v in value.items() for x in _negative(v, path + "." + k if path else k)]
    if isinstance(value, list):
        return [x for i, v in enumerate(value) for x in _negative(v, "%s[%d]" % (path, i))]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return ["%s: %s is negative" % (path, value)]
    return []


def phase_ns(login):
    """The phases that happened, as {name: ns} in the order of the contract."""
    order = PHASES_STRICT if login["encryption"]["effective"] == "strict" else PHASES
    return {p: login["phases"][p + "_ns"] for p in order if login["phases"][p + "_ns"] is not None}


def _parts(step, path):
    """The parts of a step add up to it; each occurs once per peer."""
    within = step.get("within")
    if within is None:
        return []
    out = [x for i, p in enumerate(within) for x in _shape(_PART, p, "%s.within[%d]" % (path, i))]
    if out:
        return out
    if step["ns"] < 20000000 or sum(p["ns"] for p in within) != step["ns"]:
        out.append("%s: its parts come to %d ns, it is %d" % (path, sum(p["ns"] for p in within), step["ns"]))
    names = [(p["part"], json.dumps(p["peer"])) for p in within]
    return out + (["%s: a part twice" % path] if len(set(names)) < len(names) else [])


ANSWERS = ("loginack", "error", "answer")


def _login_times(r):
    phases, steps, total = phase_ns(r), r["steps"], r["total_ns"]
    waits = [v for v in r["waits"].values() if v is not None]
    out = []
    for i, d in enumerate(r["dependencies"] or []):
        out += _shape(_DEPENDENCY, d, "dependencies[%d]" % i)
        if d.get("unanswered", 0) > d.get("requests", 0):
            out.append("dependencies[%d]: more unanswered than requests" % i)
    for i, step in enumerate(steps):
        out += _shape(_STEP, step, "steps[%d]" % i)
        out += _parts(step, "steps[%d]" % i)
    if out:
        return out
    if total is None:
        # If a capture's clock jumped, there is no step up to the answer.
        if r["outcome"] != "incomplete" and any(s["name"] in ANSWERS for s in steps):
            out.append("total_ns: null, but the connection's start and end were seen")
    else:
        for name, parts in (("phases", list(phases.values())), ("waits", waits), ("steps", [s["ns"] for s in steps])):
            if sum(parts) != total:
                out.append("%s add up to %d, total_ns is %d" % (name, sum(parts), total))
        for p, ns in phases.items():
            of_phase = sum(s["ns"] for s in steps if s["phase"] == p)
            if of_phase != ns:
                out.append("steps of %s add up to %d, the phase is %d" % (p, of_phase, ns))
        for side, ns in r["waits"].items():
            of_side = sum(s["ns"] for s in steps if s["waits_on"] + "_ns" == side)
            if (ns or 0) != of_side:
                out.append("steps that wait on the %s add up to %d, waits.%s is %s" % (side[:-3], of_side, side, ns))
    hellos = [i for i, s in enumerate(steps) if s["name"] == "server_hello" and
              (not i or steps[i - 1]["name"] != "server_hello")]
    if len(hellos) > 1:
        out.append("server_hello comes %d times" % len(hellos))
    for p in dict.fromkeys(s["phase"] for s in steps):
        if p not in phases:
            out.append("a step in phase %s, which did not happen" % p)
    order = PHASES_STRICT if r["encryption"]["effective"] == "strict" else PHASES
    ranks = [order.index(s["phase"]) for s in steps]
    if ranks != sorted(ranks):
        out.append("steps go back: %s" % ", ".join(s["phase"] for s in steps))
    return out


def _login_phases(r, timed):
    """Phases follow each other without a gap, and none comes after the stop. timed: the clock did not jump, and no
    message was truncated."""
    phases, out, outcome = phase_ns(r), [], r["outcome"]
    # Without the ACK that ends the TCP handshake, tcp and the phase after it have no bounds.
    if not r["mid_stream"] and phases and "tcp" not in phases and list(phases)[0] == "prelogin":
        out.append("phase %s without tcp" % list(phases)[0])
    if r["mid_stream"] and "tcp" in phases:
        out.append("tcp_ns is given, but the connection's start was not seen")
    if "auth" in phases and "login" not in phases and outcome != "incomplete" and not r["mid_stream"]:
        out.append("auth_ns without login_ns")
    if "auth" in phases and r["auth"]["rounds"] == 0:
        out.append("auth_ns is given, but no message came between (rounds is 0)")
    allowed = {"unanswered": ["tcp"], "rejected": ["tcp"], "probe": ["tcp", "prelogin", "tls", "login"],
               "tls_failed": ["tcp", "prelogin", "tls", "login"]}.get(outcome)
    for p in phases:
        if allowed is not None and p not in allowed:
            out.append("%s_ns is given, but %s comes before that" % (p, outcome))
    if outcome in ANSWERED and r["encryption"]["effective"] in ("none", "login") and "login" not in phases \
       and not r["mid_stream"] and timed:
        out.append("%s without login_ns" % outcome)
    if outcome in ANSWERED and r["encryption"]["effective"] == "none" and "tls" in phases:
        out.append("tls_ns is given, but nothing was encrypted")
    if outcome in ANSWERED and "tls" in phases and r["tls"] is None:
        out.append("tls_ns is given, but tls is null")
    return out


def _login_basis(r):
    out, auth = [], r["auth"]
    if r["confidence"] == "certain" and r["outcome_basis"] != "observed":
        out.append("confidence certain with outcome_basis %s" % r["outcome_basis"])
    if r["outcome"] != "incomplete":
        if r["outcome_basis"] not in ("observed", "inferred"):
            out.append("outcome_basis: %s" % r["outcome_basis"])
        if r["confidence"] is None:
            out.append("confidence: null")
    elif r["confidence"] == "certain":
        out.append("outcome incomplete is certain")
    if (auth["method"] == "unknown") != (auth["basis"] == "unknown"):
        out.append("auth.method %s with basis %s" % (auth["method"], auth["basis"]))
    if auth["basis"] == "inferred" and not auth["grounds"]:
        out.append("auth.method is inferred without grounds")
    if r["outcome_basis"] == "observed" and r["confidence"] == "certain":
        if r["outcome"] == "redirected" and r["redirect"] is None:
            out.append("redirected, certain, but redirect is null")
        # LOGINACK of TDS 5 can say so without an error.
        if r["outcome"] == "refused" and r["error"] is None and r["tds"]["version"] != "5.0":
            out.append("refused, certain, but error is null")
    if r["redirect"] is not None and r["outcome"] != "redirected":
        out.append("a redirect with outcome %s" % r["outcome"])
    if r["error"] is not None and r["outcome"] in ("ok", "redirected", "unanswered", "rejected", "probe"):
        out.append("an error with outcome %s" % r["outcome"])
    if not r["verdict"]["name"] or not r["verdict"]["text"]:
        out.append("verdict without words")
    return out


def _close(r):
    out = []
    # Which side's FIN came first is unknown if packets are missing before the one that was seen.
    if (r["how"] == "rst" and r["by"] is None) or (r["how"] not in ("fin", "rst") and r["by"] is not None):
        out.append("how %s, by %s" % (r["how"], r["by"]))
    if r["graceful"] and (r["by"], r["how"]) != ("client", "fin"):
        out.append("graceful, but by %s, how %s" % (r["by"], r["how"]))
    if r["login"] in ANSWERED and r["phase"] in ("tcp", "prelogin"):
        out.append("login %s, but closed in phase %s" % (r["login"], r["phase"]))
    if r["mars"] is not None and r["mars"]["open"] > r["mars"]["sessions"]:
        out.append("%d MARS sessions open of %d" % (r["mars"]["open"], r["mars"]["sessions"]))
    return out


def _command(r):
    if (r["kind"] is None) != (r["basis"] == "inferred") and r["kind"] != "attention":
        return ["kind %s is %s" % (r["kind"], r["basis"])]
    if (r["answered"] is True) != (r["total_ns"] is not None):
        return ["answered is %s, total_ns %s" % (r["answered"], r["total_ns"])]
    if r["first_byte_ns"] is not None and r["total_ns"] is not None and r["first_byte_ns"] > r["total_ns"]:
        return ["first_byte_ns %d is more than total_ns %d" % (r["first_byte_ns"], r["total_ns"])]
    return []


def invariants(records, identities=False):
    """Rules for every record of any capture: a list of sentences, empty if they hold.

    identities: --show-identities was given, so that auth may name people."""
    out, last_login, open_login, ids = [], {}, set(), {}
    stepped = {r["id"] for r in records if r.get("type") == "close" and r.get("duration_ns", 0) is None}
    for i, r in enumerate(records):
        kind = r.get("type")
        if kind not in CONTRACT:
            out.append("record %d: type %s" % (i, json.dumps(kind)))
            continue
        bad = _shape(CONTRACT[kind], r, "")
        if r.get("v") != 1:
            bad.append("v: %s" % json.dumps(r.get("v")))
        bad += _negative(r, "")
        if not bad and kind == "login":
            timed = r["id"] not in stepped and r["outcome_basis"] == "observed"
            bad = _login_times(r) + _login_phases(r, timed) + _login_basis(r)
            if not identities:
                bad += ["auth.%s without --show-identities" % k for k in ("user", "domain", "workstation")
                        if r["auth"][k] is not None]
            if _in_tunnel(r) in open_login:
                bad.append("a second login record before the connection's close")
            open_login.add(_in_tunnel(r))
            last_login[_in_tunnel(r)] = r["outcome"]
            ids[_in_tunnel(r)] = r["id"]
        elif not bad and kind == "close":
            bad = _close(r)
            said = last_login.pop(_in_tunnel(r), None)
            if ids.pop(_in_tunnel(r), r["id"]) != r["id"]:
                bad.append("the login record has another id")
            open_login.discard(_in_tunnel(r))
            if r["login"] != said:
                bad.append("login %s, but the login record said %s" % (json.dumps(r["login"]), json.dumps(said)))
        elif not bad and kind == "command":
            bad = _command(r)
        try:
            name = describe(r)
        except (KeyError, TypeError):
            name = "record %d" % i
        out += ["%s: %s" % (name, b) for b in bad]
    out += ["login %s:%s-%s:%s: no close record follows" % c[:4] for c in sorted(open_login, key=str)]
    return out


# ---- reports ------------------------------------------------------------------------------------

def report(name, bad, most=6):
    """Print the line of one case. False if it failed."""
    if not bad:
        print("ok - %s" % name, flush=True)
        return True
    more = " (and %d more)" % (len(bad) - most) if len(bad) > most else ""
    print("not ok - %s: %s%s" % (name, " | ".join(bad[:most]), more), flush=True)
    return False


def run_all(cases, check, jobs=JOBS):
    """check(case) -> list of (name, differences), `jobs` at a time. True if all passed."""
    good = True
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        for lines in pool.map(check, cases):
            for name, bad in lines:
                good = report(name, bad) and good
    return good
