// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * login_old.c - the login record of TDS 4.2 and 5.0. Input: the message's payload.
 */
#include <errno.h>

#include "fuzz.h"
#include "engine/protocol/tds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tds_login7 l;
	int err = tds_login_old_parse(&l, data, (uint32_t)size);

	FUZZ_ASSERT(err == 1 || err == -EPROTO);
	fuzz_text(l.host);
	fuzz_text(l.user);
	fuzz_text(l.app);
	fuzz_text(l.driver);
	FUZZ_ASSERT(!l.database && !l.sspi);
	if (l.version)
		FUZZ_ASSERT(tds_era(l.version) == TDS_ERA_OLD);
	tds_login7_release(&l);
	return 0;
}
