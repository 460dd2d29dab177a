/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * half_open.h - the half-open table: stores a handshake's packets until the client's ACK or payload
 * proves that the connection is real. It is separate from the flow map, so a flood of SYNs cannot
 * evict established connections.
 *
 * It is an array of sets, each with HALF_OPEN_WAYS slots. A SYN that finds its set full takes the
 * slot that was filled first. At 20,000 SYNs a second a handshake stays for 0.8 s on average; of
 * those that take 200 ms, one in a thousand is evicted and loses its times. There are no locks: if
 * two CPUs fill one slot at the same moment, one of them wins, and a mixture only holds times of
 * that moment.
 */
#ifndef TDSMON_HALF_OPEN_H
#define TDSMON_HALF_OPEN_H

#include "flow_table.h"
#include "packet_ctx.h"
#include "ringbuf.h"

#define HALF_OPEN_WAYS	8u
#define HALF_OPEN_SETS	2048u
#define HALF_OPEN_SLOTS (HALF_OPEN_SETS * HALF_OPEN_WAYS)

/*
 * Packets of half-open connections that are forwarded per second, over all CPUs: a bound on what
 * forged sources can cause. It is lower if a server answered, because then the source is in doubt.
 * Packets beyond the bound are counted.
 */
#define HALF_OPEN_RATE		256u
#define HALF_OPEN_RATE_ANSWERED 32u
#define HALF_OPEN_RATE_NS	1000000000ull

#define HANDSHAKE_FIRST_FLIGHT                                                                     \
	65536u /* bytes: a first flight is this close to the handshake's sequence numbers */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_OPEN_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct tap_handshake);
} half_open SEC(".maps");

/* The index of one set; it fits in a cache line. */
struct half_open_set {
	__u16 tags[HALF_OPEN_WAYS]; /* of the keys; 0: the slot is free */
	__u32 next;		    /* the slot that was filled first */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_OPEN_SETS);
	__type(key, __u32);
	__type(value, struct half_open_set);
} half_open_sets SEC(".maps");

/* A SYN was stored since user space last looked. */
__u32 tap_syn_kept;

/* Start of the current second of the rate limit, and the packets forwarded in it. */
__u64 tap_half_open_since_ns;
__u32 tap_half_open_reported;

TAP_INLINE bool half_open_allows(__u64 now_ns, __u32 most)
{
	if (now_ns - tap_half_open_since_ns >= HALF_OPEN_RATE_NS) {
		tap_half_open_since_ns = now_ns;
		tap_half_open_reported = 0;
	}
	if (tap_half_open_reported >= most)
		return false;
	tap_half_open_reported++;
	return true;
}

TAP_INLINE __u16 half_open_tag(__u64 hash)
{
	__u16 tag = hash >> 24;

	return tag ? tag : 1;
}

TAP_INLINE __u32 half_open_set_index(__u64 hash)
{
	return hash >> 40 & (HALF_OPEN_SETS - 1);
}

TAP_INLINE struct tap_handshake *half_open_slot(__u32 index)
{
	return bpf_map_lookup_elem(&half_open, &index);
}

TAP_INLINE bool half_open_is(const struct tap_handshake *hs, const struct tap_key *key)
{
	return hs && flow_key_same(&hs->key, key);
}

/*
 * Index of the slot that holds the handshake of the flow in the work, or -1. With place, if there
 * is no such slot, claim a free one or else the one that was filled first. Not inlined, so that the
 * verifier checks it once.
 */
__noinline int half_open_find(__u32 place)
{
	struct tap_work *work = tap_work();
	struct half_open_set *set;
	__u32 index, i, way;
	__u64 hash;
	__u16 tag;

	if (!work)
		return -1;
	hash = flow_key_hash(&work->key);
	index = half_open_set_index(hash);
	tag = half_open_tag(hash);
	set = bpf_map_lookup_elem(&half_open_sets, &index);
	if (!set)
		return -1;
	way = set->next & (HALF_OPEN_WAYS - 1);
	for (i = 0; i < HALF_OPEN_WAYS; i++) {
		if (set->tags[i] == tag &&
		    half_open_is(half_open_slot(index * HALF_OPEN_WAYS + i), &work->key))
			return index * HALF_OPEN_WAYS + i;
		if (!set->tags[i])
			way = i;
	}
	if (!place)
		return -1;
	way &= HALF_OPEN_WAYS - 1;
	set->tags[way] = tag;
	set->next = way + 1;
	return index * HALF_OPEN_WAYS + way;
}

/* The handshake of the flow in the work, or NULL. */
TAP_INLINE struct tap_handshake *half_open_lookup(void)
{
	int index = half_open_find(0);

	return index < 0 ? NULL : half_open_slot(index);
}

/* The same, or a slot for it. That slot may still hold another handshake. */
TAP_INLINE struct tap_handshake *half_open_claim(void)
{
	int index = half_open_find(1);

	return index < 0 ? NULL : half_open_slot(index);
}

/* A handshake is evicted. User space will never see it, so it is counted. */
TAP_INLINE void half_open_count_evicted(const struct tap_handshake *hs)
{
	if (hs->state & (HANDSHAKE_REPORTED | HANDSHAKE_ON_LIVE_FLOW | HANDSHAKE_PROVEN) ||
	    !tap_port(hs->syn.dport))
		return;
	if (hs->state & 1 << HANDSHAKE_SYNACK)
		tap_count(TAP_CNT_HALF_OPEN);
	else if (hs->state & 1 << HANDSHAKE_SYN)
		tap_count(TAP_CNT_SYNS);
}

/*
 * Store a handshake that begins with the SYN in the work. state: HANDSHAKE_REPORTED,
 * HANDSHAKE_ON_LIVE_FLOW or 0.
 */
TAP_INLINE void half_open_begin(const struct tap_work *work, struct tap_handshake *hs, __u32 state)
{
	half_open_count_evicted(hs);
	hs->state = 0;
	hs->key = work->key;
	hs->syn = work->seg;
	state |= HANDSHAKE_SYN_SEEN | (work->side ? HANDSHAKE_CLIENT_HIGHER : 0);
	hs->state = state & HANDSHAKE_REPORTED ? state : state | 1 << HANDSHAKE_SYN;
	if (!tap_syn_kept) /* so that a flood's SYNs do not all write it on every CPU */
		tap_syn_kept = 1;
}

/* Store a handshake that begins with the SYN+ACK: the SYN was not seen, or was evicted. */
TAP_INLINE void half_open_begin_at_synack(const struct tap_work *work, struct tap_handshake *hs)
{
	struct seg *syn = &hs->syn;

	half_open_begin(work, hs, HANDSHAKE_REPORTED);
	__builtin_memcpy(syn->saddr, work->seg.daddr, sizeof(syn->saddr));
	__builtin_memcpy(syn->daddr, work->seg.saddr, sizeof(syn->daddr));
	syn->sport = work->seg.dport;
	syn->dport = work->seg.sport;
	hs->state = work->side ? 0 : HANDSHAKE_CLIENT_HIGHER;
}

/* Did the client send the segment in the work? */
TAP_INLINE bool half_open_from_client(const struct tap_handshake *hs, const struct tap_work *work)
{
	return !(hs->state & HANDSHAKE_CLIENT_HIGHER) == !work->side;
}

/* Store a later packet of the handshake, replacing an earlier one of its kind. */
TAP_INLINE void half_open_keep(struct tap_handshake *hs, const struct seg *seg,
			       enum handshake_part which)
{
	struct tap_handshake_packet *p = &hs->rest[which == HANDSHAKE_ACK];

	p->ts_ns = seg->ts_ns;
	p->seq = seg->seq;
	p->ack = seg->ack;
	p->ifindex = seg->ifindex;
	p->window = seg->window;
	p->ip_id = seg->ip_id;
	p->flags = seg->flags;
	p->dir = seg->dir;
	p->ttl = seg->ttl;
	hs->state |= 1 << which;
}

/* Store the SYN+ACK; of its retransmissions only the times. */
TAP_INLINE void half_open_note_synack(struct tap_handshake *hs, const struct seg *seg)
{
	if (!(hs->state & 1 << HANDSHAKE_SYNACK) || hs->rest[0].seq != seg->seq) {
		half_open_keep(hs, seg, HANDSHAKE_SYNACK);
		hs->state |= HANDSHAKE_SYNACK_SEEN;
		hs->repeat_ns[0] = hs->repeat_ns[1] = 0;
	} else if (!hs->repeat_ns[0]) {
		hs->repeat_ns[0] = seg->ts_ns;
	} else if (!hs->repeat_ns[1]) {
		hs->repeat_ns[1] = seg->ts_ns;
	}
}

/* Does the SYN+ACK answer the SYN? With Fast Open it may also acknowledge payload. */
TAP_INLINE bool half_open_is_answered_by(const struct tap_handshake *hs, const struct seg *seg)
{
	return hs->state & HANDSHAKE_SYN_SEEN && seg->ack - hs->syn.seq - 1 <= hs->syn.len;
}

/*
 * Does the client's packet show that it received the SYN+ACK? A sender with a forged address cannot
 * know its sequence number.
 */
TAP_INLINE bool half_open_is_proven_by(const struct tap_handshake *hs, const struct seg *seg)
{
	if (hs->state & HANDSHAKE_SYN_SEEN && seg->seq - hs->syn.seq - 1 >= HANDSHAKE_FIRST_FLIGHT)
		return false;
	if (hs->state & HANDSHAKE_SYNACK_SEEN)
		return seg->flags & SEG_ACK &&
		       seg->ack - hs->rest[0].seq - 1 < HANDSHAKE_FIRST_FLIGHT;
	return hs->state &
	       HANDSHAKE_SYN_SEEN; /* no SYN+ACK was seen: perhaps only one direction is visible */
}

/* Free the slot of the handshake of the flow in the work. */
__noinline int half_open_remove(void)
{
	int index = half_open_find(0);
	__u32 at = index, which;
	struct half_open_set *set;
	struct tap_handshake *hs;

	if (index < 0)
		return 0;
	hs = half_open_slot(at);
	which = at / HALF_OPEN_WAYS;
	set = bpf_map_lookup_elem(&half_open_sets, &which);
	if (!hs || !set)
		return 0;
	hs->state = 0;
	hs->key.port[0] = 0;
	hs->key.port[1] = 0;
	set->tags[at & (HALF_OPEN_WAYS - 1)] = 0;
	return 0;
}

/* Rebuild the segment of a stored packet. repeat_ns: the time of a retransmitted SYN+ACK, or 0. */
TAP_INLINE void half_open_segment(struct seg *seg, const struct tap_handshake *hs,
				  enum handshake_part which, __u64 repeat_ns)
{
	const struct tap_handshake_packet *p = &hs->rest[which == HANDSHAKE_ACK];

	*seg = hs->syn;
	if (which == HANDSHAKE_SYN)
		return;
	if (which == HANDSHAKE_SYNACK) {
		__builtin_memcpy(seg->saddr, hs->syn.daddr, sizeof(seg->saddr));
		__builtin_memcpy(seg->daddr, hs->syn.saddr, sizeof(seg->daddr));
		seg->sport = hs->syn.dport;
		seg->dport = hs->syn.sport;
	}
	seg->ts_ns = repeat_ns ? repeat_ns : p->ts_ns;
	seg->seq = p->seq;
	seg->ack = p->ack;
	seg->ifindex = p->ifindex;
	seg->window = p->window;
	seg->ip_id = p->ip_id;
	seg->flags = p->flags;
	seg->dir = p->dir;
	seg->ttl = p->ttl;
	seg->len = 0;
	seg->rec_flags = 0;
}

/* Forward one stored packet. False if the ring buffer is full. */
TAP_INLINE bool half_open_emit_packet(const struct tap_work *work, const struct tap_handshake *hs,
				      enum handshake_part which, __u64 repeat_ns)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return false;
	half_open_segment(rec, hs, which, repeat_ns);
	if (!half_open_is(hs, &work->key)) { /* another CPU has just taken the slot */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return true;
	}
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return true;
}

/*
 * Forward the stored packets of the flow in the work; user space knows the handshake from now on.
 * Returns 0, or -1 if the ring buffer had no room for all of them.
 *
 * Two CPUs may do so at the same time, and forward them twice: an exchange of the state that is atomic
 * needs Linux 5.12. User space drops the second record, which has the first one's time.
 */
__noinline int half_open_emit(void)
{
	struct tap_work *work = tap_work();
	struct tap_handshake *hs = half_open_lookup();
	bool ok = true;
	__u32 held;

	if (!work || !hs)
		return 0;
	held = hs->state;
	hs->state = (held & ~(__u32)HANDSHAKE_PARTS) | HANDSHAKE_REPORTED;
	if (held & 1 << HANDSHAKE_SYN)
		ok = half_open_emit_packet(work, hs, HANDSHAKE_SYN, 0);
	if (held & 1 << HANDSHAKE_SYNACK) {
		ok &= half_open_emit_packet(work, hs, HANDSHAKE_SYNACK, 0);
		for (__u32 i = 0; i < HANDSHAKE_SYNACK_REPEATS; i++)
			if (hs->repeat_ns[i])
				ok &= half_open_emit_packet(work, hs, HANDSHAKE_SYNACK,
							    hs->repeat_ns[i]);
	}
	if (held & 1 << HANDSHAKE_ACK)
		ok &= half_open_emit_packet(work, hs, HANDSHAKE_ACK, 0);
	return ok ? 0 : -1;
}

#endif
