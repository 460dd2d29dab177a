/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frame_walk.h - walks the frames of a segment, from a known boundary or to find one, and forwards
 * the heads that user space needs.
 */
#ifndef TDSMON_FRAME_WALK_H
#define TDSMON_FRAME_WALK_H

#include "command_timer.h"
#include "flow_table.h"
#include "frame_head.h"
#include "packet_ctx.h"
#include "ringbuf.h"
#include "split_head.h"

#define FRAME_WALK_MAX	 128u	 /* most frames that are walked in a segment */
#define FRAME_WALK_FIRST 0x4000u /* bytes of a frame in which heads are read directly */
#define FRAME_WALK_SYNC	 512u	 /* bytes of a segment in which one typical head shows a boundary */

/*
 * Length of the head at p, of which n bytes are present; it may be more than n. 0: not a frame. An
 * SMP packet's head includes the head of the TDS packet in it.
 */
TAP_INLINE __u32 frame_walk_head_len(const __u8 *p, __u32 n)
{
	if (frame_is_tls_type(p[0]))
		return TLS_HEADER;
	if (p[0] == SMP_SMID)
		return n > 1 && p[1] == SMP_DATA ? FRAME_HEAD_MAX : SMP_HEADER;
	return frame_is_tds_type(p[0]) ? TDS_HEADER : 0;
}

/* Length of the frame by its complete head, which has a known type. 0: the head is not valid. */
TAP_INLINE __u32 frame_walk_len(const __u8 *p)
{
	__u32 len;

	if (p[0] == SMP_SMID) {
		len = frame_smp_len(p);
		if (!frame_smp_flags_valid(p))
			return 0;
		/* All peers put one TDS packet in each; otherwise SMP heads would hide frames. */
		if (p[1] == SMP_DATA && (!frame_tds_valid(p + SMP_HEADER) ||
					 frame_tds_len(p + SMP_HEADER) + SMP_HEADER != len))
			return 0;
		return frame_smp_len_valid(len) ? len : 0;
	}
	if (p[0] >= TLS_TYPE_FIRST) {
		len = frame_tls_len(p);
		return frame_tls_version_valid(p, TLS_HEADER) && frame_tls_len_valid(len) ? len : 0;
	}
	return frame_tds_valid(p) ? frame_tds_len(p) : 0;
}

/* Is the head written as real peers do? Checked where no boundary is known. */
TAP_INLINE bool frame_walk_is_typical(const __u8 *p)
{
	return p[0] >= TLS_TYPE_FIRST || frame_tds_is_typical(p);
}

/* The position of a packet in its message, by its head. */
#define HEAD_BEGINS_MESSAGE 0x01
#define HEAD_ENDS_MESSAGE   0x02
#define HEAD_FORWARDED	    0x04 /* user space needs it */

/* Note the head of a TDS packet. Returns HEAD_*. */
TAP_INLINE __u32 frame_walk_note_tds(struct frame_track *track, const __u8 *p)
{
	__u8 flags = track->flags & ~(TRACK_LAST_FRAME | TRACK_SMP);
	__u32 note = 0;

	if (!(flags & TRACK_IN_MESSAGE) || p[0] == TDS_ATTENTION)
		note |= HEAD_BEGINS_MESSAGE;
	if (p[1] & TDS_STATUS_EOM) {
		note |= HEAD_ENDS_MESSAGE;
		flags |= TRACK_LAST_FRAME;
	}
	/* An attention may come between the packets of a request: MS-TDS 2.2.1.7 */
	if (p[0] != TDS_ATTENTION)
		flags = p[1] & TDS_STATUS_EOM ? flags & ~TRACK_IN_MESSAGE
					      : flags | TRACK_IN_MESSAGE;
	track->flags = flags;
	return tap_commands && note ? note | HEAD_FORWARDED : note;
}

/* Note the head of any frame. SMP heads are all forwarded: user space separates the sessions. */
TAP_INLINE __u32 frame_walk_note(struct frame_track *track, const __u8 *p)
{
	__u8 flags = track->flags & ~(TRACK_LAST_FRAME | TRACK_SMP);

	if (p[0] == SMP_SMID) {
		flags |= TRACK_SMP;
		if (p[1] == SMP_DATA && p[SMP_HEADER + 1] & TDS_STATUS_EOM)
			flags |= TRACK_LAST_FRAME;
		track->flags = flags;
		return HEAD_FORWARDED;
	}
	if (p[0] < TLS_TYPE_FIRST)
		return frame_walk_note_tds(track, p);
	track->flags = tap_commands ? flags | TRACK_LAST_FRAME : flags;
	return tap_commands ? HEAD_FORWARDED : 0;
}

/* enum latency_kind of a packet type (MS-TDS 2.2.3.1.1); LATENCY_KINDS: not a request. */
TAP_INLINE __u32 frame_walk_command(__u8 type)
{
	if (type == TDS_RPC)
		return LATENCY_RPC;
	if (type == TDS_BATCH)
		return LATENCY_BATCH;
	if (type == TDS_TRANSACTION)
		return LATENCY_TRANSACTION;
	if (type == TDS_BULK)
		return LATENCY_BULK;
	return type == TDS_ATTENTION ? LATENCY_ATTENTION : LATENCY_KINDS;
}

/* Read a TDS packet's head. ends: the packet ends in this segment. */
TAP_INLINE void frame_walk_read_tds(struct segment_heads *heads, const __u8 *p, __u32 note,
				    bool ends)
{
	heads->any = 1;
	if (note & HEAD_BEGINS_MESSAGE) {
		heads->begins = 1;
		heads->kind = frame_walk_command(p[0]);
		heads->resets = !!(p[1] & TDS_STATUS_RESET);
		if (heads->kind < LATENCY_KINDS)
			heads->ends = 0; /* that was the previous request's */
	}
	if (note & HEAD_ENDS_MESSAGE && ends)
		heads->ends = 1;
}

/* Count the request that begins with the head that was read last. */
TAP_INLINE void frame_walk_count(struct segment_walk *walk)
{
	__u32 kind = walk->heads.kind;

	if (tap_commands || kind > LATENCY_ATTENTION)
		return;
	walk->counted = 1;
	tap_opaque(kind);
	if (kind <= LATENCY_ATTENTION)
		walk->counts[kind]++;
	walk->counts[TAP_COUNT_RESETS] += walk->heads.resets;
}

/* Update the current command's times. The sender decides what the heads mean. */
TAP_INLINE void frame_walk_time_command(struct tap_flow *flow, __u32 side,
					const struct segment_heads *heads, __u64 *now_ns)
{
	if (side == flow->client)
		command_timer_request(flow, heads->begins, heads->kind, heads->ends, now_ns);
	else
		command_timer_response(flow, heads->any, heads->ends, now_ns);
}

/*
 * The last of a response's packets that has its whole head in a segment, by the head of one of them;
 * left: the segment's bytes from that head on. Returns the distance of the two heads; 0: they are
 * the same. A response's packets have the negotiated length, except for its last (MS-TDS 2.2.3.1.3).
 */
TAP_INLINE __u32 frame_walk_stride(const __u8 *head, __u32 left)
{
	__u32 len = frame_tds_len(head), most = left - TDS_HEADER;

	return most - most % len;
}

/*
 * Is it the head of a packet of the same response, so many packets later, that reaches to the
 * segment's end? left: the segment's bytes from it on. All that real servers write the same in each
 * head must be the same: so bytes of a result, or a head of another message, are not taken for it.
 */
TAP_INLINE bool frame_walk_continues(const __u8 *first, const __u8 *head, __u32 packets, __u32 left)
{
	__u32 len = frame_tds_len(head), most = frame_tds_len(first);

	if (head[0] != first[0] || head[1] & ~TDS_STATUS_EOM || head[4] != first[4] ||
	    head[5] != first[5] || head[7] != first[7])
		return false;
	/* The packet number counts up; some servers write 0. */
	if (head[6] != (__u8)(first[6] + packets) && (head[6] || first[6]))
		return false;
	return head[1] ? len >= left && len <= most : len == most && len >= left;
}

/* Load a head at off of the frame. Most are in its first buffer, and need no helper's call. */
TAP_INLINE long frame_walk_load(void *ctx, enum tap_hook hook, __u32 off, __u8 *head)
{
	struct __sk_buff *skb = ctx;
	struct xdp_md *xdp = ctx;
	const __u8 *data = (void *)(long)(hook == TAP_HOOK_SKB ? skb->data : xdp->data);
	const __u8 *end = (void *)(long)(hook == TAP_HOOK_SKB ? skb->data_end : xdp->data_end);

	if (off < FRAME_WALK_FIRST) {
		__u32 first = off;

		tap_opaque(first);
		data += first & (FRAME_WALK_FIRST - 1); /* for old verifiers */
		if (data + TDS_HEADER <= end) {
			__builtin_memcpy(head, data, TDS_HEADER);
			return 0;
		}
	}
	return ringbuf_load(ctx, hook, off, head, TDS_HEADER, TDS_HEADER);
}

/*
 * The usual segment: a TDS packet begins in it that ends with it or after it; before that only
 * packets of the same response, of which one head is read. seq and len are the segment's, off is the
 * offset of its payload. True: the packets were noted.
 */
TAP_INLINE bool frame_walk_usual(void *ctx, enum tap_hook hook, struct frame_track *track,
				 struct segment_heads *heads, __u32 seq, __u32 len, __u32 off)
{
	__u32 at = track->next - seq, left = len - at, packet_len, stride;
	__u8 head[TDS_HEADER], last[TDS_HEADER];

	if (track->state != TRACK_SYNCED || track->have || at > len || left < sizeof(head) ||
	    (at && track->flags & TRACK_LAST_FRAME))
		return false;
	if (frame_walk_load(ctx, hook, off + at, head) || !frame_tds_valid(head))
		return false;
	packet_len = frame_tds_len(head);
	if (packet_len >= left) {
		frame_walk_read_tds(heads, head, frame_walk_note_tds(track, head),
				    packet_len == left);
	} else {
		stride = frame_walk_stride(head, left);
		if (head[0] != TDS_RESULT || head[1] ||
		    frame_walk_load(ctx, hook, off + at + stride, last) ||
		    !frame_walk_continues(head, last, stride / packet_len, left - stride))
			return false;
		frame_walk_read_tds(heads, head, frame_walk_note_tds(track, head), false);
		at += stride;
		left -= stride;
		packet_len = frame_tds_len(last);
		frame_walk_read_tds(heads, last, frame_walk_note_tds(track, last),
				    packet_len == left);
	}
	if (packet_len == left)
		track->flags &= ~TRACK_LAST_FRAME;
	track->next = seq + at + packet_len;
	return true;
}

/* --- records --- */

/* Read the clock only for forwarded packets: it costs as much as the flow's look-up. */
TAP_INLINE void frame_walk_set_time(struct tap_work *work)
{
	if (!work->seg.ts_ns)
		work->seg.ts_ns = bpf_ktime_get_ns();
}

/*
 * Emit the work's segment with cap_len bytes of the head in the work; with SEG_F_COUNTS in note,
 * with the counts instead.
 */
__noinline int frame_walk_emit_record(__u32 cap_len, __u32 note)
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
	frame_walk_set_time(work);
	rec->seg = work->seg;
	rec->seg.cap_len = cap_len < FRAME_HEAD_MAX ? cap_len : FRAME_HEAD_MAX;
	rec->seg.rec_flags = SEG_F_HEADS | note;
	__builtin_memcpy(rec->head, work->head, sizeof(rec->head));
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return 0;
}

/*
 * Emit a mark: the stream has reached seq. other: the mark is for the direction opposite to the
 * current segment's, so only the addresses are known.
 */
__noinline int frame_walk_emit_position(__u32 seq, __u32 other)
{
	struct tap_work *work = tap_work();
	struct seg *rec;

	if (!work)
		return -1;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return -1;
	frame_walk_set_time(work);
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
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return 0;
}

TAP_INLINE void frame_walk_result(struct segment_walk *walk, int err)
{
	if (err)
		walk->lost = 1;
	else
		walk->emitted = 1;
}

TAP_INLINE void frame_walk_emit(struct tap_work *work, struct segment_walk *walk, __u32 seq,
				__u32 len, __u32 cap_len)
{
	work->seg.seq = seq;
	work->seg.len = len;
	frame_walk_result(walk, frame_walk_emit_record(cap_len, 0));
	walk->reported = seq + len == walk->end;
}

/* Result of walking a frame, or a segment's frames. */
enum frame_walk_end {
	FRAME_WALK_NEXT, /* the next frame begins in this segment, too */
	FRAME_WALK_DONE,
	FRAME_WALK_BROKEN, /* a head is invalid or unreadable, or there are too many frames */
	FRAME_WALK_UNSURE, /* searching for a boundary: this may or may not be one */
};

/*
 * Load the rest of the head at walk->next into the work, as far as the segment has it. Returns the
 * bytes of the head present in the work; 0: none.
 */
TAP_INLINE __u32 frame_walk_load_head(void *ctx, enum tap_hook hook, struct tap_work *work,
				      const struct frame_track *track,
				      const struct segment_walk *walk)
{
	__u32 have = track->have, off = track->next + have - walk->seq,
	      n = walk->end - walk->seq - off;

	if (have >= FRAME_HEAD_MAX)
		return 0;
	if (n > FRAME_HEAD_MAX - have)
		n = FRAME_HEAD_MAX - have;
	if (!n || off >= walk->avail || n > walk->avail - off)
		return 0;
	n -= 1;
	tap_opaque(n);
	n = (n & 31) + 1;
	tap_opaque(have);
	have &= 31;
	if (ringbuf_load(ctx, hook, work->payload_off + off, work->head + have, n, 32))
		return 0;
	return have + n;
}

/* Walk the frame at walk->next, in this segment. Part of its head may have come before. */
TAP_INLINE enum frame_walk_end frame_walk_frame(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct segment_walk *walk = &work->walk;
	struct frame_track *track = &work->track;
	__u32 have, need, len, left, note;

	if (!work)
		return FRAME_WALK_BROKEN;
	have = frame_walk_load_head(ctx, hook, work, track, walk);
	need = have ? frame_walk_head_len(work->head, have) : 0;
	if (!need)
		return FRAME_WALK_BROKEN;
	if (have < need) { /* the rest is in the next segment */
		split_head_save(work, track->next);
		track->have = have;
		return walk->sync && walk->frames < 2 ? FRAME_WALK_UNSURE : FRAME_WALK_DONE;
	}
	len = frame_walk_len(work->head);
	if (!len || (walk->sync && !frame_walk_is_typical(work->head)))
		return FRAME_WALK_BROKEN;
	if (work->head[0] == TLS_TYPE_DATA)
		walk->encrypted = 1;
	track->state = work->head[0] == TLS_TYPE_DATA && !tap_commands && !walk->full
			       ? TRACK_OPAQUE
			       : TRACK_SYNCED;
	left = walk->end - track->next;
	note = frame_walk_note(track, work->head);
	if (note & HEAD_FORWARDED && !walk->sync && !walk->full)
		frame_walk_emit(work, walk, track->next, len < left ? len : left, need);
	if (work->head[0] < TLS_TYPE_FIRST && !walk->sync) {
		frame_walk_read_tds(&walk->heads, work->head, note, len <= left);
		if (note & HEAD_BEGINS_MESSAGE)
			frame_walk_count(walk);
	}
	track->next += len;
	track->have = 0;
	walk->frames++;
	if (len < left)
		return FRAME_WALK_NEXT;
	if (len == left)
		track->flags &= ~TRACK_LAST_FRAME;
	else if (walk->sync && walk->frames < 2 && walk->end - walk->seq < FRAME_WALK_SYNC)
		return FRAME_WALK_UNSURE;
	return FRAME_WALK_DONE;
}

/* One function for each hook, not inlined, so that the verifier checks it once. */
__noinline int frame_walk_frame_skb(struct __sk_buff *skb)
{
	return frame_walk_frame(skb, TAP_HOOK_SKB);
}

__noinline int frame_walk_frame_xdp(struct xdp_md *xdp)
{
	return frame_walk_frame(xdp, TAP_HOOK_XDP);
}

TAP_INLINE enum frame_walk_end frame_walk_run(void *ctx, enum tap_hook hook, struct tap_work *work,
					      const struct frame_track *track)
{
	__u32 i;
	int end;

	if (track->have && !split_head_restore(work, track->next))
		return FRAME_WALK_BROKEN;
	for (i = 0; i < FRAME_WALK_MAX; i++) {
		end = hook == TAP_HOOK_SKB ? frame_walk_frame_skb(ctx) : frame_walk_frame_xdp(ctx);
		if (end != FRAME_WALK_NEXT)
			return end;
	}
	return FRAME_WALK_BROKEN;
}

TAP_INLINE void frame_walk_lose(struct frame_track *track)
{
	track->state = TRACK_LOST;
	track->have = 0;
	track->flags &= ~(TRACK_IN_MESSAGE | TRACK_LAST_FRAME);
}

/* Find where walking begins. False: nowhere in this segment. */
TAP_INLINE bool frame_walk_start(struct tap_work *work, struct frame_track *track,
				 struct segment_walk *walk)
{
	__s32 before = seq_diff(track->next, walk->seq);

	if (track->state == TRACK_LOST) {
		if (walk->end == walk->seq ||
		    (track->flags & TRACK_SEEN && seq_diff(walk->seq, track->end) < 0))
			return false;
		track->next = walk->seq;
		track->have = 0;
		walk->sync = 1;
		return true;
	}
	if (track->flags & TRACK_LAST_FRAME && before > 0 &&
	    seq_diff(walk->end, track->next) >= 0) {
		track->flags &= ~TRACK_LAST_FRAME;
		walk->heads.ends = 1; /* a message ends here */
		if (!walk->full && (tap_commands || track->flags & TRACK_SMP))
			frame_walk_emit(work, walk, walk->seq, before, 0);
	}
	return seq_diff(walk->end, track->next + track->have) > 0;
}

#endif
