// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tls.c - a TLS handshake from outside. Input: records, each u8 (bit 0: of the server, bit 1: the
 * body was not captured, bit 2: in small pieces), the 5 bytes of its header and its body.
 */
#include "fuzz.h"
#include "engine/protocol/tls.h"

static void check(const struct tls *t)
{
	uint32_t least, most;

	for (int side = 0; side < 2; side++) {
		tls_overhead(t, (enum side)side, &least, &most);
		FUZZ_ASSERT(least <= most && most <= 80);
		tls_is_alert(t, (enum side)side);
	}
	FUZZ_ASSERT(t->session_id_len <= sizeof(t->session_id));
	tls_server_flight_over(t);
}

static void record(struct tls *t, struct fuzz *in)
{
	uint8_t how = fuzz_u8(in), header[5];
	enum side from = how & 1 ? SIDE_SERVER : SIDE_CLIENT;
	uint32_t len, piece;
	uint8_t *body;

	for (int i = 0; i < 5; i++)
		header[i] = fuzz_u8(in);
	body = fuzz_bytes(in, (uint32_t)(header[3] << 8 | header[4]), &len);
	/* As the framer does: the header says what the body is. */
	header[3] = (uint8_t)(len >> 8);
	header[4] = (uint8_t)len;
	tls_record_head(t, from, header);
	for (uint32_t at = 0; at < len; at += piece) {
		piece = how & 4 && len - at > 3 ? 3 : len - at;
		tls_record_body(t, from, how & 2 ? NULL : body + at, piece);
	}
	tls_record_end(t, from);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	struct tls_names names;
	struct tls_facts facts;
	struct tls t;

	tls_init(&t);
	while (in.p < in.end) {
		record(&t, &in);
		check(&t);
	}
	tls_facts(&t, &facts, &names);
	fuzz_text(facts.version);
	fuzz_text(facts.cipher);
	fuzz_text(facts.sni);
	fuzz_text(facts.alpn);
	fuzz_text(facts.alert.level);
	fuzz_text(facts.alert.description);
	fuzz_text(facts.cert.subject);
	fuzz_text(facts.cert.issuer);
	FUZZ_ASSERT((facts.alert.from == SIDE_NONE) == !facts.alert.level);
	tls_release(&t);
	return 0;
}
