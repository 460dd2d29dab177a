// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * save.c - secrets out of saved packets. A client sends PRELOGIN and LOGIN7 with a password, the
 * server a response, in segments that are lost, repeated, reordered and cut. Input: what is
 * changed of LOGIN7, and how the streams are cut.
 */
#include "engine/protocol/tds.h"
#include "fuzz.h"
#include "frame_head.h"
#include "save/mask.h"
#include "save/packets.h"

#define SECRET                                                                                     \
	"\x01\xa9Zq\x02\xb3Kw\x03\xc5JY" /* of LOGIN7's password; it has no byte that masks */
#define SECRET_N (sizeof(SECRET) - 1)
#define LOGIN	 (94 + 6 * 8 + SECRET_N)
#define PARTS	 24
#define MOST	 (1u << 16)

static const uint8_t prelogin[] =
	"\x12\1\0\x1a\0\0\1\0\0\0\x0b\0\6\1\0\x11\0\1\xff\x10\0\0\0\0\0\2";

static const struct endpoint client = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1},
				       50000};
static const struct endpoint server = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2},
				       1433};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

/* A LOGIN7 packet; all but the password's place and the fixed part's length may be changed. */
static uint32_t login_packet(struct fuzz *in, uint8_t *p)
{
	static const uint8_t texts[] = {L7_HOST,   L7_USER,    L7_APP,
					L7_SERVER, L7_LIBRARY, L7_DATABASE};
	uint8_t *body = p + TDS_HEADER;
	uint32_t at = L7_FIXED_LONG, changes = fuzz_u8(in) % 16;

	memcpy(p, "\x10\1\0\0\0\0\1\0", TDS_HEADER);
	memset(body, 0, LOGIN);
	put16(body, LOGIN);
	memcpy(body + 4, "\4\0\0\x74", 4);
	for (size_t i = 0; i < sizeof(texts); i++, at += 8) {
		put16(body + texts[i], at);
		put16(body + texts[i] + 2, 4);
		for (int k = 0; k < 8; k++)
			body[at + (uint32_t)k] = fuzz_u8(in);
	}
	while (changes--) {
		uint32_t where = fuzz_u8(in) % at;
		uint8_t value = fuzz_u8(in);

		body[where] = where == L7_HOST || where == L7_HOST + 1 ? body[where] : value;
	}
	put16(body + L7_PASSWORD, at);
	put16(body + L7_PASSWORD + 2, SECRET_N / 2);
	memcpy(body + at, SECRET, SECRET_N);
	p[2] = (TDS_HEADER + LOGIN) >> 8;
	p[3] = (uint8_t)(TDS_HEADER + LOGIN);
	return TDS_HEADER + LOGIN;
}

static void send(struct packets **packets, bool from_client, uint32_t seq, const uint8_t *data,
		 uint32_t len, uint32_t cap_len)
{
	const struct endpoint *from = from_client ? &client : &server;
	const struct endpoint *to = from_client ? &server : &client;
	struct seg seg = {.seq = seq,
			  .len = len,
			  .cap_len = cap_len,
			  .sport = from->port,
			  .dport = to->port,
			  .flags = SEG_ACK};

	memcpy(seg.saddr, from->addr, 16);
	memcpy(seg.daddr, to->addr, 16);
	packets_add(packets, &seg, data, *packets ? (*packets)->count : 0, MOST);
}

/* Cut a side's bytes into segments. Returns whether all came, in order and whole. */
static bool send_all(struct fuzz *in, struct packets **packets, bool from_client,
		     const uint8_t *data, uint32_t len)
{
	uint32_t base = fuzz_u8(in) & 1 ? 0xffffffc0u : 1000, at = 0;
	bool whole = true;

	for (int i = 0; i < PARTS && at < len; i++) {
		uint32_t n = 1 + fuzz_u8(in) * 4u, cut;
		uint8_t how = fuzz_u8(in);

		n = i == PARTS - 1 || n > len - at ? len - at : n;
		cut = how & 0x10 ? n / 2 : n;
		whole = whole && how % 16 && cut == n;
		if (how % 16)
			send(packets, from_client, base + at, data + at, n, cut);
		if (how % 16 == 1 && at) /* some of what came before comes again */
			send(packets, from_client, base + at / 2, data + at / 2, n, n);
		at += n;
	}
	return whole;
}

static bool holds(const uint8_t *p, size_t len)
{
	return memmem(p, len, SECRET, SECRET_N);
}

/*
 * Do the client's own texts imitate the head of its first message? Where the segments before them
 * are lost, that message is read, and parts of it stay. Only the client can make such texts.
 */
static bool imitates_first(const uint8_t *p, size_t len)
{
	static const uint8_t types[] = {TDS_PRELOGIN, TDS_LOGIN7, TDS_SSPI, TDS_LOGIN_OLD,
					TDS_FEDAUTH_TOKEN};

	for (size_t at = TDS_HEADER; at + TDS_HEADER <= len; at++)
		if ((p[at] == 0x16 && p[at + 1] == 3 && p[at + 5] == 1) ||
		    (memchr(types, p[at], sizeof(types)) && frame_tds_is_typical(p + at)))
			return true;
	return false;
}

/* What comes in order and whole means the same afterwards. */
static void check_parse(const struct packets *packets, const uint8_t *login, uint32_t len)
{
	uint8_t *masked = malloc(MOST);
	struct tds_login7 before, after;
	uint32_t n = 0;

	FUZZ_ASSERT(masked);
	for (struct packet *p = NULL; (p = packets_next((struct packets *)packets, p));)
		if (p->seg.sport == client.port && n + p->seg.cap_len <= MOST) {
			memcpy(masked + n, p->data, p->seg.cap_len);
			n += p->seg.cap_len;
		}
	if (n == sizeof(prelogin) - 1 + len) {
		const uint8_t *body = masked + sizeof(prelogin) - 1 + TDS_HEADER;

		FUZZ_ASSERT(tds_login7_parse(&before, login + TDS_HEADER, LOGIN) ==
			    tds_login7_parse(&after, body, LOGIN));
		FUZZ_ASSERT(before.version == after.version && before.sspi_len == after.sspi_len);
		FUZZ_ASSERT(before.integrated == after.integrated);
		FUZZ_ASSERT(before.change_password == after.change_password);
		tds_login7_release(&before);
		tds_login7_release(&after);
	}
	free(masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	uint8_t stream[sizeof(prelogin) + TDS_HEADER + LOGIN];
	struct packets *packets = NULL;
	uint32_t len, n, count, kept;
	uint8_t *answer;
	bool whole, identities;

	memcpy(stream, prelogin, sizeof(prelogin) - 1);
	len = login_packet(&in, stream + sizeof(prelogin) - 1);
	if (holds(stream, sizeof(prelogin) - 1 + len - SECRET_N))
		return 0; /* the input itself has it */
	if (imitates_first(stream + sizeof(prelogin) - 1, len))
		return 0;
	identities = fuzz_u8(&in) & 1;
	whole = send_all(&in, &packets, true, stream, sizeof(prelogin) - 1 + len);
	answer = fuzz_bytes(&in, 1024, &n);
	if (!holds(answer, n))
		send_all(&in, &packets, false, answer, n);
	free(answer);
	if (!packets)
		return 0;
	count = packets->count;
	kept = packets->len;
	mask_login(packets, &client, identities);
	FUZZ_ASSERT(packets->count == count && packets->len == kept);
	FUZZ_ASSERT(!holds(packets->data, packets->len));
	for (struct packet *p = NULL; (p = packets_next(packets, p));)
		count--;
	FUZZ_ASSERT(!count);
	if (whole)
		check_parse(packets, stream + sizeof(prelogin) - 1, len);
	for (struct packet *p = NULL; (p = packets_next(packets, p));)
		mask_service(p);
	free(packets);
	return 0;
}
