/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * split_head.h - stores the first part of a frame head that is split across segments.
 */
#ifndef TDSMON_SPLIT_HEAD_H
#define TDSMON_SPLIT_HEAD_H

#include "flow_table.h"
#include "packet_ctx.h"

#define SPLIT_HEAD_SLOTS 2048u

/*
 * The first bytes of the frame at next, whose head is split. A plain array that keeps the newest in
 * each slot. An evicted head costs a frame boundary, which is found again.
 */
struct split_head {
	struct tap_key key;
	__u32 next;
	__u8 head[FRAME_HEAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SPLIT_HEAD_SLOTS);
	__type(key, __u32);
	__type(value, struct split_head);
} split_heads SEC(".maps");

TAP_INLINE struct split_head *split_head_slot(const struct tap_work *work)
{
	__u32 index =
		((__u32)(flow_key_hash(&work->key) >> 40) ^ work->side) & (SPLIT_HEAD_SLOTS - 1);

	return bpf_map_lookup_elem(&split_heads, &index);
}

/* Store the part of the head in the work. */
TAP_INLINE void split_head_save(const struct tap_work *work, __u32 next)
{
	struct split_head *split = split_head_slot(work);

	if (!split)
		return;
	split->key = work->key;
	split->next = next;
	__builtin_memcpy(split->head, work->head, FRAME_HEAD_MAX);
}

/* Restore the stored part into the work. False if another head has taken its place. */
TAP_INLINE bool split_head_restore(struct tap_work *work, __u32 next)
{
	const struct split_head *split = split_head_slot(work);

	if (!split || split->next != next || !flow_key_same(&split->key, &work->key))
		return false;
	__builtin_memcpy(work->head, split->head, FRAME_HEAD_MAX);
	return true;
}

#endif
