# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Services that a login depends on, for tests: each answers late or not at all, as its arguments say.

usage: companions.py dns ADDRESS DELAYS NAME=ADDRESS ...    a name server on UDP 53
       companions.py ldap ADDRESS DELAY                     a directory on TCP 389
       companions.py http ADDRESS DELAY                     a web server on TCP 80
       companions.py https ADDRESS DELAY                    something on TCP 443 that answers once

DELAYS: seconds for each query in turn, the last for all that follow; "-" answers nothing. It writes
"listening" when it is, and ends when it is killed.
"""
import socket
import struct
import sys
import threading
import time

LDAP_RESULT = {0x60: 0x61, 0x63: 0x65}  # RFC 4511: bind, search and what ends them


def question_end(query):
    at = 12
    while query[at]:
        at += 1 + query[at]
    return at + 1


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower()


def dns_answer(query, names):
    end = question_end(query)
    kind = struct.unpack(">H", query[end:end + 2])[0]
    address = names.get(name_of(query))
    answers = [b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)] if address and kind == 1 else []
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if address else 3), 1, len(answers), 0, 0)
    return head + query[12:end + 4] + b"".join(answers)


def dns(address, delays, names):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    print("listening", flush=True)
    while True:
        query, peer = sock.recvfrom(2048)
        delay = delays.pop(0) if len(delays) > 1 else delays[0]
        if delay != "-":
            threading.Timer(float(delay), sock.sendto, (dns_answer(query, names), peer)).start()


def ldap_answer(request):
    """The result of an LDAP request with a short length and a one-byte message id."""
    operation = request[5]
    return b"\x30\x0c\x02\x01" + request[4:5] + bytes([LDAP_RESULT.get(operation, 0x65)]) + b"\x07\x0a\x01\0\x04\0\x04\0"


ANSWERS = {"ldap": (389, ldap_answer),
           "http": (80, lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
           "https": (443, lambda _: b"\x16\x03\x03\0\x04\x02\0\0\0")}


def converse(conn, delay, answer):
    with conn:
        while request := conn.recv(65536):
            time.sleep(delay)
            conn.sendall(answer(request))


def main():
    kind, address = sys.argv[1:3]
    if kind == "dns":
        dns(address, sys.argv[3].split(","), dict(n.split("=") for n in sys.argv[4:]))
    port, answer = ANSWERS[kind]
    with socket.create_server((address, port)) as listener:
        print("listening", flush=True)
        while True:
            conn = listener.accept()[0]
            threading.Thread(target=converse, args=(conn, float(sys.argv[3]), answer), daemon=True).start()


if __name__ == "__main__":
    main()
