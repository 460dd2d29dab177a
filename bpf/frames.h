/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frames.h - walks the frames of a segment from a boundary that is known, or to find one, and hands
 * over the heads that user space is to see.
 */
#ifndef TDSMON_FRAMES_H
#define TDSMON_FRAMES_H

#include "head.h"

#define WALK_FRAMES 128u /* most frames of a segment that are walked */
#define WALK_SYNC   512u /* so long a segment shows by its first head alone to begin a frame */

/* What a TDS packet's head says; ends: the packet does so in the segment. */
TAP_INLINE void walk_heed(struct walk_at *at, const __u8 *p, __u32 note, bool ends)
{
	at->heads = 1;
	if (note & HEAD_BEGINS) {
		at->begins = 1;
		at->kind = head_kind(p[0]);
		if (at->kind < LATENCY_KINDS)
			at->ends = 0; /* of the request before it */
		head_count(at->counts, p);
	}
	if (note & HEAD_ENDS && ends)
		at->ends = 1;
}

/* Who sent it decides what it means to the command under way. */
TAP_INLINE void walk_turn(struct flow *flow, __u32 side, const struct walk_at *at, __u64 *now_ns)
{
	if (side == flow->client)
		turn_asks(flow, at->begins, at->kind, at->ends, now_ns);
	else
		turn_answers(flow, at->heads, at->ends, now_ns);
}

/*
 * What most segments are: a TDS packet's beginning, and no other's. True: it is taken note of. A
 * segment of len bytes, whose payload stands at off.
 */
TAP_INLINE bool walk_packet_alone(void *ctx, enum tap_hook hook, struct walk *walk,
				  struct walk_at *at, __u32 seq, __u32 len, __u32 off)
{
	__u32 packet_len;
	__u8 head[8];

	if (walk->state != WALK_HEADS || walk->have || seq != walk->next || len < sizeof(head))
		return false;
	if (emit_load(ctx, hook, off, head, sizeof(head), sizeof(head)) || !walk_tds_header(head))
		return false;
	packet_len = walk_be16(head + 2);
	if (packet_len < len)
		return false;
	walk_heed(at, head, head_note_tds(walk, head), packet_len == len);
	if (packet_len == len)
		walk->flags &= ~WALK_LAST;
	walk->next = seq + packet_len;
	return true;
}

/* --- records --- */

/* Time is taken for what is handed over alone: it costs as much as the flow's look-up. */
TAP_INLINE void walk_time(struct tap_work *work)
{
	if (!work->seg.ts_ns)
		work->seg.ts_ns = bpf_ktime_get_ns();
}

/*
 * The work's segment, and cap_len bytes of the head in the work; or, where note has
 * SEG_F_COUNTS, those.
 */
__noinline int walk_record(__u32 cap_len, __u32 note)
{
	struct tap_work *work = tap_work();
	struct {
		struct seg seg;
		__u8 head[sizeof(struct tap_counts)];
	} * rec;

	if (!work)
		return -1;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return -1;
	walk_time(work);
	rec->seg = work->seg;
	rec->seg.cap_len = cap_len < WALK_HEAD ? cap_len : WALK_HEAD;
	rec->seg.rec_flags = SEG_F_HEADS | note;
	__builtin_memcpy(rec->head, work->head, sizeof(rec->head));
	bpf_ringbuf_submit(rec, emit_wakeup());
	return 0;
}

/*
 * A mark: the stream has come to seq. other: the direction that the segment at hand is not of; of
 * it nothing is known here but the addresses.
 */
__noinline int walk_mark(__u32 seq, __u32 other)
{
	struct tap_work *work = tap_work();
	struct seg *rec;

	if (!work)
		return -1;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return -1;
	walk_time(work);
	*rec = work->seg;
	rec->seq = seq;
	rec->len = 0;
	rec->cap_len = 0;
	rec->flags = 0;
	rec->rec_flags = SEG_F_HEADS;
	if (other) {
		__builtin_memcpy(rec->saddr, work->seg.daddr, sizeof(rec->saddr));
		__builtin_memcpy(rec->daddr, work->seg.saddr, sizeof(rec->daddr));
		rec->sport = work->seg.dport;
		rec->dport = work->seg.sport;
		rec->ack = 0;
		rec->window = 0;
		rec->ip_id = 0;
		if (rec->dir != SEG_DIR_UNKNOWN)
			rec->dir = SEG_DIR_INGRESS + SEG_DIR_EGRESS - rec->dir;
	}
	bpf_ringbuf_submit(rec, emit_wakeup());
	return 0;
}

TAP_INLINE void walk_result(struct walk_at *at, int err)
{
	if (err)
		at->lost = 1;
	else
		at->emitted = 1;
}

TAP_INLINE void walk_emit(struct tap_work *work, struct walk_at *at, __u32 seq, __u32 len,
			  __u32 cap_len)
{
	work->seg.seq = seq;
	work->seg.len = len;
	walk_result(at, walk_record(cap_len, 0));
	at->told = seq + len == at->end;
}

/* What became of walking a frame, or a segment's. */
enum walk_end {
	WALK_NEXT, /* the next frame begins in the segment as well */
	WALK_DONE,
	WALK_BROKEN, /* a frame's head is none, or can't be read, or there are too many */
	WALK_UNSURE, /* looking for a boundary: this may be one, and may be not */
};

/* The rest of the head at walk->next into the work, as much of it as there is; 0: none. */
TAP_INLINE __u32 walk_load(void *ctx, enum tap_hook hook, struct tap_work *work,
			   const struct walk *walk, const struct walk_at *at)
{
	__u32 have = walk->have, off = walk->next + have - at->seq, n = at->end - at->seq - off;

	if (have >= WALK_HEAD)
		return 0;
	if (n > WALK_HEAD - have)
		n = WALK_HEAD - have;
	if (!n || off >= at->avail || n > at->avail - off)
		return 0;
	n -= 1;
	tap_opaque(n);
	n = (n & 31) + 1;
	tap_opaque(have);
	have &= 31;
	if (emit_load(ctx, hook, work->payload_off + off, work->head + have, n, 32))
		return 0;
	return have + n;
}

/* The frame at walk->next, which is in the segment; a part of its head may have come before. */
TAP_INLINE enum walk_end walk_frame(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct walk_at *at = &work->at;
	struct walk *walk = &work->walk;
	__u32 have, need, len, left, note;

	if (!work)
		return WALK_BROKEN;
	have = walk_load(ctx, hook, work, walk, at);
	need = have ? walk_head_len(work->head, have) : 0;
	if (!need)
		return WALK_BROKEN;
	if (have < need) { /* the rest is in the next segment */
		cut_keep(work, walk->next);
		walk->have = have;
		return at->sync && at->frames < 2 ? WALK_UNSURE : WALK_DONE;
	}
	len = walk_frame_len(work->head);
	if (!len || (at->sync && !walk_head_strict(work->head)))
		return WALK_BROKEN;
	if (work->head[0] == 0x17)
		at->sealed = 1;
	walk->state =
		work->head[0] == 0x17 && !tap_commands && !at->full ? WALK_OPAQUE : WALK_HEADS;
	left = at->end - walk->next;
	note = head_note(walk, work->head);
	if (note & HEAD_SHOWN && !at->sync && !at->full)
		walk_emit(work, at, walk->next, len < left ? len : left, need);
	if (work->head[0] < 0x14 && !at->sync)
		walk_heed(at, work->head, note, len <= left);
	walk->next += len;
	walk->have = 0;
	at->frames++;
	if (len < left)
		return WALK_NEXT;
	if (len == left)
		walk->flags &= ~WALK_LAST;
	else if (at->sync && at->frames < 2 && at->end - at->seq < WALK_SYNC)
		return WALK_UNSURE;
	return WALK_DONE;
}

/* The same for each hook: by themselves, so that the verifier looks at them but once. */
__noinline int walk_frame_skb(struct __sk_buff *skb)
{
	return walk_frame(skb, TAP_HOOK_SKB);
}

__noinline int walk_frame_xdp(struct xdp_md *xdp)
{
	return walk_frame(xdp, TAP_HOOK_XDP);
}

TAP_INLINE enum walk_end walk_frames(void *ctx, enum tap_hook hook, struct tap_work *work,
				     const struct walk *walk)
{
	__u32 i;
	int end;

	if (walk->have && !cut_fetch(work, walk->next))
		return WALK_BROKEN;
	for (i = 0; i < WALK_FRAMES; i++) {
		end = hook == TAP_HOOK_SKB ? walk_frame_skb(ctx) : walk_frame_xdp(ctx);
		if (end != WALK_NEXT)
			return end;
	}
	return WALK_BROKEN;
}

TAP_INLINE void walk_lose(struct walk *walk)
{
	walk->state = WALK_LOST;
	walk->have = 0;
	walk->flags &= ~(WALK_MESSAGE | WALK_LAST);
}

/* Where walking begins in the segment, if it does. */
TAP_INLINE bool walk_starts(struct tap_work *work, struct walk *walk, struct walk_at *at)
{
	__s32 before = walk_diff(walk->next, at->seq);

	if (walk->state == WALK_LOST) {
		if (at->end == at->seq ||
		    (walk->flags & WALK_SEEN && walk_diff(at->seq, walk->end) < 0))
			return false;
		walk->next = at->seq;
		walk->have = 0;
		at->sync = 1;
		return true;
	}
	if (walk->flags & WALK_LAST && before > 0 && walk_diff(at->end, walk->next) >= 0) {
		walk->flags &= ~WALK_LAST;
		at->ends = 1; /* a message does, here */
		if (!at->full && (tap_commands || walk->flags & WALK_SMP))
			walk_emit(work, at, at->seq, before, 0);
	}
	return walk_diff(at->end, walk->next + walk->have) > 0;
}

#endif
