/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * level_full.h - a flow at TAP_FULL: everything is forwarded, up to its budget, while its frames
 * are walked. So TAP_HEADS can start at any segment: when user space asks for it, or by itself when
 * the budget is exhausted. A large result right after the login is therefore not lost, even if user
 * space is slow to see the login.
 */
#ifndef TDSMON_LEVEL_FULL_H
#define TDSMON_LEVEL_FULL_H

#include "command_timer.h"
#include "flow_table.h"
#include "frame_walk.h"
#include "packet_ctx.h"

/* Walk the frames of a segment that is not the usual one. Returns enum frame_walk_end. */
TAP_INLINE int level_full_frames(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct segment_walk *walk = &work->walk;
	struct frame_track *track = &work->track;

	if (!work)
		return FRAME_WALK_BROKEN;
	__builtin_memset(walk, 0, sizeof(*walk));
	walk->full = 1;
	walk->seq = work->seg.seq;
	walk->end = walk->seq + work->seg.len;
	walk->avail = work->avail;
	if (track->state == TRACK_SYNCED && seq_diff(walk->seq, track->next + track->have) > 0)
		frame_walk_lose(track); /* a head is among the missing bytes */
	if (!frame_walk_start(work, track, walk))
		return FRAME_WALK_DONE;
	return frame_walk_run(ctx, hook, work, track);
}

__noinline int level_full_frames_skb(struct __sk_buff *skb)
{
	return level_full_frames(skb, TAP_HOOK_SKB);
}

__noinline int level_full_frames_xdp(struct xdp_md *xdp)
{
	return level_full_frames(xdp, TAP_HOOK_XDP);
}

/* Does no frame begin, and no message end, in a segment that reaches to end? */
TAP_INLINE bool level_full_is_mid_frame(const struct frame_track *track, __u32 end)
{
	__s32 left = seq_diff(track->next + track->have, end);

	return track->state == TRACK_SYNCED &&
	       (left > 0 || (!left && !(track->flags & TRACK_LAST_FRAME)));
}

/* Note the frames that begin and end in the segment in the work. */
TAP_INLINE void level_full_walk(void *ctx, enum tap_hook hook, struct tap_work *work,
				struct tap_flow *flow, struct frame_track *track)
{
	struct segment_heads heads = {};
	int end;

	if (frame_walk_usual(ctx, hook, track, &heads, work->seg.seq, work->seg.len,
			     work->payload_off)) {
		frame_walk_time_command(flow, work->side, &heads, &work->seg.ts_ns);
		return;
	}
	work->track = *track;
	end = hook == TAP_HOOK_SKB ? level_full_frames_skb(ctx) : level_full_frames_xdp(ctx);
	if (end != FRAME_WALK_DONE)
		frame_walk_lose(&work->track);
	if (end != FRAME_WALK_DONE || work->walk.sync)
		command_timer_cancel(flow);
	*track = work->track;
	frame_walk_time_command(flow, work->side, &work->walk.heads, &work->seg.ts_ns);
}

/* Note the segment in the work, which is forwarded. */
TAP_INLINE void level_full_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
				   struct tap_flow *flow)
{
	struct frame_track *track = flow_track(flow, work->side);
	__u32 end = work->seg.seq + work->seg.len;

	if (!work->seg.len)
		return;
	if (!level_full_is_mid_frame(track, end))
		level_full_walk(ctx, hook, work, flow, track);
	if (!(track->flags & TRACK_SEEN) || seq_diff(end, track->end) > 0)
		track->end = end;
	track->flags |= TRACK_SEEN;
}

/*
 * When its budget is exhausted, a flow goes on at TAP_HEADS if the frames of both sides are known.
 * Otherwise user space gets a last header, and then only the flow's end, unless it asks for more: a
 * flood of packets reaches it no further than that.
 */
TAP_INLINE void level_full_exhausted(struct tap_flow *flow)
{
	if (flow->level != TAP_FULL || flow->bytes < tap_budget)
		return;
	if (flow->track[0].state != TRACK_SYNCED || flow->track[1].state != TRACK_SYNCED)
		return;
	flow->level = TAP_HEADS;
	flow->marks |= FLOW_BUDGET_EXHAUSTED;
}

/* before: where its side's stream ended without the FIN's segment. */
TAP_INLINE void level_full_fin(const struct tap_work *work, struct tap_flow *flow, __u32 before)
{
	struct frame_track *track = flow_track(flow, work->side);

	flow->marks |= FLOW_FIN;
	if (seq_diff(work->seg.seq, before) > 0 ||
	    seq_diff(work->seg.seq + work->seg.len, before) < 0)
		return; /* bytes are missing before it, or it is a repetition */
	track->end = work->seg.seq + work->seg.len;
	track->flags |= TRACK_SEEN;
	flow->marks |= FLOW_ENDED;
	flow_track_fin(track);
}

/* Returns enum classify. */
TAP_INLINE int level_full_packet(void *ctx, enum tap_hook hook, struct tap_work *work,
				 struct tap_flow *flow)
{
	struct frame_track *track = flow_track(flow, work->side);
	__u32 before = track->flags & TRACK_SEEN ? track->end : work->seg.seq;
	__u8 flags = work->seg.flags;

	if (flags & SEG_SYN)
		return CLASSIFY_FULL;
	if (!(flags & (SEG_FIN | SEG_RST))) {
		if (flow->bytes >= tap_budget) {
			flow->level = TAP_CLOSE;
			return CLASSIFY_BUDGET;
		}
		/* not atomic, so the two directions may miss each other's bytes */
		flow->bytes += work->seg.len + sizeof(struct seg);
	}
	if (flags & SEG_RST) {
		flow->marks |= flow_resets(flow, work->side, work->seg.seq) ? FLOW_RST | FLOW_ENDED
									    : FLOW_RST;
		return CLASSIFY_FULL;
	}
	level_full_segment(ctx, hook, work, flow);
	if (flags & SEG_FIN)
		level_full_fin(work, flow, before);
	return CLASSIFY_FULL;
}

/* The stream and a frame begin at next. */
TAP_INLINE void level_full_stream_starts_at(struct frame_track *track, __u32 next)
{
	track->state = TRACK_SYNCED;
	track->next = track->end = track->acked = next; /* the handshake is over */
	track->flags = TRACK_SEEN | TRACK_ACKED;
}

/*
 * Start to follow a flow with the segment in the work. client: which side the client is. known: the
 * segment is the client's first, so it begins a frame, as the server's answer does. False if the
 * map refused (LRU maps do under contention).
 */
TAP_INLINE bool level_full_begin(void *ctx, enum tap_hook hook, __u32 client, __u32 known)
{
	struct tap_work *work = tap_work();
	struct tap_flow flow = {.level = TAP_FULL, .last_heartbeat = flow_heartbeat_epoch()};
	long err;

	if (!work)
		return false;
	flow.bytes = work->seg.len;
	flow.client = client;
	flow.server = command_timer_server(&work->seg, work->side != client);
	if (known) {
		level_full_stream_starts_at(flow_track(&flow, work->side), work->seg.seq);
		level_full_stream_starts_at(flow_track(&flow, !work->side), work->seg.ack);
	}
	level_full_segment(ctx, hook, work, &flow);
	err = bpf_map_update_elem(&flows, &work->key, &flow, BPF_NOEXIST);
	return !err || err == -17; /* EEXIST: the other direction was first, on another CPU */
}

__noinline int level_full_begin_skb(struct __sk_buff *skb, __u32 client, __u32 known)
{
	return level_full_begin(skb, TAP_HOOK_SKB, client, known);
}

__noinline int level_full_begin_xdp(struct xdp_md *xdp, __u32 client, __u32 known)
{
	return level_full_begin(xdp, TAP_HOOK_XDP, client, known);
}

#endif
