/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_left.c - see verdict_row.h: logins that a side left, and connections that were none.
 */
#include "text.h"
#include "verdict_row.h"

static const char *other_side(enum side s)
{
	return s == SIDE_CLIENT ? "server" : "client";
}

static bool is_not_tds(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_NOT_TDS;
}

static char *not_tds_text(const struct login *l, const struct login_record *r)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	(void)r;
	return text_format("what the %s sent is not TDS: %s",
			   m && m->waited_for == SIDE_SERVER ? "server" : "client",
			   m && m->waited_for == SIDE_SERVER
				   ? "another service listens on this port, or a proxy answers"
				   : "another protocol's client, or a scanner, dialled this port");
}

static bool is_late(const struct login *l, const struct login_record *r)
{
	(void)r;
	return l->late_answer;
}

static char *late_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server's answer came after the client had left, which had waited "
			   "%.3f s for it",
			   verdict_seconds(l->waited_ns));
}

static bool is_timed_out(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TIMED_OUT;
}

static char *timed_out_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	if (l->gave_up)
		return text_format("nobody has sent anything for %.0f s; the %s was due with %s",
				   verdict_seconds(l->waited_ns),
				   l->owes == SIDE_CLIENT ? "client" : "server", verdict_due(l));
	return text_format("the %s gave up after waiting %.3f s for %s from the %s",
			   l->closed_by == SIDE_CLIENT ? "client" : "server",
			   verdict_seconds(l->waited_ns), verdict_due(l), other_side(l->closed_by));
}

#define PARALLEL_NS (NS_PER_S / 2) /* parallel attempts begin this near to each other */

/* The other attempt may have begun a little earlier or later. */
static bool is_parallel(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_PROBE && !l->payload_ns[SIDE_CLIENT] &&
	       history_parallel(l->history, &r->client, &r->server, r->start_ns, PARALLEL_NS);
}

static char *parallel_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the client left without a byte, and dialled another address within half a "
		"second: the loser of parallel attempts (MultiSubnetFailover, transparent "
		"network IP resolution), or a health check of several servers");
}

static bool is_probe(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_PROBE;
}

static char *probe_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		l->payload_ns[SIDE_CLIENT]
			? "the client asked for PRELOGIN and left: a probe or health check"
			: "the client connected and left without a byte: a probe, a health "
			  "check or the loser of parallel attempts");
}

static bool is_abandoned(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_ABANDONED;
}

static char *abandoned_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the client left of its own accord while %s was due", verdict_due(l));
}

static bool is_dropped(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_DROPPED;
}

static char *dropped_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server %s the connection instead of %s; its error log says why",
			   l->closed_how == CLOSE_RST ? "reset" : "closed", verdict_due(l));
}

const struct verdict verdict_left[] = {
	{"not_tds", is_not_tds, not_tds_text},
	{"answer_too_late", is_late, late_text},
	{"timed_out", is_timed_out, timed_out_text},
	{"parallel_attempt", is_parallel, parallel_text},
	{"probe", is_probe, probe_text},
	{"client_left", is_abandoned, abandoned_text},
	{"server_dropped", is_dropped, dropped_text},
	{NULL, NULL, NULL},
};
