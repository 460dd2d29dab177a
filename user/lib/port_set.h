/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* port_set.h - a set of ports: a bit each. */
#ifndef TDSMON_PORT_SET_H
#define TDSMON_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

struct port_set {
	uint64_t bits[65536 / 64];
};

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
	return s->bits[port / 64] >> (port % 64) & 1;
}

static inline void port_set_add(struct port_set *s, uint16_t port)
{
	s->bits[port / 64] |= 1ull << (port % 64);
}

static inline void port_set_remove(struct port_set *s, uint16_t port)
{
	s->bits[port / 64] &= ~(1ull << (port % 64));
}

#endif
