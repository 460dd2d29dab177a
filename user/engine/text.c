/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text.c - see text.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

static char *utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
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
		uint32_t c = p[2 * i] | (uint32_t)p[2 * i + 1] << 8;

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < units) {
			uint32_t low = p[2 * i + 2] | (uint32_t)p[2 * i + 3] << 8;

			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i++;
			}
		}
		if ((c >= 0xd800 && c < 0xe000) || !c)
			c = 0xfffd;
		out = utf8_put(out, c);
	}
	*out = 0;
	return text;
}

char *text_latin1(const uint8_t *p, size_t bytes)
{
	char *text, *out;

	if (!bytes || !p[0])
		return NULL;
	text = out = malloc(2 * bytes + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes && p[i]; i++)
		out = utf8_put(out, p[i]);
	*out = 0;
	return text;
}

char *text_guid(const uint8_t p[16])
{
	uint8_t any = 0;

	for (int i = 0; i < 16; i++)
		any |= p[i];
	if (!any)
		return NULL;
	/* The first three fields are little-endian (MS-DTYP 2.3.4.2). */
	return text_format("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			   p[3], p[2], p[1], p[0], p[5], p[4], p[7], p[6], p[8], p[9], p[10], p[11],
			   p[12], p[13], p[14], p[15]);
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
