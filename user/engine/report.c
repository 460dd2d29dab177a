/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report.c - see report.h: marks become phases and steps, and each step's time is split into the
 * network's share and the share of the side that was waited for.
 */
#include <string.h>
#include <strings.h>

#include "engine/report.h"

#define NEAR	     4	   /* one half of the handshake so much shorter: we are there */
#define NEAR_LEAST   20000 /* ns; below it the halves show nothing */
#define MIDDLE_LEAST 500000

static void tile_step(struct tiling *t, enum step_kind kind, enum phase phase, enum side waits_on,
		      uint64_t ns)
{
	t->steps[t->count++] = (struct step){kind, phase, waits_on, ns};
	t->wait_ns[waits_on] += ns;
	t->phase_ns[phase] += ns;
	t->phases |= 1u << phase;
	t->at_ns += ns;
}

/* The time from the current position to ts_ns; 0 if a capture's time runs backwards. */
static uint64_t step_ns(const struct tiling *t, uint64_t ts_ns)
{
	return ts_ns > t->at_ns ? ts_ns - t->at_ns : 0;
}

static void tile_mark(struct tiling *t, const struct mark *m)
{
	uint64_t ns = step_ns(t, m->ts_ns), share = 0;

	if (m->waited_for < SIDE_NETWORK)
		share = t->share_ns[m->waited_for] < ns ? t->share_ns[m->waited_for] : ns;
	if (share && share < ns) {
		tile_step(t, (enum step_kind)m->kind, (enum phase)m->phase, SIDE_NETWORK, share);
		ns -= share;
	} else if (share) {
		tile_step(t, (enum step_kind)m->kind, (enum phase)m->phase, SIDE_NETWORK, ns);
		return;
	}
	tile_step(t, (enum step_kind)m->kind, (enum phase)m->phase, (enum side)m->waited_for, ns);
}

static uint64_t from_to(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? to_ns - from_ns : 0;
}

/* TCP's handshake, as far as it was seen, from its first SYN. */
static void tile_tcp(struct tiling *t, const struct login *l, enum vantage vantage)
{
	/* A SYN that reached the server's host and had to be sent again waits for the server. */
	enum side again = vantage == VANTAGE_SERVER ? SIDE_SERVER : SIDE_NETWORK;
	uint64_t end_ns = l->tcp.ack_ns ? l->tcp.ack_ns : UINT64_MAX;

	tile_step(t, STEP_SYN, PHASE_TCP, SIDE_NETWORK, 0);
	if (l->tcp.last_syn_ns > l->tcp.syn_ns && l->tcp.synack_ns && l->tcp.last_syn_ns < end_ns)
		tile_step(t, STEP_SYN_RETRANSMIT, PHASE_TCP, again, step_ns(t, l->tcp.last_syn_ns));
	if (l->tcp.synack_ns && l->tcp.synack_ns < end_ns)
		tile_step(t, STEP_SYN_ACK, PHASE_TCP, SIDE_NETWORK, step_ns(t, l->tcp.synack_ns));
	if (l->tcp.ack_ns)
		tile_step(t, STEP_ACK, PHASE_TCP, SIDE_NETWORK, step_ns(t, l->tcp.ack_ns));
}

/* How many of the marks to report: with packets missing, those before the loss. */
static uint32_t told_marks(const struct login *l)
{
	/* If TLS's messages were cut, they cannot be separated. */
	bool cut_in_tls = false;

	for (uint32_t i = 0; l->answer_cut && i < l->mark_count; i++)
		cut_in_tls |= l->marks[i].phase == PHASE_TLS;
	return l->lossy || l->clock_stepped || cut_in_tls ? l->sound_marks : l->mark_count;
}

/*
 * Where the tiling begins and which mark is its first. Without the TCP handshake, the phase in
 * which we joined has no beginning: it is left out, and the tiling begins at its end.
 */
static uint32_t tile_begin(struct tiling *t, const struct login *l, enum vantage vantage,
			   uint64_t first_ns)
{
	uint32_t n = told_marks(l), i = 0;

	if (l->tcp.syn_ns && !l->ack_unsure) {
		t->start_ns = t->at_ns = l->tcp.syn_ns;
		if (!(l->lossy || l->clock_stepped) || l->sound_marks || !l->tcp.ack_ns)
			tile_tcp(t, l, vantage);
		return 0;
	}
	if (l->tcp.ack_ns && !l->ack_unsure) {
		t->start_ns = t->at_ns = l->tcp.ack_ns;
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
	t->phases = 0;
	memset(t->wait_ns, 0, sizeof(t->wait_ns));
	memset(t->phase_ns, 0, sizeof(t->phase_ns));
	/* Kernels answer at once: each half of the handshake is the path to one side. */
	t->share_ns[SIDE_SERVER] = from_to(l->tcp.last_syn_ns, l->tcp.synack_ns);
	t->share_ns[SIDE_CLIENT] = from_to(l->tcp.last_synack_ns, l->tcp.ack_ns);
	for (i = tile_begin(t, l, vantage, first_ns); i < n; i++)
		tile_mark(t, &l->marks[i]);
	for (int p = 0; p < PHASE_SESSION; p++)
		if (!(t->phases & 1u << p))
			t->phase_ns[p] = NO_NS;
}

/* Compare the halves of the handshake: if one is much shorter, we are on its side. */
static enum vantage vantage_guess(const struct login *l)
{
	uint64_t to_server, to_client;

	if (!l->tcp.syn_ns || !l->tcp.synack_ns || !l->tcp.ack_ns)
		return VANTAGE_UNKNOWN;
	to_server = from_to(l->tcp.last_syn_ns, l->tcp.synack_ns);
	to_client = from_to(l->tcp.last_synack_ns, l->tcp.ack_ns);
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
	/* No agreement was seen yet. MS-TDS 2.2.6.5 */
	if (!*c->version || !*s->version)
		return ENCRYPTION_UNKNOWN;
	return c->encryption == ENCRYPT_OFF && s->encryption == ENCRYPT_OFF ? ENCRYPTION_LOGIN
									    : ENCRYPTION_FULL;
}

/* 1, 0, or -1: not known, the PRELOGIN exchange was not seen. MS-TDS 2.2.6.5 */
static int mars_agreed(const struct login *l)
{
	const struct tds_prelogin *c = &l->prelogin[SIDE_CLIENT], *s = &l->prelogin[SIDE_SERVER];

	if (c->mars == 1 && s->mars == 1)
		return 1;
	if ((*c->version && c->mars != 1) || (*s->version && s->mars != 1))
		return 0;
	if (*c->version || *s->version) /* one side agrees, and the other's answer was not seen */
		return -1;
	return l->strict || l->cut || login_joined(l) || l->outcome == OUTCOME_INCOMPLETE ? -1 : 0;
}

/*
 * Clients that name no instance send "MSSQLServer", the default instance's name, or leave the
 * option out: docs/PROTOCOL.md 2.1. In that case SQL Server Browser's name for the port is better.
 */
static const char *instance_name(const struct report_env *env, const struct login *l)
{
	const char *name = l->prelogin[SIDE_CLIENT].instance;

	if (name && strcasecmp(name, "MSSQLServer"))
		return name;
	return env->instance ? env->instance : name;
}

static const char *known(const char *text)
{
	return *text ? text : NULL;
}

static void report_tds(struct login_record *r, const struct report_env *env, const struct login *l)
{
	const struct tds_prelogin *c = &l->prelogin[SIDE_CLIENT], *s = &l->prelogin[SIDE_SERVER];
	const struct tds_login7 *p = &l->login7;

	r->tds.version_raw = l->answer.loginack ? l->answer.version : p->version;
	r->tds.version = r->tds.version_raw ? tds_version_name(r->tds.version_raw) : NULL;
	/* Without a PRELOGIN (TDS 7.0 and older), LOGINACK has it. */
	r->tds.server_version = known(*s->version || !l->login7_clear || *c->version || l->lossy
					      ? s->version
					      : l->answer.server_version);
	r->tds.client_version = known(c->version);
	r->tds.instance = instance_name(env, l);
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

static void report_auth(struct login_record *r, const struct report_env *env, const struct login *l)
{
	r->auth.method = l->method;
	r->auth.basis = l->method_basis;
	r->auth.grounds = l->grounds;
	r->auth.rounds = l->rounds;
	if (!env->identities)
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
	r->outcome_grounds = l->outcome_basis == BASIS_INFERRED ? l->outcome_grounds : NULL;
	if (l->outcome == OUTCOME_REFUSED && l->answer.has_error) {
		r->has_error = true;
		r->error = (struct login_error){l->answer.error.number, l->answer.error.state,
						l->answer.error.class_, l->answer.error.message};
	}
	if (l->outcome == OUTCOME_REDIRECTED) {
		r->redirect_host = l->answer.redirect_host;
		r->redirect_port = l->answer.redirect_port;
	}
	r->tcp.syn_retransmits = l->tcp.syns > 1 ? l->tcp.syns - 1 : 0;
	r->tcp.retransmits = l->tcp.retransmits;
	r->tcp.out_of_order = l->tcp.out_of_order;
	r->tcp.zero_windows = l->tcp.zero_windows[SIDE_CLIENT] + l->tcp.zero_windows[SIDE_SERVER];
	r->tcp.missing_bytes = l->missing_bytes;
	memcpy(r->tcp.mss, l->tcp.mss, sizeof(r->tcp.mss));
	r->tcp.unacknowledged.side = l->unacked.side;
	r->tcp.unacknowledged.bytes = l->unacked.bytes;
	r->tcp.unacknowledged.sent = l->unacked.sent;
	r->tcp.unacknowledged.shortest = l->unacked.shortest;
}

/* The server's own entry. Where an error was read, its number and state are kept. */
static void report_errorlog(struct report *report, const struct report_env *env,
			    const struct login *l)
{
	struct login_record *r = &report->record;
	struct errorlog_entry *entry = &report->errorlog;

	if (!l->errorlog)
		return;
	*entry = *l->errorlog;
	if (!env->identities)
		entry->user = NULL;
	r->errorlog = entry;
	if (r->has_error || r->outcome != OUTCOME_REFUSED)
		return;
	r->has_error = true;
	r->error = (struct login_error){
		.number = entry->number, .state = entry->state, .class_ = entry->severity};
}

void report_login(const struct report_env *env, const struct flow *f, struct report *report)
{
	struct login_record *r = &report->record;
	struct tiling *t = &report->tiling;
	const struct login *l = f->login;

	*r = (struct login_record){
		.mid_stream = f->mid_stream,
		.id = env->id,
		.tunnel = env->tunnel,
		.client = flow_endpoint(f, SIDE_CLIENT),
		.server = flow_endpoint(f, SIDE_SERVER),
		.ifindex = f->half[SIDE_CLIENT].ifindex,
		.has_proxied = l->proxy.has_client,
		.proxied_from = l->proxy.client,
		.vantage = env->vantage == VANTAGE_UNKNOWN ? vantage_guess(l) : env->vantage,
		.browser = l->lookup,
	};
	tile(t, l, r->vantage, f->first_ns);
	/* A capture may have the SYN after its answer: times count, if they are sound. */
	r->start_ns = t->start_ns < f->first_ns ? t->start_ns : f->first_ns;
	r->total_ns = t->at_ns - t->start_ns;
	r->end_ns = t->at_ns;
	memcpy(r->phase_ns, t->phase_ns, sizeof(r->phase_ns));
	memcpy(r->wait_ns, t->wait_ns, sizeof(r->wait_ns));
	r->steps = t->steps;
	r->step_count = t->count;
	report_tds(r, env, l);
	tls_facts(&l->tls, &r->tls, &report->names);
	r->tls.resumed &= !l->lossy && !l->cut; /* it is inferred from what is absent */
	report_auth(r, env, l);
	report_outcome(r, l);
	report_errorlog(report, env, l);
}
