/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * browser.h - SQL Server Browser's datagrams (SSRP, UDP 1434), which tell clients the ports of
 * named instances: questions and answers are handed over, at a bounded rate.
 */
#ifndef TDSMON_BROWSER_H
#define TDSMON_BROWSER_H

#include "emit.h"

/*
 * Most datagrams in a second of each CPU: each is handed over, so a flood of them would push out
 * what is known of connections.
 */
#define BROWSER_RATE 1024u
#define BROWSER_NS   1000000000ull

struct browser {
	__u64 since_ns;
	__u64 count; /* since then */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct browser);
} browsers SEC(".maps");

TAP_INLINE bool browser_allows(__u64 now_ns)
{
	__u32 zero = 0;
	struct browser *b = bpf_map_lookup_elem(&browsers, &zero);

	if (!b)
		return false;
	if (now_ns - b->since_ns >= BROWSER_NS) {
		b->since_ns = now_ns;
		b->count = 0;
	}
	return b->count++ < BROWSER_RATE;
}

/* Is the datagram the Browser's? Then it is in the work, as segments are. */
TAP_INLINE enum tap_counter browser_locate(const struct pkt *pkt)
{
	struct tap_work *work;

	if (!tap_browser || (pkt->sport != SSRP_PORT && pkt->dport != SSRP_PORT))
		return TAP_CNT_OTHER;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;
	pkt_datagram(pkt, &work->seg);
	work->seg.cap_len = 0;
	work->seg.note = SEG_NOTE_UDP;
	work->payload_off = pkt->payload_off;
	return TAP_CNT_DATAGRAM;
}

/* Hand it over. One that is too long for a record is handed over as far as it goes. */
TAP_INLINE enum tap_counter browser_datagram(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();

	if (!work)
		return TAP_CNT_LOST;
	work->seg.ts_ns = bpf_ktime_get_ns();
	if (!browser_allows(work->seg.ts_ns))
		return TAP_CNT_FLOOD;
	if (work->avail > SEG_CHUNK)
		work->avail = SEG_CHUNK;
	if (hook == TAP_HOOK_SKB ? emit_skb(ctx) : emit_xdp(ctx))
		return TAP_CNT_LOST;
	return TAP_CNT_DATAGRAM;
}

/* The same for each hook, for the verifier to look at once. enum tap_counter. */
__noinline int browser_skb(struct __sk_buff *skb)
{
	return browser_datagram(skb, TAP_HOOK_SKB);
}

__noinline int browser_xdp(struct xdp_md *xdp)
{
	return browser_datagram(xdp, TAP_HOOK_XDP);
}

#endif
