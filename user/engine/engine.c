/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* engine.c - see engine.h: puts the rooms together. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/conn.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/secrets.h"
#include "engine/dependency/companions.h"
#include "engine/dispatch.h"
#include "engine/errorlog/errorlog.h"
#include "engine/late_keys.h"
#include "engine/silence.h"
#include "engine/sweep.h"

#define FLOWS_DEFAULT	   65536
#define BUFFER_DEFAULT	   (64ull << 20)
#define MESSAGES_DEFAULT   (64ull << 20)
#define REORDER_DEFAULT_NS (NS_PER_S / 2)
#define GIVE_UP_DEFAULT_NS (75 * NS_PER_S)
#define IDLE_DEFAULT_NS	   (4 * 3600 * NS_PER_S)

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

void engine_keep_silent(struct engine *e)
{
	e->config.keep_silent = true;
}

static void engine_take_settled(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	dispatch(ctx, seg, payload);
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

static void engine_undisturbed(void *ctx, struct flow *f)
{
	silence_was_none(ctx, f);
}

static const struct timeline_ops engine_timeline = {engine_take_settled, engine_set_back,
						    engine_stepped, engine_undisturbed};

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
		.spare = &e->spare_logins,
		.certs = &e->certs,
		.answers = &e->answers,
		.history = &e->history,
		.forget = ops->forget,
		.forget_ctx = ctx,
	};
	e->late.take = dispatch;
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
	spare_logins_release(&e->spare_logins);
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

void engine_tick(struct engine *e, uint64_t now_ns)
{
	sweep_tick(e, now_ns);
}

void engine_ends(struct engine *e, uint64_t now_ns)
{
	timeline_finish(&e->timeline);
	sweep_tick(e, now_ns);
}

void engine_segment(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	/* Live, the kernel's clock never jumps. */
	if (e->ops.tap || timeline_segment(&e->timeline, seg, payload))
		dispatch(e, seg, payload);
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
			if (f->close_emitted)
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
			if (f->close_emitted) {
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
