/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * number.h - decimal numbers in text.
 */
#ifndef TDSMON_NUMBER_H
#define TDSMON_NUMBER_H

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A number of digits only, 1 to max; *end is what follows it. 0: not such a number. */
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
