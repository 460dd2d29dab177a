/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cursor.h - bounded reads of wire bytes. A read past the end returns 0, consumes nothing more
 * and marks the cursor bad: parsers read a whole layout and ask once.
 */
#ifndef TDSMON_CURSOR_H
#define TDSMON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/wire_int.h"

struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct cursor cursor_init(const uint8_t *data, size_t len)
{
	return (struct cursor){.p = data, .end = len ? data + len : data};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->p);
}

/* Take n bytes in place. NULL: too few are left, and the cursor is bad. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->p;

	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	return at;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
	cursor_take(c, n);
}

/* A cursor over the next n bytes, which this one skips. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *at = cursor_take(c, n);

	return at ? cursor_init(at, n) : (struct cursor){.bad = true};
}

/* A little-endian number of n bytes, at most 8. */
static inline uint64_t cursor_le(struct cursor *c, size_t n)
{
	const uint8_t *at = cursor_take(c, n);
	uint64_t v = 0;

	for (size_t i = n; at && i-- > 0;)
		v = v << 8 | at[i];
	return v;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 1);

	return at ? at[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 2);

	return at ? be16_at(at) : 0;
}

static inline uint32_t cursor_be24(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 3);

	return at ? be24_at(at) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 4);

	return at ? be32_at(at) : 0;
}

static inline uint16_t cursor_le16(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 2);

	return at ? le16_at(at) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
	const uint8_t *at = cursor_take(c, 4);

	return at ? le32_at(at) : 0;
}

#endif
