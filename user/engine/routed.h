/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * routed.h - the ports that servers sent clients on to, by ROUTING in an answer that was read. They
 * are watched from then on, wherever the server is. Whoever can make an answer can name any port, so
 * there are few of them, and a connection on one has to show that it is TDS, unless its client was
 * sent there.
 */
#ifndef TDSMON_ROUTED_H
#define TDSMON_ROUTED_H

#include "engine/engine.h"

#define ROUTED_PORTS 32

struct routed {
	uint16_t ports[ROUTED_PORTS]; /* the one that was named last is the first */
	uint32_t count;
};

bool routed_has(const struct routed *r, uint16_t port);

/* A server named the port. Which one makes room for it, or 0: none does. */
uint16_t routed_learn(struct routed *r, uint16_t port);

#endif
