// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * latencies.c - every server that there is room for gets a number, however fast they come.
 */
#include <bpf/bpf.h>
#include <unistd.h>

#include "latency_histogram.h"
#include "source/live/command_latency.h"
#include "unit.h"

#define ROUNDS 20

/* The tap's maps "latencies" and "servers". -1: cannot be made. */
static int make_latencies(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);

	return bpf_map_create(BPF_MAP_TYPE_PERCPU_HASH, "latencies", sizeof(uint32_t),
			      sizeof(struct latency), LATENCY_SERVERS * LATENCY_KINDS, &opts);
}

static int make_servers(void)
{
	return bpf_map_create(BPF_MAP_TYPE_HASH, "servers", sizeof(struct latency_server),
			      sizeof(uint16_t), LATENCY_SERVERS, NULL);
}

static void fill(int map, int servers)
{
	struct tap_sums sums;
	int err = tap_sums_init(&sums, -1, map, -1);
	struct command_latency *latencies = err ? NULL : command_latency_new(&sums, servers);
	uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};

	CHECK(latencies);
	if (!latencies) {
		tap_sums_free(&sums);
		return;
	}
	for (uint16_t i = 1; i < LATENCY_SERVERS; i++) {
		struct latency_server key = {.port = i};
		uint16_t number = 0;

		CHECK_INT(command_latency_server(latencies, addr, i), i);
		memcpy(key.addr, addr, sizeof(addr));
		CHECK(!bpf_map_lookup_elem(servers, &key, &number));
		CHECK_INT(number, i);
	}
	CHECK_INT(command_latency_server(latencies, addr, LATENCY_SERVERS), 0);
	CHECK_INT(command_latency_server(latencies, addr, 7), 7);
	command_latency_free(latencies);
	tap_sums_free(&sums);
}

UNIT_CASE(all_servers_get_a_number)
{
	for (int i = 0; i < ROUNDS; i++) {
		int map = make_latencies(), servers = make_servers();

		CHECK(map >= 0 && servers >= 0);
		fill(map, servers);
		close(servers);
		close(map);
	}
}

int main(void)
{
	if (geteuid()) {
		printf("skip - latencies: they need root\n");
		return 0;
	}
	RUN(all_servers_get_a_number);
	return unit_status();
}
