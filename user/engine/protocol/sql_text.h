/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_text.h - the text of a request, for users who asked for it: a batch's text, or the procedure
 * that an RPC calls and the statement that it passes. Collects no parameter values and no rows.
 */
#ifndef TDSMON_SQL_TEXT_H
#define TDSMON_SQL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define SQL_CHARS_MAX 4096 /* UTF-16 code units kept of a text; a longer text is cut */
/* Payload bytes held of a request: the text and the part before it. */
#define SQL_BYTES_MAX (2 * SQL_CHARS_MAX + 2048)

/* A statement's encoding: TDS before 7 has one byte a character, later versions UTF-16LE. */
enum sql_width {
	SQL_WIDTH_UNKNOWN, /* the login was not seen */
	SQL_WIDTH_BYTE,
	SQL_WIDTH_UTF16,
};

/* A request's payload, as far as it is held. */
struct sql {
	uint8_t type;  /* enum tds_type: TDS_BATCH, TDS_RPC or TDS_NORMAL_OLD */
	uint8_t width; /* enum sql_width: the connection's, as far as it is known */
	bool cut;      /* there is more of it, or bytes were not captured */
	uint32_t len;
	uint8_t data[SQL_BYTES_MAX];
};

/* Take more of the payload. data NULL: it was not captured. */
void sql_add(struct sql *s, const uint8_t *data, uint32_t len);

/* The contents of a request: UTF-8, allocated. NULL if a field is absent or can't be read. */
struct sql_text {
	char *text;	      /* the batch, or the statement passed to a system procedure */
	char *procedure;      /* RPC: the called procedure */
	bool cut;	      /* text continues */
	enum sql_width width; /* the connection's, if this request proves it */
};

void sql_read(struct sql_text *t, const struct sql *s);
void sql_text_release(struct sql_text *t);

#endif
