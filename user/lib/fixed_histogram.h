/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fixed_histogram.h - a histogram of durations in fixed buckets, so that those of several hosts can
 * be added up.
 */
#ifndef TDSMON_FIXED_HISTOGRAM_H
#define TDSMON_FIXED_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define FIXED_HISTOGRAM_BUCKETS 20

/* Rising upper bounds, inclusive. Values above the last one fall into one more bucket. */
struct fixed_histogram_bounds {
	size_t count;
	uint64_t ns[FIXED_HISTOGRAM_BUCKETS];
	const char *le[FIXED_HISTOGRAM_BUCKETS]; /* the bounds in seconds, as in metrics */
};

struct fixed_histogram {
	uint64_t counts[FIXED_HISTOGRAM_BUCKETS + 1]; /* not cumulative */
	uint64_t sum_ns;
};

/* Add a duration; returns its bucket. */
size_t fixed_histogram_add(struct fixed_histogram *b, const struct fixed_histogram_bounds *bounds,
			   uint64_t ns);

/* Add another histogram with the same bounds. */
void fixed_histogram_merge(struct fixed_histogram *b, const struct fixed_histogram *more);

#endif
