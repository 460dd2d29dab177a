// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pkt.c - tests of the packet parser: a table of packets, each also cut short at every byte before
 * a page that cannot be read.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/packet.h"
#include "pkt.h"
#include "unit.h"

struct pkt_case {
	const char *name;
	struct packet_spec spec;
	enum pkt_result result;
	uint32_t payload_off, payload_len; /* literal, from the protocols' layouts */
};

#define FRAG_MORE 0x2000

static const struct pkt_case cases[] = {
	{"IPv4", {.payload_len = 100}, PKT_TCP, 54, 100},
	{"IPv4 without payload", {.padding = 0}, PKT_TCP, 54, 0},
	{"IPv4 padding is not payload", {.padding = 6}, PKT_TCP, 54, 0},
	{"IPv4 options", {.ip_options = 40, .payload_len = 10}, PKT_TCP, 94, 10},
	{"TCP options", {.tcp_options = 40, .payload_len = 10}, PKT_TCP, 94, 10},
	{"IPv4 and TCP options",
	 {.ip_options = 4, .tcp_options = 12, .payload_len = 1},
	 PKT_TCP,
	 70,
	 1},
	{"IPv4 total length 0", {.total_len = -1, .payload_len = 70000}, PKT_TCP, 54, 70000},
	{"IPv4 total length 0, options",
	 {.total_len = -1, .ip_options = 8, .payload_len = 9},
	 PKT_TCP,
	 62,
	 9},
	{"IPv4 promises more than the frame has",
	 {.total_len = 1040, .payload_len = 10},
	 PKT_TCP,
	 54,
	 1000},
	{"IPv4 total length below its header", {.total_len = 19}, PKT_SHORT, 0, 0},
	{"IPv4 total length within TCP's header", {.total_len = 39}, PKT_SHORT, 0, 0},
	{"IPv4 header length 4", {.ihl = 4}, PKT_SHORT, 0, 0},
	{"TCP data offset 4", {.doff = 4, .payload_len = 10}, PKT_SHORT, 0, 0},
	{"TCP data offset beyond the packet", {.doff = 15, .payload_len = 39}, PKT_SHORT, 0, 0},
	{"TCP data offset up to the end", {.doff = 15, .payload_len = 40}, PKT_TCP, 94, 0},
	{"first fragment", {.frag = FRAG_MORE, .payload_len = 8}, PKT_TCP, 54, 8},
	{"later fragment", {.frag = FRAG_MORE | 1, .payload_len = 8}, PKT_FRAGMENT, 0, 0},
	{"last fragment", {.frag = 100, .payload_len = 8}, PKT_FRAGMENT, 0, 0},
	{"fragment of another protocol", {.frag = 100, .proto = 132}, PKT_OTHER, 0, 0},
	{"do not fragment", {.frag = 0x4000, .payload_len = 8}, PKT_TCP, 54, 8},
	{"SCTP", {.proto = 132}, PKT_OTHER, 0, 0},
	{"UDP", {.proto = 17, .payload_len = 100}, PKT_UDP, 42, 100},
	{"UDP without payload", {.proto = 17}, PKT_UDP, 42, 0},
	{"UDP padding is not payload",
	 {.proto = 17, .payload_len = 1, .padding = 17},
	 PKT_UDP,
	 42,
	 1},
	{"UDP length below the packet's",
	 {.proto = 17, .udp_len = 12, .payload_len = 9},
	 PKT_UDP,
	 42,
	 4},
	{"UDP length beyond the packet",
	 {.proto = 17, .udp_len = 2000, .payload_len = 9},
	 PKT_UDP,
	 42,
	 9},
	{"UDP length below its header",
	 {.proto = 17, .udp_len = 7, .payload_len = 9},
	 PKT_OTHER,
	 0,
	 0},
	{"UDP length 0", {.proto = 17, .udp_len = -1, .payload_len = 9}, PKT_OTHER, 0, 0},
	{"UDP, IPv4 options", {.proto = 17, .ip_options = 40, .payload_len = 9}, PKT_UDP, 82, 9},
	{"UDP, IPv4 total length below its header",
	 {.proto = 17, .total_len = 19, .payload_len = 9},
	 PKT_SHORT,
	 0,
	 0},
	{"UDP, IPv4 total length within UDP's header",
	 {.proto = 17, .total_len = 27, .payload_len = 9},
	 PKT_OTHER,
	 0,
	 0},
	{"UDP, first fragment",
	 {.proto = 17, .frag = FRAG_MORE, .udp_len = 3000, .payload_len = 1472},
	 PKT_UDP,
	 42,
	 1472},
	{"UDP, later fragment", {.proto = 17, .frag = 100, .payload_len = 9}, PKT_OTHER, 0, 0},
	{"UDP, 802.1Q", {.proto = 17, .vlan = {0x8100}, .payload_len = 9}, PKT_UDP, 46, 9},
	{"ARP", {.family = PACKET_ARP}, PKT_OTHER, 0, 0},
	{"802.1Q", {.vlan = {0x8100}, .payload_len = 5}, PKT_TCP, 58, 5},
	{"802.1ad", {.vlan = {0x88a8, 0x8100}, .payload_len = 5}, PKT_TCP, 62, 5},
	{"QinQ 0x9100", {.vlan = {0x9100, 0x8100}, .payload_len = 5}, PKT_TCP, 62, 5},
	{"three tags", {.vlan = {0x88a8, 0x8100, 0x8100}}, PKT_OTHER, 0, 0},
	{"802.1Q, IPv4 total length 0",
	 {.vlan = {0x8100}, .total_len = -1, .payload_len = 7},
	 PKT_TCP,
	 58,
	 7},
	{"802.1Q, IPv6",
	 {.vlan = {0x8100}, .family = PACKET_IP6, .payload_len = 5},
	 PKT_TCP,
	 78,
	 5},
	{"IPv6", {.family = PACKET_IP6, .payload_len = 100}, PKT_TCP, 74, 100},
	{"IPv6 padding", {.family = PACKET_IP6, .padding = 20}, PKT_TCP, 74, 0},
	{"IPv6 payload length 0",
	 {.family = PACKET_IP6, .total_len = -1, .payload_len = 70000},
	 PKT_TCP,
	 74,
	 70000},
	{"IPv6 jumbo",
	 {.family = PACKET_IP6, .total_len = -1, .ext = {255}, .payload_len = 70000},
	 PKT_TCP,
	 82,
	 70000},
	{"IPv6 hop-by-hop", {.family = PACKET_IP6, .ext = {255}, .payload_len = 3}, PKT_TCP, 82, 3},
	{"IPv6 routing, 24 bytes",
	 {.family = PACKET_IP6, .ext = {43}, .ext_len = 2, .payload_len = 3},
	 PKT_TCP,
	 98,
	 3},
	{"IPv6 destination options",
	 {.family = PACKET_IP6, .ext = {60}, .payload_len = 3},
	 PKT_TCP,
	 82,
	 3},
	{"IPv6 AH, 24 bytes",
	 {.family = PACKET_IP6, .ext = {51}, .ext_len = 4, .payload_len = 3},
	 PKT_TCP,
	 98,
	 3},
	{"IPv6 first fragment",
	 {.family = PACKET_IP6, .ext = {44}, .frag = 1, .payload_len = 3},
	 PKT_TCP,
	 82,
	 3},
	{"IPv6 fragment header's reserved byte set",
	 {.family = PACKET_IP6, .ext = {44}, .ext_len = 9, .payload_len = 3},
	 PKT_TCP,
	 82,
	 3},
	{"IPv6 later fragment",
	 {.family = PACKET_IP6, .ext = {44}, .frag = 0x0009},
	 PKT_FRAGMENT,
	 0,
	 0},
	{"IPv6 six headers",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60}, .payload_len = 3},
	 PKT_TCP,
	 122,
	 3},
	{"IPv6 seven headers",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60, 60}},
	 PKT_EXT_HEADERS,
	 0,
	 0},
	{"IPv6 six headers, SCTP",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60}, .proto = 132},
	 PKT_OTHER,
	 0,
	 0},
	{"IPv6, UDP", {.family = PACKET_IP6, .proto = 17, .payload_len = 9}, PKT_UDP, 62, 9},
	{"IPv6 six headers, UDP",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60}, .proto = 17, .payload_len = 9},
	 PKT_UDP,
	 110,
	 9},
	{"IPv6 seven headers, UDP",
	 {.family = PACKET_IP6, .ext = {255, 60, 43, 44, 51, 60, 60}, .proto = 17},
	 PKT_EXT_HEADERS,
	 0,
	 0},
	{"IPv6 first fragment, UDP",
	 {.family = PACKET_IP6, .ext = {44}, .frag = 1, .proto = 17, .payload_len = 9},
	 PKT_UDP,
	 70,
	 9},
	{"IPv6 length within UDP's header",
	 {.family = PACKET_IP6, .proto = 17, .total_len = 7, .payload_len = 9},
	 PKT_OTHER,
	 0,
	 0},
	{"IPv6 longest headers",
	 {.family = PACKET_IP6, .ext = {60, 60}, .ext_len = 255, .payload_len = 3},
	 PKT_TCP,
	 4170,
	 3},
	{"IPv6 length within the headers",
	 {.family = PACKET_IP6, .ext = {60, 60}, .total_len = 15},
	 PKT_SHORT,
	 0,
	 0},
	{"IPv6 length within TCP's header",
	 {.family = PACKET_IP6, .total_len = 19},
	 PKT_SHORT,
	 0,
	 0},
	{"IPv6 ESP", {.family = PACKET_IP6, .proto = 50}, PKT_OTHER, 0, 0},
	{"IPv6 no next header", {.family = PACKET_IP6, .proto = 59}, PKT_OTHER, 0, 0},
	{"raw IPv4", {.raw = true, .payload_len = 4}, PKT_TCP, 40, 4},
	{"raw IPv4, UDP", {.raw = true, .proto = 17, .payload_len = 4}, PKT_UDP, 28, 4},
	{"raw IPv6",
	 {.raw = true, .family = PACKET_IP6, .ext = {60}, .payload_len = 4},
	 PKT_TCP,
	 68,
	 4},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct packet packet;

/* A copy that ends at the end of readable memory. */
static const uint8_t *guarded(const uint8_t *data, size_t len)
{
	static uint8_t *area;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = sizeof(packet.data);

	if (!area) {
		area = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
		mprotect(area + size, page, PROT_NONE);
	}
	memcpy(area + size - len, data, len);
	return area + size - len;
}

static enum pkt_result parse(const struct pkt_case *c, struct pkt *pkt, size_t cut,
			     size_t frame_len)
{
	const uint8_t *data = guarded(packet.data, cut);

	if (c->spec.raw)
		return pkt_parse_ip(pkt, data, data + cut, (__u32)frame_len);
	return pkt_parse_eth(pkt, data, data + cut, (__u32)frame_len);
}

UNIT_CASE(table)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct pkt_case *c = &cases[i];
		struct pkt pkt = {0};
		enum pkt_result result;

		packet_build(&packet, &c->spec);
		result = parse(c, &pkt, packet.len, packet.len);
		if (result != c->result)
			UNIT_FAIL("%s: result %d, not %d", c->name, result, c->result);
		if (result != PKT_TCP && result != PKT_UDP)
			continue;
		if (pkt.payload_off != c->payload_off || pkt.payload_len != c->payload_len)
			UNIT_FAIL("%s: payload %u at %u, not %u at %u", c->name, pkt.payload_len,
				  pkt.payload_off, c->payload_len, c->payload_off);
		if (pkt.sport != 40000 || pkt.dport != (result == PKT_TCP ? 1433 : 1434))
			UNIT_FAIL("%s: ports %u, %u", c->name, pkt.sport, pkt.dport);
	}
}

/* The result is the same, or says that something is missing, whatever is cut off. */
UNIT_CASE(cut_at_every_byte)
{
	for (size_t i = 0; i < CASES; i++) {
		const struct pkt_case *c = &cases[i];
		struct pkt pkt = {0};
		bool enough = false;

		packet_build(&packet, &c->spec);
		for (size_t cut = 0; cut <= packet.len && cut <= 5000; cut++) {
			enum pkt_result result = parse(c, &pkt, cut, packet.len);

			if (result != c->result && (enough || result != PKT_SHORT))
				UNIT_FAIL("%s, %zu bytes: result %d", c->name, cut, result);
			if ((c->result == PKT_TCP || c->result == PKT_UDP) &&
			    (result == c->result) !=
				    (cut >= packet.tcp_off + (c->result == PKT_TCP ? 20 : 8)))
				UNIT_FAIL("%s, %zu bytes: result %d", c->name, cut, result);
			enough = result == c->result;
			if ((result == PKT_TCP || result == PKT_UDP) &&
			    pkt.payload_len != c->payload_len)
				UNIT_FAIL("%s, %zu bytes: payload %u", c->name, cut,
					  pkt.payload_len);
		}
	}
}

/* pkt_is_usual() and pkt_set_usual() say the same as pkt_parse_eth(), or nothing, whatever is cut off. */
UNIT_CASE(usual)
{
	uint32_t usual = 0;

	for (size_t i = 0; i < CASES; i++) {
		const struct pkt_case *c = &cases[i];

		packet_build(&packet, &c->spec);
		for (size_t cut = 0; cut <= packet.len && cut <= 5000; cut++) {
			const uint8_t *data = guarded(packet.data, cut);
			struct pkt one = {0}, two = {0};

			if (c->spec.raw || !pkt_is_usual(data, data + cut))
				continue;
			CHECK(pkt_set_usual(&one, data, data + cut));
			usual++;
			pkt_set_usual_payload(&one);
			if (pkt_parse_eth(&two, data, data + cut, (__u32)packet.len) != PKT_TCP ||
			    memcmp(&one, &two, sizeof(one)))
				UNIT_FAIL("%s, %zu bytes: another result", c->name, cut);
		}
	}
	CHECK(usual > 100);
}

UNIT_CASE(segment_ipv4)
{
	static const struct packet_spec spec = {
		.seq = 0x81020304, .ack = 0x91020304, .flags = 0xd8, .payload_len = 12};
	static const uint8_t saddr[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	static const uint8_t daddr[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	struct seg seg = {.ts_ns = 7, .rec_flags = 8};
	struct pkt pkt = {0};

	packet_build(&packet, &spec);
	CHECK_INT(pkt_parse_eth(&pkt, packet.data, packet.data + packet.len, (__u32)packet.len),
		  PKT_TCP);
	pkt_seg(&pkt, &seg);
	CHECK(!memcmp(seg.saddr, saddr, 16));
	CHECK(!memcmp(seg.daddr, daddr, 16));
	CHECK_INT(seg.sport, 40000);
	CHECK_INT(seg.dport, 1433);
	CHECK_INT(seg.seq, 0x81020304);
	CHECK_INT(seg.ack, 0x91020304);
	CHECK_INT(seg.flags, 0x18); /* without ECE and CWR */
	CHECK_INT(seg.window, 502);
	CHECK_INT(seg.ttl, 57);
	CHECK_INT(seg.ip_id, 0x1234);
	CHECK_INT(seg.len, 12);
	CHECK_INT(seg.ts_ns, 7);
	CHECK_INT(seg.rec_flags, 8);
}

UNIT_CASE(segment_ipv6)
{
	static const struct packet_spec spec = {.family = PACKET_IP6, .swap = 1};
	static const uint8_t client[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	static const uint8_t server[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	struct seg seg = {0};
	struct pkt pkt = {0};

	packet_build(&packet, &spec);
	CHECK_INT(pkt_parse_eth(&pkt, packet.data, packet.data + packet.len, (__u32)packet.len),
		  PKT_TCP);
	pkt_seg(&pkt, &seg);
	CHECK(!memcmp(seg.saddr, server, 16));
	CHECK(!memcmp(seg.daddr, client, 16));
	CHECK_INT(seg.sport, 1433);
	CHECK_INT(seg.ttl, 57);
	CHECK_INT(seg.ip_id, 0);
	CHECK_INT(seg.len, 0);
}

UNIT_CASE(datagram)
{
	static const struct packet_spec spec = {.proto = 17, .swap = 1, .payload_len = 12};
	static const uint8_t server[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	static const uint8_t client[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	struct seg seg = {.ts_ns = 7, .seq = 1, .ack = 2, .window = 3, .flags = 4, .rec_flags = 8};
	struct pkt pkt = {0};

	packet_build(&packet, &spec);
	CHECK_INT(pkt_parse_eth(&pkt, packet.data, packet.data + packet.len, (__u32)packet.len),
		  PKT_UDP);
	pkt_datagram(&pkt, &seg);
	CHECK(!memcmp(seg.saddr, server, 16));
	CHECK(!memcmp(seg.daddr, client, 16));
	CHECK_INT(seg.sport, 1434);
	CHECK_INT(seg.dport, 40000);
	CHECK_INT(seg.seq, 0);
	CHECK_INT(seg.ack, 0);
	CHECK_INT(seg.flags, 0);
	CHECK_INT(seg.window, 0);
	CHECK_INT(seg.ttl, 57);
	CHECK_INT(seg.ip_id, 0x1234);
	CHECK_INT(seg.len, 12);
	CHECK_INT(seg.ts_ns, 7);
	CHECK_INT(seg.rec_flags, 8);
}

UNIT_CASE(raw_neither_version)
{
	static const uint8_t bytes[40] = {0x50};
	struct pkt pkt = {0};

	CHECK_INT(pkt_parse_ip(&pkt, bytes, bytes + sizeof(bytes), sizeof(bytes)), PKT_OTHER);
	CHECK_INT(pkt_parse_ip(&pkt, bytes, bytes, 0), PKT_SHORT);
}

int main(void)
{
	RUN(table);
	RUN(cut_at_every_byte);
	RUN(usual);
	RUN(segment_ipv4);
	RUN(segment_ipv6);
	RUN(datagram);
	RUN(raw_neither_version);
	return unit_status();
}
