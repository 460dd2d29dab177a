// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * utf8.c - text that came from the wire, made fit for a terminal or for a strict reader.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define UTF8_SPELLED_MAX 10 /* "\u2028" and a NUL, rounded up */

size_t utf8_next(const char *s, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t len = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? *p : *p & (0x7f >> len);

	*cp = UTF8_REPLACEMENT;
	if (!len)
		return 1;
	/* The NUL is no continuation byte, so this never reads past it. */
	for (size_t i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*cp = c;
	return c ? len : 0;
}

size_t utf8_put(uint32_t cp, char out[4])
{
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[0] = (char)(len == 1 ? cp : (0xf00u >> len & 0xff) | cp);
	return len;
}

/* True for what a terminal does not show but obeys. */
static bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

static size_t utf8_spell(uint32_t cp, char out[UTF8_SPELLED_MAX])
{
	const char *fmt = cp < 0x100 ? "\\x%02x" : "\\u%04x";

	return utf8_is_control(cp) ? (size_t)snprintf(out, UTF8_SPELLED_MAX, fmt, cp)
				   : utf8_put(cp, out);
}

char *utf8_printable(const char *s)
{
	/* At worst each byte becomes six. */
	char *copy = malloc(strlen(s) * 6 + UTF8_SPELLED_MAX), *to = copy;
	uint32_t cp;
	size_t n;

	if (!copy)
		return NULL;
	for (; (n = utf8_next(s, &cp)); s += n)
		to += utf8_spell(cp, to);
	*to = '\0';
	return copy;
}
