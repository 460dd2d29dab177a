/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap.h - what the tap's parts share: configuration, the packet at hand, and the counters.
 */
#ifndef TDSMON_TAP_H
#define TDSMON_TAP_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "decap.h"
#include "flow_key.h"
#include "latency_histogram.h"

#define TAP_INLINE static __always_inline

/* Hide a value's origin, so that clang keeps the mask behind it that old verifiers must see. */
#define tap_opaque(x) asm volatile("" : "+r"(x))

/* Is this the tap that unwraps tunnels? decap.bpf.c */
#ifndef TAP_DECAP
#define TAP_DECAP 0
#endif

/* Where user space has a struct seg with a tunnel. */
#if TAP_DECAP
#define TAP_PLAIN_PAD
#define tap_seg_tunnel(seg, number) ((seg)->tunnel = (number))
#else
#define TAP_PLAIN_PAD		    __u8 plain_pad[8];
#define tap_seg_tunnel(seg, number) ((void)(number))
#endif

/* The ports watched, a bit each; user space sets them, also while the programs run. */
__u64 tap_ports[65536 / 64] __attribute__((aligned(64)));

/* Set before loading. The defaults watch nothing. */
const volatile bool tap_any_port = false;
const volatile bool tap_mirror = false;
const volatile bool tap_browser = false;      /* hand the Browser's datagrams over */
const volatile bool tap_commands = false;     /* the heads of all messages are events */
const volatile __u32 tap_budget = 1 << 20;    /* payload bytes of a flow at TAP_FULL */
const volatile __u64 tap_seed[2];	      /* random: key_hash6() */
const volatile bool tap_xdp_direct = false;   /* tests: do as a kernel before 5.18 has to */
const volatile struct decap_config tap_decap; /* what to unwrap, where TAP_DECAP */

#define TAP_COUNTS 6 /* of struct tap_counts: the commands by kind, and the resets */

enum tap_hook {
	TAP_HOOK_SKB,
	TAP_HOOK_XDP,
};

/* The longest frame head that user space is handed: SMP's, and that of the TDS packet in it. */
#define WALK_HEAD 24u

enum walk_state {
	WALK_LOST = 0,	 /* no frame boundary is known: all is handed over, as at TAP_FULL */
	WALK_HEADS = 1,	 /* next is where a frame begins */
	WALK_OPAQUE = 2, /* TLS, or after a FIN: no head is of use to user space */
};

/* struct walk's flags */
#define WALK_SEEN    0x01 /* end is valid */
#define WALK_BEHIND  0x02 /* user space does not know that the stream is at end by now */
#define WALK_MESSAGE 0x04 /* a message goes on in the next packet */
#define WALK_LAST    0x08 /* the frame under way ends its message */
#define WALK_SMP     0x10 /* the frame under way is SMP's */
#define WALK_FIN     0x20 /* behind end there is a FIN, which takes a number */
#define WALK_ACKED   0x40 /* acked is valid */

/* One direction of a flow, at TAP_HEADS and TAP_CLOSE. Sequence numbers, host order. */
struct walk {
	__u32 next;  /* of the next frame's first byte */
	__u32 end;   /* highest seen, behind the payload */
	__u32 acked; /* what the peer acknowledged */
	__u8 state;  /* enum walk_state */
	__u8 have;   /* bytes of head, of the frame at next; they are in the cuts map */
	__u8 flags;
	__u8 resent; /* times that what begins at acked was sent again */
};

/* A segment, as its frames are walked. */
struct walk_at {
	__u32 seq, end, avail;
	__u32 frames; /* walked so far */
	__u8 flags;
	__u8 sync;   /* looking for a boundary: nothing is handed over */
	__u8 told;   /* the last record reaches to the segment's end */
	__u8 whole;  /* and it carries the segment's flags */
	__u8 budget; /* nothing was handed over, for want of budget */
	__u8 emitted, lost;
	__u8 full; /* all of it is handed over anyway */
	/* what its TDS packets' heads say */
	__u8 heads, begins, kind, ends;
	__u8 sealed; /* TLS carries data */
	__u32 counts[TAP_COUNTS];
};

/*
 * The packet at hand, as far as it is of interest. In a map and not on the stack, because there
 * the verifier doesn't tell the paths apart that led to it: on the stack they multiply to more
 * instructions than it is willing to look at. No program interrupts another one on its CPU.
 */
struct tap_work {
	struct seg seg;
	struct tap_key key;
	__u32 payload_off;
	__u32 avail; /* payload bytes that the frame holds */
	__u32 side;  /* which of the key's ends it is from */
	struct decap decap;
	struct walk walk; /* of the segment's direction */
	struct walk_at at;
	__u8 head[64]; /* of a frame: 24 bytes, and room for what a masked length could be */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_work);
} works SEC(".maps");

TAP_INLINE struct tap_work *tap_work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&works, &zero);
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAP_CNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* A packet was lost since user space looked: what a login seems to lack may be that. */
__u32 tap_lost;

TAP_INLINE void tap_count(enum tap_counter which)
{
	__u32 key = which;
	__u64 *n = bpf_map_lookup_elem(&counters, &key);

	if (n)
		(*n)++;
	if (which == TAP_CNT_LOST && !tap_lost)
		tap_lost = 1;
}

TAP_INLINE bool tap_port(__u16 port)
{
	__u32 word = port / 64;

	tap_opaque(word);
	return tap_ports[word & (65536 / 64 - 1)] >> (port % 64) & 1;
}

/* bpf_xdp_load_bytes is there from 5.18 on, with frames that lie in several buffers. */
TAP_INLINE bool tap_has_xdp_load(void)
{
	return !tap_xdp_direct &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_load_bytes);
}

#endif
