#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logs in with pymssql: HOST PORT USER PASSWORD [default|none|login|full]; see clients.py."""
import os
import sys
import tempfile

# FreeTDS's settings; pymssql has none of its own for encryption.
ENCRYPTION = {"default": "", "none": "encryption = off", "login": "encryption = request",
              "full": "encryption = require"}


def main():
    host, port, user, password = sys.argv[1:5]
    encrypt = sys.argv[5] if len(sys.argv) > 5 else "default"
    if encrypt not in ENCRYPTION:
        sys.exit("pymssql: cannot do " + encrypt)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write("[server]\nhost = %s\nport = %s\ntds version = 7.4\n%s\n" %
                   (host, port, ENCRYPTION[encrypt]))
        conf.flush()
        os.environ["FREETDSCONF"] = conf.name
        import pymssql
        try:
            query(pymssql, port, user, password)
        except pymssql.Error as e:
            sys.exit("pymssql: %s" % (e,))


def query(pymssql, port, user, password):
    text = os.environ.get("QUERY")
    # The port is given again: pymssql's default would win over the section's.
    connection = pymssql.connect(
        server="server", port=port, user=user, password=password,
        database=os.environ.get("DATABASE", ""), login_timeout=int(os.environ.get("LOGIN_TIMEOUT", "15")), autocommit=True)
    cursor = connection.cursor()
    cursor.execute(text or "select 42 as answer")
    rows = cursor.fetchall() if cursor.description else []
    print(len(rows), "rows", rows[:1])
    connection.close()
    if not text and rows != [(42,)]:
        sys.exit("pymssql: wrong answer")


main()
