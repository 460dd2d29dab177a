/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * x509.h - the fields read from a server's certificate. A server sends the same certificate at
 * every login, so the last ones read are kept, and logins share them.
 */
#ifndef TDSMON_X509_H
#define TDSMON_X509_H

#include <stdbool.h>
#include <stdint.h>

#define CERT_CACHE 64 /* certificates kept */

/* Shared: never changed after it is read. */
struct cert {
	char *subject, *issuer; /* RFC 2253 text; NULL: not read, or empty */
	int64_t not_after_s;	/* Unix time */
	bool self_signed;
	uint32_t users;
	uint32_t len; /* bytes of der; 0: too long to be kept */
	uint8_t der[];
};

struct cert_cache {
	struct cert *at[CERT_CACHE];
};

/*
 * The fields of this certificate (DER), for cert_put(). NULL if it can't be read, or there is no
 * memory. cache NULL: read it again each time.
 */
const struct cert *cert_get(struct cert_cache *cache, const uint8_t *der, uint32_t len);
void cert_put(const struct cert *c); /* accepts NULL */

void cert_cache_release(struct cert_cache *cache);

#endif
