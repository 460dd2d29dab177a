// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency.c - tests of what the tap forwards of this host's requests to the services that a
 * login depends on. This host is 10.0.0.1.
 */
#include "bpf/run.h"

#define UDP  17
#define HEAD 128 /* bytes of payload that are forwarded, at most */

static void host_is(struct tap *tap, const uint8_t addr[16])
{
	struct dependency_host host;
	uint8_t one = 1;

	memcpy(host.addr, addr, sizeof(host.addr));
	CHECK_INT(bpf_map_update_elem(bpf_map__fd(tap->skel->maps.dependency_hosts), &host, &one,
				      BPF_ANY),
		  0);
}

static void services_open(struct tap *tap, const struct tap_setup *setup)
{
	static const uint8_t addr4[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	static const uint8_t addr6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

	tap_open(tap, setup);
	host_is(tap, addr4);
	host_is(tap, addr6);
}

struct service_case {
	const char *name;
	struct packet_spec spec;
	enum hook hook;
	int counted;
	uint32_t cap_len;
};

#define ASK(port)    .sport = 40000, .dport = (port)
#define ANSWER(port) .sport = 40000, .dport = (port), .swap = 1

/* Each begins a flow of its own, or is a datagram. */
static const struct service_case cases[] = {
	{"DNS query",
	 {.proto = UDP, ASK(53), .payload_len = 33},
	 HOOK_EGRESS,
	 TAP_CNT_DEPENDENCY,
	 33},
	{"DNS response",
	 {.proto = UDP, ANSWER(53), .payload_len = 500},
	 HOOK_INGRESS,
	 TAP_CNT_DEPENDENCY,
	 HEAD},
	{"DNS response, XDP",
	 {.proto = UDP, ANSWER(53), .payload_len = 127},
	 HOOK_XDP,
	 TAP_CNT_DEPENDENCY,
	 127},
	{"DNS query by IPv6",
	 {.family = PACKET_IP6, .proto = UDP, ASK(53), .payload_len = 33},
	 HOOK_EGRESS,
	 TAP_CNT_DEPENDENCY,
	 33},
	{"no payload", {.proto = UDP, ASK(88)}, HOOK_EGRESS, TAP_CNT_DEPENDENCY, 0},
	{"CLDAP", {.proto = UDP, ASK(389), .payload_len = 1}, HOOK_EGRESS, TAP_CNT_DEPENDENCY, 1},
	{"another's query",
	 {.proto = UDP, ASK(53), .payload_len = 33},
	 HOOK_INGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"our response",
	 {.proto = UDP, ANSWER(53), .payload_len = 33},
	 HOOK_EGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"forwarded query",
	 {.proto = UDP, .sport = 53, .dport = 53, .swap = 1, .payload_len = 33},
	 HOOK_EGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"QUIC", {.proto = UDP, ASK(443), .payload_len = 33}, HOOK_EGRESS, TAP_CNT_OTHER, 0},
	{"SYN", {ASK(88), .flags = SYN}, HOOK_EGRESS, TAP_CNT_DEPENDENCY, 0},
	{"SYN by IPv6",
	 {.family = PACKET_IP6, ASK(389), .flags = SYN},
	 HOOK_EGRESS,
	 TAP_CNT_DEPENDENCY,
	 0},
	{"a connection under way",
	 {.sport = 40001, .dport = 389, .payload_len = 3000},
	 HOOK_EGRESS,
	 TAP_CNT_DEPENDENCY,
	 HEAD},
	{"its response",
	 {.sport = 40002, .dport = 389, .swap = 1, .payload_len = HEAD},
	 HOOK_XDP,
	 TAP_CNT_DEPENDENCY,
	 HEAD},
	{"HTTPS under way",
	 {.sport = 40003, .dport = 443, .payload_len = 400},
	 HOOK_EGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"another's SYN", {ASK(80), .flags = SYN}, HOOK_INGRESS, TAP_CNT_OTHER, 0},
	{"our service's SYN+ACK", {ANSWER(80), .flags = SYN | ACK}, HOOK_EGRESS, TAP_CNT_OTHER, 0},
	{"forwarded SYN",
	 {.dport = 88, .swap = 1, .sport = 88, .flags = SYN},
	 HOOK_EGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"RPC that is not known",
	 {.dport = 49152, .payload_len = 500},
	 HOOK_EGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"an ACK of no flow",
	 {.sport = 40004, .dport = 88, .swap = 1},
	 HOOK_INGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"a RST of no flow",
	 {.sport = 40004, .dport = 88, .swap = 1, .flags = RST},
	 HOOK_INGRESS,
	 TAP_CNT_OTHER,
	 0},
	{"TDS", {.payload_len = 500}, HOOK_EGRESS, TAP_CNT_EVENT, 500},
};

static bool payload_right(const struct record *r)
{
	for (uint32_t i = 0; i < r->seg.cap_len; i++)
		if (r->payload[i] != packet_byte(i))
			return false;
	return true;
}

static void check_case(struct tap *tap, const struct service_case *c)
{
	int counted = tap_send(tap, c->hook, &c->spec);
	bool handed = c->counted == TAP_CNT_DEPENDENCY;
	const struct seg *seg = &records[0].seg;
	int flags = SEG_F_SERVICE;

	if (counted != c->counted || record_count != (handed || c->counted == TAP_CNT_EVENT)) {
		UNIT_FAIL("%s: counted %d, %d records", c->name, counted, record_count);
		return;
	}
	if (!handed)
		return;
	flags |= (c->spec.proto == UDP ? SEG_F_UDP : 0) |
		 (seg->cap_len < seg->len ? SEG_F_TRUNC : 0);
	if (seg->len != c->spec.payload_len || seg->cap_len != c->cap_len ||
	    !payload_right(&records[0]))
		UNIT_FAIL("%s: len %u, cap_len %u, or other payload", c->name, seg->len,
			  seg->cap_len);
	if (seg->rec_flags != flags || !seg->ts_ns)
		UNIT_FAIL("%s: rec_flags %u, not %d", c->name, seg->rec_flags, flags);
}

UNIT_CASE(table)
{
	static const bool direct[] = {false, true};
	struct tap tap;

	for (size_t i = 0; i < 2; i++) {
		services_open(&tap,
			      &(struct tap_setup){.dependencies = true, .xdp_direct = direct[i]});
		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
			check_case(&tap, &cases[k]);
		tap_close(&tap);
	}
}

/* As --no-dependencies has it. */
UNIT_CASE(off)
{
	struct tap tap;

	services_open(&tap, &(struct tap_setup){});
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		if (cases[k].counted == TAP_CNT_DEPENDENCY) {
			CHECK_INT(tap_send(&tap, cases[k].hook, &cases[k].spec), TAP_CNT_OTHER);
			CHECK_INT(record_count, 0);
		}
	tap_close(&tap);
}

/* A tunnel's packets are not this host's, whatever addresses they have. */
UNIT_CASE(mirror_knows_no_direction)
{
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.mirror = true});
	CHECK_INT(SEND(&tap, HOOK_INGRESS, ASK(53), .proto = UDP, .payload_len = 33),
		  TAP_CNT_OTHER);
	tap_close(&tap);
}

#define HANDED(...)                                                                                \
	do {                                                                                       \
		CHECK_INT(SEND(__VA_ARGS__), TAP_CNT_DEPENDENCY);                                  \
		CHECK_INT(record_count, 1);                                                        \
	} while (0)
#define LEFT(...)                                                                                  \
	do {                                                                                       \
		CHECK_INT(SEND(__VA_ARGS__), TAP_CNT_OTHER);                                       \
		CHECK_INT(record_count, 0);                                                        \
	} while (0)

/* One connection, turn by turn. */
UNIT_CASE(turns)
{
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true});
	HANDED(&tap, HOOK_EGRESS, ASK(445), .flags = SYN, .seq = 999);
	HANDED(&tap, HOOK_INGRESS, ANSWER(445), .flags = SYN | ACK, .seq = 4999, .ack = 1000);
	LEFT(&tap, HOOK_EGRESS, ASK(445), .seq = 1000, .ack = 5000);
	/* a request of three segments: its beginning and its end */
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 1000, .payload_len = 1000);
	LEFT(&tap, HOOK_EGRESS, ASK(445), .seq = 2000, .payload_len = 1000);
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 3000, .payload_len = 500, .flags = PSH | ACK);
	/* the ACK of it all, once */
	LEFT(&tap, HOOK_INGRESS, ANSWER(445), .seq = 5000, .ack = 2000);
	HANDED(&tap, HOOK_INGRESS, ANSWER(445), .seq = 5000, .ack = 3500);
	LEFT(&tap, HOOK_INGRESS, ANSWER(445), .seq = 5000, .ack = 3500);
	/* the response likewise */
	HANDED(&tap, HOOK_XDP, ANSWER(445), .seq = 5000, .ack = 3500, .payload_len = 1000);
	LEFT(&tap, HOOK_XDP, ANSWER(445), .seq = 6000, .ack = 3500, .payload_len = 1000);
	HANDED(&tap, HOOK_XDP, ANSWER(445), .seq = 7000, .ack = 3500, .payload_len = 7,
	       .flags = PSH | ACK);
	/* and another one right behind it */
	HANDED(&tap, HOOK_XDP, ANSWER(445), .seq = 7007, .ack = 3500, .payload_len = 1000);
	LEFT(&tap, HOOK_XDP, ANSWER(445), .seq = 8007, .ack = 3500, .payload_len = 1000);
	/* a request that is sent again, whole and in part, and acknowledged by its response */
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 3500, .payload_len = 2000);
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 3500, .payload_len = 2000);
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 3500, .payload_len = 1000);
	HANDED(&tap, HOOK_INGRESS, ANSWER(445), .seq = 9007, .ack = 5500, .payload_len = 10);
	LEFT(&tap, HOOK_INGRESS, ANSWER(445), .seq = 9017, .ack = 5500);
	/* the end */
	LEFT(&tap, HOOK_EGRESS, ASK(445), .seq = 5500, .flags = FIN | ACK);
	HANDED(&tap, HOOK_INGRESS, ANSWER(445), .seq = 7017, .ack = 5501, .flags = FIN | ACK);
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 5501, .flags = RST);
	/* the ports again */
	HANDED(&tap, HOOK_EGRESS, ASK(445), .flags = SYN, .seq = 99999);
	HANDED(&tap, HOOK_EGRESS, ASK(445), .seq = 100000, .payload_len = 10);
	tap_close(&tap);
}

/* Of a TLS connection its start: what follows may be anything. */
UNIT_CASE(https_start)
{
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true});
	HANDED(&tap, HOOK_EGRESS, ASK(443), .flags = SYN, .seq = 999);
	HANDED(&tap, HOOK_INGRESS, ANSWER(443), .flags = SYN | ACK, .seq = 4999, .ack = 1000);
	HANDED(&tap, HOOK_EGRESS, ASK(443), .seq = 1000, .payload_len = 517, .flags = PSH | ACK);
	LEFT(&tap, HOOK_EGRESS, ASK(443), .seq = 1517, .payload_len = 100, .flags = PSH | ACK);
	HANDED(&tap, HOOK_INGRESS, ANSWER(443), .seq = 5000, .ack = 1617, .payload_len = 1400);
	LEFT(&tap, HOOK_INGRESS, ANSWER(443), .seq = 6400, .ack = 1617, .payload_len = 1400,
	     .flags = PSH | ACK);
	LEFT(&tap, HOOK_EGRESS, ASK(443), .seq = 1617, .payload_len = 100, .flags = PSH | ACK);
	LEFT(&tap, HOOK_INGRESS, ANSWER(443), .seq = 7800, .ack = 1717, .flags = FIN | ACK);
	LEFT(&tap, HOOK_INGRESS, ANSWER(443), .seq = 7800, .ack = 1717, .flags = RST);
	tap_close(&tap);
}

/* A KDC's error names the service that was asked for, behind two times and the client's name. */
UNIT_CASE(kdc_errors_are_longer)
{
	static uint8_t error[300] = {[0] = 0x7e, [4] = 0x7e};
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true});
	HANDED(&tap, HOOK_INGRESS, ANSWER(88), .proto = UDP, .payload = error, .payload_len = 200);
	CHECK_INT(records[0].seg.cap_len, 200);
	HANDED(&tap, HOOK_XDP, ANSWER(88), .payload = error, .payload_len = 300);
	CHECK_INT(records[0].seg.cap_len, 256);
	/* neither a ticket nor a request is one */
	error[0] = error[4] = 0x6d;
	HANDED(&tap, HOOK_XDP, ANSWER(88), .proto = UDP, .payload = error, .payload_len = 200);
	CHECK_INT(records[0].seg.cap_len, HEAD);
	error[0] = error[4] = 0x7e;
	HANDED(&tap, HOOK_EGRESS, ASK(88), .proto = UDP, .payload = error, .payload_len = 200);
	CHECK_INT(records[0].seg.cap_len, HEAD);
	HANDED(&tap, HOOK_INGRESS, ANSWER(53), .proto = UDP, .payload = error, .payload_len = 200);
	CHECK_INT(records[0].seg.cap_len, HEAD);
	tap_close(&tap);
}

/* Of SMB2 128 bytes are forwarded, too, but others: what lies between is zeros. */
UNIT_CASE(smb2_without_session_and_signature)
{
	static const uint8_t magic[] = {0, 0, 2, 0xa0, 0xfe, 'S', 'M', 'B'};
	static const uint32_t lengths[] = {128, 129, 140, 151, 152, 153, 676};
	static const enum hook hooks[] = {HOOK_INGRESS, HOOK_XDP, HOOK_XDP};
	static uint8_t text[700];
	struct tap tap;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i | 1);
	memcpy(text, magic, sizeof(magic));
	for (int i = 0; i < 3; i++) {
		services_open(&tap,
			      &(struct tap_setup){.dependencies = true, .xdp_direct = i == 2});
		for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
			uint32_t len = lengths[k], cap = len < 152 ? len : 152;
			const struct record *r = &records[0];

			text[0] = 0;
			HANDED(&tap, hooks[i], ANSWER(k % 2 ? 445 : 139), .payload = text,
			       .payload_len = len, .flags = PSH | ACK);
			CHECK_INT(r->seg.len, len);
			CHECK_INT(r->seg.cap_len, cap);
			CHECK(!(r->seg.rec_flags & SEG_F_TRUNC) == (len <= 152));
			for (uint32_t at = 0; at < cap; at++)
				if (r->payload[at] !=
				    (len > HEAD && at >= 40 && at < 64 ? 0 : text[at]))
					UNIT_FAIL("%u bytes: at %u %u", len, at, r->payload[at]);
			text[0] = 0x81; /* NetBIOS's own message */
			HANDED(&tap, hooks[i], ANSWER(139), .payload = text, .payload_len = len,
			       .flags = PSH | ACK);
			CHECK_INT(r->seg.cap_len, len < HEAD ? len : HEAD);
		}
		text[0] = 0;
		HANDED(&tap, hooks[i], ANSWER(389), .payload = text, .payload_len = 676);
		CHECK_INT(records[0].seg.cap_len, HEAD);
		tap_close(&tap);
	}
}

/* EPM's response to a map request, as samba gives it: one tower, its port in the fourth floor. */
static size_t epm_response(uint8_t *out, uint16_t port)
{
	static const uint8_t head[] = {5, 0, 2, 3, 0x10, 0, 0, 0, 152, 0, 0, 0, 7, 0, 0, 0};
	static const uint8_t tower[] = {75, 0, 0, 0, 75, 0, 0, 0, 5, 0, 19, 0, 0x0d};
	const uint8_t floors[] = {
		1, 0, 0x0b, 2, 0, 0,  0, 1, 0, 7, 2, 0, (uint8_t)(port >> 8), (uint8_t)port,
		1, 0, 9,    4, 0, 10, 0, 0, 2};

	memset(out, 0xee, 152);
	memcpy(out, head, sizeof(head));
	memcpy(out + 64, tower, sizeof(tower));
	memcpy(out + 124, floors, sizeof(floors));
	return 152;
}

static bool endpoint_known(struct tap *tap, uint16_t port)
{
	struct dependency_endpoint e = {.addr = {[10] = 0xff, 0xff, 10, 0, 0, 2}, .port = port};
	uint8_t value;

	return !bpf_map_lookup_elem(bpf_map__fd(tap->skel->maps.dependency_rpc), &e, &value);
}

/* The host connects to the port before user space can have read of it. */
UNIT_CASE(epm_tells_a_port)
{
	static const enum hook hooks[] = {HOOK_INGRESS, HOOK_XDP, HOOK_XDP};
	uint8_t epm[256];
	size_t len = epm_response(epm, 49664);
	struct tap tap;

	for (int i = 0; i < 3; i++) {
		services_open(&tap,
			      &(struct tap_setup){.dependencies = true, .xdp_direct = i == 2});
		/* of a connection that this host did not open it is nothing */
		LEFT(&tap, HOOK_EGRESS, .sport = 40000, .dport = 135, .swap = 1, .payload = epm,
		     .payload_len = (uint32_t)len);
		LEFT(&tap, HOOK_EGRESS, ASK(49664), .flags = SYN);
		HANDED(&tap, HOOK_EGRESS, ASK(135), .payload_len = 156);
		HANDED(&tap, hooks[i], ANSWER(135), .payload = epm, .payload_len = (uint32_t)len,
		       .flags = PSH | ACK);
		CHECK_INT(records[0].seg.cap_len, HEAD);
		CHECK(endpoint_known(&tap, 49664));
		HANDED(&tap, HOOK_EGRESS, ASK(49664), .flags = SYN);
		HANDED(&tap, HOOK_EGRESS, ASK(49664), .seq = 1001, .payload_len = 536);
		HANDED(&tap, HOOK_INGRESS, ANSWER(49664), .payload_len = 664);
		/* the same port of this host is another service */
		LEFT(&tap, HOOK_EGRESS, .sport = 49664, .dport = 49665, .flags = SYN);
		LEFT(&tap, HOOK_EGRESS, ASK(49665), .flags = SYN);
		tap_close(&tap);
	}
}

/* Wherever the tower stands: read is what lies within 256 bytes. */
UNIT_CASE(epm_at_every_place)
{
	static uint8_t text[300];
	uint8_t epm[256];
	struct tap tap;

	epm_response(epm, 50000);
	services_open(&tap, &(struct tap_setup){.dependencies = true});
	HANDED(&tap, HOOK_EGRESS, ASK(135), .payload_len = 156);
	for (size_t at = 16; at + 16 <= sizeof(text); at++) {
		uint16_t port = (uint16_t)(50000 + at);

		memset(text, 0xee, sizeof(text));
		memcpy(text, epm, 16);
		memcpy(text + at, epm + 131, 16);
		text[at + 5] = (uint8_t)(port >> 8);
		text[at + 6] = (uint8_t)port;
		CHECK_INT(SEND(&tap, HOOK_INGRESS, ANSWER(135), .payload = text,
			       .payload_len = sizeof(text), .flags = PSH | ACK),
			  TAP_CNT_DEPENDENCY);
		if (endpoint_known(&tap, port) != (at + 8 <= 256))
			UNIT_FAIL("at %zu", at);
	}
	tap_close(&tap);
}

/* A port that user space knows of: of a connection that was there before. */
UNIT_CASE(user_space_tells_a_port)
{
	struct dependency_endpoint e = {.addr = {[10] = 0xff, 0xff, 10, 0, 0, 2}, .port = 49152};
	uint8_t one = 1;
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true});
	LEFT(&tap, HOOK_EGRESS, ASK(49152), .payload_len = 536);
	bpf_map_update_elem(bpf_map__fd(tap.skel->maps.dependency_rpc), &e, &one, BPF_ANY);
	tap.skel->bss->tap_services[49152 / 64] |= 1ull << 49152 % 64;
	HANDED(&tap, HOOK_EGRESS, ASK(49152), .payload_len = 536);
	HANDED(&tap, HOOK_XDP, ANSWER(49152), .payload_len = 664);
	tap_close(&tap);
}

static uint64_t repeat(struct tap *tap, const struct packet_spec *spec, int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data, .repeat = times);
	uint64_t before = tap_counter(tap, TAP_CNT_DEPENDENCY);

	packet_build(&packet, spec);
	opts.data_size_in = (__u32)packet.len;
	CHECK_INT(bpf_prog_test_run_opts(bpf_program__fd(tap->skel->progs.tap_egress), &opts), 0);
	return tap_counter(tap, TAP_CNT_DEPENDENCY) - before;
}

/* However many there are, what they take of the ring buffer is bounded, and the rest is counted. */
UNIT_CASE(too_many)
{
	const struct packet_spec dns = {ASK(53), .proto = UDP, .payload_len = 33};
	const struct packet_spec smb = {ASK(445), .payload_len = 10, .flags = PSH | ACK};
	const uint32_t rate = 100;
	int told = 0;
	uint64_t handed;
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true, .dependency_rate = rate});
	record_count = 0;
	/* what may be bulk has half: the other half is kept for the others */
	handed = repeat(&tap, &smb, 1000);
	CHECK(handed >= rate / 2 && handed % (rate / 2) == 0);
	CHECK_INT(handed + tap_counter(&tap, TAP_CNT_DEPENDENCY_SKIPPED), 1000);
	handed += repeat(&tap, &dns, 1000);
	CHECK(handed >= rate && handed % (rate / 2) == 0);
	CHECK_INT(handed + tap_counter(&tap, TAP_CNT_DEPENDENCY_SKIPPED), 2000);
	CHECK_INT(tap_counter(&tap, TAP_CNT_LOST), 0);
	ring_buffer__consume(tap.ring);
	for (int i = 0; i < record_count; i++) {
		const struct seg *seg = &records[i].seg;

		if (!(seg->rec_flags & SEG_F_SKIPPED))
			continue;
		told++;
		CHECK(seg->rec_flags & SEG_F_SERVICE);
		CHECK_INT(seg->cap_len, 0);
	}
	/* once for each group and second and CPU */
	CHECK(told >= 2 && record_count == (int)handed + told);
	CHECK(told <= 2 * (int)(handed / rate + 1));
	tap_close(&tap);
}

/* TDS on any port: what is on a service's port is forwarded, and may also be TDS. */
UNIT_CASE(any_port)
{
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true, .any_port = true});
	CHECK_INT(SEND(&tap, HOOK_EGRESS, ASK(88), .flags = SYN), TAP_CNT_OTHER);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_SERVICE);
	CHECK_INT(SEND(&tap, HOOK_EGRESS, ASK(88), .seq = 1001, .payload_len = 100), TAP_CNT_OTHER);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.rec_flags, SEG_F_SERVICE);
	tap_close(&tap);
}

/* A record holds nothing of the packet before it. */
UNIT_CASE(fields)
{
	static const uint8_t host[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	const struct seg *seg = &records[0].seg;
	struct tap tap;

	services_open(&tap, &(struct tap_setup){.dependencies = true});
	SEND(&tap, HOOK_INGRESS, .seq = 77, .ack = 88, .payload_len = 5);
	HANDED(&tap, HOOK_EGRESS, ASK(53), .proto = UDP, .payload_len = 5);
	CHECK(!memcmp(seg->saddr, host, 16));
	CHECK_INT(seg->sport, 40000);
	CHECK_INT(seg->dport, 53);
	CHECK(!seg->seq && !seg->ack && !seg->flags && !seg->window);
	CHECK_INT(seg->dir, SEG_DIR_EGRESS);
	HANDED(&tap, HOOK_EGRESS, ASK(88), .seq = 77, .ack = 88, .payload_len = 5);
	CHECK_INT(seg->seq, 77);
	CHECK_INT(seg->ack, 88);
	CHECK_INT(seg->rec_flags, SEG_F_SERVICE);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = 1, .payload_len = 5), TAP_CNT_EVENT);
	CHECK_INT(seg->rec_flags, 0);
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(table);
	RUN(off);
	RUN(mirror_knows_no_direction);
	RUN(turns);
	RUN(https_start);
	RUN(kdc_errors_are_longer);
	RUN(smb2_without_session_and_signature);
	RUN(epm_tells_a_port);
	RUN(epm_at_every_place);
	RUN(user_space_tells_a_port);
	RUN(too_many);
	RUN(any_port);
	RUN(fields);
	return unit_status();
}
