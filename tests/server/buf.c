// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Keeps bytes in order: the queues, writers and readers of the test server. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"

void buf_release(struct buf *b)
{
	free(b->mem);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->off = b->end = 0;
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	if (b->cap - b->end >= n)
		return b->mem + b->end;
	if (b->off) {
		memmove(b->mem, b->mem + b->off, b->end - b->off);
		b->end -= b->off;
		b->off = 0;
	}
	if (b->cap - b->end < n) {
		size_t cap = b->cap ? b->cap : 512;

		while (cap - b->end < n)
			cap *= 2;
		b->mem = realloc(b->mem, cap);
		if (!b->mem)
			abort();
		b->cap = cap;
	}
	return b->mem + b->end;
}

void buf_grow(struct buf *b, size_t n)
{
	b->end += n;
}

void buf_take(struct buf *b, size_t n)
{
	b->off += n;
	if (b->off == b->end)
		buf_clear(b);
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	memcpy(buf_room(b, n), p, n);
	b->end += n;
}

void buf_u8(struct buf *b, unsigned v)
{
	*buf_room(b, 1) = v;
	b->end++;
}

void buf_le16(struct buf *b, unsigned v)
{
	buf_put(b, (uint8_t[]){v, v >> 8}, 2);
}

void buf_le32(struct buf *b, uint32_t v)
{
	buf_put(b, (uint8_t[]){v, v >> 8, v >> 16, v >> 24}, 4);
}

void buf_le64(struct buf *b, uint64_t v)
{
	buf_le32(b, v);
	buf_le32(b, v >> 32);
}

void buf_be16(struct buf *b, unsigned v)
{
	buf_put(b, (uint8_t[]){v >> 8, v}, 2);
}

void buf_be32(struct buf *b, uint32_t v)
{
	buf_put(b, (uint8_t[]){v >> 24, v >> 16, v >> 8, v}, 4);
}

/* One code point of UTF-8; a malformed byte stands for itself. */
static uint32_t utf8_next(const uint8_t **p)
{
	uint32_t c = *(*p)++;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more)
		c &= 0x3f >> more;
	while (more-- && (**p & 0xc0) == 0x80)
		c = c << 6 | (*(*p)++ & 0x3f);
	return c;
}

size_t buf_utf16(struct buf *b, const char *utf8)
{
	const uint8_t *p = (const uint8_t *)utf8;
	size_t units = 0;

	while (*p) {
		uint32_t c = utf8_next(&p);

		if (c > 0xffff) {
			c -= 0x10000;
			buf_le16(b, 0xd800 | (c >> 10 & 0x3ff));
			c = 0xdc00 | (c & 0x3ff);
			units++;
		}
		buf_le16(b, c);
		units++;
	}
	return units;
}

void buf_bvarchar(struct buf *b, const char *utf8)
{
	size_t pos = buf_len(b), units;

	buf_u8(b, 0);
	units = buf_utf16(b, utf8);
	buf_head(b)[pos] = units;
}

void buf_usvarchar(struct buf *b, const char *utf8)
{
	size_t pos = buf_len(b);

	buf_le16(b, 0);
	buf_set_le16(b, pos, buf_utf16(b, utf8));
}

void buf_set_le16(struct buf *b, size_t pos, unsigned v)
{
	buf_head(b)[pos] = v;
	buf_head(b)[pos + 1] = v >> 8;
}

const uint8_t *read_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->left < n) {
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

unsigned read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? *p : 0;
}

unsigned read_le16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? p[0] | p[1] << 8 : 0;
}

unsigned read_be16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? p[0] << 8 | p[1] : 0;
}

uint32_t read_le32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p ? p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

void utf8_from_utf16(char *to, size_t size, const uint8_t *from, size_t units)
{
	size_t n = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = from[2 * i] | from[2 * i + 1] << 8;

		if ((c & 0xfc00) == 0xd800 && i + 1 < units) {
			i++;
			c = 0x10000 + ((c & 0x3ff) << 10) +
			    ((from[2 * i] | from[2 * i + 1] << 8) & 0x3ff);
		}
		if (n + 5 > size)
			break;
		if (c < 0x80) {
			to[n++] = c;
		} else if (c < 0x800) {
			to[n++] = 0xc0 | c >> 6;
			to[n++] = 0x80 | (c & 0x3f);
		} else if (c < 0x10000) {
			to[n++] = 0xe0 | c >> 12;
			to[n++] = 0x80 | (c >> 6 & 0x3f);
			to[n++] = 0x80 | (c & 0x3f);
		} else {
			to[n++] = 0xf0 | c >> 18;
			to[n++] = 0x80 | (c >> 12 & 0x3f);
			to[n++] = 0x80 | (c >> 6 & 0x3f);
			to[n++] = 0x80 | (c & 0x3f);
		}
	}
	to[n] = 0;
}
