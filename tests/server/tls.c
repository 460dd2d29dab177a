// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Runs OpenSSL on memory, and makes the certificate of a server that was given none. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls.h"

/* MS-TDS 1.7: the protocol's ALPN name */
static const uint8_t alpn[] = "\x07tds/8.0";

static int alpn_select(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in,
		       unsigned in_len, void *arg)
{
	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto((uint8_t **)out, out_len, alpn, sizeof(alpn) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

static int key_log_index;

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1);

	X509_EXTENSION_free(e);
	return ok;
}

static X509 *self_signed(EVP_PKEY *key, const char *cn)
{
	X509 *x = X509_new();
	X509_NAME *name;
	char san[512];

	if (!x)
		return NULL;
	snprintf(san, sizeof(san), "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", cn);
	name = X509_get_subject_name(x);
	if (X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -24 * 3600) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), 365 * 24 * 3600L) && X509_set_pubkey(x, key) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0) &&
	    X509_set_issuer_name(x, name) && add_extension(x, NID_subject_alt_name, san) &&
	    X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

static bool write_cert(const char *path, X509 *x)
{
	FILE *f = fopen(path, "w");
	bool ok = f && PEM_write_X509(f, x);

	if (f && fclose(f))
		ok = false;
	return ok;
}

static bool use_self_signed(SSL_CTX *ctx, const struct tls_options *o)
{
	EVP_PKEY *key = o->ecdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	X509 *x = key ? self_signed(key, o->cn) : NULL;
	bool ok = x && SSL_CTX_use_certificate(ctx, x) && SSL_CTX_use_PrivateKey(ctx, key) &&
		  (!o->cert_out || write_cert(o->cert_out, x));

	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}

/* OpenSSL's callback for a line of a key log. A line is one write, so that threads do not mix theirs. */
static void log_key(const SSL *ssl, const char *line)
{
	FILE *f = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), key_log_index);

	flockfile(f);
	fprintf(f, "%s\n", line);
	fflush(f);
	funlockfile(f);
}

static bool log_keys(SSL_CTX *ctx, const char *path)
{
	FILE *f = fopen(path, "a");

	if (!f)
		return false;
	key_log_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	SSL_CTX_set_ex_data(ctx, key_log_index, f);
	SSL_CTX_set_keylog_callback(ctx, log_key);
	return true;
}

SSL_CTX *tls_server_ctx(const struct tls_options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok = false;

	if (!ctx)
		goto out;
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	/* Level 0: TLS 1.0 and SHA-1, for --tls-min 1.0. */
	if (!SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") ||
	    !SSL_CTX_set_min_proto_version(ctx, o->min) ||
	    !SSL_CTX_set_max_proto_version(ctx, o->max))
		goto out;
	if (o->strict)
		SSL_CTX_set_alpn_select_cb(ctx, alpn_select, NULL);
	else /* a ticket after the handshake would still be in a PRELOGIN packet, where nobody reads it */
		SSL_CTX_set_num_tickets(ctx, 0);
	if ((o->groups && !SSL_CTX_set1_groups_list(ctx, o->groups)) ||
	    (o->key_log && !log_keys(ctx, o->key_log)))
		goto out;
	if (o->cert)
		ok = SSL_CTX_use_certificate_chain_file(ctx, o->cert) > 0 &&
		     SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) > 0;
	else
		ok = use_self_signed(ctx, o);
out:
	if (!ok) {
		fprintf(stderr, "tds-server: TLS cannot be set up\n");
		ERR_print_errors_fp(stderr);
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

SSL_CTX *tls_client_ctx(int max, bool strict)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_proto_version(ctx, max);
	if (strict)
		SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1);
	return ctx;
}

struct tls *tls_new(SSL_CTX *ctx, bool server)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->ssl = SSL_new(ctx);
	t->from_peer = BIO_new(BIO_s_mem());
	t->to_peer = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->from_peer || !t->to_peer)
		abort();
	SSL_set_bio(t->ssl, t->from_peer, t->to_peer);
	if (server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	/* TDS ends TLS without a close_notify; that must not make the session unfit for resumption.
	 */
	SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	free(t);
}

void tls_feed(struct tls *t, const uint8_t *p, size_t n)
{
	BIO_write(t->from_peer, p, n);
}

static void drain(struct tls *t, struct buf *out)
{
	int n;

	while ((n = BIO_pending(t->to_peer)) > 0) {
		n = BIO_read(t->to_peer, buf_room(out, n), n);
		buf_grow(out, n);
	}
}

/* OpenSSL's return value as ours: 0 stands for "more bytes are needed". */
static int failed(struct tls *t, int ret)
{
	int err = SSL_get_error(t->ssl, ret);

	ERR_clear_error();
	return err == SSL_ERROR_WANT_READ ? 0 : -1;
}

int tls_handshake(struct tls *t, struct buf *out)
{
	int ret = SSL_do_handshake(t->ssl);

	if (ret != 1)
		ret = failed(t, ret);
	drain(t, out);
	return ret;
}

int tls_read(struct tls *t, struct buf *clear, struct buf *out)
{
	enum { CHUNK = 16384 };
	int n;

	while ((n = SSL_read(t->ssl, buf_room(clear, CHUNK), CHUNK)) > 0)
		buf_grow(clear, n);
	n = failed(t, n);
	drain(t, out);
	return n;
}

void tls_write(struct tls *t, const uint8_t *p, size_t n, struct buf *out)
{
	SSL_write(t->ssl, p, n);
	drain(t, out);
}

void tls_rekey(struct tls *t, struct buf *out)
{
	if (SSL_version(t->ssl) == TLS1_3_VERSION)
		SSL_key_update(t->ssl, SSL_KEY_UPDATE_REQUESTED);
	else
		SSL_renegotiate(t->ssl);
	SSL_do_handshake(t->ssl);
	ERR_clear_error();
	drain(t, out);
}

void tls_close_notify(struct tls *t, struct buf *out)
{
	SSL_shutdown(t->ssl);
	ERR_clear_error();
	drain(t, out);
}
