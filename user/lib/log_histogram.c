// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * log_histogram.c - a log-linear histogram of durations.
 */
#include "lib/log_histogram.h"

/* Bits to shift value right by, so that LOG_HISTOGRAM_BITS + 1 significant ones are left. */
static unsigned log_histogram_shift(uint64_t value)
{
	unsigned width = value ? 64 - __builtin_clzll(value) : 0;

	return width > LOG_HISTOGRAM_BITS + 1 ? width - (LOG_HISTOGRAM_BITS + 1) : 0;
}

static unsigned log_histogram_bucket(uint64_t value)
{
	unsigned shift = log_histogram_shift(value);

	return (shift << LOG_HISTOGRAM_BITS) + (unsigned)(value >> shift);
}

/* The middle of a bucket: the inverse of log_histogram_bucket(). */
static uint64_t log_histogram_middle(unsigned bucket)
{
	unsigned shift = bucket >> LOG_HISTOGRAM_BITS ? (bucket >> LOG_HISTOGRAM_BITS) - 1 : 0;
	uint64_t low = (uint64_t)(bucket - (shift << LOG_HISTOGRAM_BITS)) << shift;

	return low + ((1ull << shift) >> 1);
}

void log_histogram_add(struct log_histogram *hist, uint64_t value)
{
	if (!hist->count || value < hist->min)
		hist->min = value;
	if (value > hist->max)
		hist->max = value;
	hist->count++;
	hist->buckets[log_histogram_bucket(value)]++;
}

uint64_t log_histogram_quantile(const struct log_histogram *hist, double q)
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
	for (i = 0; i < LOG_HISTOGRAM_BUCKETS - 1; i++) {
		seen += hist->buckets[i];
		if (seen >= rank)
			break;
	}
	if (log_histogram_middle(i) < hist->min)
		return hist->min;
	return log_histogram_middle(i) > hist->max ? hist->max : log_histogram_middle(i);
}
