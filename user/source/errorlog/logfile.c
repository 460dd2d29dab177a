// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * logfile.c - see logfile.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "source/errorlog/lines.h"
#include "source/errorlog/logfile.h"
#include "source/errorlog/parse.h"
#include "lib/units.h"

#define CHUNK	  65536
#define HEAD_MOST CHUNK /* the adjustment is among the first lines */

/* Where a line's time of day comes from. */
enum zone {
	ZONE_HOST,  /* this host's time zone: the log says nothing of its own */
	ZONE_SAME,  /* the same: it agrees with the log's adjustment, and knows summer time */
	ZONE_FIXED, /* the log's adjustment */
};

struct logfile {
	const char *name;
	int fd;
	uint64_t offset; /* of the byte after the buffer's last */
	enum zone zone;
	int32_t adjustment_s;
	bool zone_said;
	uint64_t lines_count;
	struct lines lines;
	struct parse parse;
	enum parse_result result; /* of the last line */
	size_t at, len;		  /* in the buffer */
	uint8_t buffer[CHUNK];
};

/* ---- time ---- */

/* Seconds by which this host's clocks differ from UTC at that local time. */
static int32_t host_offset(const struct parse_time *t)
{
	struct tm tm = {.tm_year = t->year - 1900,
			.tm_mon = t->month - 1,
			.tm_mday = t->day,
			.tm_hour = t->hour,
			.tm_min = t->minute,
			.tm_sec = t->second,
			.tm_isdst = -1};

	return (int32_t)(parse_seconds(t) - (int64_t)mktime(&tm));
}

static void say_zone(struct logfile *log, int32_t offset_s)
{
	static const char *const words[] = {
		[ZONE_HOST] = "as this host's time zone is, for it has no line with its own",
		[ZONE_SAME] = "as its line of the UTC adjustment says and this host's time zone is",
		[ZONE_FIXED] = "as its line of the UTC adjustment says",
	};
	int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;

	if (log->zone_said)
		return;
	log->zone_said = true;
	log_debug("%s: its times are UTC%c%d:%02d, %s", log->name, offset_s < 0 ? '-' : '+',
		  minutes / 60, minutes % 60, words[log->zone]);
}

static uint64_t utc_ns(struct logfile *log)
{
	const struct parse_time *t = &log->parse.time;
	int32_t offset_s = log->zone == ZONE_FIXED ? log->adjustment_s : host_offset(t);

	say_zone(log, offset_s);
	return (uint64_t)(parse_seconds(t) - offset_s) * NS_PER_S + t->ns;
}

/* A server has started: its lines are of this zone from here on. */
static void take_adjustment(struct logfile *log)
{
	log->adjustment_s = log->parse.adjustment_s;
	log->zone = host_offset(&log->parse.time) == log->adjustment_s ? ZONE_SAME : ZONE_FIXED;
	log->zone_said = false;
}

/* ---- bytes ---- */

static void on_line(void *ctx, const char *text)
{
	struct logfile *log = ctx;

	log->lines_count++;
	log->result = parse_line(&log->parse, text);
	if (log->result == PARSE_ADJUSTMENT)
		take_adjustment(log);
}

/* More bytes: how many, 0 at the end, -errno. */
static int fill(struct logfile *log, uint64_t *budget)
{
	size_t room = sizeof(log->buffer) < *budget ? sizeof(log->buffer) : (size_t)*budget;
	ssize_t n = pread(log->fd, log->buffer, room, (off_t)log->offset);

	if (n < 0)
		return -errno;
	log->at = 0;
	log->len = (size_t)n;
	log->offset += (uint64_t)n;
	*budget -= (uint64_t)n;
	return (int)n;
}

/*
 * Up to and with the next byte that may be a line's end. In UTF-16 the line ends with the byte after
 * it, so no more than one line ends in each part.
 */
static void feed_part(struct logfile *log)
{
	const uint8_t *from = log->buffer + log->at;
	const uint8_t *end = memchr(from, '\n', log->len - log->at);
	size_t len = end ? (size_t)(end - from) + 1 : log->len - log->at;

	log->at += len;
	lines_feed(&log->lines, from, len, on_line, log);
}

int logfile_next(struct logfile *log, struct errorlog_entry *entry, uint64_t *budget)
{
	for (;;) {
		int n = log->at < log->len ? 1 : fill(log, budget);

		if (n <= 0)
			return n;
		log->result = PARSE_NOTHING;
		feed_part(log);
		if (log->result != PARSE_ENTRY)
			continue;
		*entry = log->parse.entry;
		entry->time_ns = utc_ns(log);
		return 1;
	}
}

/* ---- the beginning ---- */

/* What the first lines say: the encoding, and the server's time zone. */
static void read_head(struct logfile *log)
{
	uint64_t budget = HEAD_MOST;

	if (fill(log, &budget) <= 0)
		return;
	while (log->at < log->len)
		feed_part(log);
	log->at = log->len = 0;
}

/* From the end on. A line of which a part is there already is left out. */
static void skip_to_end(struct logfile *log)
{
	enum lines_encoding encoding = log->lines.encoding;
	struct stat st;
	uint8_t last[2];
	uint64_t size;

	if (fstat(log->fd, &st) || st.st_size < 2)
		return; /* from its beginning on: nothing is there */
	size = (uint64_t)st.st_size;
	if (encoding == LINES_UTF16)
		size &= ~1ull;
	lines_init(&log->lines, encoding);
	log->parse.open = false;
	log->offset = size;
	if (pread(log->fd, last, 2, (off_t)size - 2) != 2 ||
	    last[encoding == LINES_UTF16 ? 0 : 1] != '\n')
		lines_skip(&log->lines);
}

struct logfile *logfile_new(const char *name, int fd, bool at_end)
{
	struct logfile *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->name = name;
	log->fd = fd;
	tzset(); /* before files can't be opened any more */
	lines_init(&log->lines, LINES_UNKNOWN);
	if (!at_end)
		return log;
	read_head(log);
	skip_to_end(log);
	return log;
}

void logfile_free(struct logfile *log)
{
	free(log);
}

bool logfile_is_cut(const struct logfile *log)
{
	struct stat st;

	return !fstat(log->fd, &st) && (uint64_t)st.st_size < log->offset;
}

bool logfile_is_foreign(const struct logfile *log, uint64_t *lines)
{
	*lines = log->lines_count;
	return log->offset && !log->parse.dated;
}
