/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow.h - what the tap remembers of connections: the flow map, which user space steers by
 * setting levels, and the half-open table, which keeps a handshake's packets back until the
 * connection shows to be one.
 *
 * The two are apart so that a flood of SYNs can't push out the connections that are logged in.
 * The half-open table is a plain array with the newest in each slot: a look-up is a few
 * instructions, and what is pushed out is at worst a handshake's first packet.
 */
#ifndef TDSMON_FLOW_H
#define TDSMON_FLOW_H

#include "emit.h"

struct flow {
	__u8 level;	     /* enum tap_level; written by user space */
	__u8 closing;	     /* a FIN was seen: the last ACKs are of interest */
	__u16 beat;	     /* when user space last heard of it, flow_beat() */
	__u32 bytes;	     /* payload handed over at TAP_FULL, or while lost */
	struct walk walk[2]; /* of what the lower and the higher end of the key send */
};
_Static_assert(sizeof(struct flow) == 80, "168 bytes of kernel memory a connection");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

/* A handshake's packets, in their order. */
enum half_part {
	HALF_SYN,
	HALF_SYNACK,
	HALF_ACK,
	HALF_PARTS,
};

#define HALF_SLOTS 8192u

struct half {
	struct flow_key key;
	struct bpf_spin_lock lock;
	struct seg part[HALF_PARTS];
	__u32 held;	/* bit n: part[n] is there and was not handed over */
	__u32 answered; /* the SYN+ACK was seen */
	__u32 syn_seq;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HALF_SLOTS);
	__type(key, __u32);
	__type(value, struct half);
} halves SEC(".maps");

TAP_INLINE __u64 flow_word(const void *key, int i)
{
	return ((const __u64 *)key)[i];
}

TAP_INLINE bool flow_key_same(const struct flow_key *a, const struct flow_key *b)
{
	return flow_word(a, 0) == flow_word(b, 0) && flow_word(a, 1) == flow_word(b, 1) &&
	       flow_word(a, 2) == flow_word(b, 2) && flow_word(a, 3) == flow_word(b, 3) &&
	       a->port[0] == b->port[0] && a->port[1] == b->port[1];
}

TAP_INLINE __u64 flow_be64(__u64 x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(x);
#else
	return x;
#endif
}

/* True if a comes before b, or they are the same: as memcmp() of both addresses and both ports. */
TAP_INLINE bool flow_lower6(const void *a, const void *b, __u16 aport, __u16 bport)
{
	__u64 ahi, alo, bhi, blo;

	__builtin_memcpy(&ahi, a, 8);
	__builtin_memcpy(&alo, (const __u8 *)a + 8, 8);
	__builtin_memcpy(&bhi, b, 8);
	__builtin_memcpy(&blo, (const __u8 *)b + 8, 8);
	if (ahi != bhi)
		return flow_be64(ahi) < flow_be64(bhi);
	if (alo != blo)
		return flow_be64(alo) < flow_be64(blo);
	return aport <= bport;
}

/* Which of the key's ends the packet is from. */
TAP_INLINE __u32 flow_key_fill(struct flow_key *key, const struct pkt *pkt)
{
	bool lower = true;

	if (pkt->ip4) {
		__u32 s = pkt->ip4->saddr_be, d = pkt->ip4->daddr_be;

		lower = s == d ? pkt->sport <= pkt->dport : pkt_be32(s) < pkt_be32(d);
		pkt_map_ip4(key->addr[0], lower ? s : d);
		pkt_map_ip4(key->addr[1], lower ? d : s);
	} else if (pkt->ip6) {
		const struct pkt_ip6 *ip = pkt->ip6;

		lower = flow_lower6(ip->saddr_be, ip->daddr_be, pkt->sport, pkt->dport);
		if (lower) {
			__builtin_memcpy(key->addr[0], ip->saddr_be, 16);
			__builtin_memcpy(key->addr[1], ip->daddr_be, 16);
		} else {
			__builtin_memcpy(key->addr[0], ip->daddr_be, 16);
			__builtin_memcpy(key->addr[1], ip->saddr_be, 16);
		}
	}
	key->port[0] = lower ? pkt->sport : pkt->dport;
	key->port[1] = lower ? pkt->dport : pkt->sport;
	return !lower;
}

/*
 * Moves on every few minutes (262 s to 44 min, by the kernel's HZ): a flow that nothing is handed
 * over of is told of that often, so that user space does not take it for dead.
 */
TAP_INLINE __u16 flow_beat(void)
{
	return bpf_jiffies64() >> 18;
}

/* Start following a flow. False if the map refused (LRU maps do under contention). */
TAP_INLINE bool flow_start(const struct flow_key *key, __u32 bytes)
{
	struct flow flow = {.level = TAP_FULL, .beat = flow_beat(), .bytes = bytes};
	long err = bpf_map_update_elem(&flows, key, &flow, BPF_NOEXIST);

	return !err || err == -17; /* EEXIST: the other direction was first, on another CPU */
}

/* The slot where a flow's handshake would be; another flow's may be there, see half_is(). */
TAP_INLINE struct half *half_slot(const struct flow_key *key)
{
	__u64 hash = flow_word(key, 1) * 0x9e3779b97f4a7c15ull;
	__u32 slot;

	hash ^= flow_word(key, 0) ^ flow_word(key, 2) ^ (hash >> 29);
	hash = (hash + flow_word(key, 3)) * 0xbf58476d1ce4e5b9ull;
	hash ^= hash >> 32;
	hash = (hash + ((__u32)key->port[0] << 16 | key->port[1])) * 0x94d049bb133111ebull;
	slot = (hash >> 40) & (HALF_SLOTS - 1);
	return bpf_map_lookup_elem(&halves, &slot);
}

/* Without the lock: a hint, to be confirmed under it by what changes or copies. */
TAP_INLINE bool half_is(const struct half *half, const struct flow_key *key)
{
	return half && flow_key_same(&half->key, key);
}

/* Keep a SYN, in the place of whatever was there. */
TAP_INLINE void half_begin(struct half *half, const struct flow_key *key, const struct seg *syn)
{
	bpf_spin_lock(&half->lock);
	half->key = *key;
	half->part[HALF_SYN] = *syn;
	half->held = 1 << HALF_SYN;
	half->answered = 0;
	half->syn_seq = syn->seq;
	bpf_spin_unlock(&half->lock);
}

/* Keep a later packet of the handshake, the first of its kind. */
TAP_INLINE void half_add(struct half *half, const struct flow_key *key, const struct seg *seg,
			 enum half_part which)
{
	bpf_spin_lock(&half->lock);
	if (flow_key_same(&half->key, key) && !(half->held & 1 << which)) {
		half->part[which] = *seg;
		half->held |= 1 << which;
	}
	bpf_spin_unlock(&half->lock);
}

TAP_INLINE void half_answered(struct half *half, const struct flow_key *key)
{
	bpf_spin_lock(&half->lock);
	if (flow_key_same(&half->key, key))
		half->answered = 1;
	bpf_spin_unlock(&half->lock);
}

/* Nothing of this flow is to be kept any longer. */
TAP_INLINE void half_end(struct half *half, const struct flow_key *key)
{
	bpf_spin_lock(&half->lock);
	if (flow_key_same(&half->key, key)) {
		half->held = 0;
		half->key.port[0] = 0;
		half->key.port[1] = 0;
	}
	bpf_spin_unlock(&half->lock);
}

/* Hand over a packet that is held, if it is. False if the ring buffer had no room. */
TAP_INLINE bool half_emit(struct half *half, const struct flow_key *key, enum half_part which)
{
	struct seg *rec;
	bool held = false;

	if (!(half->held & 1 << which))
		return true;
	rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);
	if (!rec)
		return false;
	bpf_spin_lock(&half->lock);
	if (flow_key_same(&half->key, key) && half->held & 1 << which) {
		*rec = half->part[which];
		half->held &= ~(1 << which);
		held = true;
	}
	bpf_spin_unlock(&half->lock);
	if (held)
		bpf_ringbuf_submit(rec, emit_wakeup());
	else
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
	return true;
}

#endif
