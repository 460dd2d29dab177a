// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tap.c - tests of the tap's programs by BPF_PROG_TEST_RUN: packets in, ring buffer records and
 * counters out. Every run checks that the packet passes unchanged.
 */
#include "bpf/run.h"

/* --- every hook treats the same packets in the same way --- */

struct tap_case {
	const char *name;
	struct packet_spec spec;
	int counted;
	uint32_t cap_len; /* of the one record, if counted is TAP_CNT_EVENT */
};

static const struct tap_case cases[] = {
	{"other port", {.dport = 80, .payload_len = 10}, TAP_CNT_OTHER, 0},
	{"to the server", {.payload_len = 10}, TAP_CNT_EVENT, 10},
	{"from the server", {.payload_len = 10, .swap = 1}, TAP_CNT_EVENT, 10},
	{"pure ACK", {.sport = 1}, TAP_CNT_EVENT, 0},
	{"FIN", {.flags = FIN | ACK}, TAP_CNT_EVENT, 0},
	{"RST", {.flags = RST}, TAP_CNT_EVENT, 0},
	{"padding", {.padding = 6}, TAP_CNT_EVENT, 0},
	{"UDP", {.proto = 17, .dport = 53, .payload_len = 10}, TAP_CNT_OTHER, 0},
	{"SQL Browser, not asked for", {.proto = 17, .payload_len = 10}, TAP_CNT_OTHER, 0},
	{"ARP", {.family = PACKET_ARP}, TAP_CNT_OTHER, 0},
	{"IPv4 options", {.ip_options = 40, .tcp_options = 40, .payload_len = 3}, TAP_CNT_EVENT, 3},
	{"later fragment", {.frag = 9, .payload_len = 64}, TAP_CNT_FRAGMENT, 0},
	{"802.1Q", {.vlan = {0x8100}, .payload_len = 128}, TAP_CNT_EVENT, 128},
	{"QinQ", {.vlan = {0x88a8, 0x8100}, .payload_len = 129}, TAP_CNT_EVENT, 129},
	{"three tags", {.vlan = {0x88a8, 0x8100, 0x8100}}, TAP_CNT_OTHER, 0},
	{"IPv6", {.family = PACKET_IP6, .payload_len = 512}, TAP_CNT_EVENT, 512},
	{"IPv6 with extension headers",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60}, .payload_len = 513},
	 TAP_CNT_EVENT,
	 513},
	{"IPv6 with too many",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60, 60}},
	 TAP_CNT_EXT_HEADERS,
	 0},
	{"IPv6 later fragment",
	 {.family = PACKET_IP6, .ext = {44}, .frag = 9},
	 TAP_CNT_FRAGMENT,
	 0},
	{"IPv4 header length 4", {.ihl = 4}, TAP_CNT_SHORT, 0},
	{"TCP data offset 4", {.doff = 4}, TAP_CNT_SHORT, 0},
	{"IPv4 total length 0", {.total_len = -1, .payload_len = 300}, TAP_CNT_EVENT, 300},
	{"1 byte", {.payload_len = 1}, TAP_CNT_EVENT, 1},
	{"127 bytes", {.payload_len = 127}, TAP_CNT_EVENT, 127},
	{"1460 bytes", {.payload_len = 1460}, TAP_CNT_EVENT, 1460},
	{"2048 bytes", {.payload_len = 2048}, TAP_CNT_EVENT, 2048},
	{"2049 bytes", {.payload_len = 2049}, TAP_CNT_EVENT, 2049},
	{"3000 bytes", {.payload_len = 3000}, TAP_CNT_EVENT, 3000},
};

static bool payload_right(const struct record *r, uint32_t from)
{
	for (uint32_t i = 0; i < r->seg.cap_len; i++)
		if (r->payload[i] != packet_byte(from + i))
			return false;
	return true;
}

static void check_table(const char *what, const struct tap_setup *setup, enum hook hook)
{
	struct tap tap;

	tap_open(&tap, setup);
	unit_case_failed = false;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tap_case *c = &cases[i];
		int counted = tap_send(&tap, hook, &c->spec);
		bool event = c->counted == TAP_CNT_EVENT;

		if (counted != c->counted || record_count != event)
			UNIT_FAIL("%s: %s: counted %d, %d records", what, c->name, counted,
				  record_count);
		else if (event &&
			 (records[0].seg.cap_len != c->cap_len ||
			  records[0].seg.len != c->cap_len || !payload_right(&records[0], 0)))
			UNIT_FAIL("%s: %s: cap_len %u, len %u, or other payload", what, c->name,
				  records[0].seg.cap_len, records[0].seg.len);
	}
	if (!unit_case_failed)
		printf("ok - table, %s\n", what);
	tap_close(&tap);
}

UNIT_CASE(segment_fields)
{
	static const uint8_t client[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	struct tap tap;
	const struct seg *seg = &records[0].seg;

	tap_open(&tap, &(struct tap_setup){0});
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .seq = 77, .ack = 88, .flags = PSH | ACK,
		       .payload_len = 5),
		  TAP_CNT_EVENT);
	CHECK(!memcmp(seg->saddr, client, 16));
	CHECK_INT(seg->sport, 40000);
	CHECK_INT(seg->dport, 1433);
	CHECK_INT(seg->seq, 77);
	CHECK_INT(seg->ack, 88);
	CHECK_INT(seg->flags, PSH | ACK);
	CHECK_INT(seg->window, 502);
	CHECK_INT(seg->ttl, 57);
	CHECK_INT(seg->ip_id, 0x1234);
	CHECK_INT(seg->dir, SEG_DIR_INGRESS);
	CHECK_INT(seg->rec_flags, 0);
	CHECK(seg->ts_ns != 0);
	SEND(&tap, HOOK_EGRESS, .payload_len = 5);
	CHECK_INT(seg->dir, SEG_DIR_EGRESS);
	tap_close(&tap);

	tap_open(&tap, &(struct tap_setup){.mirror = true});
	SEND(&tap, HOOK_INGRESS, .payload_len = 5);
	CHECK_INT(seg->dir, SEG_DIR_UNKNOWN);
	SEND(&tap, HOOK_XDP, .payload_len = 5);
	CHECK_INT(seg->dir, SEG_DIR_UNKNOWN);
	tap_close(&tap);
}

UNIT_CASE(cut_at_every_byte)
{
	static const struct packet_spec specs[] = {
		{.vlan = {0x8100}, .ip_options = 4, .tcp_options = 4, .payload_len = 9},
		{.family = PACKET_IP6, .ext = {60, 44}, .payload_len = 9},
	};
	static const enum hook hooks[] = {HOOK_INGRESS, HOOK_XDP};
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	for (int n = 0; n < 4; n++) {
		/*
		 * BPF_PROG_TEST_RUN needs at least an Ethernet header, and for tc an IPv6 header,
		 * too
		 */
		size_t least = n == 2 ? 14 + 40 : 14;

		packet_build(&packet, &specs[n / 2]);
		for (size_t cut = least; cut <= packet.len; cut++) {
			bool whole = cut >= packet.tcp_off + 20;
			bool passed = tap_run_packet(&tap, hooks[n % 2], cut);
			int counted = tap_counted(&tap);

			record_count = 0;
			ring_buffer__consume(tap.ring);
			if (!passed || counted != (whole ? TAP_CNT_EVENT : TAP_CNT_SHORT))
				UNIT_FAIL("packet %d, %zu bytes: passed %d, counted %d", n, cut,
					  passed, counted);
			if (whole &&
			    (records[0].seg.len != 9 ||
			     records[0].seg.cap_len !=
				     (cut > packet.payload_off ? cut - packet.payload_off : 0) ||
			     (records[0].seg.rec_flags == SEG_F_TRUNC) != (cut < packet.len)))
				UNIT_FAIL("packet %d, %zu bytes: len %u, cap_len %u, note %u", n,
					  cut, records[0].seg.len, records[0].seg.cap_len,
					  records[0].seg.rec_flags);
		}
	}
	tap_close(&tap);
}

/* --- super-segments --- */

static void check_chunks(struct tap *tap, uint32_t payload, uint8_t flags, uint32_t first_skip)
{
	uint32_t seq = 5000, sum = 0;
	int want = (int)((payload + SEG_CHUNK - 1) / SEG_CHUNK);

	CHECK_INT(SEND(tap, HOOK_XDP, .flags = flags, .seq = 5000, .payload_len = payload),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, want);
	for (int i = 0; i < record_count; i++) {
		const struct seg *seg = &records[i].seg;
		bool last = i == record_count - 1;

		CHECK_INT(seg->seq, seq + sum + (i ? first_skip : 0));
		CHECK_INT(seg->len, last ? payload - sum : SEG_CHUNK);
		CHECK_INT(seg->cap_len, seg->len);
		CHECK_INT(seg->rec_flags, 0);
		CHECK_INT(seg->flags & (FIN | PSH), last ? flags & (FIN | PSH) : 0);
		CHECK_INT(seg->flags & SYN, i ? 0 : flags & SYN);
		CHECK(payload_right(&records[i], sum));
		sum += seg->len;
	}
	CHECK_INT(sum, payload);
}

UNIT_CASE(super_segments)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.budget = 1 << 30});
	check_chunks(&tap, 4096, PSH | ACK, 0);
	check_chunks(&tap, 4097, PSH | ACK, 0);
	check_chunks(&tap, 8192, FIN | PSH | ACK, 0);
	check_chunks(&tap, 60001, PSH | ACK, 0);
	check_chunks(&tap, 65000, FIN | ACK, 0);
	check_chunks(&tap, 9000, SYN | ACK, 1);
	tap_close(&tap);
}

/* --- handshakes --- */

/* Packets that a forged source can cause are stored: its SYN, and the server's answer. */
UNIT_CASE(handshake_kept_until_acknowledged)
{
	struct tap tap;
	uint64_t syn_ns;

	tap_open(&tap, &(struct tap_setup){0});
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .flags = SYN, .seq = 100), TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = SYN | ACK, .seq = 900, .ack = 101),
		  TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	/* a forged third packet cannot know the server's number */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .seq = 101, .ack = 901), TAP_CNT_EVENT);
	CHECK_INT(record_count, 3);
	CHECK_INT(records[0].seg.flags, SYN);
	CHECK_INT(records[0].seg.seq, 100);
	CHECK_INT(records[0].seg.dir, SEG_DIR_INGRESS);
	CHECK_INT(records[1].seg.flags, SYN | ACK);
	CHECK_INT(records[1].seg.seq, 900);
	CHECK_INT(records[1].seg.ack, 101);
	CHECK_INT(records[1].seg.sport, 1433);
	CHECK_INT(records[1].seg.dport, 40000);
	CHECK_INT(records[1].seg.dir, SEG_DIR_EGRESS);
	CHECK_INT(records[1].seg.window, 502);
	CHECK_INT(records[1].seg.ttl, 57);
	CHECK(!memcmp(records[1].seg.saddr, records[0].seg.daddr, 16));
	CHECK(!memcmp(records[1].seg.daddr, records[0].seg.saddr, 16));
	CHECK_INT(records[2].seg.flags, ACK);
	CHECK_INT(records[2].seg.ack, 901);
	syn_ns = records[0].seg.ts_ns;
	CHECK(syn_ns && syn_ns < records[1].seg.ts_ns);
	CHECK(records[1].seg.ts_ns < records[2].seg.ts_ns);
	/* from now on user space knows the connection */
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = SYN | ACK, .seq = 900, .ack = 101),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	tap_close(&tap);
}

/* The SYN+ACK twice, then payload before its ACK: everything is forwarded, with its times. */
UNIT_CASE(handshake_proven_by_payload)
{
	struct tap_key key;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_INGRESS, .flags = SYN, .seq = 100);
	SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = SYN | ACK, .seq = 900, .ack = 101);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = SYN | ACK, .seq = 900, .ack = 101),
		  TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .seq = 101, .ack = 901, .payload_len = 10),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 4);
	CHECK_INT(records[0].seg.flags, SYN);
	CHECK_INT(records[1].seg.flags, SYN | ACK);
	CHECK_INT(records[2].seg.flags, SYN | ACK);
	CHECK(records[1].seg.ts_ns < records[2].seg.ts_ns);
	CHECK_INT(records[3].seg.cap_len, 10);
	CHECK_INT(flow_level(&tap, 40000, &key), TAP_FULL);
	tap_close(&tap);
}

/* Forged third packets: some are forwarded, and none counts as the client's. */
UNIT_CASE(handshake_not_proven)
{
	int events = 0, follow = 0;
	struct tap_key key;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	for (uint16_t port = 2000; port < 4000; port++) {
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 100);
		SEND(&tap, HOOK_EGRESS, .sport = port, .swap = 1, .flags = SYN | ACK, .seq = 900,
		     .ack = 101);
		events += SEND(&tap, HOOK_INGRESS, .sport = port, .seq = 101, .ack = 0x7000000) ==
			  TAP_CNT_EVENT;
		events += SEND(&tap, HOOK_INGRESS, .sport = port, .seq = 0x9000000, .ack = 901) ==
			  TAP_CNT_EVENT;
	}
	/* 256 a second, in whatever time this took */
	CHECK(events >= 256 && events < 2000);
	for (uint16_t port = 2000; port < 4000; port++)
		follow += flow_level(&tap, port, &key) >= 0;
	CHECK_INT(follow, 0);
	tap_close(&tap);
}

UNIT_CASE(syn_repeated)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	CHECK_INT(SEND(&tap, HOOK_XDP, .flags = SYN, .seq = 100), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_XDP, .flags = SYN, .seq = 100), TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(SEND(&tap, HOOK_XDP, .flags = SYN, .seq = 100), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	/* another connection on the same ports */
	CHECK_INT(SEND(&tap, HOOK_XDP, .flags = SYN, .seq = 101), TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	tap_close(&tap);
}

UNIT_CASE(syn_refused)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_INGRESS, .flags = SYN, .seq = 100);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = RST | ACK, .ack = 101),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(records[0].seg.flags, SYN);
	CHECK_INT(records[1].seg.flags, RST | ACK);
	tap_close(&tap);
}

/* A reset that does not belong to the attempt changes nothing; one that does ends it. */
UNIT_CASE(syn_reset_by_whom)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_INGRESS, .flags = SYN, .seq = 100);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = RST | ACK, .ack = 0x5000000),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 2);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .swap = 1, .flags = SYN | ACK, .seq = 900, .ack = 101),
		  TAP_CNT_EVENT); /* user space knows the attempt by now */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .flags = RST, .seq = 0x5000000), TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .flags = RST, .seq = 101), TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .flags = SYN, .seq = 100), TAP_CNT_SKIPPED);
	tap_close(&tap);
}

UNIT_CASE(syn_flood)
{
	struct tap tap;
	struct tap_key key;
	int sent = 0, seen = 0;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_EGRESS, .swap = 1, .sport = 999, .payload_len = 10);
	for (int i = 0; i < 40000; i++) {
		sent += SEND(&tap, HOOK_INGRESS, .flags = SYN, .sport = (uint16_t)(1000 + i),
			     .seq = (uint32_t)i + 1) == TAP_CNT_SKIPPED;
		seen += record_count;
	}
	CHECK_INT(sent, 40000);
	/* the table has 16,384 slots: the others are counted */
	CHECK(tap_counter(&tap, TAP_CNT_SYNS) >= 40000 - 16384);
	CHECK(tap_counter(&tap, TAP_CNT_SYNS) < 40000 - 16384 / 2);
	CHECK_INT(seen, 0);
	CHECK_INT(flow_level(&tap, 999, &key), TAP_FULL);
	CHECK_INT(flow_level(&tap, 1000, &key), -1);
	tap_close(&tap);
}

/*
 * A flood that the server answers, with 4,000 SYNs within a real client's round trip: 20,000 a
 * second, 200 ms. None of its packets is forwarded; the client's are, except in rare cases.
 */
UNIT_CASE(syn_flood_answered)
{
	int records_of_flood = 0, kept = 0;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	for (uint32_t client = 0; client < 20; client++) {
		uint16_t real = (uint16_t)(500 + client);

		SEND(&tap, HOOK_INGRESS, .sport = real, .flags = SYN, .seq = 7);
		SEND(&tap, HOOK_EGRESS, .sport = real, .swap = 1, .flags = SYN | ACK, .seq = 900,
		     .ack = 8);
		for (uint32_t i = 0; i < 4000; i++) {
			uint16_t port = (uint16_t)(1000 + (client * 4000 + i) % 60000);

			SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN,
			     .seq = client * 9999 + i + 1);
			records_of_flood += record_count;
			SEND(&tap, HOOK_EGRESS, .sport = port, .swap = 1, .flags = SYN | ACK,
			     .seq = i + 1, .ack = client * 9999 + i + 2);
			records_of_flood += record_count;
		}
		CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = real, .seq = 8, .ack = 901),
			  TAP_CNT_EVENT);
		kept += record_count == 3;
	}
	CHECK_INT(records_of_flood, 0);
	CHECK(kept >= 18);
	CHECK(tap_counter(&tap, TAP_CNT_HALF_OPEN) >= 80000 - 16384);
	CHECK_INT(tap_counter(&tap, TAP_CNT_SYNS), 0);
	tap_close(&tap);
}

/* Repeated SYNs, and refused ones: only so many a second are forwarded. */
UNIT_CASE(syn_floods_of_other_kinds)
{
	int again = 0, refused = 0, reset = 0;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	for (uint16_t port = 2000; port < 4000; port++) {
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 100);
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 100);
		again += record_count > 0;
	}
	for (uint16_t port = 4000; port < 6000; port++) {
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 100);
		SEND(&tap, HOOK_EGRESS, .sport = port, .swap = 1, .flags = RST | ACK, .ack = 101);
		refused += record_count > 0;
	}
	for (uint16_t port = 6000; port < 8000; port++) { /* from a host that never sent the SYN */
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 100);
		SEND(&tap, HOOK_EGRESS, .sport = port, .swap = 1, .flags = SYN | ACK, .seq = 900,
		     .ack = 101);
		SEND(&tap, HOOK_INGRESS, .sport = port, .flags = RST, .seq = 101);
		reset += record_count > 0;
	}
	/* 256 a second in all, in whatever time this took */
	CHECK(again + refused + reset >= 256);
	CHECK(again < 1500 && refused < 1500 && reset < 500);
	CHECK(tap_counter(&tap, TAP_CNT_SYNS) >= (uint64_t)(2000 - refused));
	CHECK(tap_counter(&tap, TAP_CNT_HALF_OPEN) >= (uint64_t)(2000 - reset));
	tap_close(&tap);
}

/* A flood of forged data packets starts no flow; a client whose handshake was seen does. */
UNIT_CASE(flow_start)
{
	struct tap tap;
	struct tap_key key;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_INGRESS, .sport = 1, .payload_len = 10);
	CHECK_INT(flow_level(&tap, 1, &key), -1);
	SEND(&tap, HOOK_INGRESS, .sport = 2, .flags = SYN, .seq = 100);
	SEND(&tap, HOOK_INGRESS, .sport = 2, .seq = 101, .payload_len = 10);
	CHECK_INT(flow_level(&tap, 2, &key), -1);
	SEND(&tap, HOOK_INGRESS, .sport = 3, .flags = SYN, .seq = 100);
	SEND(&tap, HOOK_EGRESS, .sport = 3, .swap = 1, .flags = SYN | ACK, .ack = 101);
	SEND(&tap, HOOK_INGRESS, .sport = 3, .seq = 101, .payload_len = 10);
	CHECK_INT(flow_level(&tap, 3, &key), TAP_FULL);
	SEND(&tap, HOOK_EGRESS, .sport = 4, .swap = 1, .payload_len = 10);
	CHECK_INT(flow_level(&tap, 4, &key), TAP_FULL);
	tap_close(&tap);
}

/* --- levels and budget --- */

UNIT_CASE(level_close)
{
	struct tap tap;
	struct tap_key key;

	tap_open(&tap, &(struct tap_setup){0});
	SEND(&tap, HOOK_EGRESS, .sport = 5, .swap = 1, .payload_len = 10);
	set_level(&tap, 5, TAP_CLOSE, 0);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 5, .payload_len = 10), TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 5), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = 5, .swap = 1, .flags = FIN | ACK),
		  TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 5, .flags = RST), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	/* the next connection on the same ports starts from the beginning */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 5, .flags = SYN, .seq = 3), TAP_CNT_SKIPPED);
	SEND(&tap, HOOK_EGRESS, .sport = 5, .swap = 1, .flags = SYN | ACK, .ack = 4);
	CHECK_INT(flow_level(&tap, 5, &key), -1);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 5, .seq = 4, .payload_len = 10), TAP_CNT_EVENT);
	CHECK_INT(record_count, 3);
	tap_close(&tap);
}

/* However long user space stays silent, a flow costs it no more than its budget. */
UNIT_CASE(budget)
{
	struct tap tap;
	struct tap_key key;
	int events = 0;

	tap_open(&tap, &(struct tap_setup){.budget = 2000});
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = 6, .swap = 1, .payload_len = 1400),
		  TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 6, .payload_len = 1400), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.cap_len, 1400);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = 6, .swap = 1, .payload_len = 1400),
		  TAP_CNT_BUDGET);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.len, 1400);
	CHECK_INT(records[0].seg.cap_len, 0);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_TRUNC);
	CHECK_INT(flow_level(&tap, 6, &key), TAP_CLOSE);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 6), TAP_CNT_SKIPPED);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 6, .payload_len = 1400), TAP_CNT_SKIPPED);
	/* another budget while no frame boundary is known */
	set_level(&tap, 6, TAP_HEADS, 0);
	for (int i = 0; i < 4; i++) {
		CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = 6, .swap = 1,
			       .seq = 5000 + 1400 * (uint32_t)i, .payload_len = 1400),
			  i < 2 ? TAP_CNT_EVENT : TAP_CNT_BUDGET);
		CHECK(i < 2 ? records[record_count - 1].seg.cap_len == 1400 : !record_count);
	}
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .sport = 6, .swap = 1, .seq = 10600, .flags = FIN | ACK),
		  TAP_CNT_EVENT);
	/* packets without payload have a budget, too */
	for (int i = 0; i < 100; i++)
		events += SEND(&tap, HOOK_EGRESS, .sport = 7, .swap = 1, .payload_len = !i) ==
			  TAP_CNT_EVENT;
	/* 1 + 72 bytes for the first, 72 for the others; the last is reported */
	CHECK_INT(events, 29);
	tap_close(&tap);
}

UNIT_CASE(ring_full)
{
	struct tap tap;
	uint64_t events = 0, lost = 0;

	tap_open(&tap, &(struct tap_setup){.ring_size = 16384, .budget = 1 << 30});
	for (int i = 0; i < 20; i++) { /* nobody reads */
		packet_build(&packet, &(struct packet_spec){.payload_len = 1400});
		CHECK(tap_run_packet(&tap, HOOK_INGRESS, packet.len));
	}
	events = tap_counter(&tap, TAP_CNT_EVENT);
	lost = tap_counter(&tap, TAP_CNT_LOST);
	CHECK(events > 0 && lost > 0);
	CHECK_INT(events + lost, 20);
	record_count = 0;
	ring_buffer__consume(tap.ring);
	CHECK_INT(record_count, events);
	tap_counted(&tap);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .payload_len = 1400), TAP_CNT_EVENT);
	/* a super-segment that fits only in part is lost */
	if (has_frags()) {
		CHECK_INT(SEND(&tap, HOOK_XDP, .payload_len = 40000), TAP_CNT_LOST);
		CHECK(record_count > 0 && record_count < 10);
	}
	tap_close(&tap);
}

/* --- any port --- */

static const uint8_t prelogin[] = {0x12, 1, 0,	26, 0, 0,    1, 0, 0, 0,  11, 0, 6,
				   1,	 0, 17, 0,  1, 0xff, 8, 0, 1, 85, 0,  0, 0};
static const uint8_t client_hello[] = {0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3};
static const uint8_t server_hello[] = {0x16, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3};
static const uint8_t http[] = "GET / HTTP/1.1\r\n";

static int any_port_login(struct tap *tap, enum hook in, uint16_t port, const uint8_t *payload,
			  uint32_t len)
{
	CHECK_INT(SEND(tap, in, .dport = port, .flags = SYN, .seq = 100), TAP_CNT_OTHER);
	CHECK_INT(SEND(tap, HOOK_EGRESS, .dport = port, .swap = 1, .flags = SYN | ACK, .seq = 900,
		       .ack = 101),
		  TAP_CNT_OTHER);
	CHECK_INT(SEND(tap, in, .dport = port, .seq = 101, .ack = 901), TAP_CNT_OTHER);
	return SEND(tap, in, .dport = port, .seq = 101, .ack = 901, .flags = PSH | ACK,
		    .payload = payload, .payload_len = len);
}

UNIT_CASE(any_port_prelogin)
{
	static const enum hook hooks[] = {HOOK_INGRESS, HOOK_XDP};
	struct tap tap;

	for (int i = 0; i < 2; i++) {
		tap_open(&tap, &(struct tap_setup){.any_port = true, .xdp_direct = i == 1});
		CHECK_INT(any_port_login(&tap, hooks[i], 5000, prelogin, sizeof(prelogin)),
			  TAP_CNT_EVENT);
		CHECK_INT(record_count, 4);
		CHECK_INT(records[0].seg.flags, SYN);
		CHECK_INT(records[1].seg.flags, SYN | ACK);
		CHECK_INT(records[2].seg.flags, ACK);
		CHECK_INT(records[3].seg.cap_len, sizeof(prelogin));
		for (int n = 1; n < 4; n++)
			CHECK(records[n - 1].seg.ts_ns < records[n].seg.ts_ns);
		CHECK(!memcmp(records[3].payload, prelogin, sizeof(prelogin)));
		CHECK_INT(SEND(&tap, HOOK_EGRESS, .dport = 5000, .swap = 1, .payload_len = 20),
			  TAP_CNT_EVENT);
		CHECK_INT(SEND(&tap, hooks[i], .dport = 5000), TAP_CNT_EVENT);
		/* the next connection on the same ports has to be recognised again */
		CHECK_INT(SEND(&tap, hooks[i], .dport = 5000, .flags = SYN, .seq = 7),
			  TAP_CNT_OTHER);
		CHECK_INT(SEND(&tap, HOOK_EGRESS, .dport = 5000, .swap = 1, .flags = SYN | ACK,
			       .ack = 8),
			  TAP_CNT_OTHER);
		CHECK_INT(SEND(&tap, hooks[i], .dport = 5000, .payload_len = 20), TAP_CNT_OTHER);
		tap_close(&tap);
	}
}

UNIT_CASE(any_port_client_hello)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.any_port = true});
	CHECK_INT(any_port_login(&tap, HOOK_INGRESS, 5001, client_hello, sizeof(client_hello)),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 4);
	CHECK_INT(any_port_login(&tap, HOOK_INGRESS, 5002, server_hello, sizeof(server_hello)),
		  TAP_CNT_OTHER);
	/* not as the first payload of a connection */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 5003, .payload = client_hello,
		       .payload_len = sizeof(client_hello)),
		  TAP_CNT_OTHER);
	tap_close(&tap);
}

UNIT_CASE(any_port_others)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.any_port = true});
	CHECK_INT(any_port_login(&tap, HOOK_INGRESS, 80, http, sizeof(http)), TAP_CNT_OTHER);
	CHECK_INT(record_count, 0);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, .dport = 80, .swap = 1, .payload_len = 1000),
		  TAP_CNT_OTHER);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 80, .flags = FIN | ACK), TAP_CNT_OTHER);
	/* a PRELOGIN on a connection that existed before */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 5004, .payload = prelogin,
		       .payload_len = sizeof(prelogin)),
		  TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	/* ports that were named need no recognition */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .payload = http, .payload_len = sizeof(http)),
		  TAP_CNT_EVENT);
	tap_close(&tap);
}

/* While user space asks for it, a PRELOGIN packet on an unwatched port is noted. */
UNIT_CASE(tds_elsewhere)
{
	static const enum hook hooks[] = {HOOK_INGRESS, HOOK_XDP};
	struct tap tap;

	for (int i = 0; i < 2; i++) {
		tap_open(&tap, &(struct tap_setup){0});
		SEND(&tap, hooks[i], .dport = 51433, .payload = prelogin,
		     .payload_len = sizeof(prelogin));
		CHECK_INT(tap.skel->bss->tap_unwatched_tds[51433 & 7], 0);
		tap.skel->bss->tap_recognise_unwatched = 1;
		CHECK_INT(SEND(&tap, hooks[i], .dport = 80, .payload = http,
			       .payload_len = sizeof(http)),
			  TAP_CNT_OTHER);
		CHECK_INT(SEND(&tap, hooks[i], .dport = 80, .payload = prelogin,
			       .payload_len = sizeof(prelogin) - 1),
			  TAP_CNT_OTHER);
		CHECK_INT(tap.skel->bss->tap_unwatched_tds[0], 0);
		CHECK_INT(SEND(&tap, hooks[i], .dport = 51433, .payload = prelogin,
			       .payload_len = sizeof(prelogin)),
			  TAP_CNT_OTHER);
		CHECK_INT(record_count, 0);
		CHECK_INT(tap.skel->bss->tap_unwatched_tds[51433 & 7], 51433);
		tap_close(&tap);
	}
}

UNIT_CASE(wake_up)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	tap.skel->bss->tap_armed = 1;
	SEND(&tap, HOOK_INGRESS, .payload_len = 5);
	CHECK_INT(tap.skel->bss->tap_armed, 0);
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	check_table("tc", &(struct tap_setup){0}, HOOK_INGRESS);
	check_table("xdp", &(struct tap_setup){0}, HOOK_XDP);
	check_table("xdp before 5.18", &(struct tap_setup){.xdp_direct = true}, HOOK_XDP);
	RUN(segment_fields);
	RUN(cut_at_every_byte);
	if (has_frags())
		RUN(super_segments);
	else
		printf("skip - super_segments: the kernel has none for test runs, before 5.18\n");
	RUN(handshake_kept_until_acknowledged);
	RUN(handshake_proven_by_payload);
	RUN(handshake_not_proven);
	RUN(syn_repeated);
	RUN(syn_refused);
	RUN(syn_reset_by_whom);
	RUN(syn_flood);
	RUN(syn_flood_answered);
	RUN(syn_floods_of_other_kinds);
	RUN(flow_start);
	RUN(level_close);
	RUN(budget);
	RUN(ring_full);
	RUN(any_port_prelogin);
	RUN(any_port_client_hello);
	RUN(any_port_others);
	RUN(tds_elsewhere);
	RUN(wake_up);
	return unit_status();
}
