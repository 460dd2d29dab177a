// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * spread.c - see spread.h.
 */
#include "lib/log_histogram.h"
#include "report/spread.h"

#define SPREAD_HIGHEST ((1ull << SPREAD_WIDTH) - 1)

static unsigned spread_bucket(uint64_t ns)
{
	uint64_t units = ns >> SPREAD_UNIT;

	return log_bucket(units > SPREAD_HIGHEST ? SPREAD_HIGHEST : units, SPREAD_BITS);
}

/* The middle of a bucket, in ns. */
static uint64_t spread_middle(unsigned bucket)
{
	unsigned shift;
	uint64_t least = log_bucket_least(bucket, SPREAD_BITS, &shift);

	return (least << SPREAD_UNIT) + ((1ull << (shift + SPREAD_UNIT)) >> 1);
}

void spread_add(struct spread *s, uint64_t ns)
{
	if (!s->count || ns < s->least_ns)
		s->least_ns = ns;
	if (ns > s->longest_ns)
		s->longest_ns = ns;
	s->count++;
	s->sum_ns += ns;
	s->buckets[spread_bucket(ns)]++;
}

uint64_t spread_quantile(const struct spread *s, double q)
{
	uint64_t rank = log_rank(s->count, q), seen = 0, ns;
	unsigned i;

	if (!rank)
		return s->least_ns;
	if (rank >= s->count)
		return s->longest_ns;
	for (i = 0; i < SPREAD_BUCKETS - 1; i++) {
		seen += s->buckets[i];
		if (seen >= rank)
			break;
	}
	ns = spread_middle(i);
	if (ns < s->least_ns)
		return s->least_ns;
	return ns > s->longest_ns ? s->longest_ns : ns;
}
