// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * room_session.c - sessions by themselves: frame heads go in, commands come out. There is no login
 * and no engine.
 */
#include "engine/protocol/tds.h"
#include "engine/session/session.h"
#include "lib/units.h"
#include "unit.h"

#define MS 1000000ull

static struct {
	struct session_env env;
	struct flow_table flows;
	struct pool pool;
	uint64_t refused, now_ns;
	struct flow *f;
	enum side from;
	struct command_record commands[8];
	char sql[8][40];
	uint32_t count;
} t;

static void on_command(void *ctx, const struct command_record *r)
{
	CHECK(ctx == &t);
	if (t.count == 8)
		return;
	snprintf(t.sql[t.count], sizeof(t.sql[0]), "%s", r->sql ? r->sql : "(null)");
	t.commands[t.count++] = *r;
}

static void on_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	session_head(ctx, t.f, t.from, frame, ts_ns);
}

static void on_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	session_body(ctx, t.f, t.from, frame, data, len, ts_ns);
}

static void on_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	session_end(ctx, t.f, t.from, frame, ts_ns);
}

static void on_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
	CHECK(!"these streams frame");
}

static const struct frame_ops ops = {on_head, on_body, on_end, on_lost};

static void feed(enum side from, const void *data, size_t len)
{
	t.from = from;
	t.now_ns += MS;
	frame_feed(&t.f->half[from].framer, &ops, &t.env, data, (uint32_t)len, t.now_ns);
}

static void packet(enum side from, uint8_t type, const void *body, size_t len)
{
	uint8_t data[200] = {type, 1, 0, (uint8_t)(8 + len), 0, from == SIDE_SERVER ? 55 : 0};

	memcpy(data + 8, body, len);
	feed(from, data, 8 + len);
}

/* A TLS record of len bytes, which nobody can read. */
static void record(enum side from, uint32_t len)
{
	uint8_t data[200] = {23, 3, 3, 0, (uint8_t)len};

	feed(from, data, 5 + len);
}

/* SMP's header around a packet of TDS, or, with len 0, around nothing. */
static void smp(enum side from, uint8_t kind, uint16_t sid, uint32_t seq, const void *data,
		uint32_t len)
{
	uint8_t bytes[200] = {0x53,
			      kind,
			      (uint8_t)sid,
			      (uint8_t)(sid >> 8),
			      (uint8_t)(16 + len),
			      0,
			      0,
			      0,
			      (uint8_t)seq,
			      0,
			      0,
			      0,
			      4};

	memcpy(bytes + 16, data, len);
	feed(from, bytes, 16 + len);
}

static void begin(const struct session_start *start)
{
	static const struct flow_key key = {.port = {50000, 1433}};

	memset(&t, 0, sizeof(t));
	t.now_ns = 1000 * NS_PER_S;
	t.pool = (struct pool){.max = 1 << 20, .refused = &t.refused};
	t.env = (struct session_env){
		.command = on_command, .ctx = &t, .flows = &t.flows, .pool = &t.pool, .sql = true};
	CHECK_INT(flow_table_init(&t.flows, 16, (const uint64_t[2]){1, 2}), 0);
	t.f = flow_add(&t.flows, &key);
	session_begin(&t.env, t.f, start);
}

static void end(void)
{
	session_close(&t.env, t.f);
	session_free(&t.env, t.f);
	CHECK_INT(t.env.sql_count, 0);
	CHECK_INT(t.pool.used, 0);
	flow_table_release(&t.flows);
}

/* ALL_HEADERS with none in it, and "SELECT 1" */
static const uint8_t batch[] = {4,   0, 0,   0, 'S', 0, 'E', 0, 'L', 0,
				'E', 0, 'C', 0, 'T', 0, ' ', 0, '1', 0};
static const uint8_t done[13] = {0xfd};

UNIT_CASE(a_request_in_clear)
{
	begin(&(struct session_start){.width = SQL_WIDTH_UTF16});
	packet(SIDE_CLIENT, TDS_BATCH, batch, sizeof(batch));
	CHECK(t.f->awaiting);
	packet(SIDE_SERVER, TDS_RESULT, done, sizeof(done));
	CHECK(!t.f->awaiting);
	CHECK_INT(t.count, 1);
	CHECK_INT(t.commands[0].kind, COMMAND_BATCH);
	CHECK_INT(t.commands[0].total_ns, MS);
	CHECK_INT(t.commands[0].spid, 55);
	CHECK_INT(t.commands[0].request_bytes, 8 + sizeof(batch));
	CHECK_STR(t.sql[0], "SELECT 1");
	CHECK_INT(t.f->commands[COMMAND_BATCH], 1);
	end();
	CHECK_INT(t.count, 1);
}

UNIT_CASE(never_answered)
{
	begin(&(struct session_start){.width = SQL_WIDTH_UTF16});
	packet(SIDE_CLIENT, TDS_RPC, batch, sizeof(batch));
	end();
	CHECK_INT(t.count, 1);
	CHECK(!t.commands[0].answered);
}

UNIT_CASE(under_tls)
{
	const struct session_start start = {.encrypted = true, .overhead = {{24, 24}, {24, 24}}};
	struct close_record r = {0};

	begin(&start);
	session_past_record(&t.env, t.f, SIDE_CLIENT, (struct session_size){60, 60}, t.now_ns - MS,
			    t.now_ns);
	record(SIDE_SERVER, 100);
	record(SIDE_CLIENT, 24 + 8); /* an attention */
	record(SIDE_SERVER, 24 + 21);
	end();
	CHECK_INT(t.count, 2);
	CHECK_INT(t.commands[0].basis, BASIS_INFERRED);
	CHECK_INT(t.commands[0].total_ns, MS);
	CHECK_INT(t.commands[1].kind, COMMAND_ATTENTION);
	session_mars(t.f, &r);
	CHECK(!r.has_mars);
}

UNIT_CASE(mars)
{
	uint8_t request[8 + sizeof(batch)] = {TDS_BATCH, 1, 0, sizeof(request)};
	uint8_t answer[8 + sizeof(done)] = {TDS_RESULT, 1, 0, sizeof(answer)};
	struct close_record r = {0};

	memcpy(request + 8, batch, sizeof(batch));
	memcpy(answer + 8, done, sizeof(done));
	begin(&(struct session_start){.width = SQL_WIDTH_UTF16, .mars = true});
	for (uint16_t sid = 0; sid < 20; sid++)
		smp(SIDE_CLIENT, 1, sid, 0, "", 0);
	smp(SIDE_CLIENT, 8, 3, 1, request, sizeof(request));
	smp(SIDE_CLIENT, 8, 7, 1, request, sizeof(request));
	smp(SIDE_SERVER, 8, 7, 1, answer, sizeof(answer));
	CHECK_INT(t.count, 1);
	CHECK_INT(t.commands[0].session, 7);
	CHECK_STR(t.sql[0], "SELECT 1");
	smp(SIDE_CLIENT, 4, 7, 1, "", 0);
	smp(SIDE_SERVER, 4, 7, 1, "", 0);
	session_mars(t.f, &r);
	CHECK_INT(r.mars_sessions, 20);
	CHECK_INT(r.mars_open, 19);
	CHECK(t.pool.used > 0);
	end();
	CHECK_INT(t.count, 2); /* that of session 3 was never answered */
	CHECK_INT(t.commands[1].session, 3);
}

int main(void)
{
	RUN(a_request_in_clear);
	RUN(never_answered);
	RUN(under_tls);
	RUN(mars);
	return unit_status();
}
