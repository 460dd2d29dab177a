#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""SQL Server Browser for tests: answers questions on UDP 1434 (MC-SQLR 2.2).

usage: browserd.py LISTEN NAME=PORT[:DROP]...

LISTEN is an address. To the first DROP questions for an instance there is no answer, nor to one for
a name that is not listed. Prints "listening" once it does.
"""
import socket
import struct
import sys

BCAST_EX, UCAST_EX, UCAST_INST, UCAST_DAC, SVR_RESP = 2, 3, 4, 15, 5
VERSION = "16.0.1000.6"


class Instance:
    def __init__(self, word):
        self.name, _, rest = word.partition("=")
        port, _, drop = rest.partition(":")
        self.port, self.drop = int(port), int(drop or 0)

    def text(self):
        return "ServerName;TEST;InstanceName;%s;IsClustered;No;Version;%s;tcp;%d;np;\\\\TEST\\pipe\\%s;;" % (
            self.name, VERSION, self.port, self.name)


def answer(text):
    data = text.encode("latin-1")
    return struct.pack("<BH", SVR_RESP, len(data)) + data


def answer_to(question, instances):
    """The answer, or None."""
    kind = question[0] if question else 0
    if kind in (BCAST_EX, UCAST_EX):
        return answer("".join(i.text() for i in instances.values()))
    if kind not in (UCAST_INST, UCAST_DAC):
        return None
    name = question[2 if kind == UCAST_DAC else 1:].split(b"\0")[0].decode("latin-1")
    instance = instances.get(name.lower())
    if not instance:
        return None
    if instance.drop:
        instance.drop -= 1
        return None
    if kind == UCAST_DAC:
        return struct.pack("<BHBH", SVR_RESP, 6, 1, instance.port)
    return answer(instance.text())


def main():
    address, words = sys.argv[1], sys.argv[2:]
    instances = {i.name.lower(): i for i in map(Instance, words)}
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.bind((address, 1434))
        print("listening", flush=True)
        while True:
            question, client = s.recvfrom(4096)
            data = answer_to(question, instances)
            if data:
                s.sendto(data, client)


main()
