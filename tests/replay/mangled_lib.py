# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Compare the records of a capture with those of a variant: what may be missing, and what a loss excuses.

Each comparison returns a list of sentences, empty if no statement of the variant is false.
"""
import calendar
import ipaddress
import time

import mangle
import replaylib as lib

STOPS = {"timed_out", "abandoned", "dropped", "tls_failed", "probe"}
WAIT_NS = 1000000000 # records.md: timed_out after waiting at least 1 s
FACTS = ("tds", "encryption", "tls", "auth", "mars", "error", "redirect")
NOT_STATED = (None, "unknown", False)


# ---- records and their frames -------------------------------------------------------------------

def by_connection(records, kind):
    out = {}
    for r in records:
        if r["type"] == kind:
            out.setdefault(lib.connection(r), []).append(r)
    return out


def time_ns(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000000000 + int(text[20:29])


class Connections:
    """The frames of a capture by connection, as (index in the file, frame)."""

    def __init__(self, frames):
        self.by_ends = {}
        for i, f in enumerate(frames):
            if f.src is not None:
                self.by_ends.setdefault(frozenset((f.src, f.dst)), []).append((i, f))

    def of(self, key):
        client, server = ends(key)
        return self.by_ends.get(frozenset((client, server)), [])


def ends(key):
    caddr, cport, saddr, sport = key
    return (ipaddress.ip_address(caddr).packed, cport), (ipaddress.ip_address(saddr).packed, sport)


def first_close(key, frames):
    """(by, how) by the frames in this order."""
    client, _ = ends(key)
    for f in frames:
        if f.flags & (mangle.FIN | mangle.RST):
            return ("client" if f.src == client else "server", "rst" if f.flags & mangle.RST else "fin")
    return (None, "open")


# ---- comparing records --------------------------------------------------------------------------

def same(want, got, without, path=""):
    """Differences of two values; keys in `without`, given by their whole path, are ignored."""
    if path in without:
        return []
    if isinstance(want, dict) and isinstance(got, dict):
        out = []
        for k in sorted(set(want) | set(got)):
            where = path + "." + k if path else k
            if k not in want or k not in got:
                out += [] if where in without else ["%s: only in one of both" % where]
            else:
                out += same(want[k], got[k], without, where)
        return out
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (w, g) in enumerate(zip(want, got)) for d in same(w, g, without, "%s[%d]" % (path, i))]
    return [] if type(want) is type(got) and want == got else ["%s: %.90s, whole %.90s" % (path, got, want)]


def weaker(want, got, path):
    """Differences where `got` states something that `want` does not; not stating it is no difference."""
    if isinstance(got, dict) and isinstance(want, dict):
        return [d for k in got if k in want for d in weaker(want[k], got[k], path + "." + k)]
    if got in NOT_STATED and (got is None or isinstance(got, (str, bool))):
        return []
    if path == "auth.method" and got == "windows" and want in ("ntlm", "kerberos"):
        return []
    return [] if type(want) is type(got) and want == got else ["%s: %.90s, whole %.90s" % (path, got, want)]


def weaker_facts(want, got):
    out = []
    for fact in FACTS:
        if fact == "auth":
            continue
        out += weaker(want[fact], got[fact], fact)
    out += weaker(want["auth"]["method"], got["auth"]["method"], "auth.method")
    if got["auth"]["method"] != "unknown" and want["auth"]["basis"] == "inferred" \
       and got["auth"]["basis"] == "observed":
        out.append("auth.basis: observed, whole inferred")
    if (got["auth"]["rounds"] or 0) > (want["auth"]["rounds"] or 0):
        out.append("auth.rounds: %s, whole %s" % (got["auth"]["rounds"], want["auth"]["rounds"]))
    if got["mars"] is not None:
        out += same(want["mars"], got["mars"], (), "mars")
    if got["outcome"] != "incomplete":
        if got["outcome"] == want["outcome"]:
            out += same(want["error"], got["error"], (), "error")
    return out


def pairs(wants, gots, kind):
    """[(whole, mangled or None)] by connection and order, and the records without a counterpart."""
    want_by, got_by = by_connection(wants, kind), by_connection(gots, kind)
    out, bad = [], []
    for key in want_by:
        got = got_by.get(key, [])
        for i, want in enumerate(want_by[key]):
            out.append((key, want, got[i] if i < len(got) else None))
        if len(got) > len(want_by[key]):
            bad.append("%s: a second record" % lib.describe(got[-1]))
    bad += ["%s: not in the whole capture" % lib.describe(got_by[k][0]) for k in got_by if k not in want_by]
    return out, bad


def said(record, differences):
    return ["%s: %s" % (lib.describe(record), d) for d in differences]


def said_of_close(want, got, seen):
    """by, how: the first FIN or RST in the variant, or the true first one, which an ACK may reveal."""
    if (got["by"], got["how"]) in (seen, (want["by"], want["how"])):
        return []
    return ["by, how: %s %s, the first seen is %s %s" % ((got["by"], got["how"]) + seen)]


# ---- holes --------------------------------------------------------------------------------------

class Loss:
    """The lost packets of one connection, and whether the remaining ones show the loss.

    syn          the client's only SYN: the start was not seen, mid_stream is true, or there is no record
    syn_again    one of several SYNs: nothing shows that there was one more, so the time of the start differs
    syn_ack      the handshake's halves are unknown, so waits may be charged to another side
    handshake    the ACK that completed the handshake: the next packet seems to, so tcp ends later
    covered      payload that was sent again: it seems to have come later
    closing      a FIN or RST: it is unknown who closed, when, and whether
    hidden       payload that no remaining sequence or acknowledgement number reveals
    in_login     a packet that the login's record must depend on
    """

    def __init__(self, key, whole, removed, login):
        client, self.server = ends(key)
        gone = {id(f) for f in removed}
        mine = [f for _, f in whole]
        self.removed = [f for f in mine if id(f) in gone]
        self.left = [f for f in mine if id(f) not in gone]
        syns = [f for f in mine if f.flags & mangle.SYN and not f.flags & mangle.ACK]
        lost_syns = [f for f in syns if id(f) in gone]
        self.syn = bool(lost_syns) and len(lost_syns) == len(syns)
        self.syn_again = bool(lost_syns) and not self.syn
        self.syn_ack = any(f.flags & mangle.SYN and f.flags & mangle.ACK for f in self.removed)
        shake = next((f for f in mine if f.src == client and f.flags & mangle.ACK), None)
        self.handshake = shake is not None and id(shake) in gone
        self.only_syns = all(f in syns for f in self.left)
        self.closing = any(f.flags & (mangle.FIN | mangle.RST) for f in self.removed)
        self.payload = sum(len(f.payload) for f in self.removed)
        self.space = sum(f.space for f in self.removed)
        self._sequence(mine)
        answered = login is not None and login["outcome"] in lib.ANSWERED and login["outcome_basis"] == "observed"
        # From the first packet on, unless phases are unknown.
        known = answered and login["total_ns"] is not None and not login["mid_stream"]
        end = time_ns(login["time"]) + login["total_ns"] if known else None
        # Inferences also depend on when packets come.
        concluded = login is not None and login["outcome_basis"] == "inferred"
        needed = [f for f in self.removed
                  if f is shake or f.space or f.flags & mangle.RST or concluded]
        self.in_login = any(end is None or f.ts_ns <= end for f in needed)

    def _sequence(self, mine):
        """Sets covered and hidden."""
        self.covered = self.hidden = False
        base, seen, evidence = {}, {}, {}
        for f in mine:
            base.setdefault(f.src, f.seq)
            if f.flags & mangle.SYN:
                base[f.src] = f.seq

        def rel(side, number):
            return (number - base.get(side, number) + (1 << 31)) % (1 << 32) - (1 << 31)

        for f in self.left:
            start = rel(f.src, f.seq)
            if f.space:
                seen.setdefault(f.src, []).append((start, start + f.space))
            evidence[f.src] = max(evidence.get(f.src, 0), start + f.space)
            if f.flags & mangle.ACK and f.dst in base:
                evidence[f.dst] = max(evidence.get(f.dst, 0), rel(f.dst, f.ack))
        for f in self.removed:
            start = rel(f.src, f.seq)
            again = [(a, b) for a, b in seen.get(f.src, ()) if f.space and a < start + f.space and b > start]
            self.covered |= bool(again)
            if f.payload and not covers(again, start, start + f.space) and start >= evidence.get(f.src, 0):
                self.hidden = True


def covers(intervals, start, end):
    for a, b in sorted(intervals):
        if a <= start:
            start = max(start, b)
    return start >= end


def holes_outcomes(want, loss):
    fair = {want["outcome"], "incomplete"}
    if want["outcome"] in lib.ANSWERED and want["outcome_basis"] == "observed":
        if loss.hidden:
            fair |= STOPS
        return fair
    if loss.syn_ack and loss.only_syns:
        fair.add("unanswered")
    if loss.closing:
        fair.add("timed_out")
        if want["outcome"] == "rejected":
            fair.add("unanswered")
        if want["outcome"] == "probe":
            fair.add("abandoned") # half open, and nobody is seen to leave
    if loss.hidden:
        fair |= STOPS
    return fair


def holes_times(want, got, loss):
    """Times that are stated must be the whole capture's, except where the loss leaves no trace."""
    w, g = lib.phase_ns(want), lib.phase_ns(got)
    out = []
    answered = got["outcome"] in lib.ANSWERED
    free = set()
    if not answered and g:
        free.add(list(g)[-1]) # where it stopped: up to the last packet seen
    if got["mid_stream"] and g:
        free.add(list(g)[0]) # its start was not seen
    if loss.syn_again:
        free.add("tcp")
    if loss.handshake:
        free |= set(list(g)[:2])
        if len(g) > 2 and len(w) > 2 and not loss.syn_again \
           and sum(list(g.values())[:2]) != sum(list(w.values())[:2]):
            out.append("%s end at %d, whole %d" % (" and ".join(list(g)[:2]), sum(list(g.values())[:2]),
                                                   sum(list(w.values())[:2])))
    for p in g:
        if p not in free and g[p] != w.get(p):
            out.append("phases.%s_ns: %d, whole %s" % (p, g[p], w.get(p)))
    if answered and not got["mid_stream"] and not loss.syn_again and ("tcp" in g or not loss.handshake):
        out += same(want["total_ns"], got["total_ns"], (), "total_ns")
        if not (loss.handshake or loss.syn_ack):
            out += same(want["waits"], got["waits"], (), "waits")
    if got["time"] != want["time"] and not (loss.syn or loss.syn_again):
        out.append("time: %s, whole %s" % (got["time"], want["time"]))
    return out


def holes_login(want, got, loss, timed):
    if got is None:
        return [] if loss.syn or want["mid_stream"] or not loss.left else ["missing"]
    # Inferences, also those from other connections.
    if not loss.in_login and want["outcome_basis"] == "inferred" and got["outcome"] == "incomplete":
        return weaker_facts(want, got)
    if not loss.in_login:
        stop = () if want["outcome"] in lib.ANSWERED else ("total_ns", "phases", "steps", "waits")
        # A probe that lost to a parallel attempt, or that belongs to a scan or a guess, is known from other
        # connections; ports that were used before, from an ACK.
        others = want["verdict"]["name"] in ("parallel_attempt", "scan", "guessing", "guess_succeeded", "port_reused")
        verdict = "verdict" if others else "verdict.text"
        return same(want, got, ("tcp", verdict, "vantage") + stop)
    out = []
    if got["outcome"] not in holes_outcomes(want, loss):
        out.append("outcome: %s, whole %s" % (got["outcome"], want["outcome"]))
    if loss.syn and not got["mid_stream"]:
        out.append("mid_stream: false, but the SYN is lost")
    if got["mid_stream"] and not (loss.syn or want["mid_stream"]):
        out.append("mid_stream: true, but the SYN is there")
    if got["tcp"]["missing_bytes"] > want["tcp"]["missing_bytes"] + loss.space:
        out.append("tcp.missing_bytes: %d, but %d are missing" % (got["tcp"]["missing_bytes"], loss.space))
    out += weaker_facts(want, got)
    if timed and not loss.covered:
        out += holes_times(want, got, loss)
    return out


def holes_close(key, want, got, loss, whole):
    if got is None:
        # Without a SYN there may be too little left to recognise a connection.
        return [] if loss.syn or not loss.left else ["missing"]
    out = []
    if first_close(key, [f for _, f in whole]) == (want["by"], want["how"]):
        # If bytes of the other side are missing, its FIN may be among them; then it is not stated who was first.
        if (got["by"], got["how"]) != (None, "fin") or not loss.space:
            out += said_of_close(want, got, first_close(key, loss.left))
    for side in ("client", "server"):
        lost = sum(len(f.payload) for f in loss.removed if (f.src == loss.server) == (side == "server"))
        if not want["bytes"][side] - lost <= got["bytes"][side] <= want["bytes"][side]:
            out.append("bytes.%s: %d, whole %d, lost %d" % (side, got["bytes"][side], want["bytes"][side], lost))
    # Keys that lost their place: `unknown` is null then, and says that commands stayed hidden.
    hidden = got["commands"]["unknown"] is None and want["commands"]["unknown"] is not None
    for k, n in want["commands"].items():
        # Hidden, and the session's beginning is unknown.
        if n is None or (got["commands"][k] is None and got["login"] in (None, "incomplete")):
            continue
        if got["commands"][k] > n or got["commands"][k] < n and not (loss.space or hidden):
            out.append("commands.%s: %d, whole %d" % (k, got["commands"][k], n))
    if want["mars"] is None and got["mars"] is not None:
        out.append("mars: %s, whole null" % got["mars"])
    if want["mars"] and got["mars"] and got["mars"]["sessions"] > want["mars"]["sessions"]:
        out.append("mars.sessions: %d, whole %d" % (got["mars"]["sessions"], want["mars"]["sessions"]))
    if got["how"] == want["how"] and None not in (got["duration_ns"], want["duration_ns"]) \
       and got["duration_ns"] > want["duration_ns"]:
        out.append("duration_ns: %d, whole %d" % (got["duration_ns"], want["duration_ns"]))
    return out


def without_causes(records):
    """The records without facts about a login from other connections' packets, which are disturbed as well. Also
    without the verdict; drops.test compares its name itself."""
    out = []
    for r in records:
        if r["type"] == "login":
            r = dict(r, dependencies=[], before=None, verdict=dict(r["verdict"], name="", text="", **{"class": "ok"}),
                     steps=[dict(s, within=None) for s in r["steps"]])
        out.append(r)
    return out


def compare_holes(wants, gots, whole_frames, removed, timed):
    out, whole = [], Connections(whole_frames)
    logins, bad = pairs(wants, gots, "login")
    out += bad
    losses = {}
    for key, want, got in logins:
        losses[key] = Loss(key, whole.of(key), removed, want)
        out += said(want, holes_login(want, got, losses[key], timed))
    closes, bad = pairs(wants, gots, "close")
    out += bad
    for key, want, got in closes:
        loss = losses.get(key) or Loss(key, whole.of(key), removed, None)
        out += said(want, holes_close(key, want, got, loss, whole.of(key)))
    return out
