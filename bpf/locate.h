/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * locate.h - the way in: finds the TCP segment in a frame, and if it may be of interest puts it
 * into the work. The functions are not static, so that the verifier looks at the parser once, by
 * itself, and not again for each path through what follows.
 */
#ifndef TDSMON_LOCATE_H
#define TDSMON_LOCATE_H

#include "browser.h"
#include "walk.h"

/* What is to become of a segment of a flow that is being followed. */
TAP_INLINE enum tap_counter locate_followed(const struct pkt *pkt, struct flow *flow, __u32 side)
{
	if (pkt->tcp->flags & (SEG_SYN | SEG_FIN | SEG_RST))
		return TAP_CNT_EVENT;
	if (flow->level != TAP_FULL)
		return walk_passes(pkt, flow, side) ? TAP_CNT_SKIPPED : TAP_CNT_EVENT;
	if (!pkt->payload_len)
		return TAP_CNT_EVENT;
	if (flow->bytes >= tap_budget)
		return TAP_CNT_BUDGET;
	/* the two directions may miss each other's bytes: a budget, not an account */
	flow->bytes += pkt->payload_len;
	return TAP_CNT_EVENT;
}

/*
 * TAP_CNT_EVENT, TAP_CNT_BUDGET: the segment is in the work, all but ts_ns, ifindex, dir and
 * avail, and with TAP_CNT_DATAGRAM the datagram is; else what became of the packet. What is not
 * to be handed over ends here: the bulk of the traffic costs a look-up and no copy.
 */
TAP_INLINE enum tap_counter locate_done(const struct pkt *pkt, enum pkt_result parsed)
{
	enum tap_counter result = TAP_CNT_EVENT;
	struct tap_work *work;
	struct flow *flow;
	__u32 side;

	if (parsed == PKT_SHORT)
		return TAP_CNT_SHORT;
	if (parsed == PKT_FRAGMENT)
		return TAP_CNT_FRAGMENT;
	if (parsed == PKT_EXT_HEADERS)
		return TAP_CNT_EXT_HEADERS;
	if (parsed == PKT_UDP)
		return browser_locate(pkt);
	if (parsed != PKT_TCP)
		return TAP_CNT_OTHER;
	if (!tap_port(pkt->dport) && !tap_port(pkt->sport) && !tap_any_port)
		return TAP_CNT_OTHER;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;

	side = flow_key_fill(&work->key, pkt);
	flow = bpf_map_lookup_elem(&flows, &work->key);
	if (flow)
		result = locate_followed(pkt, flow, side);
	if (result == TAP_CNT_SKIPPED)
		return result;
	work->followed = !!flow;
	work->side = side;
	work->level = flow ? flow->level : TAP_FULL;
	pkt_seg(pkt, &work->seg);
	work->seg.cap_len = 0;
	work->seg.note = 0;
	work->payload_off = pkt->payload_off;
	return result;
}

__noinline int locate_eth(struct __sk_buff *skb)
{
	struct pkt pkt;
	enum pkt_result parsed =
		pkt_parse_eth(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len);

	return locate_done(&pkt, parsed);
}

__noinline int locate_ip(struct __sk_buff *skb)
{
	struct pkt pkt;
	enum pkt_result parsed =
		pkt_parse_ip(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len);

	return locate_done(&pkt, parsed);
}

/* Only the first buffer's length is told: it matters to lengths of 0, which no wire has. */
__noinline int locate_xdp(struct xdp_md *xdp)
{
	const void *data = (void *)(long)xdp->data;
	const void *end = (void *)(long)xdp->data_end;
	struct pkt pkt;

	return locate_done(&pkt, pkt_parse_eth(&pkt, data, end, xdp->data_end - xdp->data));
}

/* How much of the payload the frame holds: an IP header may promise more. */
TAP_INLINE void locate_avail(struct tap_work *work, __u32 frame_len)
{
	__u32 avail = frame_len > work->payload_off ? frame_len - work->payload_off : 0;

	work->avail = avail < work->seg.len ? avail : work->seg.len;
}

#endif
