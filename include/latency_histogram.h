/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * latency_histogram.h - command latency as the kernel sums it up, by server and kind of command: histograms
 * of the time from a request's last byte to its answer's first byte and to its last. Compiled for
 * BPF and for user space, after wire.h.
 */
#ifndef TDSMON_LATENCY_HISTOGRAM_H
#define TDSMON_LATENCY_HISTOGRAM_H

/* What a command is; numbers are never changed. */
enum latency_kind {
	LATENCY_BATCH = 0,
	LATENCY_RPC = 1,
	LATENCY_BULK = 2,
	LATENCY_TRANSACTION = 3,
	LATENCY_ATTENTION = 4, /* to the end of what it cancels; that itself is not summed up */
	LATENCY_ENCRYPTED = 5, /* under full encryption: told by turns alone */
	LATENCY_KINDS = 6,
};

#define LATENCY_SERVERS 256u /* told apart; the first stands for all others */

/* One of them, by which the kernel knows its number. */
struct latency_server {
	__u8 addr[16]; /* as in struct seg */
	__u16 port;
	__u16 pad;
};
_Static_assert(sizeof(struct latency_server) == 20, "BPF map key");

/*
 * Buckets of a quarter of a power of two each, in units of 1,024 ns: the first four are one unit
 * wide; the last, from 481 s on, has no end.
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

/* The least that falls into a bucket, ns; of LATENCY_BUCKETS: where the last one would end. */
static inline __u64 latency_floor_ns(__u32 bucket)
{
	if (bucket < 4)
		return (__u64)bucket << 10;
	return (__u64)(4 + bucket % 4) << (bucket / 4 - 1) << 10;
}

#endif
