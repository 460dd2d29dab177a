# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What pairs of slices say: traffic without a watcher and with one, in turn (slices.c).

A row is received, sent and packets a second without, and the same with. A slice without any traffic
says that the generator paused, not what watching costs: its pair is left out, whichever of the two
slices it is. Where that is more than a tenth of the pairs, the measurement is void.
"""
import re

MOST_EMPTY = 0.1


def parse(text):
    """The rows of what slices printed; what a run of the programs took, in and out: ns, or None
    where no packet came."""
    rows = [[float(x) for x in line.split()] for line in text.splitlines() if line[:1].isdigit()]
    run = re.search(r"^run (\d+|-) (\d+|-)$", text, re.M)
    runs = [None if ns == "-" else int(ns) for ns in run.groups()] if run else None
    return rows, runs


def with_traffic(rows, column):
    """The pairs both of whose slices saw traffic, and how many are left out. ValueError where too
    many are."""
    kept = [r for r in rows if r[column] and r[3 + column]]
    empty = len(rows) - len(kept)
    if not kept or empty > MOST_EMPTY * len(rows):
        raise ValueError("%d of %d pairs of slices saw no traffic" % (empty, len(rows)))
    return kept, empty


def kept_share(rows, column):
    """Of each pair, the share of the traffic that is left when watched."""
    return [r[3 + column] / r[column] for r in rows]


def added_ns(rows):
    """Of each pair, what watching adds to a received packet's time."""
    return [1e9 / r[5] - 1e9 / r[2] for r in rows]
