/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rates.h - logins over time, in at most RATES_MOST spans of equal width. The width doubles
 * as often as the period needs.
 */
#ifndef TDSMON_RATES_H
#define TDSMON_RATES_H

#include <stdbool.h>
#include <stdint.h>

#define RATES_MOST 120

struct rates_span {
	uint64_t logins, failed, slow; /* failed and slow ones are logins, too */
};

struct rates {
	uint64_t width_s; /* 0: empty */
	uint64_t first;	  /* number of spans[0]: its time in seconds since 1970 by width_s */
	unsigned count;
	struct rates_span spans[RATES_MOST];
};

/* An empty one is all zeroes. wall_ns: since 1970. Times may come in any order. */
void rates_add(struct rates *t, uint64_t wall_ns, bool failed, bool slow);

/* When a span begins, in ns since 1970. */
uint64_t rates_ns(const struct rates *t, unsigned span);

#endif
