/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds_old.c - TDS 4.2 and 5.0: the login record, tokens in single bytes, and how the width of a
 * text is found out.
 */
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "engine/protocol/sql_old.h"
#include "engine/protocol/tds.h"
#include "unit.h"

#define RECORD 568

static uint8_t record[RECORD];

static void field(uint32_t at, uint32_t room, const char *text)
{
	memset(record + at, 0, room);
	memcpy(record + at, text, strlen(text));
	record[at + room] = (uint8_t)strlen(text);
}

/* As FreeTDS writes it; offsets by MS-SSTDS 2.2.6.3. */
static void make_record(uint8_t major)
{
	memset(record, 0, sizeof(record));
	field(0, 30, "WEB1");
	field(31, 30, "isql");
	field(62, 30, "hunter2");
	field(93, 30, "1234");
	field(140, 30, "shop");
	field(171, 30, "SQL1");
	field(202, 255, "\1\7hunter2");
	record[458] = major;
	record[459] = 2;
	field(462, 10, "DB-Library");
	field(480, 30, "us_english");
	field(525, 30, "iso_1");
	field(557, 6, "4096");
}

static int parse(struct tds_login7 *l, uint32_t len)
{
	return tds_login_old_parse(l, guarded(record, len), len);
}

UNIT_CASE(login_record)
{
	struct tds_login7 l;

	make_record(4);
	CHECK_INT(parse(&l, RECORD), 1);
	CHECK_STR(l.host, "WEB1");
	CHECK_STR(l.user, "isql");
	CHECK_STR(l.app, "shop");
	CHECK_STR(l.driver, "DB-Library");
	CHECK(!l.database && !l.integrated && !l.features.known);
	CHECK_INT(l.packet_size, 4096);
	CHECK_STR(tds_version_name(l.version), "4.2");
	tds_login7_release(&l);
	/* TDS 5, with a security mechanism; a name that is not ASCII */
	make_record(5);
	record[514] = 0x10;
	field(31, 30, "caf\xe9");
	CHECK_INT(parse(&l, RECORD), 1);
	CHECK(l.integrated);
	CHECK_STR(l.user, "caf\xef\xbf\xbd");
	CHECK_STR(tds_version_name(l.version), "5.0");
	tds_login7_release(&l);
}

/* As far as it was captured; the guard page detects overreads. */
UNIT_CASE(login_record_cut_short)
{
	struct tds_login7 l;

	make_record(4);
	for (uint32_t len = 0; len < RECORD; len++) {
		CHECK_INT(parse(&l, len), 1);
		CHECK_INT(!!l.host, len > 30);
		CHECK_INT(!!l.user, len > 61);
		CHECK_INT(!!l.app, len > 170);
		CHECK_INT(!!l.version, len > 461);
		CHECK_INT(!!l.driver, len > 472);
		tds_login7_release(&l);
	}
}

UNIT_CASE(no_login_record)
{
	struct tds_login7 l;

	make_record(7);
	CHECK_INT(parse(&l, RECORD), -EPROTO);
	make_record(4);
	record[61] = 31; /* a name longer than its field */
	CHECK_INT(parse(&l, RECORD), -EPROTO);
	CHECK(!l.host && !l.user);
}

static void answer(struct tds_answer *a, const char *bytes, size_t len, enum tds_era era)
{
	tds_answer_parse(a, guarded(bytes, len), (uint32_t)len, era);
}

#define ANSWER(a, bytes, era) answer(a, bytes, sizeof(bytes) - 1, era)

/* Also of a login that was not seen: the layout shows how wide the characters are. */
UNIT_CASE(answer_of_tds42)
{
	static const char ok[] = "\xe3\x0c\0\1\4shop\5maste"
				 "\xe3\x09\0\4\3"
				 "512\3"
				 "512"
				 "\xab\x13\0\x45\x16\0\0\2\0\3\0Hi.\4SQL1\0\1\0"
				 "\xad\x0d\0\1\4\2\0\0\3srv\x5f\6\x32\xff"
				 "\xfd\x10\0\0\0\7\0\0\0";
	static const enum tds_era eras[] = {TDS_ERA_UNKNOWN, TDS_ERA_OLD, TDS_ERA_70, TDS_ERA_72};
	struct tds_answer a;

	for (size_t i = 0; i < 4; i++) {
		ANSWER(&a, ok, eras[i]);
		CHECK(a.loginack && a.done && a.walked && !a.has_error && !a.features.known);
		CHECK_STR(a.database, "shop");
		CHECK_STR(a.program, "srv");
		CHECK_STR(a.server_version, "6.50.0");
		CHECK_INT(a.packet_size, 512);
		tds_answer_release(&a);
	}
}

UNIT_CASE(errors_of_tds42)
{
	static const char no[] = "\xaa\x14\0\x18\x48\0\0\1\x0e\3\0No.\4SQL1\1p\1\0"
				 "\xfd\2\0\0\0\0\0\0\0";
	static const char wide[] = "\xaa\x16\0\x18\x48\0\0\1\x0e\3\0N\0o\0.\0\1S\0\0\1\0\0\0"
				   "\xfd\2\0\0\0\0\0\0\0\0\0\0\0";
	struct tds_answer a;

	ANSWER(&a, no, TDS_ERA_UNKNOWN);
	CHECK(a.has_error && !a.loginack && a.walked);
	CHECK_INT(a.error.number, 18456);
	CHECK_INT(a.error.class_, 14);
	CHECK_STR(a.error.message, "No.");
	tds_answer_release(&a);
	ANSWER(&a, wide, TDS_ERA_UNKNOWN);
	CHECK_STR(a.error.message, "No.");
	CHECK(a.walked);
	tds_answer_release(&a);
}

UNIT_CASE(errors_of_tds5)
{
	/* LOGINACK 6, an information and an error; state of the transaction and SQL state before
	 * them */
	static const char no[] = "\xad\x0e\0\6\5\0\0\0\4srv\0\x0f\0\0\7"
				 "\xe5\x19\0\x45\x16\0\0\2\x0a\5ZZZZZ\0\1\0\4\0Hi.\n\0\0\0\0"
				 "\xe5\x19\0\xa2\x0f\0\0\1\x0e\5ZZZZZ\0\1\0\4\0No.\n\0\0\0\0"
				 "\xfd\2\0\0\0\0\0\0\0";
	struct tds_answer a;

	ANSWER(&a, no, TDS_ERA_OLD);
	CHECK(a.refused && a.has_error && !a.loginack && a.walked);
	CHECK_INT(a.error.number, 4002);
	CHECK_STR(a.error.message, "No.");
	tds_answer_release(&a);
	for (size_t len = 0; len < sizeof(no) - 1; len++) {
		answer(&a, no, len, TDS_ERA_OLD);
		CHECK(!a.error.message || !strcmp(a.error.message, "No."));
		tds_answer_release(&a);
	}
}

/* ---- the width of a text ---- */

static enum sql_width width(const char *bytes, size_t n)
{
	return sql_text_width(guarded(bytes, n), n, false);
}

#define WIDTH(bytes) width(bytes, sizeof(bytes) - 1)

UNIT_CASE(width_of_a_text)
{
	CHECK_INT(WIDTH("select 1"), SQL_WIDTH_BYTE);
	CHECK_INT(WIDTH("  ( SELECT 1)"), SQL_WIDTH_BYTE);
	CHECK_INT(WIDTH("-- what it does"), SQL_WIDTH_BYTE);
	CHECK_INT(WIDTH("insert t values ('caf\xe9 ')"), SQL_WIDTH_BYTE);
	CHECK_INT(WIDTH("sp_helpdb"), SQL_WIDTH_BYTE); /* UTF-16 never has an odd length */
	CHECK_INT(WIDTH("dbo.usp_rebuild_indexes"), SQL_WIDTH_BYTE);
	CHECK_INT(WIDTH("s\0e\0l\0e\0c\0t\0 \0"), SQL_WIDTH_UTF16);
	/* "-- " and two Chinese characters; Cyrillic; Greek; a character beyond the BMP */
	CHECK_INT(WIDTH("-\0-\0 \0\x28\x75\x37\x62"), SQL_WIDTH_UTF16);
	CHECK_INT(WIDTH("\x12\4\x2b\4\x11\4"), SQL_WIDTH_UTF16);
	CHECK_INT(WIDTH("\xb1\3\xb2\3"), SQL_WIDTH_UTF16);
	CHECK_INT(WIDTH("\x3d\xd8\x00\xde"), SQL_WIDTH_UTF16);
	/* Both readings are possible, or neither. */
	CHECK_INT(WIDTH("sp_who"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(WIDTH("selector"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(WIDTH("\x28\x75\x37\x62"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(WIDTH("a\0\0\xdc"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(WIDTH("\1\0select"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(WIDTH(""), SQL_WIDTH_UNKNOWN);
}

/* Cut anywhere, a text in UTF-16 never counts as one in single bytes. */
UNIT_CASE(width_of_a_text_that_is_cut)
{
	static const char text[] = "u\0p\0d\0a\0t\0e\0 \0\x28\x75\x37\x62\x3d\xd8\x00\xde";

	for (size_t n = 2; n < sizeof(text) - 1; n++)
		CHECK_INT(sql_text_width(guarded(text, n), n, true), SQL_WIDTH_UTF16);
}

static enum sql_width rpc(const char *bytes, size_t n)
{
	return sql_rpc_width(cursor_init(guarded(bytes, n), n));
}

#define RPC(bytes) rpc(bytes, sizeof(bytes) - 1)

UNIT_CASE(width_of_a_call)
{
	CHECK_INT(RPC("\6sp_who\0\0"), SQL_WIDTH_BYTE);
	CHECK_INT(RPC("\6\0sp_who\2\0\4@val\0\x38\5\0\0\0"), SQL_WIDTH_BYTE);
	CHECK_INT(RPC("\2\0g\0o\0\0\0"), SQL_WIDTH_UTF16);
	CHECK_INT(RPC("\2\0\x28\x75\x37\x62\0\0"), SQL_WIDTH_UTF16);
	CHECK_INT(RPC("\6sp_w"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(RPC("\2"), SQL_WIDTH_UNKNOWN);
	CHECK_INT(RPC(""), SQL_WIDTH_UNKNOWN);
}

/* ---- requests of TDS 5 ---- */

static const char *taken(struct cursor c)
{
	static char text[64];

	if (c.bad)
		return "(none)";
	snprintf(text, sizeof(text), "%.*s", (int)cursor_left(&c), (const char *)c.p);
	return text;
}

#define TOKENS(bytes)                                                                              \
	sql_old_tokens(cursor_init(guarded(bytes, sizeof(bytes) - 1), sizeof(bytes) - 1), &text,   \
		       &procedure, &goes_on)

UNIT_CASE(tokens_of_requests)
{
	struct cursor text, procedure;
	bool goes_on;

	TOKENS("\x21\7\0\0\0\0select");
	CHECK_STR(taken(text), "select");
	CHECK(procedure.bad && !goes_on);
	TOKENS("\x21\x09\0\0\0\1select");
	CHECK_STR(taken(text), "select");
	CHECK(goes_on);
	TOKENS("\xe6\x09\0\6sp_who\0\0");
	CHECK_STR(taken(procedure), "sp_who");
	CHECK(text.bad);
	TOKENS("\xe8\x0a\0\6\0sp_who\0\0");
	CHECK_STR(taken(procedure), "sp_who");
	TOKENS("\xe7\x0d\0\1\0\2p1\6\0select");
	CHECK_STR(taken(text), "select");
	TOKENS("\x62\x0f\0\0\0\1\0\2p1\6\0\0\0select");
	CHECK_STR(taken(text), "select");
	TOKENS("\x86\x0d\0\2c1\0\0\6\0select");
	CHECK_STR(taken(text), "select");
	TOKENS("\x21\0\0\0\0\0");
	CHECK(text.bad && procedure.bad);
	TOKENS("\x71\0");
	CHECK(text.bad && procedure.bad);
	TOKENS("\xe7\x0d");
	CHECK(text.bad);
	CHECK_INT(sql_old_kind(0x21), COMMAND_BATCH);
	CHECK_INT(sql_old_kind(0xe6), COMMAND_RPC);
	CHECK_INT(sql_old_kind(0x84), COMMAND_RPC);
	CHECK_INT(sql_old_kind(0x71), COMMAND_COUNT);
	CHECK_INT(sql_old_kind(0x20), COMMAND_UNKNOWN);
}

int main(void)
{
	RUN(login_record);
	RUN(login_record_cut_short);
	RUN(no_login_record);
	RUN(answer_of_tds42);
	RUN(errors_of_tds42);
	RUN(errors_of_tds5);
	RUN(width_of_a_text);
	RUN(width_of_a_text_that_is_cut);
	RUN(width_of_a_call);
	RUN(tokens_of_requests);
	return unit_status();
}
