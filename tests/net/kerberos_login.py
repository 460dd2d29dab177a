#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logs in with python-tds as an integrated client does: HOST PORT SPN USER PASSWORD. By a Kerberos ticket for
SPN (KRB5_CONFIG and KRB5CCNAME say whose), or, without one, as USER by NTLM on the same connection."""
import socket
import sys

import gssapi
import pytds
from ntlm_auth.ntlm import NegotiateFlags, NtlmContext
from pytds import tds, tds_base

SSPI = 0x11  # MS-TDS 2.2.3.1.1; python-tds sends the client's tokens as logins


def process_auth(session):
    reader, writer = session._reader, session._writer  # pylint: disable=protected-access
    packet = session.authentication.handle_next(tds_base.readall(reader, reader.get_smallint()))
    if packet:
        writer.begin_packet(SSPI)
        writer.write(packet)
        writer.flush()


tds._token_map[tds_base.TDS_AUTH_TOKEN] = process_auth  # pylint: disable=protected-access


class Negotiate:
    """An authentication of python-tds. Its own NTLM is version 1, which domain controllers refuse."""

    def __init__(self, spn, user, password):
        domain, name = user.split("\\")
        self.spn, self.kerberos = spn, None
        self.ntlm = NtlmContext(name, password, domain, socket.gethostname())
        self.ntlm.negotiate_flags |= NegotiateFlags.NTLMSSP_REQUEST_TARGET  # as Windows does

    def create_packet(self):
        try:
            name = gssapi.Name(self.spn, gssapi.NameType.kerberos_principal)
            self.kerberos = gssapi.SecurityContext(name=name, usage="initiate", mech=gssapi.MechType.kerberos)
            return self.kerberos.step()
        except gssapi.exceptions.GSSError as e:
            print("no ticket:", e)
            self.kerberos = None
            return self.ntlm.step()

    def handle_next(self, packet):
        return None if self.kerberos else self.ntlm.step(packet)

    def close(self):
        pass


def main():
    host, port, spn, user, password = sys.argv[1:]
    with pytds.connect(host, port=int(port), auth=Negotiate(spn, user, password), autocommit=True, login_timeout=30,
                       disable_connect_retry=True):
        print("logged in")


main()
