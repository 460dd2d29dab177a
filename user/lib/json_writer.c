// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_writer.c - see jsonw.h.
 */
#include <string.h>

#include "lib/json_writer.h"
#include "lib/utf8.h"

#define NUMBER_MAX 20 /* digits of UINT64_MAX */

static void put(struct jsonw *w, const char *text)
{
	output_write(w->out, text, strlen(text));
}

/* What comes before a value. */
static void begin(struct jsonw *w, const char *key)
{
	if (w->comma)
		output_write(w->out, ",", 1);
	w->comma = true;
	if (!key)
		return;
	output_write(w->out, "\"", 1);
	put(w, key);
	output_write(w->out, "\":", 2);
}

void jsonw_object(struct jsonw *w, const char *key)
{
	begin(w, key);
	output_write(w->out, "{", 1);
	w->comma = false;
}

void jsonw_object_end(struct jsonw *w)
{
	output_write(w->out, "}", 1);
	w->comma = true;
}

void jsonw_array(struct jsonw *w, const char *key)
{
	begin(w, key);
	output_write(w->out, "[", 1);
	w->comma = false;
}

void jsonw_array_end(struct jsonw *w)
{
	output_write(w->out, "]", 1);
	w->comma = true;
}

void jsonw_null(struct jsonw *w, const char *key)
{
	begin(w, key);
	output_write(w->out, "null", 4);
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
	begin(w, key);
	put(w, value ? "true" : "false");
}

static void put_number(struct jsonw *w, uint64_t value)
{
	char digits[NUMBER_MAX];
	size_t at = NUMBER_MAX;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	output_write(w->out, digits + at, NUMBER_MAX - at);
}

void jsonw_int(struct jsonw *w, const char *key, int64_t value)
{
	begin(w, key);
	if (value < 0)
		output_write(w->out, "-", 1);
	put_number(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void jsonw_uint(struct jsonw *w, const char *key, uint64_t value)
{
	begin(w, key);
	put_number(w, value);
}

/* Does the byte stand for itself, whatever comes after it? */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_escaped(struct jsonw *w, unsigned c)
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
	put(w, text);
}

/* One character that is not plain; returns its length. */
static size_t put_character(struct jsonw *w, const char *s)
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

void jsonw_text(struct jsonw *w, const char *key, const char *text)
{
	const char *s = text;

	if (!text) {
		jsonw_null(w, key);
		return;
	}
	begin(w, key);
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
