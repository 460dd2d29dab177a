/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * walk.h - walks the frames of a flow at TAP_HEADS, so that its commands are counted and timed
 * here. User space is handed heads alone: all of SMP, and where it asks for commands the first of
 * each message and the last, all of TLS, and the place where a message ends. The rest is passed
 * over, as is all of a flow at TAP_CLOSE.
 *
 * What was passed over is made up for by the next record: it says SEG_F_HEADS. Before a
 * record that stands in no order to what was passed over (a FIN, a RST, payload of a direction
 * whose boundaries are lost), a mark is handed over: a record without payload at the place that
 * the stream has come to.
 */
#ifndef TDSMON_WALK_H
#define TDSMON_WALK_H

#include "frames.h"

#define WALK_COUNT_MAX 32768u	 /* commands that user space is told of at the latest */
#define WALK_WINDOW    (1 << 30) /* RFC 7323 2.3: no segment is further from where a stream is */

/*
 * Does the stream pass a multiple of 2^30 bytes? User space is told of it then: it can't tell how
 * far the stream has come otherwise.
 */
TAP_INLINE bool walk_far(const struct walk *walk, __u32 end)
{
	return (walk->end ^ end) >> 30 && walk_diff(end, walk->end) > 0;
}

/* The stream has come to end, without a record that says so. */
TAP_INLINE void walk_silent(struct walk *walk, __u32 end)
{
	if (walk->flags & WALK_SEEN && walk_diff(end, walk->end) <= 0)
		return;
	walk->end = end;
	walk->flags |= WALK_SEEN | WALK_BEHIND;
}

/*
 * Most segments end here: they carry the middle of a frame, or come again. True: it is taken
 * note of, and nothing of it is to be handed over.
 */
TAP_INLINE bool walk_passes(const struct pkt *pkt, struct flow *flow, __u32 side)
{
	struct walk *walk = walk_of(flow, side);
	__u32 end = pkt_be32(pkt->tcp->seq_be) + pkt->payload_len;
	__s32 left;

	if (!pkt->payload_len)
		return !(flow->marks & FLOW_FIN);
	if (flow->level == TAP_HEADS) {
		left = walk_diff(walk->next + walk->have, end);
		if (walk->state == WALK_LOST)
			return false;
		if (walk->state == WALK_HEADS &&
		    (left < 0 || (left == 0 && walk->flags & WALK_LAST)))
			return false;
	}
	if (flow->beat != flow_beat() || walk_far(walk, end))
		return false;
	if (walk_diff(end, walk->end) <= 0)
		flow_note_resent(flow, walk, pkt_be32(pkt->tcp->seq_be));
	else if (flow->sealed)
		turn_sealed(flow, side, pkt->tcp->flags);
	walk_silent(walk, end);
	return true;
}

TAP_INLINE void walk_add_counts(struct flow *flow, const struct walk_at *at)
{
	if (tap_commands || !at->begins)
		return;
	for (int i = 0; i < TAP_COUNTS; i++) {
		flow->counts[i] += at->counts[i];
		if (flow->counts[i] >= WALK_COUNT_MAX)
			flow->beat = ~flow_beat(); /* the next segment tells */
	}
}

/*
 * The usual segment of those that don't pass: it begins with a TDS packet, which ends with it or
 * beyond it. True: it is taken note of, as above.
 */
TAP_INLINE bool walk_quick(void *ctx, enum tap_hook hook, const struct pkt *pkt, struct flow *flow,
			   __u32 side)
{
	struct walk *walk = walk_of(flow, side);
	__u32 seq = pkt_be32(pkt->tcp->seq_be), end = seq + pkt->payload_len;
	struct walk_at at = {};
	__u64 now_ns = 0;

	if (tap_commands || flow->level != TAP_HEADS || flow->beat != flow_beat() ||
	    walk_far(walk, end) ||
	    !walk_packet_alone(ctx, hook, walk, &at, seq, pkt->payload_len, pkt->payload_off))
		return false;
	walk_add_counts(flow, &at);
	walk_turn(flow, side, &at, &now_ns);
	walk_silent(walk, end);
	return true;
}

/* What was passed over of a direction is told, where it matters to what comes. */
TAP_INLINE void walk_catch_up(struct walk *walk, __u32 other, struct walk_at *at)
{
	if (!(walk->flags & WALK_BEHIND))
		return;
	walk->flags &= ~WALK_BEHIND;
	walk_result(at, walk_mark(walk->end, other));
}

/* The work's segment, of flags alone or of nothing, at seq; and what user space does not know of.
 */
TAP_INLINE void walk_tell(struct tap_work *work, struct flow *flow, struct walk_at *at, __u32 seq)
{
	struct tap_counts *counts = (struct tap_counts *)work->head;
	int err;

	for (int i = 0; i < 5; i++)
		counts->commands[i] = flow->counts[i];
	counts->resets = flow->counts[TAP_COUNTS - 1];
	counts->awaiting = !flow->sealed && flow->turn != TURN_IDLE;
	work->seg.seq = seq;
	work->seg.len = 0;
	err = walk_record(0, SEG_F_COUNTS);
	walk_result(at, err);
	at->told = seq == at->end;
	if (err)
		return;
	for (int i = 0; i < TAP_COUNTS; i++)
		flow->counts[i] = 0;
}

/*
 * No boundary is known from seq on, which was reached: user space is brought there, and handed
 * what it has not got yet of a head that was cut.
 */
TAP_INLINE void walk_broken(struct tap_work *work, struct walk *walk, struct walk_at *at, __u32 seq)
{
	if (walk->have && cut_fetch(work, walk->next)) {
		walk_emit(work, at, walk->next, walk->have, walk->have);
	} else {
		walk_result(at, walk_mark(seq, 0));
	}
	walk->flags &= ~WALK_BEHIND;
	walk_lose(walk);
}

/* The segment from seq on, as at TAP_FULL, as long as its flow's budget lasts. */
TAP_INLINE void walk_hand_over(void *ctx, enum tap_hook hook, struct tap_work *work,
			       struct flow *flow, struct walk_at *at, __u32 seq)
{
	struct walk *other = walk_of(flow, !work->side);
	__u32 skip = seq - at->seq;

	if (flow->bytes >= tap_budget) {
		at->budget = 1;
		return;
	}
	walk_catch_up(other, 1, at);
	walk_time(work);
	work->seg.seq = seq;
	work->seg.len = at->end - seq;
	work->seg.flags = at->flags;
	work->payload_off += skip;
	work->avail = at->avail > skip ? at->avail - skip : 0;
	flow->bytes += work->avail + sizeof(struct seg);
	walk_result(at, hook == TAP_HOOK_SKB ? emit_skb(ctx) : emit_xdp(ctx));
	at->told = 1;
	at->whole = 1;
}

/* The heads in the segment, or all of it from where no boundary is known. */
TAP_INLINE void walk_heads(void *ctx, enum tap_hook hook, struct tap_work *work, struct flow *flow,
			   struct walk *walk, struct walk_at *at)
{
	bool lost = walk->state == WALK_LOST;
	enum walk_end end = WALK_DONE;
	__u32 from = at->seq;

	if (walk_starts(work, walk, at))
		end = walk_frames(ctx, hook, work, walk);
	walk_add_counts(flow, at);
	if (lost) {
		if (end != WALK_DONE)
			walk_lose(walk);
		else if (at->sync)
			flow->bytes = 0;
	} else {
		if (end == WALK_DONE) {
			walk_turn(flow, work->side, at, &work->seg.ts_ns);
			return;
		}
		from = walk->next + walk->have;
		walk_broken(work, walk, at, from);
	}
	turn_lose(flow);
	walk_hand_over(ctx, hook, work, flow, at, from);
}

/* A FIN in its place is the last that this side says. */
TAP_INLINE void walk_fin(struct walk *walk)
{
	walk->state = WALK_OPAQUE;
	walk->flags |= WALK_FIN;
}

/* Is the FIN behind all that was seen of its side, and nothing missing before it? */
TAP_INLINE bool walk_fin_counts(const struct walk *walk, const struct walk_at *at)
{
	return !(walk->flags & WALK_SEEN) ||
	       (walk_diff(at->seq, walk->end) <= 0 && walk_diff(at->end, walk->end) >= 0);
}

/*
 * A RST that its receiver does not take, or a FIN with bytes missing before it: nothing is changed
 * by it. User space knows how far both streams have come before it is handed over as it is.
 */
TAP_INLINE bool walk_doubtful(struct tap_work *work, struct flow *flow, struct walk *walk,
			      struct walk_at *at)
{
	struct seg *seg = &work->seg;

	if (at->flags & SEG_RST
		    ? flow_resets(flow, work->side, at->seq)
		    : !(at->flags & SEG_FIN) || at->seq != at->end || walk_fin_counts(walk, at))
		return false;
	walk_catch_up(walk_of(flow, !work->side), 1, at);
	walk_catch_up(walk, 0, at);
	walk_time(work);
	seg->seq = at->seq;
	seg->len = at->end - at->seq;
	seg->flags = at->flags;
	if (seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	walk_result(at, emit_head(work) ? 0 : -1);
	return true;
}

/* A FIN, a RST or an ACK: whatever was passed over in either direction comes before it. */
TAP_INLINE void walk_closing(struct tap_work *work, struct flow *flow, struct walk *walk,
			     struct walk_at *at)
{
	struct walk *other = walk_of(flow, !work->side);

	walk_catch_up(other, 1, at);
	if (at->flags & SEG_RST) {
		walk_silent(walk, at->end);
		walk_catch_up(walk, 0, at);
	}
	if (at->flags & SEG_FIN)
		walk_fin(walk);
	work->seg.flags = at->flags;
	if (at->flags & (SEG_FIN | SEG_RST)) {
		turn_sealed_over(flow);
		walk_tell(work, flow, at, at->end);
	} else {
		walk_emit(work, at, at->end, 0, 0);
	}
}

/* What is handed over whole tells no counts: they come before it. */
TAP_INLINE void walk_tell_first(struct tap_work *work, struct flow *flow, const struct walk *walk,
				struct walk_at *at)
{
	if (at->flags & (SEG_FIN | SEG_RST))
		walk_tell(work, flow, at, walk->flags & WALK_SEEN ? walk->end : at->seq);
}

/*
 * The ports are used again, by the SYN in the work: what user space does not know of the old
 * connection's commands is told before that is forgotten.
 */
TAP_INLINE void walk_replaced(struct tap_work *work, struct flow *flow)
{
	const struct walk *walk = walk_of(flow, work->side);
	__u32 seq = work->seg.seq, len = work->seg.len, any = 0;
	__u8 flags = work->seg.flags;

	for (int i = 0; i < TAP_COUNTS; i++)
		any |= flow->counts[i];
	if (!any || !(walk->flags & WALK_SEEN))
		return;
	work->seg.ts_ns = 0;
	work->seg.flags = 0;
	walk_tell(work, flow, &work->at, walk->end);
	work->seg.seq = seq;
	work->seg.len = len;
	work->seg.flags = flags;
}

TAP_INLINE void walk_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
			     struct flow *flow, struct walk *walk, struct walk_at *at)
{
	bool heads = flow->level == TAP_HEADS && walk->state != WALK_OPAQUE, far;

	if (at->flags & SEG_FIN)
		flow->marks |= FLOW_FIN;
	if (at->flags & SEG_RST)
		flow->marks |= FLOW_RST;
	if (walk_doubtful(work, flow, walk, at))
		return;
	if (flow->sealed && at->seq != at->end && walk_diff(at->end, walk->end) > 0)
		turn_sealed(flow, work->side, at->flags);
	if (heads && walk->state == WALK_HEADS && walk_diff(at->seq, walk->next + walk->have) > 0)
		walk_broken(work, walk, at, walk->end); /* a head is in what is missing */
	if (at->flags & SEG_RST || (at->flags & SEG_FIN && walk_fin_counts(walk, at)))
		flow->marks |= FLOW_ENDED;
	if (heads && walk->state == WALK_LOST)
		walk_tell_first(work, flow, walk, at);
	if (heads && (walk->state == WALK_LOST || at->seq != at->end))
		walk_heads(ctx, hook, work, flow, walk, at);
	if (!at->whole && (at->flags & (SEG_FIN | SEG_RST) || at->seq == at->end))
		walk_closing(work, flow, walk, at);

	far = walk->flags & WALK_SEEN && walk_far(walk, at->end);
	walk_silent(walk, at->end);
	if (at->told && walk->end == at->end)
		walk->flags &= ~WALK_BEHIND;
	else if (far)
		walk_catch_up(walk, 0, at);
	if (flow->beat != flow_beat()) {
		flow->beat = flow_beat();
		walk->flags &= ~WALK_BEHIND;
		work->seg.flags = 0;
		walk_tell(work, flow, at, walk->end);
	}
}

/* What becomes of a segment of a flow at TAP_HEADS or TAP_CLOSE. */
TAP_INLINE enum tap_counter walk_packet(void *ctx, enum tap_hook hook, struct tap_work *work,
					struct flow *flow)
{
	struct walk_at *at = &work->at;
	struct walk *walk = &work->walk;
	__s32 ahead;

	__builtin_memset(at, 0, sizeof(*at));
	at->seq = work->seg.seq;
	at->end = at->seq + work->seg.len;
	at->avail = work->avail;
	at->flags = work->seg.flags;
	*walk = *walk_of(flow, work->side);
	ahead = walk_diff(at->seq, walk->end);
	if (walk->flags & WALK_SEEN && (ahead > WALK_WINDOW || ahead < -WALK_WINDOW))
		return TAP_CNT_SKIPPED;
	work->seg.ts_ns = 0;
	work->seg.flags &= ~(SEG_FIN | SEG_RST | SEG_PSH);
	walk_segment(ctx, hook, work, flow, walk, at);
	if (at->sealed)
		flow->sealed = 1;
	*walk_of(flow, work->side) = *walk;
	if (at->lost)
		return TAP_CNT_LOST;
	if (at->emitted)
		return TAP_CNT_EVENT;
	return at->budget ? TAP_CNT_BUDGET : TAP_CNT_SKIPPED;
}

#endif
