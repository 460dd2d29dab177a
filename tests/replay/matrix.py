# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What was said of logins whose fate is known: how often it was right, left open, or wrong."""
import collections

STATED = ("certain", "high", "medium")


class Matrix:
    """Counts (truth, outcome, confidence), and remembers what was wrongly stated."""

    def __init__(self):
        self.counts, self.wrong = collections.Counter(), []

    def add(self, truth, record, where):
        said = (record["outcome"], record["confidence"])
        self.counts[(truth,) + said] += 1
        if said[1] in STATED and said[0] != truth and said[0] != "incomplete":
            self.wrong.append("%s: %s, %s; it was %s" % (where, said[0], said[1], truth))

    def told(self, truth):
        """The share of the logins of that fate of which it is stated."""
        of = sum(n for (t, _, _), n in self.counts.items() if t == truth)
        right = sum(n for (t, outcome, confidence), n in self.counts.items()
                    if t == truth and outcome == truth and confidence in STATED)
        return right / of if of else 0.0

    def show(self):
        """A line for each truth; lines that are no cases of a suite."""
        total = sum(self.counts.values())
        for truth in sorted({t for t, _, _ in self.counts}):
            said = ["%s/%s %d" % (outcome, confidence, n)
                    for (t, outcome, confidence), n in sorted(self.counts.items()) if t == truth]
            print("# %-10s told %5.1f %%: %s" % (truth, 100 * self.told(truth), ", ".join(said)))
        print("# %d logins, %d wrongly stated (%.2f %%)" %
              (total, len(self.wrong), 100 * len(self.wrong) / total if total else 0), flush=True)
