/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cert.c - what a server's certificate says: names and times are read by OpenSSL. The rest is not,
 * for reading the public key too would take a hundred times as long.
 */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <time.h>

#include "text.h"
#include "tls.h"

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
		if (n > 0)
			text = text_format("%.*s", (int)n, bytes);
	}
	BIO_free(bio);
	return text;
}

struct der {
	const uint8_t *at, *end;
};

/* Step into the next element, or over it; tag: X.690 8.1.2, without its class. */
static bool der_next(struct der *d, struct der *inside, int *tag)
{
	const uint8_t *p = d->at;
	int class, how;
	long len;

	if (p >= d->end)
		return false;
	how = ASN1_get_object(&p, &len, tag, &class, d->end - p);
	if (how & 0x80 || how & 1) /* an error, or a length that DER does not allow */
		return false;
	*inside = (struct der){p, p + len};
	d->at = inside->end;
	return true;
}

struct cert {
	X509_NAME *issuer, *subject;
	ASN1_TIME *not_after;
};

static X509_NAME *der_name(struct der *d)
{
	struct der whole = *d, inside;
	int tag;

	if (!der_next(d, &inside, &tag))
		return NULL;
	return d2i_X509_NAME(NULL, &whole.at, d->at - whole.at);
}

static ASN1_TIME *der_not_after(struct der *d)
{
	struct der validity, inside;
	int tag;

	if (!der_next(d, &validity, &tag) || !der_next(&validity, &inside, &tag))
		return NULL;
	return d2i_ASN1_TIME(NULL, &validity.at, validity.end - validity.at);
}

/* RFC 5280 4.1: the certificate's first part, as far as the subject */
static bool cert_read(struct cert *c, const uint8_t *data, uint32_t len)
{
	struct der all = {data, data + len}, outer, tbs, inside;
	int tag;

	if (!der_next(&all, &outer, &tag) || !der_next(&outer, &tbs, &tag) ||
	    !der_next(&tbs, &inside, &tag))
		return false;
	if (tag == 0 && !der_next(&tbs, &inside, &tag)) /* the version is optional */
		return false;
	if (!der_next(&tbs, &inside, &tag)) /* the serial number was before; the algorithm */
		return false;
	c->issuer = der_name(&tbs);
	c->not_after = c->issuer ? der_not_after(&tbs) : NULL;
	c->subject = c->not_after ? der_name(&tbs) : NULL;
	return c->subject;
}

void tls_certificate_read(struct tls *t, const uint8_t *der, uint32_t len)
{
	struct cert cert = {0};
	struct tm tm;

	if (cert_read(&cert, der, len)) {
		text_set(&t->subject, name_text(cert.subject));
		text_set(&t->issuer, name_text(cert.issuer));
		t->self_signed = !X509_NAME_cmp(cert.subject, cert.issuer);
		if (ASN1_TIME_to_tm(cert.not_after, &tm) == 1)
			t->not_after_s = timegm(&tm);
	}
	X509_NAME_free(cert.issuer);
	X509_NAME_free(cert.subject);
	ASN1_TIME_free(cert.not_after);
	ERR_clear_error();
}
