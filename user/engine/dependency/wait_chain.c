// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * wait_chain.c - the chain of answered requests that led to a wait's end: the last one ended right
 * before it, the one before that ended right before the last one began, and so on. Requests of
 * other programs can form such a chain, too, if they are many. So a chain counts as far as it is
 * unlikely that it only coincides with the wait.
 */
#include "engine/dependency/dependency_int.h"

#define SERVICES_MOST 64 /* that have a place; requests to others count only if they fit the wait */
#define LONG_SHARE    4	 /* a request is long if it takes so many times the tolerance */

/* Requests of the wait's host to one service. */
struct chain_service {
	const struct exchange *of; /* one of them */
	enum wait_part part;	   /* PART_PROCESS: none */
	bool goes_on;		   /* there were such requests all the time before the wait */
};

struct chain {
	struct companions *c;
	const struct wait *w;
	const struct exchange *call; /* the login's Netlogon call; NULL: none, or it was passed */
	struct chain_service services[SERVICES_MOST];
	size_t count;
};

static bool is_same_service(const struct exchange *a, const struct exchange *b)
{
	return a->kind == b->kind && a->udp == b->udp && exchange_of(a, companions_host(b)) &&
	       !memcmp(&a->peer, &b->peer, sizeof(a->peer));
}

/*
 * When the first of the requests to the service began that were under way at that time, or ended
 * right before it; 0: no request was.
 */
static uint64_t service_since(const struct chain *chain, const struct exchange *of, uint64_t at)
{
	uint64_t since = 0, near = wait_near(chain->w), a = chain->w->a;

	for_each_exchange(x, chain->c, a)
	{
		bool own = x->start_ns + near >= a && x->end_ns > a;

		if (x->state == EXCHANGE_ANSWERED && !own && x->start_ns < at &&
		    x->end_ns + 2 * near >= at && is_same_service(x, of) &&
		    (!since || x->start_ns < since))
			since = x->start_ns;
	}
	return since;
}

/*
 * Was the service asked again and again before the wait, too? Then so it goes on in it, and some
 * request always ends right before the answer. What the login itself asked before is shorter.
 */
static bool service_goes_on(const struct chain *chain, const struct exchange *of)
{
	uint64_t a = chain->w->a, at = a, since = service_since(chain, of, at);

	for (; since; since = service_since(chain, of, at)) {
		if (a - since >= LONG_SHARE * wait_near(chain->w))
			return true;
		at = since;
	}
	return false;
}

/* NULL: there are too many services. */
static const struct chain_service *service_of(struct chain *chain, const struct exchange *x)
{
	struct chain_service *s = chain->services;

	for (; s < chain->services + chain->count; s++)
		if (is_same_service(s->of, x))
			return s;
	if (chain->count == SERVICES_MOST)
		return NULL;
	chain->count++;
	s->of = x;
	s->part = exchange_part(chain->c, x, chain->w->side);
	s->goes_on = s->part != PART_PROCESS && service_goes_on(chain, x);
	return s;
}

static bool is_long(const struct chain *chain, const struct exchange *x)
{
	return exchange_gap(x->start_ns, x->end_ns) >= LONG_SHARE * wait_near(chain->w);
}

/* Does it end right before that time, as far as times tell? */
static bool is_link(const struct chain *chain, const struct exchange *x, uint64_t before)
{
	const struct wait *w = chain->w;
	uint64_t near = wait_near(w);

	return x->state == EXCHANGE_ANSWERED && !exchange_is_call(x) && exchange_of(x, w->host) &&
	       x->end_ns <= before && x->end_ns + near >= before && x->start_ns < before &&
	       x->end_ns > w->a && x->start_ns + near >= w->a;
}

/*
 * Add the links that end right before that time. Returns when the first of them began; without
 * links, that time. s may be NULL: add nothing.
 */
static uint64_t links_add(struct chain *chain, uint64_t before, bool only_long, struct spans *s)
{
	uint64_t from = before;

	for_each_exchange(x, chain->c, chain->w->a)
	{
		const struct chain_service *service;
		enum wait_part part;

		if (!is_link(chain, x, before) || (only_long && !is_long(chain, x)))
			continue;
		service = service_of(chain, x);
		part = service ? service->part : exchange_part(chain->c, x, chain->w->side);
		if (part == PART_PROCESS ||
		    ((!service || service->goes_on) && !wait_fits(x, chain->w)))
			continue;
		if (s)
			spans_add(s, chain->w,
				  &(struct span){x->start_ns, x->end_ns, part, BASIS_INFERRED, x,
						 "the wait ended right after its response"});
		if (x->start_ns < from)
			from = x->start_ns;
	}
	return from;
}

/* Follow the chain to its beginning, which is returned. */
static uint64_t chain_follow(struct chain *chain, struct spans *s)
{
	const struct exchange *call = chain->call;
	uint64_t at = chain->w->b, near = wait_near(chain->w);

	while (at > chain->w->a) {
		uint64_t from = links_add(chain, at, false, s);

		if (from == at && call && call->state == EXCHANGE_ANSWERED && call->start_ns < at &&
		    call->end_ns + near >= at) {
			from = call->start_ns;
			call = NULL;
		}
		if (from == at)
			break;
		at = from;
	}
	return at;
}

void chain_add(struct companions *c, const struct wait *w, const struct exchange *call,
	       struct spans *s)
{
	struct chain chain = {.c = c, .w = w, .call = call};

	if (chain_follow(&chain, NULL) <= w->a + wait_near(w))
		chain_follow(&chain, s);
	else
		links_add(&chain, w->b, true, s);
}
