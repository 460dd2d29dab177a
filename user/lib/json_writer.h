/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_writer.h - writes JSON as it goes, without a tree: compact, UTF-8, and harmless to a terminal.
 * The caller closes what it opened and gives each key once.
 */
#ifndef TDSMON_JSON_WRITER_H
#define TDSMON_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/output.h"

struct json_writer {
	struct output *out; /* errors are remembered there */
	bool comma;	    /* something stands before, in the object or array at hand */
};

/*
 * Every function takes the key under which the value stands: a constant of ours that needs no
 * escape, written as it is. NULL: none, in an array or at the top.
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
 * A text of any origin; NULL is null. What is no valid UTF-8 becomes U+FFFD byte by byte, and what
 * a terminal would obey (C0, DEL, C1) is escaped (RFC 8259 7).
 */
void json_writer_text(struct json_writer *w, const char *key, const char *text);

#endif
