/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * talk.h - a client and a server that talk through the tap, in packets of TDS and TLS, and what the
 * tap keeps account of. For each test program to include once.
 */
#ifndef TDSMON_TESTS_TALK_H
#define TDSMON_TESTS_TALK_H

#include "bpf/run.h"
#include "latency_histogram.h"

#define PORT 9

static struct latency sums[LATENCY_KINDS];
static uint32_t at[2]; /* sequence numbers: client, server */

enum { CLIENT, SERVER };

static inline void sums_begin_one(struct tap *tap, uint32_t key)
{
	int map = bpf_map__fd(tap->skel->maps.latencies), cpus = libbpf_num_possible_cpus();
	struct latency *zero = calloc((size_t)cpus, sizeof(*zero));

	CHECK(!bpf_map_update_elem(map, &key, zero, BPF_NOEXIST));
	free(zero);
}

static inline void sums_begin(struct tap *tap)
{
	for (uint32_t key = 0; key < LATENCY_KINDS; key++)
		sums_begin_one(tap, key);
}

static inline void sums_read(struct tap *tap)
{
	struct tap_sums all;

	tap_sums_of(tap, &all);
	for (uint32_t key = 0; key < LATENCY_KINDS; key++)
		CHECK(!tap_sums_latency(&all, key, &sums[key]));
	tap_sums_free(&all);
}

static inline int say(struct tap *tap, int who, uint8_t flags, const void *payload, uint32_t len)
{
	int counted = SEND(tap, who == CLIENT ? HOOK_INGRESS : HOOK_EGRESS, .sport = PORT,
			   .swap = who == SERVER, .seq = at[who], .flags = flags,
			   .payload = payload, .payload_len = len);

	at[who] += len;
	return counted;
}

/* The first `sent` bytes of a TDS packet of len bytes. */
static inline int tds(struct tap *tap, int who, uint8_t type, uint8_t status, uint32_t len,
		      uint32_t sent)
{
	uint8_t packet_bytes[4096] = {type, status, (uint8_t)(len >> 8), (uint8_t)len, 0, 55, 1, 0};

	memset(packet_bytes + 8, 0x80, sizeof(packet_bytes) - 8); /* never a head */
	return say(tap, who, PSH | ACK, packet_bytes, sent);
}

static inline int more(struct tap *tap, int who, uint32_t len)
{
	uint8_t bytes[4096];

	memset(bytes, 0x80, sizeof(bytes));
	return say(tap, who, PSH | ACK, bytes, len);
}

static inline int tls(struct tap *tap, int who, uint8_t flags, uint32_t len)
{
	uint8_t bytes[4096] = {0x17, 3, 3, (uint8_t)((len - 5) >> 8), (uint8_t)(len - 5)};

	return say(tap, who, flags, bytes, len);
}

static inline const struct tap_counts *told(int i)
{
	CHECK_INT(records[i].seg.rec_flags, SEG_F_HEADS | SEG_F_COUNTS);
	CHECK_INT(records[i].seg.cap_len, 0);
	return (const struct tap_counts *)records[i].payload;
}

static inline void check_counts(const struct tap_counts *c, uint32_t batch, uint32_t rpc,
				uint32_t bulk, uint32_t transaction, uint32_t attention,
				uint32_t resets)
{
	CHECK_INT(c->commands[LATENCY_BATCH], batch);
	CHECK_INT(c->commands[LATENCY_RPC], rpc);
	CHECK_INT(c->commands[LATENCY_BULK], bulk);
	CHECK_INT(c->commands[LATENCY_TRANSACTION], transaction);
	CHECK_INT(c->commands[LATENCY_ATTENTION], attention);
	CHECK_INT(c->resets, resets);
}

#endif
