// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sql_mask.c - passwords out of statements. Input: u8 (bit 0: the text is cut; bit 1: the name
 * comes before the literal), u16, where in the rest both are put, then the statement.
 */
#include "fuzz.h"
#include "engine/protocol/sql_mask.h"

#define LITERAL	   "'\x01'"
#define AFTERWARDS LITERAL " password "
#define BEFOREHAND " password " LITERAL
#define INSERTED   (sizeof(AFTERWARDS) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in);
	size_t at = fuzz_u16(&in), len;
	uint32_t n;
	uint8_t *rest = fuzz_bytes(&in, 4096, &n);
	char *text = calloc(1, n + INSERTED + 1), *told;

	FUZZ_ASSERT(text);
	len = strnlen((const char *)rest, n);
	at = at < len ? at : len;
	/* A quotation mark or comment left open before it would make code of the literal. */
	for (size_t i = 0; i < len; i++)
		rest[i] = rest[i] == 1 || (i < at && strchr("'\"[/-", rest[i])) ? 'x' : rest[i];
	memcpy(text, rest, at);
	memcpy(text + at, how & 2 ? BEFOREHAND : AFTERWARDS, INSERTED);
	memcpy(text + at + INSERTED, rest + at, len - at);
	free(rest);
	told = sql_mask(text, how & 1);
	FUZZ_ASSERT(told);
	FUZZ_ASSERT(!strchr(told, 1));
	FUZZ_ASSERT(strlen(told) <= 3 * (len + INSERTED) + 4);
	free(told);
	return 0;
}
