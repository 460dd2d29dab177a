/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * held.h - segments held back until their turn comes, and the connections that stall: those that
 * wait for bytes which may still come.
 */
#ifndef TDSMON_HELD_H
#define TDSMON_HELD_H

#include "engine/stream/flow_table.h"

/* Of all connections together. */
struct held_pool {
	uint64_t bytes;	      /* memory that is held, including the segments' own bytes */
	struct flow *stalled; /* the youngest; the others by struct reorder's next */
};

/* A side's held segments, first in order; NULL: no segment is held. */
static inline const struct held *tcp_held(const struct flow *f, enum side from)
{
	return f->reorder ? f->reorder->held[from] : NULL;
}

/*
 * Bytes: without an ACK no side sends more (RFC 6928: ten segments at first). What is held behind a
 * larger hole, others sent in its name, or its peer's ACKs will come.
 */
#define HELD_HOLE_MOST (1 << 16)
/* Bytes: a SYN that comes late is this close to what came before it. */
#define HELD_SYN_MOST (1u << 20)

static inline bool held_any(const struct flow *f)
{
	return f->reorder && f->reorder->held_count;
}

/*
 * The state that the flow keeps while its segments do not simply follow one another; allocated if
 * needed. NULL: no memory.
 */
struct reorder *tcp_reorder(struct flow *f);

/* Free that state if all is in order again. */
void held_settle(struct flow *f);

/* Hold a segment, in its place. False: no memory. */
bool held_add(struct held_pool *pool, struct flow *f, enum side from, const struct seg *seg,
	      const uint8_t *payload);
/* A flow holds more than is reasonable. */
bool held_too_much(const struct flow *f);
/*
 * `from` acknowledges its peer's bytes only up to a hole before those held: note the hole once it is
 * no longer a mere disorder.
 */
void held_note_hole(struct flow *f, enum side from, const struct seg *seg);
/* Unlink a side's first held segment, which the caller frees. There must be one. */
struct held *held_take(struct held_pool *pool, struct flow *f, enum side from);
void held_free(struct held *held);
/*
 * Drop a side's held segments that begin beyond a sequence number, except for resets. Returns how
 * many.
 */
uint32_t held_drop_beyond(struct held_pool *pool, struct flow *f, enum side from, uint32_t seq);
/*
 * Drop what does not belong to a connection that was joined: FINs and resets after which their side
 * still sent payload, and SYNs far from all else. Returns how many.
 */
uint32_t held_drop_foreign(struct held_pool *pool, struct flow *f, enum side from);

static inline bool held_stalls(const struct flow *f)
{
	return f->reorder && f->reorder->stalled;
}

/* The flow begins to wait; ends its wait, if there is one. */
void held_stall(struct held_pool *pool, struct flow *f, uint64_t now_ns);
void held_stall_end(struct held_pool *pool, struct flow *f);

/* Drop all held segments, and the state. */
void held_release(struct held_pool *pool, struct flow *f);

#endif
