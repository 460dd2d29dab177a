// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * log_histogram.c - a log-linear histogram of durations.
 */
#include "lib/log_histogram.h"

/* The middle of a bucket. */
static uint64_t log_histogram_middle(unsigned bucket)
{
	unsigned shift;
	uint64_t least = log_bucket_least(bucket, LOG_HISTOGRAM_BITS, &shift);

	return least + ((1ull << shift) >> 1);
}

void log_histogram_add(struct log_histogram *hist, uint64_t value)
{
	if (!hist->count || value < hist->min)
		hist->min = value;
	if (value > hist->max)
		hist->max = value;
	hist->count++;
	hist->buckets[log_bucket(value, LOG_HISTOGRAM_BITS)]++;
}

uint64_t log_histogram_quantile(const struct log_histogram *hist, double q)
{
	uint64_t rank = log_rank(hist->count, q), seen = 0;
	unsigned i;

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
