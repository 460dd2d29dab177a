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

/* The direction in which a segment was seen. */
enum seg_dir {
	SEG_DIR_UNKNOWN = 0, /* capture file or mirror port */
	SEG_DIR_INGRESS = 1,
	SEG_DIR_EGRESS = 2,
};

/*
 * seg.rec_flags: why payload is missing and what the record carries instead.
 * SEG_F_HEADS:  the kernel walked the frames itself. Payload between the bytes that it forwards was
 *		seen and skipped, not lost. Any payload (cap_len > 0) is the head of a frame that
 *		begins at seq.
 * SEG_F_TRUNC:  the payload was cut short (a capture's snap length, a budget).
 * SEG_F_UDP:    a datagram from or to SSRP_PORT instead of a segment; the first fragment, if it was
 *		fragmented. seq, ack, window and flags are 0.
 * SEG_F_COUNTS: a struct tap_counts takes the place of the payload; cap_len is 0.
 * SEG_F_READ:	no packet: at ts_ns the process at saddr, sport read all that had come from daddr,
 *		dport. Everything else is 0.
 * SEG_F_SERVICE: a packet between this host and a service that a login may depend on, such as DNS.
 *		Of a long SMB2 message bytes 40 to 63 are zeros: bpf/dependency.h.
 * SEG_F_SKIPPED: with SEG_F_SERVICE: from now on packets of the same group of services are left
 *		out, because they are too many, for a second at most. There is no payload.
 */
#define SEG_F_HEADS   0x01
#define SEG_F_TRUNC   0x02
#define SEG_F_UDP     0x04
#define SEG_F_COUNTS  0x08
#define SEG_F_READ    0x10
#define SEG_F_SERVICE 0x20
#define SEG_F_SKIPPED 0x40

#define SSRP_PORT 1434 /* of SQL Server Browser, MC-SQLR 1.9 */

/*
 * One TCP segment, or one part of a super-segment: the event of the ring buffer and of every other
 * source. cap_len bytes of payload follow it. Host byte order, except for addresses (network order;
 * IPv4 as ::ffff:a.b.c.d).
 *
 * len     payload bytes on the wire that this record stands for
 * cap_len payload bytes that follow, <= len; the missing ones are a gap, never an error
 * seq     of the first payload byte (of the SYN itself for a SYN)
 *
 * A super-segment larger than SEG_CHUNK is forwarded as several records with rising seq. Only the
 * last one carries FIN and PSH.
 *
 * The tap that unwraps no tunnels emits records of SEG_PLAIN bytes: they end before tunnel.
 */
struct seg {
	__u64 ts_ns; /* when it was seen, by the source's clock */
	__u8 saddr[16];
	__u8 daddr[16];
	__u32 seq;
	__u32 ack;
	__u32 len;
	__u32 cap_len;
	__u32 ifindex; /* 0: unknown */
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
	__u16 mss; /* of a SYN, RFC 9293 3.7.1; 0: none, or from the tap, which reads no options */
	__u16 pad;
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
 * A tunnel's kind and id in one number, which is part of a connection's key. Keys of GRE have 32
 * bits: those from TUNNEL_GRE_LONG on, one in 85, are replaced by a hash, and their number is not
 * known.
 */
#define TUNNEL_NONE	    0u
#define TUNNEL_GRE_NO_KEY   1u
#define TUNNEL_ERSPAN_NO_ID 2u		/* type I */
#define TUNNEL_ERSPAN	    0x00010000u /* plus the session, 10 bits */
#define TUNNEL_GRE_HASH	    0x00800000u /* plus 23 bits of the key's hash */
#define TUNNEL_VXLAN	    0x01000000u /* plus the VNI, 24 bits */
#define TUNNEL_GENEVE	    0x02000000u /* plus the VNI, 24 bits */
#define TUNNEL_GRE	    0x03000000u /* plus the key */
#define TUNNEL_GRE_LONG	    0xfd000000u /* the first key that does not fit */

/* A connection, in both directions: the lower (addr, port) pair first. */
struct flow_key {
	__u8 addr[2][16];
	__u16 port[2];
	__u32 tunnel; /* TUNNEL_* */
};
_Static_assert(sizeof(struct flow_key) == 40, "no padding: it is hashed and compared as bytes");

/* How much of a flow the kernel forwards. */
enum tap_level {
	TAP_FULL = 0,  /* TCP header and payload */
	TAP_HEADS = 1, /* frame heads only */
	TAP_CLOSE = 2, /* FIN and RST only */
	TAP_OVER = 3,  /* the connection is over: the kernel forgets it */
};

#define TAP_COMMANDS 5 /* the first kinds of enum latency_kind, batch to attention */

/*
 * A flow's commands since the last such record, of those whose frame heads the kernel did not
 * forward. The heads of MARS sessions are all forwarded.
 */
struct tap_counts {
	__u32 commands[TAP_COMMANDS]; /* by enum latency_kind */
	__u32 resets;		      /* requests that ask for a connection reset first */
	__u8 awaiting;		      /* a request has no response yet */
	__u8 pad[7];
};
_Static_assert(sizeof(struct tap_counts) == 32, "the ring buffer's ABI");

/*
 * The kernel's state of a flow, when user space asks for it. Arrays: the lower and the higher end
 * of the flow's key.
 */
struct tap_state {
	struct tap_counts counts;
	__u64 resent_ns;   /* when the first retransmission came, to the millisecond; 0: none */
	__u32 end[2];	   /* the next sequence number that it sends */
	__u32 acked[2];	   /* the next sequence number that its peer expects from it */
	__u8 seen[2];	   /* end is valid */
	__u8 has_acked[2]; /* acked is valid */
	__u8 resent[2];	   /* retransmissions of the segment that begins at acked; 255: or more */
};

/*
 * Per CPU, every packet is counted in exactly one of these, except SYNS and HALF_OPEN. They are
 * metrics, so their numbers never change. They count packets, not records: a super-segment is one
 * EVENT and several records. A SYN or SYN+ACK that is stored until the client acknowledges the
 * latter is SKIPPED, and its record accompanies a later packet's EVENT.
 */
enum tap_counter {
	TAP_CNT_OTHER = 0,    /* not TCP on a watched port, nor from or to SQL Server Browser */
	TAP_CNT_EVENT = 1,    /* forwarded */
	TAP_CNT_SKIPPED = 2,  /* watched, but its level forwards nothing of it, or not yet */
	TAP_CNT_LOST = 3,     /* ring buffer full: the packet, or part of it, was not forwarded */
	TAP_CNT_SHORT = 4,    /* cut short or malformed before the end of TCP's or UDP's header */
	TAP_CNT_FRAGMENT = 5, /* IP fragment other than the first */
	TAP_CNT_EXT_HEADERS = 6, /* IPv6 extension headers beyond the parser's bound */
	TAP_CNT_FLOW_MISS = 7,	 /* flow map refused the flow: forwarded as at TAP_FULL */
	TAP_CNT_BUDGET = 8,	 /* the flow's budget is exhausted: header forwarded */
	TAP_CNT_DATAGRAM = 9,	 /* from or to SQL Server Browser: forwarded */
	TAP_CNT_FLOOD = 10,	 /* the same, but beyond the rate limit: not forwarded */
	/* not a packet: SYNs, refused or not answered, that were not reported one by one */
	TAP_CNT_SYNS = 11,
	/* not a packet: handshakes that the client never completed, not reported one by one */
	TAP_CNT_HALF_OPEN = 12,
	TAP_CNT_NESTED = 13,	 /* tunnels within tunnels, beyond the bound on unwrapping */
	TAP_CNT_DEPENDENCY = 14, /* between this host and a service: its head was forwarded */
	TAP_CNT_DEPENDENCY_SKIPPED = 15, /* the same, but of too many: not forwarded */
	TAP_CNT_MAX = 16,
};

#endif
