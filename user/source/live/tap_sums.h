/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_sums.h - what the tap has counted, over all CPUs: packets, and command latency. It is exact at
 * the time of reading, while packets come on every CPU.
 */
#ifndef TDSMON_TAP_SUMS_H
#define TDSMON_TAP_SUMS_H

#include <stdint.h>

#include <linux/types.h>

#include "latency_histogram.h"
#include "tap_abi.h"

struct tap_sums {
	int counters, latencies, recent; /* the tap's maps */
	int cpus;
	/* a value for each possible CPU */
	uint64_t *counts;
	struct latency *each;
	struct tap_recent *before, *after;
	uint8_t *taken;
};

/*
 * counters, latencies, recent: file descriptors of the tap's maps, which must outlive this. -ENOMEM:
 * out of memory; then, too, tap_sums_free() may be called.
 */
int tap_sums_init(struct tap_sums *sums, int counters, int latencies, int recent);
void tap_sums_free(struct tap_sums *sums);

/* Packets, by enum tap_counter. 0 if the kernel refuses to tell. */
uint64_t tap_sums_counter(const struct tap_sums *sums, uint32_t which);

/* A key of the map "latencies": server * LATENCY_KINDS + enum latency_kind. 0 or -errno. */
int tap_sums_latency(const struct tap_sums *sums, uint32_t key, struct latency *out);

#endif
