// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sql.c - the text of a request. Input: u8 (bits 0 and 1: batch, RPC or TDS 5; 2 and 3: what is
 * known of its width; 4: it is cut), then the request's payload.
 */
#include "engine/protocol/frame.h"
#include "fuzz.h"
#include "engine/protocol/sql_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t types[4] = {TDS_BATCH, TDS_RPC, TDS_NORMAL_OLD, TDS_BATCH};
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in);
	struct sql *request = calloc(1, sizeof(*request));
	struct sql_text text;

	FUZZ_ASSERT(request);
	request->type = types[how & 3];
	request->width = (how >> 2 & 3) % 3;
	sql_add(request, in.p, (uint32_t)(in.end - in.p));
	if (how & 0x10)
		sql_add(request, NULL, 1);
	sql_read(&text, request);
	fuzz_text(text.text);
	fuzz_text(text.procedure);
	FUZZ_ASSERT(text.width || !(text.text || text.procedure));
	FUZZ_ASSERT(!request->width || text.width == request->width);
	sql_text_release(&text);
	free(request);
	return 0;
}
