/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * utf8.h - makes text from the wire fit for a terminal or for a strict reader.
 */
#ifndef TDSMON_UTF8_H
#define TDSMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffd

/*
 * Decode the character at s, a string that ends with a NUL, into *cp. Returns its length in bytes:
 * 0 at the NUL; 1, with UTF8_REPLACEMENT, if the byte begins no valid character (RFC 3629: overlong
 * forms and surrogates are invalid).
 */
size_t utf8_next(const char *s, uint32_t *cp);

/* Write cp as UTF-8 to out, without a NUL. Returns the bytes written, 1 to 4. */
size_t utf8_put(uint32_t cp, char out[4]);

/*
 * A copy of s that a terminal shows as text and does not obey: characters that control it, change
 * the reading direction or are invisible are spelled out, "\x1b", "\u202e" or "\U000e0041". The
 * caller frees it. NULL: out of memory.
 */
char *utf8_printable(const char *s);

#endif
