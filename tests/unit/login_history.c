// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * login_history.c - logins over time: what a slot counts, what a browser gets, and what a file that is not
 * as it was written does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sink/page/login_history.h"
#include "unit.h"

#define NOW_S 1609459200ull /* 2021-01-01, at the edge of a minute */
#define S     1000000000ull
#define MS    1000000ull

static void log_in(struct login_history *t, uint64_t at_s, enum verdict_class class,
		   enum verdict verdict)
{
	struct login_record rec = {.total_ns = 20 * MS,
				   .outcome = class == VERDICT_FAILED  ? OUTCOME_REFUSED
					      : class == VERDICT_ENDED ? OUTCOME_PROBE
								       : OUTCOME_OK,
				   .verdict = {verdict, class, "", class == VERDICT_OK}};

	login_history_add(t, at_s * S + 5, &rec);
}

static struct login_history *at(uint64_t now_s)
{
	struct login_history *t = login_history_new();

	login_history_tick(t, now_s * S);
	return t;
}

/* The whole document. The caller frees it. */
static char *document(const struct login_history *t, uint64_t now_s)
{
	struct strbuf out = {0};
	uint64_t from = 0;
	size_t len;

	do {
		len = out.len;
		login_history_piece(t, &from, now_s, &out);
	} while (out.len > len);
	strbuf_add(&out, "", 1);
	CHECK(!out.failed);
	return out.data;
}

static int slots_in(const char *text)
{
	int n = 0;

	for (text = strstr(text, "\"slots\":["); (text = strstr(text, ",[1,")); text++)
		n++;
	return n;
}

UNIT_CASE(a_slot_counts)
{
	struct login_history *t = at(NOW_S);
	struct strbuf out = {0};
	char *text;

	log_in(t, NOW_S, VERDICT_OK, V_OK);
	log_in(t, NOW_S, VERDICT_SLOW, V_SLOW_LOGIN);
	log_in(t, NOW_S, VERDICT_FAILED, V_LOGIN_FAILED);
	log_in(t, NOW_S, VERDICT_ENDED, V_PROBE);
	CHECK_INT(login_history_changed(t, &out), 2); /* the minute and the second */
	strbuf_add(&out, "", 1);
	/* 20 ms: 2^24 ns <= it < 1.25 * 2^24, the bucket 1 + 4 * (24 - 18) */
	CHECK_STR(out.data, "[60,1609459200,3,1,1,1,[9,1,36,1],[25,3]],"
			    "[1,1609459200,3,1,1,1,[9,1,36,1],[25,3]]");
	CHECK_INT(V_SLOW_LOGIN, 9);
	CHECK_INT(V_LOGIN_FAILED, 36);
	out.len = 0;
	CHECK_INT(login_history_changed(t, &out), 0);
	CHECK_INT(out.len, 0);
	text = document(t, NOW_S);
	CHECK(!strncmp(text,
		       "{\"v\":1,\"now\":1609459200,\"bits\":2,\"least\":18,\"buckets\":74,"
		       "\"verdicts\":[\"\",\"ok\",",
		       70));
	CHECK(strstr(text, "\"slots\":[null,[60,1609459200,3,1,1,1,[9,1,36,1],[25,3]],"
			   "[1,1609459200,3,1,1,1,[9,1,36,1],[25,3]]]}\n"));
	free(text);
	strbuf_release(&out);
	login_history_free(t);
}

/* Every time has a bucket; the page computes the same bounds. */
UNIT_CASE(times_of_any_length)
{
	static const uint64_t ns[] = {0, 262143, 262144, 68719476735, 68719476736, UINT64_MAX - 1};
	struct login_history *t = at(NOW_S);
	char *text;

	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		struct login_record rec = {.total_ns = ns[i],
					   .outcome = OUTCOME_OK,
					   .verdict = {V_OK, VERDICT_OK, "", true}};

		login_history_add(t, NOW_S * S, &rec);
	}
	text = document(t, NOW_S);
	CHECK(strstr(text, ",[],[0,2,1,1,72,1,73,2]]"));
	free(text);
	login_history_free(t);
}

/* An hour of seconds and a week of minutes, whatever came before; and many causes share a place. */
UNIT_CASE(it_is_bounded)
{
	struct login_history *t = at(NOW_S);
	uint64_t last_s = NOW_S + 2 * 7 * 86400;
	struct strbuf out = {0};
	char *text;

	for (uint64_t s = NOW_S; s <= last_s; s += 30) {
		login_history_tick(t, s * S);
		log_in(t, s, VERDICT_OK, V_OK);
	}
	CHECK_INT(login_history_changed(t, &out), -1); /* too many to send */
	CHECK_INT(out.len, 0);
	for (int i = V_LOGIN_FAILED; i < V_LOGIN_FAILED + 20; i++)
		log_in(t, last_s, VERDICT_FAILED, (enum verdict)i);
	CHECK_INT(login_history_changed(t, &out), 2);
	out.len = 0;
	text = document(t, last_s);
	CHECK_INT(slots_in(text), 120);
	CHECK(strlen(text) < LOGIN_HISTORY_BYTES);
	/* seven by name, the other thirteen as V_NONE */
	CHECK(strstr(text, "[36,1,37,1,38,1,39,1,40,1,41,1,42,1,0,13]"));
	free(text);
	strbuf_release(&out);
	login_history_free(t);
}

/* A login that comes late counts where it was; one that is too old counts nowhere. */
UNIT_CASE(late_and_early)
{
	struct login_history *t = at(NOW_S);
	char *text;

	log_in(t, NOW_S, VERDICT_OK, V_OK);
	log_in(t, NOW_S - 30, VERDICT_FAILED, V_TIMED_OUT);
	log_in(t, NOW_S - LOGIN_HISTORY_SECONDS, VERDICT_OK, V_OK);
	text = document(t, NOW_S);
	CHECK_INT(slots_in(text), 2);
	CHECK(strstr(text, "[1,1609459170,1,1,0,0,"));
	free(text);
	/* The clock was an hour ahead, and is set back: its slots are no obstacle. */
	login_history_tick(t, (NOW_S - 3600) * S);
	log_in(t, NOW_S - 3600, VERDICT_OK, V_OK);
	text = document(t, NOW_S - 3600);
	CHECK_INT(slots_in(text), 1);
	CHECK(strstr(text, "[1,1609455600,1,0,0,0,[],[25,1]]"));
	free(text);
	login_history_free(t);
}

/* What login_history_save() writes. The caller frees it. */
static char *saved(struct login_history *t, size_t *len)
{
	FILE *f = tmpfile();
	char *data = malloc(LOGIN_HISTORY_BYTES);

	CHECK_INT(login_history_save(t, fileno(f)), 0);
	*len = (size_t)pread(fileno(f), data, LOGIN_HISTORY_BYTES, 0);
	fclose(f);
	return data;
}

static struct login_history *busy(void)
{
	struct login_history *t = at(NOW_S);

	for (uint64_t s = NOW_S - 7000; s <= NOW_S; s += 7) {
		log_in(t, s, VERDICT_OK, V_OK);
		log_in(t, s, s % 2 ? VERDICT_FAILED : VERDICT_SLOW,
		       s % 2 ? V_LOGIN_FAILED : V_SLOW_LOGIN);
	}
	return t;
}

UNIT_CASE(a_file_keeps_it)
{
	struct login_history *t = busy(), *again = login_history_new();
	char *before = document(t, NOW_S), *after, *data;
	size_t len;

	CHECK(login_history_is_unsaved(t));
	data = saved(t, &len);
	CHECK(!login_history_is_unsaved(t));
	CHECK(!login_history_load(again, data, len, NOW_S));
	after = document(again, NOW_S);
	CHECK_STR(after, before);
	free(after);
	login_history_free(again);
	/* The clock was set back meanwhile. */
	again = login_history_new();
	CHECK(!login_history_load(again, data, len, NOW_S - 5000));
	after = document(again, NOW_S);
	CHECK_INT(slots_in(after), 0); /* what is left is older than an hour */
	CHECK(strstr(after, "[60,"));
	free(after);
	login_history_free(again);
	free(before);
	free(data);
	login_history_free(t);
}

/* A full disk, and a file that is open for reading only. */
UNIT_CASE(it_cannot_be_written)
{
	struct login_history *t = busy();
	FILE *full = fopen("/dev/full", "w");

	CHECK_INT(login_history_save(t, fileno(full)), -ENOSPC);
	CHECK(login_history_is_unsaved(t));
	fclose(full);
	login_history_free(t);
}

/* Cut at any place, or with any byte changed, it is refused, and the history stays empty. */
UNIT_CASE(a_damaged_file_is_refused)
{
	struct login_history *t = at(NOW_S), *again = login_history_new();
	char *data, *empty = document(again, NOW_S), *text;
	size_t len;

	log_in(t, NOW_S, VERDICT_SLOW, V_SLOW_LOGIN);
	data = saved(t, &len);
	for (size_t i = 0; i < len; i++) {
		CHECK(login_history_load(again, data, i, NOW_S));
		data[i] ^= 0x41;
		CHECK(login_history_load(again, data, len, NOW_S));
		data[i] ^= 0x41;
	}
	text = document(again, NOW_S);
	CHECK_STR(text, empty);
	free(text);
	data[15] = '9';
	CHECK_STR(login_history_load(again, data, len, NOW_S),
		  "another version of tdsmon wrote it in another layout");
	CHECK_STR(login_history_load(again, "# HELP", 6, NOW_S), "it is no history of tdsmon's");
	CHECK(login_history_load(again, "", 0, NOW_S));
	free(data);
	free(empty);
	login_history_free(t);
	login_history_free(again);
}

/* Bytes whose checksum fits, but whose numbers are anything. */
UNIT_CASE(any_numbers_are_survived)
{
	static const char head[] = "tdsmon history 1\n";
	struct login_history *t = login_history_new();
	uint8_t bytes[256];
	unsigned seed = 1, taken = 0;

	for (int round = 0; round < 2000; round++) {
		size_t len = 17 + 2 + (size_t)rand_r(&seed) % 60;
		uLong crc;

		memcpy(bytes, head, 17);
		for (size_t i = 17; i < len; i++)
			bytes[i] = (uint8_t)(rand_r(&seed) % 4 ? rand_r(&seed) % 4 : rand_r(&seed));
		bytes[17] = 1; /* one name, empty */
		bytes[18] = 0;
		crc = crc32(0, bytes, (uInt)len);
		for (int i = 0; i < 4; i++)
			bytes[len + i] = (uint8_t)(crc >> 8 * i);
		taken += !login_history_load(t, bytes, len + 4, NOW_S);
	}
	CHECK(taken > 0); /* some happen to be right: an end at once */
	login_history_free(t);
}

int main(void)
{
	RUN(a_slot_counts);
	RUN(times_of_any_length);
	RUN(it_is_bounded);
	RUN(late_and_early);
	RUN(a_file_keeps_it);
	RUN(it_cannot_be_written);
	RUN(a_damaged_file_is_refused);
	RUN(any_numbers_are_survived);
	return unit_status();
}
