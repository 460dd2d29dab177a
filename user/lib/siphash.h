/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * siphash.h - SipHash-2-4 of whole 64-bit words (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", 2012).
 */
#ifndef TDSMON_SIPHASH_H
#define TDSMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Key and words are numbers, so the hash is the same on every machine: that of the bytes in
 * little-endian order.
 */
uint64_t siphash(const uint64_t key[2], const uint64_t *words, size_t count);

#endif
