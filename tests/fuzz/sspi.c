// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sspi.c - SSPI tokens. Input: the token.
 */
#include "fuzz.h"
#include "engine/protocol/sspi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sspi_token t;

	sspi_parse(&t, data, (uint32_t)size);
	FUZZ_ASSERT(t.mech <= SSPI_SPNEGO && t.ntlm_type <= 3);
	FUZZ_ASSERT(!t.ntlm_type || t.mech == SSPI_NTLM);
	if (t.ntlm_type != 3)
		FUZZ_ASSERT(!t.user && !t.domain && !t.workstation && !t.anonymous);
	FUZZ_ASSERT(!t.anonymous || !t.user);
	fuzz_text(t.user);
	fuzz_text(t.domain);
	fuzz_text(t.workstation);
	sspi_release(&t);
	return 0;
}
