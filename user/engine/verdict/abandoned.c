/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * abandoned.c - see rule.h: logins that did not get through, or that a side left, and connections
 * that were not logins.
 */
#include <stdio.h>
#include <string.h>

#include "engine/verdict/attempts.h"
#include "engine/protocol/other_protocol.h"
#include "engine/protocol/wire_text.h"
#include "engine/verdict/rule.h"

#define SERVED_NS	(10 * NS_PER_S) /* others got through so near to a refusal: it listens */
#define SCAN_NS		(60 * NS_PER_S) /* within this time ... */
#define SCAN_TARGETS	16		/* ... connected to so many servers or ports in vain, */
#define SCAN_BEGINNINGS 3		/* or sent so many kinds of bytes that are not TDS */

/* ---- not reached ---- */

static bool is_parallel_lost(const struct login *l, const struct login_record *r)
{
	return (r->outcome == OUTCOME_UNANSWERED || r->outcome == OUTCOME_REJECTED) &&
	       attempts_winner(l->env->history, &r->client, &r->server, r->start_ns);
}

static char *parallel_lost_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"%s, but the client connected to another address at the same time and logged in "
		"there: parallel attempts (MultiSubnetFailover, transparent network IP "
		"resolution), no failure",
		r->outcome == OUTCOME_REJECTED ? "this address refused the connection"
					       : "this address did not answer");
}

/* The client went on to the next address, and logged in there. */
static bool is_dead_address(const struct login *l, const struct login_record *r)
{
	return (r->outcome == OUTCOME_UNANSWERED || r->outcome == OUTCOME_REJECTED) &&
	       attempts_gone_on(l->env->history, &r->client, &r->server, r->start_ns);
}

static char *dead_address_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"this address %s (%u SYN%s), and the client went on to the next one, where "
		"it logged in (inferred): remove the address from DNS or bring its server "
		"back; MultiSubnetFailover=True makes drivers try all addresses at once",
		r->outcome == OUTCOME_REJECTED ? "refused the connection" : "did not answer",
		l->tcp.syns, l->tcp.syns == 1 ? "" : "s");
}

static bool is_unanswered(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_UNANSWERED;
}

static char *unanswered_text(const struct login *l, const struct login_record *r)
{
	return text_format("%u SYN%s without an answer: host down, a firewall that drops, or the "
			   "listen queue is full%s",
			   l->tcp.syns, l->tcp.syns == 1 ? "" : "s",
			   r->vantage == VANTAGE_SERVER ? " (they did reach this host)" : "");
}

/* Other clients got through to the server at about the same time. */
static bool is_refused_among_others(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_REJECTED &&
	       attempts_served(l->env->history, &r->server, r->end_ns, SERVED_NS);
}

static char *refused_among_others_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"connection refused, though port %u took other connections within %.0f s "
		"of it: the listen queue was full (Windows answers so), or the service "
		"was restarting",
		r->server.port, verdict_seconds(SERVED_NS));
}

static bool is_rejected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REJECTED;
}

static char *rejected_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("connection refused: nothing listens on port %u, or a firewall rejects; "
			   "check that TCP is enabled and which port the instance has",
			   r->server.port);
}

/* ---- not TDS ---- */

static bool is_not_tds(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_NOT_TDS;
}

static char *not_tds_text(const struct login *l, const struct login_record *r)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;
	enum side from = m && m->waited_for == SIDE_SERVER ? SIDE_SERVER : SIDE_CLIENT;
	const struct beginning *b = &l->beginning[from];
	const char *protocol = other_protocol(b->bytes, b->len, NULL);

	(void)r;
	return text_format(
		"what the %s sent is not TDS%s%s: %s", from == SIDE_SERVER ? "server" : "client",
		protocol ? " but " : "", protocol ? protocol : "",
		from == SIDE_SERVER
			? "another service listens on this port, or a proxy answers"
			: "another protocol's client, or a scanner, connected to this port");
}

/* ---- probes and scans ---- */

static bool is_scan(const struct login *l, const struct login_record *r)
{
	return (r->outcome == OUTCOME_PROBE || r->outcome == OUTCOME_NOT_TDS ||
		r->outcome == OUTCOME_REJECTED) &&
	       (history_targets(l->env->history, login_record_client(r), r->end_ns, SCAN_NS) >=
			SCAN_TARGETS ||
		history_beginnings(l->env->history, login_record_client(r), r->end_ns, SCAN_NS) >=
			SCAN_BEGINNINGS);
}

/* One source port connects to several servers within a second: no driver does that. */
static bool is_port_scan(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_PROBE && !l->tcp.payload_ns[SIDE_CLIENT] &&
	       attempts_one_port(l->env->history, &r->client, &r->server, r->start_ns);
}

static char *port_scan_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"this client asked several servers from the same port %u within a second, "
		"and sent nothing: a port scan",
		r->client.port);
}

static char *scan_text(const struct login *l, const struct login_record *r)
{
	uint32_t targets =
		history_targets(l->env->history, login_record_client(r), r->end_ns, SCAN_NS);

	if (targets < SCAN_TARGETS)
		return text_format("this client sent %u kinds of what is not TDS within a minute: "
				   "a scanner that finds out what listens here",
				   history_beginnings(l->env->history, login_record_client(r),
						      r->end_ns, SCAN_NS));
	return text_format(
		"this client connected to %u servers or ports within a minute and asked for "
		"nothing: a port scan, or the monitoring of many servers",
		targets);
}

/* The other attempt may have begun a little earlier or later. */
static bool is_parallel(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_PROBE && !l->tcp.payload_ns[SIDE_CLIENT] &&
	       history_parallel(l->env->history, &r->client, &r->server, r->start_ns, PARALLEL_NS);
}

static char *parallel_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the client left without a byte, and connected to another address within half a "
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
		l->tcp.payload_ns[SIDE_CLIENT]
			? "the client asked for PRELOGIN and left: a probe or health check"
			: "the client connected and left without a byte: a probe, a health "
			  "check or the loser of parallel attempts");
}

/* ---- time-outs ---- */

static bool is_late(const struct login *l, const struct login_record *r)
{
	(void)r;
	return l->late_answer;
}

static char *late_text(const struct login *l, const struct login_record *r)
{
	char error[64] = "refused the login";

	(void)r;
	if (l->late_error)
		snprintf(error, sizeof(error), "refused the login (error %d)", l->late_error);
	return text_format("the server %s after the client had left, which had waited %.3f s for "
			   "it: %s",
			   l->late_error ? error : "logged the client in",
			   verdict_seconds(l->waited_ns), verdict_due(l)->look);
}

static bool is_timed_out(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TIMED_OUT;
}

/* Drivers' default connect time-outs: docs/PROTOCOL.md 11.5 */
static const struct {
	uint64_t least_ns, most_ns;
	const char *text;
} defaults[] = {
	{145 * NS_PER_S / 10, 156 * NS_PER_S / 10,
	 " (15 s is what SqlClient and ODBC wait by default)"},
	{295 * NS_PER_S / 10, 306 * NS_PER_S / 10, " (30 s is what JDBC waits by default)"},
};

static const char *default_timeout(const struct login *l, const struct login_record *r)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		if (l->closed_by == SIDE_CLIENT && r->total_ns >= defaults[i].least_ns &&
		    r->total_ns <= defaults[i].most_ns)
			return defaults[i].text;
	}
	return "";
}

static char *timed_out_text(const struct login *l, const struct login_record *r)
{
	const struct due *due = verdict_due(l);
	char part[64] = "";

	if (l->gave_up && !l->tcp.ack_ns && l->tcp.synack_ns)
		return text_format("the client never acknowledged the server's SYN+ACK, and after "
				   "%.0f s nothing more came: the way back to the client drops it, "
				   "or the SYN's source address was made up",
				   verdict_seconds(l->waited_ns));
	if (l->whole && l->owes == due->side)
		snprintf(part, sizeof(part), ", of which %u of %u bytes came", l->part, l->whole);
	if (l->gave_up && *part)
		return text_format("the %s sent %u of %u bytes of %s, and then nothing for %.0f s: "
				   "its program hangs, or the rest was lost on the way",
				   side_name((enum side)due->side), l->part, l->whole, due->what,
				   verdict_seconds(l->waited_ns));
	if (l->gave_up)
		return text_format("nobody has sent anything for %.0f s; %s was due of the %s: %s",
				   verdict_seconds(l->waited_ns), due->what,
				   due->side == SIDE_CLIENT ? "client" : "server", due->look);
	if (due->side == l->closed_by)
		return text_format("the %s sent but a part of %s, left after %.3f s, and did not "
				   "send the rest: a scanner, or a program that hangs",
				   due->side == SIDE_CLIENT ? "client" : "server", due->what,
				   verdict_seconds(l->waited_ns));
	return text_format("the %s gave up after waiting %.3f s for %s%s%s: %s",
			   l->closed_by == SIDE_CLIENT ? "client" : "server",
			   verdict_seconds(l->waited_ns), due->what, part, default_timeout(l, r),
			   due->look);
}

/* ---- left at once ---- */

static bool is_abandoned(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_ABANDONED;
}

static char *abandoned_text(const struct login *l, const struct login_record *r)
{
	const struct due *due = verdict_due(l);

	(void)r;
	return text_format("the client left of its own accord while %s was due: %s", due->what,
			   due->side == SIDE_SERVER
				   ? "it was cancelled or killed, or its time-out is shorter than "
				     "a second"
				   : "see its own log, for it did not like what it got, or was "
				     "cancelled or killed");
}

static bool is_dropped(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_DROPPED;
}

/*
 * The entries that a server's error log may have for a connection that it dropped: docs/PROTOCOL.md
 * 5.6
 */
static const char *dropped_look(enum phase phase)
{
	switch (phase) {
	case PHASE_PRELOGIN:
		return "a proxy without a server behind it, a listener only for TDS 8.0, or a "
		       "PRELOGIN that it can't read (17828 in its error log)";
	case PHASE_LOGIN:
		return "see its error log: a malformed or too large LOGIN7 (17832, 17836), no room "
		       "for more connections (17809), or a shutdown";
	case PHASE_AUTH:
		return "see its error log, where a failed SSPI handshake is 17806 and 18452";
	default:
		return "its error log says why";
	}
}

static char *dropped_text(const struct login *l, const struct login_record *r)
{
	const struct due *due = verdict_due(l);
	const char *how = l->closed_how == CLOSE_RST ? "reset" : "closed";

	(void)r;
	if (due->side == SIDE_CLIENT)
		return text_format("the server %s the connection while %s was due of the client; "
				   "its error log says why",
				   how, due->what);
	return text_format("the server %s the connection instead of sending %s: %s", how, due->what,
			   dropped_look((enum phase)due->phase));
}

const struct verdict_row verdict_left[] = {
	{.verdict = V_SCAN, .match = is_scan, .text = scan_text},
	{.verdict = V_SCAN, .match = is_port_scan, .text = port_scan_text},
	{.verdict = V_PARALLEL_ATTEMPT, .match = is_parallel_lost, .text = parallel_lost_text},
	{.verdict = V_DEAD_ADDRESS, .match = is_dead_address, .text = dead_address_text},
	{.verdict = V_SYN_UNANSWERED, .match = is_unanswered, .text = unanswered_text},
	{.verdict = V_LISTEN_QUEUE_FULL,
	 .match = is_refused_among_others,
	 .text = refused_among_others_text},
	{.verdict = V_CONNECTION_REFUSED, .match = is_rejected, .text = rejected_text},
	{.verdict = V_NOT_TDS, .match = is_not_tds, .text = not_tds_text},
	{.verdict = V_ANSWER_TOO_LATE, .match = is_late, .text = late_text},
	{.verdict = V_TIMED_OUT, .match = is_timed_out, .text = timed_out_text},
	{.verdict = V_PARALLEL_ATTEMPT, .match = is_parallel, .text = parallel_text},
	{.verdict = V_PROBE, .match = is_probe, .text = probe_text},
	{.verdict = V_CLIENT_LEFT, .match = is_abandoned, .text = abandoned_text},
	{.verdict = V_SERVER_DROPPED, .match = is_dropped, .text = dropped_text},
	{0},
};
