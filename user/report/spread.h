/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * spread.h - a small histogram of durations, for tables of thousands of rows. Quantiles are within
 * 6 % of the value; the least, the longest and the sum are exact.
 */
#ifndef TDSMON_SPREAD_H
#define TDSMON_SPREAD_H

#include <stdint.h>

#define SPREAD_BITS    3
#define SPREAD_UNIT    10 /* durations are counted in units of 2^10 ns, about a microsecond, */
#define SPREAD_WIDTH   32 /* in at most this many bits: above 73 minutes all are one bucket */
#define SPREAD_BUCKETS ((SPREAD_WIDTH - SPREAD_BITS + 1) << SPREAD_BITS)

struct spread {
	uint64_t count, sum_ns;
	uint64_t least_ns, longest_ns; /* 0 if count is 0 */
	uint32_t buckets[SPREAD_BUCKETS];
};

/* An empty one is all zeroes. */
void spread_add(struct spread *s, uint64_t ns);

/* The value that a share q (0 to 1) of all durations does not exceed, in ns; 0 if it is empty. */
uint64_t spread_quantile(const struct spread *s, double q);

#endif
