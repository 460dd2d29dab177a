/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * x509.h - what a server's certificate says. A server shows the same one at every login, so what
 * was read of the last ones is kept, and a login shares it.
 */
#ifndef TDSMON_X509_H
#define TDSMON_X509_H

#include <stdbool.h>
#include <stdint.h>

#define CERT_CACHE 64 /* certificates kept */

/* Shared: never changed once it is read. */
struct cert {
	char *subject, *issuer; /* RFC 2253 text; NULL: not read, or empty */
	int64_t not_after_s;	/* Unix time */
	bool self_signed;
	uint32_t users;
	uint32_t len; /* of der; 0: too long to be kept */
	uint8_t der[];
};

struct cert_cache {
	struct cert *at[CERT_CACHE];
};

/*
 * What this certificate (DER) says, for cert_put(); NULL where it can't be read or for want of
 * memory. cache NULL: read it anew.
 */
const struct cert *cert_get(struct cert_cache *cache, const uint8_t *der, uint32_t len);
void cert_put(const struct cert *c); /* accepts NULL */

void cert_cache_release(struct cert_cache *cache);

#endif
