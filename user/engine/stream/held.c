/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* held.c - see held.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/stream/held.h"
#include "engine/stream/seq.h"
#include "lib/units.h"
#include "lib/wipe.h"

#define HELD_MAX	1024	   /* segments held for one flow */
#define HELD_BYTES_MAX	(1u << 20) /* memory that they take */
#define MALLOC_OVERHEAD 16
#define HOLE_NS		(NS_PER_S / 5) /* Linux's least RTO: after it a hole is not a mere disorder */

struct reorder *tcp_reorder(struct flow *f)
{
	if (!f->reorder)
		f->reorder = calloc(1, sizeof(*f->reorder));
	return f->reorder;
}

void held_settle(struct flow *f)
{
	struct reorder *r = f->reorder;

	if (!r || r->stalled || r->held_count || r->has_rst || r->has_syn || r->claimed[0] ||
	    r->claimed[1] || r->resent[0].times || r->resent[1].times)
		return;
	free(r);
	f->reorder = NULL;
}

void held_stall(struct held_pool *pool, struct flow *f, uint64_t now_ns)
{
	struct reorder *r;

	r = tcp_reorder(f);
	if (!r)
		return;
	r->stalled = true;
	r->stall_ns = now_ns;
	r->prev = NULL;
	r->next = pool->stalled;
	if (r->next)
		r->next->reorder->prev = f;
	pool->stalled = f;
}

void held_stall_end(struct held_pool *pool, struct flow *f)
{
	struct reorder *r = f->reorder;

	if (!held_stalls(f))
		return;
	r->stalled = false;
	r->stall_packets = 0;
	if (r->prev)
		r->prev->reorder->next = r->next;
	else
		pool->stalled = r->next;
	if (r->next)
		r->next->reorder->prev = r->prev;
}

/* Memory of a held segment, approximately. */
static uint32_t held_size(const struct seg *seg)
{
	return (uint32_t)sizeof(struct held) + seg->cap_len + MALLOC_OVERHEAD;
}

/*
 * Does a belong before b, both from one side? At the same position: SYN first, then by what the
 * senders had seen.
 */
static bool held_belongs_before(const struct seg *a, const struct seg *b)
{
	int32_t diff = tcp_seq_diff(tcp_data_seq(a), tcp_data_seq(b));

	if (diff)
		return diff < 0;
	if ((a->flags ^ b->flags) & SEG_SYN)
		return a->flags & SEG_SYN;
	if (a->ack != b->ack)
		return tcp_seq_diff(a->ack, b->ack) < 0;
	return a->len + !!(a->flags & SEG_FIN) < b->len + !!(b->flags & SEG_FIN);
}

bool held_add(struct held_pool *pool, struct flow *f, enum side from, const struct seg *seg,
	      const uint8_t *payload)
{
	struct reorder *r = tcp_reorder(f);
	struct held **at, *h;

	if (!r)
		return false;
	at = &r->held[from];
	while (*at && !held_belongs_before(seg, &(*at)->seg))
		at = &(*at)->next;
	h = malloc(sizeof(*h) + seg->cap_len);
	if (!h)
		return false;
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	h->next = *at;
	*at = h;
	r->held_count++;
	r->held_bytes += held_size(seg);
	pool->bytes += held_size(seg);
	return true;
}

bool held_too_much(const struct flow *f)
{
	return f->reorder->held_count > HELD_MAX || f->reorder->held_bytes > HELD_BYTES_MAX;
}

void held_note_hole(struct flow *f, enum side from, const struct seg *seg)
{
	enum side of = side_other(from);
	const struct held *held = tcp_held(f, of);
	const struct half *h = &f->half[of];

	int32_t size;

	if (!held || !h->known)
		return;
	size = tcp_seq_diff(tcp_data_seq(&held->seg), h->next);
	if (seg->ack == h->next && size > 0 && size <= HELD_HOLE_MOST &&
	    seg->ts_ns > held->seg.ts_ns + HOLE_NS && !f->reorder->hole[of]) {
		f->reorder->hole[of] = true;
		f->reorder->hole_ns[of] = held->seg.ts_ns;
	}
}

static struct held *held_unlink(struct held_pool *pool, struct reorder *r, struct held **at)
{
	struct held *held = *at;

	*at = held->next;
	r->held_count--;
	r->held_bytes -= held_size(&held->seg);
	pool->bytes -= held_size(&held->seg);
	return held;
}

struct held *held_take(struct held_pool *pool, struct flow *f, enum side from)
{
	return held_unlink(pool, f->reorder, &f->reorder->held[from]);
}

/* The segment may contain part of a login. */
void held_free(struct held *held)
{
	wipe_free(held, sizeof(*held) + held->seg.cap_len);
}

/* A bare FIN or reset, and a later packet with payload that begins there or beyond. */
static bool held_is_overtaken(const struct held *held)
{
	if (held->seg.len || !(held->seg.flags & (SEG_FIN | SEG_RST)))
		return false;
	for (const struct held *h = held->next; h; h = h->next) {
		if (h->seg.len && h->seg.ts_ns > held->seg.ts_ns)
			return true;
	}
	return false;
}

/* A SYN, and all else of its side is far from where it would begin. */
static bool held_is_far_syn(const struct held *syn, const struct held *all)
{
	bool others = false;

	if (!(syn->seg.flags & SEG_SYN))
		return false;
	for (; all; all = all->next) {
		if (all->seg.flags & (SEG_SYN | SEG_RST))
			continue;
		if (all->seg.seq - tcp_data_seq(&syn->seg) <= HELD_SYN_MOST)
			return false;
		others = true;
	}
	return others;
}

/* Is the held segment, one of all of its side, somebody else's? seq: as the caller has it. */
typedef bool held_is_fn(const struct held *held, const struct held *all, uint32_t seq);

static bool held_is_beyond(const struct held *held, const struct held *all, uint32_t seq)
{
	(void)all;
	return !(held->seg.flags & SEG_RST) && tcp_seq_diff(tcp_data_seq(&held->seg), seq) > 0;
}

static bool held_is_foreign(const struct held *held, const struct held *all, uint32_t seq)
{
	(void)seq;
	return held_is_overtaken(held) || held_is_far_syn(held, all);
}

static uint32_t held_drop(struct held_pool *pool, struct flow *f, enum side from, held_is_fn *is,
			  uint32_t seq)
{
	struct held **at = f->reorder ? &f->reorder->held[from] : NULL;
	uint32_t dropped = 0;

	while (at && *at) {
		if (!is(*at, f->reorder->held[from], seq)) {
			at = &(*at)->next;
			continue;
		}
		held_free(held_unlink(pool, f->reorder, at));
		dropped++;
	}
	return dropped;
}

uint32_t held_drop_beyond(struct held_pool *pool, struct flow *f, enum side from, uint32_t seq)
{
	return held_drop(pool, f, from, held_is_beyond, seq);
}

uint32_t held_drop_foreign(struct held_pool *pool, struct flow *f, enum side from)
{
	return held_drop(pool, f, from, held_is_foreign, 0);
}

void held_release(struct held_pool *pool, struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		while (tcp_held(f, (enum side)i))
			held_free(held_take(pool, f, (enum side)i));
	}
	held_stall_end(pool, f);
	free(f->reorder);
	f->reorder = NULL;
}
