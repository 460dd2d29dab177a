/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fixed_histogram.h - a histogram of durations in fixed buckets: those of every host add up.
 */
#ifndef TDSMON_FIXED_HISTOGRAM_H
#define TDSMON_FIXED_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define BUCKETS_MAX 20

/* Rising upper bounds, a bound's value belonging to its bucket; above the last is one more. */
struct bucket_bounds {
	size_t count;
	uint64_t ns[BUCKETS_MAX];
	const char *le[BUCKETS_MAX]; /* the bounds in seconds, as a page shows them */
};

/* 100 µs to 60 s, with the time-outs that drivers have by default: 15 and 30 s. */
extern const struct bucket_bounds bucket_bounds_login;
/* 2^17 ns (131 µs) to 2^36 ns (69 s), each twice the one before. */
extern const struct bucket_bounds bucket_bounds_command;

struct buckets {
	uint64_t counts[BUCKETS_MAX + 1]; /* each bucket's own */
	uint64_t sum_ns;
};

/* Add a duration; returns its bucket. */
size_t buckets_add(struct buckets *b, const struct bucket_bounds *bounds, uint64_t ns);

/* Add another's counts, of the same bounds. */
void buckets_merge(struct buckets *b, const struct buckets *more);

#endif
