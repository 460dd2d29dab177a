// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency_list.c - a login's list of dependencies.
 */
#include <string.h>

#include "engine/dependency/dependency_int.h"
#include "lib/units.h"

#define UNANSWERED_NS NS_PER_S /* no resolver or KDC client waits less */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct dependency *list_place(struct dependency_findings *out, const struct exchange *x,
				     enum side side, const char *result)
{
	const char *target = *x->target ? x->target : NULL;
	struct dependency *d;

	for (size_t i = 0; i < out->count; i++) {
		d = &out->list[i];
		if (d->side == side && d->kind == x->kind &&
		    !memcmp(&d->peer, &x->peer, sizeof(d->peer)) &&
		    same_text(d->operation, x->operation) && same_text(d->target, target) &&
		    same_text(d->result, result))
			return d;
	}
	if (out->count == DEPENDENCIES_MOST)
		return NULL;
	d = &out->list[out->count++];
	memset(d, 0, sizeof(*d));
	d->side = side;
	d->kind = x->kind;
	d->peer = x->peer;
	d->operation = x->operation;
	d->target = target;
	d->result = result;
	d->rtt_ns = NO_NS;
	return d;
}

static void list_add(struct companions *c, struct dependency_findings *out, struct exchange *x,
		     enum side side, uint64_t b)
{
	struct dependency *d = list_place(out, x, side, x->result);
	uint32_t in_flight = 1;
	uint64_t until = exchange_until(x, b > x->start_ns ? b : x->start_ns);

	if (!d)
		return;
	d->requests++;
	d->unanswered += exchange_unanswered(c, x, b) &&
			 (x->state == EXCHANGE_CLOSED || x->sent > 1 ||
			  until - x->start_ns >= UNANSWERED_NS); /* if shorter, it is in flight */
	d->ns += exchange_gap(x->start_ns, until);
	if (d->rtt_ns == NO_NS)
		d->rtt_ns = exchange_rtt_to(c, companions_host(x), x->peer.addr, b);
	for_each_exchange(other, c, x->start_ns)
	{
		in_flight += other != x && other->kind == x->kind &&
			     exchange_of(other, companions_host(x)) &&
			     !memcmp(&other->peer, &x->peer, sizeof(x->peer)) &&
			     other->start_ns <= x->start_ns && other->end_ns > x->start_ns;
	}
	if (in_flight > d->in_flight_most)
		d->in_flight_most = in_flight;
}

static bool listed_for(const struct exchange *x, const struct wait *waits, size_t count,
		       uint64_t start, uint64_t end, const uint8_t *host)
{
	if (!exchange_of(x, host) || (x->connect && same_text(x->result, "ok")))
		return false;
	if (exchange_failed(x) && x->end_ns >= start && x->start_ns <= end)
		return true;
	for (size_t i = 0; i < count; i++)
		if (!memcmp(waits[i].host, host, 16) &&
		    exchange_overlaps(x, waits[i].a, waits[i].b))
			return true;
	return false;
}

void dependency_list(struct companions *c, const struct dependency_login *login,
		     const struct wait *waits, size_t count, uint64_t end,
		     struct dependency_findings *out)
{
	for_each_exchange(x, c, login->start_ns)
	{
		if (!count && x->start_ns < login->start_ns)
			break;
		if (listed_for(x, waits, count, login->start_ns, end, login->server))
			list_add(c, out, x, SIDE_SERVER, end);
		else if (listed_for(x, waits, count, login->start_ns, end, login->client))
			list_add(c, out, x, SIDE_CLIENT, end);
	}
}
