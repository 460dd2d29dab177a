# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Adds accounts to a new domain, on its controller before that starts.

usage: domain_accounts.py KEYTAB USER=PASSWORD ... SERVICE=PASSWORD,SPN

The SPN is SQL Server's name, the last account's; its key goes into KEYTAB.
"""
import sys

import ldb
import samba.dckeytab  # export_keytab()  # pylint: disable=unused-import
from samba.auth import system_session
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB


def main():
    keytab, accounts = sys.argv[1], [a.split("=", 1) for a in sys.argv[2:]]
    lp = LoadParm()
    lp.load_default()
    samdb = SamDB(session_info=system_session(), lp=lp)
    account, words = accounts.pop()
    password, spn = words.split(",")
    for name, of in accounts + [(account, password)]:
        samdb.newuser(name, of)
    message = ldb.Message(samdb.search(expression="(sAMAccountName=%s)" % account, attrs=[])[0].dn)
    message["spn"] = ldb.MessageElement([spn], ldb.FLAG_MOD_ADD, "servicePrincipalName")
    samdb.modify(message)
    Net(None, lp).export_keytab(keytab=keytab, principal=spn)


main()
