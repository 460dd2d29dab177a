/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cert.c - what a server's certificate says, read by OpenSSL.
 */
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

void tls_certificate_read(struct tls *t, const uint8_t *der, uint32_t len)
{
	X509 *cert = d2i_X509(NULL, &der, (long)len);
	struct tm tm;

	if (!cert) {
		ERR_clear_error();
		return;
	}
	text_set(&t->subject, name_text(X509_get_subject_name(cert)));
	text_set(&t->issuer, name_text(X509_get_issuer_name(cert)));
	t->self_signed = !X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1)
		t->not_after_s = timegm(&tm);
	X509_free(cert);
	ERR_clear_error();
}
