// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * prelogin.c - the PRELOGIN option table. Input: the message's payload.
 */
#include <errno.h>

#include "fuzz.h"
#include "engine/protocol/tds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tds_prelogin p;
	int whole, half;

	whole = tds_prelogin_parse(&p, data, (uint32_t)size);
	FUZZ_ASSERT(whole == 1 || whole == 0 || whole == -EPROTO);
	FUZZ_ASSERT(p.encryption < ENCRYPT_COUNT);
	FUZZ_ASSERT(p.mars >= -1 && p.mars <= 1 && p.fedauth >= -1 && p.fedauth <= 1);
	/* An incomplete table states nothing. */
	if (whole != 1) {
		FUZZ_ASSERT(!*p.version && !p.instance && !p.connection_id && !p.activity_id);
		FUZZ_ASSERT(p.encryption == ENCRYPT_NOT_SEEN && p.mars == -1 && p.fedauth == -1);
	}
	fuzz_text(*p.version ? p.version : NULL);
	fuzz_text(p.instance);
	fuzz_text(p.connection_id);
	fuzz_text(p.activity_id);
	FUZZ_ASSERT(!p.connection_id || strlen(p.connection_id) == RECORD_GUID_LEN - 1);
	tds_prelogin_release(&p);

	/*
	 * The beginning of a table is read as far as it goes; half of an invalid one is not valid,
	 * either.
	 */
	half = tds_prelogin_parse(&p, data, (uint32_t)size / 2);
	FUZZ_ASSERT(whole < 0 || half >= 0);
	tds_prelogin_release(&p);
	return 0;
}
