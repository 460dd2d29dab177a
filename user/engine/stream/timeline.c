/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * timeline.c - see timeline.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/stream/flow_table.h"
#include "engine/stream/timeline.h"
#include "lib/units.h"
#include "lib/wipe.h"

#define JUMP_NS	   (10 * NS_PER_S) /* a silence, or a wrong time: the next segment decides */
#define STEP_NS	   NS_PER_S	   /* no capture mixes up the order of packets by so much */
#define WALKS_MOST 1000		   /* after so many steps a capture's times are noise */

/* The clock was set back to now_ns: connections with a packet later than that span the step. */
static void timeline_step_back(struct timeline *t, uint64_t now_ns)
{
	t->steps++;
	t->ops->set_back(t->ctx, now_ns);
	if (t->walks == WALKS_MOST)
		return;
	t->walks++;
	for (int i = 0; i < FLOW_LISTS; i++) {
		struct flow *f = flow_oldest(t->flows, (enum flow_list)i);

		for (; f; f = flow_next(t->flows, f)) {
			if (f->last_ns > now_ns)
				t->ops->stepped(t->ctx, f, now_ns);
		}
	}
}

static void timeline_take(struct timeline *t, const struct seg *seg, const uint8_t *payload)
{
	if (t->begun && seg->ts_ns + STEP_NS < *t->now_ns)
		timeline_step_back(t, seg->ts_ns);
	t->begun = true;
	t->ops->take(t->ctx, seg, payload);
}

/*
 * Take the segment that was ahead: do later segments continue from its time? next_ns: the time of
 * the segment after it.
 */
static void timeline_take_ahead(struct timeline *t, uint64_t next_ns)
{
	struct held *ahead = t->ahead;
	struct flow_key key;
	struct flow *f;
	uint8_t sender;

	if (!ahead)
		return;
	t->ahead = NULL;
	if (next_ns + JUMP_NS >= ahead->seg.ts_ns) {
		timeline_take(t, &ahead->seg, ahead->data);
	} else { /* no other segment is near: its time is not known */
		t->steps++;
		ahead->seg.ts_ns = *t->now_ns;
		f = flow_find(t->flows, &ahead->seg, &key, &sender);
		if (f)
			t->ops->stepped(t->ctx, f, *t->now_ns);
		t->ops->take(t->ctx, &ahead->seg, ahead->data);
	}
	wipe_free(ahead, sizeof(*ahead) + ahead->seg.cap_len);
}

void timeline_segment(struct timeline *t, const struct seg *seg, const uint8_t *payload)
{
	struct held *h;

	timeline_take_ahead(t, seg->ts_ns);
	if (!t->begun || seg->ts_ns <= *t->now_ns + JUMP_NS) {
		timeline_take(t, seg, payload);
		return;
	}
	h = malloc(sizeof(*h) + seg->cap_len);
	if (!h) {
		timeline_take(t, seg, payload);
		return;
	}
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	t->ahead = h;
}

void timeline_finish(struct timeline *t)
{
	timeline_take_ahead(t, UINT64_MAX - JUMP_NS);
}

void timeline_release(struct timeline *t)
{
	if (t->ahead)
		wipe_free(t->ahead, sizeof(*t->ahead) + t->ahead->seg.cap_len);
	t->ahead = NULL;
}
