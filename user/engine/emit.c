/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * emit.c - see emit.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/stream/repeats.h"
#include "engine/engine_private.h"
#include "engine/dependency/dependency.h"
#include "engine/emit.h"
#include "engine/errorlog/errorlog.h"
#include "engine/report.h"
#include "engine/session/session.h"
#include "engine/stream/reassembly.h"
#include "engine/verdict/attempts.h"
#include "engine/verdict/stalls.h"
#include "engine/verdict/verdict.h"

/* ---- logins ---- */

/* The first bytes of a connection that is not TDS, as a number that tells the kinds apart. */
static uint32_t beginning_of(const struct login *l)
{
	const struct beginning *b = &l->beginning[SIDE_CLIENT];
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (!b->lost_at || l->outcome != OUTCOME_NOT_TDS)
		return 0;
	for (int i = 0; i < b->len && i < b->lost_at; i++)
		hash = (hash ^ b->bytes[i]) * 16777619u;
	return hash ? hash : 1;
}

/* Remember what the verdicts of other logins will ask for. */
static void remember(struct history *h, const struct login *l, const struct login_record *r)
{
	const struct endpoint *client = login_record_client(r);

	switch (r->outcome) {
	case OUTCOME_OK:
		history_logged_in(h, &r->client, &r->server);
		return;
	case OUTCOME_REFUSED:
		if (login_record_guess(r))
			history_failed(h, client, r->end_ns);
		return;
	case OUTCOME_REDIRECTED:
		if (r->redirect_port)
			history_redirected(h, &r->client, &r->server, r->end_ns, r->redirect_port);
		return;
	case OUTCOME_PROBE:
	case OUTCOME_NOT_TDS:
	case OUTCOME_REJECTED:
		history_idled(h, client, &r->server, r->end_ns, beginning_of(l));
		return;
	default:
		return;
	}
}

/* Remember facts by which other logins of the same server, and of this client, are judged. */
static void learn(struct answers *a, const struct login *l, const struct login_record *r)
{
	const struct endpoint *client = login_record_client(r);
	uint32_t login7 = l->units.count ? l->units.at[0].most : l->login7_size;

	if (r->outcome == OUTCOME_REFUSED) {
		answers_note(a, &r->server, ANSWER_REFUSED, l->answer_size, l->answer_left_ns);
		if (login_record_guess(r))
			answers_refused(a, client, &r->server, r->end_ns);
	} else if (r->outcome == OUTCOME_OK) {
		/* A conclusion by comparison is no ground for another. */
		if (r->confidence <= CONFIDENCE_HIGH)
			answers_note(a, &r->server, ANSWER_ACCEPTED, l->answer_size, NO_NS);
		answers_accepted(a, client, &r->server, login7, r->end_ns);
	}
}

static enum authority authority_of(const struct login *l)
{
	if (l->method == AUTH_NTLM || l->method == AUTH_WINDOWS)
		return AUTHORITY_DC;
	return l->method == AUTH_SQL || l->method == AUTH_FEDAUTH ? AUTHORITY_NONE
								  : AUTHORITY_UNKNOWN;
}

/*
 * Requests of the login's hosts to others meanwhile. Live, only this host's are known, and the tracker
 * has one name for its many addresses. own, by enum side: that end is this host.
 */
static void depend(struct engine *e, const struct login *l, const bool own[2],
		   struct login_record *r, struct dependency_findings *findings)
{
	const struct dependency_login login = {
		r->id,
		own[SIDE_CLIENT] ? companions_own_host : r->client.addr,
		own[SIDE_SERVER] ? companions_own_host : r->server.addr,
		r->start_ns,
		r->steps,
		r->step_count,
		authority_of(l),
		l->witness,
		&l->tcp.unacked};
	bool followed = e->companions && (!e->ops.is_local || own[SIDE_CLIENT] || own[SIDE_SERVER]);

	if (!followed && !l->witness && !l->tcp.unacked.count)
		return;
	if (!r->mid_stream && followed)
		r->before.dns_ns = dependency_dns_before(e->companions, r->id, login.client,
							 r->server.addr, r->start_ns);
	dependency_find(e->companions, &login, findings);
	r->findings = findings;
	r->parts = findings->parts;
	r->part_count = findings->part_count;
	r->dependencies = followed ? findings->list : NULL;
	r->dependency_count = findings->count;
	if (r->auth.method == AUTH_NTLM && findings->missing_spn)
		r->auth.missing_spn = findings->missing_spn->target;
}

/* The side that was waited for longest, or else the server, if its socket is on this host. */
static const struct host_facts *host_of(const struct login *l, const struct login_record *r)
{
	const struct host_facts *server = witness_host(l->witness, SIDE_SERVER);
	const struct host_facts *client = witness_host(l->witness, SIDE_CLIENT);

	if (server && client)
		return r->wait_ns[SIDE_CLIENT] > r->wait_ns[SIDE_SERVER] ? client : server;
	return server ? server : client;
}

/*
 * A longer wait for the server later in the login, until the login went on, or until the server
 * asked its domain controller if it did so.
 */
static struct stall stall_later(const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	uint64_t at = r->start_ns;
	struct stall stall = {.server = r->server};

	if (r->wait_ns[SIDE_SERVER] < STALL_LEAST_NS)
		return stall;
	for (size_t i = 0; i < r->step_count; at += r->steps[i++].ns) {
		uint64_t ns = r->steps[i].ns;

		if (r->steps[i].waits_on != SIDE_SERVER)
			continue;
		if (w && w->own && w->own->start_ns > at && w->own->start_ns < at + ns)
			ns = w->own->start_ns - at;
		if (ns >= STALL_LEAST_NS && ns > stall.to_ns - stall.from_ns) {
			stall.from_ns = at;
			stall.to_ns = at + ns;
		}
	}
	return stall;
}

/*
 * Count the server's other logins, decided or in progress, whose wait for its PRELOGIN response, or
 * for TLS, ended when this one's did.
 */
static uint32_t stalled_together(struct engine *e, const struct flow *f, const struct login *l,
				 const struct login_record *r)
{
	struct stall first = stall_of(l, &r->server), later = stall_later(r), stall;
	uint32_t count;

	stall = later.to_ns - later.from_ns > first.to_ns - first.from_ns ? later : first;
	count = stall_is_long(&stall) ? stalls_like(&e->stalls, &stall) : 0;
	if (first.to_ns)
		stalls_add(&e->stalls, &first);
	if (!stall_is_long(&stall))
		return 0;
	for (const struct flow *o = flow_oldest(&e->flows, FLOW_LOGIN); o;
	     o = flow_next(&e->flows, o)) {
		struct endpoint server;
		struct stall other;

		if (o == f || !o->login)
			continue;
		server = flow_endpoint(o, SIDE_SERVER);
		other = stall_of(o->login, &server);
		if (stall_is_denied(&stall, &other))
			return 0;
		count += stall_is_like(&stall, &other);
	}
	return count;
}

/* If the source knows it: a capture does not. */
static enum vantage vantage_known(const struct engine *e, const bool own[2])
{
	if (!e->ops.is_local)
		return VANTAGE_UNKNOWN;
	if (own[SIDE_SERVER])
		return VANTAGE_SERVER;
	return own[SIDE_CLIENT] ? VANTAGE_CLIENT : VANTAGE_MIDDLE;
}

static bool is_own(const struct engine *e, const struct flow *f, enum side side)
{
	struct endpoint end;

	if (!e->ops.is_local)
		return false;
	end = flow_endpoint(f, side);
	return e->ops.is_local(e->ctx, end.addr);
}

static struct report_env report_env_of(const struct engine *e, const struct flow *f,
				       const bool own[2])
{
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	const struct instance *i = instance_find(&e->browser.instances, server.addr, server.port);

	return (struct report_env){
		.id = flow_id(&e->flows, f),
		.tunnel = flow_tunnel(&e->flows, f),
		.vantage = vantage_known(e, own),
		.instance = i && *i->name ? i->name : NULL,
		.identities = e->config.identities,
	};
}

/*
 * The capture's clock jumped before the login's end: the steps whose times hold are not all of it,
 * so its whole time is not known. A login without an end has the time up to where it stopped.
 */
static bool is_time_lost(const struct login *l, const struct login_record *r)
{
	return login_clock_jumped(l) && r->outcome != OUTCOME_INCOMPLETE;
}

void login_emit(struct engine *e, struct flow *f)
{
	const bool own[] = {[SIDE_CLIENT] = is_own(e, f, SIDE_CLIENT),
			    [SIDE_SERVER] = is_own(e, f, SIDE_SERVER)};
	struct report_env env = report_env_of(e, f, own);
	const struct login *l = f->login;
	struct dependency_findings findings;
	struct report report;
	struct login_record *r = &report.record;

	report_login(&env, f, &report);
	remember(&e->history, l, r);
	attempts_before(&e->history, &r->client, &r->server, r->start_ns, &r->before);
	if (r->redirect_port && r->outcome_basis == BASIS_OBSERVED)
		browser_routed(&e->browser, r->redirect_port);
	learn(&e->answers, l, r);
	depend(e, l, own, r, &findings);
	r->host = host_of(l, r);
	r->packets = l->packets;
	r->stalled_together = stalled_together(e, f, l, r);
	if (e->errorlog)
		r->workers_stalled_s = errorlog_stalled(e->errorlog, r->start_ns, r->end_ns);
	verdict_find(l, r, &r->verdict);
	if (is_time_lost(l, r))
		r->total_ns = NO_NS;
	e->stats.logins++;
	if (e->ops.login)
		e->ops.login(e->ctx, r);
	free((char *)r->verdict.text);
}

/* ---- closes ---- */

static void close_unacked(const struct engine *e, const struct flow *f, struct close_record *r)
{
	struct unacked u = tcp_unacked(f, SIDE_CLIENT);
	uint64_t end_ns = r->how == CLOSE_IDLE ? e->now_ns : f->last_ns, since_ns;

	if (u.sent < 2)
		u = tcp_unacked(f, SIDE_SERVER);
	if (u.sent < 2)
		return;
	/* A packet that came out of order may be older than what the connection began with. */
	since_ns = u.since_ns > f->first_ns ? u.since_ns : f->first_ns;
	r->unacknowledged.side = u.side;
	r->unacknowledged.bytes = u.bytes;
	r->unacknowledged.sent = u.sent;
	r->unacknowledged.ns = f->clock_stepped || end_ns < since_ns ? NO_NS : end_ns - since_ns;
}

static int close_reset_hops(const struct close_record *r, const struct flow *f)
{
	if (r->how != CLOSE_RST || r->by == SIDE_NONE || !f->half[r->by].reset ||
	    !f->half[r->by].ip_id)
		return NO_HOPS;
	return flow_hops((uint8_t)f->half[r->by].ip_id);
}

void close_emit(struct engine *e, const struct flow *f, bool proven)
{
	struct close_record r = {
		.id = flow_id(&e->flows, f),
		.tunnel = flow_tunnel(&e->flows, f),
		.time_ns = f->last_ns,
		.duration_ns = f->clock_stepped		  ? NO_NS
			       : f->last_ns > f->first_ns ? f->last_ns - f->first_ns
							  : 0,
		.client = flow_endpoint(f, SIDE_CLIENT),
		.server = flow_endpoint(f, SIDE_SERVER),
		.ifindex = f->half[SIDE_CLIENT].ifindex,
		.has_login = f->has_login,
		.login = (enum outcome)f->login_outcome,
		.by = f->close_unsure ? SIDE_NONE : (enum side)f->close_by,
		.how = (enum close_how)f->close_how,
		.graceful = f->graceful && !f->close_unsure, /* the client's FIN came first */
		.phase = (enum phase)f->phase,
		.bytes = {f->half[0].bytes, f->half[1].bytes},
		.reset_connections = f->resets,
		.commands_unfollowed = f->unfollowed,
	};
	char *text = NULL;

	for (int i = 0; i < COMMAND_COUNT; i++)
		r.commands[i] = f->commands[i];
	r.reset_hops = close_reset_hops(&r, f);
	session_mars(f, &r);
	close_unacked(e, f, &r);
	if (proven)
		text = verdict_close(&e->history, f, &r, e->now_ns, e->logins.lost_ns, &r.verdict);
	e->stats.closes++;
	if (e->ops.close)
		e->ops.close(e->ctx, &r);
	free(text);
}
