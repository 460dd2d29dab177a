/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * log_histogram.h - a log-linear histogram of durations: any 64-bit value, relative error below 1
 * %, fixed memory, no allocation.
 */
#ifndef TDSMON_LOG_HISTOGRAM_H
#define TDSMON_LOG_HISTOGRAM_H

#include <stdint.h>

/*
 * Each power of two is split into 2^LOG_HISTOGRAM_BITS buckets of equal width; below
 * 2^(LOG_HISTOGRAM_BITS + 1) a bucket holds one value. Half a bucket's width is at most 1/256 of
 * its values.
 */
#define LOG_HISTOGRAM_BITS    7
#define LOG_HISTOGRAM_BUCKETS ((64 - LOG_HISTOGRAM_BITS + 1) << LOG_HISTOGRAM_BITS)

/* The same in any number of bits: the bucket of a value, and the least value of a bucket, whose
 * width is 1 << *shift. */
static inline unsigned log_bucket(uint64_t value, unsigned bits)
{
	unsigned width = value ? 64 - (unsigned)__builtin_clzll(value) : 0;
	unsigned shift = width > bits + 1 ? width - (bits + 1) : 0;

	return (shift << bits) + (unsigned)(value >> shift);
}

static inline uint64_t log_bucket_least(unsigned bucket, unsigned bits, unsigned *shift)
{
	*shift = bucket >> bits ? (bucket >> bits) - 1 : 0;
	return (uint64_t)(bucket - (*shift << bits)) << *shift;
}

/* How many of count values a share q of them is: rounded up. */
static inline uint64_t log_rank(uint64_t count, double q)
{
	double wanted = q * (double)count;
	uint64_t rank = (uint64_t)wanted;

	return rank + ((double)rank < wanted);
}

struct log_histogram {
	uint64_t count;
	uint64_t min, max; /* exact; 0 if count is 0 */
	uint64_t buckets[LOG_HISTOGRAM_BUCKETS];
};

/* An empty histogram is all zeroes. */
void log_histogram_add(struct log_histogram *hist, uint64_t value);

/*
 * The value that a share q, 0 to 1, of the values does not exceed (nearest rank), within the
 * relative error. log_histogram_quantile(h, 1) is the exact maximum. 0 if the histogram is empty.
 */
uint64_t log_histogram_quantile(const struct log_histogram *hist, double q);

#endif
