// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * login7.c - LOGIN7. Input: the message's payload.
 */
#include <errno.h>

#include "fuzz.h"
#include "engine/protocol/tds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tds_login7 l;
	int err = tds_login7_parse(&l, data, (uint32_t)size);

	FUZZ_ASSERT(err == 1 || err == -EPROTO);
	fuzz_text(l.host);
	fuzz_text(l.user);
	fuzz_text(l.app);
	fuzz_text(l.driver);
	fuzz_text(l.database);
	if (err == 1)
		FUZZ_ASSERT(tds_version_name(l.version));
	if (l.sspi_len)
		FUZZ_ASSERT(l.sspi >= data && l.sspi + l.sspi_len <= data + size);
	FUZZ_ASSERT(l.fedauth_library >= -1);
	tds_login7_release(&l);
	return 0;
}
