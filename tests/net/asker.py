# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A relay that asks a service before it passes on one message of a login, for tests: so a server that asks a
directory, or a client that fetches a revocation list, looks from outside.

usage: asker.py PORT HOST:PORT WHEN KIND ADDRESS

It listens on PORT of every address and connects to HOST:PORT. WHEN is login7 (the client's login), or
certificate (the server's part of the TLS handshake). KIND is ldap, http or https. It writes
"listening" when it is, and ends when it is killed.
"""
import socket
import sys
import threading

PRELOGIN, LOGIN7 = 0x12, 0x10  # TDS packet types
TLS_HANDSHAKE, TDS_HEADER = 0x16, 8
REQUESTS = {"ldap": (389, b"\x30\x0c\x02\x01\x02\x63\x07\x04\x05dc=ex"),
            "http": (80, b"GET /ca.crl HTTP/1.1\r\nHost: crl.example.test\r\n\r\n"),
            "https": (443, b"\x16\x03\x01\0\x04\x01\0\0\0")}


def ask(kind, address):
    port, request = REQUESTS[kind]
    with socket.create_connection((address, port)) as conn:
        conn.sendall(request)
        conn.recv(65536)


def is_it(when, from_client, data):
    if when == "login7":
        return from_client and data[0] == LOGIN7
    return not from_client and data[0] == PRELOGIN and len(data) > TDS_HEADER + 1 and \
        data[TDS_HEADER] == TLS_HANDSHAKE


def pump(source, sink, from_client, when, request):
    try:
        while data := source.recv(65536):
            if request and is_it(when, from_client, data):
                ask(*request)
                request = None
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(client, target, when, request):
    with client, socket.create_connection(target) as server:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=pump, args=(server, client, False, when, request))
        back.start()
        pump(client, server, True, when, request)
        back.join()


def main():
    port, target, when, kind, address = sys.argv[1:]
    host, target_port = target.rsplit(":", 1)
    with socket.create_server(("", int(port))) as listener:
        print("listening", flush=True)
        while True:
            threading.Thread(target=relay, daemon=True,
                             args=(listener.accept()[0], (host, int(target_port)), when, (kind, address))).start()


if __name__ == "__main__":
    main()
