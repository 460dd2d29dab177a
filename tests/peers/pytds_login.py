#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logs in with python-tds: HOST PORT USER PASSWORD [default|none|login|full]; see clients.py."""
import os
import sys

import pytds


def log_keys(path):
    """What SSLKEYLOGFILE asks for, which pyOpenSSL does not do by itself."""
    from OpenSSL import SSL  # pylint: disable=import-outside-toplevel
    begin = SSL.Context.__init__

    def log(_connection, line):
        with open(path, "ab") as f:
            f.write(line + b"\n")

    def begin_with_log(self, *arguments):
        begin(self, *arguments)
        self.set_keylog_callback(log)

    SSL.Context.__init__ = begin_with_log


def main():
    if "SSLKEYLOGFILE" in os.environ:
        log_keys(os.environ["SSLKEYLOGFILE"])
    host, port, user, password = sys.argv[1:5]
    encrypt = sys.argv[5] if len(sys.argv) > 5 else "default"
    options = {}
    if encrypt in ("login", "full"):
        # python-tds only uses TLS if it is given an authority.
        options = {"cafile": os.environ["CAFILE"], "validate_host": False,
                   "enc_login_only": encrypt == "login"}
    elif encrypt not in ("default", "none"):
        sys.exit("pytds: cannot do " + encrypt)
    instance = os.environ.get("INSTANCE")
    where = {"server": host + "\\" + instance} if instance else {"server": host, "port": int(port)}
    connection = pytds.connect(
        **where, database=os.environ.get("DATABASE"), user=user,
        password=password, use_mars=os.environ.get("MARS") == "1", autocommit=True,
        login_timeout=int(os.environ.get("LOGIN_TIMEOUT", "15")), disable_connect_retry=True,
        **options)
    query = os.environ.get("QUERY")
    with connection:
        # Under MARS each cursor has a session of its own.
        cursors = [connection.cursor() for _ in range(2 if os.environ.get("MARS") == "1" else 1)]
        for cursor in cursors:
            cursor.execute(query or "select 42 as answer")
        for cursor in cursors:
            rows = cursor.fetchall() if cursor.description else []
            print(len(rows), "rows", rows[:1])
            if not query and [tuple(r) for r in rows] != [(42,)]:
                sys.exit("pytds: wrong answer")


try:
    main()
except pytds.Error as e:
    sys.exit("pytds: %s: %s" % (getattr(e, "msg_no", ""), e))
