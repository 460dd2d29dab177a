// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decrypt.c - TLS with its secrets: a key log's lines, and a connection's records, as the wire has
 * them or protected by the harness with the right keys, so that the fuzzer gets inside. Input: u8
 * (bit 0: a key log, whose lines are the rest; bits 1-2: the suite), then records, each u8 (bit 0: of
 * the server, bit 1: not captured, bit 2: in small pieces, bit 3: protected, bit 4: records before
 * it are missing, bit 5: one bit is flipped, bit 6: judged from outside first).
 */
#include "fuzz.h"
#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/record_layer.h"
#include "engine/decrypt/secrets.h"
#include "engine/protocol/tls.h"

#define PLAIN_MOST 4096

static const uint16_t suites[] = {0x1301, 0x1302, 0x1301, 0x1302};

/* The harness's own ends, TLS 1.3 with AES-GCM. */
static struct end {
	struct secret secret;
	uint64_t seq;
} ends[2];

static const struct suite_keys *suite;

/* A record of TLS 1.3 that holds len bytes of the type; returns the body's length. */
static uint32_t protect(struct end *e, uint8_t type, const uint8_t *data, uint32_t len,
			uint8_t *header, uint8_t *body)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint32_t total = len + 1 + suite->tag;
	uint8_t key[32], iv[12];
	int n;

	FUZZ_ASSERT(expand_label(suite->hash(), &e->secret, "key", key, suite->key));
	FUZZ_ASSERT(expand_label(suite->hash(), &e->secret, "iv", iv, sizeof(iv)));
	for (int i = 0; i < 8; i++)
		iv[4 + i] ^= (uint8_t)(e->seq >> (56 - 8 * i));
	memcpy(header, (uint8_t[]){TLS_DATA, 3, 3, (uint8_t)(total >> 8), (uint8_t)total}, 5);
	if (len)
		memcpy(body, data, len);
	body[len] = type;
	FUZZ_ASSERT(EVP_EncryptInit_ex(ctx, suite->cipher(), NULL, key, iv) == 1);
	FUZZ_ASSERT(EVP_EncryptUpdate(ctx, NULL, &n, header, 5) == 1);
	FUZZ_ASSERT(EVP_EncryptUpdate(ctx, body, &n, body, (int)len + 1) == 1);
	FUZZ_ASSERT(EVP_EncryptFinal_ex(ctx, body + len + 1, &n) == 1);
	FUZZ_ASSERT(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, suite->tag, body + len + 1) ==
		    1);
	EVP_CIPHER_CTX_free(ctx);
	e->seq++;
	return total;
}

static void take(struct decrypt *d, enum side from)
{
	struct decrypted r = decrypt_record(d, from);
	struct plain p;
	uint32_t sum = 0;

	for (uint32_t i = 0; r.data && i < r.len; i++)
		sum += r.data[i];
	while (decrypt_next(d, from, &p)) {
		FUZZ_ASSERT(p.len);
		for (uint32_t i = 0; p.data && i < p.len; i++)
			sum += p.data[i];
	}
	FUZZ_ASSERT(sum != UINT32_MAX); /* every byte is read */
}

static void feed(struct decrypt *d, enum side from, uint8_t how, const uint8_t *header,
		 uint8_t *body, uint32_t len, uint64_t *now_ns)
{
	uint32_t piece;

	if (how & 16)
		decrypt_lost(d, from);
	if (how & 32 && len)
		body[len / 2] ^= 1;
	if (how & 64)
		decrypt_missed(d);
	decrypt_head(d, from, header);
	for (uint32_t at = 0; at < len; at += piece) {
		piece = how & 4 && len - at > 3 ? 3 : len - at;
		decrypt_body(d, from, how & 2 ? NULL : body + at, piece, ++*now_ns);
	}
	decrypt_end(d, from, ++*now_ns);
	take(d, from);
}

static void record(struct decrypt *d, struct fuzz *in, uint64_t *now_ns)
{
	uint8_t how = fuzz_u8(in), type, header[5], sealed[PLAIN_MOST + 64];
	enum side from = how & 1 ? SIDE_SERVER : SIDE_CLIENT;
	uint32_t len;
	uint8_t *body;

	if (how & 8) {
		type = fuzz_u8(in);
		body = fuzz_bytes(in, fuzz_u16(in) % PLAIN_MOST, &len);
		len = protect(&ends[from], type, body, len, header, sealed);
		feed(d, from, how, header, sealed, len, now_ns);
	} else {
		for (int i = 0; i < 5; i++)
			header[i] = fuzz_u8(in);
		body = fuzz_bytes(in, (uint32_t)(header[3] << 8 | header[4]), &len);
		header[3] = (uint8_t)(len >> 8);
		header[4] = (uint8_t)len;
		feed(d, from, how, header, body, len, now_ns);
	}
	free(body);
}

/* ClientHello and ServerHello of TLS 1.3, whose randoms are zeros. */
static void hellos(struct decrypt *d, uint16_t id, uint64_t *now_ns)
{
	uint8_t client[4 + 2 + 32 + 1] = {1, 0, 0, 35, 3, 3};
	uint8_t server[4 + 2 + 32 + 1 + 2 + 1 + 2 + 6] = {2, 0, 0, 46, 3, 3};
	const uint8_t tail[] = {(uint8_t)(id >> 8), (uint8_t)id, 0, 0, 6, 0, 43, 0, 2, 3, 4};

	memcpy(server + 39, tail, sizeof(tail));
	feed(d, SIDE_CLIENT, 0, (uint8_t[]){TLS_HANDSHAKE, 3, 3, 0, sizeof(client)}, client,
	     sizeof(client), now_ns);
	feed(d, SIDE_SERVER, 0, (uint8_t[]){TLS_HANDSHAKE, 3, 3, 0, sizeof(server)}, server,
	     sizeof(server), now_ns);
}

static void lines(struct decryption *dn, struct fuzz *in)
{
	while (in->p < in->end) {
		const uint8_t *end = memchr(in->p, '\n', (size_t)(in->end - in->p));
		struct secret_line line;
		uint32_t len;
		uint8_t *text;

		text = fuzz_bytes(in, (uint32_t)((end ? end : in->end) - in->p), &len);
		in->p += end != NULL;
		if (secret_line_parse(&line, (const char *)text, len)) {
			FUZZ_ASSERT(line.secret.len == 32 || line.secret.len == 48);
			decryption_secret(dn, &line);
		}
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t seed[2] = {1, 2};
	struct fuzz in = {data, data + size};
	static struct decrypt_stats stats;
	static uint64_t refused;
	static struct pool pool = {.max = 1 << 20, .refused = &refused};
	static struct decryption *dn; /* its table is large, and made once */
	uint8_t how = fuzz_u8(&in);
	uint64_t now_ns = 1;
	struct decrypt *d;

	if (!dn)
		dn = decryption_new(2, seed, &pool, &stats);
	FUZZ_ASSERT(dn);
	stats = (struct decrypt_stats){0};
	d = decryption_begin(dn, 1);
	FUZZ_ASSERT(d);
	suite = suite_keys_find(suites[how >> 1 & 3]);
	for (int i = 0; i < 2; i++) {
		struct secret_line line = {.kind = i ? SECRET_SERVER_DATA : SECRET_CLIENT_DATA};

		ends[i] = (struct end){.secret.len = suite->id == 0x1301 ? 32 : 48};
		memset(ends[i].secret.bytes, i + 1, ends[i].secret.len);
		line.secret = ends[i].secret;
		decryption_secret(dn, &line);
		line.kind = SECRET_MASTER;
		line.secret.len = 48;
		decryption_secret(dn, &line);
	}
	if (how & 1)
		lines(dn, &in);
	else if (!(how & 8))
		hellos(d, suite->id, &now_ns);
	while (in.p < in.end)
		record(d, &in, &now_ns);
	decryption_tick(dn, now_ns + 100000000000ull);
	FUZZ_ASSERT(stats.decrypted <= 1);
	FUZZ_ASSERT(stats.missing + stats.wrong + stats.unsupported + stats.broken <= 1);
	decryption_end(dn, 1);
	FUZZ_ASSERT(!pool.used);
	return 0;
}
