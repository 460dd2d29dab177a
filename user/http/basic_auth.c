// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * basic_auth.c - checks names and passwords against bcrypt hashes, with libcrypt.
 */
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "http/basic_auth.h"

#define RIGHT_MAX   16
#define WRONG_MAX   64 /* a wrongly configured client costs one check, not one per scrape */
#define WAITED_MAX  256
#define WAITED_NS   150000000000ull /* kept this long, for scrapes a minute apart */
#define DIGEST_SIZE 32
#define HASH_SIZE   64 /* a bcrypt hash and its NUL */

/* A correct name and password, and the hash that they matched. */
struct right {
	unsigned char digest[DIGEST_SIZE];
	char hash[HASH_SIZE];
};

/* A name and password that were not checked yet. */
struct waited {
	unsigned char digest[DIGEST_SIZE];
	uint64_t since_ns, last_ns; /* 0: free */
};

/* Names and passwords are only kept as HMACs. */
struct basic_auth {
	const struct web_config *config;
	struct crypt_data crypt;
	unsigned char key[DIGEST_SIZE];
	struct right right[RIGHT_MAX];
	unsigned char wrong[WRONG_MAX][DIGEST_SIZE];
	struct waited waited[WAITED_MAX];
	unsigned right_count, right_next, wrong_count, wrong_next;
};

struct basic_auth *basic_auth_new(const struct web_config *config, const struct basic_auth *before)
{
	struct basic_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	auth->config = config;
	if (before) {
		memcpy(auth->key, before->key, sizeof(auth->key));
		memcpy(auth->right, before->right, sizeof(auth->right));
		auth->right_count = before->right_count;
		auth->right_next = before->right_next;
	} else if (RAND_bytes(auth->key, sizeof(auth->key)) != 1) {
		free(auth);
		return NULL;
	}
	return auth;
}

void basic_auth_free(struct basic_auth *auth)
{
	if (!auth)
		return;
	OPENSSL_cleanse(auth, sizeof(*auth));
	free(auth);
}

/* The name's NUL distinguishes "ab", "c" from "a", "bc". */
static bool make_digest(const struct basic_auth *auth, const char *name, const char *password,
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

static const struct web_config_user *user_of(const struct basic_auth *auth, const char *name)
{
	const struct web_config *config = auth->config;
	const struct web_config_user *user = NULL;

	for (size_t i = 0; i < config->user_count; i++)
		if (!strcmp(config->users[i].name, name))
			user = &config->users[i];
	return user;
}

/* user: the current user of that name, or NULL. */
static bool was_right(const struct basic_auth *auth, const struct web_config_user *user,
		      const unsigned char hash[DIGEST_SIZE])
{
	bool right = false;

	for (unsigned i = 0; user && i < auth->right_count; i++)
		right |= !CRYPTO_memcmp(auth->right[i].digest, hash, DIGEST_SIZE) &&
			 !strcmp(auth->right[i].hash, user->hash);
	return right;
}

static bool was_wrong(const struct basic_auth *auth, const unsigned char hash[DIGEST_SIZE])
{
	bool wrong = false;

	for (unsigned i = 0; i < auth->wrong_count; i++)
		wrong |= !CRYPTO_memcmp(auth->wrong[i], hash, DIGEST_SIZE);
	return wrong;
}

static void remember_right(struct basic_auth *auth, const struct web_config_user *user,
			   const unsigned char hash[DIGEST_SIZE])
{
	struct right *right = &auth->right[auth->right_next];

	memcpy(right->digest, hash, DIGEST_SIZE);
	strncpy(right->hash, user->hash, HASH_SIZE - 1);
	auth->right_next = (auth->right_next + 1) % RIGHT_MAX;
	if (auth->right_count < RIGHT_MAX)
		auth->right_count++;
}

static void remember_wrong(struct basic_auth *auth, const unsigned char hash[DIGEST_SIZE])
{
	memcpy(auth->wrong[auth->wrong_next], hash, DIGEST_SIZE);
	auth->wrong_next = (auth->wrong_next + 1) % WRONG_MAX;
	if (auth->wrong_count < WRONG_MAX)
		auth->wrong_count++;
}

/* An unknown name takes as long as a known one, so that names cannot be found by timing. */
static bool password_matches(struct basic_auth *auth, const struct web_config_user *user,
			     const char *password)
{
	const char *hash = user ? user->hash : auth->config->users[0].hash;
	const char *made = crypt_r(password, hash, &auth->crypt);

	return made && strlen(made) == strlen(hash) && !CRYPTO_memcmp(made, hash, strlen(hash)) &&
	       user;
}

enum basic_auth_answer basic_auth_look(const struct basic_auth *auth, const char *name,
				       const char *password)
{
	unsigned char hash[DIGEST_SIZE];

	if (!name || !password || !make_digest(auth, name, password, hash))
		return BASIC_AUTH_NO;
	if (was_right(auth, user_of(auth, name), hash))
		return BASIC_AUTH_YES;
	return was_wrong(auth, hash) ? BASIC_AUTH_NO : BASIC_AUTH_UNKNOWN;
}

uint64_t basic_auth_waits_since(struct basic_auth *auth, const char *name, const char *password,
				uint64_t now_ns)
{
	struct waited *oldest = &auth->waited[0];
	unsigned char hash[DIGEST_SIZE];

	if (!make_digest(auth, name, password, hash))
		return now_ns;
	for (unsigned i = 0; i < WAITED_MAX; i++) {
		struct waited *w = &auth->waited[i];

		if (now_ns - w->last_ns < WAITED_NS && w->last_ns &&
		    !CRYPTO_memcmp(w->digest, hash, DIGEST_SIZE)) {
			w->last_ns = now_ns;
			return w->since_ns;
		}
		if (w->last_ns < oldest->last_ns)
			oldest = w;
	}
	*oldest = (struct waited){.since_ns = now_ns, .last_ns = now_ns};
	memcpy(oldest->digest, hash, DIGEST_SIZE);
	return now_ns;
}

enum basic_auth_answer basic_auth_check(struct basic_auth *auth, const char *name,
					const char *password)
{
	enum basic_auth_answer known = basic_auth_look(auth, name, password);
	const struct web_config_user *user;
	unsigned char hash[DIGEST_SIZE];

	if (known != BASIC_AUTH_UNKNOWN || !make_digest(auth, name, password, hash))
		return known == BASIC_AUTH_YES ? BASIC_AUTH_YES : BASIC_AUTH_NO;
	user = user_of(auth, name);
	if (password_matches(auth, user, password)) {
		remember_right(auth, user, hash);
		return BASIC_AUTH_YES;
	}
	remember_wrong(auth, hash);
	return BASIC_AUTH_NO;
}
