/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packet_ctx.h - what the tap's parts share: configuration, the packet at hand, and the counters.
 */
#ifndef TDSMON_PACKET_CTX_H
#define TDSMON_PACKET_CTX_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "decap.h"
#include "frame_head.h"
#include "pkt.h"
#include "segment.h"
#include "tap_abi.h"

#define TAP_INLINE static __always_inline

/* Hide a value's origin, so that clang keeps the mask behind it that old verifiers must see. */
#define tap_opaque(x) asm volatile("" : "+r"(x))

/* Is this the tap that unwraps tunnels? decap.bpf.c */
#ifndef TAP_DECAP
#define TAP_DECAP 0
#endif

/* The tunnel in a segment; only the tap that unwraps tunnels has the field. */
#if TAP_DECAP
#define tap_seg_tunnel(seg, number) ((seg)->tunnel = (number))
#else
#define tap_seg_tunnel(seg, number) ((void)(number))
#endif

/* The ports watched, a bit each; user space sets them, also while the programs run. */
__u64 tap_ports[65536 / 64] __attribute__((aligned(64)));

/* Set before loading. The defaults watch nothing. */
const volatile bool tap_any_port = false;
const volatile bool tap_mirror = false;
const volatile bool tap_sql_browser = false;  /* hand the Browser's datagrams over */
const volatile bool tap_commands = false;     /* the heads of all messages are events */
const volatile __u32 tap_budget = 1 << 20;    /* payload bytes of a flow at TAP_FULL */
const volatile __u64 tap_seed[2];	      /* random: key_hash6() */
const volatile bool tap_xdp_direct = false;   /* tests: do as a kernel before 5.18 has to */
const volatile struct decap_config tap_decap; /* what to unwrap, where TAP_DECAP */

enum tap_hook {
	TAP_HOOK_SKB,
	TAP_HOOK_XDP,
};

/* The longest frame head that is forwarded: SMP's with the TDS head in it. */
#define FRAME_HEAD_MAX (SMP_HEADER + TDS_HEADER)

/* A segment, as its frames are walked. */
struct segment_walk {
	__u32 seq, end, avail;
	__u32 frames; /* walked so far */
	__u8 flags;
	__u8 sync;	  /* looking for a boundary: nothing is handed over */
	__u8 reported;	  /* the last record reaches to the segment's end */
	__u8 whole;	  /* and it carries the segment's flags */
	__u8 over_budget; /* nothing was handed over, for want of budget */
	__u8 emitted, lost;
	__u8 full; /* all of it is handed over anyway */
	/* what its TDS packets' heads say */
	__u8 heads, begins, kind, ends;
	__u8 encrypted; /* TLS carries data */
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
	struct frame_track track; /* of the segment's direction */
	struct segment_walk walk;
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

/* What locating a packet comes to, if not to what it is counted as: it is in the work. */
enum classify {
	CLASSIFY_NEW = TAP_CNT_MAX, /* of no flow, or the SYN of a new one */
	CLASSIFY_SYN_ON_LIVE_FLOW,  /* a SYN on the ports of a flow that is not over */
	CLASSIFY_FULL,		    /* to be handed over */
	CLASSIFY_BUDGET,	    /* the same, but its payload */
	CLASSIFY_INNER,		    /* not located yet: it is in a tunnel */
};

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

/* The kernel added a port to tap_ports. User space clears this when it has checked the ports. */
__u32 tap_ports_added;

/* Another CPU that writes the same word may lose this; user space sets it again. */
TAP_INLINE void tap_watch_port(__u32 port)
{
	__u32 word = port / 64;

	if (port - 1 >= (1u << 16) - 1)
		return;
	tap_opaque(word);
	tap_ports[word & (65536 / 64 - 1)] |= 1ull << (port % 64);
	tap_ports_added = 1;
}

/* bpf_xdp_load_bytes is there from 5.18 on, with frames that lie in several buffers. */
TAP_INLINE bool tap_has_xdp_load(void)
{
	return !tap_xdp_direct &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_load_bytes);
}

#endif
