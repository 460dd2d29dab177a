/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * strbuf.h - text that grows in memory. It keeps a failure, so that writers need not check. An
 * empty one is all zeroes.
 */
#ifndef TDSMON_STRBUF_H
#define TDSMON_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct strbuf {
	char *data; /* freed by strbuf_release(); has no NUL at the end */
	size_t len, size;
	bool failed; /* memory ran out: the text is incomplete */
};

void strbuf_release(struct strbuf *buf);

/* Reserve len more bytes; NULL with failed set. The caller adds the bytes it used to len. */
char *strbuf_reserve(struct strbuf *buf, size_t len);

static inline void strbuf_add(struct strbuf *buf, const char *data, size_t len)
{
	bool fits = buf->data && len <= buf->size - buf->len;
	char *at = fits ? buf->data + buf->len : strbuf_reserve(buf, len);

	if (!at)
		return;
	memcpy(at, data, len);
	buf->len += len;
}

void strbuf_addf(struct strbuf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline void strbuf_adds(struct strbuf *buf, const char *s)
{
	strbuf_add(buf, s, strlen(s));
}

/* A decimal number. A page has a hundred thousand of them, and printf() is slow. */
void strbuf_addu(struct strbuf *buf, uint64_t n);

/* ns as seconds, exact, without trailing zeroes: "0.0185", "15", "0". */
void strbuf_add_seconds(struct strbuf *buf, uint64_t ns);

#endif
