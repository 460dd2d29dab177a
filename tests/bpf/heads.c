// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * heads.c - tests of what the tap forwards of a flow at TAP_HEADS and TAP_CLOSE: streams of frames
 * in, split and lost in many ways, and heads out.
 */
#include "bpf/run.h"

#define PORT  7
#define BASE  100000u /* sequence number of a stream's first byte */
#define PLAIN 1000    /* want.cap_len: payload, forwarded as at TAP_FULL */

static const struct tap_setup with_commands = {.commands = true};

static uint8_t stream[1 << 17];
static uint32_t stream_len;

struct want {
	uint32_t at, cap_len;
};

static void stream_frame(const void *head, uint32_t head_len, uint32_t len)
{
	memcpy(stream + stream_len, head, head_len);
	for (uint32_t i = head_len; i < len; i++)
		stream[stream_len + i] = (uint8_t)(0x80 + i % 64); /* never a head */
	stream_len += len;
}

static void tds(uint8_t type, uint8_t status, uint32_t len)
{
	uint8_t head[8] = {type, status, (uint8_t)(len >> 8), (uint8_t)len, 0, 55, 1, 0};

	stream_frame(head, 8, len);
}

static void tls(uint8_t type, uint32_t len)
{
	uint8_t head[5] = {type, 3, 3, (uint8_t)((len - 5) >> 8), (uint8_t)(len - 5)};

	stream_frame(head, 5, len);
}

/* status: of the TDS packet in it */
static void smp(uint8_t flags, uint8_t status, uint32_t len)
{
	uint8_t head[24] = {0x53,
			    flags,
			    0,
			    0,
			    (uint8_t)len,
			    (uint8_t)(len >> 8),
			    0,
			    0,
			    1,
			    0,
			    0,
			    0,
			    4,
			    0,
			    0,
			    0,
			    4,
			    status,
			    (uint8_t)((len - 16) >> 8),
			    (uint8_t)(len - 16)};

	stream_frame(head, flags == 8 ? 24 : 16, len);
}

/* One direction's stream, as the records describe it. */
static struct {
	struct want heads[RECORDS_MAX];
	uint32_t count;
	uint32_t upto;	/* user space knows that the stream has come to here */
	uint32_t plain; /* bytes forwarded as at TAP_FULL */
	bool wrong;	/* a record holds bytes that are not the stream's */
} seen;

static void look(uint16_t from_port)
{
	for (int i = 0; i < record_count; i++) {
		const struct seg *seg = &records[i].seg;
		uint32_t at = seg->seq - BASE;

		if (seg->sport != from_port)
			continue;
		seen.wrong |= memcmp(records[i].payload, stream + at, seg->cap_len) != 0;
		seen.wrong |= !seg->ts_ns;
		if (at + seg->len > seen.upto)
			seen.upto = at + seg->len;
		if (!(seg->rec_flags & SEG_F_HEADS))
			seen.plain += seg->len;
		else if (seg->cap_len && seen.count < RECORDS_MAX)
			seen.heads[seen.count++] = (struct want){at, seg->cap_len};
	}
}

/* Send a part of the server's stream. Returns which counter was incremented. */
static int feed(struct tap *tap, enum hook hook, uint32_t from, uint32_t to)
{
	int counted = SEND(tap, hook, .sport = PORT, .swap = 1, .seq = BASE + from,
			   .payload = stream + from, .payload_len = to - from);

	look(1433);
	return counted;
}

/* A flow at TAP_HEADS with the server's stream, whose first frame has shown a boundary. */
static void begin(struct tap *tap)
{
	uint32_t first = (uint32_t)stream[2] << 8 | stream[3];

	memset(&seen, 0, sizeof(seen));
	SEND(tap, HOOK_INGRESS, .sport = PORT, .flags = SYN, .seq = 1);
	SEND(tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .flags = SYN | ACK, .seq = BASE - 11,
	     .ack = 2);
	SEND(tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = BASE - 10, .payload_len = 10);
	set_level(tap, PORT, TAP_HEADS, 0);
	CHECK_INT(feed(tap, HOOK_EGRESS, 0, first), TAP_CNT_EVENT);
	CHECK_INT(seen.plain, first);
	CHECK_INT(seen.count, 0);
}

static void stream_begin(void)
{
	stream_len = 0;
	tds(4, 1, 20);
}

static void check_heads(const char *what, uint32_t cut, const struct want *want, uint32_t count)
{
	bool same = seen.count == count && !seen.wrong && seen.upto == stream_len;

	for (uint32_t i = 0; i < count && same; i++)
		same = seen.heads[i].at == want[i].at && seen.heads[i].cap_len == want[i].cap_len;
	if (!same)
		UNIT_FAIL("%s, cut at %u: %u heads, first at %u, up to %u of %u, %u plain%s", what,
			  cut, seen.count, seen.heads[0].at, seen.upto, stream_len, seen.plain,
			  seen.wrong ? ", wrong bytes" : "");
	if (seen.plain != 20)
		UNIT_FAIL("%s, cut at %u: %u bytes as at TAP_FULL", what, cut, seen.plain - 20);
}

static void check_cuts(const char *what, enum hook hook, const struct tap_setup *setup,
		       const struct want *want, uint32_t count)
{
	struct tap tap;

	tap_open(&tap, setup);
	for (uint32_t cut = 21; cut < stream_len; cut++) {
		begin(&tap);
		feed(&tap, hook, 20, cut);
		feed(&tap, hook, cut, stream_len);
		check_heads(what, cut, want, count);
	}
	/* byte by byte */
	begin(&tap);
	for (uint32_t i = 20; i < stream_len; i++)
		feed(&tap, hook, i, i + 1);
	check_heads(what, 0, want, count);
	tap_close(&tap);
}

static const struct want tds_want[] = {{20, 8}, {220, 8}, {270, 8}, {278, 8}};

static void tds_stream(void)
{
	stream_begin();
	tds(4, 0, 100); /* at 20: the first of a message */
	tds(4, 0, 100); /* in its middle: not forwarded */
	tds(4, 1, 50);	/* at 220, the last */
	tds(6, 1, 8);	/* at 270 */
	tds(4, 9, 30);	/* at 278 */
}

UNIT_CASE(cut_at_every_byte_tc)
{
	tds_stream();
	check_cuts("tds", HOOK_EGRESS, &with_commands, tds_want, 4);
}

UNIT_CASE(cut_at_every_byte_xdp)
{
	tds_stream();
	check_cuts("tds", HOOK_XDP, &with_commands, tds_want, 4);
	check_cuts("before 5.18", HOOK_XDP,
		   &(struct tap_setup){.xdp_direct = true, .commands = true}, tds_want, 4);
}

/* Packets in the middle of a message are not forwarded; only the next message's start matters. */
UNIT_CASE(cut_at_every_byte_of_long_messages)
{
	static const struct want want[] = {{20, 8}, {360, 8}, {518, 8}, {538, 8}, {588, 8}};

	stream_begin();
	tds(4, 0, 40);
	for (int i = 0; i < 10; i++)
		tds(4, 0, 30);
	tds(6, 1, 8); /* at 360: an attention may come anywhere */
	for (int i = 0; i < 5; i++)
		tds(4, 0, 30);
	tds(4, 1, 20); /* at 518 */
	tds(4, 0, 25);
	tds(4, 0, 25);
	tds(4, 1, 10);
	check_cuts("long messages", HOOK_EGRESS, &with_commands, want, 5);
	check_cuts("long messages, XDP", HOOK_XDP, &with_commands, want, 5);
}

UNIT_CASE(cut_at_every_byte_smp)
{
	static const struct want want[] = {{20, 16}, {36, 24}, {136, 24}, {236, 24}, {316, 16}};

	stream_begin();
	smp(1, 0, 16);
	smp(8, 0, 100);
	smp(8, 0, 100);
	smp(8, 1, 80);
	smp(4, 0, 16);
	check_cuts("smp", HOOK_EGRESS, &(struct tap_setup){0}, want, 5);
	check_cuts("smp, commands", HOOK_EGRESS, &with_commands, want, 5);
}

/* A message's end is reported once it is there, also if the next frame comes with it. */
UNIT_CASE(end_of_message)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	tds(4, 1, 3000);
	tds(4, 0, 1000);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 1020), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.len, 1000);
	CHECK_INT(records[0].seg.cap_len, 8);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 1020, 2020), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 2020, 3020), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.seq, BASE + 2020);
	CHECK_INT(records[0].seg.len, 1000);
	CHECK_INT(records[0].seg.cap_len, 0);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 2020, 3020), TAP_CNT_SKIPPED);
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 3000);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 3000, 4020), TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(records[0].seg.len, 20);
	CHECK_INT(records[1].seg.seq, BASE + 3020);
	tap_close(&tap);
}

UNIT_CASE(bulk_is_passed_over)
{
	struct tap tap;
	int events = 0;

	tap_open(&tap, &with_commands);
	stream_begin();
	for (int i = 0; i < 20; i++)
		tds(4, i == 19, 4096);
	begin(&tap);
	for (uint32_t at = 20; at < stream_len; at += 1460)
		events += feed(&tap, HOOK_EGRESS, at,
			       at + 1460 < stream_len ? at + 1460 : stream_len) == TAP_CNT_EVENT;
	CHECK_INT(events, 3); /* its first head, its last head, its end */
	CHECK_INT(seen.count, 2);
	CHECK_INT(seen.upto, stream_len);
	tap_close(&tap);
}

UNIT_CASE(reset_connection)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	tds(1, 9, 60);
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 80);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].payload[0], 1);
	CHECK_INT(records[0].payload[1], 9);
	tap_close(&tap);
}

UNIT_CASE(super_segment)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	for (int i = 0; i < 110; i++)
		tds(4, i == 109, 512);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_XDP, 20, stream_len), TAP_CNT_EVENT);
	CHECK_INT(seen.count, 2);
	CHECK_INT(seen.upto, stream_len);
	CHECK_INT(seen.plain, 20);
	/* more frames than are walked: the rest is forwarded, and then there is a boundary again */
	stream_begin();
	for (int i = 0; i < 200; i++)
		tds(4, 1, 100);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_XDP, 20, 20 + 190 * 100), TAP_CNT_EVENT);
	CHECK_INT(seen.count, 128);
	CHECK_INT(seen.plain, 20 + 62 * 100);
	CHECK_INT(seen.upto, 20 + 190 * 100);
	feed(&tap, HOOK_XDP, 20 + 190 * 100, 20 + 195 * 100);
	CHECK_INT(seen.plain, 20 + 67 * 100);
	feed(&tap, HOOK_XDP, 20 + 195 * 100, stream_len);
	CHECK_INT(seen.plain, 20 + 67 * 100);
	CHECK_INT(seen.count, 133);
	CHECK(!seen.wrong);
	tap_close(&tap);
}

UNIT_CASE(retransmission)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	tds_stream();
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 250);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 250), TAP_CNT_SKIPPED);
	feed(&tap, HOOK_EGRESS, 230, stream_len); /* overlaps */
	check_heads("again", 0, tds_want, 4);
	/* within a frame the order does not matter */
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 40);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 80, 110), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 40, 80), TAP_CNT_SKIPPED);
	feed(&tap, HOOK_EGRESS, 110, stream_len);
	check_heads("out of order", 0, tds_want, 4);
	tap_close(&tap);
}

/* If a head is missing, everything is forwarded until a segment begins with a frame. */
UNIT_CASE(loss)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	tds(4, 1, 80); /* to 100 */
	tds(4, 1, 100);
	tds(4, 1, 100); /* to 300 */
	tds(4, 1, 100);
	tds(4, 1, 100); /* to 500 */
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 103);
	CHECK_INT(seen.upto, 100);
	/* 103 to 150 is missing: the known part of the head comes first */
	CHECK_INT(feed(&tap, HOOK_EGRESS, 150, 250), TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(records[0].seg.seq, BASE + 100);
	CHECK_INT(records[0].seg.cap_len, 3);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS);
	CHECK_INT(records[1].seg.seq, BASE + 150);
	CHECK_INT(records[1].seg.cap_len, 100);
	CHECK_INT(records[1].seg.rec_flags, 0);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 103, 150), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.rec_flags, 0);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 250, 300), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.rec_flags, 0);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 300, 400), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.rec_flags, 0);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 400, 500), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS);
	CHECK_INT(records[0].seg.cap_len, 8);
	CHECK(!seen.wrong);
	tap_close(&tap);
}

/* Skipped bytes are reported before a segment that is out of order. */
UNIT_CASE(loss_within_bulk)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	tds(4, 0, 4000);
	tds(4, 1, 4000);
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 1020);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 1020, 2020), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 5000, 6000), TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(records[0].seg.seq, BASE + 2020);
	CHECK_INT(records[0].seg.len, 0);
	CHECK_INT(records[0].seg.flags, 0);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS);
	CHECK_INT(records[1].seg.rec_flags, 0);
	tap_close(&tap);
}

UNIT_CASE(not_a_head)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	stream_begin();
	tds(4, 1, 80);
	stream_frame("\x05garbage", 8, 50);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 150), TAP_CNT_EVENT);
	CHECK_INT(record_count, 3); /* head, mark, the rest */
	CHECK_INT(records[2].seg.seq, BASE + 100);
	CHECK_INT(records[2].seg.cap_len, 50);
	CHECK_INT(records[2].seg.rec_flags, 0);
	CHECK(!seen.wrong);
	stream_begin(); /* in the middle of a message */
	for (int i = 0; i < 5; i++)
		tds(4, 0, 80);
	stream_frame("\x05garbage", 8, 50);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 470), TAP_CNT_EVENT);
	CHECK_INT(record_count, 3);
	CHECK_INT(records[2].seg.seq, BASE + 420);
	CHECK_INT(records[2].seg.cap_len, 50);
	CHECK(!seen.wrong);
	tap_close(&tap);
}

static void check_mark(int i, uint16_t sport, uint32_t seq)
{
	CHECK_INT(records[i].seg.sport, sport);
	CHECK_INT(records[i].seg.seq, seq);
	CHECK_INT(records[i].seg.len, 0);
	CHECK_INT(records[i].seg.flags, 0);
	CHECK_INT(records[i].seg.rec_flags, SEG_F_HEADS);
}

/* Of TLS, only the positions of both streams at the end are reported. */
UNIT_CASE(tls_and_close)
{
	static const uint8_t server[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	stream_begin();
	tls(0x17, 1000);
	tls(0x17, 3000);
	begin(&tap);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 1020), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 1020, 2020), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 2020, stream_len), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 500, .payload = stream + 20,
		       .payload_len = 1000),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	check_mark(0, 1433, BASE + stream_len);
	CHECK_INT(records[1].seg.rec_flags, 0);
	for (uint32_t seq = 1500; seq < 3500; seq += 1000)
		CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = seq,
			       .payload = stream + 20, .payload_len = 1000),
			  TAP_CNT_SKIPPED);
	feed(&tap, HOOK_EGRESS, 1020, 2020);
	CHECK_INT(record_count, 0);
	stream_len += 500;
	CHECK_INT(feed(&tap, HOOK_EGRESS, stream_len - 500, stream_len), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 3500), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 3500, .flags = RST),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 3);
	check_mark(0, 1433, BASE + stream_len);
	CHECK(!memcmp(records[0].seg.saddr, server, 16));
	CHECK_INT(records[0].seg.dport, PORT);
	CHECK_INT(records[0].seg.dir, SEG_DIR_EGRESS);
	check_mark(1, PORT, 3500);
	CHECK_INT(records[2].seg.flags, RST);
	CHECK_INT(records[2].seg.seq, 3500);
	tap_close(&tap);
}

UNIT_CASE(closing_acks)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	tds_stream();
	begin(&tap);
	feed(&tap, HOOK_EGRESS, 20, 110);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = BASE + 110,
		       .flags = FIN | PSH | ACK, .payload = stream + 110,
		       .payload_len = stream_len - 110),
		  TAP_CNT_EVENT);
	look(1433);
	check_heads("fin", 110, tds_want, 4);
	CHECK_INT(records[record_count - 1].seg.flags, FIN | PSH | ACK);
	CHECK_INT(records[record_count - 1].seg.seq, BASE + stream_len);
	for (int i = 0; i < record_count - 1; i++)
		CHECK(!(records[i].seg.flags & FIN));
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 500), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	tap_close(&tap);
}

UNIT_CASE(close_level)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	tds_stream();
	begin(&tap);
	set_level(&tap, PORT, TAP_CLOSE, 0);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 200), TAP_CNT_SKIPPED);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 200, stream_len), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 500, .flags = FIN | ACK),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	check_mark(0, 1433, BASE + stream_len);
	CHECK_INT(records[1].seg.flags, FIN | ACK);
	CHECK_INT(records[1].seg.rec_flags, SEG_F_HEADS | SEG_F_COUNTS);
	tap_close(&tap);
}

/* A flow of which nothing is forwarded is not expired. */
UNIT_CASE(beat)
{
	struct tap tap;

	tap_open(&tap, &with_commands);
	tds_stream();
	begin(&tap);
	set_level(&tap, PORT, TAP_CLOSE, 1);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 20, 200), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS | SEG_F_COUNTS);
	records[0].seg.rec_flags = SEG_F_HEADS;
	check_mark(0, 1433, BASE + 200);
	CHECK_INT(feed(&tap, HOOK_EGRESS, 200, stream_len), TAP_CNT_SKIPPED);
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(cut_at_every_byte_tc);
	RUN(cut_at_every_byte_xdp);
	RUN(cut_at_every_byte_of_long_messages);
	RUN(cut_at_every_byte_smp);
	RUN(end_of_message);
	RUN(bulk_is_passed_over);
	RUN(reset_connection);
	if (has_frags())
		RUN(super_segment);
	else
		printf("skip - super_segment: the kernel has none for test runs, before 5.18\n");
	RUN(retransmission);
	RUN(loss);
	RUN(loss_within_bulk);
	RUN(not_a_head);
	RUN(tls_and_close);
	RUN(closing_acks);
	RUN(close_level);
	RUN(beat);
	return unit_status();
}
