/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* reassembly.c - see reassembly.h. */
#include "engine/stream/doubt.h"
#include "engine/stream/held.h"
#include "engine/stream/plain.h"
#include "engine/stream/reassembly.h"
#include "engine/stream/repeats.h"
#include "engine/stream/seq.h"
#include "lib/off_path.h"

/*
 * Bytes that a peer acknowledged and we have not seen may still arrive, out of order. The engine
 * waits for them for this many packets of the flow, or for the configured time.
 */
#define GRACE_PACKETS 24

/* ---- order ---- */

/* May it be delivered? Only after all before it, and all of the peer's that its sender had seen. */
static bool in_turn(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];
	const struct held *ours = tcp_held(f, from), *theirs = tcp_held(f, side_other(from));

	/* A reset ends the connection: deliver first what came before it. */
	if (seg->flags & SEG_RST && (theirs || (ours && &ours->seg != seg)))
		return false;
	/*
	 * The kernel determined its place; but earlier segments that the kernel handed over come
	 * first.
	 */
	if (seg->rec_flags & SEG_F_HEADS)
		return !ours || &ours->seg == seg ||
		       tcp_seq_diff(tcp_data_seq(seg), tcp_data_seq(&ours->seg)) < 0;
	if (h->known && tcp_seq_diff(tcp_data_seq(seg), h->next) > 0)
		return false;
	/*
	 * The peer's SYN was seen. This side's SYN shows where the side begins, and is on its way.
	 */
	if (!h->known && peer->has_isn && !(seg->flags & (SEG_SYN | SEG_RST)))
		return false;
	if (!(seg->flags & SEG_ACK))
		return true;
	if (from == SIDE_CLIENT && f->tcp && tcp_facts_lack_ack(f->tcp, seg))
		return false;
	if (!peer->known)
		return !theirs || !(theirs->seg.flags & SEG_SYN);
	return tcp_seq_diff(seg->ack, peer->next) <= 0 ||
	       !tcp_believable(tcp_seq_diff(seg->ack, peer->next));
}

static void deliver_payload(struct reassembly *re, struct flow *f, enum side from,
			    const struct seg *seg, const uint8_t *payload, uint64_t ts_ns)
{
	int32_t old = tcp_seq_diff(f->half[from].next, tcp_data_seq(seg));
	uint32_t skip = old > 0 ? (uint32_t)old : 0;
	uint32_t have = seg->cap_len > skip ? seg->cap_len - skip : 0;

	if (skip >= seg->len)
		return;
	/* Without a captured byte the payload may be NULL, which nothing may be added to. */
	plain_hand_on(re, f, from, seg->len - skip, have ? payload + skip : NULL, have, ts_ns);
}

static void half_known(struct half *h, uint32_t next)
{
	if (h->known)
		return;
	h->known = true;
	h->next = next;
}

/* Skip what the kernel saw and kept to itself, up to the head of a frame or to any byte. */
static void step_over(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg,
		      uint64_t ts_ns)
{
	struct half *h = &f->half[from];
	int32_t n = tcp_seq_diff(tcp_data_seq(seg), h->next);

	if (n < 0)
		return;
	h->next += (uint32_t)n;
	h->bytes += (uint32_t)n;
	re->ops->skip(re->ctx, f, from, (uint32_t)n, seg->cap_len > 0, ts_ns);
}

static void deliver(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg,
		    const uint8_t *payload)
{
	struct half *h = &f->half[from];
	uint64_t ts_ns = plain_time(h, seg->ts_ns);

	if (flow_is_reset(f))
		return; /* payload after a reset means nothing */
	if (seg->flags & SEG_RST) {
		h->reset = true;
		re->ops->rst(re->ctx, f, from, seg, ts_ns);
		return;
	}
	if (tcp_takes_numbers(seg))
		h->ip_id = seg->ip_id;
	if (f->tcp && tcp_facts_segment(f->tcp, from, seg, ts_ns))
		re->ops->established(re->ctx, f, seg, ts_ns);
	half_known(h, tcp_data_seq(seg));
	if (seg->flags & SEG_SYN && seg->flags & SEG_ACK)
		half_known(&f->half[side_other(from)], seg->ack);
	if (seg->rec_flags & SEG_F_HEADS)
		step_over(re, f, from, seg, ts_ns);
	if (seg->len)
		deliver_payload(re, f, from, seg, payload, ts_ns);
	if (seg->flags & SEG_FIN && !h->fin_done && h->next == tcp_data_seq(seg) + seg->len) {
		plain_fin(re, f, from, ts_ns);
		/* RFC 9293 3.6: nothing follows a FIN; others sent it. */
		if (held_any(f))
			re->counts.out_of_window += held_drop_beyond(&re->held, f, from, h->next);
	}
}

static void deliver_held(struct reassembly *re, struct flow *f, enum side from)
{
	struct held *head = held_take(&re->held, f, from);

	deliver(re, f, from, &head->seg, head->data);
	held_free(head);
}

/* Deliver all held segments whose turn has come. */
static void drain(struct reassembly *re, struct flow *f)
{
	bool moved;

	do {
		moved = false;
		for (int i = 0; i < 2; i++) {
			enum side from = (enum side)i;

			while (tcp_held(f, from) && in_turn(f, from, &tcp_held(f, from)->seg)) {
				deliver_held(re, f, from);
				moved = true;
			}
		}
	} while (moved);
}

/* The acknowledgements contradict each other: use the packets' times. */
static void deliver_next(struct reassembly *re, struct flow *f)
{
	const struct held *c = tcp_held(f, SIDE_CLIENT), *s = tcp_held(f, SIDE_SERVER);

	deliver_held(re, f, !s || (c && c->seg.ts_ns <= s->seg.ts_ns) ? SIDE_CLIENT : SIDE_SERVER);
}

/*
 * Where a side begins whose beginning is missing, and whose first byte that we have is at first: the
 * peer's packets may acknowledge bytes before that, which it got while we watched.
 */
static uint32_t first_number(const struct flow *f, enum side side, uint32_t first)
{
	const struct held *peer = tcp_held(f, side_other(side));
	int32_t before = peer ? tcp_seq_diff(first, peer->seg.ack) : 0;
	uint32_t acked = peer ? peer->seg.ack : first;

	if (before <= 0 || !tcp_believable(before) || !(peer->seg.flags & SEG_ACK))
		return first;
	for (; peer; peer = peer->next)
		if (peer->seg.flags & SEG_ACK && tcp_seq_diff(peer->seg.ack, acked) > 0)
			return acked;
	return first;
}

/* A side's first bytes are missing or unknown: begin at the first byte that we have of it. */
static void half_begin(struct reassembly *re, struct flow *f, enum side side)
{
	const struct held *held = tcp_held(f, side);
	struct half *h = &f->half[side];

	if (h->known || !held)
		return;
	if (held->seg.flags & SEG_SYN) {
		deliver_held(re, f, side);
		return;
	}
	half_known(h, first_number(f, side, tcp_data_seq(&held->seg)));
	if (repeats_held_probe(held)) {
		h->next++;
		while (tcp_held(f, side) && tcp_held(f, side)->seg.seq + 1 == h->next) {
			h->probes += h->probes < REPEATS_PROBES_MAX;
			h->last_ns = tcp_held(f, side)->seg.ts_ns;
			held_free(held_take(&re->held, f, side));
		}
	}
}

/* Neither side's beginning will come any more. Begin with the server: its SYN+ACK shows both. */
static void begin(struct reassembly *re, struct flow *f)
{
	if (f->settling) {
		re->counts.out_of_window += held_drop_foreign(&re->held, f, SIDE_SERVER);
		re->counts.out_of_window += held_drop_foreign(&re->held, f, SIDE_CLIENT);
	}
	f->settling = false;
	half_begin(re, f, SIDE_SERVER);
	half_begin(re, f, SIDE_CLIENT);
	drain(re, f);
}

/* Does a held segment of the other side acknowledge bytes of this side that we have not seen? */
static bool is_waited_for(const struct flow *f, enum side side)
{
	const struct held *theirs = tcp_held(f, side_other(side));

	return theirs && theirs->seg.flags & SEG_ACK &&
	       tcp_seq_diff(theirs->seg.ack, f->half[side].next) > 0;
}

static void declare_missing(struct reassembly *re, struct flow *f, enum side side, uint32_t n,
			    bool claimed)
{
	f->half[side].next += n;
	/* Is it a lost FIN? Of a server that closes, whatever its client had sent before. */
	if (n == 1 || side == SIDE_CLIENT)
		f->gap_last |= 1u << side;
	/* Nobody acknowledged what follows: its sender's FIN may be a forged one. */
	if (!claimed)
		f->gap_last |= 1u << side_other(side);
	re->counts.missing_bytes += n;
	re->ops->gap(re->ctx, f, side, n, GAP_MISSING, f->last_ns);
	doubt_settle(f, side);
}

/*
 * Declare the bytes missing that block the flow: those that the peer acknowledged, else (force)
 * those before the first held segment. An ACK that nothing else confirms counts only at the end.
 * False: nothing blocks the flow.
 */
static bool skip_missing(struct reassembly *re, struct flow *f, bool force)
{
	for (int i = 0; i < 2; i++) {
		const struct held *held = tcp_held(f, (enum side)i);
		struct half *h = &f->half[i];
		int32_t n, to_held;
		bool claimed;

		if (!h->known || (!held && flow_is_unseen(f, (enum side)i)))
			continue;
		n = doubt_claimed_first(f, (enum side)i);
		claimed = n > 0;
		to_held = held ? tcp_seq_diff(tcp_data_seq(&held->seg), h->next) : 0;
		if (held && to_held <= 0)
			continue; /* nothing is missing here: it waits for the other side */
		if (to_held > 0 && (n <= 0 || to_held < n))
			n = claimed || force ? to_held : 0;
		if (!held && !force && !is_waited_for(f, (enum side)i))
			continue;
		if (n <= 0 || !tcp_believable(n))
			continue;
		declare_missing(re, f, (enum side)i, (uint32_t)n, claimed);
		return true;
	}
	return false;
}

/*
 * The peer still acknowledges only up to a hole in this side's stream: the path lost those bytes,
 * not the capture. The bytes behind the hole never reached the program; a FIN behind it keeps its
 * time.
 */
static void drop_behind_hole(struct reassembly *re, struct flow *f, enum side side)
{
	struct half *h = &f->half[side];
	uint64_t fin_ns = 0;

	if (!f->reorder || !f->reorder->hole[side] || doubt_claimed(f, side))
		return;
	while (tcp_held(f, side)) {
		struct held *held = held_take(&re->held, f, side);

		if (held->seg.flags & SEG_FIN && !fin_ns)
			fin_ns = held->seg.ts_ns;
		held_free(held);
	}
	if (!fin_ns || h->fin_done || h->reset)
		return;
	h->fin_done = true;
	re->ops->fin(re->ctx, f, side, plain_time(h, fin_ns));
}

static void flush_held(struct reassembly *re, struct flow *f)
{
	begin(re, f);
	drop_behind_hole(re, f, SIDE_CLIENT);
	drop_behind_hole(re, f, SIDE_SERVER);
	while (held_any(f)) {
		if (!skip_missing(re, f, true))
			deliver_next(re, f);
		drain(re, f);
	}
}

static void flush_all(struct reassembly *re, struct flow *f)
{
	flush_held(re, f);
	while (skip_missing(re, f, true))
		;
	held_stall_end(&re->held, f);
}

void tcp_flush(struct reassembly *re, struct flow *f)
{
	f->settling &= !!f->reorder;
	if (!f->reorder) /* nothing is held, and nothing missing */
		return;
	if (held_any(f)) {
		re->counts.out_of_window += doubt_drop_far_ahead(&re->held, f, SIDE_CLIENT);
		re->counts.out_of_window += doubt_drop_far_ahead(&re->held, f, SIDE_SERVER);
	}
	flush_all(re, f);
}

void tcp_reset(struct reassembly *re, struct flow *f)
{
	enum side from = (enum side)f->reorder->rst_from;
	struct seg rst = f->reorder->rst;
	int32_t n;

	f->reorder->has_rst = false;
	if (f->half[from].known && tcp_seq_diff(rst.seq, f->half[from].next) == 0)
		re->counts.out_of_window += held_drop_beyond(&re->held, f, from, rst.seq);
	tcp_flush(re, f);
	n = tcp_seq_diff(rst.seq, f->half[from].next);
	if (n > 0)
		declare_missing(re, f, from, (uint32_t)n, false);
	deliver(re, f, from, &rst, NULL);
}

/* A held segment waits for missing bytes, or for the position where the side begins. */
static bool lacks(const struct flow *f, enum side from)
{
	if (!f->half[from].known)
		return !!tcp_held(f, from);
	return doubt_claimed(f, from) > 0 && held_any(f);
}

/* Something is missing that may still come, or a held segment waits for it. */
static bool stalled(const struct flow *f)
{
	const struct held *held;

	if (lacks(f, SIDE_CLIENT) || lacks(f, SIDE_SERVER))
		return true;
	held = tcp_held(f, SIDE_CLIENT);
	return f->tcp && held && tcp_facts_lack_ack(f->tcp, &held->seg);
}

static void stall_check(struct reassembly *re, struct flow *f)
{
	if (!f->settling && !stalled(f))
		held_stall_end(&re->held, f);
	else if (!held_stalls(f))
		held_stall(&re->held, f, *re->now_ns);
}

static void stall_resolve(struct reassembly *re, struct flow *f)
{
	bool settling = f->settling;

	begin(re, f);
	if (!settling) {
		while (skip_missing(re, f, false))
			drain(re, f);
		if (stalled(f))
			flush_held(re, f);
	}
	held_stall_end(&re->held, f);
	stall_check(re, f);
}

void tcp_tick(struct reassembly *re, struct flow *f)
{
	if (held_stalls(f) && *re->now_ns - f->reorder->stall_ns >= re->reorder_ns)
		stall_resolve(re, f);
	held_settle(f);
}

static void hold(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload)
{
	bool full;

	if (!held_add(&re->held, f, from, seg, payload))
		return; /* as if it had been lost: the stream will show the gap */
	full = re->held.bytes > re->max_buffer;
	re->counts.buffer_evicted += full;
	if (full || held_too_much(f))
		flush_all(re, f);
}

static void note_syn(struct flow *f, enum side from, const struct seg *seg)
{
	struct half *h = &f->half[from];

	if (!h->has_isn) {
		h->has_isn = true;
		h->isn = seg->seq;
	}
	/* The SYN is missing: the rest may still be on its way too. */
	if (!(seg->flags & SEG_ACK))
		f->settling = false;
}

/* It acknowledges bytes of the peer that the kernel saw and kept to itself: nothing is missing. */
static bool acks_skipped(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *peer = &f->half[side_other(from)];

	return seg->rec_flags & SEG_F_HEADS && !tcp_held(f, side_other(from)) && peer->known &&
	       tcp_seq_diff(seg->ack, peer->next) > 0;
}

static void take_reset(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg)
{
	switch (doubt_reset_kind(f, from, seg)) {
	case RESET_IGNORED:
		re->counts.out_of_window++;
		return;
	case RESET_DOUBTFUL:
		if (tcp_reorder(f))
			doubt_reset(f, from, seg);
		return;
	case RESET_TAKEN:
		if (seg->flags & SEG_ACK)
			doubt_ack(f, from, seg);
		/* Bytes that a side acknowledged reached it, even if we did not see them. */
		while (skip_missing(re, f, true))
			drain(re, f);
		deliver(re, f, from, seg, NULL);
	}
}

OFF_PATH static void take(struct reassembly *re, struct flow *f, enum side from,
			  const struct seg *seg, const uint8_t *payload)
{
	struct half *h = &f->half[from];
	int32_t diff;

	if (repeats_packet(f, from, seg)) {
		re->counts.duplicates += re->capture || !repeats_record(f, from, seg);
		return;
	}
	if (doubt_is_earlier(f, from, seg)) {
		if (f->tcp)
			f->tcp->port_reused = true;
		return;
	}
	if (seg->flags & SEG_RST && !f->settling) {
		take_reset(re, f, from, seg);
		return;
	}
	doubt_heard(f, from, seg);
	if (f->tcp && !(seg->flags & SEG_RST))
		tcp_facts_heard(f->tcp, from, seg);
	if (seg->flags & SEG_SYN)
		note_syn(f, from, seg);
	diff = h->known ? tcp_seq_diff(tcp_data_seq(seg), h->next) : 0;
	/* However far the kernel got in the meantime, it saw all bytes in between. */
	if (seg->rec_flags & SEG_F_HEADS && diff > 0)
		diff = 0;
	if (!tcp_believable(diff)) {
		re->counts.out_of_window++;
		return;
	}
	repeats_note(f, from, seg);
	repeats_note_probe(f, from, seg, diff);
	if (seg->flags & SEG_ACK && !acks_skipped(f, from, seg)) {
		held_note_hole(f, from, seg);
		doubt_ack(f, from, seg);
	}
	if (held_stalls(f))
		f->reorder->stall_packets++;
	if (!f->settling && in_turn(f, from, seg)) {
		deliver(re, f, from, seg, payload);
		if (held_any(f))
			drain(re, f);
	} else if (seg->len || f->settling || seg->flags & (SEG_FIN | SEG_RST)) {
		hold(re, f, from, seg, payload);
	}
	stall_check(re, f);
	if (held_stalls(f) && f->reorder->stall_packets > GRACE_PACKETS)
		stall_resolve(re, f);
	held_settle(f);
}

void tcp_segment(struct reassembly *re, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload)
{
	if (tcp_is_plain(f, from, seg))
		tcp_plain(re, f, from, seg, payload);
	else
		take(re, f, from, seg, payload);
}
