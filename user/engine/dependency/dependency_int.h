/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * dependency_int.h - shared by the files that find a login's dependencies; all others include
 * dependency.h.
 */
#ifndef TDSMON_DEPENDENCY_INT_H
#define TDSMON_DEPENDENCY_INT_H

#include <string.h>

#include "engine/dependency/dependency.h"
#include "engine/dependency/split.h"

#define OLDEST_NS 600000000000ull /* older exchanges are not considered */

/* The exchanges that may matter for a time that begins at a, newest first. */
#define for_each_exchange(x, c, a)                                                                 \
	for (struct exchange *x = companions_newest(c); x && x->start_ns + OLDEST_NS > (a);        \
	     x = companions_before(c, x))

/* host: as companions_host() names it. */
static inline bool exchange_of(const struct exchange *x, const uint8_t *host)
{
	return !memcmp(companions_host(x), host, 16);
}

static inline bool exchange_is_call(const struct exchange *x)
{
	return x->kind == DEPENDENCY_NETLOGON && x->operation && !strcmp(x->operation, "SamLogon");
}

/* The time until which it was in flight, at most b. */
static inline uint64_t exchange_until(const struct exchange *x, uint64_t b)
{
	return x->end_ns < b ? x->end_ns : b;
}

static inline bool exchange_overlaps(const struct exchange *x, uint64_t a, uint64_t b)
{
	return x->start_ns < b && exchange_until(x, b) > a;
}

static inline uint64_t exchange_gap(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* ---- wait_exchanges.c ---- */

/* The tolerance for this wait. The longer the wait, the busier the host may have been. */
uint64_t wait_near(const struct wait *w);

/* The same for the Netlogon call of a login that makes one for certain. */
uint64_t wait_late(const struct wait *w);

/* Does it take at least half of the wait, from right after its beginning until right before its end? */
bool wait_fits(const struct exchange *x, const struct wait *w);

/* Is the peer of this request a domain controller? The host's other requests to it show it. */
bool exchange_peer_is_dc(struct companions *c, const struct exchange *of);

/* The part of a wait for that side that the request may account for; PART_PROCESS: none. */
enum wait_part exchange_part(struct companions *c, const struct exchange *x, enum side side);

/* The shortest round trip seen between host and peer. */
uint64_t exchange_rtt_to(struct companions *c, const uint8_t *host, const uint8_t *peer,
			 uint64_t now);

/* A request that nobody answered while it was waited for. */
bool exchange_unanswered(const struct companions *c, const struct exchange *x, uint64_t b);

/* Did the peer's host itself not respond? It acknowledged nothing, or not for most of the time. */
bool exchange_is_dead(const struct exchange *x);

/* ---- netlogon_calls.c ---- */

/*
 * The time since which Netlogon calls of the host were in flight without a gap until b. NO_NS: there
 * was a gap, or they began long after the wait did. A queue's next call begins when one ends, so all
 * the pauses together are short, too: calls that come and go are no queue.
 */
uint64_t calls_since(struct companions *c, const struct wait *w, uint64_t b);

/* The most calls of the host that were open at once, from a to b. */
uint32_t calls_in_flight(struct companions *c, const uint8_t *host, uint64_t a, uint64_t b);

/*
 * The Netlogon call of a login that waited for its server's answer in w. In a queue, the calls of
 * earlier logins come first, so the login's own is the one that ended right before the answer; if
 * the server took its time over that, it is the first that no earlier login has claimed. Without a
 * queue it is the first call after the token, because nothing keeps the server from calling.
 */
struct exchange *calls_find(struct companions *c, const struct wait *w);

/*
 * If the authentication method is not known, a call is the login's own only if it takes nearly all
 * of the wait.
 */
bool calls_fit(const struct exchange *x, const struct wait *w, enum authority authority);

/* Did a call that the domain controller's host never acknowledged hold up the others? */
bool calls_queue_is_dead(struct companions *c, const struct wait *w, const struct exchange *call);

/*
 * Are the calls that ended in the queue before this one logins'? Others are of other services of
 * the host, and the login need not have waited for them. True if no login's call is known at all,
 * as in a file with the packets of one login.
 */
bool calls_queue_is_logins(struct companions *c, const struct wait *w, const struct exchange *call);

/*
 * wait_chain.c: add the answered requests that led to the wait's end, as far as they do not only
 * coincide with it: the chain of them begins with the wait, or the last one took long, and the
 * service was not asked all the time before. call: the login's Netlogon call; NULL: none found.
 */
void chain_add(struct companions *c, const struct wait *w, const struct exchange *call,
	       struct spans *s);

/*
 * dependency_list.c: fill in the list: the requests that the waits overlap, and all that failed
 * between the login's start and end.
 */
void dependency_list(struct companions *c, const struct dependency_login *login,
		     const struct wait *waits, size_t count, uint64_t end,
		     struct dependency_findings *out);

/* dependency_cause.c: set the cause, by out's parts and the spans of all waits. end: the login's. */
void dependency_cause(struct companions *c, const struct dependency_login *login,
		      struct dependency_findings *out, const struct spans *all, uint64_t end);

#endif
