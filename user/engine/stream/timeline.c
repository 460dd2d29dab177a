/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * timeline.c - see timeline.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/stream/flow_table.h"
#include "engine/stream/timeline.h"
#include "lib/off_path.h"
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
		struct flow *next, *f = flow_oldest(t->flows, (enum flow_list)i);

		for (; f; f = next) {
			next = flow_next(t->flows, f);
			if (f->last_ns > now_ns)
				t->ops->stepped(t->ctx, f, now_ns);
			else
				t->ops->undisturbed(t->ctx, f);
		}
	}
}

/* The segment's time is settled. */
static void timeline_note(struct timeline *t, const struct seg *seg)
{
	if (t->begun && seg->ts_ns + STEP_NS < *t->now_ns)
		timeline_step_back(t, seg->ts_ns);
	t->begun = true;
}

/* A segment far ahead of all others: its time is not known. */
static void timeline_take_outlier(struct timeline *t, struct held *ahead)
{
	uint8_t sender = flow_sender(&ahead->seg);
	struct flow *f = flow_find(t->flows, &ahead->seg, sender);

	t->steps++;
	ahead->seg.ts_ns = *t->now_ns;
	if (f)
		t->ops->stepped(t->ctx, f, *t->now_ns);
	t->ops->take(t->ctx, &ahead->seg, ahead->data);
	if (f)
		return;
	f = flow_find(t->flows, &ahead->seg, sender);
	if (f) /* it begins with this segment */
		t->ops->stepped(t->ctx, f, *t->now_ns);
}

/*
 * Take the segment that was ahead, and its copies: do later segments continue from its time?
 * next_ns: the time of the segment after it.
 */
static void timeline_take_ahead(struct timeline *t, uint64_t next_ns)
{
	uint32_t count = t->ahead_count;

	t->ahead_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct held *ahead = t->ahead[i];

		if (next_ns + JUMP_NS >= ahead->seg.ts_ns) {
			timeline_note(t, &ahead->seg);
			t->ops->take(t->ctx, &ahead->seg, ahead->data);
		} else {
			timeline_take_outlier(t, ahead);
		}
		wipe_free(ahead, sizeof(*ahead) + ahead->seg.cap_len);
	}
}

/* The same packet as the one that is ahead, captured again: it does not confirm the time. */
static bool timeline_is_copy(const struct timeline *t, const struct seg *seg)
{
	const struct seg *first;

	if (!t->ahead_count || t->ahead_count == TIMELINE_COPIES)
		return false;
	first = &t->ahead[0]->seg;
	return seg->ip_id == first->ip_id && seg->seq == first->seq && seg->ack == first->ack &&
	       seg->flags == first->flags && seg->len == first->len && seg->sport == first->sport &&
	       seg->dport == first->dport &&
	       !memcmp(seg->saddr, first->saddr, sizeof(seg->saddr)) &&
	       !memcmp(seg->daddr, first->daddr, sizeof(seg->daddr));
}

/* Hold a segment until the next one shows whether its time is right. False: no memory. */
static bool timeline_hold(struct timeline *t, const struct seg *seg, const uint8_t *payload)
{
	struct held *h = malloc(sizeof(*h) + seg->cap_len);

	if (!h)
		return false;
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	t->ahead[t->ahead_count++] = h;
	return true;
}

/* Nearly all segments are like this: near the clock, and none before them waits for its time. */
static bool timeline_is_plain(const struct timeline *t, const struct seg *seg)
{
	return t->begun && !t->ahead_count && seg->ts_ns + STEP_NS >= *t->now_ns &&
	       seg->ts_ns <= *t->now_ns + JUMP_NS;
}

OFF_PATH static bool timeline_settle(struct timeline *t, const struct seg *seg,
				     const uint8_t *payload)
{
	if (timeline_is_copy(t, seg) && timeline_hold(t, seg, payload))
		return false;
	timeline_take_ahead(t, seg->ts_ns);
	if (t->begun && seg->ts_ns > *t->now_ns + JUMP_NS && timeline_hold(t, seg, payload))
		return false;
	timeline_note(t, seg);
	return true;
}

bool timeline_segment(struct timeline *t, const struct seg *seg, const uint8_t *payload)
{
	return timeline_is_plain(t, seg) || timeline_settle(t, seg, payload);
}

void timeline_finish(struct timeline *t)
{
	timeline_take_ahead(t, UINT64_MAX - JUMP_NS);
}

void timeline_release(struct timeline *t)
{
	for (uint32_t i = 0; i < t->ahead_count; i++)
		wipe_free(t->ahead[i], sizeof(*t->ahead[i]) + t->ahead[i]->seg.cap_len);
	t->ahead_count = 0;
}
