/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * head.h - the heads of TDS, TLS and SMP frames: how long they are, what they say, and where those
 * are kept that are cut across segments.
 */
#ifndef TDSMON_HEAD_H
#define TDSMON_HEAD_H

#include "turn.h"

#define WALK_TLS_MAX (16384 + 2048) /* RFC 5246 6.2.3 */
#define WALK_TDS_MAX 32767	    /* MS-TDS 2.2.3.1.3 */
#define WALK_SMP_MAX (1u << 20)	    /* one TDS packet in practice; MC-SMP sets no bound */

#define WALK_EOM       0x01 /* of a TDS header's status: MS-TDS 2.2.3.1.2 */
#define WALK_ATTENTION 0x06
#define WALK_TDS_TYPES                                                                             \
	(1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 14 |          \
	 1u << 15 | 1u << 16 | 1u << 17 | 1u << 18)

#define WALK_RESET 0x18 /* RESETCONNECTION and RESETCONNECTIONSKIPTRAN, MS-TDS 2.2.3.1.2 */

TAP_INLINE __u32 walk_be16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

TAP_INLINE bool walk_tds_header(const __u8 *p)
{
	__u32 len = walk_be16(p + 2);

	return p[0] < 32 && WALK_TDS_TYPES >> p[0] & 1 && len >= 8 && len <= WALK_TDS_MAX;
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
		return len >= 16 && len <= WALK_SMP_MAX ? len : 0;
	}
	if (p[0] >= 0x14) { /* RFC 5246 6.2.1 */
		len = walk_be16(p + 3);
		return p[1] == 3 && p[2] <= 4 && len <= WALK_TLS_MAX ? 5 + len : 0;
	}
	return walk_tds_header(p) ? walk_be16(p + 2) : 0;
}

/* Nothing but what peers write: to take bytes for a head where none is known to be. */
TAP_INLINE bool walk_head_strict(const __u8 *p)
{
	return p[0] >= 0x14 || (!(p[1] & 0xe0) && !p[7]);
}

/* What a packet's head says of its message. */
#define HEAD_BEGINS 0x01
#define HEAD_ENDS   0x02
#define HEAD_SHOWN  0x04 /* user space is to see it */

/* Take note of a TDS packet's head: HEAD_*. */
TAP_INLINE __u32 head_note_tds(struct walk *walk, const __u8 *p)
{
	__u8 flags = walk->flags & ~(WALK_LAST | WALK_SMP);
	__u32 note = 0;

	if (!(flags & WALK_MESSAGE) || p[0] == WALK_ATTENTION)
		note |= HEAD_BEGINS;
	if (p[1] & WALK_EOM) {
		note |= HEAD_ENDS;
		flags |= WALK_LAST;
	}
	/* An attention may come between the packets of a request: MS-TDS 2.2.1.7 */
	if (p[0] != WALK_ATTENTION)
		flags = p[1] & WALK_EOM ? flags & ~WALK_MESSAGE : flags | WALK_MESSAGE;
	walk->flags = flags;
	return tap_commands && note ? note | HEAD_SHOWN : note;
}

/* The same of any frame's. SMP's are all shown: what is in them is told apart by user space. */
TAP_INLINE __u32 head_note(struct walk *walk, const __u8 *p)
{
	__u8 flags = walk->flags & ~(WALK_LAST | WALK_SMP);

	if (p[0] == 0x53) {
		flags |= WALK_SMP;
		if (p[1] == 8 && p[17] & WALK_EOM)
			flags |= WALK_LAST;
		walk->flags = flags;
		return HEAD_SHOWN;
	}
	if (p[0] < 0x14)
		return head_note_tds(walk, p);
	walk->flags = tap_commands ? flags | WALK_LAST : flags;
	return tap_commands ? HEAD_SHOWN : 0;
}

/* enum latency_kind of a packet's type, MS-TDS 2.2.3.1.1; LATENCY_KINDS: none that is asked. */
TAP_INLINE __u32 head_kind(__u8 type)
{
	if (type == 3)
		return LATENCY_RPC;
	if (type == 1)
		return LATENCY_BATCH;
	if (type == 14)
		return LATENCY_TRANSACTION;
	if (type == 7)
		return LATENCY_BULK;
	return type == WALK_ATTENTION ? LATENCY_ATTENTION : LATENCY_KINDS;
}

/* Count a request that begins. */
TAP_INLINE void head_count(__u32 counts[TAP_COUNTS], const __u8 *p)
{
	__u32 kind = head_kind(p[0]);

	if (tap_commands || kind > LATENCY_ATTENTION)
		return;
	tap_opaque(kind);
	if (kind <= LATENCY_ATTENTION)
		counts[kind]++;
	if (p[1] & WALK_RESET)
		counts[TAP_COUNTS - 1]++;
}

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

#endif
