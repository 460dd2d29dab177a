// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lines.c - see lines.h.
 */
#include <string.h>

#include "lib/utf8.h"
#include "source/errorlog/lines.h"
#include "lib/wire_int.h"

#define BOM	      0xfeff
#define IS_HIGH(unit) (((unit)&0xfc00) == 0xd800) /* RFC 2781 2.1 */
#define IS_LOW(unit)  (((unit)&0xfc00) == 0xdc00)

void lines_init(struct lines *l, enum lines_encoding encoding)
{
	*l = (struct lines){.encoding = encoding};
}

void lines_skip(struct lines *l)
{
	l->skips = true;
	l->len = 0;
}

static void put(struct lines *l, uint32_t cp)
{
	char bytes[4];
	size_t n;

	if (l->skips || cp == BOM)
		return;
	n = utf8_put(cp ? cp : UTF8_REPLACEMENT, bytes);
	if (l->len + n >= sizeof(l->text)) {
		lines_skip(l);
		return;
	}
	memcpy(l->text + l->len, bytes, n);
	l->len += n;
}

static void character(struct lines *l, uint32_t cp, lines_fn *fn, void *ctx)
{
	if (cp != '\n') {
		put(l, cp);
		return;
	}
	if (l->len && l->text[l->len - 1] == '\r')
		l->len--;
	l->text[l->len] = '\0';
	l->len = 0;
	l->skips = false;
	fn(ctx, l->text);
}

static void utf16(struct lines *l, uint16_t unit, lines_fn *fn, void *ctx)
{
	uint16_t high = l->high;

	l->high = 0;
	if (high && IS_LOW(unit)) {
		character(l, 0x10000u + ((uint32_t)(high & 0x3ff) << 10) + (unit & 0x3ff), fn, ctx);
		return;
	}
	if (high)
		character(l, UTF8_REPLACEMENT, fn, ctx);
	if (IS_HIGH(unit))
		l->high = unit;
	else
		character(l, IS_LOW(unit) ? UTF8_REPLACEMENT : unit, fn, ctx);
}

/* How many bytes a character has that begins so; RFC 3629 3. */
static uint8_t utf8_length(uint8_t first)
{
	return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Decode the bytes in held, complete characters or not. Bytes that are not UTF-8 become U+FFFD. */
static void utf8_flush(struct lines *l, lines_fn *fn, void *ctx)
{
	char text[sizeof(l->held) + 1] = "";
	uint32_t cp;
	size_t n;

	memcpy(text, l->held, l->have);
	l->have = 0;
	for (const char *s = text; (n = utf8_next(s, &cp)); s += n)
		character(l, cp, fn, ctx);
}

static void utf8(struct lines *l, uint8_t byte, lines_fn *fn, void *ctx)
{
	/* A byte that does not go on with the character ends it. */
	if (l->have && (byte & 0xc0) != 0x80)
		utf8_flush(l, fn, ctx);
	if (!byte) {
		character(l, UTF8_REPLACEMENT, fn, ctx);
		return;
	}
	l->held[l->have++] = byte;
	if (l->have == utf8_length(l->held[0]))
		utf8_flush(l, fn, ctx);
}

static void take(struct lines *l, uint8_t byte, lines_fn *fn, void *ctx)
{
	if (l->encoding == LINES_UTF8) {
		utf8(l, byte, fn, ctx);
		return;
	}
	l->held[l->have++] = byte;
	if (l->have < 2)
		return;
	l->have = 0;
	utf16(l, le16_at(l->held), fn, ctx);
}

/* The first two bytes: a byte order mark, or a digit of a year, which has a zero byte in UTF-16. */
static void detect(struct lines *l, uint8_t byte, lines_fn *fn, void *ctx)
{
	uint8_t first[2];

	l->held[l->have++] = byte;
	if (l->have < 2)
		return;
	memcpy(first, l->held, sizeof(first));
	l->have = 0;
	l->encoding =
		(first[0] == 0xff && first[1] == 0xfe) || !first[1] ? LINES_UTF16 : LINES_UTF8;
	take(l, first[0], fn, ctx);
	take(l, first[1], fn, ctx);
}

void lines_feed(struct lines *l, const uint8_t *data, size_t len, lines_fn *fn, void *ctx)
{
	for (size_t i = 0; i < len; i++) {
		if (l->encoding == LINES_UNKNOWN)
			detect(l, data[i], fn, ctx);
		else
			take(l, data[i], fn, ctx);
	}
}
