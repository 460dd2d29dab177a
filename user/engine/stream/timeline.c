/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * timeline.c - see timeline.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/conn.h"
#include "engine/stream/flow_table.h"
#include "engine/stream/timeline.h"
#include "lib/units.h"

#define JUMP_NS	   (10 * NS_PER_S) /* a silence, or a wrong time: the next segment decides */
#define STEP_NS	   NS_PER_S	   /* no capture mixes up the order of packets by so much */
#define WALKS_MOST 1000		   /* after so many steps a capture's times are noise */

/* The clock was set back to now_ns: connections with a packet later than that span the step. */
static void step_back(struct engine *e, uint64_t now_ns)
{
	e->stats.clock_steps++;
	e->now_ns = e->swept_ns = now_ns;
	if (e->timeline.walks == WALKS_MOST)
		return;
	e->timeline.walks++;
	for (int i = 0; i < FLOW_LISTS; i++) {
		struct flow *f = flow_oldest(&e->flows, (enum flow_list)i);

		for (; f; f = flow_next(&e->flows, f)) {
			if (f->last_ns > now_ns)
				conn_clock_stepped(f, now_ns);
		}
	}
}

static void take(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	if (e->timeline.begun && seg->ts_ns + STEP_NS < e->now_ns)
		step_back(e, seg->ts_ns);
	e->timeline.begun = true;
	engine_take(e, seg, payload);
}

/*
 * Take the segment that was ahead: do later segments continue from its time? next_ns: the time of
 * the segment after it.
 */
static void take_ahead(struct engine *e, uint64_t next_ns)
{
	struct held *ahead = e->timeline.ahead;
	struct flow_key key;
	struct flow *f;
	uint8_t sender;

	if (!ahead)
		return;
	e->timeline.ahead = NULL;
	if (next_ns + JUMP_NS >= ahead->seg.ts_ns) {
		take(e, &ahead->seg, ahead->data);
	} else { /* no other segment is near: its time is not known */
		e->stats.clock_steps++;
		ahead->seg.ts_ns = e->now_ns;
		f = flow_find(&e->flows, &ahead->seg, &key, &sender);
		if (f)
			conn_clock_stepped(f, e->now_ns);
		engine_take(e, &ahead->seg, ahead->data);
	}
	wipe_free(ahead, sizeof(*ahead) + ahead->seg.cap_len);
}

void timeline_segment(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	struct held *h;

	take_ahead(e, seg->ts_ns);
	if (!e->timeline.begun || seg->ts_ns <= e->now_ns + JUMP_NS) {
		take(e, seg, payload);
		return;
	}
	h = malloc(sizeof(*h) + seg->cap_len);
	if (!h) {
		take(e, seg, payload);
		return;
	}
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	e->timeline.ahead = h;
}

void timeline_finish(struct engine *e)
{
	take_ahead(e, UINT64_MAX - JUMP_NS);
}

void timeline_release(struct timeline *t)
{
	if (t->ahead)
		wipe_free(t->ahead, sizeof(*t->ahead) + t->ahead->seg.cap_len);
	t->ahead = NULL;
}
