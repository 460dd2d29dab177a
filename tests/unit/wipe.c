// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * wipe.c - memory that is freed holds no password, token or statement. free() and realloc() are
 * replaced by versions that search each block first; realloc() always moves.
 */
#include <linux/types.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/protocol/frame.h"
#include "freed.h"
#include "unit.h"

#define SECRET	   "\xa5\xe1\x93\xb7\xc3\xd9\x8f\xf1"
#define SECRET_LEN (sizeof(SECRET) - 1)
#define S	   1000000000ull

static uint32_t freed, found;

static void look(void *data)
{
	size_t len = malloc_usable_size(data);

	freed++;
	if (!memmem(data, len, SECRET, SECRET_LEN))
		return;
	found++;
	explicit_bzero(data, len); /* or it would be found again when the memory is used next */
}

/* ---- a connection ---- */

struct test {
	struct engine *e;
	uint64_t now;
	uint32_t seq[2], logins, commands;
};

static void on_login(void *ctx, const struct login_record *r)
{
	((struct test *)ctx)->logins += r->outcome == OUTCOME_OK;
}

static void on_command(void *ctx, const struct command_record *r)
{
	((struct test *)ctx)->commands += r->sql && strstr(r->sql, "***");
}

static void begin(struct test *t)
{
	static const struct engine_ops ops = {.login = on_login, .command = on_command};
	static struct port_set ports;

	memset(&ports, 0, sizeof(ports));
	memset(t, 0, sizeof(*t));
	port_set_add(&ports, 1433);
	t->now = S;
	t->seq[0] = 1000;
	t->seq[1] = 2000;
	freed = found = 0;
	t->e = engine_new(&(struct engine_config){.ports = &ports, .sql = true}, &ops, t);
}

static void end(struct test *t)
{
	engine_finish(t->e);
	engine_free(t->e);
	CHECK(freed > 0);
	CHECK_INT(found, 0);
}

/* A segment of a side, so many bytes ahead of its position, which moves by `move`. */
static void segment(struct test *t, int side, uint16_t flags, const uint8_t *data, uint32_t len,
		    uint32_t ahead, uint32_t move)
{
	struct seg seg = {.ts_ns = t->now += 1000000, .len = len, .cap_len = len, .window = 500};

	seg.flags = (uint8_t)flags;
	seg.sport = side ? 1433 : 50000;
	seg.dport = side ? 50000 : 1433;
	seg.saddr[15] = side ? 2 : 1;
	seg.daddr[15] = side ? 1 : 2;
	seg.seq = t->seq[side] + ahead;
	seg.ack = t->seq[!side];
	t->seq[side] += move;
	engine_segment(t->e, &seg, data);
}

static void handshake(struct test *t)
{
	segment(t, 0, SEG_SYN, NULL, 0, 0, 1);
	segment(t, 1, SEG_SYN | SEG_ACK, NULL, 0, 0, 1);
	segment(t, 0, SEG_ACK, NULL, 0, 0, 0);
}

static void send_bytes(struct test *t, int side, const void *data, uint32_t len)
{
	segment(t, side, SEG_ACK, data, len, 0, len);
}

#define ANSWER(t, bytes) send_bytes(t, 1, bytes, sizeof(bytes) - 1)

static const char loginack[] = "\4\1\0\x22\0\0\1\0\xad\x0a\0\1\x74\0\0\4\0\x10\0\0\0"
			       "\xfd\0\0\0\0\0\0\0\0\0\0\0\0";

/* In segments of so many bytes; reversed: swapped in pairs. */
static void send_cut(struct test *t, const uint8_t *data, uint32_t len, uint32_t size,
		     bool reversed)
{
	for (uint32_t at = 0; at < len; at += 2 * size) {
		uint32_t first = len - at < size ? len - at : size;
		uint32_t left = len - at - first, second = left < size ? left : size;

		if (reversed && second)
			segment(t, 0, SEG_ACK, data + at + first, second, first, 0);
		send_bytes(t, 0, data + at, first);
		if (reversed)
			t->seq[0] += second;
		else if (second)
			send_bytes(t, 0, data + at + first, second);
	}
}

/* A message of that type and size, full of the secret, in TDS packets of 512 bytes. */
static uint32_t message(uint8_t *out, uint8_t type, const uint8_t *body, uint32_t size)
{
	uint32_t len = 0;

	for (uint32_t at = 0; at < size; at += 504) {
		uint32_t n = size - at < 504 ? size - at : 504;
		uint8_t head[8] = {type, n == size - at, (uint8_t)((n + 8) >> 8), (uint8_t)(n + 8)};

		memcpy(out + len, head, 8);
		memcpy(out + len + 8, body + at, n);
		len += n + 8;
	}
	return len;
}

#define BODY 3000
static uint8_t body[BODY], packets[BODY + 8 * (BODY / 504 + 1)];

static void fill(uint32_t from)
{
	for (uint32_t at = from; at + SECRET_LEN <= BODY; at += SECRET_LEN)
		memcpy(body + at, SECRET, SECRET_LEN);
}

static void make_login7(void)
{
	memset(body, 0, sizeof(body));
	memcpy(body + 4, "\4\0\0\x74", 4);
	body[36] = 94; /* the offset of the first name; all are empty */
	fill(94);
}

UNIT_CASE(the_looking_works)
{
	/* The compiler does not know what these do, so it keeps the writes before them. */
	void *(*volatile grow)(void *, size_t) = realloc;
	void (*volatile give_back)(void *) = free;
	char *block = malloc(100);

	freed = found = 0;
	memset(block, 0, 100);
	memcpy(block + 50, SECRET, SECRET_LEN);
	block = grow(block, 200);
	CHECK_INT(found, 1);
	give_back(block);
	CHECK_INT(found, 2);
}

static void login(uint8_t type, uint32_t size, uint32_t segment_size, bool reversed)
{
	uint32_t len = message(packets, type, body, size);
	struct test t;

	begin(&t);
	handshake(&t);
	send_cut(&t, packets, len, segment_size, reversed);
	send_bytes(&t, 1, loginack, sizeof(loginack) - 1);
	CHECK_INT(t.logins, 1);
	end(&t);
	/* And one that is not finished */
	begin(&t);
	handshake(&t);
	send_cut(&t, packets, len / 2, segment_size, reversed);
	end(&t);
}

UNIT_CASE(login7)
{
	make_login7();
	login(TDS_LOGIN7, BODY, 1460, false);
	login(TDS_LOGIN7, BODY, 100, false);
	login(TDS_LOGIN7, BODY, 100, true);
	login(TDS_LOGIN7, BODY, 700, true);
}

UNIT_CASE(the_login_record_of_tds42)
{
	memset(body, 0, sizeof(body));
	memcpy(body + 62, SECRET, SECRET_LEN);
	body[92] = SECRET_LEN;
	memcpy(body + 204, SECRET, SECRET_LEN);
	body[458] = 4;
	login(TDS_LOGIN_OLD, 568, 1460, false);
	login(TDS_LOGIN_OLD, 568, 50, true);
}

UNIT_CASE(tokens)
{
	struct test t;
	uint32_t len;

	begin(&t);
	handshake(&t);
	make_login7();
	len = message(packets, TDS_LOGIN7, body, 400);
	send_bytes(&t, 0, packets, len);
	ANSWER(&t, "\4\1\0\x0f\0\0\1\0\xed\4\0\xa1\2\0\0");
	memcpy(body, "NTLMSSP\0\3\0\0\0", 12);
	fill(100);
	len = message(packets, TDS_SSPI, body, BODY);
	send_cut(&t, packets, len, 300, true);
	len = message(packets, TDS_FEDAUTH_TOKEN, body, BODY);
	send_cut(&t, packets, len, 300, false);
	send_bytes(&t, 1, loginack, sizeof(loginack) - 1);
	CHECK_INT(t.logins, 1);
	end(&t);
}

/* One that is answered, one that is not. */
UNIT_CASE(statements)
{
	static const char text[] = "set @x='" SECRET "'; alter login a with password='" SECRET "'";
	uint8_t wide[2 * sizeof(text)] = {0};
	struct test t;
	uint32_t len;

	begin(&t);
	handshake(&t);
	make_login7();
	send_bytes(&t, 0, packets, message(packets, TDS_LOGIN7, body, 400));
	send_bytes(&t, 1, loginack, sizeof(loginack) - 1);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		wide[2 * i] = (uint8_t)text[i];
		wide[2 * i + 1] = (uint8_t)text[i] < 0x80 ? 0 : (uint8_t)text[i];
	}
	/* The secret as it appears in memory: in UTF-16, and in UTF-8. */
	memcpy(wide + 2 * (sizeof(text) - 1) - 2 - SECRET_LEN, SECRET, SECRET_LEN);
	len = message(packets, TDS_BATCH, wide, 2 * (sizeof(text) - 1));
	send_cut(&t, packets, len, 20, true);
	ANSWER(&t, "\4\1\0\x15\0\0\1\0\xfd\0\0\0\0\0\0\0\0\0\0\0\0");
	CHECK_INT(t.commands, 1);
	send_cut(&t, packets, len, 20, true);
	end(&t);
}

int main(void)
{
	RUN(the_looking_works);
	RUN(login7);
	RUN(the_login_record_of_tds42);
	RUN(tokens);
	RUN(statements);
	return unit_status();
}
