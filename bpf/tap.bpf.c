// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tap.bpf.c - the tap: decides for each packet what of it user space gets to see. It knows ports
 * and flows, and nothing of logins. It never drops, changes or redirects a packet.
 */
#include "handshake.h"
#include "locate.h"
#include "recognise.h"

#define TAP_TC_PASS -1 /* TC_ACT_UNSPEC: go on as if this program were not there */
/* bytes, more than the headers of any usual packet */
#define TAP_PULL (TAP_DECAP ? 1024u : 256u)

/* A packet without payload on a port not watched: keep it if it is part of a kept handshake. */
TAP_INLINE void tap_handshake(const struct tap_work *work, struct half *half)
{
	const struct seg *seg = &work->seg;

	if (seg->flags & (SEG_RST | SEG_FIN))
		half_end();
	else if (seg->flags & SEG_SYN && half_answers(half, seg))
		half_answer(half, seg);
	else if (half_from_client(half, work) && half->state & HALF_ANSWERED &&
		 !(half->state & 1 << HALF_ACK) && half_proves(half, seg))
		half_keep(half, seg, HALF_ACK);
}

/* A port not watched, and any_port: keep the handshake back until the client has spoken. */
TAP_INLINE enum tap_counter tap_stranger(void *ctx, enum tap_hook hook, const struct tap_work *work)
{
	struct half *half = half_of_work();
	__u8 peek[TAP_PEEK] = {};
	bool first, ok;

	if (!work->seg.len || work->seg.flags & SEG_SYN) {
		if (half)
			tap_handshake(work, half);
		return TAP_CNT_OTHER;
	}
	first = half && work->seg.seq == half->syn.seq + 1;
	if (work->avail < TAP_PEEK || !tap_peek(ctx, hook, work->payload_off, peek) ||
	    !tap_recognise(peek, first)) {
		half_end();
		return TAP_CNT_OTHER;
	}
	ok = handshake_follow(ctx, hook, work, false, first);
	if (half && half_emit())
		return TAP_CNT_LOST;
	half_end();
	return ok ? TAP_CNT_EVENT : TAP_CNT_FLOW_MISS;
}

/* A segment of no flow: take note of it, and decide. */
TAP_INLINE enum tap_counter tap_new(void *ctx, enum tap_hook hook, const struct tap_work *work,
				    int found)
{
	bool watched = tap_port(work->seg.dport) || tap_port(work->seg.sport);

	if ((work->seg.flags & (SEG_SYN | SEG_ACK | SEG_RST)) == SEG_SYN)
		return handshake_syn(work, watched, found == LOCATE_WITHIN);
	if (watched)
		return handshake_packet(ctx, hook, work);
	return tap_stranger(ctx, hook, work);
}

/* found: enum locate. */
TAP_INLINE enum tap_counter tap_packet(void *ctx, enum tap_hook hook, int found)
{
	struct tap_work *work = tap_work();
	enum tap_counter result = TAP_CNT_EVENT;
	int err;

	if (!work)
		return TAP_CNT_LOST;
	walk_time(work);
	if (found == LOCATE_NEW || found == LOCATE_WITHIN)
		result = tap_new(ctx, hook, work, found);
	if (result == TAP_CNT_OTHER || result == TAP_CNT_SKIPPED)
		return result;
	if (found == LOCATE_BUDGET) {
		result = TAP_CNT_BUDGET;
		work->avail = 0;
	}
	err = hook == TAP_HOOK_SKB ? emit_skb(ctx) : emit_xdp(ctx);
	return err ? TAP_CNT_LOST : result;
}

TAP_INLINE void tap_finish(void *ctx, enum tap_hook hook, int found)
{
	if (found >= LOCATE_NEW)
		found = tap_packet(ctx, hook, found);
	tap_count(found);
}

/* How user space is told of the direction. */
TAP_INLINE enum seg_dir tap_dir(enum seg_dir dir)
{
	return tap_mirror ? SEG_DIR_UNKNOWN : dir;
}

/* Headers that lie beyond the linear part: have them put there, which changes no byte. */
TAP_INLINE bool tap_pull(struct __sk_buff *skb, int found)
{
	__u32 len = skb->len;

	if (found != TAP_CNT_SHORT || len <= skb->data_end - skb->data)
		return false;
	return !bpf_skb_pull_data(skb, len < TAP_PULL ? len : TAP_PULL);
}

TAP_INLINE int tap_skb(struct __sk_buff *skb, enum seg_dir dir)
{
	int found = locate_eth(skb, tap_dir(dir));

	if (tap_pull(skb, found))
		found = locate_eth(skb, tap_dir(dir));
	tap_finish(skb, TAP_HOOK_SKB, found);
	return TAP_TC_PASS;
}

/* For tunnels and other devices whose frames start with the IP header. */
TAP_INLINE int tap_skb_ip(struct __sk_buff *skb, enum seg_dir dir)
{
	int found = locate_ip(skb, tap_dir(dir));

	if (tap_pull(skb, found))
		found = locate_ip(skb, tap_dir(dir));
	tap_finish(skb, TAP_HOOK_SKB, found);
	return TAP_TC_PASS;
}

TAP_INLINE void tap_steer_one(const struct tap_steer *steer)
{
	struct tap_key key = steer->key;
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (!flow)
		return;
	if (steer->level == TAP_OVER) {
		if (flow->marks & (FLOW_FIN | FLOW_RST)) /* else its ports are in use again */
			bpf_map_delete_elem(&flows, &key);
		return;
	}
	flow->client = steer->client;
	flow->server = steer->server;
	if (flow->level != steer->level || flow->marks & FLOW_SPENT)
		flow->bytes = 0; /* anew, for when the kernel does not know a frame boundary */
	flow->marks &= ~FLOW_SPENT;
	flow->level = steer->level;
}

/*
 * Not attached: user space runs it by BPF_PROG_TEST_RUN to steer flows, struct tap_steers being the
 * packet. An update of the map would put back what packets have changed meanwhile.
 */
SEC("tc")
int tap_steer(struct __sk_buff *skb)
{
	const struct tap_steers *steers = (void *)(long)skb->data;
	const struct tap_steer *steer = steers->at;

	for (int i = 0; i < TAP_STEERS; i++, steer++) {
		if ((void *)(steer + 1) > (void *)(long)skb->data_end)
			break;
		tap_steer_one(steer);
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
	tap_finish(xdp, TAP_HOOK_XDP, locate_xdp(xdp, tap_dir(SEG_DIR_INGRESS)));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
