#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Make the fuzz harnesses' seeds from the captures: corpus.py CAPTURES OUT

Writes OUT/HARNESS/NAME, a file for each distinct input. The head of each harness describes its input's format.
"""
import glob
import gzip
import hashlib
import os
import random
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
import mangle
import wrap

SEED_MAX = 16384      # bytes of a seed
STREAM_MAX = 8192     # of a direction's stream in one seed
CAPTURES_LARGE = 40000
FILES_LARGE = 4000
PER_HARNESS = 250
DISTURBANCES = 12     # operations of a seed that disturbs a capture; tests/fuzz/session.h

# TDS packet types
BATCH, LOGIN_OLD, RPC, RESULT, NORMAL_OLD = 0x01, 0x02, 0x03, 0x04, 0x0f
LOGIN7, SSPI, PRELOGIN = 0x10, 0x11, 0x12
# The first bytes of the harness of requests, by type.
REQUESTS = {BATCH: b"\0", RPC: b"\1", NORMAL_OLD: b"\2"}
DATA, SYN, ACK, FIN, RST, FREE = 0, 1, 2, 3, 4, 5
NOTE_UDP = 4

# SQL Server Browser: requests and responses, MC-SQLR 2.2
INSTANCE = b"ServerName;H;InstanceName;%s;IsClustered;No;Version;16.0.1000.6;tcp;5000;np;x;;"
SSRP = [b"\2", b"\3", b"\4INST1\0", b"\x0f\1INST1\0", b"\5\6\0\1\x88\x13"] + [
    b"\5" + struct.pack("<H", len(text)) + text for text in (INSTANCE % b"INST1",
                                                            INSTANCE % b"A" + INSTANCE % b"B")]


# Headers of the PROXY protocol, haproxy.org/download/2.9/doc/proxy-protocol.txt
PROXY2 = b"\r\n\r\n\0\r\nQUIT\n"
PROXY = [b"PROXY TCP4 192.0.2.7 10.1.0.2 56324 1433\r\n", b"PROXY TCP6 2001:db8::7 2001:db8::2 56324 1433\r\n",
         b"PROXY UNKNOWN\r\n", PROXY2 + b"\x20\0\0\0", PROXY2 + b"\x21\x11\0\x13\xc0\0\2\7\x0a\1\0\2\xdc\4\5\x99\4\0\4abcd",
         PROXY2 + b"\x21\x21\0\x24" + bytes(36)]


# Error messages, and the offset of a name in them
MESSAGES = [(23, b"Login failed for user '."), (24, b"Logon failed for login ' due to trigger execution."),
            (22, b'The server principal " is not able to access the database "shop" under the current security context.'),
            (37, b"Login failed for user 'x'. Reason: ."), (0, b'Cannot open database "shop" requested by the login. '
                                                             b"The login failed.")]


# Statements, into which a literal and a name are put
STATEMENTS = [b"exec @r = p hunter2, 'a', [b] select 1", b"set @a='PASS'+/* c */N'WORD'+CHAR(80)", b"-- c\nexec ('x')",
              b"select 0x1f, 2.5e-3, $1 from [t]]u] where \"a\" = 'it''s'", b"execute as login='sa' /* /* */ */",
              b"set @a='x'+CHAR(+0)+'y'"]


class Corpus:
    def __init__(self, out):
        self.out, self.counts = out, {}

    def add(self, harness, seed, most=PER_HARNESS):
        folder = os.path.join(self.out, harness)
        if not seed or len(seed) > SEED_MAX or self.counts.get(harness, 0) >= most:
            return
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, hashlib.sha1(seed).hexdigest()[:16])
        if not os.path.exists(path):
            self.counts[harness] = self.counts.get(harness, 0) + 1
            with open(path, "wb") as f:
                f.write(seed)


def connections(frames):
    """The TCP frames of each connection, client first seen first: {(client, server): frames}."""
    found = {}
    for f in frames:
        if f.src is None:
            continue
        key = (f.dst, f.src) if (f.dst, f.src) in found else (f.src, f.dst)
        if key not in found and f.flags & mangle.SYN and f.flags & mangle.ACK:
            key = (f.dst, f.src)
        found.setdefault(key, []).append(f)
    return found


def stream(frames, src):
    """A direction's payload in order, up to the first hole."""
    pieces = sorted(((f.seq, f.payload) for f in frames if f.src == src and f.payload))
    out, at = b"", None
    for seq, payload in pieces:
        at = seq if at is None else at
        if seq > at:
            break
        out += payload[at - seq:]
        at = max(at, seq + len(payload))
    return out


def packets(data):
    """TDS packets and TLS records from the front of a stream: (kind, header, body)."""
    at = 0
    while at + 8 <= len(data):
        first = data[at]
        if 0x14 <= first <= 0x17 and data[at + 1] == 3:
            size, head = 5 + struct.unpack_from(">H", data, at + 3)[0], 5
        elif first == 0x53:
            size, head = struct.unpack_from("<I", data, at + 4)[0], 16
        else:
            size, head = struct.unpack_from(">H", data, at + 2)[0], 8
        if size < head or at + size > len(data):
            return
        yield first, data[at:at + head], data[at + head:at + size]
        at += size


def records(data):
    return [(h, b) for kind, h, b in packets(data + bytes(3)) if 0x14 <= kind <= 0x17]


def tls_seed(sides):
    """Both directions' TLS records, bare or carried in TDS packets, the client's first each time."""
    queues = []
    for data in sides:
        bare, carried = [], b""
        for kind, head, body in packets(data):
            if 0x14 <= kind <= 0x17:
                bare.append((head, body))
            elif kind == PRELOGIN and body[:1] != b"\0":
                carried += body
        queues.append(records(carried) + bare)
    out = b""
    while any(queues):
        for side, queue in enumerate(queues):
            turn = None
            while queue and (turn is None or turn == queue[0][0][0] == 0x16):
                head, body = queue.pop(0)
                turn = head[0]
                out += bytes([side]) + head + body
    return out


def messages(corpus, data, server):
    body = b""
    name = {PRELOGIN: "prelogin", LOGIN7: "login7", LOGIN_OLD: "login_old", SSPI: "sspi"}
    for kind, head, piece in packets(data):
        if kind > 0x12 or not (server or kind in name or kind in REQUESTS):
            continue
        body += piece
        if not head[1] & 1:
            continue
        if kind == RESULT and body[:1] == b"\0":
            corpus.add("prelogin", body)
        elif kind in REQUESTS:
            corpus.add("sql", REQUESTS[kind] + body)
        elif kind == RESULT:
            corpus.add("answer", b"\0" + body)
            if body[:1] == b"\xed":
                corpus.add("sspi", body[3:])
        elif kind in name and not (kind == PRELOGIN and body[:1] != b"\0"):
            corpus.add(name[kind], body)
            at = body.find(b"NTLMSSP\0")
            if kind == LOGIN7 and at > 0:
                corpus.add("sspi", body[at:])
        body = b""


def operation(frame, server, connection):
    op = connection | server << 2
    if frame.flags & mangle.RST:
        return bytes([op | RST << 3])
    if frame.flags & mangle.SYN:
        return bytes([op | SYN << 3])
    out = b""
    if frame.payload:
        payload = frame.payload[:0x1fff]
        out += bytes([op | DATA << 3]) + struct.pack(">H", len(payload)) + payload
    if frame.flags & mangle.FIN:
        out += bytes([op | FIN << 3])
    return out or bytes([op | ACK << 3])


def datagram(data, connection, server):
    """The same for a datagram of SQL Server Browser."""
    return struct.pack(">BBBhhH", connection | server << 2 | FREE << 3, 0, NOTE_UDP, 0, 0, len(data)) + data


def engine_seed(frames, client, connection):
    """The operations of a connection, up to a maximum; repeated ones are left out."""
    out, seen = b"", set()
    for f in frames:
        mark = (f.src, f.seq, len(f.payload), f.flags, f.ack)
        if mark in seen or len(out) > STREAM_MAX:
            continue
        seen.add(mark)
        out += operation(f, f.src != client, connection)
    return out


def smp_seed(sides):
    out = b""
    for side, data in enumerate(sides):
        at = data.find(b"S\x01\0\0\x10\0\0\0") if not side else data.find(b"S\x08")
        if at >= 0:
            piece = data[at:at + 4000]
            out += bytes([side]) + struct.pack(">H", len(piece)) + piece
    return out


# Blocks of pcapng files other than packets: comments, names, statistics, secrets, a custom one, the old packet block
# and the simple one.
def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def option(code, value, order="<"):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order="<"):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1) + option(1, b"of all", order), order)


def pcapng(frames, link, order="<", resolution=9):
    """A section with all kinds of blocks, and the frames in turn in each kind of packet block."""
    ends = option(0, b"", order)
    out = section(order) + block(1, struct.pack(order + "HHI", link, 0, 0) + option(9, bytes([resolution]), order) +
                                 option(14, struct.pack(order + "q", 1), order) + ends, order)
    out += block(4, struct.pack(order + "HH", 1, 8) + b"\x0a\0\0\1abc\0" + option(0, b"", order), order)
    out += block(10, struct.pack(order + "II", 0x544c534b, 5) + b"KEYS\n" + bytes(3), order)
    out += block(0xbad, struct.pack(order + "I", 32473) + b"any", order)
    for number, f in enumerate(frames):
        head = struct.pack(order + "IIII", f.ts_ns >> 32, f.ts_ns & 0xffffffff, len(f.data), f.wire_len)
        data = f.data + bytes(-len(f.data) % 4)
        if number % 8 == 6:
            out += block(2, struct.pack(order + "HH", 0, 0) + head + data, order)
        elif number % 8 == 7:
            out += block(3, struct.pack(order + "I", f.wire_len) + data, order)
        else:
            out += block(6, struct.pack(order + "I", 0) + head + data + option(1, b"of it", order) + ends, order)
    return out + block(5, struct.pack(order + "III", 0, 0, 0) + option(1, b"counted", order), order)


def zstd(blob):
    return subprocess.run(["zstd", "-q", "-c"], input=blob, stdout=subprocess.PIPE, check=True).stdout


def add_files(corpus, blob, frames, link):
    """The capture in other formats, and compressed."""
    ng = pcapng(frames, link) + pcapng(frames[:4], link, ">", 0x94)
    for seed in (ng, gzip.compress(blob), gzip.compress(ng[:2000]) + gzip.compress(ng[2000:]), zstd(ng)):
        corpus.add("file", seed)
        corpus.add("capture", seed)


def add_capture(corpus, path):
    with open(path, "rb") as f:
        blob = f.read()
    link, _, frames = mangle.read(path)
    for f in frames[:40]:
        corpus.add("pkt", b"\0" + f.data)
        if f.ip_at:
            corpus.add("pkt", b"\1" + f.data[f.ip_at:])
            corpus.add("decap", b"\1" + f.data[f.ip_at:])
    for f in frames[:2] if link == mangle.ETHERNET else []:
        for wrapped, _ in wrap.KINDS.values():
            corpus.add("decap", b"\0" + wrapped(f.data, 42))
    corpus.add("file", blob)
    corpus.add("capture", blob)
    if os.path.getsize(path) <= FILES_LARGE:
        add_files(corpus, blob, frames, link)
    previous = b""
    for (client, server), of in list(connections(frames).items())[:6]:
        sides = [stream(of, client), stream(of, server)]
        for side, data in enumerate(sides):
            corpus.add("frame", b"\3" + data[:STREAM_MAX])
            messages(corpus, data, side == 1)
        corpus.add("tls", tls_seed(sides)[:SEED_MAX])
        corpus.add("smp", smp_seed(sides))
        corpus.add("engine", b"\2" + engine_seed(of, client, 0))
        corpus.add("engine", b"\x82" + engine_seed(of, client, 0))
        if previous:
            corpus.add("engine", b"\x06" + previous + engine_seed(of, client, 1))
        corpus.add("engine", b"\2" + datagram(SSRP[2], 3, 0) + datagram(SSRP[5], 3, 1) +
                   engine_seed(of, client, 3))
        previous = engine_seed(of, client, 0)


def fnv1a(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xffffffff
    return value


def add_disturbed(corpus, names):
    """Each capture unchanged, and disturbed at random, the same way each time: the mutator's seeds."""
    numbers = random.Random(1433)
    for i, name in enumerate(names):
        head = struct.pack(">BIB", 0xc2 if i % 2 else 2, fnv1a(name), 0)
        corpus.add("mutator", head, 2 * len(names))
        corpus.add("mutator", head + numbers.randbytes(6 * (1 + i % DISTURBANCES)), 2 * len(names))


COMPANION_PORTS = (53, 80, 88, 135, 389, 443, 445, 49152) # as in the harness
COMPANION_LOGIN = bytes([0x20, 0, 1, 0, 0, 0, 1, 50, 60, 1])


def companion_record(ip):
    """A record of the companions harness; b"" for a packet without payload, or on other ports."""
    head = (ip[0] & 15) * 4
    if ip[0] >> 4 != 4 or ip[9] not in (6, 17) or len(ip) < head + 20:
        return b""
    sport, dport = struct.unpack_from(">HH", ip, head)
    payload = ip[head + (8 if ip[9] == 17 else (ip[head + 12] >> 4) * 4):struct.unpack_from(">H", ip, 2)[0]][:255]
    port, reverse = (dport, 0) if dport in COMPANION_PORTS else (sport, 2)
    if port not in COMPANION_PORTS or not payload:
        return b""
    return bytes([0x10 | (0x40 if ip[9] == 17 else 0), COMPANION_PORTS.index(port) << 3 | reverse, 3, 0, 0,
                  len(payload)]) + payload


def add_companions(corpus, path):
    """The requests of a capture's hosts to others, 3,000 bytes a seed, and a login after each."""
    seed = b""
    for frame in mangle.read(path)[2]:
        seed += companion_record(frame.data[14:])
        if len(seed) > 3000:
            corpus.add("companions", seed + COMPANION_LOGIN)
            seed = b""
    corpus.add("companions", seed + COMPANION_LOGIN)


LOG_TIME = "2021-01-01 00:01:56.57 "
ERRORLOG = [
    "Server      UTC adjustment: -5:00",
    "Logon       Error: 18456, Severity: 14, State: 8.",
    "Logon       Login failed for user 'sa'. Reason: Password did not match that for the login provided. [CLIENT: 10.0.0.5]",
    "Logon       Fehler: 18456, Schweregrad: 14, Status: 38.",
    "Logon       Fehler bei der Anmeldung f\u00fcr den Benutzer 'x'. Ursache: Nein. [CLIENT: <lokaler Computer>]",
    "Logon       \u9519\u8bef: 18456\uff0c\u4e25\u91cd\u6027: 14\uff0c\u72b6\u6001: 8\u3002",
    "Logon       \u7528\u6237 'sa' \u767b\u5f55\u5931\u8d25\u3002 \u539f\u56e0: \u5bc6\u7801\u3002 [\u5ba2\u6237\u7aef: fe80::1%4]",
    "Logon       Error: 17830, Severity: 20, State: 11.",
    "Logon       Network error code 0x2746 occurred, " + ", ".join("t %d ms" % (90 - i) for i in range(16)) + " [CLIENT: 10.0.0.5]",
    "Server      Error: 17884, Severity: 10, State: 1. (Params:). terse",
    "Server      New queries have not been picked up by a worker thread in the last 300 seconds.",
]


def add_errorlog(corpus):
    """The complete log and each line, in the encodings and line ends of error logs."""
    lines = [LOG_TIME + line for line in ERRORLOG]
    for text in ["\n".join(lines) + "\n"] + ["\n".join(pair) + "\n" for pair in zip(lines, lines[1:])]:
        for seed in (text.encode(), text.replace("\n", "\r\n").encode("utf-16"), text.encode("utf-16-le")):
            corpus.add("errorlog", b"\x0c" + seed)


def add_csv(corpus):
    """Rows of logins as tests/fuzz/csv.c wants them."""
    row = b'2026-11-22T17:06:05.802556000Z,10.0.0.1,10.0.0.2,1433,%s,%s,%s,%s,%s,%s\r\n'
    for seed in (row % (b"ok", b"ok", b"ok", b"18.555000", b"", b"logged in"),
                 row % (b"refused", b"login_failed", b"failed", b"20.000001", b'"\'=cmd, ""x"""', b'"login failed, ""why"""'),
                 row % (b"ok", b"slow_login", b"slow", b"3000.5", b"<b>&", b"slow") * 7):
        corpus.add("csv", seed)


def add_json_pick(corpus):
    """Records as tdsmon top gets them, and JSON that no record has."""
    corpus.add("json_pick", b'{"id":"\\ud83d\\ude00\\u0000","error":{"number":-9223372036854775807},"dependencies":[ 1e3 ,"]",[{}]]}')
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "dc_*.json"))):
        with open(path, "rb") as f:
            for line in f.read().splitlines():
                corpus.add("json_pick", line)


def main():
    corpus = Corpus(sys.argv[2])
    add_csv(corpus)
    add_json_pick(corpus)
    add_errorlog(corpus)
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "dc_*.pcap"))):
        add_companions(corpus, path)
    add_disturbed(corpus, sorted(os.path.basename(p) for p in glob.glob(os.path.join(sys.argv[1], "*.pcap*"))))
    for seed in SSRP:
        corpus.add("ssrp", seed)
    for at, message in MESSAGES:
        corpus.add("redact", struct.pack(">H", at) + message)
    for statement in STATEMENTS:
        corpus.add("sql_mask", b"\0\xff\xff" + statement)
        corpus.add("sql_mask", b"\0\0\0" + statement)
    handshake = bytes([SYN << 3, 4 | SYN << 3, ACK << 3])
    for seed in PROXY:
        corpus.add("proxy", b"\3" + seed + b"\x12\1\0\x2f")
        corpus.add("engine", b"\2" + handshake + bytes([DATA << 3]) + struct.pack(">H", len(seed)) + seed)
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.pcap"))):
        if os.path.getsize(path) <= CAPTURES_LARGE:
            add_capture(corpus, path)


main()
