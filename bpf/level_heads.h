/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * level_heads.h - a flow at TAP_HEADS: walks its frames, so that the kernel counts and times its
 * commands. User space only gets heads: all of SMP, and, if it asks for commands, the first and the
 * last head of each message, all heads of TLS, and the position at which a message ends. Everything
 * else is skipped, as is everything of a flow at TAP_CLOSE.
 *
 * The next record, flagged SEG_F_HEADS, implies the bytes that were skipped. A record that does not
 * (a FIN, a RST, payload of a direction whose boundaries are lost) comes after a mark: a record
 * without payload at the stream's current position.
 */
#ifndef TDSMON_LEVEL_HEADS_H
#define TDSMON_LEVEL_HEADS_H

#include "command_timer.h"
#include "flow_table.h"
#include "frame_walk.h"
#include "packet_ctx.h"
#include "ringbuf.h"
#include "split_head.h"

#define LEVEL_HEADS_COUNT_MAX 32768u /* commands after which user space gets the counts */
#define LEVEL_HEADS_WINDOW                                                                         \
	(1 << 30) /* RFC 7323 2.3: a valid segment is no further from the stream's position */

/*
 * Does the stream pass a multiple of 2^30 bytes? Then user space gets a mark, because it could not
 * tell otherwise how far the stream has come.
 */
TAP_INLINE bool level_heads_is_far(const struct frame_track *track, __u32 end)
{
	return (track->end ^ end) >> 30 && seq_diff(end, track->end) > 0;
}

/* The stream has reached end, and no record says so. */
TAP_INLINE void level_heads_advance(struct frame_track *track, __u32 end)
{
	if (track->flags & TRACK_SEEN && seq_diff(end, track->end) <= 0)
		return;
	track->end = end;
	track->flags |= TRACK_SEEN | TRACK_BEHIND;
}

/*
 * Most segments end here: they lie within a frame, or are retransmissions. True: the segment was
 * noted, and nothing of it is forwarded.
 */
TAP_INLINE bool level_heads_skip(const struct pkt *pkt, struct tap_flow *flow, __u32 side)
{
	struct frame_track *track = flow_track(flow, side);
	__u32 end = pkt_be32(pkt->tcp->seq_be) + pkt->payload_len;
	__s32 left;

	if (!pkt->payload_len)
		return !(flow->marks & FLOW_FIN);
	if (flow->level == TAP_HEADS) {
		left = seq_diff(track->next + track->have, end);
		if (track->state == TRACK_LOST)
			return false;
		if (track->state == TRACK_SYNCED &&
		    (left < 0 || (left == 0 && track->flags & TRACK_LAST_FRAME)))
			return false;
	}
	if (flow->last_heartbeat != flow_heartbeat_epoch() || level_heads_is_far(track, end))
		return false;
	if (seq_diff(end, track->end) <= 0)
		flow_note_resent(flow, track, pkt_be32(pkt->tcp->seq_be));
	else if (flow->encrypted)
		command_timer_encrypted(flow, side, pkt->tcp->flags);
	level_heads_advance(track, end);
	return true;
}

TAP_INLINE void level_heads_add_count(struct tap_flow *flow, __u32 which, __u32 count)
{
	flow->counts[which] += count;
	if (flow->counts[which] >= LEVEL_HEADS_COUNT_MAX)
		/* the next segment's record carries the counts */
		flow->last_heartbeat = ~flow_heartbeat_epoch();
}

TAP_INLINE void level_heads_add_counts(struct tap_flow *flow, const struct segment_walk *walk)
{
	if (!walk->counted)
		return;
	for (int i = 0; i < TAP_COUNTS; i++)
		level_heads_add_count(flow, i, walk->counts[i]);
}

/* Count the request that begins in the usual segment, which is one at most. */
TAP_INLINE void level_heads_count(struct tap_flow *flow, const struct segment_heads *heads)
{
	__u32 kind = heads->kind;

	if (!heads->begins || kind > LATENCY_ATTENTION)
		return;
	tap_opaque(kind);
	level_heads_add_count(flow, kind & 7, 1); /* old verifiers understand only a mask */
	if (heads->resets)
		level_heads_add_count(flow, TAP_COUNT_RESETS, 1);
}

/*
 * The usual segment of those that are not skipped: frame_walk_usual(). True: the segment was noted,
 * and nothing of it is forwarded.
 */
TAP_INLINE bool level_heads_quick(void *ctx, enum tap_hook hook, const struct pkt *pkt,
				  struct tap_flow *flow, __u32 side)
{
	struct frame_track *track = flow_track(flow, side);
	__u32 seq = pkt_be32(pkt->tcp->seq_be), end = seq + pkt->payload_len;
	struct segment_heads heads = {};
	__u64 now_ns = 0;

	if (tap_commands || flow->level != TAP_HEADS || flow->encrypted ||
	    flow->last_heartbeat != flow_heartbeat_epoch() || level_heads_is_far(track, end) ||
	    !frame_walk_usual(ctx, hook, track, &heads, seq, pkt->payload_len, pkt->payload_off))
		return false;
	level_heads_count(flow, &heads);
	frame_walk_time_command(flow, side, &heads, &now_ns);
	level_heads_advance(track, end);
	return true;
}

/* Emit a mark if bytes of this direction were skipped and no record says so. */
TAP_INLINE void level_heads_catch_up(struct frame_track *track, __u32 other,
				     struct segment_walk *walk)
{
	if (!(track->flags & TRACK_BEHIND))
		return;
	track->flags &= ~TRACK_BEHIND;
	frame_walk_result(walk, frame_walk_emit_position(track->end, other));
}

/*
 * Emit the counts that user space does not know, with the work's segment at seq, which has no
 * payload.
 */
TAP_INLINE void level_heads_emit_counts(struct tap_work *work, struct tap_flow *flow,
					struct segment_walk *walk, __u32 seq)
{
	struct tap_counts *counts = (struct tap_counts *)work->head;
	int err;

	for (int i = 0; i < TAP_COMMANDS; i++)
		counts->commands[i] = flow->counts[i];
	counts->resets = flow->counts[TAP_COUNT_RESETS];
	counts->awaiting = !flow->encrypted && flow->request != REQUEST_IDLE;
	work->seg.seq = seq;
	work->seg.len = 0;
	err = frame_walk_emit_record(0, SEG_F_COUNTS);
	frame_walk_result(walk, err);
	walk->reported = seq == walk->end;
	if (err)
		return;
	for (int i = 0; i < TAP_COUNTS; i++)
		flow->counts[i] = 0;
}

/*
 * The frame boundary is lost at seq. Emit the part of a split head that user space does not have,
 * or else a mark.
 */
TAP_INLINE void level_heads_unsynced(struct tap_work *work, struct frame_track *track,
				     struct segment_walk *walk, __u32 seq)
{
	if (track->have && split_head_restore(work, track->next)) {
		frame_walk_emit(work, walk, track->next, track->have, track->have);
	} else {
		frame_walk_result(walk, frame_walk_emit_position(seq, 0));
	}
	track->flags &= ~TRACK_BEHIND;
	frame_walk_lose(track);
}

/* Forward the segment from seq on, as at TAP_FULL, while the flow's budget lasts. */
TAP_INLINE void level_heads_forward(void *ctx, enum tap_hook hook, struct tap_work *work,
				    struct tap_flow *flow, struct segment_walk *walk, __u32 seq)
{
	struct frame_track *other = flow_track(flow, !work->side);
	__u32 skip = seq - walk->seq;

	if (flow->bytes >= tap_budget) {
		walk->over_budget = 1;
		return;
	}
	level_heads_catch_up(other, 1, walk);
	frame_walk_set_time(work);
	work->seg.seq = seq;
	work->seg.len = walk->end - seq;
	work->seg.flags = walk->flags;
	work->payload_off += skip;
	work->avail = walk->avail > skip ? walk->avail - skip : 0;
	flow->bytes += work->avail + sizeof(struct seg);
	frame_walk_result(walk, hook == TAP_HOOK_SKB ? ringbuf_skb(ctx) : ringbuf_xdp(ctx));
	walk->reported = 1;
	walk->whole = 1;
}

/* Forward the heads in the segment, and everything from where no boundary is known. */
TAP_INLINE void level_heads_walk(void *ctx, enum tap_hook hook, struct tap_work *work,
				 struct tap_flow *flow, struct frame_track *track,
				 struct segment_walk *walk)
{
	bool lost = track->state == TRACK_LOST;
	enum frame_walk_end end = FRAME_WALK_DONE;
	__u32 from = walk->seq;

	if (frame_walk_start(work, track, walk))
		end = frame_walk_run(ctx, hook, work, track);
	level_heads_add_counts(flow, walk);
	if (lost) {
		if (end != FRAME_WALK_DONE)
			frame_walk_lose(track);
		else if (walk->sync)
			flow->bytes = 0;
	} else {
		if (end == FRAME_WALK_DONE) {
			frame_walk_time_command(flow, work->side, &walk->heads, &work->seg.ts_ns);
			return;
		}
		from = track->next + track->have;
		level_heads_unsynced(work, track, walk, from);
	}
	command_timer_cancel(flow);
	level_heads_forward(ctx, hook, work, flow, walk, from);
}

/* Does the FIN come after all bytes seen from its side, with none missing before it? */
TAP_INLINE bool level_heads_fin_in_order(const struct frame_track *track,
					 const struct segment_walk *walk)
{
	return !(track->flags & TRACK_SEEN) ||
	       (seq_diff(walk->seq, track->end) <= 0 && seq_diff(walk->end, track->end) >= 0);
}

/*
 * A RST that its receiver ignores, or a FIN with bytes missing before it, changes nothing here. It
 * is forwarded as it is, after marks for both directions. True: it was one of these.
 */
TAP_INLINE bool level_heads_doubtful(struct tap_work *work, struct tap_flow *flow,
				     struct frame_track *track, struct segment_walk *walk)
{
	struct seg *seg = &work->seg;

	if (walk->flags & SEG_RST ? flow_resets(flow, work->side, walk->seq)
				  : !(walk->flags & SEG_FIN) || walk->seq != walk->end ||
					    level_heads_fin_in_order(track, walk))
		return false;
	level_heads_catch_up(flow_track(flow, !work->side), 1, walk);
	level_heads_catch_up(track, 0, walk);
	frame_walk_set_time(work);
	seg->seq = walk->seq;
	seg->len = walk->end - walk->seq;
	seg->flags = walk->flags;
	if (seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	frame_walk_result(walk, ringbuf_header(work) ? 0 : -1);
	return true;
}

/* A FIN, a RST or an ACK. Bytes skipped in either direction come before it. */
TAP_INLINE void level_heads_closing(struct tap_work *work, struct tap_flow *flow,
				    struct frame_track *track, struct segment_walk *walk)
{
	struct frame_track *other = flow_track(flow, !work->side);

	level_heads_catch_up(other, 1, walk);
	if (walk->flags & SEG_RST) {
		level_heads_advance(track, walk->end);
		level_heads_catch_up(track, 0, walk);
	}
	if (walk->flags & SEG_FIN)
		flow_track_fin(track);
	work->seg.flags = walk->flags;
	if (walk->flags & (SEG_FIN | SEG_RST)) {
		command_timer_encrypted_end(flow);
		level_heads_emit_counts(work, flow, walk, walk->end);
	} else {
		frame_walk_emit(work, walk, walk->end, 0, 0);
	}
}

/* A segment that is forwarded whole carries no counts, so they are emitted before it. */
TAP_INLINE void level_heads_emit_counts_first(struct tap_work *work, struct tap_flow *flow,
					      const struct frame_track *track,
					      struct segment_walk *walk)
{
	if (walk->flags & (SEG_FIN | SEG_RST))
		level_heads_emit_counts(work, flow, walk,
					track->flags & TRACK_SEEN ? track->end : walk->seq);
}

/*
 * The SYN in the work uses the ports again: emit the old connection's counts before they are
 * forgotten.
 */
TAP_INLINE void level_heads_replaced(struct tap_work *work, struct tap_flow *flow)
{
	const struct frame_track *track = flow_track(flow, work->side);
	__u32 seq = work->seg.seq, len = work->seg.len, any = 0;
	__u8 flags = work->seg.flags;

	for (int i = 0; i < TAP_COUNTS; i++)
		any |= flow->counts[i];
	if (!any || !(track->flags & TRACK_SEEN))
		return;
	work->seg.ts_ns = 0;
	work->seg.flags = 0;
	level_heads_emit_counts(work, flow, &work->walk, track->end);
	work->seg.seq = seq;
	work->seg.len = len;
	work->seg.flags = flags;
}

TAP_INLINE void level_heads_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
				    struct tap_flow *flow, struct frame_track *track,
				    struct segment_walk *walk)
{
	bool heads = flow->level == TAP_HEADS && track->state != TRACK_OPAQUE, far;

	if (walk->flags & SEG_FIN)
		flow->marks |= FLOW_FIN;
	if (walk->flags & SEG_RST)
		flow->marks |= FLOW_RST;
	if (level_heads_doubtful(work, flow, track, walk))
		return;
	if (flow->encrypted && walk->seq != walk->end && seq_diff(walk->end, track->end) > 0)
		command_timer_encrypted(flow, work->side, walk->flags);
	if (heads && track->state == TRACK_SYNCED &&
	    seq_diff(walk->seq, track->next + track->have) > 0)
		level_heads_unsynced(work, track, walk,
				     track->end); /* a head is among the missing bytes */
	if (walk->flags & SEG_RST ||
	    (walk->flags & SEG_FIN && level_heads_fin_in_order(track, walk)))
		flow->marks |= FLOW_ENDED;
	if (heads && track->state == TRACK_LOST)
		level_heads_emit_counts_first(work, flow, track, walk);
	if (heads && (track->state == TRACK_LOST || walk->seq != walk->end))
		level_heads_walk(ctx, hook, work, flow, track, walk);
	if (!walk->whole && (walk->flags & (SEG_FIN | SEG_RST) || walk->seq == walk->end))
		level_heads_closing(work, flow, track, walk);

	far = track->flags & TRACK_SEEN && level_heads_is_far(track, walk->end);
	level_heads_advance(track, walk->end);
	if (walk->reported && track->end == walk->end)
		track->flags &= ~TRACK_BEHIND;
	else if (far)
		level_heads_catch_up(track, 0, walk);
	if (flow->last_heartbeat != flow_heartbeat_epoch()) {
		flow->last_heartbeat = flow_heartbeat_epoch();
		track->flags &= ~TRACK_BEHIND;
		work->seg.flags = 0;
		level_heads_emit_counts(work, flow, walk, track->end);
	}
}

/* Handle a segment of a flow at TAP_HEADS or TAP_CLOSE. */
TAP_INLINE enum tap_counter level_heads_packet(void *ctx, enum tap_hook hook, struct tap_work *work,
					       struct tap_flow *flow)
{
	struct segment_walk *walk = &work->walk;
	struct frame_track *track = &work->track;
	__s32 ahead;

	__builtin_memset(walk, 0, sizeof(*walk));
	walk->seq = work->seg.seq;
	walk->end = walk->seq + work->seg.len;
	walk->avail = work->avail;
	walk->flags = work->seg.flags;
	*track = *flow_track(flow, work->side);
	ahead = seq_diff(walk->seq, track->end);
	if (track->flags & TRACK_SEEN &&
	    (ahead > LEVEL_HEADS_WINDOW || ahead < -LEVEL_HEADS_WINDOW))
		return TAP_CNT_SKIPPED;
	work->seg.ts_ns = 0;
	work->seg.flags &= ~(SEG_FIN | SEG_RST | SEG_PSH);
	level_heads_segment(ctx, hook, work, flow, track, walk);
	if (walk->encrypted)
		flow->encrypted = 1;
	*flow_track(flow, work->side) = *track;
	if (walk->lost)
		return TAP_CNT_LOST;
	if (walk->emitted)
		return TAP_CNT_EVENT;
	return walk->over_budget ? TAP_CNT_BUDGET : TAP_CNT_SKIPPED;
}

#endif
