/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * reassembly.h - puts a connection's segments back in order: each side's bytes by sequence number,
 * and the two sides in causal order, for a segment that acknowledges bytes was sent after them. So
 * retransmission, overlap, reordering (by the network, or by CPUs that fill one ring buffer) and
 * duplicates never reach the layers above. Missing bytes do, and are marked as missing.
 */
#ifndef TDSMON_REASSEMBLY_H
#define TDSMON_REASSEMBLY_H

#include "engine/stream/flow_table.h"

/* Take a segment of flow f, sent by `from`. */
void tcp_segment(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload);

/* Time has advanced: give up on bytes that have been missing for long enough. */
void tcp_tick(struct engine *e, struct flow *f);

/* No more segments will come: deliver all that is held, and report the missing bytes. */
void tcp_flush(struct engine *e, struct flow *f);

/* A side's held segments, first in order; NULL: no segment is held. */
const struct held *tcp_held(const struct flow *f, enum side from);

/* No segment came since a doubtful reset (doubt.h): accept it. */
void tcp_reset(struct engine *e, struct flow *f);

/* Sequence numbers compare as signed differences: RFC 9293 3.4. */
static inline int32_t tcp_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* RFC 7323 2.3: no segment is further than this from its stream's position. */
static inline bool tcp_believable(int32_t diff)
{
	return diff > -(1 << 30) && diff < 1 << 30;
}

/*
 * The state that the flow keeps while its segments do not simply follow one another; allocated if
 * needed. NULL: no memory.
 */
struct reorder *tcp_reorder(struct flow *f);

/*
 * Payload of a side that was sent more than once and never acknowledged, or that never reached its
 * peer though later bytes were seen. sent 0: there is no such payload.
 */
struct unacked {
	enum side side;
	uint64_t bytes;
	uint64_t since_ns; /* when it was sent first */
	uint32_t sent;	   /* how often; 1: it was not seen, but later bytes were */
	uint32_t shortest; /* bytes of its shortest segment */
};
struct unacked tcp_unacked(const struct flow *f, enum side side);

/* Was this side never seen, though its peer answers it? Then only one direction was captured. */
bool tcp_is_unseen(const struct flow *f, enum side side);

/* Drop all held segments. */
void tcp_release(struct engine *e, struct flow *f);

#endif
