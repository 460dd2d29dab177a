/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * command_latency.c - see command_latency.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "source/live/command_latency.h"

struct command_latency {
	const struct tap_sums *sums;
	int map, servers; /* the kernel's maps */
	int cpus;
	uint16_t count, last; /* last: the number that was last looked up */
	struct latency_server at[LATENCY_SERVERS];
	struct latency *per_cpu; /* one key's values, for each possible CPU */
};

/*
 * The kernel hands out per-CPU memory from a small stock, which it fills again in the background. Six
 * entries in a row can empty the stock: ENOMEM, although there is memory. Within 200 us it was filled again,
 * on a machine with ten processes to a CPU.
 */
#define STOCK_WAIT_NS 100000
#define STOCK_TRIES   50 /* 5 ms */

static int entry_begin(const struct command_latency *latencies, uint32_t key)
{
	static const struct timespec wait = {.tv_nsec = STOCK_WAIT_NS};
	int err = -ENOMEM;

	for (int i = 0; i < STOCK_TRIES && err == -ENOMEM; i++) {
		if (i)
			nanosleep(&wait, NULL);
		err = bpf_map_update_elem(latencies->map, &key, latencies->per_cpu, BPF_ANY)
			      ? -errno
			      : 0;
	}
	return err;
}

/* The kernel only adds to existing entries, so create a server's here. What fails can be tried again. */
static int server_begin(struct command_latency *latencies, uint32_t index)
{
	int err = 0;

	memset(latencies->per_cpu, 0, (size_t)latencies->cpus * sizeof(*latencies->per_cpu));
	for (uint32_t kind = 0; kind < LATENCY_KINDS && !err; kind++)
		err = entry_begin(latencies, index * LATENCY_KINDS + kind);
	return err;
}

struct command_latency *command_latency_new(const struct tap_sums *sums, int servers)
{
	struct command_latency *latencies = calloc(1, sizeof(*latencies));

	if (!latencies)
		return NULL;
	latencies->sums = sums;
	latencies->map = sums->latencies;
	latencies->servers = servers;
	latencies->cpus = sums->cpus;
	latencies->count = 1;
	if (latencies->cpus > 0)
		latencies->per_cpu = calloc((size_t)latencies->cpus, sizeof(*latencies->per_cpu));
	if (latencies->per_cpu && !server_begin(latencies, 0))
		return latencies;
	command_latency_free(latencies);
	return NULL;
}

void command_latency_free(struct command_latency *latencies)
{
	if (latencies)
		free(latencies->per_cpu);
	free(latencies);
}

static bool server_is(const struct latency_server *server, const uint8_t *addr, uint16_t port)
{
	return server->port == port && !memcmp(server->addr, addr, sizeof(server->addr));
}

uint16_t command_latency_server(struct command_latency *latencies, const uint8_t *addr,
				uint16_t port)
{
	uint16_t number = latencies->count;
	struct latency_server *server;

	if (latencies->last && server_is(&latencies->at[latencies->last], addr, port))
		return latencies->last;
	for (uint16_t i = 1; i < latencies->count; i++)
		if (server_is(&latencies->at[i], addr, port))
			return latencies->last = i;
	if (number == LATENCY_SERVERS || server_begin(latencies, number)) {
		log_debug("no room for another server's command latency: counted with the others");
		return 0;
	}
	server = &latencies->at[number];
	memcpy(server->addr, addr, sizeof(server->addr));
	server->port = port;
	if (bpf_map_update_elem(latencies->servers, server, &number, BPF_ANY))
		log_debug("cannot add a server to the kernel's table: %s", strerror(errno));
	latencies->count++;
	return latencies->last = number;
}

int command_latency_read(const struct command_latency *latencies, live_latency_fn *fn, void *ctx)
{
	for (uint32_t key = 0; key < latencies->count * (uint32_t)LATENCY_KINDS; key++) {
		const struct latency_server *server = &latencies->at[key / LATENCY_KINDS];
		struct latency sum;
		int err;

		err = tap_sums_latency(latencies->sums, key, &sum);
		if (err)
			return err;
		if (sum.count)
			fn(ctx, server->addr, server->port,
			   (enum latency_kind)(key % LATENCY_KINDS), &sum);
	}
	return 0;
}
