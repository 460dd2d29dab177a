/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql.c - the text of requests: batches and RPCs byte for byte, and truncated ones.
 */
#include <linux/types.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/sql_text.h"
#include "unit.h"

static struct sql request;

static void begin(uint8_t type)
{
	memset(&request, 0, sizeof(request));
	request.type = type;
}

static void put(const void *data, uint32_t len)
{
	sql_add(&request, data, len);
}

#define PUT(bytes) put(bytes, sizeof(bytes) - 1)

static void put_utf16(const char *text)
{
	for (; *text; text++)
		put((const char[]){*text, 0}, 2);
}

/* MS-TDS 2.2.5.3: a transaction descriptor, one request outstanding */
static void put_headers(void)
{
	PUT("\x16\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0");
}

/* An NVARCHAR parameter without a name */
static void put_nvarchar(const char *text)
{
	PUT("\0\0\xe7\x40\x1f\x09\4\xd0\0\x34");
	put((const char[]){(char)(2 * strlen(text)), 0}, 2);
	put_utf16(text);
}

static struct sql_text got;

static void read_request(void)
{
	sql_text_release(&got);
	sql_read(&got, &request);
}

/* ---- the texts ---- */

UNIT_CASE(batch)
{
	begin(TDS_BATCH);
	put_headers();
	put_utf16("select 1");
	read_request();
	CHECK_STR(got.text, "select 1");
	CHECK(!got.procedure && !got.cut);
	/* Without headers, before TDS 7.2; and with an empty ALL_HEADERS. */
	begin(TDS_BATCH);
	put_utf16("select 1");
	read_request();
	CHECK_STR(got.text, "select 1");
	begin(TDS_BATCH);
	PUT("\4\0\0\0");
	put_utf16("go");
	read_request();
	CHECK_STR(got.text, "go");
	begin(TDS_BATCH);
	read_request();
	CHECK(!got.text && !got.cut);
}

UNIT_CASE(procedures)
{
	begin(TDS_RPC);
	put_headers();
	PUT("\x08\0");
	put_utf16("dbo.find");
	PUT("\0\0");
	put_nvarchar("a parameter's value is not told");
	read_request();
	CHECK_STR(got.procedure, "dbo.find");
	CHECK(!got.text);
	/* sp_unprepare by number; an unknown number */
	begin(TDS_RPC);
	put_headers();
	PUT("\xff\xff\x0f\0\0\0\0\0\x26\4\4\1\0\0\0");
	read_request();
	CHECK_STR(got.procedure, "sp_unprepare");
	CHECK(!got.text);
	begin(TDS_RPC);
	put_headers();
	PUT("\xff\xff\x10\0\0\0");
	read_request();
	CHECK(!got.procedure && !got.text);
}

UNIT_CASE(statements)
{
	/* sp_executesql by number and by name: the first parameter */
	begin(TDS_RPC);
	put_headers();
	PUT("\xff\xff\x0a\0\0\0");
	put_nvarchar("select @a");
	put_nvarchar("@a int");
	read_request();
	CHECK_STR(got.procedure, "sp_executesql");
	CHECK_STR(got.text, "select @a");
	begin(TDS_RPC);
	put_headers();
	PUT("\x0d\0");
	put_utf16("SP_EXECUTESQL");
	PUT("\0\0");
	put_nvarchar("select @b");
	read_request();
	CHECK_STR(got.procedure, "SP_EXECUTESQL");
	CHECK_STR(got.text, "select @b");
	/* sp_prepexec: after the handle and the parameters' declaration, which is empty here */
	begin(TDS_RPC);
	put_headers();
	PUT("\xff\xff\x0d\0\0\0\0\1\x26\4\0");
	PUT("\0\0\xe7\x40\x1f\x09\4\xd0\0\x34\xff\xff");
	put_nvarchar("select 2");
	read_request();
	CHECK_STR(got.procedure, "sp_prepexec");
	CHECK_STR(got.text, "select 2");
	/* the same as NTEXT, and as NVARCHAR(MAX) in one chunk */
	begin(TDS_RPC);
	PUT("\xff\xff\x0a\0\0\0\0\0\x63\x10\0\0\0\x09\4\xd0\0\x34\x10\0\0\0");
	put_utf16("select 3");
	read_request();
	CHECK_STR(got.text, "select 3");
	begin(TDS_RPC);
	PUT("\xff\xff\x0a\0\0\0\0\0\xe7\xff\xff\x09\4\xd0\0\x34");
	PUT("\x10\0\0\0\0\0\0\0\x10\0\0\0");
	put_utf16("select 4");
	PUT("\0\0\0\0");
	read_request();
	CHECK_STR(got.text, "select 4");
	CHECK(!got.cut);
	/* a NULL statement, and a type that cannot be there */
	begin(TDS_RPC);
	PUT("\xff\xff\x0a\0\0\0\0\0\xe7\xff\xff\x09\4\xd0\0\x34\xff\xff\xff\xff\xff\xff\xff\xff");
	read_request();
	CHECK_STR(got.procedure, "sp_executesql");
	CHECK(!got.text);
	begin(TDS_RPC);
	PUT("\xff\xff\x0d\0\0\0\0\0\xf1");
	read_request();
	CHECK(!got.text);
}

UNIT_CASE(cut)
{
	begin(TDS_BATCH);
	put_headers();
	for (int i = 0; i < SQL_CHARS_MAX - 1; i++)
		put_utf16("x");
	PUT("\x3d\xd8\x00\xde"); /* a character of two units, the second beyond the limit */
	read_request();
	CHECK_INT(strlen(got.text), SQL_CHARS_MAX - 1);
	CHECK(got.cut);
	/* Longer than the limit; and not captured completely. */
	for (int i = 0; i < 10000; i++)
		put_utf16("y");
	CHECK_INT(request.len, SQL_BYTES_MAX);
	read_request();
	CHECK(got.cut);
	begin(TDS_BATCH);
	put_headers();
	put_utf16("sel");
	put(NULL, 100);
	put_utf16("not its end");
	read_request();
	CHECK_STR(got.text, "sel");
	CHECK(got.cut);
}

/* Nothing is read beyond the end, whatever is cut off, and wherever. */
UNIT_CASE(every_length)
{
	static const char rpc[] = "\xff\xff\x0d\0\0\0\0\1\x26\4\0"
				  "\0\0\xe7\x40\x1f\x09\4\xd0\0\x34\xff\xff"
				  "\0\0\xe7\xff\xff\x09\4\xd0\0\x34"
				  "\4\0\0\0\0\0\0\0\4\0\0\0g\0o\0";

	for (uint32_t n = 0; n < sizeof(rpc); n++) {
		begin(TDS_RPC);
		put_headers();
		put(rpc, n);
		read_request();
		CHECK(!got.text || !strncmp(got.text, "go", strlen(got.text)));
	}
}

/* ---- with the engine ---- */

struct told {
	uint32_t count;
	char text[4][64], procedure[4][64];
	bool wanted, cut;
};

static void on_command(void *ctx, const struct command_record *r)
{
	struct told *t = ctx;

	if (t->count == 4)
		return;
	snprintf(t->text[t->count], 64, "%s", r->sql ? r->sql : "(null)");
	snprintf(t->procedure[t->count], 64, "%s", r->procedure ? r->procedure : "(null)");
	t->wanted = r->sql_wanted;
	t->cut = r->sql_cut;
	t->count++;
}

static void segment(struct engine *e, bool server, const void *data, uint32_t len)
{
	static uint64_t now = 1000000000;
	static uint32_t seq[2];
	struct seg seg = {.ts_ns = now += 1000000, .flags = SEG_ACK, .len = len, .cap_len = len};

	seg.sport = server ? 1433 : 50000;
	seg.dport = server ? 50000 : 1433;
	seg.saddr[15] = server ? 2 : 1;
	seg.daddr[15] = server ? 1 : 2;
	seg.seq = seq[server];
	seg.ack = seq[!server];
	seq[server] += len;
	engine_segment(e, &seg, data);
}

#define SEGMENT(e, server, bytes) segment(e, server, bytes, sizeof(bytes) - 1)
#define RESULT			  "\4\1\0\x11\0\0\1\0\xfd\0\0\0\0\0\0\0\0"

/* A batch of two packets, one with a password, and the same in a MARS session. */
static void requests(struct told *t, bool sql)
{
	struct port_set ports = {0};
	struct engine *e;

	port_set_add(&ports, 1433);
	memset(t, 0, sizeof(*t));
	e = engine_new(&(struct engine_config){.ports = &ports, .sql = sql},
		       &(struct engine_ops){.command = on_command}, t);
	SEGMENT(e, false, "\1\0\0\x0a\0\0\1\0g\0\1\1\0\x0a\0\0\2\0o\0");
	SEGMENT(e, true, RESULT);
	SEGMENT(e, false, "\1\1\0\x1a\0\0\1\0p\0w\0d\0=\0'\0x\0'\0;\0;\0");
	SEGMENT(e, true, RESULT);
	SEGMENT(e, false,
		"\x53\1\1\0\x10\0\0\0\0\0\0\0\4\0\0\0"
		"\x53\x08\1\0\x1c\0\0\0\1\0\0\0\4\0\0\0\1\1\0\x0c\0\0\1\0i\0f\0");
	SEGMENT(e, true, "\x53\x08\1\0\x21\0\0\0\1\0\0\0\4\0\0\0" RESULT);
	/* One that is never answered, and another SYN of that session. */
	SEGMENT(e, false,
		"\x53\x08\1\0\x1c\0\0\0\2\0\0\0\5\0\0\0\1\1\0\x0c\0\0\1\0i\0s\0"
		"\x53\1\1\0\x10\0\0\0\0\0\0\0\4\0\0\0");
	engine_finish(e);
	engine_free(e);
}

UNIT_CASE(told_where_asked_for)
{
	struct told t;

	requests(&t, true);
	CHECK_INT(t.count, 3);
	CHECK(t.wanted && !t.cut);
	CHECK_STR(t.text[0], "go");
	CHECK_STR(t.text[1], "pwd ***");
	CHECK_STR(t.text[2], "if");
	CHECK_STR(t.procedure[0], "(null)");
	requests(&t, false);
	CHECK_INT(t.count, 3);
	CHECK(!t.wanted);
	CHECK_STR(t.text[0], "(null)");
	CHECK_STR(t.text[2], "(null)");
}

static void on_texts(void *ctx, const struct command_record *r)
{
	*(uint32_t *)ctx += !!r->sql;
}

/* Requests in more MARS sessions than texts are held: the others are reported without one. */
UNIT_CASE(no_more_texts_than_there_is_room_for)
{
	struct port_set ports = {0};
	uint32_t told = 0, wanted = 0;
	struct engine *e;

	port_set_add(&ports, 1433);
	e = engine_new(&(struct engine_config){.ports = &ports, .sql = true},
		       &(struct engine_ops){.command = on_texts}, &told);
	for (uint16_t client = 50000; client < 50002; client++) {
		struct seg seg = {.ts_ns = 1, .flags = SEG_ACK, .dport = 1433, .sport = client};

		seg.len = seg.cap_len = 28;
		for (uint32_t sid = 0; sid < 3000; sid++) {
			uint8_t data[] = "\x53\x08\0\0\x1c\0\0\0\1\0\0\0\4\0\0\0"
					 "\1\1\0\x0c\0\0\1\0i\0f";

			data[2] = (uint8_t)sid;
			data[3] = (uint8_t)(sid >> 8);
			engine_segment(e, &seg, data);
			seg.seq += 28;
			seg.ts_ns += 1000000;
			wanted++;
		}
	}
	engine_finish(e);
	CHECK_INT(wanted, 6000);
	CHECK_INT(told, 4096);
	engine_free(e);
}

int main(void)
{
	RUN(batch);
	RUN(procedures);
	RUN(statements);
	RUN(cut);
	RUN(every_length);
	RUN(told_where_asked_for);
	RUN(no_more_texts_than_there_is_room_for);
	sql_text_release(&got);
	return unit_status();
}
