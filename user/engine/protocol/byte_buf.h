/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * byte_buf.h - a growable byte buffer with a limit, for messages that are put together from
 * packets; and a limit that many buffers share. A buffer may hold a password, so memory is wiped
 * before it is freed.
 */
#ifndef TDSMON_BYTE_BUF_H
#define TDSMON_BYTE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wipe.h"

#define BUF_KEPT 4096 /* an empty buffer keeps at most this much memory for later use */

/* The limit on the memory that all users of the pool hold together. */
struct pool {
	uint64_t used, max;
	uint64_t *refused; /* counts refused requests */
};

/* p NULL: no limit. False: there is no room for n more bytes. */
static inline bool pool_take(struct pool *p, uint64_t n)
{
	if (!p)
		return true;
	if (n > p->max - p->used) {
		++*p->refused;
		return false;
	}
	p->used += n;
	return true;
}

static inline void pool_give(struct pool *p, uint64_t n)
{
	if (p)
		p->used -= n;
}

struct buf {
	uint8_t *data;
	struct pool *pool; /* NULL: no shared limit */
	uint32_t len, cap;
	bool cut; /* bytes are missing: beyond a limit, for lack of memory, or not captured */
};

static inline void buf_release(struct buf *b)
{
	if (b->data) {
		pool_give(b->pool, b->cap);
		wipe_free(b->data, b->cap);
	}
	*b = (struct buf){.pool = b->pool};
}

/* Make room for len bytes, at most max. */
static inline bool buf_grow(struct buf *b, uint32_t len, uint32_t max)
{
	uint32_t cap = b->cap ? b->cap : 256;
	uint8_t *grown;

	while (cap < len)
		cap *= 2;
	cap = cap < max ? cap : max;
	if (!pool_take(b->pool, cap - b->cap))
		return false;
	grown = malloc(cap); /* realloc() could leave a copy behind */
	if (!grown) {
		pool_give(b->pool, cap - b->cap);
		return false;
	}
	if (b->len)
		memcpy(grown, b->data, b->len);
	wipe_free(b->data, b->cap);
	b->data = grown;
	b->cap = cap;
	return true;
}

/* Append n bytes. Bytes beyond max are dropped, and the buffer is marked as cut. */
static inline void buf_append(struct buf *b, const uint8_t *data, uint32_t n, uint32_t max)
{
	if (b->cut)
		return;
	if (n > max - b->len) {
		b->cut = true;
		n = max - b->len;
	}
	if (b->len + n > b->cap && !buf_grow(b, b->len + n, max)) {
		b->cut = true;
		return;
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
	if (!b->len && b->cap > BUF_KEPT)
		buf_release(b);
}

static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	b->cut = false;
	if (b->cap > BUF_KEPT)
		buf_release(b);
}

#endif
