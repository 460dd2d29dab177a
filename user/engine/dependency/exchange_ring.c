// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * exchange_ring.c - the exchanges that are kept, by their serial.
 */
#include "engine/dependency/companions_int.h"
#include "service_ports.h"

#define SKIP_NS NS_PER_S /* SEG_F_SKIPPED holds for so long, at most */

const uint8_t companions_own_host[16];

struct exchange *exchange_at(struct companions *c, uint64_t serial)
{
	struct exchange *x = &c->ring[serial % COMPANION_EXCHANGES];

	return serial && x->serial == serial ? x : NULL;
}

struct exchange *companions_newest(struct companions *c)
{
	return c ? exchange_at(c, c->serial) : NULL;
}

struct exchange *companions_before(struct companions *c, const struct exchange *x)
{
	return exchange_at(c, x->serial - 1);
}

const uint8_t *companions_host(const struct exchange *x)
{
	return x->own ? companions_own_host : x->host;
}

bool companions_unclear(const struct companions *c, const struct exchange *x)
{
	uint64_t skipped_ns = c->skipped_ns[!!service_is_bulk(x->peer.port)];

	return x->state == EXCHANGE_OPEN && ((c->lost_ns && c->lost_ns >= x->start_ns) ||
					     (skipped_ns && skipped_ns + SKIP_NS > x->start_ns));
}
