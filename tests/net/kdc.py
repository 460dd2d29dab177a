# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A KDC of the test's own: Debian's krb5-kdc, its files in a folder, at an address of a namespace.

With Kdc(folder, "infra", "10.82.0.2", {"probe": "pw"}, ["MSSQLSvc/x:1433"]) as kdc: kdc.environment is what its
clients need; kdc.ticket(ns, user) fetches a ticket to begin with. Password None: a random key.
"""
import os
import shutil
import signal
import time

import netlib as net

REALM = "EXAMPLE.TEST"
CLIENT_CONF = """[libdefaults]
 default_realm = %(realm)s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 %(realm)s = {
  kdc = %(address)s
 }
"""
KDC_CONF = """[kdcdefaults]
 kdc_listen = %(address)s:88
 kdc_tcp_listen = %(address)s:88
[realms]
 %(realm)s = {
  database_name = %(folder)s/principal
  key_stash_file = %(folder)s/stash
 }
"""
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")


def missing():
    """The programs that are not there."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return [p for p in PROGRAMS if not shutil.which(p, path=path)]


class Kdc:
    def __init__(self, folder, ns, address, users, services):
        self.folder, self.ns, self.users, self.services = folder, ns, users, services
        words = {"realm": REALM, "address": address, "folder": folder}
        for name, text in (("krb5.conf", CLIENT_CONF), ("kdc.conf", KDC_CONF)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                f.write(text % words)
        self.environment = {"KRB5_CONFIG": os.path.join(folder, "krb5.conf"),
                            "KRB5CCNAME": "FILE:" + os.path.join(folder, "cache")}
        self.env = dict(os.environ, KRB5_KDC_PROFILE=os.path.join(folder, "kdc.conf"), **self.environment)
        self.process = None

    def __enter__(self):
        net.run(["/usr/sbin/kdb5_util", "create", "-s", "-P", "Master-1"], env=self.env)
        for user, password in self.users.items():
            self.admin("addprinc -pw %s %s" % (password, user))
        for service in self.services:
            self.admin("addprinc -randkey " + service)
        self.process = net.start(["/usr/sbin/krb5kdc", "-n"], self.ns, env=self.env)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        net.end(self.process)

    def admin(self, command):
        net.run(["/usr/sbin/kadmin.local", "-q", command], env=self.env)

    def ticket(self, ns, user):
        """A ticket-granting ticket, once the KDC answers."""
        for _ in range(50):
            done = net.run(["kinit", user], ns, check=False, env=self.env, input=self.users[user] + "\n", stdin=None)
            if not done.returncode:
                return
            time.sleep(0.1)
        raise RuntimeError("kinit: " + done.stdout)
