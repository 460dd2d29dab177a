# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A Windows domain of the test's own: samba as its domain controller, winbind on a server that is a member of it.

Each host of it has its own directories of samba's, /etc/hosts, resolv.conf and name, in a mount namespace of its
own, and its processes in a process namespace: nothing of it is to be seen elsewhere, and nothing is left.
"""
import os
import shutil

import netlib as net
import kdc

REALM, DOMAIN, SUFFIX = kdc.REALM, "EXAMPLE", "example.test"
ADMINISTRATOR, SERVICE = "Administrator", "svcsql"
PASSWORDS = {ADMINISTRATOR: "Quince-Admin-41", SERVICE: "Quince-Service-41"}
SPN = "MSSQLSvc/sql.%s:1433" % SUFFIX
PROGRAMS = ("samba", "samba-tool", "winbindd", "ntlm_auth", "net", "kinit", "ethtool")
PYTHON = "/usr/bin/python3"  # Debian's, in which samba's modules are
PORTS = {53, 88, 135, 389, 445}  # a controller that listens on these has started
READY_S = 60
LISTEN, ESTABLISHED = "0A", "01"  # /proc/net/tcp

# $1: the host's folder, $2: its name, and then what to run.
ENTER = """set -e
host=$1 name=$2
shift 2
hostname "$name"
mount -t tmpfs run /run
mkdir /run/samba /run/lock
resolv=$(readlink -m /etc/resolv.conf)
case "$resolv" in
/run/*) mkdir -p "${resolv%/*}" && : >"$resolv" ;; # systemd-resolved's
esac
for part in run etc lib/private cache log; do mkdir -p "$host/$part"; done
mount --bind "$host/run" /run/samba
mount --bind "$host/etc" /etc/samba
mount --bind "$host/lib" /var/lib/samba
mount --bind "$host/cache" /var/cache/samba
mount --bind "$host/log" /var/log/samba
mount --bind "$host/hosts" /etc/hosts
mount --bind "$host/resolv.conf" /etc/resolv.conf
mount --bind "$host/nsswitch.conf" /etc/nsswitch.conf
exec "$@"
"""
# The services of a controller that has no other controllers beside it.
CONTROLLER_OPTIONS = ("server services=-nbt -wrepl -drepl -ntp_signd -kcc -dnsupdate", "disable netbios=yes",
                      "load printers=no", "printcap name=/dev/null")
MEMBER_CONF = """[global]
 security = ads
 realm = %(realm)s
 workgroup = %(domain)s
 netbios name = SQL
 disable netbios = yes
 winbind max domain connections = %(connections)d
 winbind scan trusted domains = no
 machine password timeout = 0
 idmap config * : backend = tdb
 idmap config * : range = 10000-19999
"""


def missing():
    """The programs that are not there."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return [p for p in PROGRAMS if not shutil.which(p, path=path)] + \
        [f for f in ("/usr/share/samba/setup",) if not os.path.exists(f)]


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def descendants(pid):
    """The processes that pid has started, and those that they have."""
    out = []
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as f:
                children = [int(p) for p in f.read().split()]
            for child in children:
                out += [child] + descendants(child)
        except OSError:
            continue
    return out


def sockets(pid, name):
    """The rows of /proc/net/NAME in the namespace of that process."""
    with open("/proc/%d/net/%s" % (pid, name), encoding="ascii") as f:
        return [line.split() for line in f.readlines()[1:]]


def local_port(row):
    return int(row[1].split(":")[1], 16)


class Host:
    """One host of the domain, in a network namespace of its name."""

    def __init__(self, folder, ns, name, hosts, dc):
        self.folder, self.ns, self.name = os.path.join(folder, ns), ns, name
        os.mkdir(self.folder)
        self.enter = self.file("enter.sh", ENTER)
        self.file("hosts", "127.0.0.1 localhost\n" + "".join("%s %s.%s %s\n" % (a, n, SUFFIX, n) for n, a in hosts))
        self.file("resolv.conf", "search %s\nnameserver %s\n" % (SUFFIX, dc))
        self.file("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        conf = self.file("krb5.conf", kdc.CLIENT_CONF % {"realm": REALM, "address": dc})
        self.env = dict(os.environ, KRB5_CONFIG=conf, KRB5CCNAME="FILE:" + os.path.join(self.folder, "cache.krb5"))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        write(path, text)
        return path

    def inside(self, argv, daemon=False):
        own = ["--pid", "--fork", "--kill-child", "--mount-proc"] if daemon else []
        return ["unshare", "--mount", "--uts"] + own + ["--", "sh", self.enter, self.folder, self.name] + argv

    def run(self, argv, **options):
        env = dict(self.env, **options.pop("more", {}))
        return net.run(self.inside(argv), self.ns, env=env, **options)

    def start(self, argv, **options):
        """A process that takes all of its own with it when it ends."""
        env = dict(self.env, **options.pop("more", {}))
        return net.start(self.inside(argv, daemon=True), self.ns, env=env, **options)

    def daemon(self, argv):
        with open(os.path.join(self.folder, os.path.basename(argv[0]) + ".out"), "ab") as out:
            return self.start(argv, stdout=out, stderr=out)


class Controller(Host):
    """A domain controller: its directory is made once, then it runs."""

    def __init__(self, folder, ns, hosts, address):
        super().__init__(folder, ns, "dc1", hosts, address)
        self.address, self.process = address, None

    def provision(self, keytab, users):
        """users: {name: password}; keytab: the file for the key of SQL Server's account."""
        self.run(["samba-tool", "domain", "provision", "--realm=" + REALM, "--domain=" + DOMAIN, "--server-role=dc",
                  "--dns-backend=SAMBA_INTERNAL", "--adminpass=" + PASSWORDS[ADMINISTRATOR],
                  "--host-ip=" + self.address, "--host-name=dc1"] +
                 ["--option=" + o for o in CONTROLLER_OPTIONS], timeout=150)
        self.run([PYTHON, os.path.join(net.HERE, "domain_accounts.py"), keytab] +
                 ["%s=%s" % u for u in users.items()] + ["%s=%s,%s" % (SERVICE, PASSWORDS[SERVICE], SPN)])

    def listens(self):
        rows = sockets(self.process.pid, "tcp") + sockets(self.process.pid, "tcp6")
        return PORTS <= {local_port(r) for r in rows if r[3] == LISTEN}

    def begin(self):
        self.process = self.daemon(["/usr/sbin/samba", "-F", "--no-process-group"])
        if not net.wait_for(self.listens, READY_S):
            raise RuntimeError("samba does not listen: see %s" % self.folder)

    def processes(self):
        return descendants(self.process.pid)


class Member(Host):
    """A member server: its winbind asks the controller."""

    def __init__(self, folder, ns, hosts, dc):
        super().__init__(folder, ns, "sql", hosts, dc)
        os.mkdir(os.path.join(self.folder, "etc"))
        self.winbind = None

    def configure(self, connections):
        self.file("etc/smb.conf", MEMBER_CONF % {"realm": REALM, "domain": DOMAIN, "connections": connections})

    def join(self):
        self.run(["net", "ads", "join", "--no-dns-updates", "-U",
                  "%s%%%s" % (ADMINISTRATOR, PASSWORDS[ADMINISTRATOR])])
