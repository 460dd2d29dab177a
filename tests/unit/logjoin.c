// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * logjoin.c - entries of the server's error log and the logins that they are about: which entry is
 * joined to which login, how long a login waits for its entry, and what the record then says.
 */
#include <stdlib.h>

#include "bytes.h"
#include "engine_fixture.h"

#define RECORDS_MAX 64
#define GCM	    24 /* what the suite adds to a record, docs/PROTOCOL.md 3.3 */

struct record {
	struct login_record r;
	struct errorlog_entry entry;
	char reason[64], user[64], grounds[128], verdict[512];
	uint64_t at; /* when it was reported */
};

struct test {
	WIRE;
	struct record logins[RECORDS_MAX];
	uint32_t login_count, close_count;
	uint32_t closes_first; /* closes that came before their login */
};

static void keep(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text ? text : "(null)");
}

static void on_login(void *ctx, const struct login_record *r)
{
	struct test *t = ctx;
	struct record *to = &t->logins[t->login_count];

	if (t->login_count == RECORDS_MAX)
		return;
	t->login_count++;
	to->r = *r;
	to->at = t->now;
	if (r->errorlog)
		to->entry = *r->errorlog;
	keep(to->reason, sizeof(to->reason), r->errorlog ? r->errorlog->reason : NULL);
	keep(to->user, sizeof(to->user), r->errorlog ? r->errorlog->user : NULL);
	keep(to->grounds, sizeof(to->grounds), r->outcome_grounds);
	keep(to->verdict, sizeof(to->verdict), r->verdict.text);
}

static void on_close(void *ctx, const struct close_record *r)
{
	struct test *t = ctx;

	t->close_count++;
	t->closes_first += r->has_login && t->close_count > t->login_count;
}

static void on_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	(void)ctx, (void)key, (void)client, (void)level;
}

static void begin_with(struct test *t, struct engine_config config)
{
	static const struct engine_ops ops = {.login = on_login, .close = on_close, .tap = on_tap};

	memset(t, 0, sizeof(*t));
	config.errorlog = true;
	wire_begin(&t->wire, config, &ops, t);
}

static void begin(struct test *t)
{
	begin_with(t, (struct engine_config){0});
}

static void end(struct test *t)
{
	engine_finish(t->e);
	CHECK_INT(engine_stats(t->e)->flows, 0);
	CHECK_INT(t->closes_first, 0);
	CHECK_INT(t->close_count, t->login_count);
	engine_free(t->e);
}

/* ---- the builder ---- */

/* A millisecond later. */
static void segment(struct test *t, int side, uint8_t flags, const void *data, uint32_t len)
{
	wire_send(&t->wire, side, flags, data, len, MS);
}

static void send(struct test *t, int side, const void *data, uint32_t len)
{
	segment(t, side, SEG_ACK, data, len);
}

#define SEND(t, side, bytes)	 send(t, side, bytes, sizeof(bytes))
#define SEND_TEXT(t, side, text) send(t, side, text, sizeof(text) - 1)

/* A TDS packet of size bytes in a TLS record. */
static void packet(struct test *t, int side, uint32_t size)
{
	uint8_t bytes[5 + 17000] = {23, 3, 3};

	size += GCM;
	bytes[3] = (uint8_t)(size >> 8);
	bytes[4] = (uint8_t)size;
	send(t, side, bytes, 5 + size);
}

static void connect_next(struct test *t)
{
	t->port++;
	t->seq[CLIENT] += 100000;
	t->seq[SERVER] += 200000;
	wire_handshake(&t->wire, MS, MS, MS);
}

/* Up to LOGIN7 under TLS 1.2. */
static void hidden(struct test *t)
{
	uint8_t request[47], reply[43];
	uint8_t flight[8 + 5 + 42 + 5 + 7 + 5 + 4] = {
		0x12, 1, 0, sizeof(flight), 0, 0, 0, 0, 22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3};

	memcpy(request, prelogin_request, sizeof(request));
	memcpy(reply, prelogin_reply, sizeof(reply));
	request[8 + 0x20] = reply[8 + 0x20] = 1;
	connect_next(t);
	SEND(t, CLIENT, request);
	SEND(t, SERVER, reply);
	SEND(t, CLIENT, tls_hello_carried);
	flight[8 + 5 + 4 + 2 + 32 + 1] = 0xc0;
	flight[8 + 5 + 4 + 2 + 32 + 2] = 0x2f;
	memcpy(flight + 8 + 5 + 42, "\x16\3\3\0\7\x0b\0\0\3\0\0\0\x16\3\3\0\4\x0e\0\0\0", 21);
	SEND(t, SERVER, flight);
	SEND_TEXT(t, CLIENT,
		  "\x12\1\0\x23\0\0\0\0\x16\3\3\0\4\x10\0\0\0\x14\3\3\0\1\1"
		  "\x16\3\3\0\x07zzzzzzz");
	SEND_TEXT(t, SERVER, "\x12\1\0\x1a\0\0\0\0\x14\3\3\0\1\1\x16\3\3\0\x07zzzzzzz");
	packet(t, CLIENT, 215);
}

/* LOGIN7 and a refusal in clear, after PRELOGINs that rule encryption out. */
static void clear(struct test *t)
{
	uint8_t request[47], reply[43];

	memcpy(request, prelogin_request, sizeof(request));
	memcpy(reply, prelogin_reply, sizeof(reply));
	request[8 + 0x20] = reply[8 + 0x20] = 2;
	connect_next(t);
	SEND(t, CLIENT, request);
	SEND(t, SERVER, reply);
	SEND(t, CLIENT, login7_sql);
	SEND(t, SERVER, login_failure);
}

static void server_closes(struct test *t)
{
	wire_fins(&t->wire, SERVER, MS, MS, MS);
}

/* A login that is refused, as far as sizes and the server's close tell. When the answer came. */
static uint64_t refused(struct test *t)
{
	uint64_t answered;

	hidden(t);
	packet(t, SERVER, 150);
	answered = t->now;
	server_closes(t);
	return answered;
}

static void idle(struct test *t, uint64_t ns)
{
	wire_idle(&t->wire, ns);
}

static struct errorlog_entry entry_of(uint8_t client, int32_t number, uint8_t state,
				      uint64_t time_ns)
{
	return (struct errorlog_entry){
		.time_ns = time_ns,
		.number = number,
		.severity = 14,
		.state = state,
		.client = client ? ERRORLOG_ADDRESS : ERRORLOG_LOCAL,
		.addr = {[10] = 0xff, 0xff, 10, 0, 0, client},
		.reason = "Why.",
		.user = "sa",
	};
}

static void entry(struct test *t, uint8_t client, int32_t number, uint8_t state, uint64_t time_ns)
{
	struct errorlog_entry e = entry_of(client, number, state, time_ns);

	engine_errorlog(t->e, &e);
}

static bool is_joined(const struct test *t, uint32_t i)
{
	return t->login_count > i && t->logins[i].r.errorlog;
}

/* ---- one login ---- */

UNIT_CASE(a_hidden_refusal)
{
	const struct record *login;
	struct test t;
	uint64_t at;

	begin(&t);
	at = refused(&t);
	entry(&t, 1, 18456, 8, at - 5 * MS);
	CHECK_INT(t.login_count, 0);
	CHECK_INT(t.close_count, 0);
	idle(&t, 2 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.close_count, 1);
	login = &t.logins[0];
	CHECK(login->at >= at + S && login->at <= at + 1500 * MS);
	CHECK_INT(login->r.outcome, OUTCOME_REFUSED);
	CHECK_INT(login->r.outcome_basis, BASIS_INFERRED);
	CHECK_INT(login->r.confidence, CONFIDENCE_HIGH);
	CHECK_STR(login->grounds, "error log");
	CHECK(login->r.has_error);
	CHECK_INT(login->r.error.number, 18456);
	CHECK_INT(login->r.error.state, 8);
	CHECK_INT(login->r.error.class_, 14);
	CHECK(!login->r.error.message);
	CHECK_INT(login->entry.time_ns, at - 5 * MS);
	CHECK_STR(login->reason, "Why.");
	CHECK_STR(login->user, "(null)");
	CHECK_INT(login->r.verdict.id, V_LOGIN_FAILED);
	CHECK(strstr(login->verdict, "the password was wrong"));
	CHECK(strstr(login->verdict, "inferred from state 8"));
	CHECK_INT(login->r.end_ns, at);
	CHECK_INT(engine_stats(t.e)->errorlog_entries, 1);
	CHECK_INT(engine_stats(t.e)->errorlog_joined, 1);
	end(&t);
}

UNIT_CASE(a_name_is_kept_back)
{
	struct test t;

	begin_with(&t, (struct engine_config){.identities = true});
	entry(&t, 1, 18456, 8, refused(&t));
	idle(&t, 2 * S);
	CHECK_STR(t.logins[0].user, "sa");
	end(&t);
}

/* Without an entry it waits no longer, and says what sizes tell. */
UNIT_CASE(no_entry)
{
	struct test t;
	uint64_t at;

	begin(&t);
	at = refused(&t);
	idle(&t, 900 * MS);
	CHECK_INT(t.login_count, 0);
	idle(&t, 600 * MS);
	CHECK_INT(t.login_count, 1);
	CHECK(t.logins[0].at <= at + 1500 * MS);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_REFUSED);
	CHECK(!t.logins[0].r.has_error && !t.logins[0].r.errorlog);
	entry(&t, 1, 18456, 8, at); /* too late */
	idle(&t, 3 * S);
	CHECK_INT(t.login_count, 1);
	end(&t);
}

/* An engine whose user follows no error log does not wait. */
UNIT_CASE(no_log)
{
	struct test t;

	begin(&t);
	engine_free(t.e);
	t.e = engine_new(&(struct engine_config){.ports = &t.ports},
			 &(struct engine_ops){.login = on_login, .close = on_close, .tap = on_tap},
			 &t);
	entry(&t, 1, 18456, 8, refused(&t));
	CHECK_INT(t.login_count, 1);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

UNIT_CASE(a_login_that_succeeds_does_not_wait)
{
	struct test t;

	begin(&t);
	hidden(&t);
	packet(&t, SERVER, 600);
	packet(&t, CLIENT, 46);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_OK);
	entry(&t, 1, 18456, 8, t.now);
	packet(&t, SERVER, 46);
	server_closes(&t);
	idle(&t, 3 * S);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

/* What sizes leave open: an answer that may be either, after which the client left. */
UNIT_CASE(an_outcome_that_was_unknown)
{
	uint64_t at;
	struct test t;

	for (int joined = 0; joined < 2; joined++) {
		begin(&t);
		hidden(&t);
		packet(&t, SERVER, 290);
		at = t.now;
		segment(&t, CLIENT, SEG_FIN | SEG_ACK, NULL, 0);
		segment(&t, SERVER, SEG_FIN | SEG_ACK, NULL, 0);
		segment(&t, CLIENT, SEG_ACK, NULL, 0);
		if (joined)
			entry(&t, 1, 18456, 58, at);
		idle(&t, 8 * S); /* it may also have been sent on */
		CHECK_INT(t.login_count, 1);
		CHECK_INT(t.logins[0].r.outcome, joined ? OUTCOME_REFUSED : OUTCOME_INCOMPLETE);
		if (joined) {
			CHECK_INT(t.logins[0].r.confidence, CONFIDENCE_HIGH);
			CHECK_INT(t.logins[0].r.end_ns, at);
			CHECK(strstr(t.logins[0].verdict, "Windows logins only"));
		}
		end(&t);
	}
}

/* Of an error that was read the log adds the state; what was read stays as it was. */
UNIT_CASE(a_refusal_in_clear)
{
	const struct record *login;
	struct test t;

	begin(&t);
	clear(&t);
	entry(&t, 1, 18456, 5, t.now);
	server_closes(&t);
	idle(&t, 2 * S);
	login = &t.logins[0];
	CHECK_INT(login->r.outcome, OUTCOME_REFUSED);
	CHECK_INT(login->r.outcome_basis, BASIS_OBSERVED);
	CHECK_INT(login->r.confidence, CONFIDENCE_CERTAIN);
	CHECK_STR(login->grounds, "(null)");
	CHECK_INT(login->r.error.number, 18456);
	CHECK_INT(login->r.error.state, 1);
	CHECK(is_joined(&t, 0));
	CHECK_INT(login->entry.state, 5);
	CHECK(strstr(login->verdict, "no login of that name"));
	end(&t);
}

UNIT_CASE(another_error_than_the_one_read)
{
	struct test t;

	begin(&t);
	clear(&t);
	entry(&t, 1, 18470, 1, t.now);
	server_closes(&t);
	idle(&t, 2 * S);
	CHECK_INT(t.login_count, 1);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

/* ---- near enough ---- */

UNIT_CASE(a_second_apart)
{
	static const struct {
		int64_t off_ms;
		bool joined;
	} cases[] = {{-1001, false}, {-1000, true}, {0, true}, {1000, true}, {1001, false}};
	struct test t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&t);
		entry(&t, 1, 18456, 8, refused(&t) + (uint64_t)(cases[i].off_ms * (int64_t)MS));
		idle(&t, 2 * S);
		CHECK_INT(is_joined(&t, 0), cases[i].joined);
		end(&t);
	}
}

UNIT_CASE(another_client)
{
	struct test t;

	begin(&t);
	entry(&t, 3, 18456, 8, refused(&t));
	idle(&t, 2 * S);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

/* A client on the server's own host, by whichever address. */
UNIT_CASE(a_local_client)
{
	struct test t;

	for (int named = 0; named < 2; named++) {
		begin(&t);
		t.address[CLIENT] = t.address[SERVER];
		entry(&t, named ? t.address[SERVER] : 0, 18456, 8, refused(&t));
		idle(&t, 2 * S);
		CHECK(is_joined(&t, 0));
		end(&t);
	}
	/* One elsewhere is not meant. */
	begin(&t);
	entry(&t, 0, 18456, 8, refused(&t));
	idle(&t, 2 * S);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

/* ---- only one ---- */

UNIT_CASE(two_entries)
{
	struct test t;
	uint64_t at;

	begin(&t);
	at = refused(&t);
	entry(&t, 1, 18456, 8, at);
	entry(&t, 1, 18456, 8, at + 900 * MS);
	idle(&t, 2 * S);
	CHECK_INT(t.login_count, 1);
	CHECK(!is_joined(&t, 0));
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_REFUSED);
	end(&t);
}

/* Two logins within the second: neither before nor after the first was reported is one joined. */
UNIT_CASE(two_logins)
{
	static const uint64_t apart[] = {0, 500 * MS, 900 * MS};
	struct test t;

	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		begin(&t);
		entry(&t, 1, 18456, 8, refused(&t));
		idle(&t, apart[i]);
		refused(&t);
		idle(&t, 3 * S);
		CHECK_INT(t.login_count, 2);
		CHECK(!is_joined(&t, 0));
		CHECK(!is_joined(&t, 1));
		end(&t);
	}
}

/* Each has its own, when they are far enough apart. */
UNIT_CASE(two_logins_apart)
{
	struct test t;

	begin(&t);
	for (uint8_t i = 0; i < 2; i++) {
		entry(&t, 1, 18456, i ? 5 : 8, refused(&t));
		idle(&t, 2500 * MS);
	}
	CHECK_INT(t.login_count, 2);
	CHECK(is_joined(&t, 0) && is_joined(&t, 1));
	CHECK_INT(t.logins[0].entry.state, 8);
	CHECK_INT(t.logins[1].entry.state, 5);
	end(&t);
}

/* Another client's logins, and those of the same that were let in, are in nobody's way. */
UNIT_CASE(others_that_do_not_fit)
{
	struct test t;
	uint64_t at;

	begin(&t);
	hidden(&t);
	packet(&t, SERVER, 600);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 46);
	at = refused(&t);
	t.address[CLIENT] = 9;
	refused(&t);
	entry(&t, 1, 18456, 8, at);
	idle(&t, 3 * S);
	CHECK_INT(t.login_count, 3);
	CHECK_INT(engine_stats(t.e)->errorlog_joined, 1);
	for (uint32_t i = 0; i < t.login_count; i++)
		CHECK_INT(is_joined(&t, i), t.logins[i].r.client.addr[15] == 1 &&
						    t.logins[i].r.outcome == OUTCOME_REFUSED);
	engine_finish(t.e);
	engine_free(t.e);
}

/* One that is not decided yet, and whose hidden answer may be the refusal. */
UNIT_CASE(one_under_way)
{
	struct test t;
	uint64_t at;

	begin(&t);
	hidden(&t);
	packet(&t, SERVER, 150);
	at = refused(&t);
	entry(&t, 1, 18456, 8, at);
	idle(&t, 1500 * MS);
	CHECK_INT(t.login_count, 1);
	CHECK(!is_joined(&t, 0));
	engine_finish(t.e);
	engine_free(t.e);
}

/* More logins and entries than are remembered: none is joined to a wrong one. */
UNIT_CASE(a_crowd)
{
	struct test t;

	begin(&t);
	for (int i = 0; i < 40; i++) {
		t.address[CLIENT] = (uint8_t)(10 + i % 2);
		entry(&t, t.address[CLIENT], 18456, 8, refused(&t));
		idle(&t, 5 * MS);
	}
	idle(&t, 3 * S);
	CHECK_INT(t.login_count, 40);
	for (uint32_t i = 0; i < t.login_count; i++)
		CHECK(!is_joined(&t, i));
	end(&t);
}

/* So many wait, and the others do not: each is reported once. */
UNIT_CASE(more_than_wait)
{
	static struct test t;

	begin(&t);
	for (int i = 0; i < 1100; i++) {
		hidden(&t);
		packet(&t, SERVER, 150);
		segment(&t, SERVER, SEG_RST, NULL, 0);
		t.now -= 12 * MS; /* all within a second */
	}
	CHECK_INT(engine_stats(t.e)->logins, 1100 - 1024);
	idle(&t, 3 * S);
	CHECK_INT(engine_stats(t.e)->logins, 1100);
	engine_finish(t.e);
	CHECK_INT(engine_stats(t.e)->logins, 1100);
	CHECK_INT(engine_stats(t.e)->flows, 0);
	engine_free(t.e);
}

/* ---- how it ended ---- */

UNIT_CASE(a_reset)
{
	struct test t;
	uint64_t at;

	begin(&t);
	hidden(&t);
	packet(&t, SERVER, 150);
	at = t.now;
	segment(&t, SERVER, SEG_RST | SEG_ACK, NULL, 0);
	entry(&t, 1, 18456, 8, at);
	CHECK_INT(t.login_count + t.close_count, 0);
	idle(&t, 2 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.close_count, 1);
	CHECK(is_joined(&t, 0));
	end(&t);
}

/* Connections that wait as the engine ends, and ports that are used again meanwhile. */
UNIT_CASE(an_end_while_it_waits)
{
	struct test t;

	begin(&t);
	entry(&t, 1, 18456, 8, refused(&t));
	CHECK_INT(t.login_count, 0);
	end(&t);
	CHECK_INT(t.login_count, 1);
	begin(&t);
	refused(&t);
	t.port--;
	refused(&t);
	idle(&t, 3 * S);
	CHECK_INT(t.login_count, 2);
	end(&t);
}

/* The connection broke off, and the server says where the time went. */
UNIT_CASE(broken_off)
{
	struct errorlog_entry e;
	struct test t;

	begin(&t);
	hidden(&t);
	idle(&t, 15 * S);
	segment(&t, CLIENT, SEG_RST | SEG_ACK, NULL, 0);
	e = entry_of(1, 17830, 11, t.now);
	e.has_timers = true;
	e.timer_ms[TIMER_TOTAL] = 15003;
	e.timer_ms[TIMER_VALIDATION] = 14990;
	engine_errorlog(t.e, &e);
	idle(&t, 2 * S);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.outcome, OUTCOME_TIMED_OUT);
	CHECK_INT(t.logins[0].r.outcome_basis, BASIS_OBSERVED);
	CHECK(is_joined(&t, 0));
	CHECK(strstr(t.logins[0].verdict, "of 15003 ms the server spent 14990 ms validating"));
	end(&t);
}

/* An error that only breaks connections off refuses nobody. */
UNIT_CASE(broken_off_is_no_refusal)
{
	struct test t;

	begin(&t);
	entry(&t, 1, 17830, 11, refused(&t));
	idle(&t, 2 * S);
	CHECK(!is_joined(&t, 0));
	end(&t);
}

/* A client that leaves before LOGIN7 was not refused, whatever the log says of its address. */
UNIT_CASE(an_end_before_login7)
{
	static const struct {
		int32_t number;
		bool joined;
	} cases[] = {{18456, false}, {17830, true}, {17189, true}};
	struct test t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&t);
		connect_next(&t);
		SEND(&t, CLIENT, prelogin_request);
		segment(&t, SERVER, SEG_RST | SEG_ACK, NULL, 0);
		entry(&t, 1, cases[i].number, 1, t.now);
		idle(&t, 2 * S);
		CHECK_INT(t.login_count, 1);
		CHECK_INT(t.logins[0].r.outcome, OUTCOME_DROPPED);
		CHECK_INT(is_joined(&t, 0), cases[i].joined);
		CHECK(!t.logins[0].r.has_error);
		end(&t);
	}
}

/* A failed SSPI handshake is logged twice. */
UNIT_CASE(a_pair_of_entries)
{
	struct test t;
	uint64_t at;

	begin(&t);
	at = refused(&t);
	entry(&t, 1, 17806, 14, at);
	entry(&t, 1, 18452, 1, at);
	idle(&t, 2 * S);
	CHECK(is_joined(&t, 0));
	CHECK_INT(t.logins[0].r.error.number, 18452);
	CHECK_INT(t.logins[0].r.verdict.id, V_UNTRUSTED_DOMAIN);
	end(&t);
}

/* ---- no worker thread ---- */

static void slow_login(struct test *t)
{
	hidden(t);
	idle(t, 10 * S);
	packet(t, SERVER, 600);
	packet(t, CLIENT, 46);
	packet(t, SERVER, 46);
}

UNIT_CASE(worker_threads)
{
	struct errorlog_entry e = {.number = 17884, .severity = 10, .state = 1, .stalled_s = 60};
	struct test t;

	begin(&t);
	e.time_ns = t.now + 5 * S;
	engine_errorlog(t.e, &e);
	slow_login(&t);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].r.verdict.id, V_WORKER_THREADS);
	CHECK_INT(t.logins[0].r.verdict.class, VERDICT_SLOW);
	CHECK(strstr(t.logins[0].verdict, "60 s (17884)"));
	/* Long after it. */
	t.address[CLIENT] = 4;
	idle(&t, 100 * S);
	slow_login(&t);
	CHECK_INT(t.login_count, 2);
	CHECK_INT(t.logins[1].r.verdict.id, V_SLOW_LOGIN);
	engine_finish(t.e);
	engine_free(t.e);
}

int main(void)
{
	RUN(a_hidden_refusal);
	RUN(a_name_is_kept_back);
	RUN(no_entry);
	RUN(no_log);
	RUN(a_login_that_succeeds_does_not_wait);
	RUN(an_outcome_that_was_unknown);
	RUN(a_refusal_in_clear);
	RUN(another_error_than_the_one_read);
	RUN(a_second_apart);
	RUN(another_client);
	RUN(a_local_client);
	RUN(two_entries);
	RUN(two_logins);
	RUN(two_logins_apart);
	RUN(others_that_do_not_fit);
	RUN(one_under_way);
	RUN(a_crowd);
	RUN(more_than_wait);
	RUN(a_reset);
	RUN(an_end_while_it_waits);
	RUN(broken_off);
	RUN(broken_off_is_no_refusal);
	RUN(an_end_before_login7);
	RUN(a_pair_of_entries);
	RUN(worker_threads);
	return unit_status();
}
