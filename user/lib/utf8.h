/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * utf8.h - text that came from the wire, made fit for a terminal or for a strict reader.
 */
#ifndef TDSMON_UTF8_H
#define TDSMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffd

/*
 * Decode the character at s, a string that ends with a NUL, into *cp. Returns its length in
 * bytes: 0 at the NUL; 1 and UTF8_REPLACEMENT where the byte begins no valid character
 * (RFC 3629: overlong forms and surrogates are not valid).
 */
size_t utf8_next(const char *s, uint32_t *cp);

/* Write cp as UTF-8 to out, no NUL. Returns the bytes written, 1 to 4. */
size_t utf8_put(uint32_t cp, char out[4]);

/*
 * Copy of s that a terminal takes as text and nothing else: what controls it, turns the reading
 * direction or is not seen is spelled out, "\x1b", "\u202e" or "\U000e0041". To be freed; NULL
 * when out of memory.
 */
char *utf8_printable(const char *s);

#endif
