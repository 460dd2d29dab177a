/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * command_latency.h - the servers whose command latency the kernel sums up; each has a number.
 */
#ifndef TDSMON_COMMAND_LATENCY_H
#define TDSMON_COMMAND_LATENCY_H

#include "source/live/live.h"
#include "source/live/tap_sums.h"

struct command_latency;

/*
 * sums: of the tap, must outlive this, as must servers, the tap's map of that name. NULL: out of
 * memory.
 */
struct command_latency *command_latency_new(const struct tap_sums *sums, int servers);
void command_latency_free(struct command_latency *latencies);

/* A server's number, a new one if it has none yet; 0: no number is left. addr: 16 bytes. */
uint16_t command_latency_server(struct command_latency *latencies, const uint8_t *addr,
				uint16_t port);

/* See live_latency(). */
int command_latency_read(const struct command_latency *latencies, live_latency_fn *fn, void *ctx);

#endif
