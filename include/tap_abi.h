/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_abi.h - the keys and values of the tap's maps, and the packet of tap_steer(): memory that the
 * kernel and user space share.
 */
#ifndef TDSMON_TAP_ABI_H
#define TDSMON_TAP_ABI_H

#include "segment.h"

#define TAP_ABI_AT(type, member, offset)                                                           \
	_Static_assert(__builtin_offsetof(type, member) == (offset), "shared memory")

/*
 * The kernel's key of a connection: the lower (addr, port) pair first, as in struct flow_key. It is
 * short, because the kernel hashes and compares all of it for each packet.
 */
struct tap_key {
	/* IPv4: network order; IPv6: key_hash6() of both; in a tunnel: key_enter() */
	__u32 addr[2];
	__u16 port[2]; /* host order */
};
_Static_assert(sizeof(struct tap_key) == 12, "BPF map key");
TAP_ABI_AT(struct tap_key, port, 8);

/* What the kernel counts of a flow's commands: the kinds of struct tap_counts, and the resets. */
#define TAP_COUNT_RESETS TAP_COMMANDS
#define TAP_COUNTS	 (TAP_COMMANDS + 1)

/* --- the map "flows" --- */

enum track_state {
	TRACK_LOST = 0,	  /* no frame boundary is known: payload is forwarded, as at TAP_FULL */
	TRACK_SYNCED = 1, /* next is a frame boundary */
	TRACK_OPAQUE = 2, /* TLS, or after a FIN: user space needs no frame heads */
};

/* struct frame_track's flags */
#define TRACK_SEEN	 0x01 /* end is valid */
#define TRACK_BEHIND	 0x02 /* user space does not know yet that the stream has reached end */
#define TRACK_IN_MESSAGE 0x04 /* the message continues in the next packet */
#define TRACK_LAST_FRAME 0x08 /* the current frame ends its message */
#define TRACK_SMP	 0x10 /* the current frame is an SMP packet */
#define TRACK_FIN	 0x20 /* a FIN follows end, and takes a sequence number */
#define TRACK_ACKED	 0x40 /* acked is valid */

/* Frame boundaries of one direction of a flow. Sequence numbers in host order. */
struct frame_track {
	__u32 next;  /* first byte of the next frame */
	__u32 end;   /* highest sequence number seen, after the payload */
	__u32 acked; /* acknowledged by the peer */
	__u8 state;  /* enum track_state */
	__u8 have;   /* bytes seen of the head of the frame at next; the map split_heads has them */
	__u8 flags;  /* TRACK_* */
	__u8 resent; /* how often the segment that begins at acked was retransmitted; 255: or more */
};
_Static_assert(sizeof(struct frame_track) == 16, "no padding");

enum request_state {
	REQUEST_IDLE,
	REQUEST_SENDING,    /* the request is being sent */
	REQUEST_WAITING,    /* it was sent: no byte of the response yet */
	REQUEST_RESPONDING, /* the response is being sent */
};

/* struct tap_flow's marks */
#define FLOW_FIN	      0x01 /* a FIN was seen: forward the last ACKs */
#define FLOW_RST	      0x02 /* a RST was seen, with any sequence number */
#define FLOW_ENDED	      0x04 /* a FIN in order, or a RST that its receiver accepts */
#define FLOW_BUDGET_EXHAUSTED 0x08 /* the kernel itself lowered the level to TAP_HEADS */

#define FLOW_RESENT_SHIFT 20 /* resent_first, resent_last: 2^20 ns, about a millisecond */

/* level, client and server are set by user space, by tap_steer(). */
struct tap_flow {
	__u8 level;		     /* enum tap_level */
	__u8 marks;		     /* FLOW_* */
	__u16 last_heartbeat;	     /* the epoch of the last record, flow_heartbeat_epoch() */
	__u32 bytes;		     /* forwarded at TAP_FULL, or while no boundary is known */
	struct frame_track track[2]; /* sent by the lower and by the higher end of the key */
	__u64 sent_ns;		     /* current command: the request's last byte */
	__u64 first_ns;		     /* the response's first byte */
	__u64 last_ns;		     /* under TLS: the response's last byte so far */
	__u16 counts[TAP_COUNTS];    /* not reported yet */
	__u16 server;		     /* index of the latency histograms; 0: all other servers */
	__u8 client;		     /* which end of the key */
	__u8 request;		     /* enum request_state */
	__u32 resent_first;	     /* when a track's resent became 1, FLOW_RESENT_SHIFT */
	__u16 resent_last;	     /* when it last rose */
	__u8 kind;		     /* enum latency_kind of the current command */
	__u8 encrypted;		     /* TLS: commands are inferred from who sends */
};
_Static_assert(sizeof(struct tap_flow) == 88, "152 bytes of kernel memory, and 16 for a bucket");
TAP_ABI_AT(struct tap_flow, level, 0);
TAP_ABI_AT(struct tap_flow, marks, 1);
TAP_ABI_AT(struct tap_flow, last_heartbeat, 2);
TAP_ABI_AT(struct tap_flow, bytes, 4);
TAP_ABI_AT(struct tap_flow, track, 8);
TAP_ABI_AT(struct tap_flow, sent_ns, 40);
TAP_ABI_AT(struct tap_flow, first_ns, 48);
TAP_ABI_AT(struct tap_flow, last_ns, 56);
TAP_ABI_AT(struct tap_flow, counts, 64);
TAP_ABI_AT(struct tap_flow, server, 76);
TAP_ABI_AT(struct tap_flow, client, 78);
TAP_ABI_AT(struct tap_flow, request, 79);
TAP_ABI_AT(struct tap_flow, resent_first, 80);
TAP_ABI_AT(struct tap_flow, resent_last, 84);
TAP_ABI_AT(struct tap_flow, kind, 86);
TAP_ABI_AT(struct tap_flow, encrypted, 87);

/* --- the map "recent", one value for each CPU --- */

#define TAP_RESULTS 16u

/* A command whose response has ended. Times are from the request's last byte. */
struct tap_result {
	__u64 first_ns; /* to the response's first byte */
	__u64 total_ns; /* to its last */
	__u32 key;	/* in the map "latencies" */
	__u32 pad;
};
_Static_assert(sizeof(struct tap_result) == 24, "no hidden padding");

/*
 * What a CPU has counted and not added up yet: so that most packets touch a line or two here, and
 * neither the counters nor the latencies. Results added to flushed are in the latencies; the others,
 * up to added, only here, each at its number modulo TAP_RESULTS. A number stands before what it
 * counts, and user space copies upwards: so it sees no result that is not written yet.
 */
struct tap_recent {
	__u64 passed; /* packets: TAP_CNT_SKIPPED */
	__u32 added, flushed;
	struct tap_result results[TAP_RESULTS];
};
_Static_assert(sizeof(struct tap_recent) == 400, "shared memory");
TAP_ABI_AT(struct tap_recent, added, 8);
TAP_ABI_AT(struct tap_recent, flushed, 12);
TAP_ABI_AT(struct tap_recent, results, 16);

/* --- the map "half_open", which user space maps into its memory --- */

/* A handshake's packets, in their order. */
enum handshake_part {
	HANDSHAKE_SYN,
	HANDSHAKE_SYNACK,
	HANDSHAKE_ACK,
};

/* struct tap_handshake's state. Bit n: part n is stored and was not forwarded. */
#define HANDSHAKE_PARTS		0x07
#define HANDSHAKE_SYN_SEEN	0x10
#define HANDSHAKE_SYNACK_SEEN	0x20
#define HANDSHAKE_REPORTED	0x40  /* user space knows of it: later packets are forwarded */
#define HANDSHAKE_PROVEN	0x80  /* the client acknowledged the SYN+ACK */
#define HANDSHAKE_ON_LIVE_FLOW	0x100 /* a SYN on the ports of a connection that has not ended */
#define HANDSHAKE_CLIENT_HIGHER 0x200 /* the client is the higher end of the key */

#define HANDSHAKE_SYNACK_REPEATS 2u /* retransmissions of a SYN+ACK whose times are stored */

/* A later packet of the handshake: the fields that differ from the SYN's. */
struct tap_handshake_packet {
	__u64 ts_ns;
	__u32 seq, ack;
	__u32 ifindex;
	__u16 window, ip_id;
	__u8 flags, dir, ttl, pad[5];
};
_Static_assert(sizeof(struct tap_handshake_packet) == 32, "no padding");

struct tap_handshake {
	struct tap_key key;
	__u32 state;	/* HANDSHAKE_* */
	struct seg syn; /* without HANDSHAKE_SYN_SEEN only the addresses and ports */
#if defined(__BPF__) && !TAP_DECAP
	__u8 syn_pad[8]; /* user space has a struct seg with a tunnel */
#endif
	struct tap_handshake_packet rest[2];	   /* the SYN+ACK, and the ACK */
	__u64 repeat_ns[HANDSHAKE_SYNACK_REPEATS]; /* the SYN+ACK was retransmitted; 0: not yet */
};
_Static_assert(sizeof(struct tap_handshake) == 176, "an array in shared memory");
TAP_ABI_AT(struct tap_handshake, state, 12);
TAP_ABI_AT(struct tap_handshake, syn, 16);
TAP_ABI_AT(struct tap_handshake, rest, 96);
TAP_ABI_AT(struct tap_handshake, repeat_ns, 160);

/* --- tap_steer(): user space sets what the kernel does with a flow --- */

struct tap_steer {
	struct tap_key key;
	__u16 server; /* index of the latency histograms */
	__u8 client;  /* which end of the key */
	__u8 level;   /* enum tap_level */
};
_Static_assert(sizeof(struct tap_steer) == 16, "tap_steer()'s packet");
TAP_ABI_AT(struct tap_steer, server, 12);
TAP_ABI_AT(struct tap_steer, client, 14);
TAP_ABI_AT(struct tap_steer, level, 15);

#define TAP_STEERS 128 /* at once */

/* The packet of a test run; it ends after the last flow. */
struct tap_steers {
	__u8 link[16]; /* 0: the kernel expects an Ethernet header in a test run's packet */
	struct tap_steer at[TAP_STEERS];
};

/* --- the maps "dependency_hosts" and "dependency_rpc" --- */

struct dependency_host {
	__u8 addr[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
};
_Static_assert(sizeof(struct dependency_host) == 16, "BPF map key");

struct dependency_endpoint {
	__u8 addr[16];
	__u32 port; /* host order */
};
_Static_assert(sizeof(struct dependency_endpoint) == 20, "BPF map key");

/* --- keys --- */

static inline __attribute__((always_inline)) __u64 key_mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/*
 * low, high: two addresses of 16 bytes, aligned to 4 bytes, the lower one first. The seed is random
 * and belongs to one run, so nobody can choose addresses that collide with another connection's.
 */
static inline __attribute__((always_inline)) __u64 key_hash6(__u64 seed0, __u64 seed1,
							     const void *low, const void *high)
{
	__u64 words[4], hash = seed0;

	__builtin_memcpy(words, low, 16);
	__builtin_memcpy(words + 2, high, 16);
	hash = key_mix(hash, words[0]);
	hash = key_mix(hash, words[1] ^ seed1);
	hash = key_mix(hash, words[2]);
	hash = key_mix(hash, words[3] ^ seed1);
	return hash * 0xbf58476d1ce4e5b9ull ^ hash >> 32;
}

/*
 * Inside a tunnel, a keyed hash of the tunnel and of both address words replaces the words. Within
 * one tunnel different words stay different, because each step is reversible. Words of different
 * tunnels, or of a tunnel and of none, only collide if all 64 bits happen to be equal.
 */
static inline __attribute__((always_inline)) void key_enter(struct tap_key *key, __u64 seed0,
							    __u64 seed1, __u32 tunnel)
{
	__u64 hash = (__u64)key->addr[1] << 32 | key->addr[0];

	if (!tunnel)
		return;
	hash = key_mix(hash, seed0);
	hash = key_mix(hash, seed1);
	hash = key_mix(hash, tunnel);
	hash = key_mix(hash, seed0);
	key->addr[0] = (__u32)hash;
	key->addr[1] = hash >> 32;
}

#endif
