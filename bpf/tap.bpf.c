// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tap.bpf.c - the tap: decides how much of each packet user space sees. It knows ports and flows,
 * and nothing about logins. It never drops, changes or redirects a packet.
 */
#include "classify.h"
#include "flow_table.h"
#include "half_open.h"
#include "handshake.h"
#include "packet_ctx.h"
#include "recognise.h"
#include "ringbuf.h"

#define TAP_TC_PASS -1 /* TC_ACT_UNSPEC: continue as if this program did not exist */
/* bytes; longer than the headers of any usual packet */
#define TAP_PULL (TAP_DECAP ? 1024u : 256u)

/* No payload, and no watched port: store the packet if it belongs to a stored handshake. */
TAP_INLINE void tap_handshake(const struct tap_work *work, struct tap_handshake *hs)
{
	const struct seg *seg = &work->seg;

	if (seg->flags & (SEG_RST | SEG_FIN))
		half_open_remove();
	else if (seg->flags & SEG_SYN && half_open_is_answered_by(hs, seg))
		half_open_note_synack(hs, seg);
	else if (half_open_from_client(hs, work) && hs->state & HANDSHAKE_SYNACK_SEEN &&
		 !(hs->state & 1 << HANDSHAKE_ACK) && half_open_is_proven_by(hs, seg))
		half_open_keep(hs, seg, HANDSHAKE_ACK);
}

/* any_port, and no watched port: store the handshake until the client sends payload. */
TAP_INLINE enum tap_counter untracked_other_port(void *ctx, enum tap_hook hook,
						 const struct tap_work *work)
{
	struct tap_handshake *hs = half_open_lookup();
	__u8 peek[RECOGNISE_PEEK] = {};
	bool first, ok;

	if (!work->seg.len || work->seg.flags & SEG_SYN) {
		if (hs)
			tap_handshake(work, hs);
		return TAP_CNT_OTHER;
	}
	first = hs && work->seg.seq == hs->syn.seq + 1;
	if (work->avail < RECOGNISE_PEEK || !recognise_peek(ctx, hook, work->payload_off, peek) ||
	    !recognise_tds(peek, first)) {
		half_open_remove();
		return TAP_CNT_OTHER;
	}
	ok = handshake_follow(ctx, hook, work, false, first);
	if (hs && half_open_emit())
		return TAP_CNT_LOST;
	half_open_remove();
	return ok ? TAP_CNT_EVENT : TAP_CNT_FLOW_MISS;
}

/* A segment without a flow: note it, and decide. */
TAP_INLINE enum tap_counter untracked_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
					      int found)
{
	bool watched = tap_port(work->seg.dport) || tap_port(work->seg.sport);

	if ((work->seg.flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN)
		return handshake_syn(work, watched, found == CLASSIFY_SYN_ON_LIVE_FLOW);
	frame_walk_set_time(work);
	if (watched)
		return handshake_packet(ctx, hook, work);
	return untracked_other_port(ctx, hook, work);
}

/* found: enum classify. */
TAP_INLINE enum tap_counter tap_packet(void *ctx, enum tap_hook hook, int found)
{
	struct tap_work *work = tap_work();
	enum tap_counter result = TAP_CNT_EVENT;
	int err;

	if (!work)
		return TAP_CNT_LOST;
	if (found == CLASSIFY_NEW || found == CLASSIFY_SYN_ON_LIVE_FLOW)
		result = untracked_segment(ctx, hook, work, found);
	if (result == TAP_CNT_OTHER || result == TAP_CNT_SKIPPED)
		return result;
	frame_walk_set_time(work);
	if (found == CLASSIFY_BUDGET) {
		result = TAP_CNT_BUDGET;
		work->avail = 0;
	}
	err = hook == TAP_HOOK_SKB ? ringbuf_skb(ctx) : ringbuf_xdp(ctx);
	return err ? TAP_CNT_LOST : result;
}

TAP_INLINE void tap_finish(void *ctx, enum tap_hook hook, int found)
{
	if (found >= CLASSIFY_NEW)
		found = tap_packet(ctx, hook, found);
	tap_count(found);
}

/* The direction as user space sees it. */
TAP_INLINE enum seg_dir tap_dir(enum seg_dir dir)
{
	return tap_mirror ? SEG_DIR_UNKNOWN : dir;
}

/* If headers lie beyond the linear part, move them there. This changes no byte of the packet. */
TAP_INLINE bool tap_pull(struct __sk_buff *skb, int found)
{
	__u32 len = skb->len;

	if (found != TAP_CNT_SHORT || len <= skb->data_end - skb->data)
		return false;
	return !bpf_skb_pull_data(skb, len < TAP_PULL ? len : TAP_PULL);
}

TAP_INLINE int tap_skb(struct __sk_buff *skb, enum seg_dir dir)
{
	int found = CLASSIFY_UNUSUAL;

#if !TAP_DECAP
	found = classify_ports(skb, TAP_HOOK_SKB, (void *)(long)skb->data,
			       (void *)(long)skb->data_end, tap_dir(dir));
#endif
	if (found == CLASSIFY_UNUSUAL) {
		found = classify_eth(skb, tap_dir(dir));
		if (tap_pull(skb, found))
			found = classify_eth(skb, tap_dir(dir));
	}
	tap_finish(skb, TAP_HOOK_SKB, found);
	return TAP_TC_PASS;
}

/* For tunnels and other devices whose frames start with the IP header. */
TAP_INLINE int tap_skb_ip(struct __sk_buff *skb, enum seg_dir dir)
{
	int found = classify_ip(skb, tap_dir(dir));

	if (tap_pull(skb, found))
		found = classify_ip(skb, tap_dir(dir));
	tap_finish(skb, TAP_HOOK_SKB, found);
	return TAP_TC_PASS;
}

TAP_INLINE void tap_steer_flow(const struct tap_steer *steer)
{
	struct tap_key key = steer->key;
	struct tap_flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (!flow)
		return;
	if (steer->level == TAP_OVER) {
		if (flow->marks & (FLOW_FIN | FLOW_RST)) /* otherwise its ports are in use again */
			bpf_map_delete_elem(&flows, &key);
		return;
	}
	flow->client = steer->client;
	flow->server = steer->server;
	if (flow->level != steer->level || flow->marks & FLOW_BUDGET_EXHAUSTED)
		flow->bytes = 0; /* a new budget, for when the kernel knows no frame boundary */
	flow->marks &= ~FLOW_BUDGET_EXHAUSTED;
	flow->level = steer->level;
}

/*
 * Not attached: user space runs it with BPF_PROG_TEST_RUN to steer flows; the packet is a struct
 * tap_steers. A map update from user space would overwrite what packets have changed meanwhile.
 */
SEC("tc")
int tap_steer(struct __sk_buff *skb)
{
	const struct tap_steers *steers = (void *)(long)skb->data;
	const struct tap_steer *steer = steers->at;

	for (int i = 0; i < TAP_STEERS; i++, steer++) {
		if ((void *)(steer + 1) > (void *)(long)skb->data_end)
			break;
		tap_steer_flow(steer);
	}
	return TAP_TC_PASS;
}

SEC("tc")
int tap_ingress(struct __sk_buff *skb)
{
	return tap_skb(skb, SEG_DIR_INGRESS);
}

SEC("tc")
int tap_egress(struct __sk_buff *skb)
{
	return tap_skb(skb, SEG_DIR_EGRESS);
}

SEC("tc")
int tap_ingress_ip(struct __sk_buff *skb)
{
	return tap_skb_ip(skb, SEG_DIR_INGRESS);
}

SEC("tc")
int tap_egress_ip(struct __sk_buff *skb)
{
	return tap_skb_ip(skb, SEG_DIR_EGRESS);
}

SEC("xdp")
int tap_xdp(struct xdp_md *xdp)
{
	int found = CLASSIFY_UNUSUAL;

#if !TAP_DECAP
	found = classify_ports(xdp, TAP_HOOK_XDP, (void *)(long)xdp->data,
			       (void *)(long)xdp->data_end, tap_dir(SEG_DIR_INGRESS));
#endif
	if (found == CLASSIFY_UNUSUAL)
		found = classify_xdp(xdp, tap_dir(SEG_DIR_INGRESS));
	tap_finish(xdp, TAP_HOOK_XDP, found);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
