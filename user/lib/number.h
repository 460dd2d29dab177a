/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * number.h - numbers as people write them, and nothing else.
 */
#ifndef TDSMON_NUMBER_H
#define TDSMON_NUMBER_H

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* Digits alone, within 1 and max; *end is what follows. 0 where it is no such number. */
static inline unsigned long number_parse(const char *s, unsigned long max, char **end)
{
	unsigned long n;

	*end = (char *)s;
	if (!isdigit((unsigned char)*s))
		return 0;
	errno = 0;
	n = strtoul(s, end, 10);
	return errno || n > max ? 0 : n;
}

#endif
