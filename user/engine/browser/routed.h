/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * routed.h - the ports to which servers sent clients on, by ROUTING in an answer that was read.
 * They are watched from then on, whatever the server. Anyone who can make an answer can name any
 * port. So the number of ports is small, and a connection on one must show that it is TDS, unless
 * its client was sent there.
 */
#ifndef TDSMON_ROUTED_H
#define TDSMON_ROUTED_H

#include <stdbool.h>
#include <stdint.h>

#define ROUTED_PORTS 32

struct routed {
	uint16_t ports[ROUTED_PORTS]; /* the most recently named one first */
	uint32_t count;
};

bool routed_has(const struct routed *r, uint16_t port);

/* A server named the port. Returns the port that makes room for it, or 0: none does. */
uint16_t routed_learn(struct routed *r, uint16_t port);

#endif
