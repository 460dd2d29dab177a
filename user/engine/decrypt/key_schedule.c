/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * key_schedule.c - see key_schedule.h.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "engine/decrypt/key_schedule.h"

#define LABEL_MAX 32

static bool hmac(const EVP_MD *md, const struct secret *key, const uint8_t *data, size_t len,
		 uint8_t out[EVP_MAX_MD_SIZE])
{
	return HMAC(md, key->bytes, key->len, data, len, out, NULL) != NULL;
}

bool prf12(const EVP_MD *md, const struct secret *secret, const char *label, const uint8_t *first,
	   const uint8_t *second, uint8_t *out, size_t len)
{
	uint8_t a[EVP_MAX_MD_SIZE], block[EVP_MAX_MD_SIZE];
	/* A(i), and the seed after it */
	uint8_t input[EVP_MAX_MD_SIZE + LABEL_MAX + 2 * TLS_RANDOM];
	size_t hash = (size_t)EVP_MD_get_size(md), name = strlen(label);
	uint8_t *seed = input + hash;
	size_t seed_len = name + 2 * TLS_RANDOM, done = 0;
	bool ok = name <= LABEL_MAX;

	if (!ok)
		return false;
	memcpy(seed, label, name);
	memcpy(seed + name, first, TLS_RANDOM);
	memcpy(seed + name + TLS_RANDOM, second, TLS_RANDOM);
	ok = hmac(md, secret, seed, seed_len, a);
	while (ok && done < len) {
		size_t n = len - done < hash ? len - done : hash;

		memcpy(input, a, hash);
		ok = hmac(md, secret, input, hash + seed_len, block) &&
		     hmac(md, secret, input, hash, a);
		memcpy(out + done, block, n);
		done += n;
	}
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(input, sizeof(input));
	return ok;
}

bool expand_label(const EVP_MD *md, const struct secret *secret, const char *label, uint8_t *out,
		  size_t len)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[2 + 1 + sizeof(prefix) + LABEL_MAX + 2], block[EVP_MAX_MD_SIZE];
	size_t name = strlen(label), n = 0;
	bool ok;

	if (name > LABEL_MAX || len > (size_t)EVP_MD_get_size(md))
		return false;
	info[n++] = 0;
	info[n++] = (uint8_t)len;
	info[n++] = (uint8_t)(sizeof(prefix) - 1 + name);
	memcpy(info + n, prefix, sizeof(prefix) - 1);
	n += sizeof(prefix) - 1;
	memcpy(info + n, label, name);
	n += name;
	info[n++] = 0; /* the context's length */
	info[n++] = 1; /* HKDF-Expand's first block, RFC 5869 2.3 */
	ok = hmac(md, secret, info, n, block);
	if (ok)
		memcpy(out, block, len);
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}
