// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * redact.c - error messages without names. Input: u16, where in the rest a name is put, then the
 * message.
 */
#include "fuzz.h"
#include "engine/protocol/redact.h"

#define NAME                                                                                       \
	"\x01'\"\x02" /* in no message that is known; a name with quotes stands for no database */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	size_t at = fuzz_u16(&in), len;
	uint32_t n;
	uint8_t *rest = fuzz_bytes(&in, 4096, &n);
	char *message = calloc(1, n + sizeof(NAME)), *told;

	FUZZ_ASSERT(message);
	len = strnlen((const char *)rest, n);
	at = at < len ? at : len;
	for (size_t i = 0; i < len; i++)
		rest[i] = rest[i] < 3 ? 'x' : rest[i];
	memcpy(message, rest, at);
	memcpy(message + at, NAME, strlen(NAME));
	memcpy(message + at + strlen(NAME), rest + at, len - at);
	free(rest);
	told = redact_message(message);
	FUZZ_ASSERT(told && *told);
	FUZZ_ASSERT(!strchr(told, '\x01') && !strchr(told, '\x02'));
	FUZZ_ASSERT(strlen(told) <= len + 64);
	free(told);
	return 0;
}
