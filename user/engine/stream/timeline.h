/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * timeline.h - a capture's times, which may be wrong. A packet whose time stands out does not move
 * the clock. If the clock was set back, no record gives a time that spans that moment.
 */
#ifndef TDSMON_TIMELINE_H
#define TDSMON_TIMELINE_H

#include <linux/types.h>

#include "engine/stream/flow_table.h"

#define TIMELINE_COPIES 8 /* of a segment, it included; more confirm its time */

struct timeline_ops {
	/* Take a segment that was held, and whose time is settled. */
	void (*take)(void *ctx, const struct seg *seg, const uint8_t *payload);
	/* Set the clock back. */
	void (*set_back)(void *ctx, uint64_t now_ns);
	/* The clock jumped to now_ns while this connection was open, between two of its packets. */
	void (*stepped)(void *ctx, struct flow *f, uint64_t now_ns);
	/* The clock was ahead, and this connection has no packet of that time. */
	void (*undisturbed)(void *ctx, struct flow *f);
};

/* Its owner fills in the first part; the rest begins 0. */
struct timeline {
	const struct timeline_ops *ops;
	void *ctx;		/* of ops */
	const uint64_t *now_ns; /* the owner's clock */
	struct flow_table *flows;

	/* A segment far ahead of the one before it, and its copies. */
	struct held *ahead[TIMELINE_COPIES];
	uint32_t ahead_count;
	uint32_t walks; /* how often all connections were visited */
	bool begun;
	uint64_t steps; /* times that the clock jumped */
};

/*
 * A capture's segment comes. True: its time is settled, and the caller takes it now, after those that
 * ops->take got in the meantime. False: it is held until the next one comes.
 */
bool timeline_segment(struct timeline *t, const struct seg *seg, const uint8_t *payload);
/* No more segments will come. */
void timeline_finish(struct timeline *t);
void timeline_release(struct timeline *t);

#endif
