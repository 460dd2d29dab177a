/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * reassembly.h - puts a connection's segments back in order: each side's bytes by sequence number,
 * and the two sides in causal order, for a segment that acknowledges bytes was sent after them. So
 * retransmission, overlap, reordering (by the network, or by CPUs that fill one ring buffer) and
 * duplicates never reach the layers above. Missing bytes do, and are marked as missing.
 */
#ifndef TDSMON_REASSEMBLY_H
#define TDSMON_REASSEMBLY_H

#include "engine/stream/held.h"

enum gap_kind {
	GAP_UNREAD,  /* seen on the wire, but not captured (snap length) */
	GAP_MISSING, /* never seen: the tap lost it */
};

/*
 * The bytes and events of both sides, in order. None may be NULL. They may end the flow's login,
 * but not the flow, and do not call the reassembly.
 */
struct stream_ops {
	/* len bytes from one side; data is never NULL. */
	void (*data)(void *ctx, struct flow *f, enum side from, const uint8_t *data, uint32_t len,
		     uint64_t ts_ns);
	void (*gap)(void *ctx, struct flow *f, enum side from, uint32_t len, enum gap_kind kind,
		    uint64_t ts_ns);
	/*
	 * The kernel saw len bytes, frames among them, and did not forward them. to_head: the next
	 * byte begins a frame's head.
	 */
	void (*skip)(void *ctx, struct flow *f, enum side from, uint32_t len, bool to_head,
		     uint64_t ts_ns);
	void (*fin)(void *ctx, struct flow *f, enum side from, uint64_t ts_ns);
	/* A reset ends the stream: nothing comes after it. */
	void (*rst)(void *ctx, struct flow *f, enum side from, const struct seg *seg,
		    uint64_t ts_ns);
	/* The client's segment completes the handshake: the flow's tcp_facts have it. */
	void (*established)(void *ctx, struct flow *f, const struct seg *seg, uint64_t ts_ns);
};

struct stream_counts {
	uint64_t buffer_evicted; /* streams given up, no room: max_buffer */
	uint64_t missing_bytes;	 /* declared missing */
	uint64_t out_of_window;	 /* segments too far from their stream to be believed */
	uint64_t duplicates;	 /* the same packet seen twice */
};

/* The reassembly of all connections. Its owner fills in all but held and counts, which begin 0. */
struct reassembly {
	const struct stream_ops *ops;
	void *ctx;		/* of ops */
	const uint64_t *now_ns; /* the owner's clock */
	uint64_t reorder_ns;	/* how long to wait for bytes that a peer acknowledged */
	uint64_t max_buffer;	/* bytes held over all flows */
	bool capture;		/* not the tap, which may forward a packet twice */
	struct held_pool held;
	struct stream_counts counts;
};

/* Take a segment of flow f, sent by `from`. */
void tcp_segment(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload);

/* Time has advanced: give up on bytes that have been missing for long enough. */
void tcp_tick(struct reassembly *re, struct flow *f);

/* No more segments will come: deliver all that is held, and report the missing bytes. */
void tcp_flush(struct reassembly *re, struct flow *f);

/* No segment came since a doubtful reset (doubt.h): accept it. */
void tcp_reset(struct reassembly *re, struct flow *f);

/* Drop all held segments. */
static inline void tcp_release(struct reassembly *re, struct flow *f)
{
	held_release(&re->held, f);
}

#endif
