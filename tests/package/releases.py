# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Smallest systems of other Debian releases, from the archive that this machine was installed from, and
programs run in them: by chroot, on a memory file system that ends with the test's mount namespace.
"""
import fcntl
import os
import subprocess
import sys

import netlib as net

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vm"))
import debian  # noqa: E402

FETCH_S = 400
DEVICES = ("null", "zero", "random", "urandom")


def bootstrap(suite, target, *options):
    """A system of that release's packages, by mmdebstrap with these options, as a folder or an archive."""
    address, source = debian.archive()
    # mmdebstrap does not read this machine's settings. A mirror that was frozen needs this one.
    setting = subprocess.run(["apt-config", "dump", "Acquire::Check-Valid-Until"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.strip()
    aptopt = ["--aptopt=" + setting] if setting else []
    done = subprocess.run(["mmdebstrap", "--quiet", *options, *aptopt, suite, target,
                           "deb %s %s %s main" % (source, address, suite)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=FETCH_S, check=False)
    if done.returncode:
        raise RuntimeError("mmdebstrap %s: %s" % (suite, done.stdout[-600:]))


def fetch(build, suite):
    """A release's essential packages as an archive; kept for the next run. Suites side by side wait for one another."""
    folder = os.path.join(build, "releases")
    out, new = os.path.join(folder, suite + ".tar"), os.path.join(folder, "new-%s.tar" % suite)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, suite + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(out):
            bootstrap(suite, new, "--variant=essential")
            os.rename(new, out)
    return out


class Root:
    """A directory to run programs in. Without an archive it is empty, but for /proc, /sys and /dev."""

    def __init__(self, folder, archive=None):
        self.path = folder
        os.makedirs(folder)
        net.run(["mount", "-t", "tmpfs", "-o", "mode=755", "root", folder])
        if archive:
            net.run(["tar", "-C", folder, "--exclude=./dev/*", "-xf", archive], timeout=FETCH_S)
        for name in ("proc", "sys", "dev"):
            os.makedirs(self.outside("/" + name), exist_ok=True)
        net.run(["mount", "-t", "proc", "proc", self.outside("/proc")])
        net.run(["mount", "--rbind", "/sys", self.outside("/sys")])
        for name in DEVICES:
            with open(self.outside("/dev/" + name), "w", encoding="ascii"):
                pass
            net.run(["mount", "--bind", "/dev/" + name, self.outside("/dev/" + name)])

    def outside(self, path):
        """The path of one of its files for us."""
        return self.path + path

    def argv(self, *argv):
        return ["chroot", self.path, *argv]

    def run(self, *argv, ns=None, **options):
        return net.run(self.argv(*argv), ns, check=False, **options)


class Watching(net.Tdsmon):
    """A context: tdsmon watches in such a root."""

    def __init__(self, root, ns, program, *options):
        super().__init__("", ns, *options)
        self.argv = root.argv(program, *self.argv[1:])

    def mapped(self):
        """Files of code and data that the process has loaded, by their paths in the root."""
        with open("/proc/%d/maps" % self.process.pid, encoding="utf-8") as f:
            lines = [line.split(None, 5) for line in f]
        return {cells[5].strip() for cells in lines if len(cells) == 6 and cells[5].startswith("/")}

    def name(self):
        with open("/proc/%d/comm" % self.process.pid, encoding="utf-8") as f:
            return f.read().strip()
