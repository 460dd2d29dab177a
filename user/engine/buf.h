/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * buf.h - a growable byte buffer with a limit, for messages that are put together from packets.
 */
#ifndef TDSMON_BUF_H
#define TDSMON_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct buf {
	uint8_t *data;
	uint32_t len, cap;
	bool cut; /* bytes are missing: beyond the limit, for want of memory, or not captured */
};

/* Append n bytes; what would go beyond max is left out and the buffer says it is cut. */
static inline void buf_append(struct buf *b, const uint8_t *data, uint32_t n, uint32_t max)
{
	if (b->cut)
		return;
	if (n > max - b->len) {
		b->cut = true;
		n = max - b->len;
	}
	if (b->len + n > b->cap) {
		uint32_t cap = b->cap ? b->cap : 256;
		uint8_t *grown;

		while (cap < b->len + n)
			cap *= 2;
		grown = realloc(b->data, cap);
		if (!grown) {
			b->cut = true;
			return;
		}
		b->data = grown;
		b->cap = cap;
	}
	if (n)
		memcpy(b->data + b->len, data, n);
	b->len += n;
}

static inline void buf_consume(struct buf *b, uint32_t n)
{
	b->len -= n;
	if (n && b->len)
		memmove(b->data, b->data + n, b->len);
}

static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	b->cut = false;
}

static inline void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

#endif
