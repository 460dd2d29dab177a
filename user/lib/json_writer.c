// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_writer.c - see json_writer.h.
 */
#include <string.h>

#include "lib/decimal.h"
#include "lib/json_writer.h"
#include "lib/utf8.h"

static void put_text(struct json_writer *w, const char *text)
{
	output_write(w->out, text, strlen(text));
}

/* Write what precedes a value: a comma, and the key. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->comma)
		output_write(w->out, ",", 1);
	w->comma = true;
	if (!key)
		return;
	output_write(w->out, "\"", 1);
	put_text(w, key);
	output_write(w->out, "\":", 2);
}

void json_writer_object(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	output_write(w->out, "{", 1);
	w->comma = false;
}

void json_writer_object_end(struct json_writer *w)
{
	output_write(w->out, "}", 1);
	w->comma = true;
}

void json_writer_array(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	output_write(w->out, "[", 1);
	w->comma = false;
}

void json_writer_array_end(struct json_writer *w)
{
	output_write(w->out, "]", 1);
	w->comma = true;
}

void json_writer_null(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	output_write(w->out, "null", 4);
}

void json_writer_bool(struct json_writer *w, const char *key, bool value)
{
	begin_value(w, key);
	put_text(w, value ? "true" : "false");
}

static void put_number(struct json_writer *w, uint64_t value)
{
	char digits[DECIMAL_MAX];

	output_write(w->out, digits, (size_t)(decimal_put(digits, value) - digits));
}

void json_writer_int(struct json_writer *w, const char *key, int64_t value)
{
	begin_value(w, key);
	if (value < 0)
		output_write(w->out, "-", 1);
	put_number(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_writer_uint(struct json_writer *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	put_number(w, value);
}

/* Is the byte written as it is, whatever follows? */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_escaped(struct json_writer *w, unsigned c)
{
	static const char hex[] = "0123456789ABCDEF", shorts[] = "\"\\\b\f\n\r\t";
	const char *at = c < 0x80 && c ? strchr(shorts, (int)c) : NULL;
	char text[] = "\\u00xx";

	if (at) {
		text[1] = "\"\\bfnrt"[at - shorts];
		text[2] = '\0';
	} else {
		text[4] = hex[c >> 4 & 15];
		text[5] = hex[c & 15];
	}
	put_text(w, text);
}

/* Write a character that is not plain. Returns its length in s. */
static size_t put_character(struct json_writer *w, const char *s)
{
	uint32_t c;
	size_t n = utf8_next(s, &c);
	char utf8[4];

	if (c < 0xa0)
		put_escaped(w, c);
	else
		output_write(w->out, utf8, utf8_put(c, utf8));
	return n;
}

void json_writer_text(struct json_writer *w, const char *key, const char *text)
{
	const char *s = text;

	if (!text) {
		json_writer_null(w, key);
		return;
	}
	begin_value(w, key);
	output_write(w->out, "\"", 1);
	while (*s) {
		const char *plain = s;

		while (is_plain((unsigned char)*s))
			s++;
		output_write(w->out, plain, (size_t)(s - plain));
		if (*s)
			s += put_character(w, s);
	}
	output_write(w->out, "\"", 1);
}
