/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * full.h - a flow at TAP_FULL: all of it is handed over, up to its budget, and its frames are
 * walked meanwhile. So TAP_HEADS can go on at any segment, where user space says so, or by itself
 * where the budget is used up: a result on the heels of the login is no loss, however long user
 * space takes to hear of the login.
 */
#ifndef TDSMON_FULL_H
#define TDSMON_FULL_H

#include "walk.h"

/* What locating a packet comes to, if not to what it is counted as: it is in the work. */
enum locate {
	LOCATE_NEW = TAP_CNT_MAX, /* of no flow, or the SYN of a new one */
	LOCATE_WITHIN,		  /* a SYN on the ports of a flow that is not over */
	LOCATE_FULL,		  /* to be handed over */
	LOCATE_BUDGET,		  /* the same, but its payload */
	LOCATE_INNER,		  /* not located yet: it is in a tunnel */
};

/* The frames of the segment in the work, which are not as simple as usual; an enum walk_end. */
TAP_INLINE int full_frames(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct walk_at *at = &work->at;
	struct walk *walk = &work->walk;

	if (!work)
		return WALK_BROKEN;
	__builtin_memset(at, 0, sizeof(*at));
	at->full = 1;
	at->seq = work->seg.seq;
	at->end = at->seq + work->seg.len;
	at->avail = work->avail;
	if (walk->state == WALK_HEADS && walk_diff(at->seq, walk->next + walk->have) > 0)
		walk_lose(walk); /* a head is in what is missing */
	if (!walk_starts(work, walk, at))
		return WALK_DONE;
	return walk_frames(ctx, hook, work, walk);
}

__noinline int full_frames_skb(struct __sk_buff *skb)
{
	return full_frames(skb, TAP_HOOK_SKB);
}

__noinline int full_frames_xdp(struct xdp_md *xdp)
{
	return full_frames(xdp, TAP_HOOK_XDP);
}

/* Does nothing begin or end in a segment that reaches to end? */
TAP_INLINE bool full_within(const struct walk *walk, __u32 end)
{
	__s32 left = walk_diff(walk->next + walk->have, end);

	return walk->state == WALK_HEADS && (left > 0 || (!left && !(walk->flags & WALK_LAST)));
}

/* What begins and ends in the segment in the work. */
TAP_INLINE void full_walk(void *ctx, enum tap_hook hook, struct tap_work *work, struct flow *flow,
			  struct walk *walk)
{
	struct walk_at at = {};
	int end;

	if (walk_packet_alone(ctx, hook, walk, &at, work->seg.seq, work->seg.len,
			      work->payload_off)) {
		walk_turn(flow, work->side, &at, &work->seg.ts_ns);
		return;
	}
	work->walk = *walk;
	end = hook == TAP_HOOK_SKB ? full_frames_skb(ctx) : full_frames_xdp(ctx);
	if (end != WALK_DONE)
		walk_lose(&work->walk);
	if (end != WALK_DONE || work->at.sync)
		turn_lose(flow);
	*walk = work->walk;
	walk_turn(flow, work->side, &work->at, &work->seg.ts_ns);
}

/* The segment in the work, which is handed over. */
TAP_INLINE void full_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
			     struct flow *flow)
{
	struct walk *walk = walk_of(flow, work->side);
	__u32 end = work->seg.seq + work->seg.len;

	if (!work->seg.len)
		return;
	if (!full_within(walk, end))
		full_walk(ctx, hook, work, flow, walk);
	if (!(walk->flags & WALK_SEEN) || walk_diff(end, walk->end) > 0)
		walk->end = end;
	walk->flags |= WALK_SEEN;
}

/*
 * A flow whose budget is used up goes on at TAP_HEADS if both sides' frames are known; else user
 * space is told by a last header, and then of its end alone, unless it asks for more: a flood of
 * packets reaches it no further than that.
 */
TAP_INLINE void full_spend(struct flow *flow)
{
	if (flow->level != TAP_FULL || flow->bytes < tap_budget)
		return;
	if (flow->walk[0].state != WALK_HEADS || flow->walk[1].state != WALK_HEADS)
		return;
	flow->level = TAP_HEADS;
	flow->marks |= FLOW_SPENT;
}

/* before: how far its side had come without the FIN's segment. */
TAP_INLINE void full_fin(const struct tap_work *work, struct flow *flow, __u32 before)
{
	struct walk *walk = walk_of(flow, work->side);

	flow->marks |= FLOW_FIN;
	if (walk_diff(work->seg.seq, before) > 0 ||
	    walk_diff(work->seg.seq + work->seg.len, before) < 0)
		return; /* bytes are missing before it, or it has had its place */
	walk->end = work->seg.seq + work->seg.len;
	walk->flags |= WALK_SEEN;
	flow->marks |= FLOW_ENDED;
	walk_fin(walk);
}

/* enum locate */
TAP_INLINE int full_packet(void *ctx, enum tap_hook hook, struct tap_work *work, struct flow *flow)
{
	struct walk *walk = walk_of(flow, work->side);
	__u32 before = walk->flags & WALK_SEEN ? walk->end : work->seg.seq;
	__u8 flags = work->seg.flags;

	if (flags & SEG_SYN)
		return LOCATE_FULL;
	if (!(flags & (SEG_FIN | SEG_RST))) {
		if (flow->bytes >= tap_budget) {
			flow->level = TAP_CLOSE;
			return LOCATE_BUDGET;
		}
		/* the two directions may miss each other's bytes: a budget, not an account */
		flow->bytes += work->seg.len + sizeof(struct seg);
	}
	if (flags & SEG_RST) {
		flow->marks |= flow_resets(flow, work->side, work->seg.seq) ? FLOW_RST | FLOW_ENDED
									    : FLOW_RST;
		return LOCATE_FULL;
	}
	full_segment(ctx, hook, work, flow);
	if (flags & SEG_FIN)
		full_fin(work, flow, before);
	return LOCATE_FULL;
}

/* A stream begins at next, and a frame with it. */
TAP_INLINE void full_known(struct walk *walk, __u32 next)
{
	walk->state = WALK_HEADS;
	walk->next = walk->end = walk->acked = next; /* the handshake is over */
	walk->flags = WALK_SEEN | WALK_ACKED;
}

/*
 * Start following a flow with the segment in the work. client: which side that is; known: the
 * segment is the client's first, so a frame begins with it, and with the server's answer. False if
 * the map refused (LRU maps do under contention).
 */
TAP_INLINE bool full_begin(void *ctx, enum tap_hook hook, __u32 client, __u32 known)
{
	struct tap_work *work = tap_work();
	struct flow flow = {.level = TAP_FULL, .beat = flow_beat()};
	long err;

	if (!work)
		return false;
	flow.bytes = work->seg.len;
	flow.client = client;
	flow.server = turn_server(&work->seg, work->side != client);
	if (known) {
		full_known(walk_of(&flow, work->side), work->seg.seq);
		full_known(walk_of(&flow, !work->side), work->seg.ack);
	}
	full_segment(ctx, hook, work, &flow);
	err = bpf_map_update_elem(&flows, &work->key, &flow, BPF_NOEXIST);
	return !err || err == -17; /* EEXIST: the other direction was first, on another CPU */
}

__noinline int full_begin_skb(struct __sk_buff *skb, __u32 client, __u32 known)
{
	return full_begin(skb, TAP_HOOK_SKB, client, known);
}

__noinline int full_begin_xdp(struct xdp_md *xdp, __u32 client, __u32 known)
{
	return full_begin(xdp, TAP_HOOK_XDP, client, known);
}

#endif
