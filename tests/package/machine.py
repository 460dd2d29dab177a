# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A machine of our own to install packages on: systemd, booted on a copy of this system.

The copy is an overlay: what is written goes to memory. It has namespaces of its own for everything
but time, so that nothing of it is seen outside, /proc/sys and /sys are read-only, and it ends with
the test.
"""
import os
import shutil
import subprocess
import tempfile

import netlib as net

BOOT_S = 60
COMMAND_S = 60
# What would reach for the hardware, or for what all namespaces share.
MASKED = ("systemd-sysctl", "systemd-modules-load", "systemd-udevd", "systemd-udev-trigger",
          "systemd-remount-fs", "systemd-random-seed", "systemd-update-utmp", "systemd-hwdb-update",
          "systemd-pstore", "systemd-journal-flush", "kmod-static-nodes", "systemd-binfmt",
          "systemd-sysusers", "systemd-timesyncd", "apt-daily", "dpkg-db-backup")
BOOT = """
set -e
mount -t tmpfs memory %(folder)s
cd %(folder)s
mkdir up work root
mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
for node in null zero full random urandom tty; do
	touch dev/$node
	mount --bind /dev/$node dev/$node
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
touch dev/console
mount --bind %(console)s dev/console
for unit in %(masked)s; do
	ln -sf /dev/null etc/systemd/system/$unit.service
done
rm -f usr/sbin/policy-rc.d
mount --make-rshared . # credentials are mounted by helpers of systemd's
umask 022
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test chroot . /lib/systemd/systemd \
	--system --unit=basic.target --log-target=console --show-status=no
"""


class Machine:
    """A context; ns: a namespace for its network, by netlib's name."""

    def __init__(self, ns):
        self.ns, self.folder, self.pid = ns, tempfile.mkdtemp(prefix="tdsmon-machine-"), None
        self.console = tempfile.NamedTemporaryFile(prefix="tdsmon-console-")

    def __enter__(self):
        script = BOOT % {"folder": self.folder, "console": self.console.name,
                         "masked": " ".join(MASKED)}
        self.process = net.start(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts",
                                  "--ipc", "--cgroup", "--propagation", "private", "sh", "-c",
                                  script], self.ns, stdout=self.console, stderr=self.console)
        if not net.wait_for(self.up, BOOT_S):
            said = self.said()
            self.__exit__()
            raise RuntimeError("systemd does not come up: " + said[-500:])
        return self

    def __exit__(self, *_):
        net.end(self.process)
        os.rmdir(self.folder)
        self.console.close()

    def said(self):
        with open(self.console.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def up(self):
        if self.process.poll() is not None:
            raise RuntimeError("the machine does not boot: " + self.said()[-500:])
        if not self.pid:
            with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid),
                      encoding="ascii") as f:
                child = f.read().split()
            self.pid = int(child[0]) if child else None
        if not self.pid or not os.path.exists("/proc/%d/root/run/systemd/private" % self.pid):
            return False
        return self.run("systemctl", "is-system-running", check=False) in ("running", "degraded")

    def path(self, path):
        """Where a file of the machine is for us."""
        return "/proc/%d/root%s" % (self.pid, path)

    def put(self, source, target):
        shutil.copy(source, self.path(target))

    def run(self, *argv, check=True):
        """What it printed, errors included."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w",
             "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
            + list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=COMMAND_S)
        if check and done.returncode:
            raise RuntimeError("%s: exit status %d: %s" % (" ".join(argv), done.returncode,
                                                           done.stdout.strip()[-500:]))
        return done.stdout.strip()

    def files(self, *folders):
        """All names below those."""
        return set(self.run("find", *folders).split("\n"))
