/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * key_schedule.h - keys from secrets: the PRF of TLS 1.2, and HKDF of TLS 1.3.
 */
#ifndef TDSMON_KEY_SCHEDULE_H
#define TDSMON_KEY_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "engine/decrypt/secrets.h"

/*
 * len bytes, at most KEY_BLOCK_MAX, of PRF(secret, label, first + second): RFC 5246 5. The seeds
 * are randoms, of TLS_RANDOM bytes. False without memory.
 */
#define KEY_BLOCK_MAX 192
bool prf12(const EVP_MD *md, const struct secret *secret, const char *label, const uint8_t *first,
	   const uint8_t *second, uint8_t *out, size_t len);

/*
 * HKDF-Expand-Label with an empty context: RFC 8446 7.1. len: at most the hash's length. False
 * without memory.
 */
bool expand_label(const EVP_MD *md, const struct secret *secret, const char *label, uint8_t *out,
		  size_t len);

#endif
