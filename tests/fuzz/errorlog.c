// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * errorlog.c - SQL Server's error log. Input: the size of the pieces in which it is read, then its
 * bytes.
 */
#include "fuzz.h"
#include "source/errorlog/lines.h"
#include "source/errorlog/parse.h"

#define LINE_LEAST 24 /* bytes of a line that is an entry's: "2021-01-01 00:00:00 a b:" */

struct run {
	struct parse parse;
	size_t lines, entries;
	uint32_t hash;
};

static uint32_t hash_of(uint32_t hash, const char *text)
{
	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 16777619u; /* FNV-1a */
	return hash;
}

static void check_entry(struct run *r, const char *line)
{
	const struct errorlog_entry *e = &r->parse.entry;

	r->entries++;
	FUZZ_ASSERT(strlen(line) >= LINE_LEAST);
	FUZZ_ASSERT(e->number >= 0 && e->number <= 999999 && e->severity <= 25);
	fuzz_text(e->reason);
	fuzz_text(e->user);
	FUZZ_ASSERT(!e->reason || strstr(line, e->reason));
	FUZZ_ASSERT(!e->user || strstr(line, e->user));
	FUZZ_ASSERT(!e->reason || strlen(e->reason) < PARSE_REASON);
	FUZZ_ASSERT(!e->user || strlen(e->user) < PARSE_USER);
	FUZZ_ASSERT(e->client != ERRORLOG_NO_CLIENT || (!e->user && !e->reason));
	for (int i = 0; e->has_timers && i < TIMER_COUNT; i++)
		FUZZ_ASSERT(e->timer_ms[i] <= e->timer_ms[TIMER_TOTAL]);
}

static void on_line(void *ctx, const char *text)
{
	struct run *r = ctx;
	enum parse_result result;

	r->lines++;
	r->hash = hash_of(r->hash, text);
	FUZZ_ASSERT(strlen(text) < LINES_TEXT);
	if (*text)
		fuzz_text(text);
	result = parse_line(&r->parse, text);
	if (result == PARSE_ENTRY)
		check_entry(r, text);
	if (result == PARSE_ADJUSTMENT)
		FUZZ_ASSERT(r->parse.adjustment_s > -15 * 3600 &&
			    r->parse.adjustment_s < 15 * 3600);
	if (result != PARSE_NOTHING) /* a year that nanoseconds of 64 bits hold */
		FUZZ_ASSERT(parse_seconds(&r->parse.time) >= 631152000 &&
			    parse_seconds(&r->parse.time) <= 9214646400);
}

static void read_in(struct run *r, const uint8_t *data, size_t size, size_t piece)
{
	struct lines *l = malloc(sizeof(*l));
	struct fuzz f = {data, data + size};

	FUZZ_ASSERT(l);
	lines_init(l, LINES_UNKNOWN);
	while (f.p < f.end) {
		uint32_t len;
		uint8_t *bytes = fuzz_bytes(&f, (uint32_t)piece, &len);

		lines_feed(l, bytes, len, on_line, r);
		free(bytes);
	}
	free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run pieces, whole;

	if (!size)
		return 0;
	memset(&pieces, 0, sizeof(pieces));
	memset(&whole, 0, sizeof(whole));
	read_in(&pieces, data + 1, size - 1, data[0] % 64 + 1);
	read_in(&whole, data + 1, size - 1, size);
	/* However it is cut into pieces, it says the same. */
	FUZZ_ASSERT(pieces.lines == whole.lines && pieces.hash == whole.hash);
	FUZZ_ASSERT(pieces.entries == whole.entries && whole.entries <= whole.lines);
	return 0;
}
