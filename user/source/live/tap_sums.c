/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_sums.c - see tap_sums.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "source/live/tap_sums.h"

#define TAP_SUMS_TRIES 1000 /* a CPU adds its results up at one try in ten, at most */

int tap_sums_init(struct tap_sums *sums, int counters, int latencies, int recent)
{
	size_t n;

	*sums = (struct tap_sums){
		.counters = counters,
		.latencies = latencies,
		.recent = recent,
		.cpus = libbpf_num_possible_cpus(),
	};
	if (sums->cpus <= 0)
		return -ENOMEM;
	n = (size_t)sums->cpus;
	sums->counts = calloc(n, sizeof(*sums->counts));
	sums->each = calloc(n, sizeof(*sums->each));
	sums->before = calloc(n, sizeof(*sums->before));
	sums->after = calloc(n, sizeof(*sums->after));
	sums->taken = calloc(n, sizeof(*sums->taken));
	if (!sums->counts || !sums->each || !sums->before || !sums->after || !sums->taken)
		return -ENOMEM;
	return 0;
}

void tap_sums_free(struct tap_sums *sums)
{
	free(sums->counts);
	free(sums->each);
	free(sums->before);
	free(sums->after);
	free(sums->taken);
}

static int read_recent(const struct tap_sums *sums, struct tap_recent *out)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(sums->recent, &zero, out) ? -errno : 0;
}

uint64_t tap_sums_counter(const struct tap_sums *sums, uint32_t which)
{
	uint64_t sum = 0;

	if (which == TAP_CNT_SKIPPED) {
		if (read_recent(sums, sums->before))
			return 0;
		for (int cpu = 0; cpu < sums->cpus; cpu++)
			sum += sums->before[cpu].passed;
		return sum;
	}
	if (bpf_map_lookup_elem(sums->counters, &which, sums->counts))
		return 0;
	for (int cpu = 0; cpu < sums->cpus; cpu++)
		sum += sums->counts[cpu];
	return sum;
}

static bool is_flushing(const struct tap_recent *recent)
{
	return recent->added - recent->flushed >= TAP_RESULTS;
}

/* Between the two, the CPU added none of its results up. */
static bool is_settled(const struct tap_recent *before, const struct tap_recent *after)
{
	return before->flushed == after->flushed && !is_flushing(before) && !is_flushing(after);
}

static void add_result(struct latency *sum, const struct tap_result *result)
{
	sum->count++;
	sum->first_sum_ns += result->first_ns;
	sum->total_sum_ns += result->total_ns;
	sum->first[latency_bucket(result->first_ns)]++;
	sum->total[latency_bucket(result->total_ns)]++;
}

/* What a CPU has added up, and what it has not. */
static void add_cpu(struct latency *sum, const struct latency *one, const struct tap_recent *recent,
		    uint32_t key)
{
	sum->count += one->count;
	sum->first_sum_ns += one->first_sum_ns;
	sum->total_sum_ns += one->total_sum_ns;
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		sum->first[i] += one->first[i];
		sum->total[i] += one->total[i];
	}
	for (uint32_t n = recent->flushed; n != recent->added; n++) {
		const struct tap_result *result = &recent->results[n % TAP_RESULTS];

		if (result->key == key)
			add_result(sum, result);
	}
}

/*
 * Each CPU's sum is read between two looks at its results. If it has added them up meanwhile, they
 * might be counted twice or not at all, so it is read again.
 */
int tap_sums_latency(const struct tap_sums *sums, uint32_t key, struct latency *out)
{
	struct tap_recent *before = sums->before, *after = sums->after;
	int left = sums->cpus, err = read_recent(sums, before);

	memset(out, 0, sizeof(*out));
	memset(sums->taken, 0, (size_t)sums->cpus);
	for (int tries = 0; !err && left && tries < TAP_SUMS_TRIES; tries++) {
		struct tap_recent *looked = after;

		if (bpf_map_lookup_elem(sums->latencies, &key, sums->each))
			return -errno;
		err = read_recent(sums, after);
		for (int cpu = 0; !err && cpu < sums->cpus; cpu++) {
			if (sums->taken[cpu] || !is_settled(&before[cpu], &after[cpu]))
				continue;
			add_cpu(out, &sums->each[cpu], &before[cpu], key);
			sums->taken[cpu] = 1;
			left--;
		}
		after = before;
		before = looked;
	}
	return left && !err ? -EBUSY : err;
}
