/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_load.h - the tap's programs and maps into the kernel, and in words what keeps it from it.
 */
#ifndef TDSMON_TAP_LOAD_H
#define TDSMON_TAP_LOAD_H

#include <linux/types.h>
#include <string.h>

#include "flow_key.h"
#include "source/live/live.h"
#include "tap.skel.h"

/* A value of the map "flows"; struct flow of bpf/flow.h. */
struct tap_flow {
	__u8 level;
	__u8 marks;
	__u16 beat;
	__u32 bytes;
	struct {
		__u32 next, end, acked;
		__u8 state, have;
		__u8 flags; /* TAP_WALK_* */
		__u8 resent;
	} walk[2];
	__u64 sent_ns, first_ns, last_ns;
	__u16 counts[6];
	__u16 server;
	__u8 client;
	__u8 turn;
	__u32 resent_first; /* in units of 2^TAP_RESENT_SHIFT ns */
	__u16 resent_last;
	__u8 kind;
	__u8 sealed;
};
_Static_assert(sizeof(struct tap_flow) == 88, "bpf/flow.h");

#define TAP_WALK_SEEN	 0x01 /* WALK_SEEN of bpf/tap.h */
#define TAP_WALK_ACKED	 0x40 /* WALK_ACKED */
#define TAP_RESENT_SHIFT 20   /* FLOW_RESENT_SHIFT of bpf/flow.h */

/* A slot of the map "halves", which is mapped into memory; struct half of bpf/half.h. */
struct tap_half {
	struct tap_key key;
	__u32 state; /* TAP_HALF_* */
	struct seg syn;
	struct {
		__u64 ts_ns;
		__u32 seq, ack;
		__u32 ifindex;
		__u16 window, ip_id;
		__u8 flags, dir, ttl, pad[5];
	} rest[2]; /* the SYN+ACK, and the ACK */
	__u64 again_ns[2];
};
_Static_assert(sizeof(struct tap_half) == 176, "bpf/half.h");

#define TAP_HALF_SYN	0x01 /* the SYN is there, and was not handed over */
#define TAP_HALF_SYNACK 0x02 /* so is the SYN+ACK */
#define TAP_HALF_PARTS	0x07 /* bits of these, and of the ACK */
#define TAP_HALF_TOLD	0x40 /* HALF_* of bpf/half.h */
#define TAP_HALF_PROVEN 0x80
#define TAP_HALF_WITHIN 0x100

/*
 * A record of the ring buffer that begins with head bytes of a struct seg: SEG_PLAIN of a tap that
 * unwraps nothing, else all. The payload is behind these. Where they are not all, *room is filled.
 */
static inline const struct seg *tap_record(const void *record, size_t head, struct seg *room)
{
	if (head == sizeof(*room))
		return record;
	memcpy(room, record, SEG_PLAIN);
	room->tunnel = TUNNEL_NONE;
	room->pad = 0;
	return room;
}

/* The tap, or the one that unwraps tunnels, as libbpf opens it. NULL and errno. */
struct tap_bpf *tap_skeleton(bool decap);

/* 0 and *tap, to be destroyed by tap_bpf__destroy(); else -errno, and the reason is logged. */
int tap_load(struct tap_bpf **tap, const struct live_config *config);

#endif
