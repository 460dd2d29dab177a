// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * basicauth.c - names and passwords against bcrypt hashes, by libcrypt.
 */
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "basicauth.h"

#define CACHE_SIZE   16
#define DIGEST_SIZE  32
#define CHECKS_BURST 4
#define CHECK_NS     500000000ull /* one more may be made after this time */

struct basicauth {
	const struct webconfig *config;
	struct crypt_data crypt;
	unsigned char key[DIGEST_SIZE];
	unsigned char known[CACHE_SIZE][DIGEST_SIZE]; /* HMACs of what was right */
	unsigned known_count, known_next;
	uint64_t checks; /* that may be made now */
	uint64_t checks_ns;
};

struct basicauth *basicauth_new(const struct webconfig *config)
{
	struct basicauth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	auth->config = config;
	auth->checks = CHECKS_BURST;
	if (RAND_bytes(auth->key, sizeof(auth->key)) != 1) {
		free(auth);
		return NULL;
	}
	return auth;
}

void basicauth_free(struct basicauth *auth)
{
	if (!auth)
		return;
	OPENSSL_cleanse(auth, sizeof(*auth));
	free(auth);
}

/* The name's NUL keeps "ab", "c" and "a", "bc" apart. */
static bool digest(const struct basicauth *auth, const char *name, const char *password,
		   unsigned char out[DIGEST_SIZE])
{
	size_t name_len = strlen(name) + 1, len = name_len + strlen(password);
	unsigned char *text = malloc(len);
	unsigned out_len = 0;

	if (!text)
		return false;
	memcpy(text, name, name_len);
	memcpy(text + name_len, password, len - name_len);
	HMAC(EVP_sha256(), auth->key, sizeof(auth->key), text, len, out, &out_len);
	OPENSSL_cleanse(text, len);
	free(text);
	return out_len == DIGEST_SIZE;
}

static bool is_known(const struct basicauth *auth, const unsigned char hash[DIGEST_SIZE])
{
	bool known = false;

	for (unsigned i = 0; i < auth->known_count; i++)
		known |= !CRYPTO_memcmp(auth->known[i], hash, DIGEST_SIZE);
	return known;
}

static void remember(struct basicauth *auth, const unsigned char hash[DIGEST_SIZE])
{
	memcpy(auth->known[auth->known_next], hash, DIGEST_SIZE);
	auth->known_next = (auth->known_next + 1) % CACHE_SIZE;
	if (auth->known_count < CACHE_SIZE)
		auth->known_count++;
}

static bool may_check(struct basicauth *auth, uint64_t now_ns)
{
	uint64_t more = (now_ns - auth->checks_ns) / CHECK_NS;

	if (more) {
		auth->checks =
			more < CHECKS_BURST - auth->checks ? auth->checks + more : CHECKS_BURST;
		auth->checks_ns = now_ns;
	}
	if (!auth->checks)
		return false;
	auth->checks--;
	return true;
}

/* An unknown name takes as long as a known one: which names there are is not told. */
static bool matches(struct basicauth *auth, const char *name, const char *password)
{
	const struct webconfig *config = auth->config;
	const struct webconfig_user *user = NULL;
	const char *hash, *made;

	for (size_t i = 0; i < config->user_count; i++)
		if (!strcmp(config->users[i].name, name))
			user = &config->users[i];
	hash = user ? user->hash : config->users[0].hash;
	made = crypt_r(password, hash, &auth->crypt);
	return made && strlen(made) == strlen(hash) && !CRYPTO_memcmp(made, hash, strlen(hash)) &&
	       user;
}

enum basicauth_answer basicauth_check(struct basicauth *auth, const char *name,
				      const char *password, uint64_t now_ns)
{
	unsigned char hash[DIGEST_SIZE];

	if (!name || !password || !digest(auth, name, password, hash))
		return BASICAUTH_NO;
	if (is_known(auth, hash))
		return BASICAUTH_YES;
	if (!may_check(auth, now_ns))
		return BASICAUTH_LATER;
	if (!matches(auth, name, password))
		return BASICAUTH_NO;
	remember(auth, hash);
	return BASICAUTH_YES;
}
