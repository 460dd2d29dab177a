/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * doubt.h - packets that their receiver may ignore, or that another host sent in a side's name: a
 * reset out of its place, a SYN within a connection, an ACK of bytes that nobody saw, the answer to
 * an earlier connection on the same ports. They count for nothing until later packets show which
 * reading is right.
 */
#ifndef TDSMON_DOUBT_H
#define TDSMON_DOUBT_H

#include "engine/stream/flow_table.h"

struct held_pool;

/*
 * How a reset relates to its sender's stream, h: the receiver takes it (RFC 5961 3.2: its sequence
 * number is exactly the next one; RFC 9293 3.10.7.3 for the answer to a SYN), ignores it, or may do
 * either.
 */
enum reset {
	RESET_TAKEN,
	RESET_IGNORED,
	RESET_DOUBTFUL,
};
enum reset doubt_reset_kind(const struct flow *f, enum side from, const struct seg *seg);

/* Keep a doubtful reset. The flow has a struct reorder. */
void doubt_reset(struct flow *f, enum side from, const struct seg *seg);

/*
 * The connection is silent since the doubtful reset: does the reset count? ended: no more packets
 * of the connection will come.
 */
bool doubt_reset_holds(const struct flow *f, bool ended);

/* Keep a SYN that does not fit the connection. The flow has a struct reorder. */
void doubt_syn(struct flow *f, const struct seg *seg);

/* Does seg answer the SYN in doubt, so that a new connection began with it? */
bool doubt_syn_answered(const struct flow *f, const struct seg *seg);

/* A segment came that is neither reset nor SYN: drop the doubtful packets that it contradicts. */
void doubt_heard(struct flow *f, enum side from, const struct seg *seg);

/*
 * The connection's SYN is not answered so far: does this segment belong to an earlier connection on
 * the same ports? The server answers the SYN by an ACK of what that connection had sent (RFC 5961
 * 4.2); the client then resets.
 */
bool doubt_is_earlier(const struct flow *f, enum side from, const struct seg *seg);

/*
 * Note an ACK sent by `from`. It counts at once for bytes that were seen; for others only once
 * other packets confirm them.
 */
void doubt_ack(struct flow *f, enum side from, const struct seg *seg);

/* How many bytes of a side its peer acknowledged that we have not seen; 0: none. */
int32_t doubt_claimed(const struct flow *f, enum side side);

/*
 * The same, but only up to what the peer's first held segment acknowledges: that comes before what
 * later ones do.
 */
int32_t doubt_claimed_first(const struct flow *f, enum side side);

/*
 * No more packets of the connection come: drop a side's held segments that are further ahead of the
 * peer's ACKs than it can be. Others sent them in its name. Returns how many.
 */
uint32_t doubt_drop_far_ahead(struct held_pool *pool, struct flow *f, enum side side);

/* All of a side up to its current position was seen: a peer's ACK of that is no longer a claim. */
void doubt_settle(struct flow *f, enum side side);

#endif
