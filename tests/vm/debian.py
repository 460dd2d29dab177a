# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Kernels of Debian's for virtual machines: from the machine's own package sources, or from another release of the same
archive, with an apt configuration in a folder of the test's.

Nothing is installed, and apt's state on this machine stays as it is.
"""
import fcntl
import glob
import lzma
import os
import re
import shutil
import subprocess

# In the order of their dependencies.
MODULES = ("veth", "sch_ingress", "cls_bpf", "llc", "stp", "garp", "mrp", "8021q", "tls", "bonding",
           "inet_diag", "tcp_diag")
OPTIONAL = ("tls",)  # bonding needs it since 5.12
FLAVOUR = "cloud-amd64"  # the smallest: only drivers of virtual machines; the word after "-" is the architecture
TIMEOUT_S = 100


class Missing(Exception):
    """A sentence on why a kernel is not available."""


def run(argv, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False,
                          **options)
    if done.returncode:
        raise Missing("%s: %s" % (" ".join(argv[:1] + argv[-1:]),
                                  " ".join(done.stdout.split())[-300:]))
    return done.stdout


def archive():
    """(address, options of a sources.list line) of the archive that this Debian was installed from."""
    with open("/etc/os-release", encoding="utf-8") as f:
        codename = re.search(r"^VERSION_CODENAME=(\S+)", f.read(), re.M)
    if not codename:
        raise Missing("/etc/os-release names no release")
    lines = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SIGNED_BY)",
                 "Identifier: Packages", "Codename: " + codename.group(1), "Component: main"])
    for line in lines.splitlines():
        address, signer = line.split(" ", 1)
        return address, "[signed-by=%s]" % signer if signer.startswith("/") else ""
    raise Missing("apt has no package list of %s: apt-get update?" % codename.group(1))


def other_release(folder, suite, architecture):
    """apt's options for only that suite of the archive, with its lists fetched."""
    address, options = archive()
    home = os.path.abspath(os.path.join(folder, "apt-%s-%s" % (suite, architecture)))
    for part in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(home, part), exist_ok=True)
    sources = "deb %s %s %s main\n" % (options, address, suite)
    for name, text in (("status", ""), ("sources", sources)):
        with open(os.path.join(home, name), "w", encoding="utf-8") as f:
            f.write(text)
    apt = ["-o", "APT::Architecture=" + architecture, "-o", "APT::Architectures::=" + architecture,
           "-o", "Dir::State=" + home, "-o", "Dir::State::lists=" + home + "/lists",
           "-o", "Dir::State::status=" + home + "/status", "-o", "Dir::Cache=" + home + "/cache",
           "-o", "Dir::Etc::sourcelist=" + home + "/sources",
           "-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Acquire::Languages=none"]
    run(["apt-get"] + apt + ["-o", "APT::Sandbox::User=root", "--error-on=any", "update"])
    return apt


def packages(apt, version, flavour):
    """The packages of the newest kernel of that version; empty if there is no such kernel."""
    pattern = r"linux-image-%s[.][^ ]*-%s" % (re.escape(version), flavour)
    names = re.findall("^(%s) " % pattern, run(["apt-cache"] + apt + ["search", "--names-only",
                                                                     "^%s$" % pattern]), re.M)
    if not names:
        return []
    newest = max(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    # Since 7.x the image's package is empty: others hold its files.
    needs = run(["apt-cache"] + apt + ["depends", "--important", newest])
    return [newest] + re.findall(r"Depends: (linux-(?:binary|modules)-\S+)", needs)


def download(apt, names, folder):
    options = ["-o", "APT::Sandbox::User=root"] if not os.geteuid() else []
    run(["apt-get"] + apt + options + ["download"] + names, cwd=folder)


def unpack(folder, out):
    """Unpack the kernel and the modules that the tests need from the packages in folder into out."""
    wanted = ["--wildcards", "*/vmlinuz*"] + ["*/%s.ko*" % m for m in MODULES]
    for package in glob.glob(os.path.join(folder, "*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package],
                              stdout=subprocess.PIPE) as tar:
            # Files that are not in this package are in another, or reported missing below.
            subprocess.run(["tar", "x", "-C", folder] + wanted, stdin=tar.stdout, check=False,
                           stderr=subprocess.DEVNULL)
    for pattern, name in [("vmlinuz*", "vmlinuz")] + [(m + ".ko*", m + ".ko") for m in MODULES]:
        found = glob.glob(os.path.join(folder, "**", pattern), recursive=True)
        if not found and name[:-len(".ko")] in OPTIONAL:
            continue
        if not found:
            raise Missing("the kernel's package has no %s" % name)
        opened = lzma.open if found[0].endswith(".xz") else open
        with opened(found[0], "rb") as f, open(os.path.join(out, name), "wb") as to:
            shutil.copyfileobj(f, to)


def fetch(version, suite, folder, flavour):
    """Fetch packages from this machine's sources, otherwise from that suite."""
    for apt in ([], None) if flavour == FLAVOUR else (None,):
        apt = other_release(folder, suite, flavour.split("-")[-1]) if apt is None else apt
        names = packages(apt, version, flavour)
        if names:
            return download(apt, names, os.path.join(folder, "new-" + version))
    raise Missing("no linux-image-%s.*-%s in %s" % (version, flavour, suite))


def modules(kernel_folder):
    """The paths of the modules that exist, in order."""
    paths = [os.path.join(kernel_folder, m + ".ko") for m in MODULES]
    return [p for p in paths if os.path.exists(p)]


def kernel(version, suite, folder, flavour=FLAVOUR):
    """A folder with vmlinuz and MODULES (.ko) of that version; kept for the next run."""
    out, new = os.path.join(folder, version), os.path.join(folder, "new-" + version)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock-" + version), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(out):
            shutil.rmtree(new, ignore_errors=True)
            os.makedirs(new + "/out")
            try:
                fetch(version, suite, folder, flavour)
                unpack(new, new + "/out")
                os.rename(new + "/out", out)
            except (OSError, subprocess.SubprocessError) as error:
                raise Missing(str(error)) from error
            finally:
                shutil.rmtree(new, ignore_errors=True)
    return out
