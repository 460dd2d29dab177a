/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_layer.c - see record_layer.h.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "engine/decrypt/record_layer.h"

#define TLS_HEADER_LEN 5
#define BLOCK	       16 /* of AES: also CBC's explicit IV */
#define GCM_EXPLICIT   8  /* bytes of the nonce that each record carries, RFC 5288 3 */
#define PSEUDO_HEADER  13 /* what a MAC covers before the content: RFC 5246 6.2.3.1 */

#define CBC(id, bits, mac, hash, mac_hash)                                                         \
	{                                                                                          \
		id, SUITE_CBC, bits / 8, 0, mac, 0, EVP_aes_##bits##_cbc, EVP_##hash,              \
			EVP_##mac_hash                                                             \
	}
#define GCM(id, bits, hash)                                                                        \
	{                                                                                          \
		id, SUITE_GCM, bits / 8, 4, 0, 16, EVP_aes_##bits##_gcm, EVP_##hash, NULL          \
	}
#define CCM(id, bits, tag)                                                                         \
	{                                                                                          \
		id, SUITE_CCM, bits / 8, 4, 0, tag, EVP_aes_##bits##_ccm, EVP_sha256, NULL         \
	}
#define CHACHA20(id)                                                                               \
	{                                                                                          \
		id, SUITE_CHACHA20, 32, 12, 0, 16, EVP_chacha20_poly1305, EVP_sha256, NULL         \
	}

/* IANA TLS Cipher Suites registry. Names: protocol/tls.c */
static const struct suite_keys suites[] = {
	CBC(0x002f, 128, 20, sha256, sha1),
	CBC(0x0033, 128, 20, sha256, sha1),
	CBC(0x0035, 256, 20, sha256, sha1),
	CBC(0x0039, 256, 20, sha256, sha1),
	CBC(0x003c, 128, 32, sha256, sha256),
	CBC(0x003d, 256, 32, sha256, sha256),
	CBC(0x0067, 128, 32, sha256, sha256),
	CBC(0x006b, 256, 32, sha256, sha256),
	GCM(0x009c, 128, sha256),
	GCM(0x009d, 256, sha384),
	GCM(0x009e, 128, sha256),
	GCM(0x009f, 256, sha384),
	GCM(0x1301, 128, sha256),
	GCM(0x1302, 256, sha384),
	CHACHA20(0x1303),
	CCM(0x1304, 128, 16),
	CCM(0x1305, 128, 8),
	CBC(0xc009, 128, 20, sha256, sha1),
	CBC(0xc00a, 256, 20, sha256, sha1),
	CBC(0xc013, 128, 20, sha256, sha1),
	CBC(0xc014, 256, 20, sha256, sha1),
	CBC(0xc023, 128, 32, sha256, sha256),
	CBC(0xc024, 256, 48, sha384, sha384),
	CBC(0xc027, 128, 32, sha256, sha256),
	CBC(0xc028, 256, 48, sha384, sha384),
	GCM(0xc02b, 128, sha256),
	GCM(0xc02c, 256, sha384),
	GCM(0xc02f, 128, sha256),
	GCM(0xc030, 256, sha384),
	CCM(0xc09c, 128, 16),
	CCM(0xc09d, 256, 16),
	CCM(0xc0ac, 128, 16),
	CCM(0xc0ad, 256, 16),
	CHACHA20(0xcca8),
	CHACHA20(0xcca9),
	CHACHA20(0xccaa),
};

const struct suite_keys *suite_keys_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

/* ---- keys ---- */

void record_keys_clear(struct record_keys *k)
{
	EVP_CIPHER_CTX_free(k->ctx); /* which wipes it */
	OPENSSL_cleanse(k, sizeof(*k));
}

static bool keys_begin(struct record_keys *k, const struct suite_keys *suite, const uint8_t *key,
		       const uint8_t *iv, size_t iv_len)
{
	bool ok;

	k->ctx = EVP_CIPHER_CTX_new();
	k->suite = suite;
	memcpy(k->iv, iv, iv_len);
	ok = k->ctx && EVP_DecryptInit_ex(k->ctx, suite->cipher(), NULL, NULL, NULL) == 1;
	if (ok && suite->kind == SUITE_CBC)
		EVP_CIPHER_CTX_set_padding(k->ctx, 0);
	else if (ok)
		ok = EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_IVLEN, sizeof(k->iv), NULL) == 1;
	if (ok && suite->kind == SUITE_CCM)
		ok = EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG, suite->tag, NULL) == 1;
	ok = ok && EVP_DecryptInit_ex(k->ctx, NULL, NULL, key, NULL) == 1;
	if (!ok)
		record_keys_clear(k);
	return ok;
}

bool record_keys_12(struct record_keys *k, const struct suite_keys *suite,
		    const struct secret *master, const uint8_t *client_random,
		    const uint8_t *server_random, bool client, bool etm)
{
	const uint8_t *mac, *key, *iv;
	uint8_t block[KEY_BLOCK_MAX];
	size_t need = 2u * (suite->mac + suite->key + suite->fixed_iv);
	bool ok;

	record_keys_clear(k);
	ok = prf12(suite->hash(), master, "key expansion", server_random, client_random, block,
		   need);
	/* RFC 5246 6.3: each of them the client's, then the server's */
	mac = block + (client ? 0 : suite->mac);
	key = block + 2 * suite->mac + (client ? 0 : suite->key);
	iv = block + 2 * (suite->mac + suite->key) + (client ? 0 : suite->fixed_iv);
	ok = ok && keys_begin(k, suite, key, iv, suite->fixed_iv);
	if (ok) {
		k->etm = etm && suite->kind == SUITE_CBC;
		k->mac.len = suite->mac;
		memcpy(k->mac.bytes, mac, suite->mac);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool record_keys_13(struct record_keys *k, const struct suite_keys *suite,
		    const struct secret *secret)
{
	uint8_t key[32], iv[12];
	bool ok;

	record_keys_clear(k);
	ok = secret->len == EVP_MD_get_size(suite->hash()) &&
	     expand_label(suite->hash(), secret, "key", key, suite->key) &&
	     expand_label(suite->hash(), secret, "iv", iv, sizeof(iv)) &&
	     keys_begin(k, suite, key, iv, sizeof(iv));
	k->tls13 = ok;
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(iv, sizeof(iv));
	return ok;
}

/* ---- records ---- */

static void put_be(uint8_t *p, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		p[i] = (uint8_t)value;
}

/* Authenticated beside the content of len bytes, up to TLS 1.2. */
static void pseudo_header(const struct record_keys *k, const uint8_t *header, uint32_t len,
			  uint8_t out[PSEUDO_HEADER])
{
	put_be(out, k->seq, 8);
	memcpy(out + 8, header, 3);
	put_be(out + 11, len, 2);
}

/* The record's first bytes are a part of its nonce: GCM and CCM of TLS 1.2. */
static uint32_t explicit_nonce(const struct record_keys *k)
{
	return k->suite->fixed_iv == 4 && !k->tls13 ? GCM_EXPLICIT : 0;
}

/* RFC 8446 5.3, RFC 7905 2, RFC 5288 3 */
static void nonce_of(const struct record_keys *k, const uint8_t *body, uint8_t out[12])
{
	memcpy(out, k->iv, 12);
	if (explicit_nonce(k))
		memcpy(out + 4, body, GCM_EXPLICIT);
	for (int i = 0; !explicit_nonce(k) && i < 8; i++)
		out[4 + i] ^= (uint8_t)(k->seq >> (56 - 8 * i));
}

static bool aead(struct record_keys *k, const uint8_t *nonce, const uint8_t *aad, int aad_len,
		 uint8_t *data, uint32_t len)
{
	bool ccm = k->suite->kind == SUITE_CCM;
	uint8_t *tag = data + len, rest[BLOCK];
	int n;

	/* CCM wants the tag before the nonce, and the length before the rest. */
	if (EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG, k->suite->tag, tag) != 1 ||
	    EVP_DecryptInit_ex(k->ctx, NULL, NULL, NULL, nonce) != 1 ||
	    (ccm && EVP_DecryptUpdate(k->ctx, NULL, &n, NULL, (int)len) != 1) ||
	    EVP_DecryptUpdate(k->ctx, NULL, &n, aad, aad_len) != 1 ||
	    EVP_DecryptUpdate(k->ctx, data, &n, data, (int)len) != 1)
		return false;
	return ccm || EVP_DecryptFinal_ex(k->ctx, rest, &n) == 1;
}

uint32_t record_overhead(const struct record_keys *k)
{
	if (k->suite->kind == SUITE_CBC)
		return 0;
	return explicit_nonce(k) + k->suite->tag + (k->tls13 ? 1 : 0);
}

static bool open_aead(struct record_keys *k, const uint8_t *header, uint8_t *body, uint32_t len,
		      struct opened *out)
{
	uint8_t nonce[12], aad[PSEUDO_HEADER];

	out->at = explicit_nonce(k);
	if (len < out->at + k->suite->tag)
		return false;
	nonce_of(k, body, nonce);
	out->len = len - out->at - k->suite->tag;
	if (k->tls13) {
		memcpy(aad, header, TLS_HEADER_LEN);
		return aead(k, nonce, aad, TLS_HEADER_LEN, body, out->len);
	}
	pseudo_header(k, header, out->len, aad);
	return aead(k, nonce, aad, PSEUDO_HEADER, body + out->at, out->len);
}

/* The MAC of CBC suites, over the pseudo header and len bytes of data. */
static bool mac_fits(const struct record_keys *k, const uint8_t *header, const uint8_t *data,
		     uint32_t len, const uint8_t *mac)
{
	uint8_t input[PSEUDO_HEADER + RECORD_MAX], out[EVP_MAX_MD_SIZE];
	bool fits;

	pseudo_header(k, header, len, input);
	memcpy(input + PSEUDO_HEADER, data, len);
	fits = HMAC(k->suite->mac_hash(), k->mac.bytes, k->mac.len, input, PSEUDO_HEADER + len, out,
		    NULL) &&
	       !CRYPTO_memcmp(out, mac, k->mac.len);
	OPENSSL_cleanse(input, PSEUDO_HEADER + len);
	return fits;
}

/* RFC 5246 6.2.3.2: bytes of padding, its length included; 0: the padding is wrong. */
static uint32_t padding_of(const uint8_t *data, uint32_t len)
{
	uint32_t n = len ? data[len - 1] + 1u : 0;

	if (!n || n > len)
		return 0;
	for (uint32_t i = len - n; i < len; i++)
		if (data[i] != data[len - 1])
			return 0;
	return n;
}

static bool open_cbc(struct record_keys *k, const uint8_t *header, uint8_t *body, uint32_t len,
		     struct opened *out)
{
	uint32_t mac = k->mac.len, padding, data;
	int n;

	if (k->etm) {
		if (len < mac || !mac_fits(k, header, body, len - mac, body + len - mac))
			return false;
		len -= mac;
	}
	if (len < 2 * BLOCK || len % BLOCK)
		return false;
	data = len - BLOCK;
	if (EVP_DecryptInit_ex(k->ctx, NULL, NULL, NULL, body) != 1 ||
	    EVP_DecryptUpdate(k->ctx, body + BLOCK, &n, body + BLOCK, (int)data) != 1)
		return false;
	padding = padding_of(body + BLOCK, data);
	if (!padding || data < padding + (k->etm ? 0 : mac))
		return false;
	out->at = BLOCK;
	out->len = data - padding - (k->etm ? 0 : mac);
	return k->etm || mac_fits(k, header, body + BLOCK, out->len, body + BLOCK + out->len);
}

/* RFC 8446 5.2: zeros behind, and before them the content's type. */
static bool strip_13(const uint8_t *body, struct opened *out)
{
	while (out->len && !body[out->at + out->len - 1])
		out->len--;
	if (!out->len)
		return false;
	out->type = body[out->at + --out->len];
	return true;
}

bool record_open(struct record_keys *k, const uint8_t *header, uint8_t *body, uint32_t len,
		 struct opened *out)
{
	*out = (struct opened){.type = header[0]};
	if (len > RECORD_MAX)
		return false;
	if (!(k->suite->kind == SUITE_CBC ? open_cbc(k, header, body, len, out)
					  : open_aead(k, header, body, len, out)))
		return false;
	if (k->tls13 && !strip_13(body, out))
		return false;
	k->seq++;
	return true;
}
