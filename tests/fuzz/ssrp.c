// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ssrp.c - questions to SQL Server Browser and its answers. Input: a datagram.
 */
#include <errno.h>

#include "fuzz.h"
#include "engine/protocol/ssrp.h"

static void check_name(const char *name)
{
	FUZZ_ASSERT(strlen(name) < SSRP_NAME_TEXT);
	if (*name)
		fuzz_text(name);
}

static void check_result(int result, size_t size)
{
	FUZZ_ASSERT(result == -EPROTO || (result >= 0 && (size_t)result <= size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssrp_question q;
	struct ssrp_instance i;
	struct ssrp_answer a;
	size_t told = 0;
	int result = ssrp_question(&q, data, size);

	check_result(result, size);
	if (result > 0) {
		check_name(q.name);
		FUZZ_ASSERT(!*q.name == (q.kind == SSRP_BROADCAST || q.kind == SSRP_LIST));
	}
	result = ssrp_answer(&a, data, size);
	check_result(result, size);
	while (result > 0 && ssrp_instance(&a, &i)) {
		FUZZ_ASSERT(*i.name);
		check_name(i.name);
		told++;
	}
	FUZZ_ASSERT(told <= size / 14); /* InstanceName;X at least */
	return 0;
}
