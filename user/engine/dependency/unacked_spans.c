// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unacked_spans.c - the times without an ACK as spans of a wait.
 */
#include "engine/dependency/split.h"
#include "engine/stream/unacked_time.h"

void unacked_times_spans(const struct unacked_times *u, const struct wait *w, struct spans *s)
{
	for (uint32_t i = 0; u && i < u->count; i++)
		spans_add(s, w,
			  &(struct span){u->at[i].from_ns, u->at[i].to_ns, PART_UNACKNOWLEDGED,
					 BASIS_OBSERVED, NULL,
					 "TCP had not acknowledged what was sent"});
}

bool unacked_times_cover(const struct unacked_times *u, const struct wait *w)
{
	for (uint32_t i = 0; u && i < u->count; i++)
		if (u->at[i].from_ns <= w->a && u->at[i].to_ns == UINT64_MAX)
			return true;
	return false;
}
