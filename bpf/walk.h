/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * walk.h - walks the frames of a flow at TAP_HEADS, so that user space is handed heads alone: the
 * first of each message and the last, all of SMP, and the place where a message ends. The rest,
 * the bulk, is passed over, as is all of a flow at TAP_CLOSE.
 *
 * What was passed over is made up for by the next record: it says SEG_NOTE_HEADS. Before a
 * record that stands in no order to what was passed over (a FIN, a RST, payload of a direction
 * whose boundaries are lost), a mark is handed over: a record without payload at the place that
 * the stream has come to.
 */
#ifndef TDSMON_WALK_H
#define TDSMON_WALK_H

#include "half.h"

#define WALK_FRAMES 128u      /* most frames of a segment that are walked */
#define WALK_WINDOW (1 << 30) /* RFC 7323 2.3: no segment is further from where a stream is */
#define WALK_SYNC   512u      /* so long a segment shows by its first head alone to begin a frame */
#define WALK_TLS    (16384 + 2048) /* RFC 5246 6.2.3 */
#define WALK_TDS    32767	   /* MS-TDS 2.2.3.1.3 */
#define WALK_SMP    (1u << 20)	   /* one TDS packet in practice; MC-SMP sets no bound */

#define WALK_EOM       0x01 /* of a TDS header's status: MS-TDS 2.2.3.1.2 */
#define WALK_ATTENTION 0x06
#define WALK_TDS_TYPES                                                                             \
	(1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 14 |          \
	 1u << 15 | 1u << 16 | 1u << 17 | 1u << 18)

#define CUT_SLOTS 2048u

/*
 * A head that is cut across segments: the first bytes of the frame at next. A plain array with the
 * newest in each slot; what is pushed out is a frame boundary, which is found again.
 */
struct cut {
	struct tap_key key;
	__u32 next;
	__u8 head[WALK_HEAD];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CUT_SLOTS);
	__type(key, __u32);
	__type(value, struct cut);
} cuts SEC(".maps");

TAP_INLINE struct cut *cut_slot(const struct tap_work *work)
{
	__u32 index = ((__u32)(flow_key_hash(&work->key) >> 40) ^ work->side) & (CUT_SLOTS - 1);

	return bpf_map_lookup_elem(&cuts, &index);
}

/* Keep the head in the work, as much of it as there is. */
TAP_INLINE void cut_keep(const struct tap_work *work, __u32 next)
{
	struct cut *cut = cut_slot(work);

	if (!cut)
		return;
	cut->key = work->key;
	cut->next = next;
	__builtin_memcpy(cut->head, work->head, WALK_HEAD);
}

/* What was kept, back into the work. False if another one has taken its place. */
TAP_INLINE bool cut_fetch(struct tap_work *work, __u32 next)
{
	const struct cut *cut = cut_slot(work);

	if (!cut || cut->next != next || !flow_key_same(&cut->key, &work->key))
		return false;
	__builtin_memcpy(work->head, cut->head, WALK_HEAD);
	return true;
}

TAP_INLINE __s32 walk_diff(__u32 a, __u32 b)
{
	return (__s32)(a - b);
}

TAP_INLINE struct walk *walk_of(struct flow *flow, __u32 side)
{
	return side ? &flow->walk[1] : &flow->walk[0];
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
		return !flow->closing;
	if (flow->level == TAP_HEADS) {
		left = walk_diff(walk->next + walk->have, end);
		if (walk->state == WALK_LOST)
			return false;
		if (walk->state == WALK_HEADS &&
		    (left < 0 || (left == 0 && walk->flags & WALK_LAST)))
			return false;
	}
	if (flow->beat != flow_beat())
		return false;
	walk_silent(walk, end);
	return true;
}

/* --- records --- */

/* Time is taken for what is handed over alone: it costs as much as the flow's look-up. */
TAP_INLINE void walk_time(struct tap_work *work)
{
	if (!work->seg.ts_ns)
		work->seg.ts_ns = bpf_ktime_get_ns();
}

/* The work's segment, and cap_len bytes of the head in the work. */
__noinline int walk_record(__u32 cap_len)
{
	struct tap_work *work = tap_work();
	struct {
		struct seg seg;
		__u8 head[WALK_HEAD];
	} * rec;

	if (!work)
		return -1;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return -1;
	walk_time(work);
	rec->seg = work->seg;
	rec->seg.cap_len = cap_len < WALK_HEAD ? cap_len : WALK_HEAD;
	rec->seg.note = SEG_NOTE_HEADS;
	__builtin_memcpy(rec->head, work->head, WALK_HEAD);
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
	rec->note = SEG_NOTE_HEADS;
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

/* --- heads --- */

TAP_INLINE __u32 walk_be16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

TAP_INLINE bool walk_tds_header(const __u8 *p)
{
	__u32 len = walk_be16(p + 2);

	return p[0] < 32 && WALK_TDS_TYPES >> p[0] & 1 && len >= 8 && len <= WALK_TDS;
}

/*
 * How much of a head tells all that is to be known: 0, this is none. Only the first n bytes are
 * there; the answer may be more than that.
 */
TAP_INLINE __u32 walk_head_len(const __u8 *p, __u32 n)
{
	if (p[0] >= 0x14 && p[0] <= 0x18)
		return 5;
	if (p[0] == 0x53)
		return n > 1 && p[1] == 8 ? 24 : 16;
	return p[0] < 32 && WALK_TDS_TYPES >> p[0] & 1 ? 8 : 0;
}

/* The frame's length, by a complete head; 0: it is none. */
TAP_INLINE __u32 walk_frame_len(const __u8 *p)
{
	__u32 len;

	if (p[0] == 0x53) { /* MC-SMP 2.2.1 */
		len = p[4] | (__u32)p[5] << 8 | (__u32)p[6] << 16 | (__u32)p[7] << 24;
		if (p[1] != 1 && p[1] != 2 && p[1] != 4 && p[1] != 8)
			return 0;
		/* One TDS packet in each, as all do: else frames can't be told by SMP's heads. */
		if (p[1] == 8 && (!walk_tds_header(p + 16) || walk_be16(p + 18) + 16 != len))
			return 0;
		return len >= 16 && len <= WALK_SMP ? len : 0;
	}
	if (p[0] >= 0x14) { /* RFC 5246 6.2.1 */
		len = walk_be16(p + 3);
		return p[1] == 3 && p[2] <= 4 && len <= WALK_TLS ? 5 + len : 0;
	}
	return walk_tds_header(p) ? walk_be16(p + 2) : 0;
}

/* Nothing but what peers write: to take bytes for a head where none is known to be. */
TAP_INLINE bool walk_head_strict(const __u8 *p)
{
	return p[0] >= 0x14 || (!(p[1] & 0xe0) && !p[7]);
}

/* Take note of a head. True if user space is to see it. */
TAP_INLINE bool walk_note(struct walk *walk, const __u8 *p)
{
	__u8 flags = walk->flags & ~WALK_LAST;
	bool shown;

	if (p[0] == 0x53) {
		if (p[1] == 8 && p[17] & WALK_EOM)
			flags |= WALK_LAST;
		walk->flags = flags;
		return true;
	}
	if (p[0] >= 0x14) {
		walk->flags = flags;
		return false;
	}
	shown = !(flags & WALK_MESSAGE) || p[1] & WALK_EOM;
	if (p[1] & WALK_EOM)
		flags |= WALK_LAST;
	/* An attention may come between the packets of a request: MS-TDS 2.2.1.7 */
	if (p[0] != WALK_ATTENTION)
		flags = p[1] & WALK_EOM ? flags & ~WALK_MESSAGE : flags | WALK_MESSAGE;
	walk->flags = flags;
	return shown;
}

/* --- segments --- */

/* What became of walking a frame, or a segment's. */
enum walk_end {
	WALK_NEXT, /* the next frame begins in the segment as well */
	WALK_DONE,
	WALK_BROKEN, /* a frame's head is none, or can't be read, or there are too many */
	WALK_UNSURE, /* looking for a boundary: this may be one, and may be not */
};

TAP_INLINE void walk_result(struct walk_at *at, int err)
{
	if (err)
		at->lost = 1;
	else
		at->emitted = 1;
}

/* What was passed over of a direction is told, where it matters to what comes. */
TAP_INLINE void walk_catch_up(struct walk *walk, __u32 other, struct walk_at *at)
{
	if (!(walk->flags & WALK_BEHIND))
		return;
	walk->flags &= ~WALK_BEHIND;
	walk_result(at, walk_mark(walk->end, other));
}

TAP_INLINE void walk_emit(struct tap_work *work, struct walk_at *at, __u32 seq, __u32 len,
			  __u32 cap_len)
{
	work->seg.seq = seq;
	work->seg.len = len;
	walk_result(at, walk_record(cap_len));
	at->told = seq + len == at->end;
}

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
	__u32 have, need, len, left;

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
	walk->state = work->head[0] == 0x17 ? WALK_OPAQUE : WALK_HEADS;
	left = at->end - walk->next;
	if (walk_note(walk, work->head) && !at->sync)
		walk_emit(work, at, walk->next, len < left ? len : left, need);
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

/* The segment from seq on, as at TAP_FULL. */
TAP_INLINE void walk_hand_over(void *ctx, enum tap_hook hook, struct tap_work *work,
			       struct flow *flow, struct walk_at *at, __u32 seq)
{
	struct walk *other = walk_of(flow, !work->side);
	__u32 skip = seq - at->seq;

	walk_catch_up(other, 1, at);
	walk_time(work);
	work->seg.seq = seq;
	work->seg.len = at->end - seq;
	work->seg.flags = at->flags;
	work->payload_off += skip;
	work->avail = at->avail > skip ? at->avail - skip : 0;
	at->budget = flow->bytes >= tap_budget;
	if (at->budget)
		work->avail = 0;
	else
		flow->bytes += work->avail;
	walk_result(at, hook == TAP_HOOK_SKB ? emit_skb(ctx) : emit_xdp(ctx));
	at->told = 1;
	at->whole = 1;
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
		walk_emit(work, at, at->seq, before, 0); /* a message ends here */
	}
	return walk_diff(at->end, walk->next + walk->have) > 0;
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
	if (lost) {
		if (end != WALK_DONE)
			walk_lose(walk);
		else if (at->sync)
			flow->bytes = 0;
	} else {
		if (end == WALK_DONE)
			return;
		from = walk->next + walk->have;
		walk_broken(work, walk, at, from);
	}
	walk_hand_over(ctx, hook, work, flow, at, from);
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
		walk->state = WALK_OPAQUE; /* it is the last that this side says */
	work->seg.flags = at->flags;
	walk_emit(work, at, at->end, 0, 0);
}

TAP_INLINE void walk_segment(void *ctx, enum tap_hook hook, struct tap_work *work,
			     struct flow *flow, struct walk *walk, struct walk_at *at)
{
	bool heads = flow->level == TAP_HEADS && walk->state != WALK_OPAQUE;

	if (heads && walk->state == WALK_HEADS && walk_diff(at->seq, walk->next + walk->have) > 0)
		walk_broken(work, walk, at, walk->end); /* a head is in what is missing */
	if (at->flags & SEG_FIN)
		flow->closing = 1;
	if (heads && (walk->state == WALK_LOST || at->seq != at->end))
		walk_heads(ctx, hook, work, flow, walk, at);
	if (!at->whole && (at->flags & (SEG_FIN | SEG_RST) || at->seq == at->end))
		walk_closing(work, flow, walk, at);

	walk_silent(walk, at->end);
	if (at->told && walk->end == at->end)
		walk->flags &= ~WALK_BEHIND;
	if (flow->beat != flow_beat()) {
		flow->beat = flow_beat();
		walk_catch_up(walk, 0, at);
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
	*walk_of(flow, work->side) = *walk;
	if (at->lost)
		return TAP_CNT_LOST;
	if (at->budget)
		return TAP_CNT_BUDGET;
	return at->emitted ? TAP_CNT_EVENT : TAP_CNT_SKIPPED;
}

#endif
