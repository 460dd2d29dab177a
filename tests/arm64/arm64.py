# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""tdsmon for arm64: made by Debian's cross compiler with the libraries of an arm64 Debian 12, which is unpacked in a
folder of its own and never run; its programs run here under qemu's user emulation.

All is in BUILD/arm64: root (that Debian), build (what make makes), run (scripts that start it by qemu).
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# At the end: tests/vm has a machine.py as tests/package has.
sys.path += [os.path.join(HERE, "..", "package"), os.path.join(HERE, "..", "net")]
import releases  # noqa: E402

SUITE = "bookworm"
TRIPLET = "aarch64-linux-gnu"
QEMU = "qemu-aarch64-static"
# What the virtual machine has of programs (tests/vm).
PROGRAMS = ["busybox-static", "bpftool", "iproute2", "freetds-bin"]
SCRIPT = "#!/bin/sh\nexec %s -0 \"$0\" -L %s %s \"$@\"\n"


def root(build):
    return os.path.abspath(os.path.join(build, "arm64", "root"))


def made(build):
    return os.path.abspath(os.path.join(build, "arm64", "build"))


def wanted():
    """The packages of the root: the libraries that the Makefile builds with, and PROGRAMS."""
    with open("Makefile", encoding="utf-8") as f:
        words = re.search(r"^BUILD_DEBS := ((?:.*\\\n)*.*)$", f.read(), re.M).group(1).split()
    return [w for w in words if w.endswith("-dev")] + ["libc6-dev", "libgcc-12-dev"] + PROGRAMS


def fetch(build):
    """Unpack the root, unless one with the same packages is there."""
    out, new = root(build), root(build) + ".new"
    listed, names = os.path.join(out, "packages"), " ".join(sorted(wanted()))
    if os.path.exists(listed) and read(listed) == names:
        return
    for folder in (out, new):
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.dirname(new), exist_ok=True)
    releases.bootstrap(SUITE, new, "--architectures=arm64", "--variant=extract", "--format=directory",
                       "--include=" + names.replace(" ", ","),
                       "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr")
    with open(os.path.join(new, "packages"), "w", encoding="utf-8") as f:
        f.write(names)
    os.rename(new, out)


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def make(build, *targets):
    """Cross-compile. Returns (exit status, output)."""
    top, out = root(build), made(build)
    lib = os.path.join(top, "usr", "lib", TRIPLET, "pkgconfig")
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=top,
               PKG_CONFIG_LIBDIR=lib + ":" + os.path.join(top, "usr", "share", "pkgconfig"))
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(name, None)
    done = subprocess.run(["make", "-j2", "O=" + out, "ARCH=arm64", "CC=%s-gcc --sysroot=%s" % (TRIPLET, top),
                           *[t.replace("BUILD/", out + "/") for t in targets]], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def wrap(build):
    """A folder that tests/run takes as a build: scripts that run the arm64 programs by qemu."""
    out, source = os.path.join(build, "arm64", "run"), made(build)
    shutil.rmtree(out, ignore_errors=True)
    units = sorted(os.listdir(os.path.join(source, "tests", "unit")))
    for name in ["tdsmon"] + ["tests/unit/" + u for u in units if "." not in u]:
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(SCRIPT % (QEMU, root(build), os.path.join(source, name)))
        os.chmod(path, 0o755)
    return out


def emulated(build, name, *options):
    """argv of one of the programs."""
    return [QEMU, "-0", name, "-L", root(build), os.path.join(made(build), name), *options]
