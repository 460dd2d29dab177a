# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The bench's part "scale": several CPUs and one ring buffer; records of a login; memory by the number of CPUs."""
import os

import netlib as net

LOGINS = 1000
CPUS = (2, 32, 128)


def values(text):
    """Lines of "name<TAB>value"."""
    return {name: float(value) for name, value in (line.split("\t") for line in text.splitlines())}


def program(build, name, *arguments, prefix=()):
    return net.run([*prefix, os.path.join(build, "tests", "bench", name), *arguments], timeout=300).stdout


def bench_cost(build, table):
    """Each CPU runs its own connection's packet. "M/s": of all CPUs together."""
    got = values(program(build, "scale", "cost", prefix=("chrt", "-f", "10")))
    for name, value in got.items():
        if name + ", M/s" in got:
            table.tell("scale: " + name, "%.0f ns, %.1f M/s" % (value, got[name + ", M/s"]))
    table.tell("scale: a record taken out, and nothing done with it", "%.0f ns" % got["a record taken out"])


def bench_rate(build, table):
    got = values(program(build, "scale", "rate"))
    for way in ("one CPU", "two CPUs, one ring buffer", "two CPUs, a ring buffer each"):
        table.tell("scale: at full rate, " + way, "%.1f M packets/s, %.1f %% lost, %.0f M records/s of a reader's CPU" % tuple(
            got["%s: %s" % (way, what)] for what in ("M packets/s", "lost, %", "M records/s of a reader's CPU")))
        astray = got[way + ": packets not accounted for"]
        table.tell("scale: packets not accounted for, " + way, "%.0f" % astray, "0", not astray)


def bench_records(build, table, captures):
    for name, what in captures:
        rows = [line.split("\t") for line in program(build, "inject", os.path.join("tests", "captures", name + ".pcap"),
                                                     str(LOGINS), "records").splitlines()]
        rows = [(kind, int(records) / LOGINS, int(size) / LOGINS) for kind, records, size in rows if int(records)]
        table.tell("scale: a login %s, in the ring buffer" % what, "%.0f records, %.0f bytes: %s" % (
            sum(records for _, records, _ in rows), sum(size for _, _, size in rows),
            ", ".join("%s %.0f, %.0f" % row for row in rows)))


def bench_memory(build, table):
    """Measured here; with another number of CPUs computed from the maps' definitions."""
    got = values(program(build, "scale", "memory"))
    table.tell("scale: kernel memory, all maps, %d CPUs" % got["CPUs"], "%.1f MB" % (got["all maps, bytes here"] / 1e6))
    always, full = got["with each CPU, bytes from the start"], got["with each CPU, bytes when all servers are timed"]
    for cpus in CPUS:
        table.tell("scale: of it by CPU, %d CPUs (computed)" % cpus, "%.2f MB, and %.1f MB once all servers are timed" % (
            cpus * always / 1e6, cpus * full / 1e6))


def bench(build, table, captures):
    """captures: (name, what it is) of one login each."""
    if os.cpu_count() < 2:
        raise ValueError("two CPUs are needed")
    bench_cost(build, table)
    bench_rate(build, table)
    bench_records(build, table, captures)
    bench_memory(build, table)
