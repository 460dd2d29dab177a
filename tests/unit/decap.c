// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decap.c - tests of unwrapping: the table of wrapped packets, each also cut short at every byte
 * before a page that cannot be read.
 */
#include "decap.h"

#include "bpf/wrapped.h"
#include "guard.h"
#include "engine/record.h"
#include "unit.h"

static const struct decap_config all = {
	.vxlan = {4789, 8472}, .geneve = {6081}, .gre = 1, .erspan = 1};

static uint8_t bytes[WRAPPED_MAX];

static enum pkt_result parse(struct pkt *pkt, const struct decap_config *config, size_t cut,
			     size_t frame_len)
{
	const uint8_t *data = guarded(bytes, cut);

	memset(pkt, 0, sizeof(*pkt));
	return decap_parse(pkt, config, DECAP_ETH_FRAME, data, data + cut, (__u32)frame_len);
}

static void check_tunnel(const struct wrapped *w, uint32_t tunnel)
{
	const char *kind = tunnel_kind(tunnel);

	if (!kind != !w->kind || (kind && strcmp(kind, w->kind)))
		UNIT_FAIL("%s: tunnel %s", w->name, kind ? kind : "none");
	if (tunnel_id(tunnel) != w->id)
		UNIT_FAIL("%s: id %lld", w->name, (long long)tunnel_id(tunnel));
}

UNIT_CASE(table)
{
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++) {
		size_t len = wrapped_bytes(w, bytes);
		struct pkt pkt;
		enum pkt_result result = parse(&pkt, &all, len, len);
		struct seg seg = {0};

		if (result != w->result)
			UNIT_FAIL("%s: result %d, not %d", w->name, result, w->result);
		if (result != PKT_TCP || w->result != PKT_TCP)
			continue;
		if (pkt.payload_off != w->payload_off || pkt.payload_len != 5)
			UNIT_FAIL("%s: payload %u at %u, not 5 at %u", w->name, pkt.payload_len,
				  pkt.payload_off, w->payload_off);
		if (pkt.sport != 40000 || pkt.dport != 1433)
			UNIT_FAIL("%s: ports %u, %u", w->name, pkt.sport, pkt.dport);
		if (memcmp(bytes + pkt.payload_off, "\1\2\3\4\5", 5))
			UNIT_FAIL("%s: other bytes", w->name);
		pkt_seg(&pkt, &seg);
		if (seg.saddr[15] != 1 || seg.daddr[15] != 2 || seg.ttl != 57 || seg.seq != 1000)
			UNIT_FAIL("%s: not the inner header", w->name);
		check_tunnel(w, pkt.tunnel);
	}
}

/* The result is the same, or says that something is missing, whatever is cut off. */
UNIT_CASE(cut_at_every_byte)
{
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++) {
		size_t len = wrapped_bytes(w, bytes);
		bool enough = false;
		struct pkt pkt;

		for (size_t cut = 0; cut <= len; cut++) {
			enum pkt_result result = parse(&pkt, &all, cut, len);

			if (result != w->result && (enough || result != PKT_SHORT))
				UNIT_FAIL("%s, %zu bytes: result %d", w->name, cut, result);
			enough = result == w->result;
			if (w->result != PKT_TCP)
				continue;
			if (enough != (cut >= w->payload_off))
				UNIT_FAIL("%s, %zu bytes: result %d", w->name, cut, result);
			if (enough && pkt.payload_len != 5)
				UNIT_FAIL("%s, %zu bytes: payload %u", w->name, cut,
					  pkt.payload_len);
		}
	}
}

/* Each byte with other values: nothing is read beyond the end, and no end is later than IP's. */
UNIT_CASE(every_byte_changed)
{
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++) {
		size_t len = wrapped_bytes(w, bytes);
		struct pkt pkt;

		for (size_t at = 12; at < len; at++) {
			uint8_t was = bytes[at];

			for (int value = 0; value < 256; value++) {
				enum pkt_result result;

				bytes[at] = (uint8_t)value;
				result = parse(&pkt, &all, len, len);
				if (result > PKT_NESTED ||
				    (result == PKT_TCP && pkt.payload_len > 0xffff))
					UNIT_FAIL("%s, byte %zu %d: result %d", w->name, at, value,
						  result);
			}
			bytes[at] = was;
		}
	}
}

static const struct wrapped *find(const char *name)
{
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++)
		if (!strcmp(w->name, name))
			return w;
	UNIT_FAIL("no packet %s", name);
	return wrapped;
}

static enum pkt_result parse_named(const char *name, const struct decap_config *config)
{
	size_t len = wrapped_bytes(find(name), bytes);
	struct pkt pkt;

	return parse(&pkt, config, len, len);
}

/* Tunnels that are not configured stay as they are; tags and labels are skipped anyway. */
UNIT_CASE(only_what_is_asked_for)
{
	static const struct decap_config none = {0}, vxlan = {.vxlan = {4789}},
					 moved = {.vxlan = {0, 8472}, .geneve = {4789}},
					 gre = {.gre = 1}, erspan = {.erspan = 1};

	CHECK_INT(parse_named("VXLAN", &none), PKT_UDP);
	CHECK_INT(parse_named("GENEVE", &none), PKT_UDP);
	CHECK_INT(parse_named("GRE, key", &none), PKT_OTHER);
	CHECK_INT(parse_named("ERSPAN, type II", &none), PKT_OTHER);
	CHECK_INT(parse_named("MPLS, two labels", &none), PKT_TCP);
	CHECK_INT(parse_named("IPv4 in IPv6", &none), PKT_TCP);
	CHECK_INT(parse_named("VXLAN", &vxlan), PKT_TCP);
	CHECK_INT(parse_named("VXLAN, port 8472", &vxlan), PKT_UDP);
	CHECK_INT(parse_named("GENEVE", &vxlan), PKT_UDP);
	CHECK_INT(parse_named("VXLAN, port 8472", &moved), PKT_TCP);
	CHECK_INT(parse_named("VXLAN", &moved), PKT_OTHER); /* read as GENEVE of no protocol */
	CHECK_INT(parse_named("GRE, key", &gre), PKT_TCP);
	CHECK_INT(parse_named("GRE, key", &erspan), PKT_OTHER);
	CHECK_INT(parse_named("ERSPAN, type I", &erspan), PKT_TCP);
	CHECK_INT(parse_named("ERSPAN, type III", &erspan), PKT_TCP);
	CHECK_INT(parse_named("ERSPAN, type II", &gre), PKT_OTHER);
}

/* Different tunnels have different numbers, also if the id is not kept. */
UNIT_CASE(numbers)
{
	CHECK_INT(decap_gre_tunnel(0), 0x03000000);
	CHECK_INT(decap_gre_tunnel(0xfcffffff), 0xffffffff);
	CHECK(decap_gre_tunnel(0xfd000000) != decap_gre_tunnel(0xfd000001));
	for (uint64_t key = 0xfd000000; key <= 0xffffffff; key += 65537) {
		uint32_t tunnel = decap_gre_tunnel((uint32_t)key);

		CHECK_STR(tunnel_kind(tunnel), "gre");
		CHECK_INT(tunnel_id(tunnel), -1);
	}
	CHECK(!tunnel_kind(TUNNEL_NONE));
	CHECK_INT(tunnel_id(TUNNEL_NONE), -1);
	CHECK_STR(tunnel_kind(0x01ffffff), "vxlan");
	CHECK_STR(tunnel_kind(0x02000000), "geneve");
	CHECK_STR(tunnel_kind(0x000103ff), "erspan");
	CHECK_INT(tunnel_id(0x000103ff), 1023);
}

int main(void)
{
	RUN(table);
	RUN(cut_at_every_byte);
	RUN(every_byte_changed);
	RUN(only_what_is_asked_for);
	RUN(numbers);
	return unit_status();
}
