/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * x509.c - see x509.h. OpenSSL reads the names and times. This file steps over the rest itself,
 * because reading the public key too would take a hundred times as long. Even so, a certificate is
 * most of the cost of a login; the cache saves that.
 */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/protocol/der.h"
#include "engine/protocol/x509.h"
#include "engine/protocol/wire_text.h"

#define CERT_KEPT_MAX                                                                              \
	8192 /* most bytes of a certificate that is kept; SQL Server's have one or two KB */

#define CERT_NAME_MAX 1024 /* bytes of a name's text */

static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *bytes;
	long n;

	if (!bio)
		return NULL;
	/* RFC 2253, with UTF-8 kept as it is and control characters escaped */
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &bytes);
		if (n > CERT_NAME_MAX) { /* cut before a character */
			n = CERT_NAME_MAX;
			while (n && (bytes[n] & 0xc0) == 0x80)
				n--;
		}
		if (n > 0)
			text = text_format("%.*s", (int)n, bytes);
	}
	BIO_free(bio);
	return text;
}

/* The next element of in, all of it. */
static bool element(struct der *in, struct der *out)
{
	return der_next(&in->p, in->end, out) && !out->cut;
}

/* In OpenSSL's types. */
struct fields {
	X509_NAME *issuer, *subject;
	ASN1_TIME *not_after;
};

static X509_NAME *der_name(struct der *in)
{
	const uint8_t *begin = in->p;
	struct der inside;

	if (!element(in, &inside))
		return NULL;
	return d2i_X509_NAME(NULL, &begin, in->p - begin);
}

static ASN1_TIME *der_not_after(struct der *in)
{
	struct der validity, inside;

	if (!element(in, &validity) || !element(&validity, &inside))
		return NULL;
	return d2i_ASN1_TIME(NULL, &validity.p, validity.end - validity.p);
}

/* RFC 5280 4.1: read the certificate's first part, up to the subject. */
static bool fields_read(struct fields *f, const uint8_t *data, uint32_t len)
{
	struct der all = {.p = data, .end = data + len}, outer, tbs, inside;

	if (!element(&all, &outer) || !element(&outer, &tbs) || !element(&tbs, &inside))
		return false;
	if (inside.tag == 0 && !element(&tbs, &inside)) /* the version is optional */
		return false;
	if (!element(&tbs, &inside)) /* the serial number was before; the algorithm */
		return false;
	f->issuer = der_name(&tbs);
	f->not_after = f->issuer ? der_not_after(&tbs) : NULL;
	f->subject = f->not_after ? der_name(&tbs) : NULL;
	return f->subject;
}

/* NULL if it can't be read, or there is no memory. */
static struct cert *cert_read(const uint8_t *der, uint32_t len)
{
	uint32_t kept = len <= CERT_KEPT_MAX ? len : 0;
	struct fields f = {0};
	struct cert *c = NULL;
	struct tm tm;

	if (fields_read(&f, der, len))
		c = calloc(1, sizeof(*c) + kept);
	if (c) {
		c->subject = name_text(f.subject);
		c->issuer = name_text(f.issuer);
		c->self_signed = !X509_NAME_cmp(f.subject, f.issuer);
		if (ASN1_TIME_to_tm(f.not_after, &tm) == 1)
			c->not_after_s = timegm(&tm);
		c->users = 1;
		c->len = kept;
		memcpy(c->der, der, kept);
	}
	X509_NAME_free(f.issuer);
	X509_NAME_free(f.subject);
	ASN1_TIME_free(f.not_after);
	ERR_clear_error();
	return c;
}

/*
 * The certificate's slot. Its last bytes are of the signature, which serves as a hash of the rest.
 */
static struct cert **cache_slot(struct cert_cache *cache, const uint8_t *der, uint32_t len)
{
	uint64_t tail = 0;

	memcpy(&tail, der + len - (len < sizeof(tail) ? len : sizeof(tail)),
	       len < sizeof(tail) ? len : sizeof(tail));
	return &cache->at[(tail * 0x9e3779b97f4a7c15ull >> 48) % CERT_CACHE];
}

const struct cert *cert_get(struct cert_cache *cache, const uint8_t *der, uint32_t len)
{
	struct cert **slot, *c;

	if (!cache || !len)
		return cert_read(der, len);
	slot = cache_slot(cache, der, len);
	c = *slot;
	if (!c || c->len != len || memcmp(c->der, der, len)) {
		c = cert_read(der, len);
		if (!c || !c->len)
			return c;
		cert_put(*slot);
		*slot = c;
	}
	c->users++;
	return c;
}

void cert_put(const struct cert *shared)
{
	struct cert *c = (struct cert *)shared;

	if (!c || --c->users)
		return;
	free(c->subject);
	free(c->issuer);
	free(c);
}

void cert_cache_release(struct cert_cache *cache)
{
	for (int i = 0; i < CERT_CACHE; i++) {
		cert_put(cache->at[i]);
		cache->at[i] = NULL;
	}
}
