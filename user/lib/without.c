// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * without.c - see without.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/without.h"

bool without_feature(const char *name)
{
	const char *at = getenv(WITHOUT_VARIABLE);
	size_t len = strlen(name);

	while (at && *at) {
		size_t item = strcspn(at, ",");

		if (item == len && !memcmp(at, name, len))
			return true;
		at += item;
		at += *at == ',';
	}
	return false;
}
