/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * segment.h - the contract between the tap in the kernel and user space: the segment event, the
 * flow key, the tap levels and the loss counters. Included by BPF programs (after vmlinux.h)
 * and by user space (after <linux/types.h>); it includes nothing itself.
 */
#ifndef TDSMON_SEGMENT_H
#define TDSMON_SEGMENT_H

/* TCP flag bits as they stand in byte 13 of the header (RFC 9293 3.1). */
#define SEG_FIN 0x01
#define SEG_SYN 0x02
#define SEG_RST 0x04
#define SEG_PSH 0x08
#define SEG_ACK 0x10
#define SEG_URG 0x20

/* Where a segment was seen. */
enum seg_dir {
	SEG_DIR_UNKNOWN = 0, /* capture file, or a mirror port: neither in nor out */
	SEG_DIR_INGRESS = 1,
	SEG_DIR_EGRESS = 2,
};

/*
 * seg.rec_flags: why payload is missing and what the record carries instead.
 * SEG_F_HEADS: the kernel walked the frames itself. Payload between the bytes that it forwards was
 *		seen and skipped, not lost. Any payload (cap_len > 0) is the head of a frame that
 *		begins at seq.
 * SEG_F_TRUNC: the frame was cut short (a capture's snap length, a budget).
 * SEG_F_UDP:	a datagram from or to SSRP_PORT instead of a segment; the first fragment, if it was
 *		fragmented. seq, ack, window and flags are 0.
 * SEG_F_COUNTS: a struct tap_counts takes the place of the payload; cap_len is 0.
 */
#define SEG_F_HEADS  0x01
#define SEG_F_TRUNC  0x02
#define SEG_F_UDP    0x04
#define SEG_F_COUNTS 0x08

#define SSRP_PORT 1434 /* of SQL Server Browser, MC-SQLR 1.9 */

/*
 * One TCP segment, or one part of a super-segment: the event of the ring buffer and of every
 * other source. cap_len bytes of payload follow it. Host byte order throughout, addresses apart
 * (network order; IPv4 as ::ffff:a.b.c.d).
 *
 * len     payload bytes that this record stands for, on the wire
 * cap_len payload bytes that follow, <= len; what is between is a gap, never an error
 * seq     of the first payload byte (of the SYN itself for a SYN)
 * A super-segment larger than SEG_CHUNK is handed over as several records with rising seq; FIN
 * and PSH stand on the last one only.
 *
 * The records of a tap that unwraps no tunnels are SEG_PLAIN bytes: they end before tunnel.
 */
struct seg {
	__u64 ts_ns; /* when it was seen, on the source's clock */
	__u8 saddr[16];
	__u8 daddr[16];
	__u32 seq;
	__u32 ack;
	__u32 len;
	__u32 cap_len;
	__u32 ifindex; /* 0: not known */
	__u16 sport;
	__u16 dport;
	__u16 window;	/* unscaled */
	__u16 ip_id;	/* 0 for IPv6 */
	__u8 flags;	/* SEG_FIN ... SEG_URG */
	__u8 dir;	/* enum seg_dir */
	__u8 ttl;	/* or hop limit */
	__u8 rec_flags; /* SEG_F_* */
#if !defined(__BPF__) || TAP_DECAP
	__u32 tunnel; /* TUNNEL_* */
	__u32 pad;
#endif
};
#define SEG_PLAIN 72u
#if !defined(__BPF__) || TAP_DECAP
_Static_assert(sizeof(struct seg) == SEG_PLAIN + 8, "the ring buffer's ABI");
#else
_Static_assert(sizeof(struct seg) == SEG_PLAIN, "the ring buffer's ABI");
#endif

#define SEG_CHUNK 4096u /* most payload bytes in one ring buffer record */

/*
 * A tunnel, its kind and its id in one number, so that a connection's key holds all of it. Keys of
 * GRE have 32 bits: those from TUNNEL_GRE_LONG on, one in 85, are told apart by a hash, and their
 * number is not known.
 */
#define TUNNEL_NONE	    0u
#define TUNNEL_GRE_NO_KEY   1u
#define TUNNEL_ERSPAN_NO_ID 2u		/* type I */
#define TUNNEL_ERSPAN	    0x00010000u /* and the session, 10 bits */
#define TUNNEL_GRE_HASH	    0x00800000u /* and 23 bits of the key's hash */
#define TUNNEL_VXLAN	    0x01000000u /* and the VNI, 24 bits */
#define TUNNEL_GENEVE	    0x02000000u /* and the VNI, 24 bits */
#define TUNNEL_GRE	    0x03000000u /* plus the key */
#define TUNNEL_GRE_LONG	    0xfd000000u /* the first key that is too long for that */

/* A connection, whichever way: the lower (addr, port) pair first. */
struct flow_key {
	__u8 addr[2][16];
	__u16 port[2];
	__u32 tunnel; /* TUNNEL_* */
};
_Static_assert(sizeof(struct flow_key) == 40, "no padding: it is hashed and compared as bytes");

/* How much of a flow the kernel hands over. */
enum tap_level {
	TAP_FULL = 0,  /* TCP header and payload */
	TAP_HEADS = 1, /* frame heads only */
	TAP_CLOSE = 2, /* FIN and RST only */
	TAP_OVER = 3,  /* the connection is: the kernel forgets it */
};

#define TAP_COMMANDS 5 /* kinds: the first of enum latency_kind, batch to attention */

/*
 * Commands of a flow whose frame heads the kernel did not forward, since the last such record. The
 * heads of MARS sessions are all forwarded.
 */
struct tap_counts {
	__u32 commands[TAP_COMMANDS]; /* by enum latency_kind */
	__u32 resets;		      /* requests that ask for a connection reset first */
	__u8 awaiting;		      /* a request has no response yet */
	__u8 pad[7];
};
_Static_assert(sizeof(struct tap_counts) == 32, "the ring buffer's ABI");

/* Of a flow, where the kernel is asked; of the lower and of the higher end of its key. */
struct tap_state {
	struct tap_counts counts;
	__u64 resent_ns;   /* when the first of these came, to the millisecond; 0: none did */
	__u32 end[2];	   /* of what it sent: the next sequence number */
	__u32 acked[2];	   /* of what it sent: the next one that its peer waits for */
	__u8 seen[2];	   /* which of the ends hold */
	__u8 has_acked[2]; /* which of acked hold */
	__u8 resent[2];	   /* times that what begins at acked was sent again; 255: or more */
};

/*
 * Every packet ends in exactly one of these, SYNS and HALF_OPEN apart, per CPU. Never renumbered:
 * they are metrics. They count packets, not records: a super-segment is one EVENT and several
 * records, and a SYN or SYN+ACK that is kept back until the client acknowledges the latter is
 * SKIPPED, and its record comes along with a later packet's EVENT.
 */
enum tap_counter {
	TAP_CNT_OTHER = 0,    /* not TCP on a watched port, nor from or to the Browser */
	TAP_CNT_EVENT = 1,    /* handed over in full */
	TAP_CNT_SKIPPED = 2,  /* watched, nothing to hand over at its level or as yet */
	TAP_CNT_LOST = 3,     /* ring buffer full: the packet, or part of it, was not handed over */
	TAP_CNT_SHORT = 4,    /* cut short or malformed before the end of TCP's or UDP's header */
	TAP_CNT_FRAGMENT = 5, /* IP fragment other than the first */
	TAP_CNT_EXT_HEADERS = 6, /* IPv6 extension headers beyond the walk's bound */
	TAP_CNT_FLOW_MISS = 7,	 /* flow map refused the flow: handed over at TAP_FULL */
	TAP_CNT_BUDGET = 8,	 /* flow used up its budget of payload: header handed over */
	TAP_CNT_DATAGRAM = 9,	 /* from or to the Browser: handed over */
	TAP_CNT_FLOOD = 10,	 /* the same, but of too many: not handed over */
	/* of no packet: SYNs that were refused or not answered, of too many to tell of each */
	TAP_CNT_SYNS = 11,
	/* of no packet: handshakes that the client never completed, of too many to tell of each */
	TAP_CNT_HALF_OPEN = 12,
	TAP_CNT_NESTED = 13, /* tunnels within tunnels, beyond the bound on unwrapping */
	TAP_CNT_MAX = 14,
};

#endif
