/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * late_keys.c - see late_keys.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_private.h"
#include "engine/decrypt/decrypt.h"
#include "engine/late_keys.h"
#include "lib/wipe.h"
#include "lib/units.h"

#define WAIT_NS	     NS_PER_S
#define WAITING_MAX  1024	   /* connections */
#define HELD_MAX     (256u << 10)  /* bytes of one connection, */
#define HELD_ALL_MAX (32ull << 20) /* and of all */

struct waiting {
	struct waiting *next;
	struct held *first, **last;
	uint64_t bytes;
	uint32_t place; /* of the flow */
};

static struct decrypt *decrypt_at(const struct engine *e, uint32_t place)
{
	return decryption_of(e->decryption, place);
}

/* The link to a flow's wait, or to the list's end. */
static struct waiting **waiting_of(struct engine *e, uint32_t place)
{
	struct waiting **link = &e->late.first;

	while (*link && (*link)->place != place)
		link = &(*link)->next;
	return link;
}

static uint64_t size_of(const struct held *h)
{
	return sizeof(*h) + h->seg.cap_len;
}

/* End a wait: what was held goes the way that it would have gone. */
static void end(struct engine *e, struct waiting **link)
{
	struct waiting *w = *link;
	struct decrypt *d = decrypt_at(e, w->place);

	*link = w->next;
	e->late.count--;
	e->late.bytes -= w->bytes;
	if (d)
		decrypt_wait_no_more(d);
	while (w->first) {
		struct held *h = w->first;

		w->first = h->next;
		e->late.take(e, &h->seg, h->data);
		wipe_free(h, size_of(h));
	}
	free(w);
}

/* Has the wait of a connection come to its end? */
static bool is_over(const struct engine *e, const struct decrypt *d)
{
	uint64_t since_ns;

	return !decrypt_waits(d, &since_ns) || decrypt_has_secrets(d) ||
	       e->now_ns > since_ns + WAIT_NS;
}

static struct waiting *begin(struct engine *e, uint32_t place)
{
	struct waiting *w = e->late.count < WAITING_MAX ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	w->last = &w->first;
	w->place = place;
	w->next = e->late.first;
	e->late.first = w;
	e->late.count++;
	return w;
}

static bool hold(struct engine *e, struct waiting *w, const struct seg *seg, const uint8_t *payload)
{
	struct held *h;

	if (seg->rec_flags & SEG_F_COUNTS || w->bytes > HELD_MAX || e->late.bytes > HELD_ALL_MAX)
		return false;
	h = malloc(sizeof(*h) + seg->cap_len);
	if (!h)
		return false;
	h->next = NULL;
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	*w->last = h;
	w->last = &h->next;
	w->bytes += size_of(h);
	e->late.bytes += size_of(h);
	e->stats.segments--; /* it will be taken again */
	return true;
}

bool late_keys_take(struct engine *e, const struct flow *f, const struct seg *seg,
		    const uint8_t *payload)
{
	uint32_t place = flow_place(&e->flows, f);
	struct decrypt *d = decrypt_at(e, place);
	struct waiting **link, *w;
	uint64_t since_ns;

	if (!d || !e->config.keys_late || !decrypt_waits(d, &since_ns))
		return false;
	link = waiting_of(e, place);
	w = is_over(e, d) ? NULL : *link ? *link : begin(e, place);
	if (w && hold(e, w, seg, payload))
		return true;
	link = waiting_of(e, place);
	if (!*link) {
		decrypt_wait_no_more(d);
		return false;
	}
	end(e, link);
	e->stats.segments--;
	e->late.take(e, seg, payload);
	return true;
}

static void end_some(struct engine *e, bool all)
{
	struct waiting **link = &e->late.first;

	while (*link) {
		const struct decrypt *d = decrypt_at(e, (*link)->place);

		if (!all && d && !is_over(e, d)) {
			link = &(*link)->next;
			continue;
		}
		end(e, link);
		link = &e->late.first; /* what was taken may have ended others */
	}
}

void late_keys_came(struct engine *e)
{
	end_some(e, false);
}

void late_keys_tick(struct engine *e)
{
	end_some(e, false);
}

bool late_keys_end(struct engine *e, const struct flow *f)
{
	struct waiting **link = waiting_of(e, flow_place(&e->flows, f));

	if (!*link)
		return false;
	end(e, link);
	return true;
}

void late_keys_end_all(struct engine *e)
{
	end_some(e, true);
}

static void drop(struct engine *e, struct waiting **link)
{
	struct waiting *w = *link;

	*link = w->next;
	e->late.count--;
	e->late.bytes -= w->bytes;
	while (w->first) {
		struct held *h = w->first;

		w->first = h->next;
		wipe_free(h, size_of(h));
	}
	free(w);
}

void late_keys_drop(struct engine *e, const struct flow *f)
{
	struct waiting **link = waiting_of(e, flow_place(&e->flows, f));

	if (*link)
		drop(e, link);
}

void late_keys_release(struct engine *e)
{
	while (e->late.first)
		drop(e, &e->late.first);
}
