// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netlogon_calls.c - the Netlogon calls of a server: which one is a login's own, and the queue
 * before it.
 */
#include "engine/dependency/dependency_int.h"

#define PAUSES_SHARE 10 /* of a queue: between calls, at most this part of the time */

/* The end of the calls that are in flight at that time; if no call is, the time itself. */
static uint64_t calls_until(struct companions *c, const struct wait *w, uint64_t at, uint64_t b,
			    uint64_t *since)
{
	uint64_t most = at;

	for_each_exchange(x, c, w->a)
	{
		if (!exchange_is_call(x) || !exchange_of(x, w->host) || x->start_ns >= b ||
		    x->start_ns > at || exchange_until(x, b) <= at)
			continue;
		if (exchange_until(x, b) > most)
			most = exchange_until(x, b);
		if (x->start_ns < *since)
			*since = x->start_ns;
	}
	return most;
}

/* When the next call begins after that time, before b; or b. */
static uint64_t calls_next(struct companions *c, const struct wait *w, uint64_t at, uint64_t b)
{
	uint64_t next = b;

	for_each_exchange(x, c, w->a)
	{
		if (exchange_is_call(x) && exchange_of(x, w->host) && x->start_ns > at &&
		    x->start_ns < next)
			next = x->start_ns;
	}
	return next;
}

uint64_t calls_since(struct companions *c, const struct wait *w, uint64_t b)
{
	uint64_t since = NO_NS, ignored = NO_NS, at = w->a, pauses = 0, pause = wait_late(w);

	while (at < b) {
		uint64_t until = calls_until(c, w, at, b, since == NO_NS ? &since : &ignored);

		if (until == at) {
			until = calls_next(c, w, at, b);
			if (until - at > pause)
				return NO_NS;
			pauses += since == NO_NS ? 0 : until - at;
		}
		at = until;
		if (since != NO_NS)
			pause = wait_near(w);
	}
	return pauses <= wait_near(w) + (b - w->a) / PAUSES_SHARE ? since : NO_NS;
}

uint32_t calls_in_flight(struct companions *c, const uint8_t *host, uint64_t a, uint64_t b)
{
	uint32_t most = 0;

	for_each_exchange(x, c, a)
	{
		uint32_t count = 0;

		if (!exchange_is_call(x) || !exchange_of(x, host) || !exchange_overlaps(x, a, b))
			continue;
		for_each_exchange(other, c, a)
		{
			count += exchange_is_call(other) && exchange_of(other, host) &&
				 other->start_ns <= x->start_ns &&
				 exchange_until(other, b) > x->start_ns;
		}
		if (count > most)
			most = count;
	}
	return most;
}

struct exchange *calls_find(struct companions *c, const struct wait *w)
{
	struct exchange *first = NULL, *last = NULL;
	uint64_t near = wait_near(w);

	/* The newest first. */
	for_each_exchange(x, c, w->a)
	{
		bool late = x->start_ns + near >= w->b, over;

		if (x->start_ns < w->a)
			break;
		if (!exchange_is_call(x) || x->owner || x->state == EXCHANGE_UNKNOWN ||
		    companions_unclear(c, x) || !exchange_of(x, w->host) || x->start_ns >= w->b)
			continue;
		over = x->state == EXCHANGE_ANSWERED && x->end_ns <= w->b;
		if (over || !late) /* one that has just begun is the next login's */
			first = x;
		/* Of calls at the same time, the first is that of the login that ends first. */
		if (over && x->end_ns + near >= w->b && (!last || x->end_ns > last->start_ns))
			last = x;
	}
	if (!first)
		return NULL;
	if (last && calls_since(c, w, last->start_ns) != NO_NS)
		return last;
	if (first->start_ns <= w->a + wait_late(w) || calls_since(c, w, first->start_ns) != NO_NS)
		return first;
	return last;
}

bool calls_fit(const struct exchange *x, const struct wait *w, enum authority authority)
{
	return authority == AUTHORITY_DC || wait_fits(x, w);
}

bool calls_queue_is_logins(struct companions *c, const struct wait *w, const struct exchange *call)
{
	uint32_t logins = 0, others = 0;
	bool known = false;

	for_each_exchange(x, c, w->a)
	{
		if (!exchange_is_call(x) || !exchange_of(x, w->host))
			continue;
		known |= x->owner != 0;
		if (x->end_ns <= w->a || x->end_ns > call->start_ns)
			continue;
		logins += x->owner != 0;
		others += x->owner == 0;
	}
	return !known || logins >= others;
}

bool calls_queue_is_dead(struct companions *c, const struct wait *w, const struct exchange *call)
{
	for_each_exchange(x, c, w->a)
	{
		if (x != call && exchange_is_call(x) && exchange_of(x, w->host) &&
		    exchange_overlaps(x, w->a, call->start_ns) && exchange_is_dead(x) &&
		    2 * (exchange_until(x, call->start_ns) -
			 (x->start_ns > w->a ? x->start_ns : w->a)) >=
			    call->start_ns - w->a)
			return true;
	}
	return false;
}
