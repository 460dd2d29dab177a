// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * heads.c - the engine fed as the tap does at TAP_HEADS: heads, and nothing between them.
 */
#include <linux/types.h>

#include "engine/engine.h"
#include "unit.h"

struct test {
	struct engine *e;
	struct port_set ports;
	struct command_record command, lossy; /* the last one; and the last one that was lossy */
	struct close_record close;
	unsigned int commands, closes;
	uint64_t now_ns;
	uint32_t ack; /* the client's; 0: none */
};

static void on_command(void *ctx, const struct command_record *r)
{
	struct test *t = ctx;

	t->command = *r;
	if (r->answered < 0)
		t->lossy = *r;
	t->commands++;
}

static void on_close(void *ctx, const struct close_record *r)
{
	struct test *t = ctx;

	t->close = *r;
	t->closes++;
}

static void begin_with(struct test *t, struct engine_config config)
{
	const struct engine_ops ops = {.command = on_command, .close = on_close};

	memset(t, 0, sizeof(*t));
	port_set_add(&t->ports, 1433);
	t->now_ns = 1000000000;
	config.ports = &t->ports;
	t->e = engine_new(&config, &ops, t);
}

/* A record from the client (port 40000) or the server. head: its first bytes, or NULL. */
static void take(struct test *t, bool server, uint32_t seq, uint32_t len, const uint8_t *head,
		 uint32_t cap_len, uint8_t flags, uint8_t rec_flags)
{
	uint8_t payload[256] = {0};
	struct seg seg = {
		.seq = seq, .len = len, .cap_len = cap_len, .flags = flags, .rec_flags = rec_flags};

	seg.sport = server ? 1433 : 40000;
	seg.dport = server ? 40000 : 1433;
	seg.saddr[15] = server ? 2 : 1;
	seg.daddr[15] = server ? 1 : 2;
	seg.ack = server || !t->ack ? 1 : t->ack; /* 1 is old: it acknowledges nothing */
	seg.ts_ns = t->now_ns += 1000000;
	if (head)
		memcpy(payload, head, 8);
	engine_segment(t->e, &seg, payload);
}

static const uint8_t batch[8] = {1, 9, 0, 30}, first[8] = {4, 0, 16, 0, 0, 51},
		     last[8] = {4, 1, 0, 96, 0, 51};

/* The connection existed before: both sides at 1000, the client's request in full. */
static void joined_with(struct test *t, struct engine_config config)
{
	begin_with(t, config);
	take(t, false, 1000, 30, batch, 30, SEG_ACK, 0);
	take(t, true, 1000, 96, last, 96, SEG_ACK, 0);
	engine_tick(t->e, t->now_ns += 2000000000);
}

static void joined(struct test *t)
{
	joined_with(t, (struct engine_config){0});
}

UNIT_CASE(bulk)
{
	struct test t;
	uint32_t at = 1096;

	joined(&t);
	take(&t, false, 1030, 30, batch, 8, SEG_ACK, SEG_F_HEADS);
	take(&t, true, at, 1460, first, 8, SEG_ACK, SEG_F_HEADS);
	/* nine more packets of 4,096 bytes, then the message's last one, in two segments */
	at += 10 * 4096;
	take(&t, true, at, 60, last, 8, SEG_ACK, SEG_F_HEADS);
	take(&t, true, at + 60, 36, NULL, 0, SEG_ACK, SEG_F_HEADS);
	at += 96;
	CHECK(t.commands >= 1);
	CHECK_INT(t.command.kind, COMMAND_BATCH);
	CHECK_INT(t.command.request_bytes, 30);
	CHECK_INT(t.command.response_bytes, 10 * 4096 + 96);
	CHECK_INT(t.command.first_byte_ns, 1000000);
	CHECK_INT(t.command.total_ns, 3000000);
	/* and a response of which only the end's position is reported */
	take(&t, true, at + 1000000, 0, NULL, 0, 0, SEG_F_HEADS);
	take(&t, false, 1060, 0, NULL, 0, SEG_RST, SEG_F_HEADS);
	CHECK_INT(t.closes, 1);
	CHECK_INT(t.close.bytes[0], 60);
	CHECK_INT(t.close.bytes[1], 96 + 10 * 4096 + 96 + 1000000);
	CHECK_INT(t.close.commands[COMMAND_BATCH], 2);
	CHECK_INT(t.close.reset_connections, 2);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	CHECK_INT(engine_stats(t.e)->lost_sync, 0);
	engine_free(t.e);
}

/* Records out of order are waited for, also if heads follow them. */
UNIT_CASE(out_of_order)
{
	struct test t;

	joined(&t);
	take(&t, false, 1060, 30, batch, 30, SEG_ACK, 0);
	take(&t, false, 1090, 30, batch, 8, SEG_ACK, SEG_F_HEADS);
	take(&t, false, 1030, 30, batch, 30, SEG_ACK, 0);
	take(&t, false, 1120, 0, NULL, 0, SEG_RST, SEG_F_HEADS);
	CHECK_INT(t.close.commands[COMMAND_BATCH], 4);
	CHECK_INT(t.close.bytes[0], 120);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	engine_free(t.e);
}

/* An ACK of bytes that were skipped does not make them missing. */
UNIT_CASE(acknowledged)
{
	struct test t;
	uint8_t payload[8] = {1, 1, 0, 30};
	struct seg seg = {.seq = 1030,
			  .len = 30,
			  .cap_len = 8,
			  .ack = 1096 + 500000,
			  .flags = SEG_ACK,
			  .rec_flags = SEG_F_HEADS,
			  .sport = 40000,
			  .dport = 1433};

	joined(&t);
	seg.saddr[15] = 1;
	seg.daddr[15] = 2;
	seg.ts_ns = t.now_ns += 1000000;
	engine_segment(t.e, &seg, payload);
	engine_tick(t.e, t.now_ns += 2000000000);
	take(&t, true, 1096 + 500000, 96, last, 8, SEG_ACK, SEG_F_HEADS);
	take(&t, false, 1060, 0, NULL, 0, SEG_RST, SEG_F_HEADS);
	CHECK_INT(t.close.bytes[1], 96 + 500000 + 96);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 0);
	engine_free(t.e);
}

/* If the kernel times commands itself, forwarded ones are reported and skipped ones are not. */
UNIT_CASE(kernel_times_commands)
{
	struct test t;
	unsigned int told;

	joined_with(&t, (struct engine_config){.kernel_times_commands = true});
	told = t.commands;
	take(&t, false, 1030, 30, batch, 30, SEG_ACK, 0);
	take(&t, true, 1096, 96, last, 96, SEG_ACK, 0);
	CHECK_INT(t.commands, told + 1);
	CHECK_INT(t.command.total_ns, 1000000);
	/*
	 * The response's first packet is forwarded; its last one, and all that follows, is skipped.
	 */
	take(&t, false, 1060, 30, batch, 30, SEG_ACK, 0);
	take(&t, true, 1192, 100, first, 100, SEG_ACK, 0);
	take(&t, true, 1192 + 1000000, 0, NULL, 0, 0, SEG_F_HEADS);
	take(&t, false, 1090, 0, NULL, 0, SEG_RST, SEG_F_HEADS);
	CHECK_INT(t.closes, 1);
	CHECK_INT(t.commands, told + 1);
	CHECK_INT(t.close.commands[COMMAND_BATCH], 3);
	CHECK_INT(t.close.bytes[1], 192 + 1000000);
	engine_free(t.e);
}

/* A packet of the server that began before the request is not part of its response. */
UNIT_CASE(an_answer_begins_after_its_request)
{
	struct test t;
	unsigned int told;

	joined(&t);
	told = t.commands;
	take(&t, true, 1096, 48, last, 48, SEG_ACK, 0);
	take(&t, false, 1030, 30, batch, 30, SEG_ACK, 0);
	take(&t, true, 1144, 48, NULL, 48, SEG_ACK, 0);
	CHECK_INT(t.commands, told);
	take(&t, true, 1192, 96, last, 96, SEG_ACK, 0);
	CHECK_INT(t.commands, told + 1);
	CHECK_INT(t.command.first_byte_ns, 2000000);
	CHECK_INT(t.command.total_ns, 2000000);
	engine_free(t.e);
}

/* If the response's end is missing, neither its times nor a missing response are reported. */
UNIT_CASE(the_answers_end_is_missing)
{
	struct test t;

	joined(&t);
	CHECK_INT(t.command.answered, 1);
	take(&t, false, 1030, 30, batch, 30, SEG_ACK, 0);
	take(&t, true, 1096, 4096, first, 256, SEG_ACK, 0);
	/* 96 bytes are missing; the next request and its response are complete */
	t.ack = 1096 + 4192;
	take(&t, false, 1060, 30, batch, 30, SEG_ACK, 0);
	take(&t, true, 1096 + 4192, 96, last, 96, SEG_ACK, 0);
	engine_tick(t.e, t.now_ns += 2000000000);
	CHECK_INT(t.commands, 3);
	CHECK_INT(t.lossy.first_byte_ns, NO_NS);
	CHECK_INT(t.lossy.total_ns, NO_NS);
	CHECK_INT(t.lossy.answered, -1);
	CHECK_INT(engine_stats(t.e)->missing_bytes, 96);
	engine_free(t.e);
}

int main(void)
{
	RUN(bulk);
	RUN(out_of_order);
	RUN(acknowledged);
	RUN(kernel_times_commands);
	RUN(an_answer_begins_after_its_request);
	RUN(the_answers_end_is_missing);
	return unit_status();
}
