// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * utf8.c - makes text from the wire fit for a terminal or for a strict reader.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

#define UTF8_SPELLED_MAX 11 /* "\U000e0001" and a NUL */

size_t utf8_next(const char *s, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t len = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? *p : *p & (0x7f >> len);

	*cp = UTF8_REPLACEMENT;
	if (!len)
		return 1;
	/* NUL is not a continuation byte, so this never reads past it. */
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

/*
 * Characters that a terminal obeys or does not show: Unicode's general categories Cc, Cf, Zl and
 * Zp, and those with the property Default_Ignorable_Code_Point, such as variation selectors.
 * Unicode 15.0, DerivedGeneralCategory.txt and DerivedCoreProperties.txt; sorted.
 */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{0x00, 0x1f},	    {0x7f, 0x9f},	{0xad, 0xad},	    {0x34f, 0x34f},
	{0x600, 0x605},	    {0x61c, 0x61c},	{0x6dd, 0x6dd},	    {0x70f, 0x70f},
	{0x890, 0x891},	    {0x8e2, 0x8e2},	{0x115f, 0x1160},   {0x17b4, 0x17b5},
	{0x180b, 0x180f},   {0x200b, 0x200f},	{0x2028, 0x202e},   {0x2060, 0x206f},
	{0x3164, 0x3164},   {0xfe00, 0xfe0f},	{0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool utf8_is_unseen(uint32_t cp)
{
	size_t low = 0, high = sizeof(unseen) / sizeof(unseen[0]);

	if (cp >= 0x20 && cp < 0x7f) /* almost all characters */
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cp > unseen[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(unseen) / sizeof(unseen[0]) && cp >= unseen[low].first;
}

static size_t utf8_spell(uint32_t cp, char out[UTF8_SPELLED_MAX])
{
	const char *fmt = cp < 0x100 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x";

	return utf8_is_unseen(cp) ? (size_t)snprintf(out, UTF8_SPELLED_MAX, fmt, cp)
				  : utf8_put(cp, out);
}

char *utf8_printable(const char *s)
{
	/* In the worst case one byte becomes four: "\x1b". */
	char *copy = malloc(strlen(s) * 4 + UTF8_SPELLED_MAX), *to = copy;
	uint32_t cp;
	size_t n;

	if (!copy)
		return NULL;
	for (;; s += n) {
		while (*s >= 0x20 && *s < 0x7f) /* almost all characters */
			*to++ = *s++;
		n = utf8_next(s, &cp);
		if (!n)
			break;
		to += utf8_spell(cp, to);
	}
	*to = '\0';
	return copy;
}
