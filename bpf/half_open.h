/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * half_open.h - the half-open table, which keeps a handshake's packets back until the client's ACK or
 * payload proves that the connection is real. It is apart from the flow map so that a flood of
 * SYNs can't push out the connections that are logged in.
 *
 * It is a plain array in sets of HALF_OPEN_WAYS slots; a SYN that finds its set full takes the slot that
 * was filled first. At 20,000 SYNs a second a handshake stays for 0.8 s on average, and of those
 * that take 200 ms one in a thousand is pushed out: what is lost then are its times. There are no
 * locks: of two CPUs that fill one slot in the same moment one wins, and a mixture holds times of
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
 * So many packets of half-open connections user space is handed in a second, over all CPUs: a bound
 * on what made-up sources can bring about. Fewer where a server answered: then it is the source
 * that is in doubt. What is left out is counted.
 */
#define HALF_OPEN_RATE		256u
#define HALF_OPEN_RATE_ANSWERED 32u
#define HALF_OPEN_RATE_NS	1000000000ull

#define HANDSHAKE_FIRST_FLIGHT                                                                     \
	65536u /* bytes: a first flight is this near to the handshake's numbers */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_OPEN_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct tap_handshake);
} half_open SEC(".maps");

/* Where a set's handshakes are looked for: all in one cache line. */
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

/* A SYN was kept since user space looked. */
__u32 tap_syn_kept;

/* Since when user space was handed so many packets of half-open connections. */
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
 * The slot of the handshake of the flow in the work; -1: there is none. place: then one for it,
 * that is free, or else was filled first. By itself, so that the verifier looks at it once.
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

/* The handshake of the flow in the work; NULL: there is none. */
TAP_INLINE struct tap_handshake *half_open_lookup(void)
{
	int index = half_open_find(0);

	return index < 0 ? NULL : half_open_slot(index);
}

/* The same, or a slot for it, with another's in it or none. */
TAP_INLINE struct tap_handshake *half_open_claim(void)
{
	int index = half_open_find(1);

	return index < 0 ? NULL : half_open_slot(index);
}

/* What is in the slot makes room: user space hears of it no more, so it is counted. */
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

/* Keep a handshake that begins with the SYN in the work. state: HANDSHAKE_REPORTED, HANDSHAKE_ON_LIVE_FLOW or 0. */
TAP_INLINE void half_open_begin(const struct tap_work *work, struct tap_handshake *hs, __u32 state)
{
	half_open_count_evicted(hs);
	hs->state = 0;
	hs->key = work->key;
	hs->syn = work->seg;
	state |= HANDSHAKE_SYN_SEEN | (work->side ? HANDSHAKE_CLIENT_HIGHER : 0);
	hs->state = state & HANDSHAKE_REPORTED ? state : state | 1 << HANDSHAKE_SYN;
	if (!tap_syn_kept) /* not written by each of a flood's, on each CPU */
		tap_syn_kept = 1;
}

/* The same with a SYN+ACK, whose SYN was not seen or is kept no longer. */
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

/* Is the segment in the work from the one who called? */
TAP_INLINE bool half_open_from_client(const struct tap_handshake *hs, const struct tap_work *work)
{
	return !(hs->state & HANDSHAKE_CLIENT_HIGHER) == !work->side;
}

/* Keep a later packet of the handshake, the last of its kind. */
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

/* The SYN+ACK, or the same again: of that the time is enough. */
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

/* Does a SYN+ACK answer the SYN? With Fast Open it may acknowledge payload as well. */
TAP_INLINE bool half_open_is_answered_by(const struct tap_handshake *hs, const struct seg *seg)
{
	return hs->state & HANDSHAKE_SYN_SEEN && seg->ack - hs->syn.seq - 1 <= hs->syn.len;
}

/* Does what the client sent show that it got the SYN+ACK? Who makes up its address can't know. */
TAP_INLINE bool half_open_is_proven_by(const struct tap_handshake *hs, const struct seg *seg)
{
	if (hs->state & HANDSHAKE_SYN_SEEN && seg->seq - hs->syn.seq - 1 >= HANDSHAKE_FIRST_FLIGHT)
		return false;
	if (hs->state & HANDSHAKE_SYNACK_SEEN)
		return seg->flags & SEG_ACK &&
		       seg->ack - hs->rest[0].seq - 1 < HANDSHAKE_FIRST_FLIGHT;
	return hs->state &
	       HANDSHAKE_SYN_SEEN; /* no answer was seen: one direction is all there is */
}

/* Nothing of the handshake of the flow in the work is to be kept any longer. */
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

/* The kept packet as a segment of its own. again_ns: of a SYN+ACK that came again, or 0. */
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

/* Hand over one packet of those that are held. False if the ring buffer had no room. */
TAP_INLINE bool half_open_emit_packet(const struct tap_work *work, const struct tap_handshake *hs,
				      enum handshake_part which, __u64 repeat_ns)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return false;
	half_open_segment(rec, hs, which, repeat_ns);
	if (!half_open_is(hs, &work->key)) { /* another CPU has taken the slot just now */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return true;
	}
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return true;
}

/*
 * Hand over all that is held of the handshake of the flow in the work: user space knows of it from
 * now on. 0, or -1 if the ring buffer had no room for all of it.
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
