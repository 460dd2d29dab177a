# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A virtual machine that holds nothing but a kernel, busybox, programs of this system with their
libraries, and tests/vm/init; it runs under plain emulation and ends by itself.
"""
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
QEMU = "qemu-system-x86_64"
MEMORY_MIB = 512
FOLDERS = ("usr/bin", "usr/lib", "usr/lib64", "dev", "proc", "sys", "run", "tmp", "etc", "modules")
LINKS = ("bin", "lib", "lib64")
# What FreeTDS converts the names that it sends from and to.
CHARSETS = ("ISO8859-1.so", "UTF-16.so", "gconv-modules", "gconv-modules.cache")


class Broken(Exception):
    """A sentence on why the machine could not be built, or did not run to its end."""


def libraries(program):
    """Paths of the shared libraries that it is started with, itself not among them."""
    done = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def add(root, path, name=None):
    """A file with what it is linked to, at its own path; name: in /usr/bin by that name."""
    if not os.path.isfile(path):
        raise Broken("%s is missing" % path)
    for source in libraries(path):
        put(root, source, source)
    put(root, path, "/usr/bin/" + name if name else path)


def put(root, source, path):
    folder, name = os.path.split(path)
    # /lib is /usr/lib by now; where it is not, the links in root make it so.
    target = os.path.join(root, re.sub(r"^/(?=lib|bin)", "usr/", folder).lstrip("/"), name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)


def charsets(root):
    libc = [p for p in libraries("/bin/sh") if os.path.basename(p).startswith("libc.so")]
    folder = os.path.join(os.path.dirname(os.path.realpath(libc[0])), "gconv")
    for name in CHARSETS:
        if os.path.exists(os.path.join(folder, name)):
            put(root, os.path.join(folder, name), os.path.join(folder, name))


def initramfs(out, programs, modules, files):
    """Writes the machine's file system. programs: name in /usr/bin to path; modules: paths; files:
    path in the machine to text."""
    with tempfile.TemporaryDirectory() as root:
        for folder in FOLDERS:
            os.makedirs(os.path.join(root, folder))
        for link in LINKS:
            os.symlink("usr/" + link, os.path.join(root, link))
        shutil.copy(os.path.join(HERE, "init"), os.path.join(root, "init"))
        for name, path in programs.items():
            add(root, path, name)
        for module in modules:
            shutil.copy(module, os.path.join(root, "modules"))
        for path, text in files.items():
            with open(os.path.join(root, path.lstrip("/")), "w", encoding="utf-8") as f:
                f.write(text)
        charsets(root)
        with open(out, "wb") as f:
            subprocess.run("find . | %s cpio -o -H newc" % programs["busybox"], shell=True,
                           cwd=root, stdout=f, stderr=subprocess.DEVNULL, check=True)


def boot(kernel, image, out, seconds):
    """Runs it until it powers off; what it wrote on its second serial line, as text. The kernel's
    own messages are in out + ".console"."""
    said, console = out + ".said", out + ".console"
    argv = [QEMU, "-machine", "pc,usb=off", "-accel", "tcg", "-cpu", "max", "-smp", "1",
            "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-serial", "file:" + console, "-serial", "file:" + said,
            "-kernel", kernel, "-initrd", image,
            "-append", "console=ttyS0 panic=-1 mitigations=off"]
    for path in (said, console):
        with open(path, "wb"):
            pass
    end = None
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=seconds, check=False)
        if done.returncode:
            end = "qemu's exit status %d: %s" % (done.returncode, done.stderr.strip())
    except subprocess.TimeoutExpired:
        end = "no end within %.0f s" % seconds
    return read(said), read(console), end


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read().replace("\r", "")
