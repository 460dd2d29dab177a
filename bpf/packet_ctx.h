/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packet_ctx.h - shared by all parts of the tap: configuration, the current packet, the counters.
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

/* Hide where a value comes from, so that clang keeps the mask that old verifiers must see. */
#define tap_opaque(x) asm volatile("" : "+r"(x))

/* Set by decap.bpf.c, the tap that unwraps tunnels. */
#ifndef TAP_DECAP
#define TAP_DECAP 0
#endif

/* A segment's tunnel. Only the tap that unwraps tunnels has the field. */
#if TAP_DECAP
#define tap_seg_tunnel(seg, number) ((seg)->tunnel = (number))
#else
#define tap_seg_tunnel(seg, number) ((void)(number))
#endif

/* The watched ports, one bit each. User space sets them, also while the programs run. */
__u64 tap_ports[65536 / 64] __attribute__((aligned(64)));

/* Set before loading. The defaults watch nothing. */
const volatile bool tap_any_port = false;
const volatile bool tap_mirror = false;
const volatile bool tap_sql_browser = false;  /* forward SQL Server Browser's datagrams */
const volatile bool tap_commands = false;     /* forward the frame heads of all messages */
const volatile __u32 tap_budget = 1 << 20;    /* payload bytes of a flow at TAP_FULL */
const volatile __u64 tap_seed[2];	      /* random, for key_hash6() */
const volatile bool tap_xdp_direct = false;   /* tests only: behave as on a kernel before 5.18 */
const volatile struct decap_config tap_decap; /* what to unwrap, if TAP_DECAP */

enum tap_hook {
	TAP_HOOK_SKB,
	TAP_HOOK_XDP,
};

/* The longest frame head that is forwarded: an SMP head with the TDS head in it. */
#define FRAME_HEAD_MAX (SMP_HEADER + TDS_HEADER)

/* What the heads of a segment's TDS packets say. */
struct segment_heads {
	__u8 any;
	__u8 begins; /* a message */
	__u8 kind;   /* enum latency_kind of the message that begins last */
	__u8 resets; /* it asks for a connection reset first */
	__u8 ends;   /* a message */
};

/* One segment while its frames are walked. */
struct segment_walk {
	__u32 seq, end, avail;
	__u32 frames; /* walked so far */
	__u8 flags;
	__u8 sync;	  /* searching for a frame boundary: nothing is forwarded */
	__u8 reported;	  /* the last record reaches the segment's end */
	__u8 whole;	  /* that record carries the segment's flags */
	__u8 over_budget; /* nothing was forwarded: the budget is exhausted */
	__u8 emitted, lost;
	__u8 full;	/* the whole segment is forwarded anyway */
	__u8 encrypted; /* TLS carries application data */
	__u8 counted;	/* counts are not all 0 */
	struct segment_heads heads;
	__u32 counts[TAP_COUNTS];
};

/*
 * The current packet. It is in a map, not on the stack: for a map the verifier does not distinguish
 * the paths that led to a value, while on the stack they multiply beyond its instruction limit. No
 * program interrupts another one on the same CPU.
 */
struct tap_work {
	struct seg seg;
	struct tap_key key;
	__u32 payload_off;
	__u32 avail; /* payload bytes that the frame holds */
	__u32 side;  /* which end of the key sent it */
	struct decap decap;
	struct frame_track track; /* of the segment's direction */
	struct segment_walk walk;
	__u8 head[64]; /* a frame's head: 24 bytes, rounded up to the largest masked length */
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

/* Results of classifying a packet that is not counted yet. struct tap_work holds the packet. */
enum classify {
	CLASSIFY_NEW = TAP_CNT_MAX, /* belongs to no flow, or is the SYN of a new one */
	CLASSIFY_SYN_ON_LIVE_FLOW,  /* a SYN on the ports of a flow that has not ended */
	CLASSIFY_FULL,		    /* forward the packet */
	CLASSIFY_BUDGET,	    /* forward the header without the payload */
	CLASSIFY_INNER,		    /* not classified yet: the packet is in a tunnel */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAP_CNT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_recent);
} recent SEC(".maps");

TAP_INLINE struct tap_recent *tap_recent(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&recent, &zero);
}

/*
 * Begin to load what nearly every packet needs at its end, while its flow is looked up: the clock,
 * which may be read between, waits for what is being loaded.
 */
TAP_INLINE void tap_touch_recent(void)
{
	const struct tap_recent *now = tap_recent();

	if (now)
		(void)*(const volatile __u64 *)&now->passed;
}

/*
 * A packet was lost since user space last looked. Bytes that a login seems to lack may have been in
 * it.
 */
__u32 tap_lost;

TAP_INLINE void tap_count(enum tap_counter which)
{
	struct tap_recent *now;
	__u32 key = which;
	__u64 *n;

	if (which == TAP_CNT_SKIPPED) {
		now = tap_recent();
		if (now)
			now->passed++;
		return;
	}
	n = bpf_map_lookup_elem(&counters, &key);
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

/* The kernel added a port to tap_ports. User space clears this after it has checked the ports. */
__u32 tap_ports_added;

/* Another CPU that writes the same word may undo this; user space then sets the bit again. */
TAP_INLINE void tap_watch_port(__u32 port)
{
	__u32 word = port / 64;

	if (port - 1 >= (1u << 16) - 1)
		return;
	tap_opaque(word);
	tap_ports[word & (65536 / 64 - 1)] |= 1ull << (port % 64);
	tap_ports_added = 1;
}

/* bpf_xdp_load_bytes() exists since 5.18, as do XDP frames in several buffers. */
TAP_INLINE bool tap_has_xdp_load(void)
{
	return !tap_xdp_direct &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_load_bytes);
}

#endif
