// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * utf8.c - every character: those that a terminal obeys or does not show are spelled out, all
 * others stay as they are.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "lib/utf8.h"

/* Unicode 15.0 */
static const struct {
	const char *what;
	uint32_t first, last;
} spelled[] = {
	{"Cc: C0", 0x01, 0x1f},
	{"Cc: DEL and C1", 0x7f, 0x9f},
	{"Cf: soft hyphen", 0xad, 0xad},
	{"Cf: Arabic number signs", 0x600, 0x605},
	{"Cf: Arabic letter mark, a bidi control", 0x61c, 0x61c},
	{"Cf: Arabic end of ayah", 0x6dd, 0x6dd},
	{"Cf: Syriac abbreviation mark", 0x70f, 0x70f},
	{"Cf: Arabic pound and piastre marks", 0x890, 0x891},
	{"Cf: Arabic disputed end of ayah", 0x8e2, 0x8e2},
	{"Cf: Mongolian vowel separator", 0x180e, 0x180e},
	{"Cf: zero width space, joiners, LRM and RLM", 0x200b, 0x200f},
	{"Zl and Zp", 0x2028, 0x2029},
	{"Cf: bidi embeddings and overrides", 0x202a, 0x202e},
	{"Cf: word joiner, invisible operators", 0x2060, 0x2064},
	{"Cf: bidi isolates, deprecated format characters", 0x2066, 0x206f},
	{"Cf: byte order mark", 0xfeff, 0xfeff},
	{"Cf: interlinear annotation", 0xfff9, 0xfffb},
	{"Cf: Kaithi number signs", 0x110bd, 0x110bd},
	{"Cf: Kaithi number signs", 0x110cd, 0x110cd},
	{"Cf: Egyptian format controls", 0x13430, 0x1343f},
	{"Cf: shorthand format controls", 0x1bca0, 0x1bca3},
	{"Cf: musical format controls", 0x1d173, 0x1d17a},
	{"Cf: language tag", 0xe0001, 0xe0001},
	{"Cf: tags", 0xe0020, 0xe007f},
	{"not seen: combining grapheme joiner", 0x34f, 0x34f},
	{"not seen: Hangul fillers", 0x115f, 0x1160},
	{"not seen: Khmer inherent vowels", 0x17b4, 0x17b5},
	{"not seen: Mongolian variation selectors", 0x180b, 0x180d},
	{"not seen: Mongolian variation selector 4", 0x180f, 0x180f},
	{"not seen: reserved", 0x2065, 0x2065},
	{"not seen: Hangul filler", 0x3164, 0x3164},
	{"not seen: variation selectors", 0xfe00, 0xfe0f},
	{"not seen: half width Hangul filler", 0xffa0, 0xffa0},
	{"not seen: reserved", 0xfff0, 0xfff8},
	{"not seen: reserved", 0xe0000, 0xe0000},
	{"not seen: reserved", 0xe0002, 0xe001f},
	{"not seen: reserved, variation selectors 17 to 256", 0xe0080, 0xe0fff},
};

static bool is_spelled(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
		if (cp >= spelled[i].first && cp <= spelled[i].last)
			return true;
	}
	return false;
}

UNIT_CASE(every_character)
{
	uint32_t wrong = 0;

	for (uint32_t cp = 1; cp < 0x110000 && wrong < 10; cp++) {
		char text[5] = "", want[16], *got;

		if (cp >= 0xd800 && cp < 0xe000)
			continue; /* surrogates are not characters */
		utf8_put(cp, text);
		if (!is_spelled(cp))
			strcpy(want, text);
		else
			snprintf(want, sizeof(want),
				 cp < 0x100	? "\\x%02x"
				 : cp < 0x10000 ? "\\u%04x"
						: "\\U%08x",
				 cp);
		got = utf8_printable(text);
		if (!got || strcmp(got, want)) {
			CHECK_STR(got, want);
			wrong++;
		}
		free(got);
	}
	CHECK_INT(wrong, 0);
}

/* The longest spelling of a byte, and a text of nothing else. */
UNIT_CASE(room)
{
	char text[4 * 100 + 1] = "", *got;

	memset(text, 1, 400);
	got = utf8_printable(text);
	CHECK_INT(strlen(got), 1600);
	free(got);
	for (int i = 0; i < 100; i++)
		memcpy(text + 4 * i, "\xf3\xa0\x81\x81", 4);
	got = utf8_printable(text);
	CHECK_INT(strlen(got), 1000);
	CHECK(!strncmp(got, "\\U000e0041\\U000e0041", 20));
	free(got);
}

int main(void)
{
	RUN(every_character);
	RUN(room);
	return unit_status();
}
