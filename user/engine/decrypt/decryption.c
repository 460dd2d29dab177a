/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decryption.c - the secrets, and the connections by their place: see decrypt.h.
 */
#include <stdlib.h>

#include <openssl/crypto.h>

#include "engine/decrypt/decrypt_int.h"

/* ---- a connection's beginning and end ---- */

void direction_clear(struct direction *s)
{
	record_keys_clear(&s->keys);
	OPENSSL_cleanse(&s->secret, sizeof(s->secret));
	buf_release(&s->body);
	buf_release(&s->handshake.held);
	s->record = (struct decrypted){0};
}

static void decrypt_free(struct decrypt *d)
{
	if (!d)
		return;
	for (int i = 0; i < 2; i++) {
		direction_clear(&d->side[i]);
		buf_release(&d->side[i].inner);
	}
	OPENSSL_cleanse(d, sizeof(*d));
	free(d);
}

struct decrypt *decryption_begin(struct decryption *dn, uint32_t place)
{
	struct decrypt *d = calloc(1, sizeof(*d));

	decryption_end(dn, place);
	dn->at[place] = d;
	if (!d)
		return NULL;
	d->dn = dn;
	for (int i = 0; i < 2; i++) {
		d->side[i].body.pool = dn->pool;
		d->side[i].inner.pool = dn->pool;
		d->side[i].handshake.held.pool = dn->pool;
	}
	return d;
}

struct decrypt *decryption_of(const struct decryption *dn, uint32_t place)
{
	return dn ? dn->at[place] : NULL;
}

void decryption_end(struct decryption *dn, uint32_t place)
{
	if (!dn)
		return;
	decrypt_free(dn->at[place]);
	dn->at[place] = NULL;
}

/* ---- all of them ---- */

struct decryption *decryption_new(uint32_t places, const uint64_t seed[2], struct pool *pool,
				  struct decrypt_stats *stats)
{
	struct decryption *dn = calloc(1, sizeof(*dn));

	if (!dn)
		return NULL;
	dn->pool = pool;
	dn->stats = stats;
	dn->places = places;
	dn->at = calloc(places, sizeof(struct decrypt *));
	dn->secrets = secrets_new(SECRETS_DEFAULT, seed);
	if (dn->at && dn->secrets)
		return dn;
	decryption_free(dn);
	return NULL;
}

void decryption_free(struct decryption *dn)
{
	if (!dn)
		return;
	for (uint32_t i = 0; dn->at && i < dn->places; i++)
		decrypt_free(dn->at[i]);
	free(dn->at);
	secrets_free(dn->secrets);
	free(dn);
}

void decryption_secret(struct decryption *dn, const struct secret_line *line)
{
	dn->stats->evicted += secrets_add(dn->secrets, line);
}

void decryption_tick(struct decryption *dn, uint64_t now_ns)
{
	dn->now_ns = now_ns;
	secrets_tick(dn->secrets, now_ns);
}
