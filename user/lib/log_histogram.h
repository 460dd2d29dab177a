/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * log_histogram.h - a log-linear histogram of durations: any 64-bit value, relative error below 1 %, fixed
 * memory, nothing allocated.
 */
#ifndef TDSMON_LOG_HISTOGRAM_H
#define TDSMON_LOG_HISTOGRAM_H

#include <stdint.h>

/*
 * Every power of two is split into 2^HIST_BITS buckets of one width; below 2^(HIST_BITS + 1) a
 * bucket holds one value. Half a bucket is at most 1/256 of its values.
 */
#define HIST_BITS    7
#define HIST_BUCKETS ((64 - HIST_BITS + 1) << HIST_BITS)

struct hist {
	uint64_t count;
	uint64_t min, max; /* exact; 0 where count is 0 */
	uint64_t buckets[HIST_BUCKETS];
};

/* A histogram of all zeroes is an empty one. */
void hist_add(struct hist *hist, uint64_t value);

/*
 * The value that a share q, 0 to 1, of the values does not exceed (nearest rank), within the
 * relative error; hist_quantile(h, 1) is the exact maximum. 0 where the histogram is empty.
 */
uint64_t hist_quantile(const struct hist *hist, double q);

#endif
