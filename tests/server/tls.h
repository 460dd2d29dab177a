/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* TLS over byte queues: no socket is touched, so that TDS may carry the records as it likes. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include <openssl/ssl.h>

#include "buf.h"

struct tls_options {
	const char *cert, *key; /* PEM files; NULL: a self-signed certificate is made */
	const char *cn;		/* its subject */
	const char *cert_out;	/* where to write it for clients that must trust it, or NULL */
	bool ecdsa;		/* its key: P-256 in place of RSA 2048 */
	bool strict;		/* ALPN tds/8.0: MS-TDS 1.7 */
	int min, max;		/* TLS1_2_VERSION and the like */
	const char *groups;	/* of the key exchange, OpenSSL's names; NULL: its default */
	const char *key_log;	/* secrets are appended to this file; NULL: to none */
};

SSL_CTX *tls_server_ctx(const struct tls_options *o); /* NULL with the reason on stderr */
/* A client that trusts anything. */
SSL_CTX *tls_client_ctx(int max, bool strict);

struct tls {
	SSL *ssl;
	BIO *from_peer, *to_peer;
};

struct tls *tls_new(SSL_CTX *ctx, bool server);
void tls_free(struct tls *t);
void tls_feed(struct tls *t, const uint8_t *p, size_t n);
/* > 0 done, 0 needs more from the peer, < 0 failed; what is to be sent goes to out in any case. */
int tls_handshake(struct tls *t, struct buf *out);
/*
 * Appends what can be decrypted to clear; < 0 at an error or the peer's close_notify. What TLS itself
 * has to say to it goes to out.
 */
int tls_read(struct tls *t, struct buf *clear, struct buf *out);
/* New keys: a key update that asks the peer for one, before TLS 1.3 a renegotiation. */
void tls_rekey(struct tls *t, struct buf *out);
/* Seals p in records, appended to out. */
void tls_write(struct tls *t, const uint8_t *p, size_t n, struct buf *out);
void tls_close_notify(struct tls *t, struct buf *out);

#endif
