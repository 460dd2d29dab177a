/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report.c - turns a decided login into its record: marks into phases and steps, and each step's
 * time into the share of the network and that of the side that was waited for.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/dependency/dependency.h"
#include "engine/verdict/attempts.h"
#include "engine/verdict/stalls.h"
#include "engine/login/login.h"
#include "engine/verdict/verdict.h"

/* A mark becomes at most two steps; TCP's three come before. */
#define STEPS_MAX    (2 * LOGIN_MARKS + 8)
#define NEAR	     4	   /* one half of the handshake this much shorter: we are at that end */
#define NEAR_LEAST   20000 /* ns; below it the halves tell nothing */
#define MIDDLE_LEAST 500000

struct tiling {
	struct step steps[STEPS_MAX];
	size_t count;
	uint64_t phase_ns[PHASE_SESSION], wait_ns[SIDE_NONE];
	uint64_t share_ns[2]; /* the network's, of a step that waits on that side */
	uint64_t start_ns, at_ns;
};

static void step_add(struct tiling *t, const char *name, enum phase phase, enum side waits_on,
		     uint64_t ns)
{
	t->steps[t->count++] = (struct step){name, phase, waits_on, ns};
	t->wait_ns[waits_on] += ns;
	t->phase_ns[phase] = (t->phase_ns[phase] == NO_NS ? 0 : t->phase_ns[phase]) + ns;
	t->at_ns += ns;
}

/* The time from where we are to ts_ns: time that runs backwards in a capture takes none. */
static uint64_t step_ns(const struct tiling *t, uint64_t ts_ns)
{
	return ts_ns > t->at_ns ? ts_ns - t->at_ns : 0;
}

static void step_mark(struct tiling *t, const struct mark *m)
{
	uint64_t ns = step_ns(t, m->ts_ns), share = 0;

	if (m->waited_for < SIDE_NETWORK)
		share = t->share_ns[m->waited_for] < ns ? t->share_ns[m->waited_for] : ns;
	if (share && share < ns) {
		step_add(t, m->name, (enum phase)m->phase, SIDE_NETWORK, share);
		ns -= share;
	} else if (share) {
		step_add(t, m->name, (enum phase)m->phase, SIDE_NETWORK, ns);
		return;
	}
	step_add(t, m->name, (enum phase)m->phase, (enum side)m->waited_for, ns);
}

static uint64_t from_to(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

/* TCP's handshake, as far as it was seen from its first SYN. */
static void tile_tcp(struct tiling *t, const struct login *l, enum vantage vantage)
{
	/* A SYN that reached the server's host and had to be sent again waits for the server. */
	enum side again = vantage == VANTAGE_SERVER ? SIDE_SERVER : SIDE_NETWORK;
	uint64_t end_ns = l->ack_ns ? l->ack_ns : UINT64_MAX;

	step_add(t, "syn", PHASE_TCP, SIDE_NETWORK, 0);
	if (l->last_syn_ns > l->syn_ns && l->synack_ns && l->last_syn_ns < end_ns)
		step_add(t, "syn_retransmit", PHASE_TCP, again, step_ns(t, l->last_syn_ns));
	if (l->synack_ns && l->synack_ns < end_ns)
		step_add(t, "syn_ack", PHASE_TCP, SIDE_NETWORK, step_ns(t, l->synack_ns));
	if (l->ack_ns)
		step_add(t, "ack", PHASE_TCP, SIDE_NETWORK, step_ns(t, l->ack_ns));
}

/* How many of the marks are to be told: with packets missing, those before the loss. */
static uint32_t told_marks(const struct login *l)
{
	/* Nor can TLS's messages be told apart where they were cut. */
	bool cut_in_tls = false;

	for (uint32_t i = 0; l->answer_cut && i < l->mark_count; i++)
		cut_in_tls |= l->marks[i].phase == PHASE_TLS;
	return l->lossy || l->clock_stepped || cut_in_tls ? l->sound_marks : l->mark_count;
}

/*
 * Where the tiling begins and which mark is its first. Without the TCP handshake the phase that
 * we came into has no beginning: it is left out, and its end is where we begin.
 */
static uint32_t tile_begin(struct tiling *t, const struct login *l, enum vantage vantage,
			   uint64_t first_ns)
{
	uint32_t n = told_marks(l), i = 0;

	if (l->syn_ns && !l->ack_unsure) {
		t->start_ns = t->at_ns = l->syn_ns;
		if (!(l->lossy || l->clock_stepped) || l->sound_marks || !l->ack_ns)
			tile_tcp(t, l, vantage);
		return 0;
	}
	if (l->ack_ns && !l->ack_unsure) {
		t->start_ns = t->at_ns = l->ack_ns;
		return 0;
	}
	while (i + 1 < n && l->marks[i + 1].phase == l->marks[i].phase)
		i++;
	t->start_ns = t->at_ns = n ? l->marks[i].ts_ns : first_ns;
	return n ? i + 1 : 0;
}

static void tile(struct tiling *t, const struct login *l, enum vantage vantage, uint64_t first_ns)
{
	uint32_t n = told_marks(l), i;

	t->count = 0;
	memset(t->wait_ns, 0, sizeof(t->wait_ns));
	for (int p = 0; p < PHASE_SESSION; p++)
		t->phase_ns[p] = NO_NS;
	/* Kernels answer at once: the halves of the handshake are the path to either side. */
	t->share_ns[SIDE_SERVER] = from_to(l->last_syn_ns, l->synack_ns);
	t->share_ns[SIDE_CLIENT] = from_to(l->last_synack_ns, l->ack_ns);
	for (i = tile_begin(t, l, vantage, first_ns); i < n; i++)
		step_mark(t, &l->marks[i]);
}

static enum vantage vantage_of(const struct engine *e, const struct login *l,
			       const struct login_record *r)
{
	uint64_t to_server, to_client;

	if (e->ops.is_local) {
		if (e->ops.is_local(e->ctx, r->server.addr))
			return VANTAGE_SERVER;
		return e->ops.is_local(e->ctx, r->client.addr) ? VANTAGE_CLIENT : VANTAGE_MIDDLE;
	}
	if (!l->syn_ns || !l->synack_ns || !l->ack_ns)
		return VANTAGE_UNKNOWN;
	to_server = from_to(l->last_syn_ns, l->synack_ns);
	to_client = from_to(l->last_synack_ns, l->ack_ns);
	if (to_client > NEAR_LEAST && to_server < to_client / NEAR)
		return VANTAGE_SERVER;
	if (to_server > NEAR_LEAST && to_client < to_server / NEAR)
		return VANTAGE_CLIENT;
	return to_server > MIDDLE_LEAST && to_client > MIDDLE_LEAST ? VANTAGE_MIDDLE
								    : VANTAGE_UNKNOWN;
}

static enum encryption effective(const struct login *l)
{
	const struct tds_prelogin *c = &l->prelogin[SIDE_CLIENT], *s = &l->prelogin[SIDE_SERVER];

	if (l->strict)
		return ENCRYPTION_STRICT;
	if (l->lossy || (l->cut && !l->has_clear_answer && !l->login7_clear))
		return ENCRYPTION_UNKNOWN;
	if (l->full)
		return ENCRYPTION_FULL;
	if (l->login7_clear)
		return l->tls.done ? ENCRYPTION_UNKNOWN : ENCRYPTION_NONE;
	if (!l->login7_hidden)
		return ENCRYPTION_UNKNOWN;
	if (l->answered || l->has_clear_answer)
		return ENCRYPTION_LOGIN;
	/* Not yet seen: what was agreed on. MS-TDS 2.2.6.5 */
	if (!c->version || !s->version)
		return ENCRYPTION_UNKNOWN;
	return c->encryption == ENCRYPT_OFF && s->encryption == ENCRYPT_OFF ? ENCRYPTION_LOGIN
									    : ENCRYPTION_FULL;
}

/* 1, 0, or -1: the PRELOGIN exchange was not seen, so it is not known. MS-TDS 2.2.6.5 */
static int mars_agreed(const struct login *l)
{
	const struct tds_prelogin *c = &l->prelogin[SIDE_CLIENT], *s = &l->prelogin[SIDE_SERVER];

	if (c->mars == 1 && s->mars == 1)
		return 1;
	if ((c->version && c->mars != 1) || (s->version && s->mars != 1))
		return 0;
	return l->strict || l->cut || login_joined(l) || l->outcome == OUTCOME_INCOMPLETE ? -1 : 0;
}

/*
 * Clients that name no instance say so by "MSSQLServer", the default one's name, or leave it out:
 * docs/PROTOCOL.md 2.1. Then what SQL Server Browser says of the port is told.
 */
static const char *instance_name(const struct engine *e, const struct login *l,
				 const struct endpoint *server)
{
	const char *name = l->prelogin[SIDE_CLIENT].instance;
	const struct instance *i;

	if (name && strcasecmp(name, "MSSQLServer"))
		return name;
	i = instance_find(&e->browser.instances, server->addr, server->port);
	return i && *i->name ? i->name : name;
}

static void report_tds(struct login_record *r, const struct engine *e, const struct login *l)
{
	const struct tds_prelogin *c = &l->prelogin[SIDE_CLIENT], *s = &l->prelogin[SIDE_SERVER];
	const struct tds_login7 *p = &l->login7;

	r->tds.version_raw = l->answer.loginack ? l->answer.version : p->version;
	r->tds.version = r->tds.version_raw ? tds_version_name(r->tds.version_raw) : NULL;
	/* Without a PRELOGIN (TDS 7.0 and older) LOGINACK tells it. */
	r->tds.server_version = s->version || !l->login7_clear || c->version || l->lossy
					? s->version
					: l->answer.server_version;
	r->tds.client_version = c->version;
	r->tds.instance = instance_name(e, l, &r->server);
	r->tds.spid = l->spid;
	r->tds.packet_size = l->answer.packet_size > 0 ? l->answer.packet_size : -1;
	r->tds.connection_id = c->connection_id;
	r->tds.activity_id = c->activity_id;
	r->tds.driver = p->driver;
	r->tds.app = p->app;
	r->tds.host = p->host;
	r->tds.database = l->answer.database ? l->answer.database : p->database;
	r->tds.read_only = p->version ? p->read_only : -1;
	r->tds.features = p->features;
	r->tds.features_acked = l->answer.features;
	r->encryption.client = c->encryption;
	r->encryption.server = s->encryption;
	r->encryption.effective = effective(l);
	r->mars = mars_agreed(l);
}

static void report_auth(struct login_record *r, const struct engine *e, const struct login *l)
{
	r->auth.method = l->method;
	r->auth.basis = l->method_basis;
	r->auth.grounds = l->grounds;
	r->auth.rounds = l->rounds;
	if (!e->config.identities)
		return;
	r->auth.user = l->ntlm_user ? l->ntlm_user : l->login7.user;
	r->auth.domain = l->ntlm_domain;
	r->auth.workstation = l->ntlm_workstation ? l->ntlm_workstation : l->login7.host;
}

static void report_outcome(struct login_record *r, const struct login *l)
{
	r->outcome = l->outcome;
	r->outcome_basis = l->outcome_basis;
	r->confidence = l->confidence;
	if (l->outcome == OUTCOME_REFUSED && l->answer.has_error) {
		r->has_error = true;
		r->error = (struct login_error){l->answer.error.number, l->answer.error.state,
						l->answer.error.class_, l->answer.error.message};
	}
	if (l->outcome == OUTCOME_REDIRECTED) {
		r->redirect_host = l->answer.redirect_host;
		r->redirect_port = l->answer.redirect_port;
	}
	r->tcp.syn_retransmits = l->syns > 1 ? l->syns - 1 : 0;
	r->tcp.retransmits = l->retransmits;
	r->tcp.out_of_order = l->out_of_order;
	r->tcp.zero_windows = l->zero_windows[SIDE_CLIENT] + l->zero_windows[SIDE_SERVER];
	r->tcp.missing_bytes = l->missing_bytes;
}

/* The first bytes of what is no TDS, as a number that tells one kind from another. */
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

/* What the verdicts of other logins will ask for. */
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

/* And what judging other logins of the same server, and of this client, needs. */
static void learn(struct answers *a, const struct login *l, const struct login_record *r)
{
	const struct endpoint *client = login_record_client(r);
	uint32_t login7 = l->units.count ? l->units.at[0].most : l->login7_size;

	if (r->outcome == OUTCOME_REFUSED) {
		answers_note(a, &r->server, ANSWER_REFUSED, l->answer_size, l->answer_left_ns);
		if (login_record_guess(r))
			answers_refused(a, client, &r->server, r->end_ns);
	} else if (r->outcome == OUTCOME_OK) {
		/* What was concluded by comparison is no ground for another. */
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

/* What the login's hosts asked of others meanwhile. */
static void depend(struct engine *e, const struct login *l, struct login_record *r,
		   struct dependency_findings *findings)
{
	const struct dependency_login login = {r->id,		&r->client, &r->server,
					       r->start_ns,	r->steps,   r->step_count,
					       authority_of(l), l->witness};

	if (!e->companions && !l->witness)
		return;
	if (!r->mid_stream && e->companions)
		r->before.dns_ns = dependency_dns_before(e->companions, r->id, &r->client,
							 &r->server, r->start_ns);
	dependency_find(e->companions, &login, findings);
	r->findings = findings;
	r->parts = findings->parts;
	r->part_count = findings->part_count;
	r->dependencies = findings->list;
	r->dependency_count = findings->count;
}

/* The side that was waited for longest, or else the server, where its socket is on this host. */
static const struct host_facts *host_of(const struct login *l, const struct login_record *r)
{
	const struct host_facts *server = witness_host(l->witness, SIDE_SERVER);
	const struct host_facts *client = witness_host(l->witness, SIDE_CLIENT);

	if (server && client)
		return r->wait_ns[SIDE_CLIENT] > r->wait_ns[SIDE_SERVER] ? client : server;
	return server ? server : client;
}

/*
 * A longer wait for the server later in the login: until it went on, to its domain controller where
 * that was asked.
 */
static struct stall stall_later(const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	uint64_t at = r->start_ns;
	struct stall stall = {.server = r->server};

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
 * Other logins of the server whose wait for its PRELOGIN response, or for TLS, ended when this
 * one's did: those that were decided, and those under way.
 */
static uint32_t stalled_together(struct engine *e, const struct flow *f, const struct login *l,
				 const struct login_record *r)
{
	struct stall first = stall_of(l, &r->server), later = stall_later(r), stall;
	uint32_t count;

	stall = later.to_ns - later.from_ns > first.to_ns - first.from_ns ? later : first;
	count = stalls_like(&e->stalls, &stall);
	if (first.to_ns)
		stalls_add(&e->stalls, &first);
	if (stall.to_ns - stall.from_ns < STALL_LEAST_NS)
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

void login_emit(struct engine *e, struct flow *f)
{
	const struct login *l = f->login;
	struct login_record r = {.mid_stream = f->mid_stream};
	struct dependency_findings findings;
	struct tls_names names;
	struct tiling t;

	r.id = flow_id(&e->flows, f);
	r.tunnel = flow_tunnel(&e->flows, f);
	r.client = flow_endpoint(f, SIDE_CLIENT);
	r.server = flow_endpoint(f, SIDE_SERVER);
	r.ifindex = f->half[SIDE_CLIENT].ifindex;
	r.has_proxied = l->proxy.has_client;
	r.proxied_from = l->proxy.client;
	r.vantage = vantage_of(e, l, &r);
	r.browser = l->lookup;
	tile(&t, l, r.vantage, f->first_ns);
	/* A capture may hold the SYN behind its answer: times count, where they are sound. */
	r.start_ns = t.start_ns < f->first_ns ? t.start_ns : f->first_ns;
	r.total_ns = t.at_ns - t.start_ns;
	r.end_ns = t.at_ns;
	memcpy(r.phase_ns, t.phase_ns, sizeof(r.phase_ns));
	memcpy(r.wait_ns, t.wait_ns, sizeof(r.wait_ns));
	r.steps = t.steps;
	r.step_count = t.count;
	report_tds(&r, e, l);
	tls_facts(&l->tls, &r.tls, &names);
	r.tls.resumed &= !l->lossy && !l->cut; /* it is told by what is not there */
	report_auth(&r, e, l);
	report_outcome(&r, l);
	remember(&e->history, l, &r);
	attempts_before(&e->history, &r.client, &r.server, r.start_ns, &r.before);
	if (r.redirect_port && r.outcome_basis == BASIS_OBSERVED)
		browser_routed(e, r.redirect_port);
	learn(&e->answers, l, &r);
	depend(e, l, &r, &findings);
	r.host = host_of(l, &r);
	r.stalled_together = stalled_together(e, f, l, &r);
	verdict_find(l, &r, &r.verdict);
	if (e->ops.login)
		e->ops.login(e->ctx, &r);
	free((char *)r.verdict.text);
}
