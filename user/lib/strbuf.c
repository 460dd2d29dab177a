// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * strbuf.c - text that grows.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/decimal.h"
#include "lib/strbuf.h"
#include "lib/units.h"

#define STRBUF_FIRST 4096
#define DECIMALS     9

void strbuf_release(struct strbuf *buf)
{
	free(buf->data);
	*buf = (struct strbuf){0};
}

char *strbuf_reserve(struct strbuf *buf, size_t len)
{
	size_t size = buf->size ? buf->size : STRBUF_FIRST;
	char *data;

	if (buf->failed)
		return NULL;
	if (len <= buf->size - buf->len)
		return buf->data + buf->len;
	while (size - buf->len < len)
		size *= 2;
	data = realloc(buf->data, size);
	if (!data) {
		buf->failed = true;
		return NULL;
	}
	buf->data = data;
	buf->size = size;
	return data + buf->len;
}

void strbuf_addf(struct strbuf *buf, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	strbuf_add(buf, text, (size_t)len);
	free(text);
}

void strbuf_addu(struct strbuf *buf, uint64_t n)
{
	char digits[DECIMAL_MAX];
	const char *end = decimal_put(digits, n);

	strbuf_add(buf, digits, (size_t)(end - digits));
}

void strbuf_add_seconds(struct strbuf *buf, uint64_t ns)
{
	uint64_t fraction = ns % NS_PER_S;
	char digits[1 + DECIMALS] = ".";
	size_t len = sizeof(digits);

	strbuf_addu(buf, ns / NS_PER_S);
	if (!fraction)
		return;
	decimal_put_last(digits + 1, fraction, DECIMALS);
	while (digits[len - 1] == '0')
		len--;
	strbuf_add(buf, digits, len);
}
