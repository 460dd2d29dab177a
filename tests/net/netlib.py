# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Shared by the live tests: network namespaces, processes in them, and tdsmon watching.

private() moves the test into a network and a mount namespace of its own. Everything made there, including named
namespaces, is invisible elsewhere and vanishes with the last process in it, however that ends; no interface of the host
can be reached. start() and run() start processes, which end with the test, by their ids.
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, "..", "replay"), os.path.join(HERE, "..", "peers")]
import replaylib  # noqa: E402

PRIVATE = "TDSMON_TEST_PRIVATE"
NETNS = "/run/netns"
READY_S = 30
END_S = 15

PROCESSES = []


def on_term(_sig, _frame):
    sys.exit(128 + signal.SIGTERM)


def private(name):
    """Continue in namespaces of our own; without root, report a skipped test and end."""
    if os.environ.get(PRIVATE) != str(os.getpid()):
        if os.geteuid():
            print("skip - %s: network namespaces need root" % name)
            sys.exit(0)
        os.environ[PRIVATE] = str(os.getpid())
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "--",
                              sys.executable] + sys.argv)
    os.environ.pop(PRIVATE)
    signal.signal(signal.SIGTERM, on_term)
    os.makedirs(NETNS, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "netns", NETNS], check=True)


def inside(ns, argv):
    """The arguments that run argv in a namespace (None: the test's own), and kill it when the test is killed. Each
    program executes the next, so that the process id stays."""
    enter = ["nsenter", "--net=%s/%s" % (NETNS, ns), "--"] if ns else []
    return enter + ["setpriv", "--pdeathsig", "KILL", "--"] + list(argv)


def start(argv, ns=None, **options):
    """A process that ends with the test at the latest."""
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(inside(ns, argv), **options)
    PROCESSES.append(process)
    return process


def run(argv, ns=None, check=True, timeout=60, **options):
    """Run it to its end. stdout (including stderr) is text."""
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.STDOUT)
    done = subprocess.run(inside(ns, argv), stdout=subprocess.PIPE, text=True, check=False,
                          timeout=timeout, **options)
    if check and done.returncode:
        raise RuntimeError("%s: exit status %d: %s" % (" ".join(argv), done.returncode, done.stdout))
    return done


def end(process, sig=signal.SIGKILL):
    """Send the signal, and SIGKILL if the process does not end. Returns the exit status."""
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def end_all():
    for process in reversed(PROCESSES):
        end(process)
    PROCESSES.clear()


# ---- namespaces ---------------------------------------------------------------------------------

def namespace(name):
    """A namespace without IPv6's background traffic: only the test's packets are seen."""
    run(["ip", "netns", "add", name])
    run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"], name)
    run(["ip", "link", "set", "lo", "up"], name)
    return name


def veth(one, other):
    """A pair of (namespace, interface, address/bits or None), both up."""
    (ns1, if1, addr1), (ns2, if2, addr2) = one, other
    run(["ip", "link", "add", if1, "netns", ns1, "type", "veth", "peer", "name", if2,
         "netns", ns2])
    for ns, name, addr in (one, other):
        if addr:
            run(["ip", "address", "add", addr, "dev", name], ns)
        run(["ip", "link", "set", name, "up"], ns)


def dump(folder, ns, interface):
    """tcpdump beside tdsmon: (process, its file). SIGINT ends it properly."""
    pcap, log = os.path.join(folder, ns + ".pcap"), os.path.join(folder, ns + ".log")
    with open(log, "wb") as errors:
        process = start(["tcpdump", "-i", interface, "-w", pcap, "-U", "-B", "65536", "-Z", "root",
                         "--immediate-mode", "--time-stamp-precision=nano"],
                        ns, stderr=errors)

    def said():
        with open(log, "rb") as f:
            return f.read()

    if not wait_for(lambda: b"listening" in said(), READY_S):
        raise RuntimeError("tcpdump does not listen")
    return process, pcap


# ---- tdsmon -------------------------------------------------------------------------------------

class Tdsmon:
    """A context: tdsmon watches live from its beginning to stop(), or to the context's end.

    stdout and stderr go to files, so that nothing waits for us; text() and messages() read them."""

    def __init__(self, build, ns, *options, form="json"):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.argv = [os.path.join(build, "tdsmon"), "--format", form] + [str(o) for o in options]
        self.ns, self.process, self.status = ns, None, None

    def __enter__(self):
        self.process = start(self.argv, self.ns, stdout=self.out, stderr=self.err)
        if not wait_for(lambda: "watching" in self.messages() or self.process.poll() is not None,
                        READY_S) or self.process.poll() is not None:
            end(self.process)
            raise RuntimeError("tdsmon does not watch: " + self.messages())
        return self

    def __exit__(self, *_):
        end(self.process)

    @staticmethod
    def _read(f):
        return os.pread(f.fileno(), os.fstat(f.fileno()).st_size, 0).decode(errors="replace")

    def text(self):
        return self._read(self.out)

    def messages(self):
        return self._read(self.err)

    def records(self):
        """The complete lines so far."""
        text = self.text()
        return replaylib.parse(text[:text.rfind("\n") + 1])

    def stop(self, sig=signal.SIGINT):
        """All records after that signal. The exit status is in .status."""
        self.status = end(self.process, sig)
        return replaylib.parse(self.text())


def wait_for(condition, seconds):
    """The last result of condition(): true, or false after that many seconds."""
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > until:
            return answer
        time.sleep(0.02)


def losses(messages):
    """What the summary reports as lost or skipped, {counter's text: number}."""
    at = messages.find("lost or skipped:\n")
    if at < 0:
        return {}
    lines = re.findall(r"^ +(\d+)  (.+)$", messages[at:], re.M)
    return {text: int(number) for number, text in lines}


def server_port(record):
    return record["server"]["port"]


def short(record):
    """A record in short, for messages."""
    return json.dumps(record, ensure_ascii=False)[:1500]


# ---- a test's cases -----------------------------------------------------------------------------

class Cases:
    """Prints each case's result, and remembers whether one failed."""

    def __init__(self):
        self.failed = 0

    def tell(self, name, why):
        """why: a sentence or a list of them; empty if the case passes."""
        why = "; ".join(w for w in why if w) if isinstance(why, (list, tuple)) else why
        print("not ok - %s: %s" % (name, why) if why else "ok - " + name, flush=True)
        self.failed += bool(why)


def main(name, test, prepare=None):
    """Run test(build, cases) in private namespaces, and end the process.

    prepare(build) runs before, while there is still a network."""
    cases, build = Cases(), sys.argv[1] if len(sys.argv) > 1 else "build"
    try:
        if prepare and PRIVATE not in os.environ:
            prepare(build)
        private(name)
        test(build, cases)
    except (RuntimeError, OSError, subprocess.SubprocessError, replaylib.ReplayError) as error:
        cases.tell(name, str(error).strip())
    finally:
        end_all()
    sys.exit(1 if cases.failed else 0)
