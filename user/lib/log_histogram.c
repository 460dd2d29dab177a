// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * log_histogram.c - a log-linear histogram of durations.
 */
#include "lib/log_histogram.h"

/* How far the values of value's bucket are shifted to leave HIST_BITS + 1 significant bits. */
static unsigned hist_shift(uint64_t value)
{
	unsigned width = value ? 64 - __builtin_clzll(value) : 0;

	return width > HIST_BITS + 1 ? width - (HIST_BITS + 1) : 0;
}

static unsigned hist_bucket(uint64_t value)
{
	unsigned shift = hist_shift(value);

	return (shift << HIST_BITS) + (unsigned)(value >> shift);
}

/* The middle of a bucket, the inverse of hist_bucket(). */
static uint64_t hist_middle(unsigned bucket)
{
	unsigned shift = bucket >> HIST_BITS ? (bucket >> HIST_BITS) - 1 : 0;
	uint64_t low = (uint64_t)(bucket - (shift << HIST_BITS)) << shift;

	return low + ((1ull << shift) >> 1);
}

void hist_add(struct hist *hist, uint64_t value)
{
	if (!hist->count || value < hist->min)
		hist->min = value;
	if (value > hist->max)
		hist->max = value;
	hist->count++;
	hist->buckets[hist_bucket(value)]++;
}

uint64_t hist_quantile(const struct hist *hist, double q)
{
	double wanted = q * (double)hist->count;
	uint64_t rank = (uint64_t)wanted, seen = 0;
	unsigned i;

	if ((double)rank < wanted)
		rank++;
	if (!rank)
		return hist->min;
	if (rank >= hist->count)
		return hist->max;
	for (i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += hist->buckets[i];
		if (seen >= rank)
			break;
	}
	if (hist_middle(i) < hist->min)
		return hist->min;
	return hist_middle(i) > hist->max ? hist->max : hist_middle(i);
}
