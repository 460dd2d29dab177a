// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * browser.c - tests of how the tap handles SQL Server Browser's datagrams, by BPF_PROG_TEST_RUN.
 */
#include "bpf/run.h"

#define UDP 17

struct hook_case {
	const char *name;
	enum hook hook;
	bool xdp_direct;
};

static const struct hook_case hooks[] = {
	{"tc ingress", HOOK_INGRESS, false},
	{"tc egress", HOOK_EGRESS, false},
	{"xdp", HOOK_XDP, false},
	{"xdp before 5.18", HOOK_XDP, true},
};

#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

struct browser_case {
	const char *name;
	struct packet_spec spec;
	int counted;
	uint32_t len, cap_len; /* of the one record, if counted is TAP_CNT_DATAGRAM */
};

static const struct browser_case cases[] = {
	{"question", {.payload_len = 7}, TAP_CNT_DATAGRAM, 7, 7},
	{"answer", {.swap = 1, .payload_len = 81}, TAP_CNT_DATAGRAM, 81, 81},
	{"empty", {.payload_len = 0}, TAP_CNT_DATAGRAM, 0, 0},
	{"another port", {.dport = 1433, .payload_len = 7}, TAP_CNT_OTHER, 0, 0},
	{"IPv6", {.family = PACKET_IP6, .swap = 1, .payload_len = 300}, TAP_CNT_DATAGRAM, 300, 300},
	{"IPv6 with extension headers",
	 {.family = PACKET_IP6, .ext = {60, 43}, .payload_len = 1},
	 TAP_CNT_DATAGRAM,
	 1,
	 1},
	{"802.1Q", {.vlan = {0x8100}, .payload_len = 7}, TAP_CNT_DATAGRAM, 7, 7},
	{"padding", {.payload_len = 1, .padding = 17}, TAP_CNT_DATAGRAM, 1, 1},
	{"first fragment",
	 {.swap = 1, .frag = 0x2000, .udp_len = 3000, .payload_len = 1472},
	 TAP_CNT_DATAGRAM,
	 1472,
	 1472},
	{"later fragment", {.frag = 9, .payload_len = 7}, TAP_CNT_OTHER, 0, 0},
	{"cut short",
	 {.total_len = 400, .udp_len = 380, .payload_len = 20},
	 TAP_CNT_DATAGRAM,
	 372,
	 20},
	{"3000 bytes", {.swap = 1, .payload_len = 3000}, TAP_CNT_DATAGRAM, 3000, 3000},
};

static bool payload_right(const struct record *r)
{
	for (uint32_t i = 0; i < r->seg.cap_len; i++)
		if (r->payload[i] != packet_byte(i))
			return false;
	return true;
}

static void check_case(struct tap *tap, const struct hook_case *h, const struct browser_case *c)
{
	struct packet_spec spec = c->spec;
	const struct seg *seg = &records[0].seg;
	bool event = c->counted == TAP_CNT_DATAGRAM;
	int counted;

	spec.proto = UDP;
	counted = tap_send(tap, h->hook, &spec);
	if (counted != c->counted || record_count != event) {
		UNIT_FAIL("%s, %s: counted %d, %d records", h->name, c->name, counted,
			  record_count);
		return;
	}
	if (!event)
		return;
	if (seg->len != c->len || seg->cap_len != c->cap_len || !payload_right(&records[0]))
		UNIT_FAIL("%s, %s: len %u, cap_len %u, or other payload", h->name, c->name,
			  seg->len, seg->cap_len);
	if (seg->rec_flags != (c->cap_len < c->len ? SEG_F_UDP | SEG_F_TRUNC : SEG_F_UDP))
		UNIT_FAIL("%s, %s: rec_flags %u", h->name, c->name, seg->rec_flags);
}

UNIT_CASE(table)
{
	struct tap tap;

	for (size_t i = 0; i < HOOKS; i++) {
		tap_open(&tap,
			 &(struct tap_setup){.browser = true, .xdp_direct = hooks[i].xdp_direct});
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
			check_case(&tap, &hooks[i], &cases[k]);
		tap_close(&tap);
	}
}

UNIT_CASE(fields)
{
	static const uint8_t server[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	static const uint8_t client[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	const struct seg *seg = &records[0].seg;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	/* the datagram inherits nothing from the segment before it */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .seq = 77, .ack = 88, .payload_len = 5), TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .proto = UDP, .swap = 1, .payload_len = 5),
		  TAP_CNT_DATAGRAM);
	CHECK(!memcmp(seg->saddr, server, 16));
	CHECK(!memcmp(seg->daddr, client, 16));
	CHECK_INT(seg->sport, 1434);
	CHECK_INT(seg->dport, 40000);
	CHECK_INT(seg->seq, 0);
	CHECK_INT(seg->ack, 0);
	CHECK_INT(seg->window, 0);
	CHECK_INT(seg->flags, 0);
	CHECK_INT(seg->dir, SEG_DIR_INGRESS);
	CHECK_INT(seg->ttl, 57);
	CHECK(seg->ts_ns != 0);
	/* nor the other way round */
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 1, .payload_len = 5), TAP_CNT_EVENT);
	CHECK_INT(seg->rec_flags, 0);
	tap_close(&tap);
}

UNIT_CASE(longer_than_a_record)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	CHECK_INT(SEND(&tap, HOOK_XDP, .proto = UDP, .swap = 1, .payload_len = 9000),
		  TAP_CNT_DATAGRAM);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.len, 9000);
	CHECK_INT(records[0].seg.cap_len, SEG_CHUNK);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_UDP | SEG_F_TRUNC);
	CHECK(payload_right(&records[0]));
	tap_close(&tap);
}

/* However many come, their share of the ring buffer is bounded. */
UNIT_CASE(flood)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data, .repeat = 5000);
	struct packet_spec spec = {.proto = UDP, .payload_len = 7};
	struct tap tap;
	uint64_t handed, left;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	packet_build(&packet, &spec);
	opts.data_size_in = (__u32)packet.len;
	CHECK_INT(bpf_prog_test_run_opts(bpf_program__fd(tap.skel->progs.tap_ingress), &opts), 0);
	handed = tap_counter(&tap, TAP_CNT_DATAGRAM);
	left = tap_counter(&tap, TAP_CNT_FLOOD);
	CHECK_INT(handed + left, 5000);
	/* 1,024 a second; the run may have moved to the other CPU, or taken a while */
	CHECK(handed >= 1024 && handed % 1024 == 0 && left > 0);
	tap_close(&tap);
}

/* A port that is added while the programs run is watched from then on. */
UNIT_CASE(port_added)
{
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 51234, .payload_len = 5), TAP_CNT_OTHER);
	tap.skel->bss->tap_ports[51234 / 64] |= 1ull << 51234 % 64;
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 51234, .payload_len = 5), TAP_CNT_EVENT);
	CHECK_INT(SEND(&tap, HOOK_XDP, .dport = 51234, .payload_len = 5), TAP_CNT_EVENT);
	tap_close(&tap);
}

struct answer_case {
	const char *name;
	const char *bytes;
	uint32_t len;
	uint16_t watched[3], not [3]; /* ports watched or not afterwards; 0: end */
};

#define BYTES(text) (text), sizeof(text) - 1

/* As in MC-SQLR 2.2.5. The length at the front is not checked here. */
static const struct answer_case answers[] = {
	{"one instance",
	 BYTES("\x05\x4e\0ServerName;H;InstanceName;INST1;IsClustered;No;Version;16.0.1000.6;tcp;"
	       "51234;;"),
	 {51234},
	 {5123, 1, 51235}},
	{"several",
	 BYTES("\x05\0\0ServerName;H;InstanceName;A;IsClustered;No;Version;1;tcp;1;np;p;;"
	       "ServerName;H;InstanceName;B;IsClustered;No;Version;1;np;x;TCP;65535;;"),
	 {1, 65535},
	 {0}},
	{"the administrators' port", BYTES("\x05\x06\0\x01\x23\xc8"), {51235}, {0}},
	{"no number",
	 BYTES("\x05\0\0S;H;tcp;51a34;tcp;;tcp;70000;tcp;51236"),
	 {0},
	 {51, 4464, 51236}},
	{"another key",
	 BYTES("\x05\0\0S;H;atcp;51237;tcpp;51238;;tcp,51239;"),
	 {0},
	 {51237, 51238, 51239}},
	{"no answer", BYTES("\x04\0\0S;H;tcp;51240;;"), {0}, {51240}},
	{"short", BYTES("\x05\x06\0\x01\x23"), {0}, {35}},
};

static void check_answer(struct tap *tap, const struct hook_case *h, const struct answer_case *a)
{
	const struct packet_spec spec = {
		.proto = UDP, .payload = (const uint8_t *)a->bytes, .payload_len = a->len};
	struct packet_spec back = spec;

	memset(tap->skel->bss->tap_ports, 0, sizeof(tap->skel->bss->tap_ports));
	tap->skel->bss->tap_ports_added = 0;
	back.swap = 1;
	tap_send(tap, h->hook, &spec); /* the same bytes from a client are not a response */
	CHECK_INT(tap->skel->bss->tap_ports_added, 0);
	CHECK_INT(tap_send(tap, h->hook, &back), TAP_CNT_DATAGRAM);
	CHECK_INT(record_count, 1);
	CHECK_INT(tap->skel->bss->tap_ports_added, !!a->watched[0]);
	for (int n = 0; n < 3; n++) {
		if (a->watched[n] &&
		    SEND(tap, h->hook, .dport = a->watched[n], .flags = ACK) != TAP_CNT_EVENT)
			UNIT_FAIL("%s, %s: %u is not watched", h->name, a->name, a->watched[n]);
		if (a->not [n] &&
		    SEND(tap, h->hook, .dport = a->not [n], .flags = ACK) != TAP_CNT_OTHER)
			UNIT_FAIL("%s, %s: %u is watched", h->name, a->name, a->not [n]);
	}
}

/* The client connects before user space can have read the response. */
UNIT_CASE(ports_of_answers_are_watched_at_once)
{
	struct tap tap;

	for (size_t i = 0; i < HOOKS; i++) {
		tap_open(&tap,
			 &(struct tap_setup){.browser = true, .xdp_direct = hooks[i].xdp_direct});
		for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++)
			check_answer(&tap, &hooks[i], &answers[k]);
		tap_close(&tap);
	}
}

/* Anybody can send a response: one without a request is left to user space. */
UNIT_CASE(answers_to_no_question)
{
	const uint8_t *bytes = (const uint8_t *)answers[0].bytes;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	SEND(&tap, HOOK_INGRESS, .proto = UDP, .sport = 39999, .payload_len = 1);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .proto = UDP, .swap = 1, .payload = bytes,
		       .payload_len = answers[0].len),
		  TAP_CNT_DATAGRAM);
	CHECK_INT(tap.skel->bss->tap_ports_added, 0);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 51234, .flags = ACK), TAP_CNT_OTHER);
	SEND(&tap, HOOK_EGRESS, .proto = UDP, .sport = 40000, .payload_len = 1);
	SEND(&tap, HOOK_INGRESS, .proto = UDP, .swap = 1, .payload = bytes,
	     .payload_len = answers[0].len);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .dport = 51234, .flags = ACK), TAP_CNT_EVENT);
	tap_close(&tap);
}

/* However a response is cut, and wherever its port is: it is read within the bound. */
UNIT_CASE(ports_at_every_place)
{
	static const char tail[] = ";tcp;51234;";
	static uint8_t text[1100];
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){.browser = true});
	SEND(&tap, HOOK_INGRESS, .proto = UDP, .payload_len = 1);
	for (size_t at = 1; at + sizeof(tail) - 1 <= sizeof(text);
	     at += at > 40 && at < 1000 ? 37 : 1) {
		bool within = at + sizeof(tail) - 1 <= 1024;

		memset(text, 'x', sizeof(text));
		text[0] = 5;
		memcpy(text + at, tail, sizeof(tail) - 1);
		tap.skel->bss->tap_ports[51234 / 64] = 0;
		SEND(&tap, HOOK_INGRESS, .proto = UDP, .swap = 1, .payload = text,
		     .payload_len = sizeof(text));
		if (!!tap.skel->bss->tap_ports[51234 / 64] != within)
			UNIT_FAIL("at %zu", at);
	}
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(table);
	RUN(fields);
	if (has_frags())
		RUN(longer_than_a_record);
	else
		printf("skip - longer_than_a_record: the kernel has none for test runs, before "
		       "5.18\n");
	RUN(flood);
	RUN(port_added);
	RUN(ports_of_answers_are_watched_at_once);
	RUN(answers_to_no_question);
	RUN(ports_at_every_place);
	return unit_status();
}
