// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * room_stream.c - the reassembly by itself: no login, no frames of TDS, no engine. Its callbacks
 * write a line: upper-case letters are the client's bytes, lower-case ones the server's.
 */
#include <ctype.h>
#include <stdarg.h>

#include "engine/stream/reassembly.h"
#include "engine/stream/repeats.h"
#include "engine/stream/timeline.h"
#include "lib/units.h"
#include "unit.h"

#define MS	   1000000ull
#define CLIENT_ISN 0xffffff00u /* it passes 0 */
#define SERVER_ISN 9000u

static struct {
	struct reassembly re;
	struct flow_table flows;
	struct flow *f;
	struct tcp_facts facts;
	uint64_t now_ns;
	uint32_t established;
	char seen[400];
} t;

static void say(const char *format, ...)
{
	size_t len = strlen(t.seen);
	va_list args;

	va_start(args, format);
	vsnprintf(t.seen + len, sizeof(t.seen) - len, format, args);
	va_end(args);
}

static const char *who(enum side from)
{
	return from == SIDE_CLIENT ? "client" : "server";
}

static void on_data(void *ctx, struct flow *f, enum side from, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)ts_ns;
	for (uint32_t i = 0; i < len; i++)
		CHECK(!!isupper(data[i]) == (from == SIDE_CLIENT));
	say("%.*s ", (int)len, (const char *)data);
}

static void on_gap(void *ctx, struct flow *f, enum side from, uint32_t len, enum gap_kind kind,
		   uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)ts_ns;
	say("%s:%s%u ", who(from), kind == GAP_MISSING ? "missing" : "unread", len);
}

static void on_skip(void *ctx, struct flow *f, enum side from, uint32_t len, bool to_head,
		    uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)ts_ns;
	say("%s:skip%u%s ", who(from), len, to_head ? "+head" : "");
}

static void on_fin(void *ctx, struct flow *f, enum side from, uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)ts_ns;
	say("%s:fin ", who(from));
}

static void on_rst(void *ctx, struct flow *f, enum side from, const struct seg *seg, uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)seg, (void)ts_ns;
	say("%s:rst ", who(from));
}

static void on_established(void *ctx, struct flow *f, const struct seg *seg, uint64_t ts_ns)
{
	(void)f, (void)seg;
	CHECK(ctx == &t);
	CHECK_INT(ts_ns, t.facts.ack_ns);
	t.established++;
}

static const struct stream_ops ops = {on_data, on_gap, on_skip, on_fin, on_rst, on_established};

/* A segment with text; seq and ack count from the side's SYN. */
static void segment(enum side from, uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	uint32_t own = from == SIDE_CLIENT ? CLIENT_ISN : SERVER_ISN;
	uint32_t other = from == SIDE_CLIENT ? SERVER_ISN : CLIENT_ISN;
	struct seg seg = {
		.ts_ns = t.now_ns += MS,
		.seq = own + seq,
		.ack = flags & SEG_ACK ? other + ack : 0,
		.len = (uint32_t)strlen(text),
		.cap_len = (uint32_t)strlen(text),
		.sport = from == SIDE_CLIENT ? 50000 : 1433,
		.dport = from == SIDE_CLIENT ? 1433 : 50000,
		.window = 512,
		.flags = flags,
		.ttl = 64,
	};

	if (seg.ts_ns > t.f->last_ns)
		t.f->last_ns = seg.ts_ns;
	tcp_segment(&t.re, t.f, from, &seg, (const uint8_t *)text);
}

static void client(uint32_t seq, uint32_t ack, const char *text)
{
	segment(SIDE_CLIENT, SEG_ACK, seq, ack, text);
}

static void server(uint32_t seq, uint32_t ack, const char *text)
{
	segment(SIDE_SERVER, SEG_ACK, seq, ack, text);
}

/* A connection of which nothing was seen. */
static void begin_unseen(void)
{
	static const struct flow_key key = {.port = {50000, 1433}};

	memset(&t, 0, sizeof(t));
	t.now_ns = 1000 * NS_PER_S;
	t.re = (struct reassembly){.ops = &ops,
				   .ctx = &t,
				   .now_ns = &t.now_ns,
				   .reorder_ns = NS_PER_S / 2,
				   .max_buffer = 1000};
	CHECK_INT(flow_table_init(&t.flows, 16, (const uint64_t[2]){1, 2}), 0);
	t.f = flow_add(&t.flows, &key);
	t.f->tcp = &t.facts;
}

static void begin(void)
{
	begin_unseen();
	segment(SIDE_CLIENT, SEG_SYN, 0, 0, "");
	segment(SIDE_SERVER, SEG_SYN | SEG_ACK, 0, 1, "");
	CHECK_INT(t.established, 0);
	segment(SIDE_CLIENT, SEG_ACK, 1, 1, "");
	CHECK_INT(t.established, 1);
}

static void end(const char *want)
{
	CHECK_STR(t.seen, want);
	tcp_release(&t.re, t.f);
	CHECK_INT(t.re.held.bytes, 0);
	CHECK(!t.re.held.stalled);
	flow_table_release(&t.flows);
}

UNIT_CASE(in_order)
{
	begin();
	client(1, 1, "ABC");
	server(1, 4, "xy");
	client(4, 3, "D");
	CHECK_INT(t.facts.syns, 1);
	CHECK_INT(t.facts.ack_ns - t.facts.syn_ns, 2 * MS);
	CHECK_INT(t.facts.payload_ns[SIDE_SERVER], t.now_ns - MS);
	CHECK(!t.f->reorder);
	end("ABC xy D ");
}

UNIT_CASE(ack_too_far_away_acknowledges_nothing)
{
	begin_unseen();
	segment(SIDE_CLIENT, SEG_SYN, 0, 0, "");
	segment(SIDE_SERVER, SEG_SYN | SEG_ACK, 0, 1, "");
	segment(SIDE_CLIENT, SEG_ACK, 1, 1 + (1u << 31), "");
	CHECK(!t.f->half[SIDE_SERVER].has_acked);
	client(1, 1, "AB");
	CHECK(t.f->half[SIDE_SERVER].has_acked);
	CHECK_INT(t.f->half[SIDE_SERVER].acked, SERVER_ISN + 1);
	end("AB ");
}

UNIT_CASE(both_sides_in_causal_order)
{
	begin();
	server(1, 4, "xy"); /* it answers bytes that come later */
	client(3, 1, "C");
	CHECK_STR(t.seen, "");
	client(1, 1, "AB");
	CHECK_INT(t.facts.out_of_order, 1);
	end("AB C xy ");
}

UNIT_CASE(sent_again)
{
	begin();
	client(1, 1, "ABC");
	t.now_ns += 300 * MS;
	client(1, 1, "ABCD");
	CHECK_INT(t.facts.retransmits, 1);
	CHECK_INT(tcp_unacked(t.f, SIDE_CLIENT).sent, 2);
	CHECK_INT(tcp_unacked(t.f, SIDE_CLIENT).bytes, 4);
	server(1, 5, "");
	CHECK_INT(tcp_unacked(t.f, SIDE_CLIENT).sent, 0);
	end("ABC D ");
}

UNIT_CASE(missing_by_time)
{
	begin();
	client(1, 1, "AB");
	server(1, 6, "xy"); /* it has got three bytes more */
	tcp_tick(&t.re, t.f);
	CHECK_STR(t.seen, "AB ");
	t.now_ns += NS_PER_S;
	tcp_tick(&t.re, t.f);
	CHECK_INT(t.re.counts.missing_bytes, 3);
	end("AB client:missing3 xy ");
}

UNIT_CASE(missing_by_packets)
{
	begin();
	t.re.reorder_ns = UINT64_MAX;
	client(1, 1, "AB");
	server(1, 6, "x");
	for (uint32_t i = 0; i < 30; i++)
		server(2 + i, 6, "z");
	CHECK_STR(t.seen,
		  "AB client:missing3 x z z z z z z z z z z z z z z z z z z z z z z z z z z "
		  "z z z z ");
	end(t.seen);
}

UNIT_CASE(no_room)
{
	char text[301];

	begin();
	memset(text, 'A', 300);
	text[300] = 0;
	for (uint32_t i = 0; i < 4; i++)
		client(2 + 300 * i, 1, text); /* the first byte never comes */
	CHECK_INT(t.re.counts.buffer_evicted, 1);
	CHECK_INT(t.re.held.bytes, 0);
	CHECK_INT(t.re.counts.missing_bytes, 1);
	CHECK(!strncmp(t.seen, "client:missing1 AAA", 19));
	end(t.seen);
}

UNIT_CASE(closed)
{
	begin();
	client(1, 1, "A");
	segment(SIDE_CLIENT, SEG_ACK | SEG_FIN, 2, 1, "");
	segment(SIDE_SERVER, SEG_ACK | SEG_FIN, 1, 3, "");
	client(2, 2, "Z"); /* after its FIN */
	end("A client:fin server:fin ");
}

UNIT_CASE(reset)
{
	begin();
	client(1, 1, "A");
	segment(SIDE_SERVER, SEG_RST | SEG_ACK, 100, 2, ""); /* out of its place */
	CHECK_STR(t.seen, "A ");
	segment(SIDE_SERVER, SEG_RST | SEG_ACK, 1, 2, "");
	client(2, 1, "B");
	end("A server:rst ");
}

UNIT_CASE(heads_only)
{
	struct seg seg = {.rec_flags = SEG_F_HEADS,
			  .flags = SEG_ACK,
			  .seq = SERVER_ISN + 101,
			  .ack = CLIENT_ISN + 1,
			  .len = 2,
			  .cap_len = 2,
			  .window = 512};

	begin();
	seg.ts_ns = t.now_ns;
	tcp_segment(&t.re, t.f, SIDE_SERVER, &seg, (const uint8_t *)"xy");
	CHECK_INT(t.f->half[SIDE_SERVER].bytes, 102);
	end("server:skip100+head xy ");
}

static void join(void)
{
	begin_unseen();
	t.f->mid_stream = t.f->settling = true;
}

/* First the order of what came settles, then what is missing. */
static void wait_and_tick(void)
{
	for (int i = 0; i < 3; i++) {
		t.now_ns += NS_PER_S;
		tcp_tick(&t.re, t.f);
	}
}

/* The client got what the server sent meanwhile, and we did not. */
UNIT_CASE(joined_while_bytes_were_lost)
{
	join();
	client(1, 1, "AB");
	client(3, 5, "CD");
	server(9, 5, "xy");
	wait_and_tick();
	CHECK_STR(t.seen, "AB server:missing4 CD "); /* nobody acknowledged the rest so far */
	tcp_flush(&t.re, t.f);
	CHECK_INT(t.re.counts.missing_bytes, 8);
	end("AB server:missing4 CD server:missing4 xy ");
}

/* Bytes that the server had sent before are not missing. */
UNIT_CASE(joined)
{
	join();
	client(1, 9, "AB");
	server(9, 3, "xy");
	client(3, 11, "CD");
	wait_and_tick();
	end("AB xy CD ");
}

/* ---- a capture's clock ---- */

static void on_take(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	struct flow_key key = {.addr = {{0}}, .port = {seg->sport, seg->dport}};

	(void)ctx, (void)payload;
	if (seg->flags & SEG_SYN)
		flow_add(&t.flows, &key)->last_ns = seg->ts_ns;
	if (seg->ts_ns > t.now_ns)
		t.now_ns = seg->ts_ns;
	say("%u@%llu ", seg->seq, (unsigned long long)(seg->ts_ns / NS_PER_S));
}

static void on_set_back(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	t.now_ns = now_ns;
	say("back ");
}

static void on_stepped(void *ctx, struct flow *f, uint64_t now_ns)
{
	(void)ctx, (void)now_ns;
	say("stepped%u ", f->key.port[0]);
}

static void on_undisturbed(void *ctx, struct flow *f)
{
	(void)ctx;
	say("undisturbed%u ", f->key.port[0]);
}

static const struct timeline_ops clock_ops = {on_take, on_set_back, on_stepped, on_undisturbed};

static void captured(struct timeline *clock, uint8_t flags, uint32_t seq, uint64_t s)
{
	struct seg seg = {.ts_ns = s * NS_PER_S,
			  .seq = seq,
			  .flags = flags,
			  .sport = flags & SEG_SYN ? 5 : 50000,
			  .dport = flags & SEG_SYN ? 6 : 60000};

	if (timeline_segment(clock, &seg, (const uint8_t *)""))
		on_take(NULL, &seg, (const uint8_t *)"");
}

static struct timeline clock_of_capture(void)
{
	begin_unseen();
	t.now_ns = 0;
	return (struct timeline){.ops = &clock_ops, .now_ns = &t.now_ns, .flows = &t.flows};
}

UNIT_CASE(a_time_that_stands_out)
{
	struct timeline clock = clock_of_capture();

	captured(&clock, SEG_ACK, 1, 100);
	captured(&clock, SEG_SYN, 2, 900000); /* a connection begins with it */
	captured(&clock, SEG_ACK, 3, 101);
	CHECK_INT(clock.steps, 1);
	timeline_release(&clock);
	end("1@100 2@100 stepped5 3@101 ");
}

UNIT_CASE(a_copy_confirms_no_time)
{
	struct timeline clock = clock_of_capture();

	captured(&clock, SEG_ACK, 1, 100);
	for (int i = 0; i < 3; i++)
		captured(&clock, SEG_ACK, 2, 900000);
	captured(&clock, SEG_ACK, 3, 101);
	timeline_release(&clock);
	end("1@100 2@100 2@100 2@100 3@101 ");
}

UNIT_CASE(ahead_for_a_while)
{
	struct timeline clock = clock_of_capture();

	captured(&clock, SEG_ACK, 1, 100);
	captured(&clock, SEG_SYN, 2, 900000);
	captured(&clock, SEG_SYN, 3, 900000);
	captured(&clock, SEG_ACK, 4, 101);
	CHECK_INT(clock.steps, 1);
	timeline_release(&clock);
	end("1@100 2@900000 3@900000 back undisturbed50000 stepped5 stepped5 4@101 ");
}

UNIT_CASE(a_silence)
{
	struct timeline clock = clock_of_capture();

	captured(&clock, SEG_ACK, 1, 100);
	captured(&clock, SEG_ACK, 2, 900000);
	captured(&clock, SEG_ACK, 3, 900000);
	CHECK_INT(clock.steps, 0);
	captured(&clock, SEG_ACK, 4, 950000); /* the last one of the capture */
	timeline_finish(&clock);
	timeline_release(&clock);
	end("1@100 2@900000 3@900000 4@950000 ");
}

int main(void)
{
	RUN(in_order);
	RUN(ack_too_far_away_acknowledges_nothing);
	RUN(both_sides_in_causal_order);
	RUN(sent_again);
	RUN(missing_by_time);
	RUN(missing_by_packets);
	RUN(no_room);
	RUN(closed);
	RUN(reset);
	RUN(heads_only);
	RUN(joined_while_bytes_were_lost);
	RUN(joined);
	RUN(a_time_that_stands_out);
	RUN(a_copy_confirms_no_time);
	RUN(ahead_for_a_while);
	RUN(a_silence);
	return unit_status();
}
