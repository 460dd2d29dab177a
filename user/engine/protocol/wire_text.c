/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire_text.c - see wire_text.h.
 */
#include <endian.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/wire_text.h"
#include "lib/decimal.h"
#include "lib/utf8.h"
#include "lib/wire_int.h"

#define GUID_LEN 36 /* 8-4-4-4-12 */

/* Returns where the character ends. */
static char *text_put(char *out, uint32_t c)
{
	return out + utf8_put(c, out);
}

/* Are four UTF-16 units ASCII, none of them NUL? Nearly all text of logins is. */
static bool ascii4(const uint8_t p[8])
{
	uint64_t ones = 0x0001000100010001ull, v;

	memcpy(&v, p, sizeof(v));
	v = le64toh(v);
	/* A zero unit borrows. */
	return !(v & 0xff80 * ones) && !((v - ones) & 0x8000 * ones);
}

char *text_utf16(const uint8_t *p, size_t bytes)
{
	size_t units = bytes / 2;
	char *text, *out;

	while (units && !p[2 * units - 2] && !p[2 * units - 1])
		units--; /* LOGINACK pads its name with NULs */
	if (!units)
		return NULL;
	text = out = malloc(3 * units + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < units; i++) {
		uint32_t c;

		for (; i + 4 <= units && ascii4(p + 2 * i); i += 4, out += 4)
			for (int k = 0; k < 4; k++)
				out[k] = (char)p[2 * (i + k)];
		if (i == units)
			break;
		c = le16_at(p + 2 * i);
		if (c >= 0xd800 && c < 0xdc00 && i + 1 < units) {
			uint32_t low = le16_at(p + 2 * i + 2);

			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i++;
			}
		}
		if ((c >= 0xd800 && c < 0xe000) || !c)
			c = 0xfffd;
		out = text_put(out, c);
	}
	*out = 0;
	return text;
}

char *text_name(const uint8_t *p, size_t bytes)
{
	return text_utf16(p, bytes < 2 * TEXT_NAME_MOST ? bytes : 2 * TEXT_NAME_MOST);
}

char *text_latin1(const uint8_t *p, size_t bytes)
{
	char *text, *out;

	if (!bytes || !p[0])
		return NULL;
	bytes = bytes < TEXT_NAME_MOST ? bytes : TEXT_NAME_MOST;
	text = out = malloc(2 * bytes + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes && p[i]; i++)
		out = text_put(out, p[i]);
	*out = 0;
	return text;
}

char *text_bytes(const uint8_t *p, size_t bytes)
{
	char *text, *out;

	while (bytes && !p[bytes - 1])
		bytes--;
	if (!bytes)
		return NULL;
	text = out = malloc(3 * bytes + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes; i++)
		out = text_put(out, p[i] && p[i] < 0x80 ? p[i] : 0xfffd);
	*out = 0;
	return text;
}

char *text_guid(const uint8_t p[16])
{
	/* The first three fields are little-endian (MS-DTYP 2.3.4.2). */
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	static const char hex[] = "0123456789abcdef";
	char *text, *out;
	uint8_t any = 0;

	for (int i = 0; i < 16; i++)
		any |= p[i];
	text = out = any ? malloc(GUID_LEN + 1) : NULL;
	for (int i = 0; text && i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[p[order[i]] >> 4];
		*out++ = hex[p[order[i]] & 15];
	}
	if (text)
		*out = 0;
	return text;
}

void text_version(char text[TEXT_VERSION], const uint8_t p[4])
{
	char *out = decimal_put(text, p[0]);

	*out++ = '.';
	out = decimal_put(out, p[1]);
	*out++ = '.';
	out = decimal_put(out, be16_at(p + 2));
	*out = 0;
}

char *text_after_ms(const char *before, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);
	size_t len = strlen(before);
	char *text = malloc(len + DECIMAL_MAX + sizeof(".000 ms")), *out = text;

	if (!text)
		return NULL;
	memcpy(out, before, len);
	out = decimal_put(out + len, us / 1000);
	*out++ = '.';
	out = decimal_put_last(out, us, 3);
	memcpy(out, " ms", sizeof(" ms"));
	return text;
}

char *text_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

void text_set(char **slot, char *text)
{
	if (!text)
		return;
	free(*slot);
	*slot = text;
}
