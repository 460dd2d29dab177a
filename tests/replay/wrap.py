# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Put a capture's frames into tunnels, as mirrors, overlays and access networks do.

usage: wrap.py KIND ID IN.pcap OUT.pcap           KIND: one of KINDS below

Reads the same files as mangle.py, but only Ethernet. Outer checksums are left out where that is allowed.
"""
import struct
import sys

import mangle

MACS = bytes.fromhex("020000000a02020000000a01")
OUTER4 = (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
OUTER6 = (bytes.fromhex("20010db8000a00000000000000000001"), bytes.fromhex("20010db8000a00000000000000000002"))


def ip4(protocol, payload):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0) + OUTER4[0] + OUTER4[1]
    return MACS + b"\x08\x00" + head[:10] + struct.pack(">H", mangle.checksum(head)) + head[12:] + payload


def ip6(next_header, payload):
    return MACS + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(payload), next_header, 64) + \
        OUTER6[0] + OUTER6[1] + payload


def udp(port, payload):
    return struct.pack(">HHHH", 50001, port, 8 + len(payload), 0) + payload


def vxlan(frame, vni):
    return struct.pack(">II", 0x08000000, vni << 8) + frame


def geneve(payload, vni, ether_type=0x6558, options=b""):
    return struct.pack(">BBHI", len(options) // 4, 0, ether_type, vni << 8) + options + payload


def ip_of(frame):
    """The EtherType and the packet of a frame without tags."""
    return struct.unpack_from(">H", frame, 12)[0], frame[14:]


# As a gateway load balancer sends them: endpoint, attachment, flow cookie.
GWLB = bytes.fromhex("010801020123456789abcdef01080202fedcba98765432100108030100c0ffee")


def gwlb(frame, vni):
    ether_type, packet = ip_of(frame)
    return ip4(17, udp(6081, geneve(packet, vni, ether_type, GWLB)))


def gre_ip(frame, key):
    ether_type, packet = ip_of(frame)
    return ip4(47, struct.pack(">HHI", 0x2000, ether_type, key) + packet)


def erspan(frame, session):
    return ip4(47, struct.pack(">HHIHHI", 0x1000, 0x88be, 1, 0x1000, 0x1800 | session, 3) + frame)


def erspan3(frame, session):
    return ip4(47, struct.pack(">HHIHHIHH", 0x1000, 0x22eb, 1, 0x2000, session, 5, 0, 0) + frame)


def labels(frame, _):
    return MACS + b"\x88\x47" + struct.pack(">II", 16 << 12 | 64, 17 << 12 | 0x140) + frame[14:]


def pseudowire(frame, _):
    return MACS + b"\x88\x47" + struct.pack(">II", 16 << 12 | 0x1ff, 0) + frame


def pppoe(frame, _):
    ether_type, packet = ip_of(frame)
    protocol = 0x21 if ether_type == 0x0800 else 0x57
    return MACS + b"\x88\x64" + struct.pack(">HHHH", 0x1100, 1, len(packet) + 2, protocol) + packet


def in_ip(frame, _):
    ether_type, packet = ip_of(frame)
    return ip4(4 if ether_type == 0x0800 else 41, packet)


# By name: a function from a frame and an id to a frame, and the tunnel that the records name.
KINDS = {
    "vxlan": (lambda f, n: ip4(17, udp(4789, vxlan(f, n))), "vxlan"),
    "vxlan-8472": (lambda f, n: ip4(17, udp(8472, vxlan(f, n))), "vxlan"),
    "vxlan-ipv6": (lambda f, n: ip6(17, udp(4789, vxlan(f, n))), "vxlan"),
    "vxlan-fcs": (lambda f, n: ip4(17, udp(4789, vxlan(f + b"\xca\xfe\xba\xbe", n))), "vxlan"),
    "geneve": (lambda f, n: ip4(17, udp(6081, geneve(f, n))), "geneve"),
    "geneve-gwlb": (gwlb, "geneve"),
    "gre": (gre_ip, "gre"),
    "gre-frame": (lambda f, n: ip4(47, struct.pack(">HHI", 0x2000, 0x6558, n) + f), "gre"),
    "gre-no-key": (lambda f, n: ip6(47, struct.pack(">HH", 0, 0x6558) + f), "gre"),
    "erspan-1": (lambda f, n: ip4(47, struct.pack(">HH", 0, 0x88be) + f), "erspan"),
    "erspan-2": (erspan, "erspan"),
    "erspan-3": (erspan3, "erspan"),
    "vxlan-in-erspan": (lambda f, n: erspan(ip4(17, udp(4789, vxlan(f, n))), 9), "vxlan"),
    "mpls": (labels, None),
    "mpls-frame": (pseudowire, None),
    "pppoe": (pppoe, None),
    "vntag": (lambda f, n: f[:12] + b"\x89\x26\x00\x01\x00\x01" + f[12:], None),
    "three-tags": (lambda f, n: f[:12] + bytes.fromhex("88a80064" "81000065" "81000066") + f[12:], None),
    "ip-in-ip": (in_ip, None),
}
NO_ID = ("gre-no-key", "erspan-1")


def tunnel(kind, number):
    """The tunnel that the records must name."""
    name = KINDS[kind][1]
    return name and {"kind": name, "id": None if kind in NO_ID else number}


def wrap(kind, number, frames):
    out = []
    for f in frames:
        data = KINDS[kind][0](f.data, number)
        out.append(mangle.Frame(f.ts_ns, data, len(data)))
    return out


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in KINDS:
        sys.exit(__doc__.strip() + "\n" + " ".join(KINDS))
    link, _, frames = mangle.read(sys.argv[3])
    if link != mangle.ETHERNET:
        sys.exit("%s: not Ethernet" % sys.argv[3])
    mangle.write(sys.argv[4], link, 262144, wrap(sys.argv[1], int(sys.argv[2]), frames))


if __name__ == "__main__":
    main()
