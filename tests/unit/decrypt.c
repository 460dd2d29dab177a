// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decrypt.c - TLS read with the secrets of a key log: RFC 8448's trace, and everything that
 * OpenSSL's two ends say to each other in each suite that is read, resumed, with a retry, with new
 * keys, renegotiated, cut into pieces, damaged, or with other secrets.
 */
#include "tls_pair.h"
#include "guard.h"
#include "unit.h"
#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/record_layer.h"
#include "engine/decrypt/secrets.h"
#include "engine/protocol/tls.h"

#define TEXT_MAX 131072
#define LINES	 16

static const uint64_t seed[2] = {1, 2};

/* ---- the reader of the wire ---- */

struct reader {
	struct decrypt_stats stats;
	struct decryption *dn;
	struct decrypt *d;
	struct framer framer[2];
	struct pair pair;
	uint64_t now_ns;
	uint32_t cut;	  /* bytes of a segment */
	uint32_t flip;	  /* a bit of this byte of the next record is flipped; 0: of none */
	uint32_t drop;	  /* so many of the next records are missing */
	bool dropping;	  /* at one of them */
	bool unread;	  /* the next record was not captured, but for its header */
	uint32_t gaps;	  /* of unknown length */
	bool judges;	  /* a record of data that stays hidden is judged, as the login does */
	bool withhold;	  /* the key log is empty */
	const char *skip; /* labels that begin so are left out */
	bool scramble;	  /* and secrets are wrong */
	uint8_t text[2][TEXT_MAX];
	uint32_t len[2];
	uint64_t first_ns[2], last_ns[2]; /* of the text */
	uint32_t alerts, handshakes;	  /* records of these that were read */
};

static void on_head(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct reader *r = *(struct reader **)ctx;
	enum side from = ((struct reader **)ctx)[1] ? SIDE_SERVER : SIDE_CLIENT;

	(void)ts_ns;
	r->dropping = r->drop > 0;
	r->drop -= r->dropping;
	if (r->dropping)
		decrypt_lost(r->d, from);
	else
		decrypt_head(r->d, from, f->header);
}

static void on_body(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct reader *r = *(struct reader **)ctx;
	enum side from = ((struct reader **)ctx)[1] ? SIDE_SERVER : SIDE_CLIENT;

	(void)f;
	if (r->dropping)
		return;
	if (data && r->flip && r->flip <= len) {
		uint8_t *copy = malloc(len);

		memcpy(copy, data, len);
		copy[r->flip - 1] ^= 1;
		r->flip = 0;
		decrypt_body(r->d, from, copy, len, ts_ns);
		free(copy);
		return;
	}
	decrypt_body(r->d, from, r->unread ? NULL : data, len, ts_ns);
}

static void take_text(struct reader *r, enum side from)
{
	struct plain p;

	while (decrypt_next(r->d, from, &p)) {
		if (!r->len[from])
			r->first_ns[from] = p.ts_ns;
		if (p.data && r->len[from] + p.len <= TEXT_MAX)
			memcpy(r->text[from] + r->len[from], p.data, p.len);
		else if (p.len < TEXT_MAX)
			memset(r->text[from] + r->len[from], '_', p.len);
		r->gaps += p.len == UINT32_MAX;
		r->len[from] += p.len == UINT32_MAX ? 0 : p.len;
		r->last_ns[from] = p.ts_ns;
	}
}

static void on_end(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct reader *r = *(struct reader **)ctx;
	enum side from = ((struct reader **)ctx)[1] ? SIDE_SERVER : SIDE_CLIENT;
	struct decrypted record;

	if (r->dropping)
		return;
	decrypt_end(r->d, from, ts_ns);
	r->unread = false;
	record = decrypt_record(r->d, from);
	if (!record.type && r->judges && f->header[0] == TLS_DATA &&
	    SSL_is_init_finished(r->pair.ssl[0]) && SSL_is_init_finished(r->pair.ssl[1]))
		decrypt_missed(r->d);
	r->alerts += record.type == TLS_ALERT;
	r->handshakes += record.type == TLS_HANDSHAKE;
	take_text(r, from);
}

static void on_lost(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)data, (void)len, (void)ts_ns;
	CHECK(false);
}

static const struct frame_ops ops = {on_head, on_body, on_end, on_lost};

static void on_wire(void *ctx, enum side from, const uint8_t *data, size_t len)
{
	struct reader *r = ctx;
	void *both[] = {r, from == SIDE_SERVER ? r : NULL};

	for (size_t at = 0; at < len; at += r->cut) {
		uint32_t n = (uint32_t)(len - at < r->cut ? len - at : r->cut);

		r->now_ns += 1000;
		frame_feed(&r->framer[from], &ops, both, guarded(data + at, n), n, r->now_ns);
	}
}

static void on_keys(void *ctx, const char *text)
{
	struct reader *r = ctx;
	struct secret_line line;

	if (r->withhold || (r->skip && !strncmp(text, r->skip, strlen(r->skip))) ||
	    !secret_line_parse(&line, text, strlen(text)))
		return;
	line.secret.bytes[0] ^= r->scramble;
	decryption_secret(r->dn, &line);
}

static void reader_begin(struct reader *r)
{
	memset(r->framer, 0, sizeof(r->framer));
	r->d = decryption_begin(r->dn, 1);
	r->len[0] = r->len[1] = 0;
	r->alerts = r->handshakes = 0;
}

static void reader_init(struct reader *r, int version)
{
	memset(r, 0, sizeof(*r));
	r->cut = 1460;
	r->judges = true;
	r->dn = decryption_new(2, seed, NULL, &r->stats);
	reader_begin(r);
	pair_init(&r->pair, version, on_wire, on_keys, r);
}

static void reader_release(struct reader *r)
{
	pair_release(&r->pair);
	decryption_free(r->dn);
}

static bool has_read(const struct reader *r, enum side from, const char *text)
{
	return r->len[from] == strlen(text) && !memcmp(r->text[from], text, r->len[from]);
}

/* Hands are shaken and both sides speak twice: is it read? */
static bool conversation(struct reader *r, SSL_SESSION *session)
{
	pair_open(&r->pair, session);
	return pair_talk(&r->pair) && pair_send(&r->pair, SIDE_CLIENT, "who is there", 12) &&
	       pair_send(&r->pair, SIDE_SERVER, "a server", 8) &&
	       pair_send(&r->pair, SIDE_CLIENT, "?", 1) && pair_send(&r->pair, SIDE_SERVER, "!", 1);
}

static bool was_read(const struct reader *r)
{
	return decrypt_reads(r->d) && has_read(r, SIDE_CLIENT, "who is there?") &&
	       has_read(r, SIDE_SERVER, "a server!");
}

static struct reader reader; /* too large for a stack */

/* ---- key log lines ---- */

#define RANDOM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"
#define FULL   RANDOM "202122232425262728292a2b2c2d2e2f"

UNIT_CASE(lines_of_a_key_log)
{
	static const struct {
		const char *text;
		int kind, len; /* -1: no secret */
	} rows[] = {
		{"CLIENT_RANDOM " RANDOM " " FULL, SECRET_MASTER, 48},
		{"CLIENT_RANDOM " RANDOM " " FULL "\r", SECRET_MASTER, 48},
		{"  CLIENT_RANDOM\t" RANDOM "  " FULL "  ", SECRET_MASTER, 48},
		{"CLIENT_RANDOM " RANDOM " " RANDOM, -1, 0}, /* a master secret has 48 bytes */
		{"CLIENT_TRAFFIC_SECRET_0 " RANDOM " " RANDOM, SECRET_CLIENT_DATA, 32},
		{"SERVER_TRAFFIC_SECRET_0 " RANDOM " " FULL, SECRET_SERVER_DATA, 48},
		{"CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " FULL, SECRET_CLIENT_HANDSHAKE, 48},
		{"SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " FULL, SECRET_SERVER_HANDSHAKE, 48},
		{"CLIENT_TRAFFIC_SECRET_1 " RANDOM " " FULL, -1, 0},
		{"EXPORTER_SECRET " RANDOM " " FULL, -1, 0},
		{"# CLIENT_RANDOM " RANDOM " " FULL, -1, 0},
		{"RSA 0011223344556677 " FULL, -1, 0},
		{"", -1, 0},
		{"CLIENT_RANDOM", -1, 0},
		{"CLIENT_RANDOM " RANDOM, -1, 0},
		{"CLIENT_RANDOM " RANDOM " " FULL "00", -1, 0},
		{"CLIENT_RANDOM " RANDOM " " FULL "0", -1, 0},
		{"CLIENT_RANDOM " RANDOM "00 " FULL, -1, 0},
		{"CLIENT_RANDOM g" RANDOM " " FULL, -1, 0},
		{"CLIENT_RANDOM " FULL " " FULL, -1, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);
		struct secret_line line;
		bool is = secret_line_parse(&line, (const char *)guarded(rows[i].text, len), len);

		CHECK_INT(is, rows[i].kind >= 0);
		if (!is)
			continue;
		CHECK_INT(line.kind, rows[i].kind);
		CHECK_INT(line.secret.len, rows[i].len);
		CHECK_INT(line.random[31], 0x1f);
		CHECK_INT(line.secret.bytes[31], 0x1f);
	}
}

static struct secret_line line_of(uint32_t n)
{
	struct secret_line line = {.kind = SECRET_MASTER, .secret = {.len = 48}};

	memcpy(line.random, &n, sizeof(n));
	memcpy(line.secret.bytes, &n, sizeof(n));
	return line;
}

UNIT_CASE(secrets_make_room_and_are_wiped)
{
	struct secrets *s = secrets_new(4, seed);
	struct secret_line line;

	for (uint32_t i = 0; i < 4; i++) {
		line = line_of(i);
		CHECK(!secrets_add(s, &line));
	}
	line = line_of(1); /* again, and another secret of the same connection */
	CHECK(!secrets_add(s, &line));
	line.kind = SECRET_CLIENT_DATA;
	CHECK(!secrets_add(s, &line));
	CHECK_INT(secrets_use(s, line.random, 5)->of[SECRET_CLIENT_DATA].len, 48);
	line = line_of(4); /* 0 goes, unused */
	CHECK(secrets_add(s, &line));
	line = line_of(5); /* 1 goes, and had been used */
	CHECK(!secrets_add(s, &line));
	for (uint32_t i = 0; i < 6; i++) {
		const struct secret_set *set;

		line = line_of(i);
		set = secrets_use(s, line.random, 1000000000);
		CHECK_INT(set != NULL, i >= 2);
		if (set)
			CHECK(!memcmp(set->of[SECRET_MASTER].bytes, &i, sizeof(i)));
	}
	secrets_tick(s, 60999999999);
	line = line_of(5);
	CHECK(secrets_use(s, line.random, 1));
	secrets_tick(s, 61000000000);
	for (uint32_t i = 0; i < 6; i++) {
		line = line_of(i);
		CHECK(!secrets_use(s, line.random, 1));
	}
	secrets_free(s);
}

/* ---- the key schedule, and RFC 8448 3 ---- */

static void hex(uint8_t *out, const char *text)
{
	for (; *text; text += 2)
		*out++ = (uint8_t)strtoul((char[]){text[0], text[1], 0}, NULL, 16);
}

#define CHECK_HEX(bytes, text)                                                                     \
	do {                                                                                       \
		uint8_t want_[256];                                                                \
		hex(want_, text);                                                                  \
		CHECK(!memcmp(bytes, want_, strlen(text) / 2));                                    \
	} while (0)

UNIT_CASE(keys_of_rfc8448)
{
	static const struct {
		const char *secret, *key, *iv;
	} rows[] = {
		{"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
		 "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"},
		{"b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
		 "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"},
		{"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
		 "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"},
		{"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
		 "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct secret secret = {.len = 32};
		uint8_t key[16], iv[12];

		hex(secret.bytes, rows[i].secret);
		CHECK(expand_label(EVP_sha256(), &secret, "key", key, sizeof(key)));
		CHECK(expand_label(EVP_sha256(), &secret, "iv", iv, sizeof(iv)));
		CHECK_HEX(key, rows[i].key);
		CHECK_HEX(iv, rows[i].iv);
	}
}

/* The client's Finished, as the trace has it. */
UNIT_CASE(a_record_of_rfc8448)
{
	static const uint8_t header[] = {23, 3, 3, 0, 0x35};
	struct secret secret = {.len = 32};
	struct record_keys keys = {0};
	uint8_t body[0x35];
	struct opened o;

	hex(secret.bytes, "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
	CHECK(record_keys_13(&keys, suite_keys_find(0x1301), &secret));
	hex(body,
	    "75ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384"
	    "bd1caeacab6867d726c40546");
	CHECK(record_open(&keys, header, body, sizeof(body), &o));
	CHECK_INT(o.type, TLS_HANDSHAKE);
	CHECK_INT(o.len, 36);
	CHECK_HEX(body + o.at,
		  "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61");
	CHECK(!record_open(&keys, header, body, sizeof(body), &o)); /* spoilt, and another number */
	record_keys_clear(&keys);
}

UNIT_CASE(labels_and_lengths_that_do_not_fit)
{
	struct secret secret = {.len = 32};
	struct record_keys keys = {0};
	uint8_t out[64];

	CHECK(!expand_label(EVP_sha256(), &secret, "key", out, 33));
	CHECK(!expand_label(EVP_sha256(), &secret, "a label that is longer than any there is", out,
			    1));
	CHECK(!record_keys_13(&keys, suite_keys_find(0x1302), &secret)); /* SHA-384: 48 bytes */
	CHECK(!suite_keys_find(0x0005));				 /* RC4 */
}

/* ---- each suite ---- */

/* True: OpenSSL's two ends talk in it, by a certificate of theirs. */
static bool usable(const SSL_CIPHER *c)
{
	int auth = SSL_CIPHER_get_auth_nid(c), kx = SSL_CIPHER_get_kx_nid(c);

	return (auth == NID_auth_rsa || auth == NID_auth_ecdsa || auth == NID_auth_any) &&
	       (kx == NID_kx_rsa || kx == NID_kx_dhe || kx == NID_kx_ecdhe || kx == NID_kx_any);
}

static uint32_t suites_of(int version, bool etm, uint32_t cut)
{
	STACK_OF(SSL_CIPHER) * list;
	SSL_CTX *all = SSL_CTX_new(TLS_method());
	SSL *ssl;
	uint32_t read = 0;

	SSL_CTX_set_security_level(all, 0);
	SSL_CTX_set_cipher_list(all, "ALL:@SECLEVEL=0");
	SSL_CTX_set_ciphersuites(all, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
				      "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
				      "TLS_AES_128_CCM_8_SHA256");
	ssl = SSL_new(all);
	list = SSL_get_ciphers(ssl);
	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
		const SSL_CIPHER *c = sk_SSL_CIPHER_value(list, i);
		bool is_13 = SSL_CIPHER_get_protocol_id(c) >> 8 == 0x13;
		bool known = suite_keys_find(SSL_CIPHER_get_protocol_id(c)) != NULL;

		if (is_13 != (version == TLS1_3_VERSION) || !usable(c))
			continue;
		reader_init(&reader, version);
		reader.cut = cut;
		for (int end = 0; end < 2; end++) {
			if (is_13)
				SSL_CTX_set_ciphersuites(reader.pair.ctx[end],
							 SSL_CIPHER_get_name(c));
			else
				SSL_CTX_set_cipher_list(reader.pair.ctx[end],
							SSL_CIPHER_get_name(c));
			if (!etm)
				SSL_CTX_set_options(reader.pair.ctx[end],
						    SSL_OP_NO_ENCRYPT_THEN_MAC);
		}
		CHECK(conversation(&reader, NULL));
		CHECK_INT(was_read(&reader), known);
		CHECK_INT(reader.stats.unsupported, !known);
		CHECK_INT(reader.stats.decrypted, known);
		CHECK_INT(reader.stats.missing + reader.stats.wrong + reader.stats.broken, 0);
		if (was_read(&reader) != known)
			printf("# %s\n", SSL_CIPHER_get_name(c));
		read += known;
		reader_release(&reader);
	}
	SSL_free(ssl);
	SSL_CTX_free(all);
	return read;
}

UNIT_CASE(suites_of_tls12)
{
	CHECK(suites_of(TLS1_2_VERSION, true, 1460) >= 25);
}

UNIT_CASE(suites_of_tls12_without_encrypt_then_mac)
{
	CHECK(suites_of(TLS1_2_VERSION, false, 1460) >= 25);
}

UNIT_CASE(suites_of_tls13)
{
	CHECK_INT(suites_of(TLS1_3_VERSION, true, 1460), 5);
	CHECK_INT(suites_of(TLS1_3_VERSION, true, 1), 5); /* byte by byte */
}

UNIT_CASE(older_versions_are_not_read)
{
	reader_init(&reader, TLS1_1_VERSION);
	CHECK(conversation(&reader, NULL));
	CHECK(!decrypt_reads(reader.d));
	CHECK_INT(reader.stats.unsupported, 1);
	reader_release(&reader);
}

/* ---- handshakes of other forms ---- */

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(kept);
	kept = session;
	return 1;
}

static void resumes(int version, bool tickets)
{
	reader_init(&reader, version);
	SSL_CTX_set_session_cache_mode(reader.pair.ctx[SIDE_CLIENT], SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(reader.pair.ctx[SIDE_CLIENT], keep_session);
	if (!tickets)
		SSL_CTX_set_options(reader.pair.ctx[SIDE_SERVER], SSL_OP_NO_TICKET);
	CHECK(conversation(&reader, NULL));
	CHECK(was_read(&reader));
	for (int i = 0; i < 2; i++) {
		SSL_shutdown(reader.pair.ssl[i]);
		pair_talk(&reader.pair);
	}
	CHECK_INT(reader.alerts, 2); /* close_notify */
	reader_begin(&reader);
	CHECK(kept != NULL);
	CHECK(conversation(&reader, kept));
	CHECK(SSL_session_reused(reader.pair.ssl[SIDE_CLIENT]));
	CHECK(was_read(&reader));
	CHECK_INT(reader.stats.decrypted, 2);
	SSL_SESSION_free(kept);
	kept = NULL;
	reader_release(&reader);
}

UNIT_CASE(resumed_sessions)
{
	resumes(TLS1_2_VERSION, true);
	resumes(TLS1_2_VERSION, false); /* by its id */
	resumes(TLS1_3_VERSION, true);
}

UNIT_CASE(hello_retry_request)
{
	reader_init(&reader, TLS1_3_VERSION);
	SSL_CTX_set1_groups_list(reader.pair.ctx[SIDE_CLIENT], "X25519:P-384");
	SSL_CTX_set1_groups_list(reader.pair.ctx[SIDE_SERVER], "P-384");
	CHECK(conversation(&reader, NULL));
	CHECK(was_read(&reader));
	reader_release(&reader);
}

UNIT_CASE(client_certificates)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (int i = 0; i < 2; i++) {
		X509 *cert = pair_certificate(pair_key(false));

		reader_init(&reader, versions[i]);
		SSL_CTX_use_certificate(reader.pair.ctx[SIDE_CLIENT], cert);
		SSL_CTX_use_PrivateKey(reader.pair.ctx[SIDE_CLIENT], pair_key(false));
		SSL_CTX_set_verify(reader.pair.ctx[SIDE_SERVER], SSL_VERIFY_PEER, NULL);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(reader.pair.ctx[SIDE_SERVER]), cert);
		CHECK(conversation(&reader, NULL));
		CHECK(was_read(&reader));
		X509_free(cert);
		reader_release(&reader);
	}
}

UNIT_CASE(key_updates)
{
	reader_init(&reader, TLS1_3_VERSION);
	pair_open(&reader.pair, NULL);
	CHECK(pair_talk(&reader.pair));
	for (int i = 0; i < 5; i++) {
		SSL_key_update(reader.pair.ssl[i % 2],
			       i < 3 ? SSL_KEY_UPDATE_NOT_REQUESTED : SSL_KEY_UPDATE_REQUESTED);
		CHECK(pair_send(&reader.pair, (enum side)(i % 2), "new", 3));
		CHECK(pair_send(&reader.pair, (enum side) !(i % 2), "keys", 4));
	}
	CHECK(has_read(&reader, SIDE_CLIENT, "newkeysnewkeysnew"));
	CHECK(has_read(&reader, SIDE_SERVER, "keysnewkeysnewkeys"));
	CHECK(decrypt_reads(reader.d));
	reader_release(&reader);
}

UNIT_CASE(renegotiation)
{
	reader_init(&reader, TLS1_2_VERSION);
	SSL_CTX_set_options(reader.pair.ctx[SIDE_SERVER], SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	CHECK(conversation(&reader, NULL));
	for (int i = 0; i < 2; i++) {
		SSL_renegotiate(reader.pair.ssl[i]);
		SSL_do_handshake(reader.pair.ssl[i]);
		CHECK(pair_talk(&reader.pair));
		CHECK(pair_send(&reader.pair, SIDE_CLIENT, "more", 4));
		CHECK(pair_send(&reader.pair, SIDE_SERVER, "enough", 6));
	}
	CHECK(has_read(&reader, SIDE_CLIENT, "who is there?moremore"));
	CHECK(has_read(&reader, SIDE_SERVER, "a server!enoughenough"));
	CHECK_INT(reader.stats.decrypted, 1);
	reader_release(&reader);
}

UNIT_CASE(renegotiation_whose_key_is_missing)
{
	reader_init(&reader, TLS1_2_VERSION);
	CHECK(conversation(&reader, NULL));
	reader.withhold = true;
	SSL_renegotiate(reader.pair.ssl[SIDE_SERVER]);
	SSL_do_handshake(reader.pair.ssl[SIDE_SERVER]);
	CHECK(pair_talk(&reader.pair));
	CHECK(pair_send(&reader.pair, SIDE_CLIENT, "hidden", 6));
	CHECK(has_read(&reader, SIDE_CLIENT, "who is there?"));
	CHECK(!decrypt_reads(reader.d));
	CHECK_INT(reader.stats.missing, 1);
	reader_release(&reader);
}

/* ---- records cut, and when their bytes came ---- */

UNIT_CASE(records_cut_anywhere)
{
	static const uint32_t cuts[] = {1, 2, 7, 100, 1460, 16000};
	static uint8_t large[40000];
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]) * 2; i++) {
		reader_init(&reader, versions[i % 2]);
		reader.cut = cuts[i / 2];
		CHECK(conversation(&reader, NULL));
		CHECK(was_read(&reader));
		CHECK(pair_send(&reader.pair, SIDE_SERVER, large, sizeof(large)));
		CHECK_INT(reader.len[SIDE_SERVER], 9 + sizeof(large));
		CHECK(!memcmp(reader.text[SIDE_SERVER] + 9, large, sizeof(large)));
		reader_release(&reader);
	}
}

/* Each byte came with its segment, the last one with the end of its record. */
UNIT_CASE(times_are_those_of_the_wire)
{
	static uint8_t data[1000];
	uint64_t before_ns;

	reader_init(&reader, TLS1_3_VERSION);
	pair_open(&reader.pair, NULL);
	CHECK(pair_talk(&reader.pair));
	reader.cut = 100;
	before_ns = reader.now_ns;
	CHECK(pair_send(&reader.pair, SIDE_CLIENT, data, sizeof(data)));
	CHECK_INT(reader.len[SIDE_CLIENT], 1000);
	/* 1,022 bytes: 11 segments */
	CHECK_INT(reader.first_ns[SIDE_CLIENT] - before_ns, 1000);
	CHECK_INT(reader.last_ns[SIDE_CLIENT] - before_ns, 11000);
	reader_release(&reader);
}

/* ---- secrets that are missing, in part or at all, and wrong ones ---- */

UNIT_CASE(without_a_secret)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (int i = 0; i < 2; i++) {
		reader_init(&reader, versions[i]);
		reader.withhold = true;
		CHECK(conversation(&reader, NULL));
		CHECK(!decrypt_reads(reader.d));
		CHECK_INT(reader.len[0] + reader.len[1] + reader.handshakes, 0);
		CHECK_INT(reader.stats.missing, 1);
		CHECK_INT(reader.stats.decrypted, 0);
		reader_release(&reader);
	}
}

UNIT_CASE(with_a_wrong_secret)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (int i = 0; i < 2; i++) {
		reader_init(&reader, versions[i]);
		reader.scramble = true;
		CHECK(conversation(&reader, NULL));
		CHECK(!decrypt_reads(reader.d));
		CHECK_INT(reader.len[0] + reader.len[1] + reader.handshakes, 0);
		CHECK_INT(reader.stats.wrong, 1);
		CHECK_INT(reader.stats.decrypted, 0);
		reader_release(&reader);
	}
}

/* TLS 1.3: the handshake stays hidden, and what follows is read. */
UNIT_CASE(without_handshake_secrets)
{
	static const char *const skipped[] = {"CLIENT_HANDSHAKE", "SERVER_HANDSHAKE"};

	for (int i = 0; i < 2; i++) {
		reader_init(&reader, TLS1_3_VERSION);
		reader.skip = skipped[i];
		CHECK(conversation(&reader, NULL));
		CHECK(was_read(&reader));
		CHECK_INT(reader.stats.decrypted, 1);
		CHECK_INT(reader.stats.wrong + reader.stats.missing, 0);
		reader_release(&reader);
	}
}

/* The client's data is read until the server's first record of data is judged from outside. */
UNIT_CASE(without_one_sides_secret)
{
	static const char *const skipped[] = {"CLIENT_TRAFFIC", "SERVER_TRAFFIC"};

	for (int i = 0; i < 2; i++) {
		reader_init(&reader, TLS1_3_VERSION);
		reader.skip = skipped[i];
		SSL_CTX_set_num_tickets(reader.pair.ctx[SIDE_SERVER], 0);
		CHECK(conversation(&reader, NULL));
		CHECK(!decrypt_reads(reader.d));
		CHECK(has_read(&reader, SIDE_CLIENT, i ? "who is there" : ""));
		CHECK(has_read(&reader, SIDE_SERVER, ""));
		CHECK_INT(reader.stats.missing, 1);
		reader_release(&reader);
	}
}

/* ---- damage ---- */

/* Every bit counts: a record with one flipped is not read, nor is any after it. */
UNIT_CASE(damaged_records)
{
	static const char *const suites[] = {
		"ECDHE-ECDSA-AES128-SHA",	 "ECDHE-ECDSA-AES256-SHA384",
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
		"ECDHE-ECDSA-AES128-CCM",	 NULL};

	for (int i = 0; i < 12; i++) {
		bool etm = i >= 6;

		for (uint32_t at = 1; at <= 40; at += 3) {
			const char *suite = suites[i % 6];

			reader_init(&reader, suite ? TLS1_2_VERSION : TLS1_3_VERSION);
			for (int end = 0; suite && end < 2; end++)
				SSL_CTX_set_cipher_list(reader.pair.ctx[end], suite);
			if (!etm)
				SSL_CTX_set_options(reader.pair.ctx[SIDE_CLIENT],
						    SSL_OP_NO_ENCRYPT_THEN_MAC);
			pair_open(&reader.pair, NULL);
			CHECK(pair_talk(&reader.pair));
			CHECK(pair_send(&reader.pair, SIDE_CLIENT, "read", 4));
			reader.flip = at;
			CHECK(pair_send(&reader.pair, SIDE_CLIENT,
					"a record of forty bytes and a few more..", 40));
			CHECK(pair_send(&reader.pair, SIDE_CLIENT, "not read", 8));
			CHECK(has_read(&reader, SIDE_CLIENT, "read"));
			CHECK(!decrypt_reads(reader.d));
			CHECK_INT(reader.stats.wrong, 1);
			reader_release(&reader);
		}
	}
}

/* ---- packets that are missing ---- */

static const struct {
	int version;
	const char *suite;
	bool counts; /* the length of a record tells that of its content */
} forms[] = {
	{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", true},
	{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", true},
	{TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", true},
	{TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
	{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", false},
};

static void form_init(size_t i)
{
	reader_init(&reader, forms[i].version);
	reader.judges = false;
	for (int end = 0; end < 2; end++) {
		if (forms[i].version == TLS1_3_VERSION)
			SSL_CTX_set_ciphersuites(reader.pair.ctx[end], forms[i].suite);
		else
			SSL_CTX_set_cipher_list(reader.pair.ctx[end], forms[i].suite);
	}
	CHECK(conversation(&reader, NULL));
	CHECK(was_read(&reader));
}

/* Its header was: its number counts, and where the suite tells, so does its length. */
UNIT_CASE(a_record_that_was_not_captured)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		form_init(i);
		reader.unread = true;
		CHECK(pair_send(&reader.pair, SIDE_CLIENT, "12345", 5));
		CHECK(pair_send(&reader.pair, SIDE_CLIENT, "more", 4));
		CHECK(has_read(&reader, SIDE_CLIENT,
			       forms[i].counts ? "who is there?_____more" : "who is there?more"));
		CHECK_INT(reader.gaps, !forms[i].counts);
		CHECK(decrypt_reads(reader.d));
		reader_release(&reader);
	}
}

UNIT_CASE(records_that_are_missing)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		form_init(i);
		for (uint32_t n = 1; n < 200; n *= 3) {
			reader.drop = n;
			for (uint32_t k = 0; k < n; k++)
				CHECK(pair_send(&reader.pair, SIDE_SERVER, "lost", 4));
			CHECK(pair_send(&reader.pair, SIDE_SERVER, "+", 1));
		}
		CHECK(pair_send(&reader.pair, SIDE_CLIENT, "?", 1));
		CHECK(has_read(&reader, SIDE_SERVER, "a server!+++++"));
		CHECK(has_read(&reader, SIDE_CLIENT, "who is there??"));
		CHECK_INT(reader.gaps, 5);
		CHECK(decrypt_reads(reader.d));
		CHECK_INT(reader.stats.broken + reader.stats.wrong, 0);
		reader_release(&reader);
	}
}

/* The search for a record's number has an end. */
UNIT_CASE(too_many_records_that_are_missing)
{
	static uint8_t large[16000];

	form_init(0);
	reader.drop = 2000;
	for (uint32_t k = 0; k < 2000; k++)
		CHECK(pair_send(&reader.pair, SIDE_SERVER, "lost", 4));
	for (uint32_t k = 0; k < 20; k++)
		CHECK(pair_send(&reader.pair, SIDE_SERVER, large, sizeof(large)));
	CHECK(has_read(&reader, SIDE_SERVER, "a server!"));
	CHECK(!decrypt_reads(reader.d));
	CHECK_INT(reader.stats.broken, 1);
	reader_release(&reader);
}

/* A part of the handshake is: whatever follows cannot be read. */
UNIT_CASE(a_handshake_that_is_not_whole)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	for (uint32_t i = 0; i < 12; i++) {
		reader_init(&reader, versions[i % 2]);
		SSL_CTX_set_num_tickets(reader.pair.ctx[SIDE_SERVER], 0);
		pair_open(&reader.pair, NULL);
		for (uint32_t k = 0; k < i / 4; k++) {
			uint8_t byte;

			SSL_read(reader.pair.ssl[k % 2], &byte, 1);
			pair_carry(&reader.pair, (enum side)(k % 2));
		}
		if (i / 2 % 2)
			reader.drop = 1;
		else
			reader.unread = true;
		CHECK(pair_talk(&reader.pair));
		CHECK(pair_send(&reader.pair, SIDE_CLIENT, "hidden", 6));
		CHECK(pair_send(&reader.pair, SIDE_SERVER, "too", 3));
		/* But for the client's ChangeCipherSpec in TLS 1.3, which means nothing. */
		CHECK_INT(decrypt_reads(reader.d), i == 9);
		CHECK_INT(reader.len[0] + reader.len[1], i == 9 ? 9 : 0);
		reader_release(&reader);
	}
}

/* Lengths that no record of the suite has. */
UNIT_CASE(records_too_short)
{
	static const uint16_t ids[] = {0x1301, 0x1303, 0xc02f, 0xcca8, 0xc0ac, 0x003c, 0xc013};
	struct secret secret = {.len = 32}, master = {.len = 48};
	const uint8_t random[32] = {0};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct suite_keys *suite = suite_keys_find(ids[i]);

		for (int etm = 0; etm < 2; etm++) {
			struct record_keys keys = {0};

			CHECK(ids[i] >> 8 == 0x13 ? record_keys_13(&keys, suite, &secret)
						  : record_keys_12(&keys, suite, &master, random,
								   random, true, etm));
			for (uint32_t len = 0; len < 100; len++) {
				const uint8_t header[] = {23, 3, 3, 0, (uint8_t)len};
				uint8_t *body = calloc(1, len + 1);
				struct opened o;

				CHECK(!record_open(&keys, header, body, len, &o));
				free(body);
			}
			record_keys_clear(&keys);
		}
	}
}

int main(void)
{
	RUN(lines_of_a_key_log);
	RUN(secrets_make_room_and_are_wiped);
	RUN(keys_of_rfc8448);
	RUN(a_record_of_rfc8448);
	RUN(labels_and_lengths_that_do_not_fit);
	RUN(suites_of_tls12);
	RUN(suites_of_tls12_without_encrypt_then_mac);
	RUN(suites_of_tls13);
	RUN(older_versions_are_not_read);
	RUN(resumed_sessions);
	RUN(hello_retry_request);
	RUN(client_certificates);
	RUN(key_updates);
	RUN(renegotiation);
	RUN(renegotiation_whose_key_is_missing);
	RUN(records_cut_anywhere);
	RUN(times_are_those_of_the_wire);
	RUN(without_a_secret);
	RUN(with_a_wrong_secret);
	RUN(without_handshake_secrets);
	RUN(without_one_sides_secret);
	RUN(damaged_records);
	RUN(a_record_that_was_not_captured);
	RUN(records_that_are_missing);
	RUN(too_many_records_that_are_missing);
	RUN(a_handshake_that_is_not_whole);
	RUN(records_too_short);
	return unit_status();
}
