// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tls.c - a TLS handshake seen from outside: ClientHello's fields, alerts, full and resumed
 * handshakes of TLS 1.2 and 1.3, the record at which each ends, and the overhead of a record.
 */
#include "bytes.h"
#include "guard.h"
#include "engine/protocol/tls.h"
#include "unit.h"

/* ---- a small builder of records ---- */

/* A record whose body is data; in pieces of `step` bytes. */
static void record_cut(struct tls *t, enum side from, uint8_t type, const void *data, uint32_t len,
		       uint32_t step)
{
	const uint8_t header[5] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

	tls_record_head(t, from, header);
	for (uint32_t at = 0; at < len; at += step) {
		uint32_t n = len - at < step ? len - at : step;

		tls_record_body(t, from, data ? guarded((const uint8_t *)data + at, n) : NULL, n);
	}
	tls_record_end(t, from);
}

static void record(struct tls *t, enum side from, uint8_t type, const void *data, uint32_t len)
{
	record_cut(t, from, type, data, len, len);
}

#define RECORD(t, from, type, text) record(t, from, type, text, sizeof(text) - 1)

/* A protected record: its contents cannot be read, so zeros will do. */
static void hidden(struct tls *t, enum side from, uint8_t type, uint32_t len)
{
	static const uint8_t zeros[16384];

	record(t, from, type, zeros, len);
}

static void ccs(struct tls *t, enum side from)
{
	RECORD(t, from, TLS_CCS, "\1");
}

struct hello {
	uint8_t data[512];
	uint32_t len;
};

static void put(struct hello *h, const void *data, uint32_t n)
{
	memcpy(h->data + h->len, data, n);
	h->len += n;
}

/* A ServerHello: its random all `fill` (or a HelloRetryRequest's), session id, suite, extensions.
 */
static void server_hello(struct tls *t, const char *id, uint8_t id_len, uint16_t cipher,
			 const void *extensions, uint32_t n, bool retry)
{
	static const uint8_t retry_begins[8] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};
	uint8_t random[32] = {1, 2, 3}, tail[5] = {(uint8_t)(cipher >> 8), (uint8_t)cipher, 0,
						   (uint8_t)(n >> 8), (uint8_t)n};
	struct hello h = {.len = 0};

	if (retry)
		memcpy(random, retry_begins, 8);
	put(&h, "\2\0\0\0\3\3", 6);
	put(&h, random, 32);
	put(&h, &id_len, 1);
	put(&h, id, id_len);
	put(&h, tail, n ? 5 : 3);
	put(&h, extensions, n);
	h.data[2] = (uint8_t)((h.len - 4) >> 8);
	h.data[3] = (uint8_t)(h.len - 4);
	record(t, SIDE_SERVER, TLS_HANDSHAKE, h.data, h.len);
}

/* A ClientHello without extensions, with a session id. */
static void client_hello(struct tls *t, const char *id, uint8_t id_len)
{
	struct hello h = {.len = 0};

	put(&h, "\1\0\0\0\3\3", 6);
	put(&h, "0123456789abcdef0123456789abcdef", 32);
	put(&h, &id_len, 1);
	put(&h, id, id_len);
	put(&h, "\0\2\xc0\x2f\1\0", 6);
	h.data[3] = (uint8_t)(h.len - 4);
	record(t, SIDE_CLIENT, TLS_HANDSHAKE, h.data, h.len);
}

#define CERTIFICATE  "\x0b\0\0\3\0\0\0" /* an empty list */
#define HELLO_DONE   "\x0e\0\0\0"
#define KEY_EXCHANGE "\x10\0\0\3\2\1\1"
#define VERSION_13   "\0\x2b\0\2\3\4" /* supported_versions: 1.3 */
#define PRE_SHARED   "\0\x29\0\2\0\0" /* pre_shared_key: the first */

/* ---- messages in clear ---- */

UNIT_CASE(client_hello_with_a_server_name)
{
	/* Whole, and in pieces of each size. */
	for (uint32_t step = 1; step <= 67; step++) {
		struct tls_names names;
		struct tls_facts facts;
		struct tls t;

		tls_init(&t);
		record_cut(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_carried + 13, 67, step);
		CHECK(t.client_hello && !t.done && !t.alpn_tds8);
		CHECK_INT(t.client_version, 0x0303);
		tls_facts(&t, &facts, &names);
		CHECK(facts.seen);
		CHECK_STR(facts.sni, "db1.example");
		CHECK(!facts.alpn && !facts.version && !facts.cipher);
		CHECK_INT(facts.alert.from, SIDE_NONE);
		tls_release(&t);
	}
}

UNIT_CASE(client_hello_that_offers_tds8)
{
	struct tls_names names;
	struct tls_facts facts;
	struct tls t;

	tls_init(&t);
	record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 5, 88);
	CHECK(t.client_hello && t.alpn_tds8);
	tls_facts(&t, &facts, &names);
	CHECK_STR(facts.sni, "db1.example");
	CHECK_STR(facts.alpn, "tds/8.0"); /* the only offer */
	tls_release(&t);
}

UNIT_CASE(client_hello_over_two_records)
{
	struct tls t;

	tls_init(&t);
	record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 5, 2);
	record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 7, 40);
	CHECK(!t.client_hello);
	record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 47, 46);
	CHECK(t.client_hello && t.alpn_tds8);
	CHECK_STR(t.sni, "db1.example");
	tls_release(&t);
}

UNIT_CASE(client_hello_cut_short)
{
	for (uint32_t len = 0; len < 88; len++) {
		struct tls t;

		tls_init(&t);
		record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 5, len);
		CHECK(!t.client_hello && !t.sni);
		tls_release(&t);
	}
	/* Its own length is shorter than its fields: nothing beyond it is read. */
	for (uint32_t len = 1; len < 84; len++) {
		uint8_t data[88];
		struct tls t;

		memcpy(data, tls_hello_strict + 5, sizeof(data));
		data[3] = (uint8_t)len;
		tls_init(&t);
		record(&t, SIDE_CLIENT, TLS_HANDSHAKE, data, len + 4);
		CHECK_INT(t.client_hello, len >= 41);
		CHECK(!t.sni); /* the list of extensions is incomplete */
		CHECK(!t.alpn_tds8);
		tls_release(&t);
	}
}

UNIT_CASE(the_wrong_side_says_nothing)
{
	struct tls t;

	tls_init(&t);
	record(&t, SIDE_SERVER, TLS_HANDSHAKE, tls_hello_strict + 5, 88);
	CHECK(!t.client_hello && !t.alpn_tds8);
	tls_release(&t);
}

UNIT_CASE(server_flight)
{
	struct tls_names names;
	struct tls_facts facts;
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0xc02f, "\0\x10\0\x0a\0\x08\7tds/8.0", 14, false);
	CHECK(t.server_hello && !tls_server_flight_over(&t));
	/* example 5: Certificate, ServerHelloDone */
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, "\x0b\0\0\3\0\0\0");
	CHECK(t.certificate_seen && !tls_server_flight_over(&t));
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, "\x0e\0\0\0");
	CHECK(tls_server_flight_over(&t));
	tls_facts(&t, &facts, &names);
	CHECK_STR(facts.version, "1.2");
	CHECK_STR(facts.cipher, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	CHECK_STR(facts.alpn, "tds/8.0");
	CHECK(!facts.resumed && !facts.cert.subject);
	tls_release(&t);
}

UNIT_CASE(alerts)
{
	static const struct {
		const char *body;
		const char *level, *description;
	} cases[] = {
		{"\2\x28", "fatal", "handshake_failure"},
		{"\2\x30", "fatal", "unknown_ca"},
		{"\2\x46", "fatal", "protocol_version"},
		{"\2\x78", "fatal", "no_application_protocol"},
		{"\1\0", "warning", "close_notify"},
		{"\2\xfe", "fatal", "alert_254"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_names names;
		struct tls_facts facts;
		struct tls t;

		tls_init(&t);
		record_cut(&t, SIDE_SERVER, TLS_ALERT, cases[i].body, 2, 1 + i % 2);
		/* The first one counts. */
		RECORD(&t, SIDE_CLIENT, TLS_ALERT, "\1\x5a");
		tls_facts(&t, &facts, &names);
		CHECK_INT(facts.alert.from, SIDE_SERVER);
		CHECK_STR(facts.alert.level, cases[i].level);
		CHECK_STR(facts.alert.description, cases[i].description);
		tls_release(&t);
	}
}

UNIT_CASE(alerts_that_cannot_be_read)
{
	struct tls t;

	tls_init(&t);
	hidden(&t, SIDE_CLIENT, TLS_ALERT, 26);	     /* encrypted */
	record(&t, SIDE_CLIENT, TLS_ALERT, NULL, 2); /* not captured */
	client_hello(&t, "", 0);
	ccs(&t, SIDE_CLIENT);
	RECORD(&t, SIDE_CLIENT, TLS_ALERT, "\2\x28"); /* by chance two bytes, but protected */
	CHECK_INT(t.alert.from, SIDE_NONE);
	tls_release(&t);
}

/* ---- whole handshakes ---- */

UNIT_CASE(full_handshake_of_tls12)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "abcd", 4, 0xc030, "", 0, false);
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, CERTIFICATE HELLO_DONE);
	CHECK(tls_server_flight_over(&t));
	RECORD(&t, SIDE_CLIENT, TLS_HANDSHAKE, KEY_EXCHANGE);
	ccs(&t, SIDE_CLIENT);
	hidden(&t, SIDE_CLIENT, TLS_HANDSHAKE, 40);
	CHECK(!t.done);
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, "\4\0\0\4\0\0\0\0"); /* NewSessionTicket */
	ccs(&t, SIDE_SERVER);
	CHECK(!t.done);
	hidden(&t, SIDE_SERVER, TLS_HANDSHAKE, 40);
	CHECK(t.done && !t.resumed);
	tls_release(&t);
}

UNIT_CASE(resumed_handshake_of_tls12)
{
	/* By session id, and by ticket, where the server sends the client's own id back or not. */
	for (int ticket = 0; ticket < 2; ticket++) {
		struct tls t;

		tls_init(&t);
		client_hello(&t, "abcd", 4);
		server_hello(&t, ticket ? "" : "abcd", ticket ? 0 : 4, 0xc030, "", 0, false);
		CHECK_INT(t.resumed, !ticket);
		ccs(&t, SIDE_SERVER);
		CHECK(t.resumed);
		hidden(&t, SIDE_SERVER, TLS_HANDSHAKE, 40);
		CHECK(!t.done && tls_server_flight_over(&t));
		ccs(&t, SIDE_CLIENT);
		CHECK(!t.done);
		hidden(&t, SIDE_CLIENT, TLS_HANDSHAKE, 40);
		CHECK(t.done && t.resumed);
		tls_release(&t);
	}
}

UNIT_CASE(handshake_of_tls13)
{
	struct tls_names names;
	struct tls_facts facts;
	struct tls t;

	tls_init(&t);
	record(&t, SIDE_CLIENT, TLS_HANDSHAKE, tls_hello_strict + 5, 88);
	server_hello(&t, "", 0, 0x1302, VERSION_13, 6, false);
	CHECK_INT(t.version, TLS_1_3);
	ccs(&t, SIDE_SERVER); /* for middleboxes: no meaning */
	hidden(&t, SIDE_SERVER, TLS_DATA, 37);
	hidden(&t, SIDE_SERVER, TLS_DATA, 850);
	hidden(&t, SIDE_SERVER, TLS_DATA, 281);
	hidden(&t, SIDE_SERVER, TLS_DATA, 69);
	CHECK(!t.done && tls_server_flight_over(&t));
	ccs(&t, SIDE_CLIENT);
	CHECK(!t.done);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 69);
	CHECK(t.done && !t.resumed);
	tls_facts(&t, &facts, &names);
	CHECK_STR(facts.version, "1.3");
	CHECK_STR(facts.cipher, "TLS_AES_256_GCM_SHA384");
	tls_release(&t);
}

UNIT_CASE(handshake_of_tls13_with_a_client_certificate)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13, 6, false);
	hidden(&t, SIDE_SERVER, TLS_DATA, 1200);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 900); /* Certificate */
	hidden(&t, SIDE_CLIENT, TLS_DATA, 281); /* CertificateVerify */
	CHECK(!t.done);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 53);
	CHECK(t.done);
	tls_release(&t);
}

UNIT_CASE(handshake_of_tls13_that_resumes)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13 PRE_SHARED, 12, false);
	CHECK(t.resumed);
	hidden(&t, SIDE_SERVER, TLS_DATA, 60);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 53);
	CHECK(t.done && t.resumed);
	tls_release(&t);
}

UNIT_CASE(handshake_of_tls13_whose_end_shows_by_the_answer)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13, 6, false);
	hidden(&t, SIDE_SERVER, TLS_DATA, 1200);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 1000); /* all in one record */
	CHECK(!t.done);
	hidden(&t, SIDE_SERVER, TLS_DATA, 266); /* a ticket */
	CHECK(t.done);
	tls_release(&t);
}

UNIT_CASE(handshake_of_tls13_by_java_which_pads)
{
	uint32_t least, most;
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1302, VERSION_13, 6, false);
	hidden(&t, SIDE_SERVER, TLS_DATA, 1200);
	ccs(&t, SIDE_CLIENT);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 69 + 16);
	CHECK(t.done);
	tls_overhead(&t, SIDE_CLIENT, &least, &most);
	CHECK_INT(least, 33);
	CHECK_INT(most, 33);
	tls_overhead(&t, SIDE_SERVER, &least, &most);
	CHECK_INT(most, 17);
	tls_release(&t);
}

UNIT_CASE(hello_retry_request)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13, 6, true);
	CHECK(t.retry && !t.server_hello && tls_server_flight_over(&t));
	ccs(&t, SIDE_SERVER);
	ccs(&t, SIDE_CLIENT);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13, 6, false);
	CHECK(t.server_hello);
	hidden(&t, SIDE_SERVER, TLS_DATA, 1200);
	CHECK(!t.done);
	hidden(&t, SIDE_CLIENT, TLS_DATA, 53);
	CHECK(t.done && !t.resumed);
	tls_release(&t);
}

UNIT_CASE(a_handshake_not_captured_still_ends)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0xc02f, "", 0, false);
	record(&t, SIDE_SERVER, TLS_HANDSHAKE, NULL, 2000);
	/* The next messages cannot be separated any more, until they are protected. */
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, HELLO_DONE);
	CHECK(!t.hello_done && !t.certificate_seen);
	ccs(&t, SIDE_CLIENT);
	hidden(&t, SIDE_CLIENT, TLS_HANDSHAKE, 40);
	ccs(&t, SIDE_SERVER);
	hidden(&t, SIDE_SERVER, TLS_HANDSHAKE, 40);
	CHECK(t.done);
	tls_release(&t);
}

UNIT_CASE(a_handshake_message_too_long_to_hold)
{
	static uint8_t body[16000];
	struct tls t;

	/* 0x013e80 bytes of certificates in five records, and then ServerHelloDone */
	memcpy(body, "\x0b\1\x3e\x7c", 4);
	tls_init(&t);
	record_cut(&t, SIDE_SERVER, TLS_HANDSHAKE, body, sizeof(body), 1000);
	memset(body, 0x0e, 4);
	for (int i = 0; i < 4; i++)
		record_cut(&t, SIDE_SERVER, TLS_HANDSHAKE, body, sizeof(body), 16000);
	CHECK(!t.hello_done);
	record(&t, SIDE_SERVER, TLS_HANDSHAKE, body, 1596); /* its last bytes */
	CHECK(!t.hello_done);
	RECORD(&t, SIDE_SERVER, TLS_HANDSHAKE, HELLO_DONE);
	CHECK(t.hello_done);
	tls_release(&t);
}

/* ---- the overhead of a record ---- */

UNIT_CASE(overheads)
{
	static const struct {
		uint16_t cipher;
		uint32_t least, most;
	} cases[] = {
		{0xc02f, 24, 24},		    /* AES-GCM: nonce and tag */
		{0x009d, 24, 24}, {0xcca8, 16, 16}, /* ChaCha20-Poly1305 */
		{0xc013, 37, 52},		    /* AES-CBC: IV, SHA-1, 1 to 16 of padding */
		{0xc027, 49, 64},		    /* SHA-256 */
		{0xc028, 65, 80},		    /* SHA-384 */
		{0x4321, 16, 80},		    /* unknown: any of these */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t least, most;
		struct tls_names names;
		struct tls_facts facts;
		struct tls t;

		tls_init(&t);
		server_hello(&t, "", 0, cases[i].cipher, "", 0, false);
		tls_overhead(&t, SIDE_CLIENT, &least, &most);
		CHECK_INT(least, cases[i].least);
		CHECK_INT(most, cases[i].most);
		tls_facts(&t, &facts, &names);
		if (cases[i].cipher == 0x4321)
			CHECK_STR(facts.cipher, "0x4321");
		tls_release(&t);
	}
}

UNIT_CASE(which_records_are_alerts)
{
	struct tls t;

	tls_init(&t);
	client_hello(&t, "", 0);
	server_hello(&t, "", 0, 0x1301, VERSION_13, 6, false);
	hidden(&t, SIDE_SERVER, TLS_DATA, 19); /* close_notify of TLS 1.3 */
	CHECK(tls_is_alert(&t, SIDE_SERVER));
	hidden(&t, SIDE_SERVER, TLS_DATA, 25); /* an ATTENTION */
	CHECK(!tls_is_alert(&t, SIDE_SERVER));
	tls_release(&t);
	tls_init(&t);
	server_hello(&t, "", 0, 0xc02f, "", 0, false);
	hidden(&t, SIDE_SERVER, TLS_ALERT, 26);
	CHECK(tls_is_alert(&t, SIDE_SERVER));
	hidden(&t, SIDE_SERVER, TLS_DATA, 19);
	CHECK(!tls_is_alert(&t, SIDE_SERVER));
	tls_release(&t);
}

int main(void)
{
	RUN(client_hello_with_a_server_name);
	RUN(client_hello_that_offers_tds8);
	RUN(client_hello_over_two_records);
	RUN(client_hello_cut_short);
	RUN(the_wrong_side_says_nothing);
	RUN(server_flight);
	RUN(alerts);
	RUN(alerts_that_cannot_be_read);
	RUN(full_handshake_of_tls12);
	RUN(resumed_handshake_of_tls12);
	RUN(handshake_of_tls13);
	RUN(handshake_of_tls13_with_a_client_certificate);
	RUN(handshake_of_tls13_that_resumes);
	RUN(handshake_of_tls13_whose_end_shows_by_the_answer);
	RUN(handshake_of_tls13_by_java_which_pads);
	RUN(hello_retry_request);
	RUN(a_handshake_not_captured_still_ends);
	RUN(a_handshake_message_too_long_to_hold);
	RUN(overheads);
	RUN(which_records_are_alerts);
	return unit_status();
}
