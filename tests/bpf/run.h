/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * run.h - runs packets through the tap's programs by BPF_PROG_TEST_RUN: packets in, ring buffer
 * records and counters out. For each test program to include once.
 */
#ifndef TDSMON_TESTS_RUN_H
#define TDSMON_TESTS_RUN_H

#include <errno.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/packet.h"
#include "source/live/tap_load.h"
#include "source/live/tap_sums.h"
#include "unit.h"
#include "segment.h"
#include "service_ports.h"
#include "tap_abi.h"

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

#define RECORDS_MAX 512

struct record {
	struct seg seg;
	uint8_t payload[SEG_CHUNK];
};

enum hook {
	HOOK_INGRESS,
	HOOK_EGRESS,
	HOOK_INGRESS_IP,
	HOOK_XDP,
};

struct tap {
	struct tap_bpf *skel;
	struct ring_buffer *ring;
	size_t seg_len;			/* of a record's struct seg */
	uint64_t counters[TAP_CNT_MAX]; /* as of the last look */
};

/* How a tap differs from the usual one, which watches port 1433. */
struct tap_setup {
	bool any_port, mirror, xdp_direct, browser, commands, dependencies;
	const struct decap_config *decap;
	uint32_t budget, ring_size, dependency_rate;
};

static struct packet packet;
static uint8_t packet_out[sizeof(packet.data)];
static struct record records[RECORDS_MAX];
static int record_count;

static int on_record(void *ctx, void *data, size_t size)
{
	const struct tap *tap = ctx;
	struct record *r = &records[record_count];
	size_t payload = size - tap->seg_len;

	if (record_count == RECORDS_MAX || size < tap->seg_len)
		return 0;
	memset(&r->seg, 0, sizeof(r->seg));
	memcpy(&r->seg, data, tap->seg_len);
	if (payload < r->seg.cap_len)
		return 0;
	memcpy(r->payload, (const uint8_t *)data + tap->seg_len,
	       payload < sizeof(r->payload) ? payload : sizeof(r->payload));
	record_count++;
	return 0;
}

/* Frames in several buffers, from 5.18 on: without them there are no packets above a page. */
static inline bool has_frags(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) == 1;
}

static inline void tap_open(struct tap *tap, const struct tap_setup *setup)
{
	memset(tap, 0, sizeof(*tap));
	tap->skel = tap_skeleton(setup->decap);
	if (!tap->skel) {
		printf("not ok - open: %s\n", strerror(errno));
		exit(1);
	}
	tap->skel->bss->tap_ports[1433 / 64] |= 1ull << 1433 % 64;
	tap->skel->rodata->tap_any_port = setup->any_port;
	tap->skel->rodata->tap_mirror = setup->mirror;
	tap->skel->rodata->tap_commands = setup->commands;
	tap->skel->rodata->tap_sql_browser = setup->browser;
	tap->skel->rodata->tap_xdp_direct = setup->xdp_direct;
	tap->skel->rodata->tap_dependencies = setup->dependencies;
	if (setup->dependency_rate)
		tap->skel->rodata->tap_dependency_rate = setup->dependency_rate;
	for (unsigned int port = 0; port < 65536; port++)
		if (service_is_fixed((uint16_t)port))
			tap->skel->bss->tap_services[port / 64] |= 1ull << port % 64;
	if (setup->decap)
		memcpy((void *)&tap->skel->rodata->tap_decap, setup->decap, sizeof(*setup->decap));
	if (setup->budget)
		tap->skel->rodata->tap_budget = setup->budget;
	if (setup->ring_size)
		bpf_map__set_max_entries(tap->skel->maps.events, setup->ring_size);
	if (!setup->xdp_direct && has_frags())
		bpf_program__set_flags(tap->skel->progs.tap_xdp, BPF_F_XDP_HAS_FRAGS);
	if (tap_bpf__load(tap->skel)) {
		printf("not ok - load: %s (root is needed)\n", strerror(errno));
		exit(1);
	}
	tap->seg_len = setup->decap ? sizeof(struct seg) : SEG_PLAIN;
	tap->ring = ring_buffer__new(bpf_map__fd(tap->skel->maps.events), on_record, tap, NULL);
}

static inline void tap_close(struct tap *tap)
{
	ring_buffer__free(tap->ring);
	tap_bpf__destroy(tap->skel);
}

static inline void tap_sums_of(struct tap *tap, struct tap_sums *sums)
{
	CHECK(!tap_sums_init(sums, bpf_map__fd(tap->skel->maps.counters),
			     bpf_map__fd(tap->skel->maps.latencies),
			     bpf_map__fd(tap->skel->maps.recent)));
}

static inline uint64_t tap_counter(struct tap *tap, uint32_t which)
{
	struct tap_sums sums;
	uint64_t sum;

	tap_sums_of(tap, &sums);
	sum = tap_sums_counter(&sums, which);
	tap_sums_free(&sums);
	return sum;
}

/* Which counter has gone up, by one, since the last look; -1: not one, or by more. */
static inline int tap_counted(struct tap *tap)
{
	int which = -1, changed = 0;

	for (uint32_t i = 0; i < TAP_CNT_MAX; i++) {
		bool of_a_packet = i != TAP_CNT_SYNS && i != TAP_CNT_HALF_OPEN;
		uint64_t now = tap_counter(tap, i);

		if (of_a_packet && now == tap->counters[i] + 1)
			which = (int)i;
		changed += of_a_packet && now != tap->counters[i];
		tap->counters[i] = now;
	}
	return changed == 1 ? which : -1;
}

static inline struct bpf_program *tap_program(struct tap *tap, enum hook hook)
{
	switch (hook) {
	case HOOK_INGRESS:
		return tap->skel->progs.tap_ingress;
	case HOOK_EGRESS:
		return tap->skel->progs.tap_egress;
	case HOOK_INGRESS_IP:
		return tap->skel->progs.tap_ingress_ip;
	default:
		return tap->skel->progs.tap_xdp;
	}
}

/* Run the packet through; false if it is not passed as it was. */
static inline bool tap_run_packet(struct tap *tap, enum hook hook, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data, .data_size_in = (__u32)len,
		    .data_out = packet_out, .data_size_out = sizeof(packet_out), .repeat = 1);
	int err;

	memset(packet_out, 0x55, len);
	err = bpf_prog_test_run_opts(bpf_program__fd(tap_program(tap, hook)), &opts);
	if (err) {
		printf("# test run: %s, %zu bytes\n", strerror(-err), len);
		return false;
	}
	return opts.retval == (hook == HOOK_XDP ? (__u32)XDP_PASS : (__u32)-1) &&
	       opts.data_size_out == len && !memcmp(packet.data, packet_out, len);
}

/* Run what is built, read the records; the answer is the counter that went up, -2: touched. */
static inline int tap_send_built(struct tap *tap, enum hook hook)
{
	bool passed;

	record_count = 0;
	passed = tap_run_packet(tap, hook, packet.len);
	ring_buffer__consume(tap->ring);
	return passed ? tap_counted(tap) : -2;
}

static inline int tap_send(struct tap *tap, enum hook hook, const struct packet_spec *spec)
{
	packet_build(&packet, spec);
	return tap_send_built(tap, hook);
}

#define SEND(tap, hook, ...) tap_send(tap, hook, &(struct packet_spec){__VA_ARGS__})

/* A value of the map "flows". */
struct flow_value {
	uint8_t level, marks;
	uint16_t beat;
	uint32_t bytes;
	struct {
		uint32_t next, end, acked;
		uint8_t state, have, flags, resent;
	} walk[2];
	uint64_t ns[3];
	uint16_t counts[6];
	uint16_t server;
	uint8_t client, turn;
	uint32_t resent_first;
	uint16_t resent_last;
	uint8_t kind, sealed;
};

static inline int flow_level(struct tap *tap, uint16_t sport, struct tap_key *key)
{
	static const uint8_t addr[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
	struct flow_value flow;

	*key = (struct tap_key){.port = {sport, 1433}};
	memcpy(key->addr, addr, sizeof(key->addr));
	if (bpf_map_lookup_elem(bpf_map__fd(tap->skel->maps.flows), key, &flow))
		return -1;
	return (int)flow.level;
}

/* As user space does. */
static inline void steer(struct tap *tap, const struct tap_key *key, uint8_t level)
{
	struct tap_steers steers = {.at = {{.level = level, .key = *key}}};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &steers,
		    .data_size_in = offsetof(struct tap_steers, at) + sizeof(steers.at[0]));

	CHECK_INT(bpf_prog_test_run_opts(bpf_program__fd(tap->skel->progs.tap_steer), &opts), 0);
}

/* The same; age: as if nothing had been handed over for a long time. */
static inline void set_level(struct tap *tap, uint16_t sport, uint8_t level, uint16_t age)
{
	int map = bpf_map__fd(tap->skel->maps.flows);
	struct flow_value flow;
	struct tap_key key;

	CHECK(flow_level(tap, sport, &key) >= 0);
	steer(tap, &key, level);
	if (!age)
		return;
	bpf_map_lookup_elem(map, &key, &flow);
	flow.beat -= age;
	bpf_map_update_elem(map, &key, &flow, BPF_EXIST);
}

static inline int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

#endif
