// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * duration.c - see duration.h.
 */
#include <stddef.h>
#include <string.h>

#include "lib/duration.h"
#include "lib/number.h"

static const struct unit {
	const char *name;
	uint32_t ms;
} units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

uint32_t duration_parse_ms(const char *text)
{
	char *end;
	unsigned long n = number_parse(text, DURATION_MAX_MS, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name))
			return n <= DURATION_MAX_MS / units[i].ms ? (uint32_t)n * units[i].ms : 0;
	return 0;
}
