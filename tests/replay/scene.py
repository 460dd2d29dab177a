# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Make a capture of what a client, a server and the path between them did, packet by packet.

A Scene holds connections, each with its own clock: every packet comes so many milliseconds after the one before it.
Nothing is random, so a scene makes the same file each time. The messages' bytes are in tdsbytes.py.
"""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 0, 1
MSS = 1460
START_NS = 1600000000 * 1000000000


def ms(value):
    return int(round(value * 1000000))


class Connection:
    """One TCP connection. Times are milliseconds after its previous packet, or after the scene's start."""

    def __init__(self, scene, at, client, server):
        self.scene, self.now = scene, START_NS + ms(at)
        self.ends = [client, server]
        self.seq = [1000000, 5000000] # of each side's next byte
        self.ttl = [64, 128]
        self.window = [512, 512]

    def packet(self, side, flags, payload=b"", after=0.1, seq=None, ack=None, ttl=None, window=None):
        """A side's packet as given; the side's position in its stream does not move."""
        self.now += ms(after)
        seq = self.seq[side] if seq is None else seq
        ack = self.seq[not side] if ack is None else ack
        self.scene.add(self.now, self.ends[side], self.ends[not side], seq, ack if flags & ACK else 0, flags,
                       self.window[side] if window is None else window, ttl or self.ttl[side], payload)

    def send(self, side, flags, payload=b"", after=0.1, **other):
        """The next packet of a side."""
        self.packet(side, flags, payload, after, **other)
        self.seq[side] += len(payload) + bool(flags & SYN) + bool(flags & FIN)

    def syn(self, after=0):
        self.packet(CLIENT, SYN, after=after)

    def syn_ack(self, after=0.1):
        self.packet(SERVER, SYN | ACK, after=after, ack=self.seq[CLIENT] + 1)

    def ack(self, side=CLIENT, after=0.1):
        self.packet(side, ACK, after=after)

    def connect(self, after=0, to_server=0.1, to_client=0.1):
        """The handshake; to_server, to_client: the path's time in each direction."""
        self.syn(after)
        self.syn_ack(to_server)
        self.seq = [n + 1 for n in self.seq]
        self.ack(CLIENT, to_client)
        return self

    def data(self, side, payload, after=1.0):
        """A side's data, in segments of 1,460 bytes without pauses."""
        for at in range(0, len(payload), MSS):
            self.send(side, ACK | PSH, payload[at:at + MSS], after if at == 0 else 0.01)
        return self

    def client(self, payload, after=1.0):
        return self.data(CLIENT, payload, after)

    def server(self, payload, after=1.0):
        return self.data(SERVER, payload, after)

    def fin(self, side, after=1.0):
        self.send(side, ACK | FIN, after=after)
        return self

    def rst(self, side, after=1.0, ttl=None):
        self.packet(side, RST | ACK, after=after, ttl=ttl)
        return self

    def close(self, after=1.0):
        """The four-way close, the client first."""
        self.fin(CLIENT, after)
        self.fin(SERVER, 0.1)
        self.ack(CLIENT, 0.1)
        return self

    def keep_alive(self, side, after=1000.0, payload=b"\0"):
        """A probe: the last byte again, or no byte."""
        self.packet(side, ACK, payload, after, seq=self.seq[side] - 1)


class Scene:
    """The packets of all connections, by time."""

    def __init__(self):
        self.packets, self.port = [], 50000
        self.errorlog = None # errorlog.Log: the server's
        self.snap = 262144 # bytes of each frame that are captured
        self.sort = True # order the file's packets by time

    def connection(self, at=0.0, client="10.1.0.1", server="10.1.0.2", port=1433, client_port=None):
        """A connection whose clock begins at ms after the scene's start."""
        self.port += 1
        return Connection(self, at, (client, client_port or self.port), (server, port))

    def add(self, ts_ns, source, to, seq, ack, flags, window, ttl, payload):
        tcp = struct.pack(">HHIIBBHHH", source[1], to[1], seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags,
                          window, 0, 0) + payload
        self._frame(ts_ns, source, to, 6, ttl, tcp)

    def datagram(self, at, source, to, payload):
        """A UDP packet so many ms after the start; source, to: (address, port)."""
        udp = struct.pack(">HHHH", source[1], to[1], 8 + len(payload), 0) + payload
        self._frame(START_NS + ms(at), source, to, 17, 64, udp)

    def _frame(self, ts_ns, source, to, protocol, ttl, body):
        src, dst = ipaddress.ip_address(source[0]), ipaddress.ip_address(to[0])
        if src.version == 4:
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, ttl, protocol, 0)
            kind = 0x0800
        else:
            ip = struct.pack(">IHBB", 6 << 28, len(body), protocol, ttl)
            kind = 0x86dd
        ip += src.packed + dst.packed
        self.packets.append((ts_ns, b"\2\0\0\0\0\1\2\0\0\0\0\2" + struct.pack(">H", kind) + ip + body))

    def idle_until(self, at):
        """A packet of another connection so many ms after the start: the capture went on until then."""
        other = Connection(self, at, ("10.9.9.9", 40000), ("10.9.9.8", 9))
        other.packet(CLIENT, ACK, after=0)

    def write(self, path):
        """A pcap file with nanosecond times, Ethernet."""
        parts = [struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, self.snap, 1)]
        for ts_ns, data in sorted(self.packets, key=lambda p: p[0]) if self.sort else self.packets:
            held = data[:self.snap]
            parts.append(struct.pack("<IIII", ts_ns // 1000000000, ts_ns % 1000000000, len(held), len(data)))
            parts.append(held)
        with open(path, "wb") as out:
            out.write(b"".join(parts))
