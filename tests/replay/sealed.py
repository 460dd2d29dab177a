# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Captures made from others: a session as TLS would have made it, and segments of many packets.

seal() takes a capture with login-only encryption and puts everything after the handshake into TLS records, one for each
TDS or SMP packet, as full encryption does. merge() joins what one side sends without an answer in between into one
segment. Both take captures of one connection without loss.
"""
import struct

import mangle

NONCE, TAG = b"\0" * 8, b"\0" * 16 # of AES-GCM in TLS 1.2


def rebuild(frame, seq, ack, payload, flags=None):
    """The frame with other numbers and payload. Checksums stay: nobody checks them."""
    head = bytearray(frame.data[:frame.payload_at])
    ip, tcp = frame.ip_at, frame.tcp_at
    struct.pack_into(">II", head, tcp + 4, seq & 0xffffffff, ack & 0xffffffff)
    if flags is not None:
        head[tcp + 13] = flags
    if head[ip] >> 4 == 4:
        struct.pack_into(">H", head, ip + 2, len(head) - ip + len(payload))
    else:
        struct.pack_into(">H", head, ip + 4, len(head) - tcp + len(payload))
    out = frame.at(frame.ts_ns)
    out.data = bytes(head) + payload
    out.wire_len, out.payload, out.seq, out.ack = len(out.data), payload, seq, ack
    return out


class Side:
    """One direction, packet by packet: the bytes inserted into it."""

    def __init__(self):
        self.head, self.left, self.sealing = b"", 0, False
        self.added = [] # (sequence number, total of bytes inserted before it)
        self.total = 0

    def shift(self, seq):
        """By how much a sequence number has moved."""
        moved = 0
        for at, total in self.added:
            if (seq - at) & 0x80000000:
                break
            moved = total
        return moved

    def need(self):
        return {0x53: 8, **dict.fromkeys(range(0x14, 0x19), 5)}.get(self.head[0], 4) if self.head else 1

    def packet(self, encrypt):
        """The head that begins a packet is complete: insert before it."""
        kind = self.head[0]
        if kind == 0x53:
            size = struct.unpack_from("<I", self.head, 4)[0]
        elif 0x14 <= kind <= 0x18:
            size = 5 + struct.unpack_from(">H", self.head, 3)[0]
        else:
            size = struct.unpack_from(">H", self.head, 2)[0]
        self.left = size - len(self.head)
        self.sealing = encrypt and kind != 0x12 and not 0x14 <= kind <= 0x18
        if not self.sealing:
            return b""
        return struct.pack(">BBBH", 23, 3, 3, len(NONCE) + size + len(TAG)) + NONCE

    def put_in(self, seq, what):
        self.total += len(what)
        self.added.append((seq & 0xffffffff, self.total))
        return what

    def feed(self, seq, data, encrypt):
        """The payload at seq with everything inserted."""
        out, begin = bytearray(), seq
        for i, byte in enumerate(data):
            if not self.left:
                if not self.head:
                    begin = seq + i
                self.head += bytes([byte])
                if len(self.head) < self.need():
                    continue
                assert begin >= seq, "a head that is cut across segments"
                out += self.put_in(begin, self.packet(encrypt)) + self.head
                self.head = b""
            else:
                out.append(byte)
                self.left -= 1
            if not self.left and self.sealing:
                out += self.put_in(seq + i + 1, TAG)
        assert not self.head, "a head that is cut across segments"
        return bytes(out)


def encrypting(payload):
    """A PRELOGIN message that says ON. MS-TDS 2.2.6.5"""
    out = bytearray(payload)
    for at in range(8, len(out) - 5, 5):
        if out[at] == 0xff:
            break
        if out[at] == 1:
            out[8 + struct.unpack_from(">H", out, at + 1)[0]] = 1
    return bytes(out)


def seal(path, out_path):
    link, snap, frames = mangle.read(path)
    sides, expected, out, secret = {}, {}, [], False
    for f in frames:
        if f.src is None:
            continue
        me, peer = sides.setdefault(f.src, Side()), sides.setdefault(f.dst, Side())
        payload, seq, ack = f.payload, f.seq, f.ack
        assert not payload or expected.get(f.src, seq) == seq, "lost or sent again"
        if payload:
            expected[f.src] = seq + len(payload)
            if payload[0] in (0x12, 0x04) and payload[8] == 0:
                payload = encrypting(payload)
            secret = secret or payload[0] == 23 # LOGIN7
        new_seq = seq + me.shift(seq)
        payload = me.feed(seq, payload, secret)
        out.append(rebuild(f, new_seq, ack + peer.shift(ack) if f.flags & mangle.ACK else ack, payload))
    mangle.write(out_path, link, snap, out)


def merge(path, out_path):
    """At the place and the time of the last of the joined segments."""
    link, snap, frames = mangle.read(path)
    out, held = [], []

    def flush():
        if held:
            first, last = held[0], held[-1]
            out.append(rebuild(last, first.seq, last.ack, b"".join(h.payload for h in held)))
            held.clear()

    for f in frames:
        if held and (f.src != held[0].src and f.payload or f.flags & (mangle.SYN | mangle.FIN | mangle.RST)
                     or sum(len(h.payload) for h in held) + len(f.payload) > 60000):
            flush()
        if f.src is None or not f.payload:
            if not held:
                out.append(f)
            continue
        held.append(f)
    flush()
    mangle.write(out_path, link, snap, out)
