/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decimal.h - decimal numbers, for records: printf() takes longer than the rest of one.
 */
#ifndef TDSMON_DECIMAL_H
#define TDSMON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX 20 /* digits of UINT64_MAX */

/* Write the last count digits of n, without a NUL. Returns where they end. */
static inline char *decimal_put_last(char *out, uint64_t n, size_t count)
{
	for (size_t i = count; i-- > 0; n /= 10)
		out[i] = (char)('0' + n % 10);
	return out + count;
}

/* Write n, at most DECIMAL_MAX digits, without a NUL. Returns where they end. */
static inline char *decimal_put(char *out, uint64_t n)
{
	size_t count = 2;

	if (n < 10) {
		*out = (char)('0' + n);
		return out + 1;
	}
	/* The largest numbers of so many digits; a division takes longer than a comparison. */
	for (uint64_t most = 99; n > most && count < DECIMAL_MAX; most = most * 10 + 9)
		count++;
	return decimal_put_last(out, n, count);
}

#endif
