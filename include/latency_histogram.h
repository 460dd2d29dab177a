/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * latency_histogram.h - command latency as the kernel sums it up, by server and kind of command:
 * histograms of the time from a request's last byte to its response's first byte and to its last.
 * Compiled for BPF and for user space, after segment.h.
 */
#ifndef TDSMON_LATENCY_HISTOGRAM_H
#define TDSMON_LATENCY_HISTOGRAM_H

/* Kinds of commands. Their numbers never change. */
enum latency_kind {
	LATENCY_BATCH = 0,
	LATENCY_RPC = 1,
	LATENCY_BULK = 2,
	LATENCY_TRANSACTION = 3,
	LATENCY_ATTENTION = 4, /* until the cancelled command ends, which itself is not counted */
	LATENCY_ENCRYPTED = 5, /* under full encryption: inferred from who sends */
	LATENCY_KINDS = 6,
};

#define LATENCY_SERVERS 256u /* counted separately; the first stands for all others */

/* A server, as the kernel looks up its number. */
struct latency_server {
	__u8 addr[16]; /* as in struct seg */
	__u16 port;
	__u16 pad;
};
_Static_assert(sizeof(struct latency_server) == 20, "BPF map key");

/*
 * Buckets of a quarter of a power of two, in units of 1,024 ns. The first four are one unit wide;
 * the last one begins at 481 s and has no end.
 */
#define LATENCY_BUCKETS 112u

struct latency {
	__u64 count;
	__u64 first_sum_ns, total_sum_ns;
	__u64 first[LATENCY_BUCKETS];
	__u64 total[LATENCY_BUCKETS];
};

static inline __attribute__((always_inline)) __u32 latency_bucket(__u64 ns)
{
	__u64 units = ns >> 10, left = units;
	__u32 log2 = 0, bucket;

	if (units < 4)
		return (__u32)units;
	if (left >> 32)
		return LATENCY_BUCKETS - 1;
	for (__u32 step = 16; step; step /= 2) {
		if (left >> step) {
			left >>= step;
			log2 += step;
		}
	}
	bucket = (log2 - 1) * 4 + (__u32)(units >> (log2 - 2) & 3);
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* A bucket's lower bound in ns. bucket may be LATENCY_BUCKETS: the bound after the last one. */
static inline __u64 latency_floor_ns(__u32 bucket)
{
	if (bucket < 4)
		return (__u64)bucket << 10;
	return (__u64)(4 + bucket % 4) << (bucket / 4 - 1) << 10;
}

#endif
