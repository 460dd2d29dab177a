// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency.c - see dependency.h. Overlap and order decide, with one tolerance: an event waited
 * for an exchange that ended at most NEAR_NS before it.
 */
#include <string.h>

#include "engine/dependency/dependency.h"
#include "engine/dependency/split.h"
#include "lib/units.h"

#define NEAR_NS		25000000ull	/* a busy host's time between two consecutive steps */
#define LATE_NS		100000000ull	/* until a busy server makes the call that NTLM needs */
#define OLDEST_NS	600000000000ull /* older exchanges are not considered */
#define OPEN_LONG_NS	30000000000ull	/* an open request older than this counts as forgotten */
#define FAR_RTT_NS	5000000ull
#define FAR_RTT_MOST_NS NS_PER_S	/* no path is longer: TCP would have retransmitted */
#define DNS_GAP_NS	NS_PER_S	/* from the look-up to the connection */
#define DNS_NEXT_NS	10000000ull	/* from a response to the next query of one look-up */
#define DNS_RETRY_NS	(11 * NS_PER_S) /* resolvers ask again after 5 or 10 s */
#define PAUSES_SHARE	10	 /* of a queue: between calls, at most this part of the time */
#define UNANSWERED_NS	NS_PER_S /* no resolver or KDC client waits less */

/* The tolerance for this wait. The longer the wait, the busier the host may have been. */
static uint64_t near_of(const struct wait *w)
{
	return NEAR_NS + (w->b - w->a) / 50;
}

/* The same for the Netlogon call of a login that makes one for certain. */
static uint64_t late_of(const struct wait *w)
{
	return LATE_NS + (w->b - w->a) / 10;
}

static bool exchange_of(const struct exchange *x, const uint8_t *host)
{
	return !memcmp(companions_host(x), host, 16);
}

static bool exchange_is_call(const struct exchange *x)
{
	return x->kind == DEPENDENCY_NETLOGON && x->operation && !strcmp(x->operation, "SamLogon");
}

/* The time until which it was in flight, at most b. */
static uint64_t exchange_until(const struct exchange *x, uint64_t b)
{
	return x->end_ns < b ? x->end_ns : b;
}

static bool exchange_overlaps(const struct exchange *x, uint64_t a, uint64_t b)
{
	return x->start_ns < b && exchange_until(x, b) > a;
}

static uint64_t gap(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* The exchanges that may matter for a time that begins at a, newest first. */
#define for_each_exchange(x, c, a)                                                                 \
	for (struct exchange *x = companions_newest(c); x && x->start_ns + OLDEST_NS > (a);        \
	     x = companions_before(c, x))

/* The shortest round trip seen between host and peer. */
static uint64_t rtt_to(struct companions *c, const uint8_t *host, const uint8_t *peer, uint64_t now)
{
	uint64_t least = NO_NS;

	for_each_exchange(x, c, now)
	{
		uint64_t ns;

		if (x->udp || x->ack_ns == NO_NS || x->sent > 1 || !exchange_of(x, host) ||
		    memcmp(x->peer.addr, peer, 16))
			continue;
		ns = gap(x->start_ns, x->ack_ns);
		if (ns < least)
			least = ns;
	}
	return least;
}

/* The end of the calls that are in flight at that time; or the time itself: there are none. */
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

/*
 * The time since which Netlogon calls of the host were in flight without a gap until b. NO_NS: there
 * was a gap, or they began long after the wait did. A queue's next call begins when one ends, so all
 * the pauses together are short, too: calls that come and go are no queue.
 */
static uint64_t calls_since(struct companions *c, const struct wait *w, uint64_t b)
{
	uint64_t since = NO_NS, ignored = NO_NS, at = w->a, pauses = 0, pause = late_of(w);

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
			pause = near_of(w);
	}
	return pauses <= near_of(w) + (b - w->a) / PAUSES_SHARE ? since : NO_NS;
}

static uint32_t calls_in_flight(struct companions *c, const uint8_t *host, uint64_t a, uint64_t b)
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

/*
 * The Netlogon call of a login that waited for its server's answer in w. In a queue, the calls of
 * earlier logins come first, so the login's own is the one that ended right before the answer; if
 * the server took its time over that, it is the first that no earlier login has claimed. Without a
 * queue it is the first call after the token, because nothing keeps the server from calling.
 */
static struct exchange *call_find(struct companions *c, const struct wait *w)
{
	struct exchange *first = NULL, *last = NULL;
	uint64_t near = near_of(w);
	bool tight;

	for_each_exchange(x, c, w->a)
	{
		if (x->start_ns < w->a)
			break;
		if (!exchange_is_call(x) || x->owner || x->state == EXCHANGE_UNKNOWN ||
		    companions_unclear(c, x) || !exchange_of(x, w->host) || x->start_ns >= w->b)
			continue;
		first = x;
		if (x->state == EXCHANGE_ANSWERED && x->end_ns <= w->b &&
		    (!last || x->end_ns > last->end_ns))
			last = x;
	}
	if (!first)
		return NULL;
	tight = last && last->end_ns + near >= w->b;
	if (tight && calls_since(c, w, last->start_ns) != NO_NS)
		return last;
	if (first->start_ns <= w->a + late_of(w) || calls_since(c, w, first->start_ns) != NO_NS)
		return first;
	return tight ? last : NULL;
}

/*
 * If the authentication method is not known, a call is the login's own only if it takes nearly all
 * of the wait.
 */
static bool call_fits(const struct exchange *x, const struct wait *w, enum authority authority)
{
	return authority == AUTHORITY_DC ||
	       (x->start_ns <= w->a + near_of(w) && x->end_ns + near_of(w) >= w->b &&
		2 * gap(x->start_ns, exchange_until(x, w->b)) >= w->b - w->a);
}

static void span_add(struct spans *s, const struct wait *w, uint64_t from, uint64_t to,
		     enum wait_part part, const struct exchange *x, const char *grounds)
{
	spans_add(s, w, &(struct span){from, to, part, BASIS_INFERRED, x, grounds});
}

/* The part of a wait that this kind of request accounts for on its side. */
static enum wait_part part_of(const struct exchange *x, enum side side)
{
	switch (x->kind) {
	case DEPENDENCY_DNS:
		return PART_DNS;
	case DEPENDENCY_LDAP:
		return PART_LDAP;
	case DEPENDENCY_KERBEROS:
		return PART_KDC;
	case DEPENDENCY_HTTP:
		return PART_CRL;
	case DEPENDENCY_HTTPS:
		return PART_TOKEN;
	case DEPENDENCY_NETLOGON:
	case DEPENDENCY_SMB:
	case DEPENDENCY_OTHER: /* RPC */
		return side == SIDE_SERVER ? PART_DC : PART_PROCESS;
	default:
		return PART_PROCESS;
	}
}

/* A request that nobody answered while it was waited for. */
static bool exchange_unanswered(const struct companions *c, const struct exchange *x, uint64_t b)
{
	if (companions_unclear(c, x))
		return false;
	return (x->state == EXCHANGE_OPEN && x->start_ns + OPEN_LONG_NS > b) ||
	       (x->state == EXCHANGE_OPEN && x->sent > 1) || x->state == EXCHANGE_CLOSED ||
	       (x->state == EXCHANGE_ANSWERED && x->end_ns > b);
}

/*
 * Add the chain of answered requests that led to the wait's end: the last one ended right before
 * it, the one before that ended right before the last one began, and so on.
 */
static void chain_add(struct companions *c, const struct wait *w, const struct exchange *call,
		      struct spans *s)
{
	uint64_t from = w->b, near = near_of(w);

	for (bool more = true; more;) {
		const struct exchange *next = NULL;

		more = false;
		for_each_exchange(x, c, w->a)
		{
			if (x->state != EXCHANGE_ANSWERED || exchange_is_call(x) ||
			    !exchange_of(x, w->host) || x->end_ns > from ||
			    x->end_ns + near < from || x->start_ns >= from || x->end_ns <= w->a ||
			    x->start_ns + near < w->a || part_of(x, w->side) == PART_PROCESS)
				continue;
			if (!next || x->start_ns < next->start_ns)
				next = x;
		}
		if (next) {
			span_add(s, w, next->start_ns, next->end_ns, part_of(next, w->side), next,
				 "the wait ended right after its response");
			from = next->start_ns;
			more = from > w->a;
		} else if (call && call->state == EXCHANGE_ANSWERED && call->start_ns < from &&
			   call->end_ns + near >= from) {
			from = call->start_ns;
			call = NULL;
			more = true;
		}
	}
}

/*
 * Does the service at this peer answer the host in the meantime? If so, one lost response is not an
 * outage.
 */
static bool peer_answers(struct companions *c, const struct exchange *silent, uint64_t b)
{
	for_each_exchange(x, c, silent->start_ns)
	{
		if (x->state == EXCHANGE_ANSWERED && x->end_ns > silent->start_ns &&
		    x->end_ns <= b && x->peer.port == silent->peer.port && x->udp == silent->udp &&
		    !memcmp(x->peer.addr, silent->peer.addr, 16) &&
		    exchange_of(x, companions_host(silent)))
			return true;
	}
	return false;
}

/* Is the peer of this request a domain controller? Its other requests show it. */
static bool peer_is_dc(struct companions *c, const struct exchange *of)
{
	for_each_exchange(x, c, of->start_ns)
	{
		if ((x->kind == DEPENDENCY_NETLOGON || x->kind == DEPENDENCY_KERBEROS ||
		     x->kind == DEPENDENCY_LDAP) &&
		    !memcmp(x->peer.addr, of->peer.addr, 16) && exchange_of(x, companions_host(of)))
			return true;
	}
	return false;
}

/* The part of the wait that an unanswered request may be. PART_PROCESS: it is no part. */
static enum wait_part part_unanswered(struct companions *c, const struct wait *w,
				      const struct exchange *x)
{
	if (x->kind == DEPENDENCY_DNS)
		return PART_DNS;
	if (w->side == SIDE_CLIENT)
		return x->kind == DEPENDENCY_KERBEROS ? PART_KDC : PART_PROCESS;
	return part_of(x, w->side) != PART_PROCESS && peer_is_dc(c, x) ? PART_DC : PART_PROCESS;
}

/* Add the unanswered requests, also those older than the wait, that the wait may have been for. */
static void unanswered_add(struct companions *c, const struct wait *w, struct spans *s)
{
	for_each_exchange(x, c, w->a)
	{
		enum wait_part part;

		if (!exchange_of(x, w->host) || !exchange_overlaps(x, w->a, w->b) ||
		    !exchange_unanswered(c, x, w->b) || peer_answers(c, x, w->b) ||
		    (exchange_is_call(x) && !w->verifies))
			continue;
		part = part_unanswered(c, w, x);
		if (part != PART_PROCESS)
			span_add(s, w, x->start_ns, exchange_until(x, w->b), part, x,
				 "the request was not answered meanwhile");
	}
}

/* The list of dependencies. */

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
	uint32_t in_flight = 0;
	uint64_t until = exchange_until(x, b > x->start_ns ? b : x->start_ns);

	if (!d)
		return;
	d->requests++;
	d->unanswered += exchange_unanswered(c, x, b) &&
			 (x->state == EXCHANGE_CLOSED || x->sent > 1 ||
			  until - x->start_ns >= UNANSWERED_NS); /* if shorter, it is in flight */
	d->ns += gap(x->start_ns, until);
	if (d->rtt_ns == NO_NS)
		d->rtt_ns = rtt_to(c, companions_host(x), x->peer.addr, b);
	for_each_exchange(other, c, x->start_ns)
	{
		in_flight += other == x ||
			     (other->kind == x->kind && exchange_of(other, companions_host(x)) &&
			      !memcmp(&other->peer, &x->peer, sizeof(x->peer)) &&
			      other->start_ns <= x->start_ns && other->end_ns > x->start_ns);
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

static void list_find(struct companions *c, const struct dependency_login *login,
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

/* The cause: the largest part over all waits. */

static const struct exchange *cause_exchange(const struct spans *all, enum wait_part part)
{
	const struct span *longest = NULL;

	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].part == part &&
		    (!longest || all->at[i].to - all->at[i].from > longest->to - longest->from))
			longest = &all->at[i];
	return longest ? longest->x : NULL;
}

/* Did the peer's host itself not respond? It acknowledged nothing, or not for most of the time. */
static bool exchange_is_dead(const struct exchange *x)
{
	/* Sent once and not answered: the response may have been lost on its way to us. */
	if (x->state != EXCHANGE_ANSWERED)
		return x->ack_ns == NO_NS && x->sent > 1;
	return x->sent > 1 && 2 * gap(x->start_ns, x->ack_ns) >= gap(x->start_ns, x->end_ns);
}

/* A domain controller answered late: is it unreachable, far, or slow? */
static enum cause cause_of_dc(const struct exchange *x, uint64_t rtt_ns)
{
	uint64_t taken = x ? gap(x->start_ns, x->end_ns) : 0;

	if (!x)
		return CAUSE_DC_SLOW;
	if (exchange_is_dead(x))
		return CAUSE_DC_UNREACHABLE;
	if (x->state != EXCHANGE_ANSWERED && x->ack_ns == NO_NS)
		return CAUSE_NONE;
	if (rtt_ns != NO_NS && rtt_ns >= FAR_RTT_NS && rtt_ns < FAR_RTT_MOST_NS &&
	    2 * taken <= 5 * rtt_ns)
		return CAUSE_DC_FAR;
	return CAUSE_DC_SLOW;
}

/*
 * The domain controller's response took little of the wait, and nothing else is known of the rest.
 */
static bool is_server_busy(const struct dependency_findings *out, const uint64_t sums[PART_COUNT])
{
	uint64_t all = 0;

	if (!out->own || out->own->state != EXCHANGE_ANSWERED || !out->own_at_once ||
	    out->others_unclear)
		return false;
	for (enum wait_part part = 0; part < PART_COUNT; part++)
		all += sums[part];
	return 3 * sums[PART_PROCESS] >= 2 * all &&
	       4 * gap(out->own->start_ns, out->own->end_ns) <= all;
}

static void cause_find(struct companions *c, const struct dependency_login *login,
		       struct dependency_findings *out, const struct spans *all, uint64_t end)
{
	uint64_t sums[PART_COUNT] = {0};
	enum wait_part most = PART_PROCESS;

	for (size_t i = 0; i < out->part_count; i++)
		sums[out->parts[i].part] += out->parts[i].ns;
	for (enum wait_part part = 0; part < PART_COUNT; part++)
		if (sums[part] > sums[most])
			most = part;
	/* A queue that is about as long as the call still counts as the domain controller's. */
	if (most == PART_DC_QUEUE && sums[PART_DC] + sums[PART_DC] / 20 >= sums[most])
		most = PART_DC;
	out->worst = cause_exchange(all, most);
	out->cause_ns = sums[most];
	if (out->worst)
		out->rtt_ns = rtt_to(c, companions_host(out->worst), out->worst->peer.addr, end);
	switch (most) {
	case PART_DC:
		out->cause = cause_of_dc(out->worst, out->rtt_ns);
		break;
	case PART_DC_QUEUE:
		out->cause = out->queue_is_dead ? CAUSE_DC_UNREACHABLE : CAUSE_DC_QUEUE;
		break;
	case PART_KDC:
		if (out->worst && exchange_of(out->worst, login->server))
			out->cause = cause_of_dc(out->worst, out->rtt_ns);
		else
			out->cause = out->kerberos_errors ? CAUSE_KERBEROS_ERROR : CAUSE_KDC;
		break;
	case PART_LDAP:
		out->cause = CAUSE_LDAP;
		break;
	case PART_DNS:
		out->cause = CAUSE_DNS;
		break;
	case PART_CRL:
		out->cause = CAUSE_CERTIFICATE_CHECK;
		break;
	case PART_TOKEN:
		out->cause = CAUSE_TOKEN;
		break;
	default:
		out->cause = is_server_busy(out, sums) ? CAUSE_SERVER_BUSY : CAUSE_NONE;
	}
}

/* Each of the login's waits. */

/* Did a call that the domain controller's host never acknowledged hold up the others? */
static bool queue_is_dead(struct companions *c, const struct wait *w, const struct exchange *call)
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

/*
 * Did the host send a request whose beginning or end was not seen? The wait may have been for that.
 */
static bool others_unclear(struct companions *c, const struct wait *w, const struct exchange *call)
{
	for_each_exchange(x, c, w->a)
	{
		if (x != call && exchange_of(x, w->host) && x->state != EXCHANGE_ANSWERED &&
		    x->start_ns + near_of(w) >= w->a && x->start_ns < w->b)
			return true;
	}
	return false;
}

/* Add the time for which earlier logins' calls kept the login's own from beginning. */
static void queue_add(struct companions *c, const struct wait *w, const struct exchange *call,
		      struct dependency_findings *out, struct spans *s)
{
	uint64_t since = call->start_ns > w->a ? calls_since(c, w, call->start_ns) : NO_NS;

	if (since == NO_NS)
		return;
	out->in_flight = calls_in_flight(c, w->host, w->a, call->start_ns);
	out->queue_is_dead = queue_is_dead(c, w, call);
	span_add(s, w, since <= w->a + near_of(w) ? w->a : since, call->start_ns, PART_DC_QUEUE,
		 call, "earlier logins' Netlogon calls were in flight without a gap");
}

static void server_spans(struct companions *c, const struct dependency_login *login,
			 const struct wait *w, struct dependency_findings *out, struct spans *s)
{
	struct exchange *call = NULL;

	if (login->authority != AUTHORITY_NONE && w->verifies)
		call = call_find(c, w);
	if (call && call_fits(call, w, login->authority)) {
		call->owner = login->id;
		out->own = call;
		out->own_at_once = call->start_ns <= w->a + near_of(w);
		span_add(s, w, call->start_ns, exchange_until(call, w->b), PART_DC, call,
			 "the Netlogon call that fits this login by order");
		queue_add(c, w, call, out, s);
	} else {
		call = NULL;
	}
	if (w->b - w->a < WAIT_SPLIT_NS)
		return;
	out->others_unclear |= others_unclear(c, w, call);
	chain_add(c, w, call, s);
	if (login->authority == AUTHORITY_DC && (!call || call->state != EXCHANGE_ANSWERED))
		unanswered_add(c, w, s);
}

static bool wait_is_servers(const struct step *step)
{
	return step->waits_on == SIDE_SERVER &&
	       (step->phase == PHASE_LOGIN || step->phase == PHASE_AUTH);
}

static void wait_find(struct companions *c, const struct dependency_login *login, size_t step,
		      const struct wait *w, struct dependency_findings *out, struct spans *all)
{
	bool is_long = w->b - w->a >= WAIT_SPLIT_NS;
	const char *read = NULL;
	struct spans s;
	size_t own;

	s.count = 0;
	if (is_long) {
		unacked_times_spans(login->unacked, w, &s);
		read = witness_spans(login->witness, w, &s);
	}
	own = s.count;
	if (wait_is_servers(&login->steps[step])) {
		server_spans(c, login, w, out, &s);
	} else if (w->side == SIDE_CLIENT && is_long) {
		chain_add(c, w, NULL, &s);
		unanswered_add(c, w, &s);
	}
	if (!is_long || (!s.count && !read))
		return;
	spans_split(&s, w, step, read && s.count == own ? BASIS_SAMPLED : BASIS_INFERRED, read,
		    out);
	for (size_t i = own; i < s.count && all->count < SPANS_MOST; i++)
		all->at[all->count++] = s.at[i];
}

/* Nothing that a side sent got through: its last step waits for the network. */
static void network_find(const struct dependency_login *login, size_t step, const struct wait *w,
			 struct dependency_findings *out)
{
	struct spans s;

	if (w->b - w->a < WAIT_SPLIT_NS || !unacked_times_cover(login->unacked, w))
		return;
	s.count = 0;
	unacked_times_spans(login->unacked, w, &s);
	spans_split(&s, w, step, BASIS_INFERRED, NULL, out);
}

/* Was a ticket for SQL Server refused, because the KDC does not know its name? */
static bool exchange_misses_spn(const struct exchange *x)
{
	return x->result && !strcmp(x->result, "KDC_ERR_S_PRINCIPAL_UNKNOWN") &&
	       !strncasecmp(x->target, "MSSQLSvc/", 9);
}

static void kerberos_errors_find(struct companions *c, const struct dependency_login *login,
				 uint64_t end, struct dependency_findings *out)
{
	for_each_exchange(x, c, login->start_ns)
	{
		if (x->start_ns < login->start_ns)
			break;
		if (x->kind != DEPENDENCY_KERBEROS || !exchange_of(x, login->client) ||
		    x->start_ns > end || !exchange_failed(x))
			continue;
		out->kerberos_errors++;
		if (!out->kerberos_error)
			out->kerberos_error = x;
		if (!out->missing_spn && exchange_misses_spn(x))
			out->missing_spn = x;
	}
}

/* The server calls after NTLM's last token, not for its challenge before that. */
static bool step_verifies(const struct dependency_login *login, const struct step *step)
{
	return step->waits_on == SIDE_SERVER &&
	       (login->authority != AUTHORITY_DC || step->phase == PHASE_AUTH);
}

#define WAITS_MOST 32

void dependency_find(struct companions *c, const struct dependency_login *login,
		     struct dependency_findings *out)
{
	struct wait waits[WAITS_MOST];
	struct spans all;
	uint64_t at = login->start_ns;
	size_t count = 0;

	memset(out, 0, sizeof(*out));
	out->rtt_ns = NO_NS;
	all.count = 0;
	if (!companions_newest(c) && !login->witness && !(login->unacked && login->unacked->count))
		return;
	for (size_t i = 0; i < login->step_count; at += login->steps[i++].ns) {
		const struct step *step = &login->steps[i];
		struct wait w = {step->waits_on == SIDE_SERVER ? login->server : login->client,
				 step->waits_on, at, at + step->ns, step_verifies(login, step)};

		if (step->waits_on == SIDE_NETWORK || !step->ns) {
			network_find(login, i, &w, out);
			continue;
		}
		if (step->ns >= WAIT_SPLIT_NS && count < WAITS_MOST)
			waits[count++] = w;
		wait_find(c, login, i, &w, out, &all);
	}
	kerberos_errors_find(c, login, at, out);
	list_find(c, login, waits, count, at, out);
	if (out->part_count)
		cause_find(c, login, out, &all, at);
	if (login->witness)
		witness_cause(login, out);
}

/* DNS before the connection. */

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
