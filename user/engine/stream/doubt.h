/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * doubt.h - packets that their receiver may ignore, or that another sent in a side's name: a reset
 * out of its place, a SYN within a connection, an ACK of bytes that nobody saw, the answer to an
 * earlier connection on the same ports. They count for nothing until what follows shows which
 * reading is right.
 */
#ifndef TDSMON_DOUBT_H
#define TDSMON_DOUBT_H

#include "engine/stream/flow_table.h"

/*
 * How a reset stands to its sender's stream, h: the receiver takes it (RFC 5961 3.2: its sequence
 * number is exactly the next one; RFC 9293 3.10.7.3 for the answer to a SYN), ignores it, or does
 * one of the two.
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
 * With the connection silent since: is the doubtful reset to be taken at its word? ended: no more
 * will be heard of the connection.
 */
bool doubt_reset_holds(const struct flow *f, bool ended);

/* Keep a SYN that does not fit the connection. The flow has a struct reorder. */
void doubt_syn(struct flow *f, const struct seg *seg);

/* Does seg answer the SYN in doubt, so that a new connection began with it? */
bool doubt_syn_answered(const struct flow *f, const struct seg *seg);

/* A segment came that is neither reset nor SYN: drop the doubtful packets that it contradicts. */
void doubt_heard(struct flow *f, enum side from, const struct seg *seg);

/*
 * The connection's SYN is not answered so far: is this of an earlier connection on the same ports?
 * The server answers it by an ACK of what that one had sent (RFC 5961 4.2), the client then resets.
 */
bool doubt_is_earlier(const struct flow *f, enum side from, const struct seg *seg);

/*
 * Take note of an ACK of `from`. What it says of bytes that were seen counts at once; of others
 * only once they are heard of otherwise.
 */
void doubt_ack(struct flow *f, enum side from, const struct seg *seg);

/* How many bytes of a side its peer acknowledged that we have not seen; 0: none. */
int32_t doubt_claimed(const struct flow *f, enum side side);

/* A side was heard up to where it is now: what its peer acknowledged of that is no claim. */
void doubt_settle(struct flow *f, enum side side);

#endif
