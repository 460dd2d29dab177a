/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * classify.h - the way in: finds a frame's TCP segment and its flow, and decides by the flow's
 * level. Packets that are not forwarded end here, so most of the traffic costs one look-up and no
 * copy. Some functions are not static, so that the verifier checks the parser once instead of on
 * each path.
 */
#ifndef TDSMON_CLASSIFY_H
#define TDSMON_CLASSIFY_H

#include "dependency.h"
#include "flow_table.h"
#include "half_open.h"
#include "level_full.h"
#include "level_heads.h"
#include "packet_ctx.h"
#include "recognise.h"
#include "routing.h"
#include "sql_browser.h"

/* Fill the work from the packet, all but the time. */
TAP_INLINE void classify_fill_work(struct tap_work *work, const struct pkt *pkt,
				   const struct tap_key *key, __u32 side)
{
	work->key = *key;
	work->side = side;
	pkt_seg(pkt, &work->seg);
	tap_seg_tunnel(&work->seg, pkt->tunnel);
	work->seg.ts_ns = 0;
	work->seg.cap_len = 0;
	work->seg.rec_flags = 0;
	work->payload_off = pkt->payload_off;
}

/* Bytes of the frame's first buffer, in which most frames lie as a whole. */
TAP_INLINE __u32 classify_first_len(void *ctx, enum tap_hook hook)
{
	struct xdp_md *xdp = ctx;

	return hook == TAP_HOOK_SKB ? ((struct __sk_buff *)ctx)->len : xdp->data_end - xdp->data;
}

/* Since 5.18 an XDP frame may lie in several buffers, and this helper exists. */
TAP_INLINE __u32 classify_frame_len(void *ctx, enum tap_hook hook)
{
	if (hook == TAP_HOOK_XDP && tap_has_xdp_load())
		return bpf_xdp_get_buff_len(ctx);
	return classify_first_len(ctx, hook);
}

/* Payload bytes that the frame holds. The IP header may promise more. */
TAP_INLINE void classify_set_avail(struct tap_work *work, void *ctx, enum tap_hook hook)
{
	__u32 end = work->payload_off + work->seg.len, frame_len;

	work->avail = work->seg.len;
	if (end <= classify_first_len(ctx, hook))
		return;
	frame_len = classify_frame_len(ctx, hook);
	if (end > frame_len)
		work->avail = frame_len > work->payload_off ? frame_len - work->payload_off : 0;
}

/* How the packet came: the rest of the work that every kind of packet has. */
TAP_INLINE void classify_fill_arrival(struct tap_work *work, void *ctx, enum tap_hook hook,
				      __u32 ifindex, __u32 dir)
{
	classify_set_avail(work, ctx, hook);
	work->seg.ifindex = ifindex;
	work->seg.dir = dir;
}

/*
 * Does the SYN or SYN+ACK in the work replace the flow? A SYN replaces a connection that has ended.
 * Otherwise the flow is replaced only when the peer accepts the SYN: on a live connection RFC 9293
 * 3.10.7.4 answers a forged SYN with a challenge ACK.
 */
TAP_INLINE bool classify_syn_replaces(const struct tap_work *work, const struct tap_flow *flow)
{
	struct tap_handshake *hs;

	if (!(work->seg.flags & SEG_ACK))
		return flow->marks & FLOW_ENDED;
	hs = half_open_lookup();
	if (!hs || half_open_from_client(hs, work) || !half_open_is_answered_by(hs, &work->seg))
		return false;
	hs->state &= ~HANDSHAKE_ON_LIVE_FLOW;
	return true;
}

/* Returns enum tap_counter or enum classify. */
TAP_INLINE int classify_segment(void *ctx, enum tap_hook hook, const struct pkt *pkt, __u32 ifindex,
				__u32 dir)
{
	__u8 flags = pkt->tcp->flags;
	struct tap_work *work;
	struct tap_key key;
	struct tap_flow *flow;
	__u32 side;

	if (TAP_DECAP) /* the verifier sees a path that writes nothing else to it */
		__builtin_memset(&key, 0, sizeof(key));
	side = flow_key_fill(&key, pkt);
	if (TAP_DECAP)
		key_enter(&key, tap_seed[0], tap_seed[1], pkt->tunnel);
	tap_touch_recent();
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow) {
		level_full_exhausted(flow);
		flow_note_ack(flow, side, pkt->tcp);
	}
	if (flow && flow->level != TAP_FULL && !(flags & (SEG_SYN | SEG_FIN | SEG_RST)) &&
	    (level_heads_skip(pkt, flow, side) || level_heads_quick(ctx, hook, pkt, flow, side)))
		return TAP_CNT_SKIPPED;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;
	classify_fill_work(work, pkt, &key, side);
	classify_fill_arrival(work, ctx, hook, ifindex, dir);
	if (!flow)
		return CLASSIFY_NEW;
	if (flags & SEG_SYN && !(flags & SEG_RST) && classify_syn_replaces(work, flow)) {
		/* the ports are used again: drop the old connection's state */
		level_heads_replaced(work, flow);
		bpf_map_delete_elem(&flows, &work->key);
		return CLASSIFY_NEW;
	}
	if ((flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN)
		return CLASSIFY_SYN_ON_LIVE_FLOW;
	if (flow->level == TAP_FULL)
		routing_segment(ctx, hook, work, flow);
	if (flow->level == TAP_FULL || flags & SEG_SYN)
		return level_full_packet(ctx, hook, work, flow);
	return level_heads_packet(ctx, hook, work, flow);
}

/* A segment between this host and a service. */
TAP_INLINE int classify_service(void *ctx, enum tap_hook hook, const struct pkt *pkt, __u32 ifindex,
				__u32 dir)
{
	struct tap_work *work = tap_work();
	/* The verifier sees a path on which nothing else is written to it. */
	struct tap_key key = {};
	__u32 side = flow_key_fill(&key, pkt);

	if (!work)
		return TAP_CNT_LOST;
	classify_fill_work(work, pkt, &key, side);
	classify_fill_arrival(work, ctx, hook, ifindex, dir);
	return hook == TAP_HOOK_SKB ? dependency_tcp_skb(ctx) : dependency_tcp_xdp(ctx);
}

/* The same, a datagram. */
TAP_INLINE int classify_service_datagram(void *ctx, enum tap_hook hook, const struct pkt *pkt,
					 __u32 ifindex, __u32 dir)
{
	struct tap_work *work = tap_work();

	if (!work)
		return TAP_CNT_LOST;
	pkt_datagram(pkt, &work->seg);
	work->payload_off = pkt->payload_off;
	tap_seg_tunnel(&work->seg, TUNNEL_NONE);
	classify_fill_arrival(work, ctx, hook, ifindex, dir);
	return hook == TAP_HOOK_SKB ? dependency_udp_skb(ctx) : dependency_udp_xdp(ctx);
}

/* A datagram: forward it if it belongs to SQL Server Browser, or to a service. */
TAP_INLINE int classify_datagram(void *ctx, enum tap_hook hook, const struct pkt *pkt,
				 __u32 ifindex, __u32 dir)
{
	enum tap_counter result = sql_browser_classify(pkt);
	struct tap_work *work;

	if (result == TAP_CNT_OTHER && dependency_is_udp(pkt, dir))
		return classify_service_datagram(ctx, hook, pkt, ifindex, dir);
	if (result != TAP_CNT_DATAGRAM)
		return result;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;
	tap_seg_tunnel(&work->seg, pkt->tunnel);
	classify_fill_arrival(work, ctx, hook, ifindex, dir);
	return hook == TAP_HOOK_SKB ? sql_browser_skb(ctx) : sql_browser_xdp(ctx);
}

TAP_INLINE bool classify_is_watched(const struct pkt *pkt)
{
	return tap_port(pkt->dport) || tap_port(pkt->sport);
}

/* A TCP packet. watched: classify_is_watched(). */
TAP_INLINE int classify_tcp(void *ctx, enum tap_hook hook, const struct pkt *pkt, bool watched,
			    __u32 ifindex, __u32 dir)
{
	if (!watched) {
		if (dependency_is_tcp(pkt, dir)) {
			/* With any_port it may also be TDS, and is counted as that. */
			int found = classify_service(ctx, hook, pkt, ifindex, dir);

			if (!tap_any_port)
				return found;
		}
		if (!tap_any_port) {
			if (tap_recognise_unwatched)
				recognise_unwatched(ctx, hook, pkt);
			return TAP_CNT_OTHER;
		}
	}
	return classify_segment(ctx, hook, pkt, ifindex, dir);
}

/* Count packets that are not TCP or not on a port of interest; pass on the others. */
TAP_INLINE int classify_packet(void *ctx, enum tap_hook hook, const struct pkt *pkt,
			       enum pkt_result parsed, __u32 ifindex, __u32 dir)
{
	if (parsed == PKT_SHORT)
		return TAP_CNT_SHORT;
	if (parsed == PKT_FRAGMENT)
		return TAP_CNT_FRAGMENT;
	if (parsed == PKT_EXT_HEADERS)
		return TAP_CNT_EXT_HEADERS;
	if (parsed == PKT_UDP)
		return classify_datagram(ctx, hook, pkt, ifindex, dir);
	if (TAP_DECAP && parsed == PKT_NESTED)
		return TAP_CNT_NESTED;
	if (parsed != PKT_TCP)
		return TAP_CNT_OTHER;
	return classify_tcp(ctx, hook, pkt, classify_is_watched(pkt), ifindex, dir);
}

/* Read one header of the frame in the work. Returns CLASSIFY_INNER, or the packet's result. */
TAP_INLINE int classify_step(void *ctx, enum tap_hook hook, const void *data, const void *end,
			     __u32 ifindex, __u32 dir)
{
	const struct decap_config config = {
		.vxlan = {tap_decap.vxlan[0], tap_decap.vxlan[1]},
		.geneve = {tap_decap.geneve[0], tap_decap.geneve[1]},
		.gre = tap_decap.gre,
		.erspan = tap_decap.erspan,
	};
	struct tap_work *work = tap_work();
	enum pkt_result parsed;
	struct pkt pkt = {}; /* kernels before 6.3 reject reads of memory that was never written */

	if (!work)
		return TAP_CNT_LOST;
	parsed = decap_step(&work->decap, &config, &pkt, data, end);
	if (parsed == PKT_INNER)
		return CLASSIFY_INNER;
	return classify_packet(ctx, hook, &pkt, parsed, ifindex, dir);
}

__noinline int classify_step_skb(struct __sk_buff *skb, __u32 dir)
{
	if (!TAP_DECAP)
		return TAP_CNT_OTHER;
	return classify_step(skb, TAP_HOOK_SKB, (void *)(long)skb->data,
			     (void *)(long)skb->data_end, skb->ifindex, dir);
}

__noinline int classify_step_xdp(struct xdp_md *xdp, __u32 dir)
{
	if (!TAP_DECAP)
		return TAP_CNT_OTHER;
	return classify_step(xdp, TAP_HOOK_XDP, (void *)(long)xdp->data,
			     (void *)(long)xdp->data_end, xdp->ingress_ifindex, dir);
}

/* A frame that may contain tunnels; type is the EtherType of its first header. For TAP_DECAP. */
TAP_INLINE int classify_tunnels(void *ctx, enum tap_hook hook, __u16 type, __u32 frame_len,
				__u32 dir)
{
	struct tap_work *work = tap_work();
	int found;

	if (!work)
		return TAP_CNT_LOST;
	decap_init(&work->decap, type, frame_len);
	for (__u32 i = 0; i < DECAP_STEPS; i++) {
		found = hook == TAP_HOOK_SKB ? classify_step_skb(ctx, dir)
					     : classify_step_xdp(ctx, dir);
		if (found != CLASSIFY_INNER)
			return found;
	}
	return TAP_CNT_NESTED;
}

#define CLASSIFY_UNUSUAL (-1) /* classify_eth() or classify_xdp() has to parse the frame */

#if !TAP_DECAP
/* A usual frame. watched: one of its ports is. */
TAP_INLINE int classify_usual(void *ctx, enum tap_hook hook, const void *data, const void *end,
			      __u32 ifindex, __u32 dir, bool watched)
{
	struct pkt pkt;

	if (!pkt_set_usual(&pkt, data, end))
		return TAP_CNT_SHORT;
	pkt_set_usual_payload(&pkt);
	return classify_tcp(ctx, hook, &pkt, watched, ifindex, dir);
}

__noinline int classify_usual_skb(struct __sk_buff *skb, __u32 dir, __u32 watched)
{
	return classify_usual(skb, TAP_HOOK_SKB, (void *)(long)skb->data,
			      (void *)(long)skb->data_end, skb->ifindex, dir, watched);
}

__noinline int classify_usual_xdp(struct xdp_md *xdp, __u32 dir, __u32 watched)
{
	return classify_usual(xdp, TAP_HOOK_XDP, (void *)(long)xdp->data,
			      (void *)(long)xdp->data_end, xdp->ingress_ifindex, dir, watched);
}

/*
 * Usual frames on other ports end here. They are most of a host's traffic, and a call takes longer
 * than the test of the ports: so this is inlined, and classify_usual() reads the ports once more.
 * For frames that are not usual CLASSIFY_UNUSUAL.
 */
TAP_INLINE int classify_ports(void *ctx, enum tap_hook hook, const void *data, const void *end,
			      __u32 dir)
{
	struct pkt pkt;
	bool watched;

	if (!pkt_is_usual(data, end) || !pkt_set_usual(&pkt, data, end))
		return CLASSIFY_UNUSUAL;
	watched = classify_is_watched(&pkt);
	if (!watched && !tap_any_port && !tap_recognise_unwatched && !dependency_is_tcp(&pkt, dir))
		return TAP_CNT_OTHER;
	return hook == TAP_HOOK_SKB ? classify_usual_skb(ctx, dir, watched)
				    : classify_usual_xdp(ctx, dir, watched);
}
#endif

__noinline int classify_eth(struct __sk_buff *skb, __u32 dir)
{
	struct pkt pkt;
	enum pkt_result parsed;

	if (TAP_DECAP)
		return classify_tunnels(skb, TAP_HOOK_SKB, DECAP_ETH_FRAME, skb->len, dir);
	parsed =
		pkt_parse_eth(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len);
	return classify_packet(skb, TAP_HOOK_SKB, &pkt, parsed, skb->ifindex, dir);
}

__noinline int classify_ip(struct __sk_buff *skb, __u32 dir)
{
	const __u8 *data = (void *)(long)skb->data;
	struct pkt pkt;
	enum pkt_result parsed;

	if (TAP_DECAP) {
		if (data + 1 > (const __u8 *)(long)skb->data_end)
			return TAP_CNT_SHORT;
		return classify_tunnels(skb, TAP_HOOK_SKB,
					*data >> 4 == 6 ? PKT_ETH_IP6 : PKT_ETH_IP4, skb->len, dir);
	}
	parsed = pkt_parse_ip(&pkt, data, (void *)(long)skb->data_end, skb->len);
	return classify_packet(skb, TAP_HOOK_SKB, &pkt, parsed, skb->ifindex, dir);
}

/*
 * Only the first buffer's length is passed on. It matters only for IP lengths of 0, which do not
 * occur on a wire.
 */
__noinline int classify_xdp(struct xdp_md *xdp, __u32 dir)
{
	const void *data = (void *)(long)xdp->data;
	const void *end = (void *)(long)xdp->data_end;
	struct pkt pkt;
	enum pkt_result parsed;

	if (TAP_DECAP)
		return classify_tunnels(xdp, TAP_HOOK_XDP, DECAP_ETH_FRAME,
					xdp->data_end - xdp->data, dir);
	parsed = pkt_parse_eth(&pkt, data, end, xdp->data_end - xdp->data);
	return classify_packet(xdp, TAP_HOOK_XDP, &pkt, parsed, xdp->ingress_ifindex, dir);
}

#endif
