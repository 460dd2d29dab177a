/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * inside.h - a connection with TLS by OpenSSL's two ends, as segments for the engine, in TDS 7.x's
 * wrapping or as TDS 8, with a key log that is on time, late, wrong, or not there.
 */
#ifndef TDSMON_UNIT_INSIDE_H
#define TDSMON_UNIT_INSIDE_H

#include "bytes.h"
#include "engine_fixture.h"
#include "tls_pair.h"

#ifndef INSIDE_CALL
#define INSIDE_CALL(call) call /* a call of the engine */
#define INSIDE_LINE(line)      /* a line of the key log */
#endif

#define COMMANDS    8
#define LATE_LINES  16
#define LINE_ROOM   512
#define PACKET_MOST 4096

enum key_log {
	KEYS_ON_TIME,
	KEYS_LATE, /* by keys_now() */
	KEYS_WRONG,
	KEYS_NONE,  /* an empty key log */
	KEYS_NO_LOG /* nothing is decrypted, and nothing is expected */
};

struct inside {
	WIRE;
	struct pair pair;
	enum key_log keys;
	char late[LATE_LINES][LINE_ROOM];
	uint32_t late_count;
	uint32_t cut;
	bool carried;	     /* TLS stands in PRELOGIN packets */
	bool lose;	     /* the next segment */
	struct inside *twin; /* sees the same without a key log; or NULL */

	uint32_t logins, closes, command_count;
	struct login_record login; /* its strings are copies below, or NULL */
	char app[64], user[64], cipher[64], alert[64], subject[64], redirect[64], sql[64];
	struct close_record close;
	struct command_record commands[COMMANDS];
};

static inline const char *inside_copy(char *to, const char *from)
{
	if (from)
		snprintf(to, 64, "%s", from);
	return from ? to : NULL;
}

static inline void inside_on_login(void *ctx, const struct login_record *r)
{
	struct inside *t = ctx;

	t->logins++;
	t->login = *r;
	t->login.tds.app = inside_copy(t->app, r->tds.app);
	t->login.auth.user = inside_copy(t->user, r->auth.user);
	t->login.tls.cipher = inside_copy(t->cipher, r->tls.cipher);
	t->login.tls.alert.description = inside_copy(t->alert, r->tls.alert.description);
	t->login.tls.cert.subject = inside_copy(t->subject, r->tls.cert.subject);
	t->login.redirect_host = inside_copy(t->redirect, r->redirect_host);
}

static inline void inside_on_close(void *ctx, const struct close_record *r)
{
	struct inside *t = ctx;

	t->closes++;
	t->close = *r;
}

static inline void inside_on_command(void *ctx, const struct command_record *r)
{
	struct inside *t = ctx;

	inside_copy(t->sql, r->sql);
	if (t->command_count < COMMANDS)
		t->commands[t->command_count++] = *r;
}

static inline void inside_keys(void *ctx, const char *line)
{
	struct inside *t = ctx;
	char text[LINE_ROOM];
	size_t len = strlen(line);

	INSIDE_LINE(line);
	snprintf(text, sizeof(text), "%s", line);
	if (t->keys == KEYS_WRONG)
		text[len - 1] = text[len - 1] == '0' ? '1' : '0';
	if (t->keys == KEYS_ON_TIME || t->keys == KEYS_WRONG)
		INSIDE_CALL(engine_secret(t->e, text, len));
	else if (t->keys == KEYS_LATE && t->late_count < LATE_LINES)
		snprintf(t->late[t->late_count++], LINE_ROOM, "%s", line);
}

static inline void keys_now(struct inside *t)
{
	for (uint32_t i = 0; i < t->late_count; i++)
		INSIDE_CALL(engine_secret(t->e, t->late[i], strlen(t->late[i])));
	t->late_count = 0;
}

/* A millisecond later. */
static inline void segment(struct inside *t, enum side side, uint8_t flags, const void *data,
			   uint32_t len)
{
	struct seg seg;

	t->now += MS;
	seg = wire_segment(&t->wire, (int)side, flags, len);
	if (!t->lose)
		INSIDE_CALL(engine_segment(t->e, &seg, data));
	if (!t->lose && t->twin)
		engine_segment(t->twin->e, &seg, data);
	t->lose = false;
	wire_moves(&t->wire, (int)side, &seg);
}

static inline void flag(struct inside *t, enum side side, uint8_t flags)
{
	segment(t, side, flags, NULL, 0);
}

static inline void raw(struct inside *t, enum side side, const void *data, size_t len)
{
	for (size_t at = 0; at < len; at += t->cut) {
		size_t n = len - at < t->cut ? len - at : t->cut;

		segment(t, side, SEG_ACK, (const uint8_t *)data + at, (uint32_t)n);
	}
}

/* What TLS has to send; wrapped by TDS packets of type PRELOGIN, of 4,096 bytes at most. */
static inline void inside_wire(void *ctx, enum side from, const uint8_t *data, size_t len)
{
	uint8_t packet[PACKET_MOST] = {0x12};
	struct inside *t = ctx;

	if (!t->carried) {
		raw(t, from, data, len);
		return;
	}
	for (size_t at = 0; at < len; at += PACKET_MOST - 8) {
		size_t n = len - at < PACKET_MOST - 8 ? len - at : PACKET_MOST - 8;

		packet[1] = at + n == len;
		packet[2] = (uint8_t)((n + 8) >> 8);
		packet[3] = (uint8_t)(n + 8);
		memcpy(packet + 8, data + at, n);
		raw(t, from, packet, n + 8);
	}
}

static inline void inside_open(struct inside *t)
{
	t->seq[SIDE_CLIENT] += 100000;
	t->seq[SIDE_SERVER] += 900000;
	flag(t, SIDE_CLIENT, SEG_SYN);
	flag(t, SIDE_SERVER, SEG_SYN | SEG_ACK);
	flag(t, SIDE_CLIENT, SEG_ACK);
}

static inline void inside_engine(struct inside *t, struct engine_config config)
{
	static const struct engine_ops ops = {
		.login = inside_on_login, .close = inside_on_close, .command = inside_on_command};

	memset(t, 0, sizeof(*t));
	wire_begin(&t->wire, config, &ops, t);
}

static inline void inside_begin_with(struct inside *t, int version, enum key_log keys,
				     struct engine_config config)
{
	config.keys = keys != KEYS_NO_LOG;
	config.identities = true;
	inside_engine(t, config);
	t->keys = keys;
	t->cut = 1460;
	pair_init(&t->pair, version, inside_wire, inside_keys, t);
	inside_open(t);
}

static inline void inside_begin(struct inside *t, int version, enum key_log keys)
{
	inside_begin_with(t, version, keys, (struct engine_config){.keys_late = keys == KEYS_LATE});
}

/* TDS 7.x, encryption on at both ends (or only the login's): up to the end of the TLS handshake. */
static inline void inside_tds7(struct inside *t, bool full, bool mars)
{
	uint8_t request[sizeof(prelogin_request)], reply[sizeof(prelogin_reply)];

	memcpy(request, prelogin_request, sizeof(request));
	memcpy(reply, prelogin_reply, sizeof(reply));
	request[8 + 0x20] = reply[8 + 0x20] = full;
	request[8 + 0x26] = reply[8 + 0x22] = mars;
	raw(t, SIDE_CLIENT, request, sizeof(request));
	raw(t, SIDE_SERVER, reply, sizeof(reply));
	t->carried = true;
	pair_open(&t->pair, NULL);
	CHECK(pair_talk(&t->pair));
	t->carried = false;
}

static inline void say(struct inside *t, enum side from, const void *data, size_t len)
{
	CHECK(pair_send(&t->pair, from, data, len));
}

/* login_success with an INFO before it, MS-TDS 2.2.7.13: as large as servers' answers are. */
#define SUCCESS_INFO 500
static inline const uint8_t *inside_success(size_t *len)
{
	static uint8_t packet[sizeof(login_success) + SUCCESS_INFO];
	uint8_t *info = packet + 8;

	*len = sizeof(packet);
	memcpy(packet, login_success, 8);
	packet[2] = (uint8_t)(*len >> 8);
	packet[3] = (uint8_t)*len;
	info[0] = 0xab;
	info[1] = (uint8_t)(SUCCESS_INFO - 3);
	info[2] = (SUCCESS_INFO - 3) >> 8;
	info[9] = (uint8_t)((SUCCESS_INFO - 3 - 14) / 2); /* characters, and what is around them */
	memset(info + 11, 0, SUCCESS_INFO - 11);
	memcpy(info + SUCCESS_INFO, login_success + 8, sizeof(login_success) - 8);
	return packet;
}

#define SAY(t, from, bytes) say(t, from, bytes, sizeof(bytes))
#define RAW(t, from, bytes) raw(t, from, bytes, sizeof(bytes))

static inline void let_in(struct inside *t)
{
	size_t len;
	const uint8_t *packet = inside_success(&len);

	say(t, SIDE_SERVER, packet, len);
}

/* TDS 8: TLS, and PRELOGIN inside it. */
static inline void inside_tds8(struct inside *t)
{
	pair_open(&t->pair, NULL);
	CHECK(pair_talk(&t->pair));
	SAY(t, SIDE_CLIENT, prelogin_request);
	SAY(t, SIDE_SERVER, prelogin_reply);
}

static inline void inside_close(struct inside *t)
{
	flag(t, SIDE_CLIENT, SEG_FIN | SEG_ACK);
	flag(t, SIDE_SERVER, SEG_FIN | SEG_ACK);
	flag(t, SIDE_CLIENT, SEG_ACK);
}

static inline void inside_end(struct inside *t)
{
	wire_end(&t->wire);
	pair_release(&t->pair);
}

#endif
