/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_table.h - the flow map: the tap's state of connections. User space steers it by setting
 * levels.
 */
#ifndef TDSMON_FLOW_TABLE_H
#define TDSMON_FLOW_TABLE_H

#include "packet_ctx.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tap_key);
	__type(value, struct tap_flow);
} flows SEC(".maps");

TAP_INLINE bool flow_key_same(const struct tap_key *a, const struct tap_key *b)
{
	return a->addr[0] == b->addr[0] && a->addr[1] == b->addr[1] && a->port[0] == b->port[0] &&
	       a->port[1] == b->port[1];
}

TAP_INLINE __u64 flow_be64(__u64 x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(x);
#else
	return x;
#endif
}

/* Is (a, aport) lower than or equal to (b, bport)? Compares as memcmp() does. */
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

/* Fill the key. Returns which end of it sent the packet. */
TAP_INLINE __u32 flow_key_fill(struct tap_key *key, const struct pkt *pkt)
{
	bool lower = true;

	if (pkt->ip4) {
		__u32 s = pkt->ip4->saddr_be, d = pkt->ip4->daddr_be;

		lower = s == d ? pkt->sport <= pkt->dport : pkt_be32(s) < pkt_be32(d);
		key->addr[0] = lower ? s : d;
		key->addr[1] = lower ? d : s;
	} else if (pkt->ip6) {
		const struct pkt_ip6 *ip = pkt->ip6;
		__u64 hash;

		lower = flow_lower6(ip->saddr_be, ip->daddr_be, pkt->sport, pkt->dport);
		hash = lower ? key_hash6(tap_seed[0], tap_seed[1], ip->saddr_be, ip->daddr_be)
			     : key_hash6(tap_seed[0], tap_seed[1], ip->daddr_be, ip->saddr_be);
		key->addr[0] = (__u32)hash;
		key->addr[1] = hash >> 32;
	}
	key->port[0] = lower ? pkt->sport : pkt->dport;
	key->port[1] = lower ? pkt->dport : pkt->sport;
	return !lower;
}

/* For tables of slots. The upper bits are mixed best. */
TAP_INLINE __u64 flow_key_hash(const struct tap_key *key)
{
	__u64 hash = tap_seed[0] ^ ((__u64)key->addr[0] << 32 | key->addr[1]);

	hash = key_mix(hash, tap_seed[1]);
	return key_mix(hash, (__u32)key->port[0] << 16 | key->port[1]);
}

TAP_INLINE __s32 seq_diff(__u32 a, __u32 b)
{
	return (__s32)(a - b);
}

TAP_INLINE struct frame_track *flow_track(struct tap_flow *flow, __u32 side)
{
	return side ? &flow->track[1] : &flow->track[0];
}

/* A FIN in order is the last that this side sends. */
TAP_INLINE void flow_track_fin(struct frame_track *track)
{
	track->state = TRACK_OPAQUE;
	track->flags |= TRACK_FIN;
}

/*
 * Note an acknowledgement. It counts only up to the bytes that the peer is known to have sent (RFC
 * 5961 5).
 */
TAP_INLINE void flow_note_ack(struct tap_flow *flow, __u32 side, const struct pkt_tcp *tcp)
{
	struct frame_track *peer = flow_track(flow, !side);
	__u32 ack = pkt_be32(tcp->ack_be);

	if (!(tcp->flags & SEG_ACK) || !(peer->flags & TRACK_SEEN) ||
	    (peer->flags & TRACK_ACKED && seq_diff(ack, peer->acked) <= 0) ||
	    seq_diff(ack, peer->end + !!(peer->flags & TRACK_FIN)) > 0)
		return;
	peer->acked = ack;
	peer->flags |= TRACK_ACKED;
	peer->resent = 0;
}

#define FLOW_COPY 8 /* of these units: sooner it is a copy, seen on another interface */

/*
 * Payload came again: count a retransmission if it begins with the first byte that is not
 * acknowledged, so that only the first segment of each repetition counts.
 */
TAP_INLINE void flow_note_resent(struct tap_flow *flow, struct frame_track *track, __u32 seq)
{
	__u32 now;

	if (!(track->flags & TRACK_ACKED) || track->acked != seq || track->resent == 255)
		return;
	now = bpf_ktime_get_ns() >> FLOW_RESENT_SHIFT;
	if (track->resent ? (__u16)(now - flow->resent_last) < FLOW_COPY
			  : now - (__u32)(flow->sent_ns >> FLOW_RESENT_SHIFT) < FLOW_COPY)
		return;
	if (!track->resent++)
		flow->resent_first = now;
	flow->resent_last = now;
}

/*
 * Does the receiver accept a RST at seq? Only at the next byte that it expects (RFC 5961 3.2). That
 * lies between what it has acknowledged and the end of what was seen.
 */
TAP_INLINE bool flow_resets(struct tap_flow *flow, __u32 side, __u32 seq)
{
	const struct frame_track *track = flow_track(flow, side);

	if (!(track->flags & TRACK_SEEN))
		return true;
	if (seq_diff(seq, track->end + !!(track->flags & TRACK_FIN)) > 0)
		return false;
	return seq_diff(seq, track->flags & TRACK_ACKED ? track->acked : track->end) >= 0;
}

/*
 * Coarse clock, one tick every 262 s to 44 min, depending on the kernel's HZ. A flow with no events
 * emits one record per tick, so that user space does not expire it.
 */
TAP_INLINE __u16 flow_heartbeat_epoch(void)
{
	return bpf_jiffies64() >> 18;
}

#endif
