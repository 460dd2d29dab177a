#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Makes a capture of plain TLS of one whose TLS handshake is in PRELOGIN packets, so that tshark can decrypt it.

usage: tests/tools/tls_plain.py CAPTURE OUT      OUT has the TLS records, of the same addresses and ports
       tests/tools/tls_plain.py CAPTURE OUT KEYS OUT has what tshark decrypts with KEYS: TDS in clear

A TDS 8 connection is TLS as it is. Login-only encryption ends after LOGIN7: what follows is in clear, and goes to the
second form of OUT. The capture has whole connections, and segments that are sent again as they were.
"""
import ipaddress
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
import mangle  # noqa: E402
import scene  # noqa: E402

PRELOGIN, REPLY, HEADER = 0x12, 0x04, 8  # MS-TDS 2.2.3.1
RECORDS = range(0x14, 0x18)
TIMEOUT_S = 120


class Stream:
    """What one side sends, cut into TLS records, packets that carry them, and other packets."""

    def __init__(self):
        self.held = b""

    def feed(self, data):
        """Yields (is TLS, bytes) for whole records and packets. PRELOGIN itself is neither."""
        self.held += data
        while len(self.held) >= 5:
            record = self.held[0] in RECORDS and self.held[1] == 3
            size = int.from_bytes(self.held[3:5], "big") + 5 if record else int.from_bytes(self.held[2:4], "big")
            if len(self.held) < max(size, HEADER):
                return
            unit, self.held = self.held[:size], self.held[size:]
            if record:
                yield True, unit
            elif unit[0] != PRELOGIN:
                yield False, unit
            elif unit[HEADER] in RECORDS or not self.begins(unit):
                yield True, unit[HEADER:]

    @staticmethod
    def begins(packet):
        """Is it PRELOGIN's table of options? It begins with VERSION, at an offset of a few bytes."""
        return packet[HEADER] == 0 and packet[HEADER + 1] == 0


class Talk:
    """A connection: its TLS as (side, bytes), and the packets in clear after it."""

    def __init__(self, client, server):
        self.ends, self.tls, self.after = (client, server), [], []
        self.sides = {client: Stream(), server: Stream()}
        self.expected, self.early = {}, {client: {}, server: {}}

    def segment(self, frame):
        """A segment and those that came before their turn. What was sent again is left out."""
        early = self.early[frame.src]
        early[frame.seq] = frame
        while (next_ := early.pop(self.expected.setdefault(frame.src, frame.seq), None)):
            self.expected[frame.src] = (next_.seq + len(next_.payload)) & 0xffffffff
            self.in_order(next_)

    def in_order(self, frame):
        side = self.ends.index(frame.src)
        for tls, data in self.sides[frame.src].feed(frame.payload):
            if tls:
                self.tls.append((side, data))
            elif self.tls:  # before that it is the reply to PRELOGIN
                self.after.append((side, data))


def talks(path):
    """The connections of a capture, in the order of their SYNs."""
    found, open_ = [], {}
    for frame in mangle.read(path)[2]:
        if frame.src is None:
            continue
        if frame.flags & mangle.SYN and not frame.flags & mangle.ACK:
            open_[frame.src, frame.dst] = open_[frame.dst, frame.src] = Talk(frame.src, frame.dst)
            found.append(open_[frame.src, frame.dst])
        talk = open_.get((frame.src, frame.dst))
        if talk and frame.payload:
            talk.segment(frame)
    return found


def address(end):
    """mangle's as scene's."""
    return str(ipaddress.ip_address(end[0])), end[1]


def write(path, connections):
    """connections: (ends, [(side, bytes)])."""
    made = scene.Scene()
    for n, (ends, parts) in enumerate(connections):
        c = scene.Connection(made, n * 1000, address(ends[0]), address(ends[1])).connect()
        for side, data in parts:
            c.data(side, data, after=0.1)
        c.close()
    made.write(path)


def tshark(path, keys, servers, *arguments):
    decode = [a for port in sorted(servers) for a in ("-d", "tcp.port==%d,%s" % (port, "tls" if keys else "tds"))]
    options = ["-o", "tls.keylog_file:" + os.path.abspath(keys)] if keys else []
    done = subprocess.run(["tshark", "-r", path, *options, *decode, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S)
    if done.returncode:
        raise RuntimeError("tshark: " + done.stderr[-500:])
    return done.stdout


def decrypted(path, keys, connections):
    """What tshark reads in each connection of a file of write(): [(side, bytes)]."""
    servers = {address(ends[1])[1] for ends, _ in connections}
    follow = [a for n in range(len(connections)) for a in ("-z", "follow,tls,raw,%d" % n)]
    found = {}
    for block in tshark(path, keys, servers, "-q", *follow).split("Follow: tls,raw\n")[1:]:
        number = int(re.match(r"Filter: tcp.stream eq (\d+)\n", block)[1])
        first = re.search(r"^Node 0: .*:(\d+)$", block, re.M)
        server_first = first and int(first[1]) == address(connections[number][0][1])[1]
        lines = re.findall(r"^(\t?)((?:[0-9a-f]{2})+)$", block, re.M)
        found[number] = [(int(bool(tab) != bool(server_first)), bytes.fromhex(data)) for tab, data in lines]
    return [found.get(n, []) for n in range(len(connections))]


def numbered(data):
    """tshark 4.0 reads a LOGIN7 only if its packet has the number 1; drivers number as they like."""
    return data[:6] + b"\1" + data[7:] if data[:2] == b"\x10\1" else data


def clear(capture, plain, keys, out):
    """capture's TDS in clear, as tshark decrypts it, to out; plain: a file on the way. Returns the ends of each."""
    found = talks(capture)
    connections = [(t.ends, t.tls) for t in found]
    write(plain, connections)
    write(out, [(t.ends, [(side, numbered(data)) for side, data in parts + t.after])
                for t, parts in zip(found, decrypted(plain, keys, connections))])
    return [tuple(map(address, t.ends)) for t in found]


def main():
    if len(sys.argv) == 3:
        write(sys.argv[2], [(t.ends, t.tls) for t in talks(sys.argv[1])])
    elif len(sys.argv) == 4:
        clear(sys.argv[1], sys.argv[2] + ".tls", sys.argv[3], sys.argv[2])
    else:
        sys.exit(__doc__.strip())


if __name__ == "__main__":
    main()
