/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * row.h - a login as the tables show it, read from its JSON record.
 */
#ifndef TDSMON_ROW_H
#define TDSMON_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "top/name_table.h"

#define ROW_NO_NS    UINT64_MAX
#define ROW_PHASES   5
#define ROW_NEEDS    8	 /* dependencies kept of a login */
#define ROW_SENTENCE 240 /* bytes */

enum row_field {
	ROW_CLIENT, /* address */
	ROW_SERVER, /* address and port */
	ROW_APP,
	ROW_DRIVER,
	ROW_DATABASE,
	ROW_HOST, /* the client host's name */
	ROW_USER,
	ROW_OUTCOME,
	ROW_CLASS,
	ROW_VERDICT,
	ROW_ERROR, /* number */
	ROW_WAITS, /* the side that was waited for longest */
	ROW_FIELDS
};

enum row_class {
	ROW_OK,
	ROW_SLOW,
	ROW_FAILED,
	ROW_ENDED,
	ROW_UNKNOWN,
};

/* Requests to another service during the login. */
struct row_need {
	struct name *peer; /* "kerberos 10.0.0.2:88" */
	uint64_t ns;
	uint32_t requests, unanswered;
};

struct row {
	uint64_t seq; /* 1 for the first login */
	uint64_t id;
	uint64_t start_ns, end_ns; /* wall time */
	uint64_t total_ns;	   /* ROW_NO_NS: not known */
	uint64_t phase_ns[ROW_PHASES];
	uint64_t wait_ns; /* of ROW_WAITS */
	struct name *field[ROW_FIELDS];
	struct row_need *needs;
	char *sentence; /* of the verdict, its beginning; or NULL */
	char *line;	/* the record; NULL: no longer kept */
	uint32_t line_len;
	uint16_t client_port;
	uint8_t need_count, class; /* enum row_class */
	bool timed;		   /* its time counts: it was answered or kept waiting */
	bool matches;		   /* the filter */
};

/*
 * Read a login record, a line without its LF. False: it is no JSON object, or lacks what a login has;
 * then row holds nothing. row->line is left NULL.
 */
bool row_read(struct row *row, const char *line, size_t len, struct name_table *names);
void row_release(struct row *row, struct name_table *names);

/* The field's name in filters, and its value: "" if it was not seen. */
const char *row_field_name(enum row_field field);
const char *row_text(const struct row *row, enum row_field field);

/* Failed or slow. */
static inline bool row_is_problem(const struct row *row)
{
	return row->class == ROW_FAILED || row->class == ROW_SLOW;
}

/* "2021-01-01T00:01:56.577669800Z" as ns since 1970; 0: not such a time. */
uint64_t row_time_ns(const char *text);

/* A value by its path, as "tds.spid" or "dependencies.0.kind"; NULL: there is no such key. */
const json_t *row_path(const json_t *value, const char *path);

/* Its text; NULL: it is no text. */
const char *row_string(const json_t *value, const char *path);
/* Its number of ns; ROW_NO_NS: it has no number. */
uint64_t row_ns(const json_t *value, const char *path);
/* "10.0.0.1:1433" of an object with addr and port. Returns text. */
#define ROW_ENDPOINT 64
const char *row_endpoint(const json_t *value, char text[ROW_ENDPOINT]);

#endif
