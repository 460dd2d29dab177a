/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tls_pair.h - two ends of OpenSSL's TLS that talk in memory, with a key log, and the wire between
 * them, which somebody reads.
 */
#ifndef TDSMON_UNIT_TLS_PAIR_H
#define TDSMON_UNIT_TLS_PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "engine/record.h"

#define PAIR_WIRE 65536

/* What one side sent, as it goes over the wire. */
typedef void pair_wire_fn(void *ctx, enum side from, const uint8_t *data, size_t len);
/* A line of the key log. */
typedef void pair_keys_fn(void *ctx, const char *line);

struct pair {
	SSL_CTX *ctx[2];
	SSL *ssl[2];
	BIO *in[2], *out[2];
	pair_wire_fn *wire;
	pair_keys_fn *keys;
	void *fn_ctx;
};

static inline EVP_PKEY *pair_key(bool rsa)
{
	static EVP_PKEY *keys[2];

	if (!keys[rsa])
		keys[rsa] = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	return keys[rsa];
}

static inline X509 *pair_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"pair.test", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	X509_sign(cert, key, EVP_sha256());
	return cert;
}

static inline void pair_keylog(const SSL *ssl, const char *line)
{
	struct pair *p = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	p->keys(p->fn_ctx, line);
}

/* Contexts of version `only`, TLS1_2_VERSION or TLS1_3_VERSION, with a certificate of each kind. */
static inline void pair_init(struct pair *p, int only, pair_wire_fn *wire, pair_keys_fn *keys,
			     void *ctx)
{
	*p = (struct pair){.wire = wire, .keys = keys, .fn_ctx = ctx};
	p->ctx[SIDE_CLIENT] = SSL_CTX_new(TLS_client_method());
	p->ctx[SIDE_SERVER] = SSL_CTX_new(TLS_server_method());
	for (int i = 0; i < 2; i++) {
		SSL_CTX_set_min_proto_version(p->ctx[i], only);
		SSL_CTX_set_max_proto_version(p->ctx[i], only);
		SSL_CTX_set_security_level(p->ctx[i], 0);
		SSL_CTX_set_app_data(p->ctx[i], p);
	}
	for (int rsa = 0; rsa < 2; rsa++) {
		X509 *cert = pair_certificate(pair_key(rsa));

		SSL_CTX_use_certificate(p->ctx[SIDE_SERVER], cert);
		SSL_CTX_use_PrivateKey(p->ctx[SIDE_SERVER], pair_key(rsa));
		X509_free(cert);
	}
	SSL_CTX_set_dh_auto(p->ctx[SIDE_SERVER], 1);
	SSL_CTX_set_session_id_context(p->ctx[SIDE_SERVER], (const uint8_t *)"pair", 4);
	/* Either end logs a secret as soon as it has it, and uses it then: one of them is in time. */
	SSL_CTX_set_keylog_callback(p->ctx[SIDE_CLIENT], pair_keylog);
	SSL_CTX_set_keylog_callback(p->ctx[SIDE_SERVER], pair_keylog);
}

/* A new connection; session: to resume, or NULL. */
static inline void pair_open(struct pair *p, SSL_SESSION *session)
{
	for (int i = 0; i < 2; i++) {
		SSL_free(p->ssl[i]);
		p->ssl[i] = SSL_new(p->ctx[i]);
		p->in[i] = BIO_new(BIO_s_mem());
		p->out[i] = BIO_new(BIO_s_mem());
		SSL_set_bio(p->ssl[i], p->in[i], p->out[i]);
	}
	SSL_set_connect_state(p->ssl[SIDE_CLIENT]);
	SSL_set_accept_state(p->ssl[SIDE_SERVER]);
	if (session)
		SSL_set_session(p->ssl[SIDE_CLIENT], session);
}

/* Carry one side's output over the wire. False: it sent nothing. */
static inline bool pair_carry(struct pair *p, enum side from)
{
	enum side to = from == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
	uint8_t data[PAIR_WIRE];
	int n = BIO_read(p->out[from], data, sizeof(data));

	if (n <= 0)
		return false;
	p->wire(p->fn_ctx, from, data, (size_t)n);
	BIO_write(p->in[to], data, n);
	return true;
}

/* Both talk until nobody has anything to say. False: the handshake is not over then. */
static inline bool pair_talk(struct pair *p)
{
	uint8_t data[PAIR_WIRE];
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < 2; i++) {
			SSL_read(p->ssl[i], data, sizeof(data)); /* shakes hands, too */
			more |= pair_carry(p, (enum side)i);
		}
	}
	return SSL_is_init_finished(p->ssl[0]) && SSL_is_init_finished(p->ssl[1]);
}

/* One side sends data; then both talk. */
static inline bool pair_send(struct pair *p, enum side from, const void *data, size_t len)
{
	bool sent = SSL_write(p->ssl[from], data, (int)len) == (int)len;

	return pair_talk(p) && sent;
}

static inline void pair_release(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		SSL_free(p->ssl[i]);
		SSL_CTX_free(p->ctx[i]);
	}
}

#endif
