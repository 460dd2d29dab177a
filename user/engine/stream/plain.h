/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * plain.h - the short way of a segment that only continues its connection. Nearly all segments go
 * it, so it is inline; reassembly.c uses its steps for all others.
 */
#ifndef TDSMON_PLAIN_H
#define TDSMON_PLAIN_H

#include "engine/stream/doubt.h"
#include "engine/stream/reassembly.h"
#include "engine/stream/repeats.h"
#include "engine/stream/seq.h"

/* Has all that is acknowledged been delivered? Not if the number is too far away to be believed. */
static inline bool plain_is_delivered(const struct half *of, uint32_t ack)
{
	int32_t diff = tcp_seq_diff(ack, of->next);

	return diff <= 0 && tcp_believable(diff);
}

/*
 * Nearly all segments are like this: no SYN and no RST, the next of their side, all that they
 * acknowledge delivered, nothing before them out of order. A bare ACK may complete the handshake.
 */
static inline bool tcp_is_plain(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];

	return (seg->flags & (SEG_SYN | SEG_RST | SEG_ACK)) == SEG_ACK &&
	       !(seg->rec_flags & SEG_F_HEADS) && !f->reorder && !f->settling && h->known &&
	       peer->known && seg->seq == h->next && plain_is_delivered(peer, seg->ack) &&
	       !(peer->has_acked && tcp_seq_diff(seg->ack, peer->acked) < 0) &&
	       !(f->tcp && !f->tcp->ack_ns && !tcp_facts_is_bare_ack(f->tcp, from, seg)) &&
	       !flow_is_reset(f);
}

/* When a segment of this side came, never before the one before it. */
static inline uint64_t plain_time(struct half *h, uint64_t ts_ns)
{
	if (ts_ns > h->last_ns)
		h->last_ns = ts_ns;
	return h->last_ns;
}

/* Hand on the next len bytes of a side, of which have are there. */
static inline void plain_hand_on(struct reassembly *re, struct flow *f, enum side from,
				 uint32_t len, const uint8_t *payload, uint32_t have,
				 uint64_t ts_ns)
{
	struct half *h = &f->half[from];

	h->next += len;
	h->bytes += len;
	doubt_settle(f, from);
	f->handed_payload = true;
	if (f->tcp)
		f->tcp->payload_ns[from] = ts_ns;
	if (have)
		re->ops->data(re->ctx, f, from, payload, have, ts_ns);
	if (len > have)
		re->ops->gap(re->ctx, f, from, len - have, GAP_UNREAD, ts_ns);
	if (f->gap_last)
		f->gap_last &= ~(1u << from);
}

static inline void plain_fin(struct reassembly *re, struct flow *f, enum side from, uint64_t ts_ns)
{
	f->half[from].fin_done = true;
	f->half[from].next++;
	doubt_settle(f, from);
	re->ops->fin(re->ctx, f, from, ts_ns);
}

/* Take a segment that tcp_is_plain(). The result is that of tcp_segment(), in fewer steps. */
static inline void tcp_plain(struct reassembly *re, struct flow *f, enum side from,
			     const struct seg *seg, const uint8_t *payload)
{
	struct half *h = &f->half[from];
	uint64_t ts_ns = plain_time(h, seg->ts_ns);

	f->half[side_other(from)].acked = seg->ack;
	f->half[side_other(from)].has_acked = true;
	repeats_note_probe(f, from, seg, 0);
	if (f->tcp && tcp_facts_segment(f->tcp, from, seg, ts_ns))
		re->ops->established(re->ctx, f, seg, ts_ns);
	if (!tcp_has_more(seg))
		return;
	if (seg->len)
		plain_hand_on(re, f, from, seg->len, payload, seg->cap_len, ts_ns);
	/* Not before the bytes are counted: a load of 8 bytes waits for a store into 2 of them. */
	h->ip_id = seg->ip_id;
	if (seg->flags & SEG_FIN && !h->fin_done)
		plain_fin(re, f, from, ts_ns);
}

#endif
