/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * locate.h - the way in: finds the TCP segment in a frame, and if it may be of interest puts it
 * into the work. The functions are not static, so that the verifier looks at the parser once, by
 * itself, and not again for each path through what follows.
 */
#ifndef TDSMON_LOCATE_H
#define TDSMON_LOCATE_H

#include "flow.h"

/* TAP_CNT_EVENT: it is in the work, all but ts_ns, ifindex and dir; else what became of it. */
TAP_INLINE enum tap_counter locate_done(const struct pkt *pkt, enum pkt_result parsed,
					__u32 frame_len)
{
	struct tap_work *work;

	if (parsed == PKT_SHORT)
		return TAP_CNT_SHORT;
	if (parsed == PKT_FRAGMENT)
		return TAP_CNT_FRAGMENT;
	if (parsed == PKT_EXT_HEADERS)
		return TAP_CNT_EXT_HEADERS;
	if (parsed != PKT_TCP)
		return TAP_CNT_OTHER;
	if (!tap_port(pkt->dport) && !tap_port(pkt->sport) && !tap_any_port)
		return TAP_CNT_OTHER;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;

	flow_key_fill(&work->key, pkt);
	pkt_seg(pkt, &work->seg);
	work->seg.cap_len = 0;
	work->seg.note = 0;
	work->payload_off = pkt->payload_off;
	/* an IP header may promise more than the frame has */
	work->avail = 0;
	if (frame_len > pkt->payload_off) {
		work->avail = frame_len - pkt->payload_off;
		if (work->avail > pkt->payload_len)
			work->avail = pkt->payload_len;
	}
	return TAP_CNT_EVENT;
}

__noinline int locate_eth(struct __sk_buff *skb)
{
	struct pkt pkt;
	enum pkt_result parsed =
		pkt_parse_eth(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len);

	return locate_done(&pkt, parsed, skb->len);
}

__noinline int locate_ip(struct __sk_buff *skb)
{
	struct pkt pkt;
	enum pkt_result parsed =
		pkt_parse_ip(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len);

	return locate_done(&pkt, parsed, skb->len);
}

__noinline int locate_xdp(struct xdp_md *xdp)
{
	const void *data = (void *)(long)xdp->data;
	const void *end = (void *)(long)xdp->data_end;
	__u32 frame_len = xdp->data_end - xdp->data;
	struct pkt pkt;

	/* A frame may lie in several buffers where programs can get at them, from 5.18 on. */
	if (tap_has_xdp_load())
		frame_len = bpf_xdp_get_buff_len(xdp);
	return locate_done(&pkt, pkt_parse_eth(&pkt, data, end, frame_len), frame_len);
}

#endif
