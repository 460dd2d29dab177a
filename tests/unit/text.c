// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text.c - text from the wire, converted to UTF-8.
 */
#include <stdlib.h>

#include "engine/protocol/wire_text.h"
#include "unit.h"

#define CHECK_TEXT(call, want)                                                                     \
	do {                                                                                       \
		char *made = call;                                                                 \
		CHECK_STR(made, want);                                                             \
		free(made);                                                                        \
	} while (0)

#define UTF16(s) text_utf16((const uint8_t *)(s), sizeof(s) - 1)

UNIT_CASE(utf16_becomes_utf8)
{
	CHECK_TEXT(UTF16("a\0~\0\x7f"), "a~"); /* an odd byte is ignored */
	CHECK_TEXT(UTF16("\x7f\0\x80\0\xff\x07\0\x08\xff\xff"), "\x7f\xc2\x80\u07ff\u0800\uffff");
	CHECK_TEXT(UTF16("\x3d\xd8\0\xde"), "\U0001f600");
	CHECK(!UTF16(""));
}

UNIT_CASE(what_is_no_utf16_is_replaced)
{
	CHECK_TEXT(UTF16("a\0\0\0b\0"), "a\ufffdb"); /* a NUL within */
	CHECK_TEXT(UTF16("\x3d\xd8"), "\ufffd");     /* half of a pair, at the end */
	CHECK_TEXT(UTF16("\x3d\xd8z\0"), "\ufffdz"); /* or followed by something else */
	CHECK_TEXT(UTF16("\0\xdez\0"), "\ufffdz");   /* only the other half */
	CHECK_TEXT(UTF16("a\0\0\0\0\0"), "a");	     /* padding */
	CHECK(!UTF16("\0\0\0\0"));
}

UNIT_CASE(guid_has_its_first_fields_reversed)
{
	static const uint8_t none[16], some[16] = {0x33, 0x22, 0x11, 0,	   0x55, 0x44, 0x77, 0x66,
						   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

	CHECK_TEXT(text_guid(some), "00112233-4455-6677-8899-aabbccddeeff");
	CHECK(!text_guid(none));
}

UNIT_CASE(versions_are_three_numbers)
{
	char text[TEXT_VERSION];

	text_version(text, (const uint8_t[]){16, 0, 16, 39});
	CHECK_STR(text, "16.0.4135");
	text_version(text, (const uint8_t[]){0, 0, 0, 0});
	CHECK_STR(text, "0.0.0");
	text_version(text, (const uint8_t[]){255, 255, 255, 255});
	CHECK_STR(text, "255.255.65535");
}

UNIT_CASE(milliseconds_have_three_decimals)
{
	CHECK_TEXT(text_after_ms("after ", 0), "after 0.000 ms");
	CHECK_TEXT(text_after_ms("", 499), "0.000 ms");
	CHECK_TEXT(text_after_ms("", 500), "0.001 ms");
	CHECK_TEXT(text_after_ms("", 999999), "1.000 ms");
	CHECK_TEXT(text_after_ms("", 1234567890), "1234.568 ms");
	CHECK_TEXT(text_after_ms("", UINT64_MAX), "18446744073709.552 ms");
}

int main(void)
{
	RUN(utf16_becomes_utf8);
	RUN(what_is_no_utf16_is_replaced);
	RUN(guid_has_its_first_fields_reversed);
	RUN(versions_are_three_numbers);
	RUN(milliseconds_have_three_decimals);
	return unit_status();
}
