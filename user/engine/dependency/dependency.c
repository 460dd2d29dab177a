// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency.c - see dependency.h. Overlap and order decide, with one tolerance: an event waited
 * for an exchange that ended at most wait_near() before it.
 */
#include <string.h>

#include "engine/dependency/dependency_int.h"

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

/*
 * Add the chain of answered requests that led to the wait's end: the last one ended right before
 * it, the one before that ended right before the last one began, and so on.
 */
static void chain_add(struct companions *c, const struct wait *w, const struct exchange *call,
		      struct spans *s)
{
	uint64_t from = w->b, near = wait_near(w);

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

/* Each of the login's waits. */

/*
 * Did the host send a request whose beginning or end was not seen? The wait may have been for that.
 */
static bool others_unclear(struct companions *c, const struct wait *w, const struct exchange *call)
{
	for_each_exchange(x, c, w->a)
	{
		if (x != call && exchange_of(x, w->host) && x->state != EXCHANGE_ANSWERED &&
		    x->start_ns + wait_near(w) >= w->a && x->start_ns < w->b)
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
	out->queue_is_dead = calls_queue_is_dead(c, w, call);
	span_add(s, w, since <= w->a + wait_near(w) ? w->a : since, call->start_ns, PART_DC_QUEUE,
		 call, "earlier logins' Netlogon calls were in flight without a gap");
}

static void server_spans(struct companions *c, const struct dependency_login *login,
			 const struct wait *w, struct dependency_findings *out, struct spans *s)
{
	struct exchange *call = NULL;

	if (login->authority != AUTHORITY_NONE && w->verifies)
		call = calls_find(c, w);
	if (call && calls_fit(call, w, login->authority)) {
		call->owner = login->id;
		out->own = call;
		out->own_at_once = call->start_ns <= w->a + wait_near(w);
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
	dependency_list(c, login, waits, count, at, out);
	if (out->part_count)
		dependency_cause(c, login, out, &all, at);
	if (login->witness)
		witness_cause(login, out);
}
