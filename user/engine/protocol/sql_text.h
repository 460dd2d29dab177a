/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_text.h - the text of a request, for those who asked for it: what a batch says, which procedure an
 * RPC calls and the statement that it hands to it. Collects no parameters' values and no rows.
 */
#ifndef TDSMON_SQL_TEXT_H
#define TDSMON_SQL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define SQL_CHARS_MAX 4096 /* UTF-16 code units told of a text; beyond, it is cut */
/* Payload held of a request: the text, and what comes before it. */
#define SQL_BYTES_MAX (2 * SQL_CHARS_MAX + 2048)

/* How a statement is written: TDS before 7 has one byte a character, later ones UTF-16LE. */
enum sql_width {
	SQL_WIDTH_UNKNOWN, /* the login was not seen */
	SQL_WIDTH_BYTE,
	SQL_WIDTH_UTF16,
};

/* A request's payload, as far as it is held. */
struct sql {
	uint8_t type;  /* enum tds_type: TDS_BATCH, TDS_RPC or TDS_NORMAL_OLD */
	uint8_t width; /* enum sql_width: of the connection, as far as it is known */
	bool cut;      /* there is more of it, or bytes were not captured */
	uint32_t len;
	uint8_t data[SQL_BYTES_MAX];
};

/* More of the payload; data NULL: it was not captured. */
void sql_add(struct sql *s, const uint8_t *data, uint32_t len);

/* What a request says: UTF-8, allocated; NULL where there is none or it can't be read. */
struct sql_text {
	char *text;	      /* the batch, or the statement handed to a system procedure */
	char *procedure;      /* RPC: the procedure called */
	bool cut;	      /* there is more to text */
	enum sql_width width; /* the connection's, where this request tells it beyond doubt */
};

void sql_read(struct sql_text *t, const struct sql *s);
void sql_text_release(struct sql_text *t);

#endif
