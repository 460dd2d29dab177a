// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * engine.c - the whole engine, fed segment by segment: what networks and taps do to a login, whose
 * records must still say the same; limits, time-outs and tap levels.
 */
#include "bytes.h"
#include "engine_fixture.h"

#define RECORDS_MAX 16
#define TEXT_MAX    128

/* The contents of a login record, with its texts. */
struct told {
	struct login_record r;
	char host[TEXT_MAX], user[TEXT_MAX], error[TEXT_MAX], version[TEXT_MAX];
};

struct test {
	WIRE;
	struct told logins[RECORDS_MAX];
	struct close_record closes[RECORDS_MAX];
	struct pending_record pending[RECORDS_MAX]; /* the first of pending_count */
	enum tap_level levels[RECORDS_MAX];
	uint32_t tunnels[RECORDS_MAX]; /* of the flows with these levels */
	uint32_t login_count, close_count, level_count, pending_count;
};

/* ---- records ---- */

static void keep(char to[TEXT_MAX], const char *text)
{
	snprintf(to, TEXT_MAX, "%s", text ? text : "(null)");
}

/* The times of every record add up. */
static void check_sums(const struct login_record *r)
{
	uint64_t steps = 0, phases = 0, waits = 0;

	for (size_t i = 0; i < r->step_count; i++)
		steps += r->steps[i].ns;
	for (int i = 0; i < PHASE_SESSION; i++)
		phases += r->phase_ns[i] == NO_NS ? 0 : r->phase_ns[i];
	for (int i = 0; i < SIDE_NONE; i++)
		waits += r->wait_ns[i];
	CHECK_INT(steps, r->total_ns);
	CHECK_INT(phases, r->total_ns);
	CHECK_INT(waits, r->total_ns);
}

static void on_login(void *ctx, const struct login_record *r)
{
	struct test *t = ctx;
	struct told *told = &t->logins[t->login_count];

	check_sums(r);
	if (t->login_count == RECORDS_MAX)
		return;
	t->login_count++;
	told->r = *r;
	keep(told->host, r->tds.host);
	keep(told->user, r->auth.user);
	keep(told->error, r->error.message);
	keep(told->version, r->tds.server_version);
}

static void on_close(void *ctx, const struct close_record *r)
{
	struct test *t = ctx;

	if (t->close_count < RECORDS_MAX)
		t->closes[t->close_count++] = *r;
}

static void on_pending(void *ctx, const struct pending_record *r)
{
	struct test *t = ctx;

	if (t->pending_count < RECORDS_MAX)
		t->pending[t->pending_count] = *r;
	t->pending_count++;
}

static void on_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	struct test *t = ctx;

	CHECK(client <= 1 && key->port[client]);
	if (t->level_count == RECORDS_MAX)
		return;
	t->tunnels[t->level_count] = key->tunnel;
	t->levels[t->level_count++] = level;
}

/* ---- the builder ---- */

static void begin_with(struct test *t, struct engine_config config)
{
	static const struct engine_ops ops = {
		.login = on_login, .close = on_close, .pending = on_pending, .tap = on_tap};

	memset(t, 0, sizeof(*t));
	wire_begin(&t->wire, config, &ops, t);
	t->ttl[CLIENT] = 64;
	t->ttl[SERVER] = 128;
}

static void begin(struct test *t)
{
	begin_with(t, (struct engine_config){.identities = true});
}

static void end(struct test *t)
{
	engine_finish(t->e);
	CHECK_INT(engine_stats(t->e)->flows, 0);
	CHECK_INT(engine_stats(t->e)->logins, t->login_count);
	CHECK_INT(engine_stats(t->e)->closes, t->close_count);
	engine_free(t->e);
}

static struct seg segment(const struct test *t, int side, uint8_t flags, uint32_t len)
{
	return wire_segment(&t->wire, side, flags, len);
}

static void send(struct test *t, int side, uint8_t flags, const void *data, uint32_t len,
		 uint64_t after)
{
	wire_send(&t->wire, side, flags, data, len, after);
}

static void data(struct test *t, int side, const void *bytes, uint32_t len, uint64_t after)
{
	send(t, side, SEG_ACK | SEG_PSH, bytes, len, after);
}

#define DATA(t, side, bytes, after) data(t, side, bytes, sizeof(bytes), after)

/* A piece of what a side sends, at an offset from its position, which stays. */
static void piece(struct test *t, int side, int32_t offset, const void *bytes, uint32_t len)
{
	struct seg seg;

	t->now += 10 * US;
	seg = segment(t, side, SEG_ACK | SEG_PSH, len);
	seg.seq += (uint32_t)offset;
	engine_segment(t->e, &seg, bytes);
}

/* A piece on another port, of a connection that the builder does not know. */
static void piece_on(struct test *t, int side, uint16_t port, const void *bytes, uint32_t len)
{
	struct seg seg;

	t->now += 10 * US;
	seg = segment(t, side, SEG_ACK | SEG_PSH, len);
	*(side == CLIENT ? &seg.dport : &seg.sport) = port;
	engine_segment(t->e, &seg, bytes);
}

/* 100 us to the server and back to us, 50 us to the client and back. */
static void handshake(struct test *t)
{
	wire_handshake(&t->wire, 0, 100 * US, 50 * US);
}

/* Examples 1 and 2 with encryption not supported: LOGIN7 is in clear. */
static const uint8_t *in_clear(const uint8_t *message, uint32_t len)
{
	static uint8_t changed[64];

	memcpy(changed, message, len);
	changed[8 + 0x20] = 2; /* ENCRYPTION */
	return changed;
}

#define REQUEST in_clear(prelogin_request, 47), 47
#define REPLY	in_clear(prelogin_reply, 43), 43

static void login_from_prelogin(struct test *t)
{
	data(t, CLIENT, REQUEST, MS);
	data(t, SERVER, REPLY, 2 * MS);
	DATA(t, CLIENT, login7_sql, 3 * MS);
	DATA(t, SERVER, login_success, 4 * MS);
}

static void login(struct test *t)
{
	handshake(t);
	login_from_prelogin(t);
}

static void fins(struct test *t, int first)
{
	wire_fins(&t->wire, first, MS, 200 * US, 200 * US);
}

/* One login, ok, with everything that examples 7 and 11 say. */
static void check_login(const struct test *t, uint32_t i)
{
	const struct told *told = &t->logins[i];

	CHECK(t->login_count > i);
	CHECK_INT(told->r.outcome, OUTCOME_OK);
	CHECK_INT(told->r.confidence, CONFIDENCE_CERTAIN);
	CHECK_INT(told->r.outcome_basis, BASIS_OBSERVED);
	CHECK_INT(told->r.auth.method, AUTH_SQL);
	CHECK_INT(told->r.encryption.effective, ENCRYPTION_NONE);
	CHECK_STR(told->host, "W1");
	CHECK_STR(told->user, "u1");
	CHECK_STR(told->version, "16.0.4135");
	CHECK_INT(told->r.tds.spid, 62);
	CHECK_INT(told->r.tds.packet_size, 8000);
	CHECK_INT(told->r.client.port, t->port);
	CHECK_INT(told->r.server.port, 1433);
}

static void idle(struct test *t, uint64_t ns)
{
	wire_idle(&t->wire, ns);
}

/* ---- one connection ---- */

UNIT_CASE(a_login_in_clear)
{
	const struct login_record *r;
	struct test t;

	begin(&t);
	login(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	r = &t.logins[0].r;
	CHECK_INT(r->start_ns, 1000 * S);
	CHECK_INT(r->total_ns, 150 * US + 10 * MS);
	CHECK_INT(r->end_ns, 1000 * S + 150 * US + 10 * MS);
	CHECK_INT(r->phase_ns[PHASE_TCP], 150 * US);
	CHECK_INT(r->phase_ns[PHASE_PRELOGIN], 3 * MS);
	CHECK_INT(r->phase_ns[PHASE_TLS], NO_NS);
	CHECK_INT(r->phase_ns[PHASE_LOGIN], 7 * MS);
	CHECK_INT(r->phase_ns[PHASE_AUTH], NO_NS);
	/* Each wait for a side is 100 or 50 us of network; the rest is that side's own. */
	CHECK_INT(r->wait_ns[SIDE_CLIENT], 4 * MS - 2 * 50 * US);
	CHECK_INT(r->wait_ns[SIDE_SERVER], 6 * MS - 2 * 100 * US);
	CHECK_INT(r->wait_ns[SIDE_NETWORK], 150 * US + 300 * US);
	CHECK(!r->mid_stream && !r->mars && !r->has_error && !r->redirect_host);
	fins(&t, CLIENT);
	CHECK_INT(t.close_count, 1);
	CHECK(t.closes[0].has_login && t.closes[0].graceful);
	CHECK_INT(t.closes[0].login, OUTCOME_OK);
	CHECK_INT(t.closes[0].by, SIDE_CLIENT);
	CHECK_INT(t.closes[0].how, CLOSE_FIN);
	CHECK_INT(t.closes[0].phase, PHASE_SESSION);
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
	CHECK_INT(t.closes[0].bytes[SERVER], 43 + 100);
	CHECK_INT(t.closes[0].duration_ns, 150 * US + 10 * MS + MS + 400 * US);
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.close_count, 1);
}

/*
 * The id of a_login_in_clear()'s connection, as OpenSSL's SipHash computes it. A packet that was
 * seen earlier but comes later does not change the id once it was reported.
 */
UNIT_CASE(a_connections_records_have_one_id)
{
	struct test t;
	struct seg late;

	begin(&t);
	login(&t);
	CHECK(t.logins[0].r.id == 0x9653f3f5136292a9);
	late = segment(&t, CLIENT, SEG_ACK, 0);
	late.ts_ns = 999 * S;
	engine_segment(t.e, &late, NULL);
	fins(&t, CLIENT);
	CHECK(t.closes[0].id == 0x9653f3f5136292a9);
	t.port++;
	login(&t);
	fins(&t, CLIENT);
	CHECK_INT(t.close_count, 2);
	CHECK(t.logins[1].r.id == t.closes[1].id && t.closes[1].id != t.closes[0].id);
	end(&t);
}

static void check_states(struct test *t, uint64_t in_login, uint64_t in_session, uint64_t over)
{
	const struct engine_stats *stats = engine_stats(t->e);

	CHECK_INT(stats->in_login, in_login);
	CHECK_INT(stats->in_session, in_session);
	CHECK_INT(stats->over, over);
}

UNIT_CASE(connections_are_counted_by_their_state)
{
	struct test t;

	begin(&t);
	check_states(&t, 0, 0, 0);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	check_states(&t, 1, 0, 0);
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	DATA(&t, SERVER, login_success, MS);
	check_states(&t, 0, 1, 0);
	fins(&t, CLIENT);
	check_states(&t, 0, 0, 1);
	end(&t);
}

UNIT_CASE(a_login_that_is_refused)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	DATA(&t, SERVER, login_failure, MS);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_REFUSED);
	CHECK_INT(t.logins[0].r.error.number, 18456);
	CHECK_STR(t.logins[0].error, "Login failed for user 'u1'.");
	end(&t);
}

UNIT_CASE(identities_are_not_told_unasked)
{
	struct test t;

	begin_with(&t, (struct engine_config){.identities = false});
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	DATA(&t, SERVER, login_failure, MS);
	CHECK_INT(t.login_count, 1);
	CHECK_STR(t.logins[0].user, "(null)");
	CHECK(!t.logins[0].r.auth.domain && !t.logins[0].r.auth.workstation);
	CHECK_STR(t.logins[0].error, "Login failed for user '<hidden>'.");
	end(&t);
}

UNIT_CASE(a_login_with_ntlm)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_ntlm, MS);
	DATA(&t, SERVER, ntlm_challenge, MS);
	DATA(&t, CLIENT, ntlm_authenticate, 2 * MS);
	DATA(&t, SERVER, login_success, 3 * MS);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_OK);
	CHECK_INT(t.logins[0].r.auth.method, AUTH_NTLM);
	CHECK_STR(t.logins[0].user, "u");
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_LOGIN], 2 * MS);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_AUTH], 5 * MS);
	end(&t);
}

/* ---- what TCP does to it ---- */

UNIT_CASE(sequence_numbers_that_wrap)
{
	/* at each byte of the first exchange */
	for (uint32_t before = 1; before < 60; before += 7) {
		struct test t;

		begin(&t);
		t.seq[CLIENT] = -before;
		t.seq[SERVER] = -before - 3;
		login(&t);
		CHECK_INT(t.login_count, 1);
		check_login(&t, 0);
		CHECK_INT(t.logins[0].r.tcp.missing_bytes, 0);
		CHECK_INT(t.logins[0].r.tcp.retransmits, 0);
		fins(&t, CLIENT);
		CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
		end(&t);
	}
}

UNIT_CASE(every_segment_twice)
{
	struct test t;

	begin(&t);
	handshake(&t);
	piece(&t, CLIENT, 0, REQUEST);
	data(&t, CLIENT, REQUEST, MS);
	piece(&t, SERVER, 0, REPLY);
	data(&t, SERVER, REPLY, MS);
	piece(&t, CLIENT, 0, login7_sql, 146);
	DATA(&t, CLIENT, login7_sql, MS);
	piece(&t, SERVER, 0, login_success, 100);
	DATA(&t, SERVER, login_success, MS);
	fins(&t, SERVER);
	end(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.tcp.retransmits, 3); /* the last came after the decision */
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
	CHECK_INT(t.closes[0].bytes[SERVER], 43 + 100);
}

UNIT_CASE(retransmission_at_other_boundaries)
{
	const uint8_t *request = in_clear(prelogin_request, 47);
	struct test t;

	for (uint32_t cut = 1; cut < 46; cut++) {
		begin(&t);
		handshake(&t);
		piece(&t, CLIENT, 0, request, cut);
		piece(&t, CLIENT, 0, request, cut + 1);
		piece(&t, CLIENT, (int32_t)cut / 2, request + cut / 2, 47 - cut / 2);
		t.seq[CLIENT] += 47;
		data(&t, SERVER, REPLY, MS);
		DATA(&t, CLIENT, login7_sql, MS);
		DATA(&t, SERVER, login_success, MS);
		CHECK_INT(t.login_count, 1);
		check_login(&t, 0);
		CHECK_INT(t.closes[0].bytes[CLIENT], 0);
		end(&t);
		CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
	}
}

UNIT_CASE(of_overlapping_bytes_the_first_count)
{
	uint8_t other[146];
	struct test t;

	memset(other, 0x58, sizeof(other)); /* "XX..." over the host name */
	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	piece(&t, CLIENT, 0, login7_sql, 110);
	piece(&t, CLIENT, 50, other, 60);
	piece(&t, CLIENT, 0, login7_sql, 146);
	t.seq[CLIENT] += 146;
	DATA(&t, SERVER, login_success, MS);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	end(&t);
}

UNIT_CASE(segments_out_of_order)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	piece(&t, CLIENT, 100, login7_sql + 100, 46);
	piece(&t, CLIENT, 40, login7_sql + 40, 60);
	CHECK_INT(t.login_count, 0);
	piece(&t, CLIENT, 0, login7_sql, 40);
	t.seq[CLIENT] += 146;
	DATA(&t, SERVER, login_success, MS);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.tcp.out_of_order, 2);
	CHECK_INT(t.logins[0].r.tcp.missing_bytes, 0);
	end(&t);
}

UNIT_CASE(the_answer_before_the_question)
{
	/* Two CPUs fill one buffer: an ACK comes before the bytes that it acknowledges. */
	struct test t;
	struct seg answer;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	t.seq[CLIENT] += 146;
	answer = segment(&t, SERVER, SEG_ACK | SEG_PSH, 100);
	answer.ts_ns += 5 * MS;
	engine_segment(t.e, &answer, login_success);
	t.seq[CLIENT] -= 146;
	CHECK_INT(t.login_count, 0);
	DATA(&t, CLIENT, login7_sql, MS);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_LOGIN], 5 * MS);
	end(&t);
}

UNIT_CASE(data_in_the_syn)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, REQUEST, 0);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, 100 * US);
	send(&t, CLIENT, SEG_ACK, NULL, 0, 50 * US);
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	DATA(&t, SERVER, login_success, MS);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	end(&t);
}

UNIT_CASE(a_missing_segment_leaves_nothing_to_claim)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	t.seq[CLIENT] += 146; /* never seen */
	DATA(&t, SERVER, login_success, MS);
	CHECK_INT(t.login_count, 0);
	engine_tick(t.e, t.now + S); /* it will not come any more */
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_INCOMPLETE);
	CHECK_INT(t.logins[0].r.tcp.missing_bytes, 146);
	CHECK_INT(t.logins[0].r.auth.method, AUTH_UNKNOWN);
	CHECK_INT(t.logins[0].r.confidence, CONFIDENCE_LOW);
	/* Phases that ended before the loss keep their times. */
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_PRELOGIN], 2 * MS);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_LOGIN], NO_NS);
}

UNIT_CASE(keep_alives_are_no_data)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	for (int i = 0; i < 3; i++) {
		piece(&t, CLIENT, -1, "", 1); /* one old byte, or none: RFC 9293 3.8.4 */
		piece(&t, CLIENT, -1, NULL, 0);
	}
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	DATA(&t, SERVER, login_success, MS);
	piece(&t, SERVER, -1, "", 1);
	end(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.tcp.retransmits, 0);
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
	CHECK_INT(t.closes[0].bytes[SERVER], 43 + 100);
}

UNIT_CASE(syn_sent_again_counts_from_the_first)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	t.seq[CLIENT]--;
	send(&t, CLIENT, SEG_SYN, NULL, 0, S);
	t.seq[CLIENT]--;
	send(&t, CLIENT, SEG_SYN, NULL, 0, 2 * S);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, 100 * US);
	send(&t, CLIENT, SEG_ACK, NULL, 0, 50 * US);
	login_from_prelogin(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.start_ns, 1000 * S);
	CHECK_INT(t.logins[0].r.tcp.syn_retransmits, 2);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_TCP], 3 * S + 150 * US);
	CHECK_INT(t.logins[0].r.total_ns, 3 * S + 150 * US + 10 * MS);
	end(&t);
}

UNIT_CASE(time_that_runs_backwards)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	t.now -= 500 * S;
	data(&t, SERVER, REPLY, MS);
	DATA(&t, CLIENT, login7_sql, MS);
	t.now += 500 * S;
	DATA(&t, SERVER, login_success, MS);
	end(&t);
	CHECK_INT(t.login_count, 1); /* its sums were checked */
	check_login(&t, 0);
	CHECK(t.logins[0].r.total_ns <= 2 * S);
	CHECK(t.closes[0].duration_ns <= 501 * S);
}

/* ---- how it ends ---- */

UNIT_CASE(fins_in_either_order)
{
	struct test t;

	begin(&t);
	login(&t);
	fins(&t, SERVER);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].by, SIDE_SERVER);
	CHECK_INT(t.closes[0].how, CLOSE_FIN);
	CHECK(!t.closes[0].graceful);
	/* Late packets find it closed. */
	send(&t, CLIENT, SEG_ACK | SEG_RST, NULL, 0, MS);
	piece(&t, SERVER, -10, "0123456789", 10);
	end(&t);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.login_count, 1);
}

UNIT_CASE(a_fin_before_its_data)
{
	struct test t;

	begin(&t);
	login(&t);
	t.seq[CLIENT] += 32;
	send(&t, CLIENT, SEG_ACK | SEG_FIN, NULL, 0, MS);
	CHECK_INT(t.close_count, 0);
	piece(&t, CLIENT, -33, batch_after_reset, 32);
	send(&t, SERVER, SEG_ACK | SEG_FIN, NULL, 0, MS);
	send(&t, CLIENT, SEG_ACK, NULL, 0, MS);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].commands[COMMAND_BATCH], 1);
	CHECK_INT(t.closes[0].reset_connections, 1);
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146 + 32);
	CHECK_INT(t.closes[0].how, CLOSE_FIN);
	end(&t);
}

UNIT_CASE(a_reset_by_the_server)
{
	struct test t;

	begin(&t);
	login(&t);
	send(&t, SERVER, SEG_ACK | SEG_RST, NULL, 0, MS);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].how, CLOSE_RST);
	CHECK_INT(t.closes[0].by, SIDE_SERVER);
	CHECK(!t.closes[0].graceful);
	end(&t);
}

UNIT_CASE(a_reset_that_is_not_where_the_stream_is)
{
	struct test t;
	struct seg seg;

	begin(&t);
	login(&t);
	seg = segment(&t, SERVER, SEG_RST, 0);
	seg.seq += 0x40000000;
	engine_segment(t.e, &seg, NULL);
	seg.seq = t.seq[SERVER] - 200; /* acknowledged long ago */
	send(&t, CLIENT, SEG_ACK, NULL, 0, MS);
	engine_segment(t.e, &seg, NULL);
	CHECK_INT(t.close_count, 0);
	CHECK_INT(engine_stats(t.e)->out_of_window, 2);
	DATA(&t, CLIENT, batch_after_reset, MS);
	fins(&t, CLIENT);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].how, CLOSE_FIN);
	CHECK_INT(t.closes[0].commands[COMMAND_BATCH], 1);
	end(&t);
}

UNIT_CASE(a_port_that_refuses)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	t.seq[SERVER] = 0;
	send(&t, SERVER, SEG_ACK | SEG_RST, NULL, 0, 100 * US);
	CHECK_INT(t.login_count, 0); /* Windows may still repeat its SYN */
	engine_tick(t.e, t.now + 500 * MS);
	CHECK_INT(t.login_count, 0);
	engine_tick(t.e, t.now + 1 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_REJECTED);
	CHECK_INT(t.logins[0].r.total_ns, 100 * US);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].how, CLOSE_RST);
	end(&t);
}

UNIT_CASE(a_syn_that_is_a_reset_too)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN | SEG_RST, NULL, 0, 0);
	engine_tick(t.e, t.now + 80 * S);
	end(&t);
	/* Whatever the verdict, a login record has its close record. */
	CHECK_INT(t.close_count, t.login_count);
}

UNIT_CASE(the_tap_lost_packets)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	engine_lost(t.e, t.now);
	engine_tick(t.e, t.now + 80 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_INCOMPLETE);
	CHECK_INT(t.logins[0].r.verdict.id, V_PACKETS_MISSING);
	/* Later messages are certain again, and so are those that were read completely. */
	t.port++;
	t.now += 200 * S;
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	engine_tick(t.e, t.now + 80 * S);
	CHECK_INT(t.logins[1].r.verdict.id, V_TIMED_OUT);
	CHECK_INT(t.logins[1].r.outcome, OUTCOME_TIMED_OUT);
	t.port++;
	t.now += 200 * S;
	handshake(&t);
	engine_lost(t.e, t.now);
	login_from_prelogin(&t);
	check_login(&t, 2);
	end(&t);
}

/* The ring buffer was full, and what it held was read after the loss was noticed. */
UNIT_CASE(the_tap_lost_packets_behind_those_that_it_held)
{
	struct test t;

	begin(&t);
	engine_lost(t.e, t.now + 2 * S);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	engine_tick(t.e, t.now + 80 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_INCOMPLETE);
	CHECK_INT(t.logins[0].r.verdict.id, V_PACKETS_MISSING);
	end(&t);
}

UNIT_CASE(what_is_not_tds)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, "GET / HTTP/1.1\r\n\r\n", 18, MS);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_NOT_TDS);
	CHECK_INT(t.levels[0], TAP_CLOSE);
	CHECK_INT(engine_stats(t.e)->lost_sync, 0); /* it never had it */
	fins(&t, SERVER);
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.close_count, 1);
}

/* ---- several connections ---- */

UNIT_CASE(a_port_used_again)
{
	struct test t;

	begin(&t);
	login(&t);
	fins(&t, CLIENT);
	t.seq[CLIENT] += 5000000;
	t.seq[SERVER] += 7000000;
	login(&t);
	/* and again, while it is open: its end was not seen */
	t.seq[CLIENT] += 5000000;
	t.seq[SERVER] += 7000000;
	t.now += S;
	login(&t);
	CHECK_INT(t.login_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		check_login(&t, i);
		CHECK_INT(t.logins[i].r.total_ns, 150 * US + 10 * MS);
	}
	CHECK_INT(t.close_count, 2);
	end(&t);
	CHECK_INT(t.close_count, 3);
	CHECK_INT(t.closes[2].how, CLOSE_OPEN);
	CHECK_INT(t.closes[1].bytes[CLIENT], 47 + 146);
}

UNIT_CASE(the_same_packet_on_two_interfaces)
{
	struct test t;
	struct seg seg;
	static const struct {
		int side;
		uint8_t flags;
		uint32_t len;
	} sequence[] = {
		{CLIENT, SEG_SYN, 0},		{SERVER, SEG_SYN | SEG_ACK, 0},
		{CLIENT, SEG_ACK, 0},		{CLIENT, SEG_ACK, 47},
		{SERVER, SEG_ACK, 43},		{CLIENT, SEG_ACK, 146},
		{SERVER, SEG_ACK, 100},		{CLIENT, SEG_ACK | SEG_FIN, 0},
		{SERVER, SEG_ACK | SEG_FIN, 0}, {CLIENT, SEG_ACK, 0},
	};

	begin(&t);
	for (size_t i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++) {
		const void *bytes = sequence[i].len == 47    ? in_clear(prelogin_request, 47)
				    : sequence[i].len == 43  ? in_clear(prelogin_reply, 43)
				    : sequence[i].len == 146 ? login7_sql
							     : login_success;

		seg = segment(&t, sequence[i].side, sequence[i].flags, sequence[i].len);
		seg.ifindex = 7;
		engine_segment(t.e, &seg, bytes);
		seg.ifindex = 8;
		seg.ts_ns += 2 * US;
		engine_segment(t.e, &seg, bytes);
		t.seq[sequence[i].side] +=
			sequence[i].len + !!(sequence[i].flags & (SEG_SYN | SEG_FIN));
		t.now += MS;
	}
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.ifindex, 7);
	CHECK_INT(t.logins[0].r.tcp.retransmits, 0);
	CHECK_INT(t.logins[0].r.tcp.syn_retransmits, 0);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146);
	CHECK_INT(t.closes[0].how, CLOSE_FIN);
	CHECK(engine_stats(t.e)->duplicates >= 9);
	end(&t);
	CHECK_INT(t.login_count, 1);
}

/*
 * A ring buffer that several CPUs fill may hold a retransmission after a later ACK of its sender:
 * its IP id is then lower than the last one, yet it is no copy.
 */
UNIT_CASE(a_retransmission_behind_a_later_ack)
{
	struct test t;
	struct seg again;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, MS);
	t.ip_id[CLIENT] = 100;
	send(&t, CLIENT, SEG_ACK, NULL, 0, MS);
	t.ip_id[CLIENT] = 101;
	DATA(&t, CLIENT, prelogin_request, MS);
	t.now += 5 * MS;
	again = segment(&t, CLIENT, SEG_ACK | SEG_PSH, sizeof(prelogin_request));
	again.seq -= sizeof(prelogin_request);
	again.ip_id = 102;
	t.ip_id[CLIENT] = 103;
	send(&t, CLIENT, SEG_ACK, NULL, 0, 0);
	engine_segment(t.e, &again, prelogin_request);
	CHECK_INT(engine_stats(t.e)->duplicates, 0);
	again.ip_id = 102; /* and now a copy */
	engine_segment(t.e, &again, prelogin_request);
	CHECK_INT(engine_stats(t.e)->duplicates, 1);
	end(&t);
	CHECK_INT(t.logins[0].r.tcp.retransmits, 1);
}

/* The tap may forward a stored SYN and SYN+ACK twice: no packet was seen twice, then. */
UNIT_CASE(a_handshake_that_two_cpus_forward)
{
	for (int live = 0; live < 2; live++) {
		struct test t;
		struct seg syn, syn_ack;

		begin_with(&t, (struct engine_config){.reorder_ns = live ? 0 : UINT64_MAX,
						      .identities = true});
		syn = segment(&t, CLIENT, SEG_SYN, 0);
		send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
		t.now += MS;
		syn_ack = segment(&t, SERVER, SEG_SYN | SEG_ACK, 0);
		send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, 0);
		engine_segment(t.e, &syn, NULL);
		engine_segment(t.e, &syn_ack, NULL);
		send(&t, CLIENT, SEG_ACK, NULL, 0, MS);
		CHECK_INT(engine_stats(t.e)->duplicates, live ? 0 : 2);
		end(&t);
		CHECK_INT(t.logins[0].r.tcp.syn_retransmits, 0);
	}
}

UNIT_CASE(a_connection_over_two_interfaces)
{
	struct test t;

	/* A bond: no packet comes twice, each by either interface. */
	begin(&t);
	t.ifindex = 7;
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, 100 * US);
	t.ifindex = 8;
	send(&t, CLIENT, SEG_ACK, NULL, 0, 50 * US);
	login_from_prelogin(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_TCP], 150 * US);
	end(&t);
}

UNIT_CASE(no_more_flows_than_there_is_room_for)
{
	struct test t;

	begin_with(&t, (struct engine_config){.max_flows = 2});
	for (uint16_t i = 0; i < 5; i++) {
		t.port = (uint16_t)(50000 + i);
		handshake(&t);
		data(&t, CLIENT, REQUEST, MS);
		CHECK(engine_stats(t.e)->flows <= 2);
	}
	CHECK_INT(engine_stats(t.e)->flows_evicted, 3);
	CHECK_INT(t.login_count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_INT(t.logins[i].r.outcome, OUTCOME_INCOMPLETE);
		CHECK_INT(t.logins[i].r.client.port, 50000 + i); /* the oldest first */
		CHECK_INT(t.closes[i].how, CLOSE_EVICTED);
		CHECK(t.closes[i].has_login);
	}
	end(&t);
	CHECK_INT(t.login_count, 5);
	CHECK_INT(t.close_count, 5);
}

/* A flood of handshakes does not evict a login with a slow server, nor idle sessions. */
UNIT_CASE(half_open_connections_make_room_for_logins)
{
	struct test t;
	uint32_t seq[2];

	begin_with(&t, (struct engine_config){.max_flows = 4, .identities = true});
	login(&t); /* a session */
	t.port = 50001;
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	memcpy(seq, t.seq, sizeof(seq));
	for (uint16_t i = 0; i < 10; i++) {
		t.port = (uint16_t)(51000 + i);
		send(&t, CLIENT, SEG_SYN, NULL, 0, MS);
		send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, MS);
	}
	CHECK_INT(engine_stats(t.e)->in_session, 1);
	CHECK_INT(engine_stats(t.e)->in_login, 3);
	CHECK_INT(engine_stats(t.e)->flows_evicted, 8);
	memcpy(t.seq, seq, sizeof(seq));
	t.port = 50001;
	data(&t, SERVER, REPLY, 2 * MS);
	DATA(&t, CLIENT, login7_sql, 3 * MS);
	DATA(&t, SERVER, login_success, 4 * MS);
	CHECK_INT(t.login_count, 1 + 8 + 1);
	check_login(&t, 9);
	end(&t);
}

/* Sessions are evicted before logins. */
UNIT_CASE(sessions_make_room_for_logins)
{
	struct test t;

	begin_with(&t, (struct engine_config){.max_flows = 3});
	t.port = 50001;
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	for (uint16_t i = 0; i < 4; i++) {
		t.port = (uint16_t)(51000 + i);
		login(&t);
	}
	CHECK_INT(engine_stats(t.e)->flows_evicted, 2);
	CHECK_INT(engine_stats(t.e)->in_login, 1);
	CHECK_INT(t.closes[0].client.port, 51000);
	CHECK_INT(t.closes[1].client.port, 51001);
	end(&t);
}

/* MARS sessions are distinguished, whatever their numbers have in common: MC-SMP 2.2.1. */
UNIT_CASE(many_mars_sessions)
{
	uint8_t packet[16] = {0x53, 1, [4] = 16};
	struct test t;

	begin(&t);
	login(&t);
	for (uint32_t n = 0; n < 3 * 4096; n++) {
		uint32_t sid = n % 4096 * 16; /* the last four bits are 0 */

		packet[1] = n < 4096 ? 1 : n < 8192 ? 2 : 4; /* SYN, ACK, FIN */
		packet[2] = (uint8_t)sid;
		packet[3] = (uint8_t)(sid >> 8);
		data(&t, CLIENT, packet, sizeof(packet), US);
	}
	packet[2] = 1; /* one more than there is room for */
	packet[1] = 1;
	data(&t, CLIENT, packet, sizeof(packet), US);
	end(&t);
	CHECK_INT(t.close_count, 1);
	CHECK(t.closes[0].has_mars);
	CHECK_INT(t.closes[0].mars_sessions, 4096);
	CHECK_INT(t.closes[0].mars_open, 4096);
}

/* No record depends on the seed of the hash tables. */
UNIT_CASE(records_do_not_depend_on_the_seed)
{
	static const uint64_t seeds[3][2] = {{0, 0}, {1, 2}, {~0ull, 0x8000000000000000ull}};
	struct told logins[3][RECORDS_MAX];
	struct test t;

	memset(logins, 0, sizeof(logins));
	for (int n = 0; n < 3; n++) {
		begin_with(&t, (struct engine_config){.max_flows = 4,
						      .seed = {seeds[n][0], seeds[n][1]}});
		for (uint16_t i = 0; i < 6; i++) {
			t.port = (uint16_t)(50000 + 7 * i);
			login(&t);
			if (i & 1)
				fins(&t, CLIENT);
		}
		end(&t);
		CHECK_INT(t.login_count, 6);
		CHECK_INT(t.close_count, 6);
		for (uint32_t i = 0; i < t.login_count; i++) {
			CHECK_INT(t.logins[i].r.client.port, 50000 + 7 * i);
			CHECK_INT(t.logins[i].r.id, n ? logins[0][i].r.id : t.logins[i].r.id);
			CHECK_INT(t.logins[i].r.total_ns, 10 * MS + 150 * US);
			logins[n][i] = t.logins[i];
		}
	}
}

UNIT_CASE(what_is_closed_makes_room_first)
{
	struct test t;

	begin_with(&t, (struct engine_config){.max_flows = 2, .identities = true});
	login(&t);
	t.port++;
	login(&t);
	fins(&t, CLIENT);
	t.port++;
	login(&t);
	CHECK_INT(engine_stats(t.e)->flows_evicted, 0);
	CHECK_INT(t.login_count, 3);
	CHECK_INT(t.close_count, 1);
	end(&t);
}

/* The same addresses and ports in another tunnel belong to another connection. */
UNIT_CASE(connections_in_tunnels)
{
	static const uint32_t tunnels[] = {0, 0x0100002a, 0x0100002b, 0x0200002a};
	uint32_t seqs[4];
	struct test t;

	begin(&t);
	for (int i = 0; i < 4; i++) {
		t.tunnel = tunnels[i];
		login(&t);
		seqs[i] = t.seq[CLIENT];
	}
	CHECK_INT(engine_stats(t.e)->flows, 4);
	CHECK_INT(t.close_count, 0);
	CHECK_INT(t.level_count, 4);
	for (uint32_t i = 4; i > 0; i--) {
		t.tunnel = tunnels[i - 1];
		t.seq[CLIENT] = seqs[i - 1];
		send(&t, CLIENT, SEG_RST, NULL, 0, MS);
		engine_tick(t.e, t.now += S);
		CHECK_INT(t.close_count, 5 - i);
		CHECK_INT(t.closes[4 - i].tunnel, tunnels[i - 1]);
		CHECK_INT(t.closes[4 - i].id, t.logins[i - 1].r.id);
	}
	end(&t);
	CHECK_INT(t.login_count, 4);
	for (int i = 0; i < 4; i++) {
		CHECK_INT(t.logins[i].r.outcome, OUTCOME_OK);
		CHECK_INT(t.logins[i].r.tunnel, tunnels[i]);
		CHECK_INT(t.tunnels[i], tunnels[i]);
		CHECK(!i || t.logins[i].r.id != t.logins[0].r.id);
	}
}

UNIT_CASE(no_more_bytes_held_than_allowed)
{
	static const uint8_t bytes[1000];
	struct test t;

	begin_with(&t, (struct engine_config){.max_buffer = 10000});
	for (uint16_t c = 0; c < 4; c++) {
		t.port = (uint16_t)(50000 + c);
		handshake(&t);
		for (int32_t i = 0; i < 8; i++)
			piece(&t, CLIENT, 100 + 1000 * i, bytes, sizeof(bytes));
	}
	CHECK(engine_stats(t.e)->buffer_evicted >= 1);
	end(&t);
	CHECK_INT(t.login_count, 4);
	for (uint32_t i = 0; i < 4; i++)
		CHECK_INT(t.logins[i].r.outcome, OUTCOME_INCOMPLETE);
}

UNIT_CASE(ports_that_are_not_ours)
{
	struct test t;
	struct seg seg;

	begin(&t);
	seg = segment(&t, CLIENT, SEG_SYN, 0);
	seg.dport = 80;
	engine_segment(t.e, &seg, NULL);
	CHECK_INT(engine_stats(t.e)->ignored, 1);
	CHECK_INT(engine_stats(t.e)->flows, 0);
	end(&t);
	CHECK_INT(t.login_count + t.close_count, 0);
}

/* A login to port 5000; `first` in place of its PRELOGIN. */
static void on_any_port(struct test *t, const void *first, uint32_t len)
{
	begin_with(t, (struct engine_config){.any_port = true});
	for (int i = 0; i < 4; i++) {
		int side = i == 1;
		uint8_t flags = i == 0 ? SEG_SYN : i == 1 ? SEG_SYN | SEG_ACK : SEG_ACK;
		struct seg seg = segment(t, side, flags, i == 3 ? len : 0);

		*(side ? &seg.sport : &seg.dport) = 5000;
		engine_segment(t->e, &seg, first);
		t->seq[side] += i < 2;
		t->now += MS;
	}
}

UNIT_CASE(tds_is_recognised_on_any_port)
{
	struct test t;

	on_any_port(&t, prelogin_request, 47);
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.server.port, 5000);
	on_any_port(&t, tls_hello_strict, 93);
	end(&t);
	CHECK_INT(t.login_count, 1);
	on_any_port(&t, "GET / HTTP/1.1\r\n\r\n", 18);
	CHECK_INT(t.levels[0], TAP_CLOSE);
	end(&t);
	CHECK_INT(t.login_count + t.close_count, 0);
}

/*
 * A dismissed connection stays dismissed, long after the engine forgot it: TLS later on, or
 * garbage.
 */
UNIT_CASE(what_was_dismissed_is_not_taken_up_again)
{
	static const uint8_t tls_data[] = {0x17, 3, 3, 0, 3, 1, 2, 3};
	struct test t;

	on_any_port(&t, "GET / HTTP/1.1\r\n\r\n", 18);
	for (int i = 0; i < 4; i++) {
		t.now += 300 * S;
		engine_tick(t.e, t.now);
		CHECK_INT(engine_stats(t.e)->flows, 0);
		piece_on(&t, CLIENT, 5000, tls_data, sizeof(tls_data));
		piece_on(&t, SERVER, 5000, tls_data, sizeof(tls_data));
		piece_on(&t, CLIENT, 5000, "POST / HTTP/1.1\r\n\r\n", 19);
		piece_on(&t, SERVER, 5000, "\4\1\0\x10garbage", 12);
		CHECK_INT(engine_stats(t.e)->flows, 0);
	}
	CHECK_INT(engine_stats(t.e)->lost_sync, 0);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	end(&t);
	CHECK_INT(t.login_count + t.close_count, 0);
}

/* TDS on an unwatched port is remembered until a watched port sees a login. */
UNIT_CASE(ports_that_should_be_watched)
{
	uint16_t ports[ENGINE_STRANGERS];
	struct test t;

	begin(&t);
	for (uint16_t port = 5000; port < 5020; port++) {
		piece_on(&t, CLIENT, port, "GET / HTTP/1.1\r\n\r\n", 18);
		CHECK_INT(engine_strangers(t.e, ports), port == 5000  ? 0
							: port < 5008 ? port - 5000
								      : 8);
		piece_on(&t, CLIENT, port, REQUEST);
		piece_on(&t, SERVER, port, REPLY);
	}
	CHECK_INT(engine_strangers(t.e, ports), 8);
	for (uint16_t i = 0; i < 8; i++)
		CHECK_INT(ports[i], 5000 + i);
	end(&t);
	begin(&t);
	login(&t);
	piece_on(&t, CLIENT, 5000, REQUEST);
	CHECK_INT(engine_strangers(t.e, ports), 0);
	end(&t);
}

/* ---- time ---- */

UNIT_CASE(a_silent_login_is_given_up)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	engine_tick(t.e, t.now + 74 * S);
	CHECK_INT(t.login_count, 0);
	engine_tick(t.e, t.now + 76 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_TIMED_OUT);
	CHECK_INT(t.close_count, 0); /* the connection still exists */
	/* It goes on after all: its only login was reported. */
	t.now += 80 * S;
	data(&t, SERVER, REPLY, MS);
	fins(&t, CLIENT);
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.close_count, 1);
	CHECK(t.closes[0].has_login);
	CHECK_INT(t.closes[0].login, OUTCOME_TIMED_OUT);
}

UNIT_CASE(a_syn_without_an_answer)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	engine_tick(t.e, t.now + 76 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_UNANSWERED);
	end(&t);
	CHECK_INT(t.close_count, 1);
}

UNIT_CASE(an_idle_session_is_forgotten)
{
	struct test t;

	begin_with(&t, (struct engine_config){.idle_ns = 100 * S});
	login(&t);
	engine_tick(t.e, t.now + 99 * S);
	CHECK_INT(t.close_count, 0);
	engine_tick(t.e, t.now + 101 * S);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].how, CLOSE_IDLE);
	CHECK_INT(t.closes[0].by, SIDE_NONE);
	engine_tick(t.e, t.now + 200 * S);
	CHECK_INT(engine_stats(t.e)->flows, 0);
	end(&t);
}

UNIT_CASE(time_is_not_turned_back_by_a_tick)
{
	struct test t;

	begin(&t);
	login(&t);
	engine_tick(t.e, 1);
	engine_tick(t.e, 0);
	fins(&t, CLIENT);
	CHECK_INT(t.close_count, 1);
	end(&t);
}

/* ---- logins that wait ---- */

/* Reported after so long, and at most 750 ms later, because the clock ticks coarsely. */
static void check_pending(const struct test *t, uint32_t i, uint64_t ns, enum phase phase,
			  enum side waits_on, const char *what)
{
	const struct pending_record *r = &t->pending[i];

	CHECK(t->pending_count > i);
	CHECK(r->ns >= ns && r->ns < ns + 750 * MS);
	CHECK_INT(r->phase, phase);
	CHECK_INT(r->waits_on, waits_on);
	CHECK_STR(r->what, what);
	CHECK_INT(r->client.port, t->port);
	CHECK_INT(r->server.port, 1433);
}

UNIT_CASE(a_login_that_waits_is_reported_while_it_waits)
{
	static const uint64_t marks[] = {5 * S, 15 * S, 30 * S, 60 * S};
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, 2 * MS);
	DATA(&t, CLIENT, login7_sql, 3 * MS);
	idle(&t, 70 * S);
	CHECK_INT(t.pending_count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		check_pending(&t, i, marks[i], PHASE_LOGIN, SIDE_SERVER, "the answer to LOGIN7");
		CHECK(t.pending[i].id == t.pending[0].id);
		CHECK_INT(t.pending[i].start_ns, 1000 * S);
		CHECK_INT(t.pending[i].time_ns - t.pending[i].ns, 1000 * S + 150 * US + 6 * MS);
	}
	DATA(&t, SERVER, login_success, 0);
	CHECK_INT(t.login_count, 1);
	CHECK(t.logins[0].r.id == t.pending[0].id);
	idle(&t, 100 * S);
	CHECK_INT(t.pending_count, 4);
	end(&t);
}

/* Each message begins another wait, whichever side is waited for then. */
UNIT_CASE(each_wait_has_its_own_marks)
{
	struct test t;

	begin(&t);
	handshake(&t);
	idle(&t, 6 * S);
	check_pending(&t, 0, 5 * S, PHASE_PRELOGIN, SIDE_CLIENT, "PRELOGIN");
	data(&t, CLIENT, REQUEST, 0);
	idle(&t, 4 * S);
	data(&t, SERVER, REPLY, 0);
	idle(&t, 4500 * MS);
	CHECK_INT(t.pending_count, 1);
	idle(&t, 1500 * MS);
	CHECK_INT(t.pending_count, 2);
	check_pending(&t, 1, 5 * S, PHASE_LOGIN, SIDE_CLIENT, "LOGIN7");
	DATA(&t, CLIENT, login7_sql, 0);
	idle(&t, 16 * S);
	CHECK_INT(t.pending_count, 4);
	check_pending(&t, 2, 5 * S, PHASE_LOGIN, SIDE_SERVER, "the answer to LOGIN7");
	check_pending(&t, 3, 15 * S, PHASE_LOGIN, SIDE_SERVER, "the answer to LOGIN7");
	end(&t);
}

/*
 * A packet with nothing new is not a message: the wait goes on. A request that is retransmitted
 * without an ACK waits for the path, with one for the server.
 */
UNIT_CASE(what_is_sent_again_does_not_begin_another_wait)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	for (int i = 0; i < 12; i++) {
		idle(&t, 500 * MS);
		piece(&t, CLIENT, -47, in_clear(prelogin_request, 47), 47);
	}
	CHECK_INT(t.pending_count, 1);
	check_pending(&t, 0, 5 * S, PHASE_PRELOGIN, SIDE_NETWORK,
		      "the server's ACK of what the client sends again and again");
	send(&t, SERVER, SEG_ACK, NULL, 0, 0);
	idle(&t, 10 * S);
	CHECK_INT(t.pending_count, 2);
	check_pending(&t, 1, 15 * S, PHASE_PRELOGIN, SIDE_SERVER, "the PRELOGIN response");
	end(&t);
}

/* SYNs from one client port after the other, or again. */
static void syns(struct test *t, int count)
{
	for (int i = 0; i < count; i++) {
		send(t, CLIENT, SEG_SYN, NULL, 0, 0);
		t->seq[CLIENT]--;
		t->port++;
	}
	t->port = (uint16_t)(t->port - count);
}

UNIT_CASE(a_flood_of_syns_makes_no_pending_records)
{
	struct test t;

	begin(&t);
	syns(&t, 1000);
	idle(&t, 6 * S);
	CHECK_INT(t.pending_count, 0);
	CHECK_INT(engine_stats(t.e)->pending_suppressed, 0);
	engine_free(t.e);
}

/* A client that wants to connect repeats its SYN; of many, four are reported. */
UNIT_CASE(a_syn_that_is_repeated_waits_on_the_network)
{
	struct test t;

	begin(&t);
	syns(&t, 200);
	t.now += S;
	syns(&t, 200);
	idle(&t, 5 * S);
	CHECK_INT(t.pending_count, 4);
	check_pending(&t, 0, 5 * S, PHASE_TCP, SIDE_NETWORK, "the TCP handshake");
	CHECK_INT(engine_stats(t.e)->pending_suppressed, 196);
	engine_free(t.e);
}

/* A server that hangs: of its fifty logins in a second, most are only counted. */
UNIT_CASE(an_outage_makes_a_bounded_number_of_pending_records)
{
	struct test t;

	begin(&t);
	for (int i = 0; i < 500; i++) {
		handshake(&t);
		data(&t, CLIENT, REQUEST, 0);
		t.port++;
	}
	idle(&t, 6 * S);
	CHECK_INT(t.pending_count + engine_stats(t.e)->pending_suppressed, 500);
	CHECK(t.pending_count >= 50 && t.pending_count <= 100);
	engine_free(t.e);
}

static void count_one(void *ctx, const struct pending_record *r)
{
	uint32_t *count = ctx;

	(*count)++;
	CHECK(r->time_ns >= r->start_ns && r->what && *r->what);
}

static uint32_t in_progress(const struct test *t)
{
	uint32_t count = 0;

	engine_in_progress(t->e, count_one, &count);
	return count;
}

UNIT_CASE(logins_in_progress)
{
	struct test t;

	begin(&t);
	send(&t, CLIENT, SEG_SYN, NULL, 0, 0);
	CHECK_INT(in_progress(&t), 0);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, 100 * US);
	send(&t, CLIENT, SEG_ACK, NULL, 0, 50 * US);
	CHECK_INT(in_progress(&t), 1);
	t.port++;
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	CHECK_INT(in_progress(&t), 2);
	data(&t, SERVER, REPLY, 2 * MS);
	DATA(&t, CLIENT, login7_sql, 3 * MS);
	DATA(&t, SERVER, login_success, 4 * MS);
	CHECK_INT(in_progress(&t), 1);
	/* The middle of a connection: it may have logged in long ago. */
	t.port++;
	send(&t, CLIENT, SEG_ACK, NULL, 0, 0);
	send(&t, SERVER, SEG_ACK, NULL, 0, 0);
	CHECK_INT(in_progress(&t), 1);
	idle(&t, 6 * S);
	CHECK_INT(t.pending_count, 1);
	CHECK_INT(in_progress(&t), 1);
	engine_free(t.e);
}

/* ---- joined in the middle ---- */

UNIT_CASE(joined_at_a_command)
{
	struct test t;

	begin(&t);
	DATA(&t, CLIENT, batch_after_reset, MS);
	DATA(&t, SERVER, login_failure, MS); /* any answer: it is not a login's */
	fins(&t, CLIENT);
	end(&t);
	CHECK_INT(t.login_count, 0);
	CHECK_INT(t.close_count, 1);
	CHECK(!t.closes[0].has_login);
	CHECK_INT(t.closes[0].commands[COMMAND_BATCH], 1);
	CHECK_INT(t.levels[0], TAP_HEADS);
}

UNIT_CASE(joined_at_prelogin)
{
	struct test t;

	begin(&t);
	t.seq[CLIENT]++;
	t.seq[SERVER]++;
	login_from_prelogin(&t);
	engine_tick(t.e, t.now + S);
	fins(&t, CLIENT);
	end(&t);
	CHECK_INT(t.login_count, 1);
	check_login(&t, 0);
	CHECK(t.logins[0].r.mid_stream);
	CHECK_INT(t.logins[0].r.phase_ns[PHASE_TCP], NO_NS);
}

/* ---- what the tap must forward ---- */

UNIT_CASE(joined_at_the_end)
{
	struct test t;

	begin(&t);
	fins(&t, CLIENT);
	end(&t);
	CHECK_INT(t.login_count, 0);
	CHECK_INT(t.close_count, 0);
}

/* A SYN may carry data. If it begins the next connection, the data are not kept. */
UNIT_CASE(data_in_a_doubtful_syn)
{
	struct test t;

	begin(&t);
	login(&t);
	t.seq[CLIENT] += 1000000;
	send(&t, CLIENT, SEG_SYN, "anything", 8, MS);
	send(&t, SERVER, SEG_SYN | SEG_ACK, NULL, 0, MS);
	send(&t, CLIENT, SEG_ACK, NULL, 0, MS);
	end(&t);
	CHECK_INT(t.login_count, 2);
	CHECK_INT(t.close_count, 2);
	CHECK_INT(t.closes[1].bytes[CLIENT], 8);
}

UNIT_CASE(tap_levels)
{
	struct test t;

	begin(&t);
	login(&t);
	CHECK_INT(t.level_count, 1);
	CHECK_INT(t.levels[0], TAP_HEADS);
	fins(&t, CLIENT);
	CHECK_INT(t.level_count, 2);
	CHECK_INT(t.levels[1], TAP_OVER);
	end(&t);
}

/* Nothing is stated about what the kernel cannot follow. */
UNIT_CASE(tap_levels_without_payload)
{
	struct test t;

	begin(&t);
	handshake(&t);
	send(&t, CLIENT, SEG_ACK | SEG_RST, NULL, 0, MS);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.level_count, 0);
	end(&t);
}

UNIT_CASE(what_the_kernel_kept_back_is_not_missing)
{
	struct test t;
	struct seg seg;

	begin(&t);
	login(&t);
	/* The head of a batch of 1000 bytes; then, 992 bytes later, an attention. */
	seg = segment(&t, CLIENT, SEG_ACK, 8);
	seg.rec_flags = SEG_F_HEADS;
	engine_segment(t.e, &seg, (const uint8_t *)"\1\1\3\xe8\0\0\1\0");
	seg.seq += 1000;
	engine_segment(t.e, &seg, (const uint8_t *)"\6\1\0\10\0\0\1\0");
	t.seq[CLIENT] += 1008;
	fins(&t, CLIENT);
	end(&t);
	CHECK_INT(t.close_count, 1);
	CHECK_INT(t.closes[0].commands[COMMAND_BATCH], 1);
	CHECK_INT(t.closes[0].commands[COMMAND_ATTENTION], 1);
	CHECK_INT(t.closes[0].bytes[CLIENT], 47 + 146 + 1008);
}

UNIT_CASE(payload_cut_by_the_capture)
{
	struct test t;
	struct seg seg;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, MS);
	data(&t, SERVER, REPLY, MS);
	seg = segment(&t, CLIENT, SEG_ACK, 146);
	seg.cap_len = 60; /* to the middle of the table of fields */
	seg.rec_flags = SEG_F_TRUNC;
	engine_segment(t.e, &seg, login7_sql);
	t.seq[CLIENT] += 146;
	DATA(&t, SERVER, login_success, MS);
	end(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.tcp.missing_bytes, 0);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_OK);
	CHECK_INT(t.logins[0].r.auth.method, AUTH_UNKNOWN);
	CHECK_STR(t.logins[0].version, "16.0.4135");
}

/* The ring buffer lost an end and a beginning: neither connection lacks anything. */
UNIT_CASE(ports_used_again_unseen)
{
	struct test t;

	begin(&t);
	handshake(&t);
	data(&t, CLIENT, REQUEST, US);
	data(&t, SERVER, REPLY, US);
	t.seq[CLIENT] += 600u << 20;
	t.seq[SERVER] += 700u << 20;
	data(&t, CLIENT, REQUEST, S);
	data(&t, SERVER, REPLY, US);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	CHECK_INT(engine_stats(t.e)->out_of_window, 0);
	CHECK_INT(t.close_count, 1);
	end(&t);
	CHECK_INT(t.close_count, 2);
}

int main(void)
{
	RUN(a_login_in_clear);
	RUN(a_connections_records_have_one_id);
	RUN(connections_are_counted_by_their_state);
	RUN(a_login_that_is_refused);
	RUN(identities_are_not_told_unasked);
	RUN(a_login_with_ntlm);
	RUN(sequence_numbers_that_wrap);
	RUN(every_segment_twice);
	RUN(retransmission_at_other_boundaries);
	RUN(of_overlapping_bytes_the_first_count);
	RUN(segments_out_of_order);
	RUN(the_answer_before_the_question);
	RUN(data_in_the_syn);
	RUN(a_missing_segment_leaves_nothing_to_claim);
	RUN(keep_alives_are_no_data);
	RUN(syn_sent_again_counts_from_the_first);
	RUN(time_that_runs_backwards);
	RUN(fins_in_either_order);
	RUN(a_fin_before_its_data);
	RUN(a_reset_by_the_server);
	RUN(a_reset_that_is_not_where_the_stream_is);
	RUN(a_port_that_refuses);
	RUN(a_syn_that_is_a_reset_too);
	RUN(the_tap_lost_packets);
	RUN(the_tap_lost_packets_behind_those_that_it_held);
	RUN(what_is_not_tds);
	RUN(a_port_used_again);
	RUN(the_same_packet_on_two_interfaces);
	RUN(a_retransmission_behind_a_later_ack);
	RUN(a_handshake_that_two_cpus_forward);
	RUN(a_connection_over_two_interfaces);
	RUN(no_more_flows_than_there_is_room_for);
	RUN(half_open_connections_make_room_for_logins);
	RUN(sessions_make_room_for_logins);
	RUN(many_mars_sessions);
	RUN(records_do_not_depend_on_the_seed);
	RUN(what_is_closed_makes_room_first);
	RUN(connections_in_tunnels);
	RUN(no_more_bytes_held_than_allowed);
	RUN(ports_that_are_not_ours);
	RUN(tds_is_recognised_on_any_port);
	RUN(what_was_dismissed_is_not_taken_up_again);
	RUN(ports_that_should_be_watched);
	RUN(a_silent_login_is_given_up);
	RUN(a_syn_without_an_answer);
	RUN(an_idle_session_is_forgotten);
	RUN(time_is_not_turned_back_by_a_tick);
	RUN(joined_at_a_command);
	RUN(joined_at_prelogin);
	RUN(data_in_a_doubtful_syn);
	RUN(joined_at_the_end);
	RUN(tap_levels);
	RUN(tap_levels_without_payload);
	RUN(what_the_kernel_kept_back_is_not_missing);
	RUN(payload_cut_by_the_capture);
	RUN(a_login_that_waits_is_reported_while_it_waits);
	RUN(each_wait_has_its_own_marks);
	RUN(what_is_sent_again_does_not_begin_another_wait);
	RUN(a_flood_of_syns_makes_no_pending_records);
	RUN(a_syn_that_is_repeated_waits_on_the_network);
	RUN(an_outage_makes_a_bounded_number_of_pending_records);
	RUN(logins_in_progress);
	RUN(ports_used_again_unseen);
	return unit_status();
}
