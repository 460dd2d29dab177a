/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * hidden.c - sessions under TLS: requests, attentions and MARS inferred from the records' sizes and
 * directions, from whole records as from their heads.
 */
#include "bytes.h"
#include "engine_fixture.h"

#define RECORDS_MAX 16

/* What a suite adds to a record, docs/PROTOCOL.md 3.3 */
#define GCM   24
#define TLS13 17

struct test {
	WIRE;
	struct command_record commands[RECORDS_MAX];
	struct close_record close;
	uint32_t command_count, logins;
	enum outcome outcome;
	bool command_before_login;
	uint32_t overhead;
	bool heads; /* the kernel only forwards heads */
};

static void on_login(void *ctx, const struct login_record *r)
{
	struct test *t = ctx;

	t->logins++;
	t->outcome = r->outcome;
	t->command_before_login = t->command_count > 0;
}

static void on_close(void *ctx, const struct close_record *r)
{
	struct test *t = ctx;

	t->close = *r;
}

static void on_command(void *ctx, const struct command_record *r)
{
	struct test *t = ctx;

	CHECK_INT(r->basis, BASIS_INFERRED);
	CHECK_INT(r->spid, -1);
	CHECK_INT(r->session, -1);
	if (t->command_count < RECORDS_MAX)
		t->commands[t->command_count++] = *r;
}

static void on_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	(void)ctx, (void)key, (void)client, (void)level;
}

static void begin_with(struct test *t, struct engine_ops ops)
{
	memset(t, 0, sizeof(*t));
	ops.login = on_login;
	ops.close = on_close;
	wire_begin(&t->wire, (struct engine_config){0}, &ops, t);
}

static void begin(struct test *t)
{
	begin_with(t, (struct engine_ops){.command = on_command});
}

static void end(struct test *t)
{
	wire_end(&t->wire);
	CHECK(!t->command_before_login);
}

/* A millisecond later: len bytes from a side, of which cap_len are present. */
static void segment(struct test *t, int side, uint8_t flags, const void *data, uint32_t len,
		    uint32_t cap_len, uint8_t rec_flags)
{
	struct seg seg;

	t->now += MS;
	seg = wire_segment(&t->wire, side, flags, len);
	seg.cap_len = cap_len;
	seg.rec_flags = rec_flags;
	engine_segment(t->e, &seg, data);
	wire_moves(&t->wire, side, &seg);
}

static void send(struct test *t, int side, const void *data, uint32_t len)
{
	segment(t, side, SEG_ACK, data, len, len, 0);
}

#define SEND(t, side, bytes)	 send(t, side, bytes, sizeof(bytes))
#define SEND_TEXT(t, side, text) send(t, side, text, sizeof(text) - 1)

static void flag(struct test *t, int side, uint8_t flags)
{
	segment(t, side, flags, NULL, 0, 0, 0);
}

/* A TLS record of which only the length is visible. */
static void record(struct test *t, int side, uint8_t type, uint32_t len)
{
	uint8_t bytes[5 + 17000] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

	if (t->heads)
		segment(t, side, SEG_ACK, bytes, 5 + len, 5, SEG_F_HEADS);
	else
		send(t, side, bytes, 5 + len);
}

/* A TDS packet of size bytes, or another message of the session. */
static void packet(struct test *t, int side, int size)
{
	record(t, side, 23, (uint32_t)size + t->overhead);
}

static void handshake(struct test *t)
{
	wire_handshake(&t->wire, MS, MS, MS);
}

/* The version that ServerHello selects. */
static uint8_t tls_minor = 3;

/* ServerHello (with this cipher), Certificate without one, ServerHelloDone; in 0x12. */
static void server_flight(struct test *t, uint8_t cipher_high, uint8_t cipher_low)
{
	uint8_t bytes[8 + 5 + 42 + 5 + 7 + 5 + 4] = {
		0x12, 1, 0, sizeof(bytes), 0, 0, 0, 0, 22, 3, 3, 0, 42, 2, 0, 0, 38, 3, tls_minor};

	bytes[8 + 5 + 4 + 2 + 32 + 1] = cipher_high;
	bytes[8 + 5 + 4 + 2 + 32 + 2] = cipher_low;
	memcpy(bytes + 8 + 5 + 42, "\x16\3\3\0\7\x0b\0\0\3\0\0\0\x16\3\3\0\4\x0e\0\0\0", 21);
	SEND(t, SERVER, bytes);
}

/* Up to the end of a TLS 1.2 handshake: PRELOGIN with encryption on, and perhaps MARS. */
static void tls12(struct test *t, bool mars, uint16_t cipher)
{
	uint8_t request[47], reply[43];

	memcpy(request, prelogin_request, sizeof(request));
	memcpy(reply, prelogin_reply, sizeof(reply));
	request[8 + 0x20] = reply[8 + 0x20] = 1;
	request[8 + 0x26] = reply[8 + 0x22] = mars;
	handshake(t);
	SEND(t, CLIENT, request);
	SEND(t, SERVER, reply);
	SEND(t, CLIENT, tls_hello_carried);
	server_flight(t, (uint8_t)(cipher >> 8), (uint8_t)cipher);
	SEND_TEXT(t, CLIENT,
		  "\x12\1\0\x23\0\0\0\0\x16\3\3\0\4\x10\0\0\0\x14\3\3\0\1\1"
		  "\x16\3\3\0\x07zzzzzzz");
	SEND_TEXT(t, SERVER, "\x12\1\0\x1a\0\0\0\0\x14\3\3\0\1\1\x16\3\3\0\x07zzzzzzz");
	t->overhead = GCM;
}

/* Then a successful login, inferred from the sizes of LOGIN7 and of its answer. */
static void login(struct test *t, bool mars)
{
	tls12(t, mars, 0xc02f);
	packet(t, CLIENT, 215);
	packet(t, SERVER, 600);
}

static void goodbye(struct test *t)
{
	flag(t, CLIENT, SEG_FIN | SEG_ACK);
	flag(t, SERVER, SEG_FIN | SEG_ACK);
	flag(t, CLIENT, SEG_ACK);
}

/* The command at i: its kind, times in ms (-1: null), sizes. */
static void check(const struct test *t, uint32_t i, enum command_kind kind, int first, int total,
		  uint32_t request, uint32_t response)
{
	const struct command_record *r = &t->commands[i];

	CHECK(t->command_count > i);
	CHECK_INT(r->kind, kind);
	CHECK_INT(r->first_byte_ns, first < 0 ? NO_NS : (uint64_t)first * MS);
	CHECK_INT(r->total_ns, total < 0 ? NO_NS : (uint64_t)total * MS);
	CHECK_INT(r->request_bytes, request);
	CHECK_INT(r->response_bytes, response);
}

/* ---- requests ---- */

static void two_commands(struct test *t)
{
	begin(t);
	login(t, false);
	packet(t, CLIENT, 46);
	CHECK_INT(t->logins, 1);
	CHECK_INT(t->outcome, OUTCOME_OK);
	packet(t, SERVER, 4096);
	packet(t, SERVER, 4096);
	packet(t, SERVER, 100);
	CHECK_INT(t->command_count, 0);
	packet(t, CLIENT, 4096);
	CHECK_INT(t->command_count, 1);
	check(t, 0, COMMAND_UNKNOWN, 1, 3, 46, 2 * 4096 + 100);
	CHECK_INT(t->commands[0].answered, 1);
	packet(t, CLIENT, 300);
	packet(t, SERVER, 39);
	goodbye(t);
	CHECK_INT(t->command_count, 2);
	check(t, 1, COMMAND_UNKNOWN, 1, 1, 4396, 39);
	CHECK_INT(t->close.commands[COMMAND_UNKNOWN], 2);
	CHECK_INT(t->close.commands[COMMAND_BATCH], 0);
	CHECK(t->close.graceful && !t->close.commands_unfollowed && !t->close.has_mars);
	end(t);
}

UNIT_CASE(requests_and_answers)
{
	struct test t;

	two_commands(&t);
}

/* A request that was never answered; the reset that follows is not a graceful end. */
UNIT_CASE(a_request_without_answer)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	flag(&t, CLIENT, SEG_FIN | SEG_ACK);
	flag(&t, CLIENT, SEG_RST);
	check(&t, 0, COMMAND_UNKNOWN, -1, -1, 46, 0);
	CHECK_INT(t.commands[0].answered, 0);
	CHECK(!t.close.graceful);
	end(&t);
}

/* Alerts, a renegotiation and records that are not TDS are not requests. */
UNIT_CASE(records_of_tls_itself)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 39);
	record(&t, CLIENT, 22, 80);
	record(&t, SERVER, 22, 80);
	packet(&t, CLIENT, 5);
	packet(&t, SERVER, 5);
	record(&t, CLIENT, 21, 26);
	goodbye(&t);
	CHECK_INT(t.command_count, 1);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 46, 39);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 1);
	CHECK(t.close.graceful);
	end(&t);
}

/* TLS 1.3 and TDS 8: the handshake and tickets. */
static void tls13_tds8(struct test *t)
{
	uint8_t hello[5 + 50] = {22, 3, 3, 0, 50, 2, 0, 0, 46, 3, 3};

	handshake(t);
	SEND(t, CLIENT, tls_hello_strict);
	memcpy(hello + 5 + 4 + 2 + 32, "\0\x13\1\0\0\6\0\x2b\0\2\3\4", 12);
	SEND(t, SERVER, hello);
	t->overhead = TLS13;
	record(t, SERVER, 20, 1);
	record(t, SERVER, 23, 900);
	record(t, CLIENT, 20, 1);
	record(t, CLIENT, 23, 53);
	packet(t, SERVER, 249); /* session tickets */
	packet(t, SERVER, 249);
}

/* The PRELOGIN exchange and a login. */
static void login_tds8(struct test *t)
{
	tls13_tds8(t);
	packet(t, CLIENT, 47);
	packet(t, SERVER, 43);
	packet(t, CLIENT, 215);
	packet(t, SERVER, 600);
}

/* A request, key updates and a close_notify. */
UNIT_CASE(tds8)
{
	struct test t;

	begin(&t);
	login_tds8(&t);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 39);
	packet(&t, SERVER, 5);
	packet(&t, CLIENT, 5);
	packet(&t, CLIENT, 2);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	CHECK_INT(t.command_count, 1);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 46, 39);
	CHECK(!t.close.has_mars);
	end(&t);
}

/*
 * A driver that leaves PRELOGIN out, in a tunnel: what looks like an exchange of PRELOGIN may be
 * the login, refused or not.
 */
UNIT_CASE(tds8_without_prelogin)
{
	static const struct {
		uint32_t first, answer; /* bytes; 0: none */
		bool goes_on;
		enum outcome outcome;
	} cases[] = {
		{163, 111, false, OUTCOME_INCOMPLETE}, {163, 80, false, OUTCOME_INCOMPLETE},
		{163, 378, true, OUTCOME_INCOMPLETE},  {163, 0, false, OUTCOME_DROPPED},
		{140, 43, false, OUTCOME_DROPPED},     {140, 249, false, OUTCOME_DROPPED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct test t;

		begin(&t);
		tls13_tds8(&t);
		packet(&t, CLIENT, cases[i].first);
		if (cases[i].answer)
			packet(&t, SERVER, cases[i].answer);
		for (int n = 0; cases[i].goes_on && n < 3; n++) {
			packet(&t, CLIENT, 60);
			packet(&t, SERVER, 39);
		}
		flag(&t, SERVER, SEG_FIN | SEG_ACK);
		CHECK_INT(t.outcome, cases[i].outcome);
		end(&t);
	}
}

/* An exchange that may be part of the login is not reported as a command. */
UNIT_CASE(a_step_of_the_login)
{
	struct test t;

	begin(&t);
	tls12(&t, false, 0xc02f);
	packet(&t, CLIENT, 240);
	packet(&t, SERVER, 373);
	packet(&t, CLIENT, 756);
	packet(&t, SERVER, 364);
	packet(&t, CLIENT, 48);
	packet(&t, SERVER, 39);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	CHECK_INT(t.command_count, 1);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 48, 39);
	end(&t);
}

/* The connection existed before: its first request may be a login, and no suite is known. */
UNIT_CASE(joined)
{
	struct test t;

	begin(&t);
	t.overhead = GCM;
	packet(&t, CLIENT, 215);
	packet(&t, SERVER, 600);
	engine_tick(t.e, t.now += 2 * S);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 39);
	packet(&t, CLIENT, 50);
	packet(&t, SERVER, 39);
	packet(&t, CLIENT, 8); /* too short for a request: an attention, and its acknowledgement */
	packet(&t, SERVER, 21);
	packet(&t, CLIENT, 54);
	packet(&t, SERVER, 39);
	packet(&t, CLIENT, -5); /* close_notify of TLS 1.3 */
	goodbye(&t);
	CHECK_INT(t.logins, 0);
	CHECK_INT(t.command_count, 3);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 70, 63);
	check(&t, 1, COMMAND_UNKNOWN, -1, -1, 74, 63 + 45);
	CHECK_INT(t.commands[1].answered, -1);
	check(&t, 2, COMMAND_UNKNOWN, 1, 1, 78, 63);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 3);
	end(&t);
}

/* If bytes are missing, no time is reported that they could falsify. */
UNIT_CASE(bytes_missing)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 4096);
	t.seq[SERVER] += 4096 + 5 + GCM;
	packet(&t, SERVER, 50);
	packet(&t, CLIENT, 46);
	engine_tick(t.e, t.now += 2 * S);
	packet(&t, SERVER, 39);
	goodbye(&t);
	CHECK_INT(t.command_count, 2);
	CHECK_INT(t.commands[0].first_byte_ns, NO_NS);
	CHECK_INT(t.commands[0].total_ns, NO_NS);
	CHECK_INT(t.commands[0].answered, -1);
	check(&t, 1, COMMAND_UNKNOWN, 2001, 2001, 46, 39);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 2);
	end(&t);
}

/* The capture ends while full packets come: the response's time is unknown. */
UNIT_CASE(an_answer_without_end)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 4096);
	end(&t);
	check(&t, 0, COMMAND_UNKNOWN, 1, -1, 46, 4096);
	CHECK_INT(t.commands[0].answered, 0);
}

/* Live without --commands, the kernel forwards no records: none of them is counted. */
UNIT_CASE(not_followed)
{
	struct test t;

	begin_with(&t, (struct engine_ops){.tap = on_tap});
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 39);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	CHECK(t.close.commands_unfollowed);
	end(&t);
	/* Nor if the connection existed before. */
	begin_with(&t, (struct engine_ops){.tap = on_tap});
	t.overhead = GCM;
	for (int i = 0; i < 3; i++) {
		packet(&t, CLIENT, 46);
		packet(&t, SERVER, 39);
	}
	engine_tick(t.e, t.now += 2 * S);
	goodbye(&t);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 0);
	CHECK(t.close.commands_unfollowed);
	end(&t);
}

/* ---- heads ---- */

/* The same from heads, as the kernel forwards them. */
UNIT_CASE(heads)
{
	struct test t;

	begin(&t);
	login(&t, false);
	t.heads = true;
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 4096);
	/* Skipped records, then the last one in two segments. */
	t.seq[SERVER] += 10 * 4125;
	segment(&t, SERVER, SEG_ACK, "\x17\3\3\2\x18", 105, 5, SEG_F_HEADS);
	segment(&t, SERVER, SEG_ACK, NULL, 5 + 0x218 - 105, 0, SEG_F_HEADS);
	packet(&t, CLIENT, 300);
	check(&t, 0, COMMAND_UNKNOWN, 1, 3, 46, 4096 + 10 * 4125 + 0x218 - GCM);
	packet(&t, SERVER, 39);
	goodbye(&t);
	CHECK_INT(t.command_count, 2);
	check(&t, 1, COMMAND_UNKNOWN, 1, 1, 300, 39);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	CHECK_INT(engine_stats(t.e)->lost_sync, 0);
	end(&t);
}

/* Its end was not reported before the client went on: its time is unknown, and not invented. */
UNIT_CASE(a_head_without_end)
{
	struct test t;

	begin(&t);
	login(&t, false);
	t.heads = true;
	packet(&t, CLIENT, 46);
	segment(&t, SERVER, SEG_ACK, "\x17\3\3\2\x18", 105, 5, SEG_F_HEADS);
	t.seq[SERVER] += 5 + 0x218 - 105;
	packet(&t, CLIENT, 300);
	check(&t, 0, COMMAND_UNKNOWN, 1, -1, 46, 0x218 - GCM);
	packet(&t, SERVER, 39);
	goodbye(&t);
	check(&t, 1, COMMAND_UNKNOWN, 1, 1, 300, 39);
	end(&t);
}

/* ---- attentions ---- */

UNIT_CASE(cancelled)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, CLIENT, 8);
	packet(&t, SERVER, 60);
	goodbye(&t);
	CHECK_INT(t.command_count, 2);
	check(&t, 0, COMMAND_UNKNOWN, 2, 2, 46, 60);
	CHECK(t.commands[0].cancelled);
	check(&t, 1, COMMAND_ATTENTION, 1, 1, 8, 0);
	CHECK(!t.commands[1].cancelled);
	CHECK_INT(t.close.commands[COMMAND_ATTENTION], 1);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 1);
	end(&t);
}

/* In the middle of a response; and one that nobody answers. */
UNIT_CASE(cancelled_late_and_in_vain)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 4096);
	packet(&t, CLIENT, 8);
	packet(&t, SERVER, 4096);
	packet(&t, SERVER, 500);
	packet(&t, CLIENT, 46);
	check(&t, 0, COMMAND_UNKNOWN, 1, 4, 46, 2 * 4096 + 500);
	CHECK(t.commands[0].cancelled);
	check(&t, 1, COMMAND_ATTENTION, 2, 2, 8, 0);
	packet(&t, CLIENT, 8);
	goodbye(&t);
	CHECK_INT(t.command_count, 4);
	check(&t, 2, COMMAND_UNKNOWN, -1, -1, 46, 0);
	CHECK(t.commands[2].cancelled);
	check(&t, 3, COMMAND_ATTENTION, -1, -1, 8, 0);
	CHECK_INT(t.commands[3].answered, 0);
	end(&t);
}

/* After the response, as some drivers do when they close a cursor: it cancels nothing. */
UNIT_CASE(attention_after_the_answer)
{
	struct test t;

	begin(&t);
	login(&t, false);
	packet(&t, CLIENT, 46);
	packet(&t, SERVER, 80);
	packet(&t, CLIENT, 8);
	packet(&t, SERVER, 21);
	goodbye(&t);
	CHECK_INT(t.command_count, 2);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 46, 80);
	CHECK(!t.commands[0].cancelled);
	check(&t, 1, COMMAND_ATTENTION, 1, 1, 8, 21);
	end(&t);
}

/* Block ciphers show sizes to within a block; an attention is still shorter than any request. */
UNIT_CASE(block_cipher)
{
	struct test t;

	begin(&t);
	tls12(&t, false, 0xc014); /* AES-256-CBC, SHA-1: 16 of IV, 20 of MAC, 1 to 16 of padding */
	t.overhead = 0;
	record(&t, CLIENT, 23, 272);
	record(&t, SERVER, 23, 656);
	record(&t, CLIENT, 23, 96); /* 44 to 59 */
	record(&t, CLIENT, 23, 48); /* 0 to 11 */
	record(&t, SERVER, 23, 112);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	CHECK_INT(t.command_count, 2);
	check(&t, 0, COMMAND_UNKNOWN, 2, 2, 59, 75);
	CHECK(t.commands[0].cancelled);
	check(&t, 1, COMMAND_ATTENTION, 1, 1, 8, 0);
	end(&t);
}

/* TLS 1.0: a first byte in a record of its own looks like an attention, and must not be one. */
UNIT_CASE(first_bytes_apart)
{
	struct test t;

	begin(&t);
	tls_minor = 1;
	tls12(&t, false, 0xc014); /* no IV in a record: RFC 2246 6.2.3.2 */
	tls_minor = 3;
	t.overhead = 0;
	record(&t, CLIENT, 23, 32);
	record(&t, CLIENT, 23, 256);
	record(&t, SERVER, 23, 32);
	record(&t, SERVER, 23, 640); /* 604 to 619 */
	record(&t, CLIENT, 23, 32);
	record(&t, CLIENT, 23, 80); /* 44 to 59 */
	record(&t, CLIENT, 23, 32);
	record(&t, CLIENT, 23, 32);
	record(&t, SERVER, 23, 32);
	record(&t, SERVER, 23, 96);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	CHECK_INT(t.command_count, 2);
	check(&t, 0, COMMAND_UNKNOWN, 4, 4, 59, 75);
	CHECK(t.commands[0].cancelled);
	check(&t, 1, COMMAND_ATTENTION, 2, 2, 8, 0);
	end(&t);
}

/* ---- MARS ---- */

#define SMP 16

/* SYN, SYN, a request each, one more, an ACK, FINs, as System.Data.SqlClient sends them. */
static void mars_sessions(struct test *t)
{
	login(t, true);
	packet(t, CLIENT, SMP); /* SYN 0 */
	packet(t, CLIENT, SMP); /* SYN 1 */
	packet(t, CLIENT, SMP + 84);
	packet(t, SERVER, SMP + 45);
	packet(t, CLIENT, SMP); /* SYN 2 */
	packet(t, CLIENT, SMP + 84);
	packet(t, SERVER, SMP + 45);
	packet(t, CLIENT, SMP + 90);
	packet(t, CLIENT, SMP); /* ACK */
	packet(t, SERVER, SMP + 45);
	for (int i = 0; i < 2; i++) {
		packet(t, CLIENT, SMP);
		packet(t, SERVER, SMP);
	}
	packet(t, CLIENT, SMP); /* FIN 0 */
	flag(t, CLIENT, SEG_FIN | SEG_ACK);
}

UNIT_CASE(mars)
{
	struct test t;

	begin(&t);
	mars_sessions(&t);
	packet(&t, SERVER, SMP);
	/* A reset that ends a finished MARS connection is not a failure. */
	flag(&t, CLIENT, SEG_RST);
	CHECK_INT(t.command_count, 3);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 84, 45);
	check(&t, 2, COMMAND_UNKNOWN, 2, 2, 90, 45);
	CHECK(t.close.has_mars && t.close.graceful);
	CHECK_INT(t.close.mars_basis, BASIS_INFERRED);
	CHECK_INT(t.close.mars_sessions, 3);
	CHECK_INT(t.close.mars_open, 0);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 3);
	end(&t);
}

/* TDS 8 also encrypts PRELOGIN: the first SYN shows that MARS was negotiated. */
UNIT_CASE(mars_tds8)
{
	struct test t;

	begin(&t);
	login_tds8(&t);
	packet(&t, CLIENT, SMP);
	packet(&t, CLIENT, SMP + 46);
	packet(&t, SERVER, SMP + 39);
	packet(&t, CLIENT, SMP);
	packet(&t, SERVER, SMP);
	goodbye(&t);
	CHECK_INT(t.outcome, OUTCOME_OK);
	check(&t, 0, COMMAND_UNKNOWN, 1, 1, 46, 39);
	CHECK(t.close.has_mars);
	CHECK_INT(t.close.mars_basis, BASIS_INFERRED);
	CHECK_INT(t.close.mars_sessions, 1);
	CHECK_INT(t.close.mars_open, 0);
	end(&t);
}

/* One session, a large response with ACKs in it and after it, and a reset at once. */
UNIT_CASE(mars_acknowledged)
{
	struct test t;

	begin(&t);
	login(&t, true);
	packet(&t, CLIENT, SMP);
	packet(&t, CLIENT, SMP + 46);
	for (int i = 0; i < 3; i++) {
		packet(&t, SERVER, SMP + 4096);
		packet(&t, SERVER, SMP + 4096);
		packet(&t, CLIENT, SMP);
	}
	packet(&t, SERVER, SMP + 900);
	packet(&t, SERVER, SMP + 200);
	packet(&t, CLIENT, SMP);
	packet(&t, CLIENT, SMP + 46);
	packet(&t, SERVER, SMP + 4096);
	flag(&t, CLIENT, SEG_RST);
	check(&t, 0, COMMAND_UNKNOWN, 1, 11, 46, 6 * 4096 + 1100);
	CHECK_INT(t.close.mars_sessions, 1);
	CHECK_INT(t.close.mars_open, 1);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 2);
	CHECK(!t.close.graceful);
	end(&t);
}

/* Two sessions have requests at once: they are counted, but responses are not matched to them. */
UNIT_CASE(mars_side_by_side)
{
	struct test t;

	begin(&t);
	login(&t, true);
	packet(&t, CLIENT, SMP);
	packet(&t, CLIENT, SMP + 46);
	packet(&t, CLIENT, SMP);
	packet(&t, CLIENT, SMP + 50);
	packet(&t, SERVER, SMP + 60);
	packet(&t, SERVER, SMP + 60);
	packet(&t, CLIENT, SMP + 54);
	packet(&t, SERVER, SMP + 70);
	packet(&t, CLIENT, SMP + 8);
	goodbye(&t);
	CHECK_INT(t.close.mars_sessions, 2);
	CHECK_INT(t.close.commands[COMMAND_UNKNOWN], 3);
	check(&t, 0, COMMAND_UNKNOWN, -1, -1, 46, 0);
	CHECK_INT(t.commands[0].answered, -1);
	check(&t, 1, COMMAND_UNKNOWN, -1, -1, 50, 120);
	CHECK_INT(t.commands[1].answered, -1);
	check(&t, 2, COMMAND_UNKNOWN, 1, 1, 54, 70);
	check(&t, 3, COMMAND_ATTENTION, -1, -1, 8, 0);
	end(&t);
}

int main(void)
{
	RUN(requests_and_answers);
	RUN(a_request_without_answer);
	RUN(records_of_tls_itself);
	RUN(tds8);
	RUN(tds8_without_prelogin);
	RUN(a_step_of_the_login);
	RUN(joined);
	RUN(bytes_missing);
	RUN(an_answer_without_end);
	RUN(not_followed);
	RUN(heads);
	RUN(a_head_without_end);
	RUN(cancelled);
	RUN(cancelled_late_and_in_vain);
	RUN(attention_after_the_answer);
	RUN(block_cipher);
	RUN(first_bytes_apart);
	RUN(mars);
	RUN(mars_tds8);
	RUN(mars_acknowledged);
	RUN(mars_side_by_side);
	return unit_status();
}
