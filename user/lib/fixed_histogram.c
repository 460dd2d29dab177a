// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * fixed_histogram.c - a histogram of durations in fixed buckets.
 */
#include "lib/fixed_histogram.h"

size_t fixed_histogram_add(struct fixed_histogram *b, const struct fixed_histogram_bounds *bounds,
			   uint64_t ns)
{
	size_t i = 0;

	while (i < bounds->count && ns > bounds->ns[i])
		i++;
	b->counts[i]++;
	b->sum_ns += ns;
	return i;
}

void fixed_histogram_merge(struct fixed_histogram *b, const struct fixed_histogram *more)
{
	for (size_t i = 0; i <= FIXED_HISTOGRAM_BUCKETS; i++)
		b->counts[i] += more->counts[i];
	b->sum_ns += more->sum_ns;
}
