/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * half.h - the half-open table, which keeps a handshake's packets back until the connection shows
 * to be one. It is apart from the flow map so that a flood of SYNs can't push out the connections
 * that are logged in.
 *
 * It is a plain array with the newest in each slot: a look-up is a few instructions, and what is
 * pushed out is at worst a handshake's first packet. There are no locks: of two CPUs that fill one
 * slot in the same moment one wins, and a mixture holds times of that moment.
 */
#ifndef TDSMON_HALF_H
#define TDSMON_HALF_H

#include "flow.h"

/* A handshake's packets, in their order. */
enum half_part {
	HALF_SYN,
	HALF_SYNACK,
	HALF_ACK,
};

#define HALF_SLOTS 8192u

/* struct half's state: bit n, part n is there and was not handed over. */
#define HALF_ANSWERED 0x10 /* the SYN+ACK was seen */

/* User space looks at it, too: struct tap_half of user/source/load.h. */
struct half {
	struct tap_key key;
	__u32 state;
	struct seg syn;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct half);
} halves SEC(".maps");
_Static_assert(sizeof(struct half) == 88, "struct tap_half");

/* The rest of the handshake, where a connection has yet to show that it is of interest. */
struct half_rest {
	struct seg synack, ack;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_SLOTS); /* user space: 1 where all ports are named */
	__type(key, __u32);
	__type(value, struct half_rest);
} half_rests SEC(".maps");

TAP_INLINE __u32 half_index(const struct tap_key *key)
{
	return flow_key_hash(key) >> 40 & (HALF_SLOTS - 1);
}

/* The slot where a flow's handshake would be; another flow's may be there, see half_is(). */
TAP_INLINE struct half *half_slot(const struct tap_key *key)
{
	__u32 index = half_index(key);

	return bpf_map_lookup_elem(&halves, &index);
}

TAP_INLINE bool half_is(const struct half *half, const struct tap_key *key)
{
	return half && flow_key_same(&half->key, key);
}

/* A SYN was kept since user space looked. */
__u32 tap_kept;

/* Keep a SYN, in the place of whatever was there. */
TAP_INLINE void half_begin(struct half *half, const struct tap_key *key, const struct seg *syn)
{
	if ((half->state & (1 << HALF_SYN | HALF_ANSWERED)) == 1 << HALF_SYN &&
	    tap_port(half->syn.dport) && !flow_key_same(&half->key, key))
		tap_count(TAP_CNT_SYNS); /* it is told no more, should nobody answer it */
	half->state = 0;
	half->key = *key;
	half->syn = *syn;
	half->state = 1 << HALF_SYN;
	if (!tap_kept) /* not written by each of a flood's, on each CPU */
		tap_kept = 1;
}

/* Keep a later packet of the handshake, the first of its kind. */
TAP_INLINE void half_add(struct half *half, const struct tap_key *key, const struct seg *seg,
			 enum half_part which)
{
	__u32 index = half_index(key);
	struct half_rest *rest = bpf_map_lookup_elem(&half_rests, &index);

	if (!rest || half->state & 1 << which)
		return;
	if (which == HALF_SYNACK)
		rest->synack = *seg;
	else
		rest->ack = *seg;
	half->state |= 1 << which;
}

/* Nothing of this flow is to be kept any longer. */
TAP_INLINE void half_end(struct half *half)
{
	half->state = 0;
	half->key.port[0] = 0;
	half->key.port[1] = 0;
}

/* Hand over a packet that is held, if it is. False if the ring buffer had no room. */
TAP_INLINE bool half_emit(struct half *half, const struct tap_key *key, enum half_part which)
{
	__u32 index = half_index(key);
	struct half_rest *rest;
	struct seg *rec;

	if (!(half->state & 1 << which))
		return true;
	rest = bpf_map_lookup_elem(&half_rests, &index);
	if (!rest && which != HALF_SYN)
		return true;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return false;
	half->state &= ~(1 << which);
	if (which == HALF_SYN)
		*rec = half->syn;
	else if (rest)
		*rec = which == HALF_SYNACK ? rest->synack : rest->ack;
	if (!half_is(half, key)) { /* another CPU has taken the slot just now */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return true;
	}
	bpf_ringbuf_submit(rec, emit_wakeup());
	return true;
}

#endif
