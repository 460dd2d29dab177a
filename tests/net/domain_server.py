# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A TDS server that is a member of a domain: it asks samba's winbind about NTLM logins, and by that the domain controller.

usage: domain_server.py PORT USER PASSWORD

It opens Kerberos tickets with the keytab that KRB5_KTNAME names, and knows USER for itself. It writes "listening" when it
is. After the line "hold" on standard input it works on each login that it has verified until the line "go" comes; it
answers a line by "done". It ends when it is killed.
"""
import base64
import os
import queue
import socket
import struct
import subprocess
import sys
import threading

import gssapi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
import tdsbytes as tds  # noqa: E402

HELPERS = 8  # logins that can ask winbind at a time
NTLM, NTLM_FLAGS_AT = b"NTLMSSP\0", 12  # MS-NLMP 2.2.1.1
NTLM_TARGET_ASKED = 4
NTLM_TARGET = 0x00800004  # the server is to say its names: Windows does so without being asked, FreeTDS needs them
NEGOTIATE = base64.b64encode(NTLM + struct.pack("<IIQQ", 1, 0x00088207 | NTLM_TARGET, 0, 0)).decode()
TICKET = {"usage": "accept"}
VERIFIED = threading.Event()  # set: a login that was verified goes on at once
LOGON_FAILED, UNTRUSTED = 18456, 18452


class Helper:
    """ntlm_auth, which asks winbind: one login at a time."""

    def __init__(self):
        self.process = subprocess.Popen(["ntlm_auth", "--helper-protocol=squid-2.5-ntlmssp"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ask("YR " + NEGOTIATE)  # now it knows the domain's names, and no login waits for that

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()


def receive(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def message(sock):
    """(type, payload) of the next message."""
    payload, last = b"", False
    while not last:
        kind, status, length = struct.unpack(">BBH", receive(sock, 8)[:4])
        payload, last = payload + receive(sock, length - 8), status & 1
    return kind, payload


def field(login, at, size=2):
    """A field of a LOGIN7 by the place of its offset and length: MS-TDS 2.2.6.4."""
    start, count = struct.unpack("<HH", login[at:at + 4])
    return login[start:start + count * size]


def plain(password):
    """What a LOGIN7 has scrambled."""
    return bytes((b ^ 0xa5) >> 4 | (b ^ 0xa5) << 4 & 0xf0 for b in password).decode("utf-16-le")


def sspi(blob):
    return tds.tds(tds.RESULT, tds.token(0xed, blob))


def ntlm(sock, negotiate, helpers):
    """None if the domain controller accepts the login, else the error's number."""
    flags = struct.unpack_from("<I", negotiate, NTLM_FLAGS_AT)[0]
    if not flags & NTLM_TARGET_ASKED:
        negotiate = negotiate[:NTLM_FLAGS_AT] + struct.pack("<I", flags | NTLM_TARGET) + negotiate[NTLM_FLAGS_AT + 4:]
    helper = helpers.get()
    try:
        answer = helper.ask("YR " + base64.b64encode(negotiate).decode())
        if answer[0] != "TT":
            return UNTRUSTED
        sock.sendall(sspi(base64.b64decode(answer[1])))
        answer = helper.ask("KK " + base64.b64encode(message(sock)[1]).decode())
    finally:
        helpers.put(helper)
    if answer[0] == "AF":
        return None
    return LOGON_FAILED if "NT_STATUS_WRONG_PASSWORD" in answer or "NT_STATUS_LOGON_FAILURE" in answer else UNTRUSTED


def kerberos(sock, ticket):
    context = gssapi.SecurityContext(creds=gssapi.Credentials(**TICKET), **TICKET)
    try:
        answer = context.step(ticket)
    except gssapi.exceptions.GSSError as e:
        print("ticket:", e, file=sys.stderr)
        return UNTRUSTED
    if answer:
        sock.sendall(sspi(answer))
    return None if context.complete else UNTRUSTED


def verify(sock, login, helpers, known):
    blob = field(login, 78, 1)
    if blob.startswith(NTLM):
        return ntlm(sock, blob, helpers)
    if blob:
        return kerberos(sock, blob)
    user, password = field(login, 40).decode("utf-16-le"), plain(field(login, 44))
    return None if (user, password) == known else LOGON_FAILED


def result(batch):
    """The answer of the query that the clients send, of one row."""
    if "42" not in batch:
        return tds.answer(tds.done())
    columns = b"\x81" + struct.pack("<HIHB", 1, 0, 0, 0x38) + tds.b_varchar("answer")  # INT4
    return tds.answer(columns + b"\xd1" + struct.pack("<i", 42) + b"\xfd" + struct.pack("<HHQ", 0x10, 0xc1, 1))


def serve(sock, helpers, known):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    message(sock)
    sock.sendall(tds.prelogin_reply(tds.NOT_SUP))
    error = verify(sock, message(sock)[1], helpers, known)
    VERIFIED.wait()
    if error:
        sock.sendall(tds.answer(tds.error(error, "Login failed."), tds.done(2)))
        return
    sock.sendall(tds.success())
    while True:
        kind, payload = message(sock)
        sock.sendall(result(payload.decode("utf-16-le", "replace") if kind == tds.BATCH else ""))


def converse(*args):
    with args[0]:
        try:
            serve(*args)
        except (EOFError, OSError):
            pass


def listen(port, known):
    helpers = queue.Queue()
    for _ in range(HELPERS):
        helpers.put(Helper())
    with socket.create_server(("", port), backlog=64) as listener:
        print("listening", flush=True)
        while True:
            threading.Thread(target=converse, args=(listener.accept()[0], helpers, known), daemon=True).start()


def obey():
    for line in sys.stdin:
        if line == "go\n":
            VERIFIED.set()
        else:
            VERIFIED.clear()
        print("done", flush=True)


def main():
    port, user, password = sys.argv[1:]
    VERIFIED.set()
    threading.Thread(target=obey, daemon=True).start()
    listen(int(port), (user, password))


if __name__ == "__main__":
    main()
