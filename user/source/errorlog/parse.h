/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * parse.h - lines of SQL Server's error log into entries. An error takes two lines, the first with
 * its numbers, the second with its message. Messages are in the server's language: they are read by
 * their numbers, quotes and brackets. Pure: no system call, no clock.
 */
#ifndef TDSMON_ERRORLOG_PARSE_H
#define TDSMON_ERRORLOG_PARSE_H

#include "engine/record.h"

#define PARSE_SOURCE 32	 /* bytes of a line's second word, with a NUL */
#define PARSE_USER   520 /* a name of 128 characters */
#define PARSE_REASON 512

/* A date and time as the log has it, in the server's time zone. */
struct parse_time {
	int32_t year, month, day, hour, minute, second;
	uint32_t ns;
};

enum parse_result {
	PARSE_NOTHING,
	PARSE_ENTRY,	  /* entry, all but its time_ns, and time */
	PARSE_ADJUSTMENT, /* adjustment_s: the server's zone when it started; and time */
};

struct parse {
	/* The last answer; it lives until the next line. */
	struct errorlog_entry entry;
	struct parse_time time;
	int32_t adjustment_s; /* local time less UTC */
	uint64_t dated;	      /* lines that began with a date so far: an error log has them */

	/* The error whose message is due. */
	bool open;
	int32_t number;
	uint8_t severity, state;
	char source[PARSE_SOURCE];
	struct parse_time opened;
	char user[PARSE_USER], reason[PARSE_REASON];
};

/* p: all zeroes before the first line. text: UTF-8, ends with a NUL. */
enum parse_result parse_line(struct parse *p, const char *text);

/* Seconds since 1970 of that time as if it were UTC. */
int64_t parse_seconds(const struct parse_time *time);

#endif
