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

/* The part of the wait that this request may be, if nobody answered it. PART_PROCESS: it is not one. */
static enum wait_part part_unanswered(struct companions *c, const struct wait *w,
				      const struct exchange *x)
{
	if (!exchange_of(x, w->host) || !exchange_overlaps(x, w->a, w->b) ||
	    !exchange_unanswered(c, x, w->b) || peer_answers(c, x, w->b) ||
	    (exchange_is_call(x) && !w->verifies))
		return PART_PROCESS;
	if (x->kind == DEPENDENCY_DNS)
		return PART_DNS;
	if (w->side == SIDE_CLIENT)
		return x->kind == DEPENDENCY_KERBEROS ? PART_KDC : PART_PROCESS;
	return exchange_part(c, x, w->side) != PART_PROCESS && exchange_peer_is_dc(c, x)
		       ? PART_DC
		       : PART_PROCESS;
}

/* Does an unanswered request of a client begin with its wait? Others may be of other programs. */
static bool unanswered_begins(struct companions *c, const struct wait *w)
{
	uint64_t near = wait_near(w);

	for_each_exchange(x, c, w->a)
	{
		if (x->start_ns + near >= w->a && x->start_ns <= w->a + near &&
		    part_unanswered(c, w, x) != PART_PROCESS)
			return true;
	}
	return false;
}

/*
 * Add the unanswered requests that the wait may have been for. A server's may be older than the
 * wait: its logins share the connection to the domain controller.
 */
static void unanswered_add(struct companions *c, const struct wait *w, struct spans *s)
{
	bool is_client = w->side == SIDE_CLIENT;

	if (is_client && !unanswered_begins(c, w))
		return;
	for_each_exchange(x, c, w->a)
	{
		enum wait_part part = part_unanswered(c, w, x);

		if (part != PART_PROCESS && (!is_client || x->start_ns + wait_near(w) >= w->a))
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

/* The login's own Netlogon call; NULL: none was found. */
static struct exchange *own_call(struct companions *c, const struct dependency_login *login,
				 const struct wait *w, struct dependency_findings *out)
{
	struct exchange *call = NULL;

	if (login->authority != AUTHORITY_NONE && w->verifies)
		call = calls_find(c, w);
	if (!call || !calls_fit(call, w, login->authority))
		return NULL;
	if (call->start_ns > w->a + wait_late(w) && !calls_queue_is_logins(c, w, call)) {
		out->others_unclear = true;
		return NULL;
	}
	return call;
}

static void server_spans(struct companions *c, const struct dependency_login *login,
			 const struct wait *w, struct dependency_findings *out, struct spans *s)
{
	struct exchange *call = own_call(c, login, w, out);

	if (call) {
		call->owner = login->id;
		out->own = call;
		out->own_at_once = call->start_ns <= w->a + wait_near(w);
		span_add(s, w, call->start_ns, exchange_until(call, w->b), PART_DC, call,
			 "the Netlogon call that fits this login by order");
		queue_add(c, w, call, out, s);
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
