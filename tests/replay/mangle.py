# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Turn a capture into what a worse network, or a worse tap, would have made of it.

usage: mangle.py KIND IN.pcap OUT.pcap
  bytes     each TCP payload in one-byte segments; in captures of more than 60 kB, only the first 16 kB
            of each direction
  doubled   each frame twice
  reversed  frames reversed within windows of eight; the sequence of times in the file stays
  holesN    every tenth TCP segment removed, beginning with the N-th, N = 0..9

Reads classic pcap, Ethernet (also with VLAN tags) or Linux SLL, IPv4 and IPv6. Frames that are not a
complete TCP segment over these (fragments, truncated frames, UDP) are copied unchanged.
"""
import struct
import sys

ETHERNET, SLL = 1, 113
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
LARGE_CAPTURE = 60000 # bytes of payload
CUT_OF_LARGE = 16384  # bytes of a direction
WINDOW = 8
HOLE_EVERY = 10


class Frame:
    """One frame; for a TCP segment also its header's fields, otherwise src is None."""

    def __init__(self, ts_ns, data, wire_len):
        self.ts_ns, self.data, self.wire_len = ts_ns, data, wire_len
        self.src = self.dst = None # (address bytes, port)
        self.seq = self.ack = self.flags = 0
        self.ip_at = self.tcp_at = self.payload_at = 0
        self.payload = b""

    @property
    def space(self):
        """Sequence numbers that it takes up."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    def at(self, ts_ns):
        """The same frame at another time."""
        other = Frame.__new__(Frame)
        other.__dict__.update(self.__dict__)
        other.ts_ns = ts_ns
        return other


def read(path):
    """(link type, snap length, frames) of a classic pcap file."""
    with open(path, "rb") as f:
        blob = f.read()
    magics = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}
    for order in "<>":
        unit = magics.get(struct.unpack_from(order + "I", blob)[0])
        if unit:
            break
    else:
        raise ValueError("%s: no pcap file" % path)
    snap, link = struct.unpack_from(order + "II", blob, 16)
    frames, at = [], 24
    while at + 16 <= len(blob):
        sec, sub, cap_len, wire_len = struct.unpack_from(order + "IIII", blob, at)
        at += 16
        frame = Frame(sec * 1000000000 + sub * unit, blob[at:at + cap_len], wire_len)
        dissect(frame, link)
        frames.append(frame)
        at += cap_len
    return link, snap, frames


def write(path, link, snap, frames):
    """A pcap file with nanosecond times."""
    parts = [struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, snap, link)]
    for f in frames:
        parts.append(struct.pack("<IIII", f.ts_ns // 1000000000, f.ts_ns % 1000000000, len(f.data), f.wire_len))
        parts.append(f.data)
    with open(path, "wb") as out:
        out.write(b"".join(parts))


def dissect(frame, link):
    """Fill in a frame's TCP fields, if it is one complete TCP segment."""
    data = frame.data
    if len(data) != frame.wire_len:
        return
    type_at = {ETHERNET: 12, SLL: 14}.get(link)
    if type_at is None or len(data) < type_at + 2:
        return
    ether_type = struct.unpack_from(">H", data, type_at)[0]
    while ether_type in (0x8100, 0x88a8) and len(data) >= type_at + 6:
        type_at += 4
        ether_type = struct.unpack_from(">H", data, type_at)[0]
    ip = type_at + 2
    if ether_type == 0x0800 and len(data) >= ip + 20:
        tcp = ip + (data[ip] & 15) * 4
        end = ip + struct.unpack_from(">H", data, ip + 2)[0]
        fragment = struct.unpack_from(">H", data, ip + 6)[0] & 0x3fff
        if data[ip + 9] != 6 or fragment:
            return
        src, dst = data[ip + 12:ip + 16], data[ip + 16:ip + 20]
    elif ether_type == 0x86dd and len(data) >= ip + 40:
        tcp = ip + 40
        end = tcp + struct.unpack_from(">H", data, ip + 4)[0]
        if data[ip + 6] != 6: # extension headers: copied unchanged
            return
        src, dst = data[ip + 8:ip + 24], data[ip + 24:ip + 40]
    else:
        return
    if end > len(data) or tcp + 20 > end:
        return
    sport, dport, seq, ack, offset, flags = struct.unpack_from(">HHIIBB", data, tcp)
    payload = tcp + (offset >> 4) * 4
    if payload > end or payload < tcp + 20:
        return
    frame.src, frame.dst = (src, sport), (dst, dport)
    frame.seq, frame.ack, frame.flags = seq, ack, flags
    frame.ip_at, frame.tcp_at, frame.payload_at = ip, tcp, payload
    frame.payload = data[payload:end]


def checksum(*parts):
    """RFC 1071, over the concatenated parts; all but the last have an even length."""
    total = 0
    for part in parts:
        if len(part) & 1:
            part += b"\0"
        total += sum(struct.unpack(">%dH" % (len(part) // 2), part))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def segment(frame, start, end):
    """The frame with only payload[start:end], as a sender would have sent it."""
    head = bytearray(frame.data[:frame.payload_at])
    ip, tcp, payload = frame.ip_at, frame.tcp_at, frame.payload[start:end]
    if end < len(frame.payload):
        head[tcp + 13] &= ~(FIN | PSH)
    struct.pack_into(">I", head, tcp + 4, (frame.seq + start) & 0xffffffff)
    tcp_len = len(head) - tcp + len(payload)
    if head[ip] >> 4 == 4:
        struct.pack_into(">H", head, ip + 2, tcp - ip + tcp_len)
        struct.pack_into(">H", head, ip + 10, 0)
        struct.pack_into(">H", head, ip + 10, checksum(bytes(head[ip:tcp])))
        pseudo = bytes(head[ip + 12:ip + 20]) + struct.pack(">HH", 6, tcp_len)
    else:
        struct.pack_into(">H", head, ip + 4, tcp_len)
        pseudo = bytes(head[ip + 8:ip + 40]) + struct.pack(">II", tcp_len, 6)
    struct.pack_into(">H", head, tcp + 16, 0)
    struct.pack_into(">H", head, tcp + 16, checksum(pseudo, bytes(head[tcp:]), payload))
    data = bytes(head) + payload
    out = frame.at(frame.ts_ns)
    out.data, out.wire_len, out.payload = data, len(data), payload
    out.seq, out.flags = (frame.seq + start) & 0xffffffff, head[tcp + 13]
    return out


def cut_to_bytes(frames):
    large = sum(len(f.payload) for f in frames) > LARGE_CAPTURE
    seen, out = {}, []
    for f in frames:
        n = len(f.payload)
        if n < 2 or f.flags & (SYN | URG):
            out.append(f)
            continue
        cut = min(n, max(0, CUT_OF_LARGE - seen.get((f.src, f.dst), 0))) if large else n
        seen[(f.src, f.dst)] = seen.get((f.src, f.dst), 0) + n
        out += [segment(f, i, i + 1) for i in range(cut)]
        if cut < n:
            out.append(segment(f, cut, n))
    return out


def double(frames):
    return [f for f in frames for _ in range(2)]


def reverse(frames):
    out = []
    for at in range(0, len(frames), WINDOW):
        window = frames[at:at + WINDOW]
        out += [f.at(t.ts_ns) for f, t in zip(reversed(window), window)]
    return out


def snapped(frame, length):
    """The frame in a capture with that snap length."""
    out = frame.at(frame.ts_ns)
    out.data = frame.data[:length]
    return out


def make_holes(frames, first):
    """(remaining frames, removed frames)"""
    left, removed, number = [], [], 0
    for f in frames:
        if f.src is not None:
            number += 1
            if (number - 1) % HOLE_EVERY == first:
                removed.append(f)
                continue
        left.append(f)
    return left, removed


KINDS = {"bytes": cut_to_bytes, "doubled": double, "reversed": reverse}
for _first in range(HOLE_EVERY):
    KINDS["holes%d" % _first] = lambda frames, first=_first: make_holes(frames, first)[0]


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in KINDS:
        sys.stderr.write(__doc__)
        return 2
    link, snap, frames = read(sys.argv[2])
    write(sys.argv[3], link, snap, KINDS[sys.argv[1]](frames))
    return 0


if __name__ == "__main__":
    sys.exit(main())
