// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decap.c - tests of the tap that unwraps tunnels: the table of wrapped packets on each hook, the
 * flows' keys, and that the usual tap is not that one.
 */
#include "bpf/wrapped.h"
#include "bpf/run.h"
#include "engine/record.h"

static const struct decap_config all = {
	.vxlan = {4789, 8472}, .geneve = {6081}, .gre = 1, .erspan = 1};

static struct tap tap;

/* Bytes in front of the packet at hand. */
static void build(const struct wrapped *w, size_t skip)
{
	static uint8_t bytes[WRAPPED_MAX];

	packet.len = wrapped_bytes(w, bytes) - skip;
	memcpy(packet.data, bytes + skip, packet.len);
}

static const struct wrapped *find(const char *name)
{
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++)
		if (!strcmp(w->name, name))
			return w;
	UNIT_FAIL("no packet %s", name);
	return wrapped;
}

static int counter_of(enum pkt_result result)
{
	static const int counters[] = {
		[PKT_TCP] = TAP_CNT_EVENT,   [PKT_OTHER] = TAP_CNT_OTHER,
		[PKT_SHORT] = TAP_CNT_SHORT, [PKT_FRAGMENT] = TAP_CNT_FRAGMENT,
		[PKT_UDP] = TAP_CNT_OTHER,   [PKT_NESTED] = TAP_CNT_NESTED,
	};

	return counters[result];
}

static void check_record(const struct wrapped *w)
{
	const struct record *r = &records[0];
	const char *kind = tunnel_kind(r->seg.tunnel);

	if (record_count != 1 || r->seg.len != 5 || r->seg.cap_len != 5 ||
	    memcmp(r->payload, "\1\2\3\4\5", 5)) {
		UNIT_FAIL("%s: %d records, payload %u of %u", w->name, record_count, r->seg.cap_len,
			  r->seg.len);
		return;
	}
	if (!kind != !w->kind || (kind && strcmp(kind, w->kind)) ||
	    tunnel_id(r->seg.tunnel) != w->id)
		UNIT_FAIL("%s: tunnel %s, id %lld", w->name, kind ? kind : "none",
			  (long long)tunnel_id(r->seg.tunnel));
	if (r->seg.saddr[15] != 1 || r->seg.daddr[15] != 2 || r->seg.sport != 40000 ||
	    r->seg.dport != 1433 || r->seg.seq != 1000 || r->seg.ttl != 57)
		UNIT_FAIL("%s: not the inner header", w->name);
}

static void run_table(enum hook hook, const struct tap_setup *setup)
{
	tap_open(&tap, setup);
	for (const struct wrapped *w = wrapped; w < wrapped + WRAPPED_COUNT; w++) {
		int counted;

		build(w, 0);
		counted = tap_send_built(&tap, hook);
		if (counted != counter_of(w->result))
			UNIT_FAIL("%s: counter %d, not %d", w->name, counted,
				  counter_of(w->result));
		else if (w->result == PKT_TCP)
			check_record(w);
	}
	tap_close(&tap);
}

UNIT_CASE(table_tc)
{
	run_table(HOOK_INGRESS, &(struct tap_setup){.decap = &all});
	run_table(HOOK_EGRESS, &(struct tap_setup){.decap = &all});
}

UNIT_CASE(table_xdp)
{
	run_table(HOOK_XDP, &(struct tap_setup){.decap = &all});
	run_table(HOOK_XDP, &(struct tap_setup){.decap = &all, .xdp_direct = true});
}

/* Behind a tunnel device frames begin with IP. */
UNIT_CASE(from_ip_on)
{
	tap_open(&tap, &(struct tap_setup){.decap = &all});
	build(find("VXLAN"), 14);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS_IP), TAP_CNT_EVENT);
	check_record(find("VXLAN"));
	build(find("GRE over IPv6, an option before it"), 14);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS_IP), TAP_CNT_EVENT);
	check_record(find("GRE over IPv6, an option before it"));
	tap_close(&tap);
}

UNIT_CASE(only_what_is_asked_for)
{
	static const struct decap_config vxlan = {.vxlan = {4789}}, gre = {.gre = 1};

	tap_open(&tap, &(struct tap_setup){.decap = &vxlan});
	build(find("VXLAN"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_EVENT);
	build(find("VXLAN, port 8472"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_OTHER);
	build(find("GENEVE"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_OTHER);
	build(find("GRE, key"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_OTHER);
	tap_close(&tap);
	tap_open(&tap, &(struct tap_setup){.decap = &gre});
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_EVENT);
	build(find("ERSPAN, type II"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_OTHER);
	tap_close(&tap);
}

/* Which flow a segment from the server makes: the only key in the map. */
static struct tap_key flow_of(const char *name)
{
	int map = bpf_map__fd(tap.skel->maps.flows);
	struct tap_key key = {0}, next;

	build(find(name), 0);
	/* the ports, at the inner TCP header, exchanged: the server speaks, so it is followed */
	memcpy(packet.data + packet.len - 25, "\x05\x99\x9c\x40", 4);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_EVENT);
	CHECK_INT(bpf_map_get_next_key(map, NULL, &key), 0);
	CHECK(bpf_map_get_next_key(map, &key, &next));
	bpf_map_delete_elem(map, &key);
	return key;
}

static void check_key(const char *name, const uint32_t addr[2], uint32_t tunnel)
{
	struct tap_key got = flow_of(name), want = {{addr[0], addr[1]}, {1433, 40000}};

	key_enter(&want, tap.skel->rodata->tap_seed[0], tap.skel->rodata->tap_seed[1], tunnel);
	if (memcmp(&got, &want, sizeof(got)))
		UNIT_FAIL("%s: another key", name);
}

/* The kernel's key of a flow is the one that user space makes of its addresses and its tunnel. */
UNIT_CASE(keys)
{
	static const uint8_t ip4[2][4] = {{10, 0, 0, 1}, {10, 0, 0, 2}};
	static const uint8_t low[16] = {0x20, 1, 0xd, 0xb8, [15] = 1},
			     high[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	const char *const names[] = {"plain",	 "VXLAN",     "VXLAN of VNI 0", "GENEVE",
				     "GRE, key", "GRE, IPv4", "ERSPAN, type II"};
	struct tap_key keys[sizeof(names) / sizeof(names[0])];
	uint32_t addr4[2], addr6[2];
	uint64_t hash;

	tap_open(&tap, &(struct tap_setup){.decap = &all});
	memcpy(addr4, ip4, sizeof(addr4));
	hash = key_hash6(tap.skel->rodata->tap_seed[0], tap.skel->rodata->tap_seed[1], low, high);
	memcpy(addr6, &hash, sizeof(addr6));
	check_key("plain", addr4, 0);
	check_key("VXLAN", addr4, 0x0100002a);
	check_key("GENEVE", addr4, 0x0200002a);
	check_key("GRE, key", addr4, 0x0300002a);
	check_key("VXLAN, IPv6 in it", addr6, 0x0100002a);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		keys[i] = flow_of(names[i]);
		for (size_t j = 0; j < i; j++)
			if (!memcmp(&keys[i], &keys[j], sizeof(keys[i])))
				UNIT_FAIL("%s has the key of %s", names[i], names[j]);
	}
	tap_close(&tap);
}

/* A SYN is kept, and handed over with its tunnel once it is repeated. */
UNIT_CASE(kept_syn)
{
	tap_open(&tap, &(struct tap_setup){.decap = &all});
	build(find("VXLAN"), 0);
	packet.data[104 - 7] = SYN;
	packet.data[50 + 14 + 3] = 40; /* inner total length: no payload */
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_EVENT);
	CHECK(record_count >= 1);
	for (int i = 0; i < record_count; i++) {
		CHECK_INT(records[i].seg.flags, SYN);
		CHECK_INT(records[i].seg.tunnel, 0x0100002a);
	}
	tap_close(&tap);
}

/* The usual tap has nothing of this: wrapped packets are not TCP to it, and its records are short.
 */
UNIT_CASE(without)
{
	static const uint32_t seg_plain = 72;

	tap_open(&tap, &(struct tap_setup){0});
	CHECK_INT(tap.seg_len, seg_plain);
	build(find("plain"), 0);
	CHECK_INT(tap_send_built(&tap, HOOK_INGRESS), TAP_CNT_EVENT);
	check_record(find("plain"));
	for (const char *const *name =
		     (const char *const[]){"VXLAN", "GENEVE", "GRE, key", "ERSPAN, type II",
					   "MPLS, two labels", "IPv4 in IPv4", "VN-Tag", NULL};
	     *name; name++) {
		build(find(*name), 0);
		if (tap_send_built(&tap, HOOK_INGRESS) != TAP_CNT_OTHER)
			UNIT_FAIL("%s is not left alone", *name);
	}
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(table_tc);
	RUN(table_xdp);
	RUN(from_ip_on);
	RUN(only_what_is_asked_for);
	RUN(keys);
	RUN(kept_syn);
	RUN(without);
	return unit_status();
}
