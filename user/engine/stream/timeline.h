/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * timeline.h - a capture's times, which may be wrong. A packet whose time stands out does not move
 * the clock. If the clock was set back, no record gives a time that spans that moment.
 */
#ifndef TDSMON_TIMELINE_H
#define TDSMON_TIMELINE_H

#include "segment.h"

struct engine;
struct held;

struct timeline {
	struct held *ahead; /* a segment far ahead of the one before it; NULL: none */
	uint32_t walks;	    /* how often all connections were visited */
	bool begun;
};

/* Take a capture's segment: at once, or together with the next one. */
void timeline_segment(struct engine *e, const struct seg *seg, const uint8_t *payload);
/* No more segments will come. */
void timeline_finish(struct engine *e);
void timeline_release(struct timeline *t);

#endif
