/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A growable byte queue with writers for TDS's types, and a bounded reader that remembers errors.
 */
#ifndef SERVER_BUF_H
#define SERVER_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes [off, end) of mem are held. All zeroes is a valid empty buffer. Out of memory aborts. */
struct buf {
	uint8_t *mem;
	size_t off, end, cap;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b);
/* Room for n bytes behind the content; what was written there is then added with buf_grow. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_grow(struct buf *b, size_t n);
void buf_take(struct buf *b, size_t n);

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->off;
}

static inline uint8_t *buf_head(const struct buf *b)
{
	return b->mem + b->off;
}

void buf_put(struct buf *b, const void *p, size_t n);
void buf_u8(struct buf *b, unsigned v);
void buf_le16(struct buf *b, unsigned v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
void buf_be16(struct buf *b, unsigned v);
void buf_be32(struct buf *b, uint32_t v);
/* A UTF-8 text as UTF-16LE; returns the number of UTF-16 units. */
size_t buf_utf16(struct buf *b, const char *utf8);
/* The same behind a count of units in one byte (B_VARCHAR) or two (US_VARCHAR): MS-TDS 2.2.5.1.2 */
void buf_bvarchar(struct buf *b, const char *utf8);
void buf_usvarchar(struct buf *b, const char *utf8);
/* Overwrites the little-endian u16 at byte pos of the content. */
void buf_set_le16(struct buf *b, size_t pos, unsigned v);

/* Reads forward; past the end it returns zeroes and sets bad. */
struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

const uint8_t *read_bytes(struct reader *r, size_t n); /* NULL if there are not n */
unsigned read_u8(struct reader *r);
unsigned read_le16(struct reader *r);
uint32_t read_le32(struct reader *r);
unsigned read_be16(struct reader *r);

/* UTF-16LE to UTF-8, cut to fit size; always ended by a NUL. */
void utf8_from_utf16(char *to, size_t size, const uint8_t *from, size_t units);

#endif
