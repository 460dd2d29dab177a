/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * half.h - the half-open table, which keeps a handshake's packets back until the client's ACK or
 * payload proves that the connection is real. It is apart from the flow map so that a flood of
 * SYNs can't push out the connections that are logged in.
 *
 * It is a plain array in sets of HALF_WAYS slots; a SYN that finds its set full takes the slot that
 * was filled first. At 20,000 SYNs a second a handshake stays for 0.8 s on average, and of those
 * that take 200 ms one in a thousand is pushed out: what is lost then are its times. There are no
 * locks: of two CPUs that fill one slot in the same moment one wins, and a mixture holds times of
 * that moment.
 */
#ifndef TDSMON_HALF_H
#define TDSMON_HALF_H

#include "flow.h"

#define HALF_WAYS  8u
#define HALF_SETS  2048u
#define HALF_SLOTS (HALF_SETS * HALF_WAYS)
#define HALF_AGAIN 2u /* repetitions of a SYN+ACK whose times are kept */

/*
 * So many packets of half-open connections user space is handed in a second, over all CPUs: a bound
 * on what made-up sources can bring about. Fewer where a server answered: then it is the source
 * that is in doubt. What is left out is counted.
 */
#define HALF_RATE	   256u
#define HALF_RATE_ANSWERED 32u
#define HALF_RATE_NS	   1000000000ull

#define HALF_NEAR 65536u /* bytes: a first flight is this near to the handshake's numbers */

/* A handshake's packets, in their order. */
enum half_part {
	HALF_SYN,
	HALF_SYNACK,
	HALF_ACK,
};

/* struct half's state: bit n, part n is there and was not handed over; */
#define HALF_CALLED   0x10  /* the SYN was seen */
#define HALF_ANSWERED 0x20  /* the SYN+ACK was seen */
#define HALF_TOLD     0x40  /* user space knows of it: what comes is handed over */
#define HALF_PROVEN   0x80  /* the client acknowledged the SYN+ACK */
#define HALF_WITHIN   0x100 /* a SYN on the ports of a connection that is not over */
#define HALF_HIGHER   0x200 /* the client is the key's higher end */

/* A packet of the handshake but for what it has in common with the SYN. */
struct half_packet {
	__u64 ts_ns;
	__u32 seq, ack;
	__u32 ifindex;
	__u16 window, ip_id;
	__u8 flags, dir, ttl, pad[5];
};

/* User space looks at it, too: struct tap_half of user/source/live/tap_load.h. */
struct half {
	struct tap_key key;
	__u32 state;
	struct seg syn; /* without HALF_CALLED nothing but the addresses */
	TAP_PLAIN_PAD	/* the same size whether or not syn has a tunnel */
	struct half_packet rest[2];
	__u64 again_ns[HALF_AGAIN]; /* the SYN+ACK was repeated, 0: not yet */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct half);
} halves SEC(".maps");
_Static_assert(sizeof(struct half) == 176, "struct tap_half");

/* Where a set's handshakes are looked for: all in one cache line. */
struct half_set {
	__u16 tags[HALF_WAYS]; /* of the keys; 0: the slot is free */
	__u32 next;	       /* the slot that was filled first */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_SETS);
	__type(key, __u32);
	__type(value, struct half_set);
} half_sets SEC(".maps");

/* A SYN was kept since user space looked. */
__u32 tap_kept;

/* Since when user space was handed so many packets of half-open connections. */
__u64 tap_halves_since_ns;
__u32 tap_halves_told;

TAP_INLINE bool half_allows(__u64 now_ns, __u32 most)
{
	if (now_ns - tap_halves_since_ns >= HALF_RATE_NS) {
		tap_halves_since_ns = now_ns;
		tap_halves_told = 0;
	}
	if (tap_halves_told >= most)
		return false;
	tap_halves_told++;
	return true;
}

TAP_INLINE __u16 half_tag(__u64 hash)
{
	__u16 tag = hash >> 24;

	return tag ? tag : 1;
}

TAP_INLINE __u32 half_set_index(__u64 hash)
{
	return hash >> 40 & (HALF_SETS - 1);
}

TAP_INLINE struct half *half_at(__u32 index)
{
	return bpf_map_lookup_elem(&halves, &index);
}

TAP_INLINE bool half_is(const struct half *half, const struct tap_key *key)
{
	return half && flow_key_same(&half->key, key);
}

/*
 * The slot of the handshake of the flow in the work; -1: there is none. place: then one for it,
 * that is free, or else was filled first. By itself, so that the verifier looks at it once.
 */
__noinline int half_find(__u32 place)
{
	struct tap_work *work = tap_work();
	struct half_set *set;
	__u32 index, i, way;
	__u64 hash;
	__u16 tag;

	if (!work)
		return -1;
	hash = flow_key_hash(&work->key);
	index = half_set_index(hash);
	tag = half_tag(hash);
	set = bpf_map_lookup_elem(&half_sets, &index);
	if (!set)
		return -1;
	way = set->next & (HALF_WAYS - 1);
	for (i = 0; i < HALF_WAYS; i++) {
		if (set->tags[i] == tag && half_is(half_at(index * HALF_WAYS + i), &work->key))
			return index * HALF_WAYS + i;
		if (!set->tags[i])
			way = i;
	}
	if (!place)
		return -1;
	way &= HALF_WAYS - 1;
	set->tags[way] = tag;
	set->next = way + 1;
	return index * HALF_WAYS + way;
}

/* The handshake of the flow in the work; NULL: there is none. */
TAP_INLINE struct half *half_of_work(void)
{
	int index = half_find(0);

	return index < 0 ? NULL : half_at(index);
}

/* The same, or a slot for it, with another's in it or none. */
TAP_INLINE struct half *half_place(void)
{
	int index = half_find(1);

	return index < 0 ? NULL : half_at(index);
}

/* What is in the slot makes room: user space hears of it no more, so it is counted. */
TAP_INLINE void half_lose(const struct half *half)
{
	if (half->state & (HALF_TOLD | HALF_WITHIN | HALF_PROVEN) || !tap_port(half->syn.dport))
		return;
	if (half->state & 1 << HALF_SYNACK)
		tap_count(TAP_CNT_HALF_OPEN);
	else if (half->state & 1 << HALF_SYN)
		tap_count(TAP_CNT_SYNS);
}

/* Keep a handshake that begins with the SYN in the work. state: HALF_TOLD, HALF_WITHIN or 0. */
TAP_INLINE void half_begin(const struct tap_work *work, struct half *half, __u32 state)
{
	half_lose(half);
	half->state = 0;
	half->key = work->key;
	half->syn = work->seg;
	state |= HALF_CALLED | (work->side ? HALF_HIGHER : 0);
	half->state = state & HALF_TOLD ? state : state | 1 << HALF_SYN;
	if (!tap_kept) /* not written by each of a flood's, on each CPU */
		tap_kept = 1;
}

/* The same with a SYN+ACK, whose SYN was not seen or is kept no longer. */
TAP_INLINE void half_begin_answered(const struct tap_work *work, struct half *half)
{
	struct seg *syn = &half->syn;

	half_begin(work, half, HALF_TOLD);
	__builtin_memcpy(syn->saddr, work->seg.daddr, sizeof(syn->saddr));
	__builtin_memcpy(syn->daddr, work->seg.saddr, sizeof(syn->daddr));
	syn->sport = work->seg.dport;
	syn->dport = work->seg.sport;
	half->state = work->side ? 0 : HALF_HIGHER;
}

/* Is the segment in the work from the one who called? */
TAP_INLINE bool half_from_client(const struct half *half, const struct tap_work *work)
{
	return !(half->state & HALF_HIGHER) == !work->side;
}

/* Keep a later packet of the handshake, the last of its kind. */
TAP_INLINE void half_keep(struct half *half, const struct seg *seg, enum half_part which)
{
	struct half_packet *p = &half->rest[which == HALF_ACK];

	p->ts_ns = seg->ts_ns;
	p->seq = seg->seq;
	p->ack = seg->ack;
	p->ifindex = seg->ifindex;
	p->window = seg->window;
	p->ip_id = seg->ip_id;
	p->flags = seg->flags;
	p->dir = seg->dir;
	p->ttl = seg->ttl;
	half->state |= 1 << which;
}

/* The SYN+ACK, or the same again: of that the time is enough. */
TAP_INLINE void half_answer(struct half *half, const struct seg *seg)
{
	if (!(half->state & 1 << HALF_SYNACK) || half->rest[0].seq != seg->seq) {
		half_keep(half, seg, HALF_SYNACK);
		half->state |= HALF_ANSWERED;
		half->again_ns[0] = half->again_ns[1] = 0;
	} else if (!half->again_ns[0]) {
		half->again_ns[0] = seg->ts_ns;
	} else if (!half->again_ns[1]) {
		half->again_ns[1] = seg->ts_ns;
	}
}

/* Does a SYN+ACK answer the SYN? With Fast Open it may acknowledge payload as well. */
TAP_INLINE bool half_answers(const struct half *half, const struct seg *seg)
{
	return half->state & HALF_CALLED && seg->ack - half->syn.seq - 1 <= half->syn.len;
}

/* Does what the client sent show that it got the SYN+ACK? Who makes up its address can't know. */
TAP_INLINE bool half_proves(const struct half *half, const struct seg *seg)
{
	if (half->state & HALF_CALLED && seg->seq - half->syn.seq - 1 >= HALF_NEAR)
		return false;
	if (half->state & HALF_ANSWERED)
		return seg->flags & SEG_ACK && seg->ack - half->rest[0].seq - 1 < HALF_NEAR;
	return half->state & HALF_CALLED; /* no answer was seen: one direction is all there is */
}

/* Nothing of the handshake of the flow in the work is to be kept any longer. */
__noinline int half_end(void)
{
	int index = half_find(0);
	__u32 at = index, which;
	struct half_set *set;
	struct half *half;

	if (index < 0)
		return 0;
	half = half_at(at);
	which = at / HALF_WAYS;
	set = bpf_map_lookup_elem(&half_sets, &which);
	if (!half || !set)
		return 0;
	half->state = 0;
	half->key.port[0] = 0;
	half->key.port[1] = 0;
	set->tags[at & (HALF_WAYS - 1)] = 0;
	return 0;
}

/* The kept packet as a segment of its own. again_ns: of a SYN+ACK that came again, or 0. */
TAP_INLINE void half_seg(struct seg *seg, const struct half *half, enum half_part which,
			 __u64 again_ns)
{
	const struct half_packet *p = &half->rest[which == HALF_ACK];

	*seg = half->syn;
	if (which == HALF_SYN)
		return;
	if (which == HALF_SYNACK) {
		__builtin_memcpy(seg->saddr, half->syn.daddr, sizeof(seg->saddr));
		__builtin_memcpy(seg->daddr, half->syn.saddr, sizeof(seg->daddr));
		seg->sport = half->syn.dport;
		seg->dport = half->syn.sport;
	}
	seg->ts_ns = again_ns ? again_ns : p->ts_ns;
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
TAP_INLINE bool half_emit_one(const struct tap_work *work, const struct half *half,
			      enum half_part which, __u64 again_ns)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return false;
	half_seg(rec, half, which, again_ns);
	if (!half_is(half, &work->key)) { /* another CPU has taken the slot just now */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return true;
	}
	bpf_ringbuf_submit(rec, emit_wakeup());
	return true;
}

/*
 * Hand over all that is held of the handshake of the flow in the work: user space knows of it from
 * now on. 0, or -1 if the ring buffer had no room for all of it.
 */
__noinline int half_emit(void)
{
	struct tap_work *work = tap_work();
	struct half *half = half_of_work();
	bool ok = true;
	__u32 held;

	if (!work || !half)
		return 0;
	held = half->state;
	half->state = (held & ~7u) | HALF_TOLD;
	if (held & 1 << HALF_SYN)
		ok = half_emit_one(work, half, HALF_SYN, 0);
	if (held & 1 << HALF_SYNACK) {
		ok &= half_emit_one(work, half, HALF_SYNACK, 0);
		for (__u32 i = 0; i < HALF_AGAIN; i++)
			if (half->again_ns[i])
				ok &= half_emit_one(work, half, HALF_SYNACK, half->again_ns[i]);
	}
	if (held & 1 << HALF_ACK)
		ok &= half_emit_one(work, half, HALF_ACK, 0);
	return ok ? 0 : -1;
}

#endif
