// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dns_before.c - DNS before the connection.
 */
#include <string.h>

#include "engine/dependency/dependency_int.h"
#include "lib/units.h"

#define DNS_GAP_NS   NS_PER_S	     /* from the look-up to the connection */
#define DNS_NEXT_NS  10000000ull     /* from a response to the next query of one look-up */
#define DNS_RETRY_NS (11 * NS_PER_S) /* resolvers ask again after 5 or 10 s */

static bool names_address(const struct exchange *x, const uint8_t *addr)
{
	for (uint32_t i = 0; i < x->address_count; i++)
		if (!memcmp(x->addresses[i], addr, 16))
			return true;
	return false;
}

static struct exchange *lookup_find(struct companions *c, const uint8_t *client,
				    const uint8_t *server, uint64_t start_ns)
{
	for_each_exchange(x, c, start_ns)
	{
		if (x->kind == DEPENDENCY_DNS && x->state == EXCHANGE_ANSWERED && !x->owner &&
		    x->end_ns <= start_ns && x->end_ns + DNS_GAP_NS >= start_ns &&
		    exchange_of(x, client) && names_address(x, server))
			return x;
	}
	return NULL;
}

/* Did the look-up that was at from go on from this query? An earlier one of its own did not. */
static bool lookup_goes_on(const struct companions *c, const struct exchange *x, uint64_t from)
{
	if (companions_unclear(c, x))
		return false;
	if (x->state == EXCHANGE_ANSWERED)
		return x->end_ns + DNS_NEXT_NS >= from;
	return x->state == EXCHANGE_OPEN && x->start_ns + DNS_RETRY_NS >= from;
}

uint64_t dependency_dns_before(struct companions *c, uint64_t id, const uint8_t *client,
			       const uint8_t *server, uint64_t start_ns)
{
	struct exchange *found = lookup_find(c, client, server, start_ns);
	uint64_t from, to;

	if (!found)
		return NO_NS;
	from = found->start_ns;
	to = found->end_ns;
	/*
	 * Queries for A and AAAA, and earlier queries without a response, are one look-up of one
	 * name.
	 */
	for_each_exchange(x, c, from)
	{
		if (x->kind != DEPENDENCY_DNS || x->owner || !exchange_of(x, client) ||
		    strcmp(x->target, found->target) || x->start_ns > start_ns ||
		    !lookup_goes_on(c, x, from))
			continue;
		if (x->start_ns < from)
			from = x->start_ns;
		if (x->state == EXCHANGE_ANSWERED && x->end_ns > to && x->end_ns <= start_ns)
			to = x->end_ns;
		x->owner = id;
	}
	return to - from;
}
