/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_writer.h - writes JSON directly, without a tree: compact, UTF-8, and harmless to a terminal.
 * The caller closes what it opened and writes each key once.
 */
#ifndef TDSMON_JSON_WRITER_H
#define TDSMON_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/output.h"

struct json_writer {
	struct output *out; /* keeps the errors */
	bool comma;	    /* the current object or array already has a value */
};

/*
 * Each function takes the value's key: a constant that needs no escape and is written as it is;
 * NULL in an array and at the top.
 */
void json_writer_object(struct json_writer *w, const char *key);
void json_writer_object_end(struct json_writer *w);
void json_writer_array(struct json_writer *w, const char *key);
void json_writer_array_end(struct json_writer *w);

void json_writer_null(struct json_writer *w, const char *key);
void json_writer_bool(struct json_writer *w, const char *key, bool value);
void json_writer_int(struct json_writer *w, const char *key, int64_t value);
void json_writer_uint(struct json_writer *w, const char *key, uint64_t value);

/*
 * Text of any origin; NULL becomes null. Each byte that is not valid UTF-8 becomes U+FFFD, and
 * control characters (C0, DEL, C1) are escaped (RFC 8259 7).
 */
void json_writer_text(struct json_writer *w, const char *key, const char *text);

#endif
