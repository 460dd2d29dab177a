# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A virtual machine that holds nothing but a kernel, busybox, programs of this system with their
libraries, and tests/vm/init; it runs under plain emulation and ends by itself.
"""
import collections
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY_MIB = 512
# qemu: its program and machine, with {said} for the file of the second serial line; console, said: the two lines'
# devices there; flavour: Debian's smallest kernel; ldd: what lists a program's libraries, by their paths in root.
Kind = collections.namedtuple("Kind", "qemu console said flavour ldd root")
X86 = Kind(["qemu-system-x86_64", "-machine", "pc,usb=off", "-cpu", "max", "-serial", "file:{console}", "-serial",
            "file:{said}"], "ttyS0", "ttyS1", "cloud-amd64", ["ldd"], "")


def arm64(root):
    """root: an arm64 Debian that is unpacked there."""
    return Kind(["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", "-serial", "file:{console}",
                 "-chardev", "file,id=said,path={said}", "-device", "pci-serial,chardev=said"],
                "ttyAMA0", "ttyS0", "cloud-arm64",
                ["qemu-aarch64-static", "-L", root, root + "/lib/ld-linux-aarch64.so.1", "--list"], root)


FOLDERS = ("usr/bin", "usr/lib", "usr/lib64", "dev", "proc", "sys", "run", "tmp", "etc", "modules")
LINKS = ("bin", "lib", "lib64")
# What FreeTDS converts the names that it sends from and to.
CHARSETS = ("ISO8859-1.so", "UTF-16.so", "gconv-modules", "gconv-modules.cache")


class Broken(Exception):
    """A sentence on why the machine could not be built, or did not run to its end."""


def libraries(program, kind):
    """Paths of the shared libraries that it is started with, itself not among them."""
    done = subprocess.run(kind.ldd + [program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    # A loader that is run by its path in root names itself by that one.
    return [path[len(kind.root):] if path.startswith(kind.root) else path
            for path in re.findall(r"(/\S+) \(0x", done.stdout)]


def add(root, path, name, kind):
    """A program with what it is linked to, in /usr/bin by that name."""
    if not os.path.isfile(path):
        raise Broken("%s is missing" % path)
    for library in libraries(path, kind):
        put(root, kind.root + library, library)
    put(root, path, "/usr/bin/" + name)


def put(root, source, path):
    folder, name = os.path.split(path)
    # /lib is /usr/lib by now; where it is not, the links in root make it so.
    target = os.path.join(root, re.sub(r"^/(?=lib|bin)", "usr/", folder).lstrip("/"), name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)


def charsets(root, program, kind):
    libc = [p for p in libraries(program, kind) if os.path.basename(p).startswith("libc.so")]
    folder = os.path.join(os.path.dirname(libc[0]), "gconv")
    for name in CHARSETS:
        if os.path.exists(kind.root + os.path.join(folder, name)):
            put(root, kind.root + os.path.join(folder, name), os.path.join(folder, name))


def initramfs(out, programs, modules, files, kind=X86):
    """Writes the machine's file system. programs: name in /usr/bin to path; modules: paths; files:
    path in the machine to text."""
    with tempfile.TemporaryDirectory() as root:
        for folder in FOLDERS:
            os.makedirs(os.path.join(root, folder))
        for link in LINKS:
            os.symlink("usr/" + link, os.path.join(root, link))
        shutil.copy(os.path.join(HERE, "init"), os.path.join(root, "init"))
        for name, path in programs.items():
            add(root, path, name, kind)
        for module in modules:
            shutil.copy(module, os.path.join(root, "modules"))
        for path, text in files.items():
            with open(os.path.join(root, path.lstrip("/")), "w", encoding="utf-8") as f:
                f.write(text)
        charsets(root, programs["tsql"], kind)
        with open(out, "wb") as f:
            subprocess.run("find . | busybox cpio -o -H newc", shell=True,
                           cwd=root, stdout=f, stderr=subprocess.DEVNULL, check=True)


def boot(kernel, image, out, seconds, kind=X86):
    """Runs it until it powers off; what it wrote on its second serial line, as text. The kernel's
    own messages are in out + ".console"."""
    said, console = out + ".said", out + ".console"
    argv = [word.format(said=said, console=console) for word in kind.qemu]
    argv += ["-accel", "tcg", "-smp", "1", "-m", str(MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none",
             "-no-reboot", "-kernel", kernel, "-initrd", image,
             "-append", "console=%s said=%s panic=-1 mitigations=off" % (kind.console, kind.said)]
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
