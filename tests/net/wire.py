# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A wire between a domain controller and other hosts, for tests. It can be long or cut, and the controller slow.

usage: wire.py CONTROLLER INTERFACE ...

The controller's frames come and go on the interface CONTROLLER, those of the other hosts on one INTERFACE each. A line of
JSON on standard input sets how it behaves from then on, and is answered by "done":
    delay_ms    each frame takes so long, in each direction
    dead        no frame comes through
    stop_ms     the processes stop_pids stand still for so long after each request to port stop_port, or after each
                Netlogon call where that is 0; their host's kernel goes on and acknowledges it
    refused     the controller's TCP port to which no connection comes about: each SYN is answered by a RST
It writes "listening" when it copies, and ends when it is killed.
"""
import heapq
import itertools
import json
import os
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL, PACKET_OUTGOING = 3, 4
IPV4, TCP, UDP, ETHERNET = b"\x08\0", 6, 17, 14
SYN, RST, ACK = 2, 4, 16
SMB2_IOCTL, IOCTL_INPUT = b"\x0b\0", 4 + 64 + 56
NETLOGON_CALLS = (2, 39, 45)  # SamLogon, SamLogonEx, SamLogonWithFlags: MS-NRPC 3.5.4.5


def port(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((name, ETH_P_ALL))
    sock.setblocking(False)
    return sock


def payload(frame):
    """(destination port, payload) of TCP and UDP, else (None, b"")."""
    if frame[12:14] != IPV4 or frame[ETHERNET + 9] not in (TCP, UDP):
        return None, b""
    head = ETHERNET + (frame[ETHERNET] & 15) * 4
    end = ETHERNET + struct.unpack_from(">H", frame, ETHERNET + 2)[0]
    size = (frame[head + 12] >> 4) * 4 if frame[ETHERNET + 9] == TCP else 8
    return struct.unpack_from(">H", frame, head + 2)[0], frame[head + size:end]


def is_netlogon_call(data):
    """On a TCP port of its own, or in a named pipe: MS-SMB2 2.2.31."""
    if data[4:8] == b"\xfeSMB" and data[16:18] == SMB2_IOCTL:
        data = data[IOCTL_INPUT:]
    return data[:3] == b"\5\0\0" and len(data) > 24 and struct.unpack_from("<H", data, 22)[0] in NETLOGON_CALLS


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", total ^ 0xffff)


def refusal(frame, refused):
    """The RST that answers a SYN to that port; None: the frame is something else."""
    at = ETHERNET + 20
    if not refused or frame[12:15] != IPV4 + b"\x45" or frame[ETHERNET + 9] != TCP or \
            frame[at + 2:at + 4] != struct.pack(">H", refused) or frame[at + 13] & (SYN | ACK) != SYN:
        return None
    ends = frame[ETHERNET + 16:at] + frame[ETHERNET + 12:ETHERNET + 16]
    ack = (struct.unpack_from(">I", frame, at + 4)[0] + 1) & 0xffffffff
    tcp = frame[at + 2:at + 4] + frame[at:at + 2] + struct.pack(">IIBBHHH", 0, ack, 5 << 4, RST | ACK, 0, 0, 0)
    tcp = tcp[:16] + checksum(ends + struct.pack(">HH", TCP, len(tcp)) + tcp) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, TCP, 0) + ends
    ip = ip[:10] + checksum(ip) + ip[12:]
    return frame[6:12] + frame[:6] + IPV4 + ip + tcp


def signal_all(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


class Wire:
    def __init__(self, controller, others):
        self.controller, self.others = controller, others
        self.where = {}  # the interface of each host, by its Ethernet address
        self.queue, self.serial = [], itertools.count()
        self.stops = 0  # that go on
        self.settings = {"delay_ms": 0, "dead": False, "stop_ms": 0, "stop_port": 0, "stop_pids": [],
                         "refused": 0}

    def at(self, wait_ms, act, *args):
        heapq.heappush(self.queue, (time.monotonic() + wait_ms / 1000, next(self.serial), act, args))

    def take(self, sock):
        """All frames that came in, each to go on at its time."""
        while True:
            try:
                frame, source = sock.recvfrom(65536)
            except BlockingIOError:
                return
            if source[2] != PACKET_OUTGOING:
                self.where[frame[6:12]] = sock
                self.at(self.settings["delay_ms"], self.send, sock, frame)

    def send(self, source, frame):
        if self.settings["dead"]:
            return
        if source is self.controller:
            for sock in [self.where[frame[:6]]] if frame[:6] in self.where else self.others:
                sock.send(frame)
            return
        rst = refusal(frame, self.settings["refused"])
        if rst:
            source.send(rst)
            return
        if self.settings["stop_ms"] and self.is_stopping(*payload(frame)):
            self.stops += 1
            signal_all(self.settings["stop_pids"], signal.SIGSTOP)
            self.at(self.settings["stop_ms"], self.resume, self.settings["stop_pids"])
        self.controller.send(frame)

    def is_stopping(self, to, data):
        wanted = self.settings["stop_port"]
        return bool(data) and (to == wanted if wanted else is_netlogon_call(data))

    def resume(self, pids):
        self.stops -= 1
        if not self.stops:
            signal_all(pids, signal.SIGCONT)

    def act(self):
        """Do what is due. Returns the time until there is more to do, None: nothing is waiting."""
        while self.queue:
            wait_s = self.queue[0][0] - time.monotonic()
            if wait_s > 0:
                return wait_s
            _, _, act, args = heapq.heappop(self.queue)
            act(*args)
        return None


def commands():
    """The settings of each line that has come in on standard input; its end ends the program."""
    text = os.read(0, 65536)
    if not text:
        sys.exit(0)
    return [json.loads(line) for line in text.splitlines()]


def main():
    ports = [port(name) for name in sys.argv[1:]]
    wire, poll = Wire(ports[0], ports[1:]), select.epoll()
    for fd in [0] + [sock.fileno() for sock in ports]:
        poll.register(fd, select.EPOLLIN)
    by_fd = {sock.fileno(): sock for sock in ports}
    print("listening", flush=True)
    while True:
        for fd, _ in poll.poll(wire.act()):
            if fd:
                wire.take(by_fd[fd])
                continue
            for settings in commands():
                wire.settings.update(settings)
                print("done", flush=True)


if __name__ == "__main__":
    main()
