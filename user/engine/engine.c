/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* engine.c - see engine.h: finds each segment's connection, creates new ones, and advances time. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/engine_private.h"
#include "engine/dependency/companions.h"
#include "engine/conn.h"
#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/secrets.h"
#include "engine/late_keys.h"
#include "engine/errorlog/errorlog.h"
#include "engine/stream/doubt.h"
#include "engine/login/login.h"
#include "engine/stream/reassembly.h"

#define FLOWS_DEFAULT	   65536
#define BUFFER_DEFAULT	   (64ull << 20)
#define MESSAGES_DEFAULT   (64ull << 20)
#define REORDER_DEFAULT_NS (NS_PER_S / 2)
#define GIVE_UP_DEFAULT_NS (75 * NS_PER_S)
#define IDLE_DEFAULT_NS	   (4 * 3600 * NS_PER_S)
#define SWEEP_NS	   (NS_PER_S / 4)
#define LINGER_NS	   (2 * NS_PER_S)      /* after both FINs, for the last ACK or a reset */
#define RETRY_NS	   (7 * NS_PER_S / 10) /* Windows tries again half a second after a refusal */
#define CLOSED_NS	   (60 * NS_PER_S) /* late packets of a closed connection find it for this long */
#define IDLE_LONG_NS	   (60 * NS_PER_S) /* after it, devices in the path drop idle connections */
#define FAR_SEQ		   (64 << 20)	   /* bytes; see of_another() */
#define SETTLE_SEQ_MAX	   (1u << 20)	   /* a late SYN is this close to what came before it */

void engine_set_slow(struct engine *e, uint64_t slow_prelogin_ns, uint64_t slow_login_ns)
{
	e->logins.slow_prelogin_ns = slow_prelogin_ns ?: NS_PER_S;
	e->logins.slow_login_ns = slow_login_ns ?: 2 * NS_PER_S;
}

/* NULL for files: they are read the same way each time. */
static const uint64_t *engine_seed(const struct engine *e)
{
	static const uint64_t none[2] = {0x243f6a8885a308d3ull, 0x13198a2e03707344ull};

	return e->config.seed[0] | e->config.seed[1] ? e->config.seed : none;
}

/* Secrets and decrypted connections; allocated with the first secret. NULL: no memory. */
static struct decryption *decryption_of_engine(struct engine *e)
{
	if (!e->decryption)
		e->decryption = decryption_new(e->config.max_flows + 1, engine_seed(e), &e->pool,
					       &e->stats.decrypt);
	return e->decryption;
}

bool engine_secret(struct engine *e, const char *line, size_t len)
{
	struct secret_line secret;
	bool is = secret_line_parse(&secret, line, len) && decryption_of_engine(e);

	if (is)
		decryption_secret(e->decryption, &secret);
	OPENSSL_cleanse(&secret, sizeof(secret));
	late_keys_came(e);
	return is;
}

void engine_expect_late_keys(struct engine *e)
{
	e->config.keys_late = true;
}

static void engine_take(struct engine *e, const struct seg *seg, const uint8_t *payload);

static void engine_take_settled(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	engine_take(ctx, seg, payload);
}

static void engine_set_back(void *ctx, uint64_t now_ns)
{
	struct engine *e = ctx;

	e->now_ns = e->swept_ns = now_ns;
}

static void engine_stepped(void *ctx, struct flow *f, uint64_t now_ns)
{
	(void)ctx;
	conn_clock_stepped(f, now_ns);
}

static const struct timeline_ops engine_timeline = {engine_take_settled, engine_set_back,
						    engine_stepped};

struct engine *engine_new(const struct engine_config *config, const struct engine_ops *ops,
			  void *ctx)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->config = *config;
	e->ops = *ops;
	e->ctx = ctx;
	if (!e->config.max_flows)
		e->config.max_flows = FLOWS_DEFAULT;
	e->reassembly = (struct reassembly){
		.ops = &conn_stream,
		.ctx = e,
		.now_ns = &e->now_ns,
		.max_buffer = e->config.max_buffer ? e->config.max_buffer : BUFFER_DEFAULT,
		.reorder_ns = e->config.reorder_ns ? e->config.reorder_ns : REORDER_DEFAULT_NS,
		.capture = engine_reads_capture(&e->config),
	};
	e->timeline = (struct timeline){
		.ops = &engine_timeline, .ctx = e, .now_ns = &e->now_ns, .flows = &e->flows};
	e->sessions = (struct session_env){
		.command = ops->command,
		.ctx = ctx,
		.flows = &e->flows,
		.pool = &e->pool,
		.sql = config->sql,
		.live = ops->tap,
		.kernel_times_commands = config->kernel_times_commands,
	};
	e->logins = (struct login_env){
		.capture = engine_reads_capture(config),
		.identities = config->identities,
		.pool = &e->pool,
		.certs = &e->certs,
		.answers = &e->answers,
		.history = &e->history,
	};
	e->late.take = engine_take;
	e->pool.max = e->config.max_messages ? e->config.max_messages : MESSAGES_DEFAULT;
	e->pool.refused = &e->stats.messages_refused;
	if (!e->config.give_up_ns)
		e->config.give_up_ns = GIVE_UP_DEFAULT_NS;
	engine_set_slow(e, config->slow_prelogin_ns, config->slow_login_ns);
	if (!e->config.idle_ns)
		e->config.idle_ns = IDLE_DEFAULT_NS;
	if (flow_table_init(&e->flows, e->config.max_flows, engine_seed(e))) {
		free(e);
		return NULL;
	}
	if (config->dependencies &&
	    !(e->companions = companions_new(engine_seed(e), ops->is_local))) {
		flow_table_release(&e->flows);
		free(e);
		return NULL;
	}
	browser_init(&e->browser, config->ports, config->seed[0],
		     &(struct browser_ops){.unanswered = ops->browser, .port = ops->port}, ctx);
	pending_init(&e->pending);
	if (config->errorlog)
		e->errorlog = errorlog_new();
	if ((!config->keys || decryption_of_engine(e)) && (!config->errorlog || e->errorlog))
		return e;
	engine_free(e);
	return NULL;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (int i = 0; i < FLOW_LISTS; i++) {
		while (e->flows.head[i])
			conn_remove(e, flow_oldest(&e->flows, (enum flow_list)i));
	}
	late_keys_release(e);
	decryption_free(e->decryption);
	timeline_release(&e->timeline);
	flow_table_release(&e->flows);
	cert_cache_release(&e->certs);
	companions_free(e->companions);
	errorlog_free(e->errorlog);
	free(e);
}

const struct engine_stats *engine_stats(struct engine *e)
{
	e->stats.in_login = e->flows.listed[FLOW_HALF] + e->flows.listed[FLOW_LOGIN];
	e->stats.in_session = e->flows.listed[FLOW_SESSION];
	e->stats.over = e->flows.listed[FLOW_CLOSED];
	e->stats.buffer_evicted = e->reassembly.counts.buffer_evicted;
	e->stats.missing_bytes = e->reassembly.counts.missing_bytes;
	e->stats.out_of_window = e->reassembly.counts.out_of_window;
	e->stats.duplicates = e->reassembly.counts.duplicates;
	e->stats.clock_steps = e->timeline.steps;
	e->stats.browser_questions = e->browser.counts.questions;
	e->stats.browser_unanswered = e->browser.counts.unanswered;
	e->stats.browser_evicted = e->browser.counts.evicted;
	e->stats.browser_malformed = e->browser.counts.malformed;
	e->stats.browser_cut = e->browser.counts.cut;
	e->stats.instances = e->browser.instances.count;
	e->stats.instances_evicted = e->browser.instances.evicted;
	return &e->stats;
}

/*
 * If there is no room for another connection, evict the oldest: first of those that are over, then
 * of those that have not begun to log in, then of the sessions. A login in progress is last: it has
 * most to report.
 */
static struct flow *least_wanted(const struct engine *e)
{
	static const enum flow_list order[] = {FLOW_CLOSED, FLOW_HALF, FLOW_SESSION, FLOW_LOGIN};
	struct flow *f = NULL;

	for (int i = 0; i < FLOW_LISTS && !f; i++)
		f = flow_oldest(&e->flows, order[i]);
	return f;
}

static void evict(struct engine *e)
{
	struct flow *f;

	do /* what is held of it is taken first, and may have it go to another list */
		f = least_wanted(e);
	while (f && late_keys_end(e, f));
	if (!f)
		return;
	if (!f->told)
		e->stats.flows_evicted++;
	conn_ask(e, f);
	conn_close(e, f, CLOSE_EVICTED, e->now_ns);
	conn_remove(e, f);
}

/* Which of a segment's two ends is the client; -1: neither end is a watched port. */
static int client_end(const struct engine *e, const struct seg *seg, uint8_t sender)
{
	bool to = browser_watches(&e->browser, seg->daddr, seg->dport);
	bool from = browser_watches(&e->browser, seg->saddr, seg->sport);

	if (!to && !from && !e->config.any_port)
		return -1;
	if (seg->flags & SEG_SYN) /* RFC 9293 3.5: the opener's SYN has no ACK */
		return seg->flags & SEG_ACK ? !sender : sender;
	if (to != from)
		return to ? sender : !sender;
	/* Both ports or neither are watched: servers have the lower one. */
	return seg->dport <= seg->sport ? sender : !sender;
}

/* Must it still show that it is TDS? Not if a server just sent its client there. */
static bool is_tentative(const struct engine *e, const struct flow_key *key, uint8_t client,
			 uint64_t ts_ns)
{
	return !browser_serves(&e->browser, key->addr[!client], key->port[!client]) &&
	       !history_awaits(&e->history, key->addr[client], key->port[!client], ts_ns);
}

static struct flow *flow_begin(struct engine *e, const struct seg *seg, const uint8_t *payload,
			       const struct flow_key *key, uint8_t sender)
{
	int client = client_end(e, seg, sender);
	bool tentative;
	struct flow *f;

	if (client < 0) {
		if (!e->stats.logins && stranger_speaks_tds(seg, payload))
			stranger_note(&e->strangers, seg->dport);
		/* The kernel watches a port; SQL Server Browser named it at another address. */
		if (e->ops.tap)
			e->ops.tap(e->ctx, key, sender, TAP_CLOSE);
		e->stats.ignored++;
		return NULL;
	}
	tentative = is_tentative(e, key, (uint8_t)client, seg->ts_ns);
	/*
	 * On any port, a connection's first bytes show TDS: a dismissed connection stays dismissed.
	 */
	if (tentative && !(seg->flags & SEG_SYN) && !stranger_speaks_tds(seg, payload)) {
		e->stats.ignored++;
		return NULL;
	}
	if (e->flows.count >= e->config.max_flows)
		evict(e);
	f = flow_add(&e->flows, key);
	f->login = login_new(&e->logins, seg->ts_ns);
	if (!f->login) {
		flow_remove(&e->flows, f);
		return NULL;
	}
	if (e->decryption)
		f->login->decrypt = decryption_begin(e->decryption, flow_place(&e->flows, f));
	f->client = (uint8_t)client;
	f->close_by = SIDE_NONE;
	f->first_ns = seg->ts_ns;
	f->mid_stream = true;
	f->settling = !(seg->flags & SEG_SYN) || seg->flags & SEG_ACK;
	f->tentative = tentative;
	pending_add(e, f);
	e->stats.flows = e->flows.count;
	return f;
}

/*
 * A SYN on a known connection: the same one again, the one that we missed, or, with another number,
 * a new connection on the old ports.
 */
static bool syn_is_new(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];

	if (h->has_isn)
		return h->isn != seg->seq;
	if (f->settling && tcp_held(f, from))
		return tcp_held(f, from)->seg.seq - seg->seq > SETTLE_SEQ_MAX;
	return h->known && h->next - seg->seq > SETTLE_SEQ_MAX;
}

/*
 * Live, the source hands over payload only up to its budget, or reports how far it has come.
 * Anything further off belongs to another connection on the same ports, whose SYN was lost.
 */
static bool of_another(const struct engine *e, const struct flow *f, enum side from,
		       const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t off = (int32_t)(seg->seq - h->next);

	return e->ops.tap && seg->len && h->known && !(seg->flags & (SEG_SYN | SEG_RST)) &&
	       !(seg->rec_flags & SEG_F_HEADS) && (off > FAR_SEQ || off < -FAR_SEQ);
}

/* Neither over, nor closed by a side: anybody may have sent a SYN within it. */
static bool is_open(const struct flow *f)
{
	return !f->told && !f->settling && !flow_is_reset(f) &&
	       !(f->login && f->login->tcp.refused_ns);
}

static void take(struct engine *e, struct flow *f, uint8_t sender, const struct seg *seg,
		 const uint8_t *payload);

/* The SYN in doubt began a new connection: end the old one, and begin with that SYN. */
static struct flow *flow_renew(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct seg syn = f->reorder->syn;
	uint8_t count = f->reorder->syn_count, sender;
	struct flow_key key;

	f->reorder->has_syn = false;
	conn_close(e, f, CLOSE_EVICTED, ts_ns);
	conn_remove(e, f);
	if (flow_find(&e->flows, &syn, &key, &sender))
		return NULL; /* not reached: it was just removed */
	f = flow_begin(e, &syn, NULL, &key, sender);
	if (f) {
		take(e, f, sender, &syn, NULL);
		if (f->login && count > 1)
			f->login->tcp.syns = count;
	}
	return f;
}

/*
 * The server's end sent a SYN of its own before it got the client's, and the client answers it by a
 * SYN+ACK: a simultaneous open, one connection (RFC 9293 3.5).
 */
static bool is_simultaneous(const struct flow *f, const struct seg *answer)
{
	const struct half *client = &f->half[SIDE_CLIENT];

	return answer->flags & SEG_SYN && client->has_isn && answer->seq == client->isn &&
	       !f->half[SIDE_SERVER].has_isn &&
	       f->reorder->syn.sport == flow_endpoint(f, SIDE_SERVER).port;
}

static struct flow *flow_meet(struct engine *e, struct flow *f)
{
	struct seg syn = f->reorder->syn;

	f->reorder->has_syn = false;
	tcp_segment(&e->reassembly, f, SIDE_SERVER, &syn, NULL);
	return f;
}

static struct flow *flow_for(struct engine *e, const struct seg *seg, const uint8_t *payload,
			     uint8_t *sender)
{
	struct flow_key key;
	struct flow *f = flow_find(&e->flows, seg, &key, sender);
	enum side from;

	if (!f)
		return flow_begin(e, seg, payload, &key, *sender);
	if (seg->flags & SEG_SYN && late_keys_end(e, f))
		return flow_for(e, seg, payload, sender);
	from = *sender == f->client ? SIDE_CLIENT : SIDE_SERVER;
	if (of_another(e, f, from, seg)) {
		conn_close(e, f, CLOSE_EVICTED, seg->ts_ns);
		conn_remove(e, f);
		return flow_begin(e, seg, payload, &key, *sender);
	}
	if (doubt_syn_answered(f, seg))
		return is_simultaneous(f, seg) ? flow_meet(e, f) : flow_renew(e, f, seg->ts_ns);
	if (!(seg->flags & SEG_SYN) || seg->flags & SEG_ACK)
		return f;
	if (from == SIDE_CLIENT && !syn_is_new(f, from, seg))
		return f;
	if (from == SIDE_SERVER && f->settling) {
		f->client = *sender; /* the ports were misleading */
		return f;
	}
	/* The peer's answer will show whether it takes this for a new connection. */
	if (is_open(f) && tcp_reorder(f)) {
		doubt_syn(f, seg);
		return f;
	}
	conn_close(e, f, CLOSE_EVICTED, seg->ts_ns);
	conn_remove(e, f);
	return flow_begin(e, seg, payload, &key, *sender);
}

/* The same packet seen again on another interface (a veth and its bridge) adds nothing. */
static bool is_copy(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];

	if (!seg->ifindex || !h->ifindex || h->ifindex == seg->ifindex)
		return false;
	if (seg->flags & SEG_SYN)
		return h->has_isn;
	/* A flow's packets may come by several interfaces: one that acknowledges more is new. */
	if (seg->flags & SEG_ACK && !(seg->flags & SEG_RST) &&
	    (!peer->has_acked || (int32_t)(seg->ack - peer->acked) > 0))
		return false;
	return h->known && (int32_t)(seg->seq + seg->len - h->next) <= 0 &&
	       (!(seg->flags & SEG_FIN) || h->fin_done) && !(seg->flags & SEG_RST);
}

static bool both_closed(const struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		const struct half *h = &f->half[i];

		if (!h->fin_done || !h->has_acked || (int32_t)(h->acked - h->next) < 0)
			return false;
	}
	return true;
}

static void sweep_list(struct engine *e, enum flow_list list,
		       void (*visit)(struct engine *, struct flow *, uint64_t idle_ns),
		       uint64_t least_ns)
{
	struct flow *f = flow_oldest(&e->flows, list), *next;

	for (; f; f = next) {
		uint64_t idle_ns = e->now_ns > f->last_ns ? e->now_ns - f->last_ns : 0;

		next = flow_next(&e->flows, f);
		if (idle_ns < least_ns)
			return;
		if (f->told && list != FLOW_CLOSED)
			flow_touch(&e->flows, f, FLOW_CLOSED);
		else
			visit(e, f, idle_ns);
	}
}

static void visit_login(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	if (idle_ns < LINGER_NS && !(f->login && f->login->tcp.refused_ns))
		return;
	if (idle_ns >= LINGER_NS && f->half[0].fin_done && f->half[1].fin_done)
		conn_close(e, f, CLOSE_FIN, e->now_ns);
	else
		conn_idle(e, f, e->now_ns);
}

static void visit_session(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	bool reset = flow_is_reset(f);

	if (doubt_reset_holds(f, false)) {
		tcp_reset(&e->reassembly, f);
		conn_settle(e, f);
	} else if ((f->half[0].fin_done && f->half[1].fin_done) || reset) {
		conn_close(e, f, reset ? CLOSE_RST : CLOSE_FIN, e->now_ns);
	} else if (idle_ns >= e->config.idle_ns) {
		conn_ask(e, f);
		conn_close(e, f, CLOSE_IDLE, e->now_ns);
	}
}

static void visit_closed(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	(void)idle_ns;
	conn_remove(e, f);
}

static void sweep(struct engine *e)
{
	struct flow *f, *next;

	e->swept_ns = e->now_ns;
	late_keys_tick(e);
	for (f = e->reassembly.held.stalled; f; f = next) {
		next = f->reorder->next;
		tcp_tick(&e->reassembly, f);
		conn_settle(e, f);
	}
	sweep_list(e, FLOW_HALF, visit_login, RETRY_NS);
	sweep_list(e, FLOW_LOGIN, visit_login, LINGER_NS);
	sweep_list(e, FLOW_SESSION, visit_session, LINGER_NS);
	sweep_list(e, FLOW_CLOSED, visit_closed, CLOSED_NS);
	while ((f = logwait_due(e)))
		conn_waited(e, f);
	pending_tick(e);
	browser_tick(&e->browser, e->now_ns, false);
	if (e->decryption)
		decryption_tick(e->decryption, e->now_ns);
	e->stats.flows = e->flows.count;
}

void engine_tick(struct engine *e, uint64_t now_ns)
{
	if (now_ns > e->now_ns)
		e->now_ns = now_ns;
	if (e->now_ns - e->swept_ns >= SWEEP_NS)
		sweep(e);
}

static void note_connect(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	if (f->mid_stream && !f->tentative)
		history_attempted(&e->history, &client, &server, ts_ns);
	else if (!f->tentative && f->login)
		history_attempted_again(&e->history, &client, &server, ts_ns);
	if (f->mid_stream && !f->tentative)
		answers_connected(&e->answers, &client, &server, ts_ns);
	if (f->mid_stream)
		browser_connected(&e->browser, &client, &server, flow_tunnel(&e->flows, f), ts_ns,
				  f->login ? &f->login->lookup : NULL);
	f->mid_stream = false;
}

static void note_answer(struct engine *e, const struct flow *f, uint64_t ts_ns, bool refused)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	if (f->login && !f->tentative)
		history_answered(&e->history, &client, &server, ts_ns, refused);
}

/* Both ends are real, as far as can be seen, and the client has begun. */
static bool gets_on(const struct flow *f)
{
	return f->handed_payload && f->login &&
	       (f->login->tcp.payload_ns[SIDE_SERVER] || f->half[SIDE_SERVER].has_isn);
}

/* New payload: does it come after a long silence, or continue payload that did? */
static void note_idle(struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];

	if (!seg->len || !h->known || (int32_t)(seg->seq - h->next) < 0 || tcp_held(f, from))
		return;
	if (seg->ts_ns > f->last_ns + IDLE_LONG_NS)
		f->after_idle = true;
	else if (f->half[side_other(from)].last_ns > h->last_ns)
		f->after_idle = false;
}

/* Pass a segment of the flow to its stream. */
static void take(struct engine *e, struct flow *f, uint8_t sender, const struct seg *seg,
		 const uint8_t *payload)
{
	enum side from = sender == f->client ? SIDE_CLIENT : SIDE_SERVER;

	if (seg->flags & SEG_SYN && !(seg->flags & SEG_ACK) && from == SIDE_CLIENT)
		note_connect(e, f, seg->ts_ns);
	if (f->told) {
		if (seg->flags & (SEG_FIN | SEG_RST))
			conn_over(e, f);
		return;
	}
	note_idle(f, from, seg);
	if (seg->ts_ns > f->last_ns)
		f->last_ns = seg->ts_ns;
	flow_touch(&e->flows, f, (enum flow_list)f->list);
	tcp_segment(&e->reassembly, f, from, seg, payload);
	conn_settle(e, f);
	if (from == SIDE_SERVER && seg->flags & SEG_SYN)
		note_answer(e, f, seg->ts_ns, false);
	else if (f->login && f->login->tcp.refused_ns == seg->ts_ns)
		note_answer(e, f, seg->ts_ns, true);
	if (f->list == FLOW_HALF && gets_on(f))
		flow_touch(&e->flows, f, FLOW_LOGIN);
	if (both_closed(f))
		conn_close(e, f, CLOSE_FIN, seg->ts_ns);
	else if (f->told && f->reorder && f->reorder->has_syn)
		flow_renew(e, f, seg->ts_ns);
}

static void datagram(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	e->stats.datagrams++;
	engine_tick(e, seg->ts_ns);
	if (e->config.browser)
		browser_datagram(&e->browser, seg, payload);
}

static void note_counts(struct flow *f, const uint8_t *payload)
{
	struct tap_counts counts;

	memcpy(&counts, payload, sizeof(counts));
	conn_counts(f, &counts);
}

/* The SYN that flow_for() has put aside. */
static bool is_doubted(const struct flow *f, const struct seg *seg)
{
	return seg->flags & SEG_SYN && !(seg->flags & SEG_ACK) && f->reorder &&
	       f->reorder->has_syn && f->reorder->syn.seq == seg->seq &&
	       f->reorder->syn.sport == seg->sport;
}

static void engine_take(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	struct flow *f;
	uint8_t sender;
	enum side from;

	if (seg->rec_flags & SEG_F_SERVICE) {
		engine_tick(e, seg->ts_ns);
		if (e->companions)
			companions_segment(e->companions, seg, payload);
		return;
	}
	if (seg->rec_flags & SEG_F_UDP && e->companions && seg->sport != SSRP_PORT &&
	    seg->dport != SSRP_PORT) {
		engine_tick(e, seg->ts_ns);
		companions_segment(e->companions, seg, payload);
		return;
	}
	if (seg->rec_flags & SEG_F_UDP) {
		datagram(e, seg, payload);
		return;
	}
	e->stats.segments++;
	engine_tick(e, seg->ts_ns);
	f = flow_for(e, seg, payload, &sender);
	if (!f && e->companions && !e->ops.is_local)
		companions_segment(e->companions, seg, payload);
	if (!f || is_doubted(f, seg) || late_keys_take(e, f, seg, payload))
		return;
	if (seg->rec_flags & SEG_F_COUNTS)
		note_counts(f, payload);
	else if (!f->login && seg->cap_len && !(seg->rec_flags & SEG_F_HEADS))
		conn_tap_again(e, f);
	from = sender == f->client ? SIDE_CLIENT : SIDE_SERVER;
	if (is_copy(f, from, seg)) {
		e->reassembly.counts.duplicates++;
		return;
	}
	if (seg->ifindex)
		f->half[from].ifindex = seg->ifindex;
	if (seg->ts_ns < f->first_ns && f->login && !f->login->wait.reported)
		f->first_ns = seg->ts_ns;
	take(e, f, sender, seg, payload);
}

void engine_segment(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	if (e->ops.tap) /* live: the kernel's clock never jumps */
		engine_take(e, seg, payload);
	else
		timeline_segment(&e->timeline, seg, payload);
}

void engine_dependencies(struct engine *e, engine_dependency_fn *fn, void *ctx)
{
	if (e->companions)
		companions_totals(e->companions, e->now_ns, fn, ctx);
}

void engine_errorlog(struct engine *e, const struct errorlog_entry *entry)
{
	if (!e->errorlog)
		return;
	e->stats.errorlog_entries++;
	errorlog_add(e->errorlog, entry);
}

void engine_lost(struct engine *e, uint64_t now_ns)
{
	if (e->companions)
		companions_lost(e->companions, now_ns);
	if (now_ns > e->logins.lost_ns)
		e->logins.lost_ns = now_ns;
}

void engine_ports_in_use(const struct engine *e, struct port_set *ports)
{
	const struct flow_table *t = &e->flows;

	for (int i = 0; i < FLOW_LISTS; i++)
		for (const struct flow *f = flow_oldest(t, (enum flow_list)i); f;
		     f = flow_next(t, f))
			port_set_add(ports, f->key.port[!f->client]);
}

size_t engine_strangers(const struct engine *e, uint16_t ports[ENGINE_STRANGERS])
{
	memcpy(ports, e->strangers.ports, sizeof(e->strangers.ports));
	return e->strangers.count;
}

void engine_resume(struct engine *e, uint64_t now_ns)
{
	static const enum flow_list lists[] = {FLOW_LOGIN, FLOW_HALF, FLOW_LOGIN};

	timeline_finish(&e->timeline);
	late_keys_end_all(e);
	if (now_ns < e->now_ns || now_ns - e->now_ns < e->config.give_up_ns)
		return;
	for (int i = 0; i < 3; i++) {
		struct flow *f;

		while ((f = flow_oldest(&e->flows, lists[i]))) {
			if (f->told)
				conn_remove(e, f);
			else
				conn_close(e, f, CLOSE_OPEN, e->now_ns);
		}
	}
}

void engine_finish(struct engine *e)
{
	static const enum flow_list order[] = {FLOW_SESSION, FLOW_LOGIN, FLOW_HALF};

	timeline_finish(&e->timeline);
	late_keys_end_all(e);
	/* A connection that closes may move from one list to another first: look again. */
	for (int i = 0; i < 6; i++) {
		struct flow *f;

		while ((f = flow_oldest(&e->flows, order[i % 3]))) {
			if (f->told) {
				conn_remove(e, f);
				continue;
			}
			conn_ask(e, f);
			conn_close(e, f, CLOSE_OPEN, e->now_ns);
		}
	}
	while (e->flows.head[FLOW_CLOSED])
		conn_remove(e, flow_oldest(&e->flows, FLOW_CLOSED));
	browser_tick(&e->browser, e->now_ns, true);
	companions_finish(e->companions, e->now_ns);
	e->stats.flows = e->flows.count;
}
