// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * answer.c - the token stream of a server's message. Input: u8 (enum tds_era), then the message's
 * payload.
 */
#include "fuzz.h"
#include "engine/protocol/tds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	enum tds_era era = (enum tds_era)(fuzz_u8(&in) & 3);
	struct tds_answer a;
	uint32_t len;
	uint8_t *payload = fuzz_bytes(&in, 0x40000, &len);

	tds_answer_parse(&a, payload, len, era);
	fuzz_text(*a.server_version ? a.server_version : NULL);
	fuzz_text(a.program);
	fuzz_text(a.error.message);
	fuzz_text(a.redirect_host);
	fuzz_text(a.database);
	FUZZ_ASSERT(a.loginack || !*a.server_version);
	FUZZ_ASSERT(a.has_error || !a.error.message);
	FUZZ_ASSERT(a.packet_size >= -1 && a.packet_size < 1000000);
	if (a.sspi)
		FUZZ_ASSERT(a.sspi_token >= payload && a.sspi_token + a.sspi_len <= payload + len);
	tds_answer_release(&a);
	free(payload);
	return 0;
}
