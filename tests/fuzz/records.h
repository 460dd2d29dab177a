/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * records.h - an engine that checks every record against the record contract, for harnesses that
 * feed it.
 */
#ifndef TDSMON_FUZZ_RECORDS_H
#define TDSMON_FUZZ_RECORDS_H

#include "engine/engine.h"
#include "fuzz.h"

/* connections that are tracked; for others the records' order is not checked */
#define FUZZ_CONNECTIONS 64

struct checked {
	struct engine *engine;
	struct engine_config config;
	struct port_set ports, learned;
	struct engine_stats before;
	const struct engine_ops *tell; /* also receives each record; NULL: nobody does */
	void *tell_ctx;
	uint64_t segments, logins, closes, unanswered;
	uint64_t others;  /* datagrams that are not SQL Server Browser's */
	uint64_t payload; /* bytes that were fed, or that a record stood for */
	uint64_t told;	  /* bytes that close records report */
	bool heads;	  /* the tap skipped payload, which is reported, too */
	struct {
		struct flow_key key;
		bool has_login; /* since its last close */
	} connections[FUZZ_CONNECTIONS];
	uint32_t count;
};

/* A connection's entry, created if needed; NULL: no more room. */
static bool *checked_login(struct checked *c, const struct endpoint *client,
			   const struct endpoint *server, uint32_t tunnel)
{
	struct flow_key key = {.tunnel = tunnel};
	int low = memcmp(client->addr, server->addr, 16);
	const struct endpoint *ends[2] = {client, server};

	if (low > 0 || (!low && client->port > server->port)) {
		ends[0] = server;
		ends[1] = client;
	}
	for (int i = 0; i < 2; i++) {
		memcpy(key.addr[i], ends[i]->addr, 16);
		key.port[i] = ends[i]->port;
	}
	for (uint32_t i = 0; i < c->count; i++) {
		if (!memcmp(&c->connections[i].key, &key, sizeof(key)))
			return &c->connections[i].has_login;
	}
	if (c->count == FUZZ_CONNECTIONS)
		return NULL;
	c->connections[c->count].key = key;
	return &c->connections[c->count++].has_login;
}

static void check_times(const struct login_record *r)
{
	uint64_t steps = 0, phases = 0, waits = 0, of[PHASE_SESSION] = {0};
	bool told[PHASE_SESSION] = {false};

	for (size_t i = 0; i < r->step_count; i++) {
		const struct step *s = &r->steps[i];

		step_kind_name(s->kind);
		FUZZ_ASSERT(s->phase < PHASE_SESSION && s->waits_on < SIDE_NONE);
		steps += s->ns;
		of[s->phase] += s->ns;
		told[s->phase] = true;
	}
	for (int i = 0; i < PHASE_SESSION; i++) {
		FUZZ_ASSERT((r->phase_ns[i] != NO_NS) == told[i]);
		FUZZ_ASSERT(!told[i] || r->phase_ns[i] == of[i]);
		phases += told[i] ? r->phase_ns[i] : 0;
	}
	for (int i = 0; i < SIDE_NONE; i++)
		waits += r->wait_ns[i];
	FUZZ_ASSERT(phases == steps && waits == steps);
	if (r->total_ns == NO_NS) /* a capture's clock jumped */
		return;
	FUZZ_ASSERT(steps == r->total_ns);
	FUZZ_ASSERT(r->end_ns >= r->start_ns && r->end_ns - r->start_ns >= r->total_ns);
}

/* The parts of a step add up to it, and are in the order of the steps. */
static void check_parts(const struct login_record *r)
{
	uint64_t ns;

	for (size_t i = 0; i < r->part_count;) {
		size_t step = r->parts[i].step;

		FUZZ_ASSERT(step < r->step_count && r->steps[step].ns >= 20000000);
		for (ns = 0; i < r->part_count && r->parts[i].step == step; i++) {
			wait_part_name(r->parts[i].part);
			FUZZ_ASSERT(r->parts[i].basis != BASIS_UNKNOWN);
			fuzz_text(r->parts[i].grounds);
			ns += r->parts[i].ns;
		}
		FUZZ_ASSERT(ns == r->steps[step].ns);
		FUZZ_ASSERT(i == r->part_count || r->parts[i].step > step);
	}
}

static void check_dependencies(const struct login_record *r)
{
	for (size_t i = 0; i < r->dependency_count; i++) {
		const struct dependency *d = &r->dependencies[i];

		dependency_kind_name(d->kind);
		fuzz_text(d->operation);
		fuzz_text(d->target);
		fuzz_text(d->result);
		FUZZ_ASSERT(d->side <= SIDE_SERVER);
		FUZZ_ASSERT(d->requests && d->unanswered <= d->requests);
		FUZZ_ASSERT(d->in_flight_most); /* in all operations of its kind to its peer */
		FUZZ_ASSERT(d->ns <= INT64_MAX);
	}
}

/* A verdict's class agrees with the outcome, for readers that do not know its name. */
static void check_class(const struct login_record *r)
{
	static const uint8_t classes[OUTCOME_COUNT] = {
		[OUTCOME_INCOMPLETE] = 1 << VERDICT_UNKNOWN,
		[OUTCOME_UNANSWERED] = 1 << VERDICT_FAILED | 1 << VERDICT_ENDED,
		[OUTCOME_REJECTED] = 1 << VERDICT_FAILED | 1 << VERDICT_ENDED,
		[OUTCOME_NOT_TDS] = 1 << VERDICT_FAILED | 1 << VERDICT_ENDED,
		[OUTCOME_OK] = 1 << VERDICT_OK | 1 << VERDICT_SLOW,
		[OUTCOME_REFUSED] = 1 << VERDICT_FAILED,
		[OUTCOME_REDIRECTED] = 1 << VERDICT_OK | 1 << VERDICT_SLOW,
		[OUTCOME_TIMED_OUT] = 1 << VERDICT_FAILED,
		[OUTCOME_TLS_FAILED] = 1 << VERDICT_FAILED,
		[OUTCOME_PROBE] = 1 << VERDICT_ENDED,
		[OUTCOME_ABANDONED] = 1 << VERDICT_FAILED | 1 << VERDICT_ENDED,
		[OUTCOME_DROPPED] = 1 << VERDICT_FAILED,
	};

	verdict_class_name(r->verdict.class);
	FUZZ_ASSERT(classes[r->outcome] & 1 << r->verdict.class);
}

/* Of a wait before the connection, the reported parts are no longer than all of it. */
static void check_before(const struct before *b)
{
	FUZZ_ASSERT(!b->ns == !b->count && b->count <= BEFORE_MOST);
	FUZZ_ASSERT(b->ns <= INT64_MAX);
	for (uint32_t i = 0; i < b->count; i++) {
		outcome_name(b->attempts[i].outcome);
		FUZZ_ASSERT(b->attempts[i].ns <= b->ns);
	}
}

static void check_texts(const struct login_record *r)
{
	const char *const texts[] = {
		r->tds.version,
		r->tds.server_version,
		r->tds.client_version,
		r->tds.instance,
		r->tds.connection_id,
		r->tds.activity_id,
		r->tds.driver,
		r->tds.app,
		r->tds.host,
		r->tds.database,
		r->tls.version,
		r->tls.cipher,
		r->tls.sni,
		r->tls.alpn,
		r->tls.alert.level,
		r->tls.cert.subject,
		r->tls.cert.issuer,
		r->tls.alert.description,
		r->auth.grounds,
		r->auth.user,
		r->auth.domain,
		r->auth.workstation,
		r->redirect_host,
		r->verdict.text,
		r->error.message,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fuzz_text(texts[i]);
	fuzz_text(verdict_name(r->verdict.id));
	FUZZ_ASSERT(r->verdict.id != V_NONE && r->verdict.text);
}

/* Out of range these would abort by themselves. */
static void check_enums(const struct login_record *r)
{
	vantage_name(r->vantage);
	encrypt_option_name(r->encryption.client);
	encrypt_option_name(r->encryption.server);
	encryption_name(r->encryption.effective);
	auth_method_name(r->auth.method);
	basis_name(r->auth.basis);
	outcome_name(r->outcome);
	basis_name(r->outcome_basis);
	confidence_name(r->confidence);
	side_name(r->tls.alert.from);
}

/* An entry that was joined is one that was handed in, and is shown as far as names are asked for. */
static void check_errorlog(const struct checked *c, const struct login_record *r)
{
	const struct errorlog_entry *e = r->errorlog;

	if (!e)
		return;
	FUZZ_ASSERT(c->config.errorlog && e->client != ERRORLOG_NO_CLIENT);
	FUZZ_ASSERT(!memcmp(e->addr, r->client.addr, 16));
	FUZZ_ASSERT(c->config.identities || !e->user);
	FUZZ_ASSERT(r->outcome != OUTCOME_REFUSED || r->has_error);
	FUZZ_ASSERT(r->outcome != OUTCOME_OK && r->outcome != OUTCOME_INCOMPLETE);
	FUZZ_ASSERT(r->outcome_basis == BASIS_OBSERVED || r->confidence == CONFIDENCE_HIGH);
	fuzz_text(e->reason);
}

static void checked_login_record(void *ctx, const struct login_record *r)
{
	struct checked *c = ctx;
	bool *has_login = checked_login(c, &r->client, &r->server, r->tunnel);

	c->logins++;
	/* One login per connection. */
	FUZZ_ASSERT(!has_login || !*has_login);
	if (has_login)
		*has_login = true;
	check_times(r);
	check_texts(r);
	check_enums(r);
	check_class(r);
	check_before(&r->before);
	check_parts(r);
	check_dependencies(r);
	FUZZ_ASSERT(r->total_ns == NO_NS || r->total_ns <= INT64_MAX);
	/* No more than the packets fed. */
	FUZZ_ASSERT((uint64_t)r->tcp.retransmits + r->tcp.syn_retransmits <= c->segments);
	FUZZ_ASSERT(r->tcp.out_of_order <= c->segments && r->tcp.zero_windows <= c->segments);
	/* A known method has a basis and grounds. */
	FUZZ_ASSERT((r->auth.method == AUTH_UNKNOWN) == (r->auth.basis == BASIS_UNKNOWN));
	FUZZ_ASSERT((r->auth.method == AUTH_UNKNOWN) == !r->auth.grounds);
	FUZZ_ASSERT((r->confidence == CONFIDENCE_CERTAIN) == (r->outcome_basis == BASIS_OBSERVED));
	FUZZ_ASSERT(!r->has_error || r->outcome == OUTCOME_REFUSED);
	FUZZ_ASSERT(!r->outcome_grounds || r->outcome_basis == BASIS_INFERRED);
	check_errorlog(c, r);
	FUZZ_ASSERT(r->browser.seen || (!r->browser.ns && !r->browser.retries));
	FUZZ_ASSERT(r->browser.ns == NO_NS || r->browser.ns == r->browser.waited_ns);
	/* An inferred redirect has no known target. */
	FUZZ_ASSERT(!r->redirect_host || r->outcome == OUTCOME_REDIRECTED);
	FUZZ_ASSERT(r->redirect_host || r->outcome != OUTCOME_REDIRECTED ||
		    r->outcome_basis == BASIS_INFERRED);
	if (!c->config.identities)
		FUZZ_ASSERT(!r->auth.user && !r->auth.domain && !r->auth.workstation);
	if (c->tell)
		c->tell->login(c->tell_ctx, r);
}

/* Unacknowledged bytes were sent, and waited no longer than the connection lasted. */
static void check_unacknowledged(const struct close_record *r)
{
	FUZZ_ASSERT(!r->unacknowledged.sent == !r->unacknowledged.bytes);
	if (!r->unacknowledged.sent)
		return;
	FUZZ_ASSERT(r->unacknowledged.side <= SIDE_SERVER);
	FUZZ_ASSERT(r->unacknowledged.bytes <= r->bytes[r->unacknowledged.side]);
	/* A silent connection is given up later than its last packet. */
	FUZZ_ASSERT(r->unacknowledged.ns == NO_NS || r->how == CLOSE_IDLE ||
		    r->unacknowledged.ns <= r->duration_ns);
}

static void checked_close_record(void *ctx, const struct close_record *r)
{
	struct checked *c = ctx;
	bool *has_login = checked_login(c, &r->client, &r->server, r->tunnel);

	c->closes++;
	if (has_login) {
		FUZZ_ASSERT(r->has_login == *has_login);
		*has_login = false;
	}
	side_name(r->by);
	close_how_name(r->how);
	phase_name(r->phase);
	outcome_name(r->login);
	FUZZ_ASSERT(r->mars_open <= r->mars_sessions);
	FUZZ_ASSERT(r->has_mars || !r->mars_sessions);
	FUZZ_ASSERT(!r->has_mars || r->mars_basis != BASIS_UNKNOWN);
	FUZZ_ASSERT(r->duration_ns == NO_NS || r->duration_ns <= r->time_ns || !r->time_ns);
	FUZZ_ASSERT(r->by == SIDE_NONE || r->by <= SIDE_SERVER);
	/* If one FIN was not captured, the other's ACK shows that it was not the first. */
	FUZZ_ASSERT(r->by == SIDE_NONE || r->how == CLOSE_FIN || r->how == CLOSE_RST);
	FUZZ_ASSERT(r->by != SIDE_NONE || r->how != CLOSE_RST);
	FUZZ_ASSERT(!r->graceful || r->by != SIDE_NONE);
	FUZZ_ASSERT((r->verdict.id == V_NONE) == !r->verdict.text);
	fuzz_text(verdict_name(r->verdict.id));
	fuzz_text(r->verdict.text);
	verdict_class_name(r->verdict.class);
	c->told += r->bytes[SIDE_CLIENT] + r->bytes[SIDE_SERVER];
	check_unacknowledged(r);
	if (c->tell)
		c->tell->close(c->tell_ctx, r);
}

static void checked_command_record(void *ctx, const struct command_record *r)
{
	struct checked *c = ctx;

	command_kind_name(r->kind);
	basis_name(r->basis);
	fuzz_text(r->sql);
	fuzz_text(r->procedure);
	FUZZ_ASSERT(r->sql_wanted == c->config.sql);
	FUZZ_ASSERT((c->config.sql && r->basis == BASIS_OBSERVED) ||
		    (!r->sql && !r->procedure && !r->sql_cut));
	FUZZ_ASSERT((r->total_ns != NO_NS) == (r->answered == 1));
	/*
	 * Encrypted requests have no kind, nor has a TDS 5 request whose first token was not read.
	 */
	FUZZ_ASSERT(r->basis != BASIS_INFERRED || r->kind == COMMAND_UNKNOWN ||
		    r->kind == COMMAND_ATTENTION);
	FUZZ_ASSERT(r->total_ns == NO_NS || r->first_byte_ns <= r->total_ns);
	/* No response takes that long: times that run backwards are left out. */
	FUZZ_ASSERT(r->total_ns == NO_NS || r->total_ns < 1ull << 63);
	FUZZ_ASSERT(r->first_byte_ns == NO_NS || r->first_byte_ns < 1ull << 63);
	FUZZ_ASSERT(r->cancelled >= -1 && r->cancelled <= 1);
	FUZZ_ASSERT(r->answered >= -1 && r->answered <= 1);
	FUZZ_ASSERT(r->session >= -1 && r->session <= UINT16_MAX);
	FUZZ_ASSERT(r->spid >= -1 && r->spid <= UINT16_MAX);
	if (c->tell)
		c->tell->command(c->tell_ctx, r);
}

static void checked_browser_record(void *ctx, const struct browser_record *r)
{
	struct checked *c = ctx;

	c->unanswered++;
	fuzz_text(r->instance);
	FUZZ_ASSERT(r->questions >= 1 && r->server.port == SSRP_PORT);
	if (c->tell)
		c->tell->browser(c->tell_ctx, r);
}

static void checked_pending_record(void *ctx, const struct pending_record *r)
{
	struct checked *c = ctx;

	FUZZ_ASSERT(r->phase < PHASE_SESSION && r->waits_on < SIDE_NONE);
	FUZZ_ASSERT(r->what && *r->what);
	FUZZ_ASSERT(r->ns >= 5000000000 && r->ns <= r->time_ns);
	if (c->tell)
		c->tell->pending(c->tell_ctx, r);
}

/* Reported as serving and as not serving in turn. */
static void checked_port(void *ctx, uint16_t port, bool serves)
{
	struct checked *c = ctx;

	FUZZ_ASSERT(port);
	FUZZ_ASSERT(port_set_has(&c->learned, port) != serves);
	c->learned.bits[port / 64] ^= 1ull << port % 64;
}

static void checked_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	(void)ctx, (void)key;
	FUZZ_ASSERT(client <= 1);
	FUZZ_ASSERT(level <= TAP_OVER);
}

/* Counters only grow, and agree with what was fed and reported. */
static void checked_stats(struct checked *c)
{
	const struct engine_stats *now = engine_stats(c->engine), *was = &c->before;

	FUZZ_ASSERT(now->segments + now->datagrams + c->others == c->segments);
	FUZZ_ASSERT(now->browser_unanswered <= now->browser_questions);
	FUZZ_ASSERT(now->browser_questions + now->browser_malformed <= now->datagrams);
	FUZZ_ASSERT(c->unanswered == now->browser_unanswered);
	FUZZ_ASSERT(now->logins == c->logins && now->closes == c->closes);
	FUZZ_ASSERT(now->ignored >= was->ignored && now->flows_evicted >= was->flows_evicted);
	FUZZ_ASSERT(now->buffer_evicted >= was->buffer_evicted);
	FUZZ_ASSERT(now->messages_refused >= was->messages_refused);
	FUZZ_ASSERT(now->missing_bytes >= was->missing_bytes);
	FUZZ_ASSERT(now->out_of_window >= was->out_of_window);
	FUZZ_ASSERT(now->duplicates >= was->duplicates && now->lost_sync >= was->lost_sync);
	/* Each byte counts once, and was sent or is reported missing. */
	FUZZ_ASSERT(c->heads || c->told <= c->payload + now->missing_bytes);
	FUZZ_ASSERT(!c->config.max_flows || now->flows <= c->config.max_flows);
	c->before = *now;
}

static void checked_begin(struct checked *c, const struct engine_config *config)
{
	static const struct engine_ops ops = {
		.login = checked_login_record,
		.close = checked_close_record,
		.command = checked_command_record,
		.browser = checked_browser_record,
		.pending = checked_pending_record,
		.port = checked_port,
		.tap = checked_tap,
	};

	memset(c, 0, sizeof(*c));
	port_set_add(&c->ports, 1433);
	port_set_add(&c->ports, 1434);
	c->config = *config;
	c->config.ports = &c->ports;
	c->engine = engine_new(&c->config, &ops, c);
	FUZZ_ASSERT(c->engine);
}

/* The server's error log has an entry about whoever ends a connection. */
static void checked_entry(struct checked *c, const struct seg *seg)
{
	static const int32_t numbers[] = {18456, 17830, 18452, 17806, 4060, 17884, 17189};
	struct errorlog_entry entry = {
		.time_ns = seg->ts_ns,
		.number = numbers[c->segments % (sizeof(numbers) / sizeof(numbers[0]))],
		.severity = 14,
		.state = (uint8_t)c->segments,
		.client = ERRORLOG_ADDRESS,
		.reason = c->segments & 1 ? "Why." : NULL,
		.user = "sa",
		.has_timers = c->segments & 2,
	};

	memcpy(entry.addr, c->segments & 4 ? seg->saddr : seg->daddr, sizeof(entry.addr));
	engine_errorlog(c->engine, &entry);
}

static void checked_segment(struct checked *c, const struct seg *seg, const uint8_t *payload)
{
	if (c->config.errorlog && seg->flags & (SEG_FIN | SEG_RST))
		checked_entry(c, seg);
	c->segments++;
	c->others += c->config.dependencies && seg->rec_flags & SEG_F_UDP &&
		     seg->sport != SSRP_PORT && seg->dport != SSRP_PORT;
	c->payload += seg->len;
	c->heads |= seg->rec_flags & SEG_F_HEADS;
	engine_segment(c->engine, seg, payload);
	checked_stats(c);
}

static void checked_end(struct checked *c)
{
	engine_finish(c->engine);
	checked_stats(c);
	FUZZ_ASSERT(!engine_stats(c->engine)->flows);
	/* Every login was closed. */
	for (uint32_t i = 0; i < c->count; i++)
		FUZZ_ASSERT(!c->connections[i].has_login);
	engine_free(c->engine);
}

#endif
