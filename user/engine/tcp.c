/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tcp.c - see tcp.h.
 */
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "login.h"
#include "tcp.h"

#define WINDOW_MAX	(1u << 30) /* RFC 7323 2.3: no segment is further from where a stream is */
#define HELD_MAX	1024	   /* segments held for one flow */
#define HELD_BYTES_MAX	(1u << 20) /* bytes that they take */
#define MALLOC_OVERHEAD 16
/*
 * What a peer acknowledged and we have not seen may still be on its way to us, out of order. It is
 * waited for this many packets of the flow, or for the configured time.
 */
#define GRACE_PACKETS 24
#define PROBES_MAX    3 /* that struct half can count */

static int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* Where a segment's payload begins: a SYN takes one number. */
static uint32_t data_seq(const struct seg *seg)
{
	return seg->seq + !!(seg->flags & SEG_SYN);
}

static bool believable(int32_t diff)
{
	return diff > -(int32_t)WINDOW_MAX && diff < (int32_t)WINDOW_MAX;
}

static uint64_t half_time(struct half *h, uint64_t ts_ns)
{
	if (ts_ns > h->last_ns)
		h->last_ns = ts_ns;
	return h->last_ns;
}

/* ---- what is held, and which flows stall ---- */

const struct held *tcp_held(const struct flow *f, enum side from)
{
	return f->reorder ? f->reorder->held[from] : NULL;
}

static bool any_held(const struct flow *f)
{
	return f->reorder && f->reorder->held_count;
}

static bool is_stalled(const struct flow *f)
{
	return f->reorder && f->reorder->stalled;
}

/* False for want of memory. */
static bool reorder_begin(struct flow *f)
{
	if (!f->reorder)
		f->reorder = calloc(1, sizeof(*f->reorder));
	return f->reorder;
}

/* All is in order again. */
static void reorder_end(struct flow *f)
{
	struct reorder *r = f->reorder;

	if (!r || r->stalled || r->held_count || r->rst_held)
		return;
	free(r);
	f->reorder = NULL;
}

static void stall_begin(struct engine *e, struct flow *f)
{
	struct reorder *r;

	if (!reorder_begin(f))
		return;
	r = f->reorder;
	r->stalled = true;
	r->stall_ns = e->now_ns;
	r->prev = NULL;
	r->next = e->flows.stalled;
	if (r->next)
		r->next->reorder->prev = f;
	e->flows.stalled = f;
}

static void stall_end(struct engine *e, struct flow *f)
{
	struct reorder *r = f->reorder;

	if (!is_stalled(f))
		return;
	r->stalled = false;
	r->stall_packets = 0;
	if (r->prev)
		r->prev->reorder->next = r->next;
	else
		e->flows.stalled = r->next;
	if (r->next)
		r->next->reorder->prev = r->prev;
}

/* What a held segment takes, near enough. */
static uint32_t held_size(const struct seg *seg)
{
	return (uint32_t)sizeof(struct held) + seg->cap_len + MALLOC_OVERHEAD;
}

static struct held *held_take(struct engine *e, struct flow *f, enum side from)
{
	struct reorder *r = f->reorder;
	struct held *head = r->held[from];

	r->held[from] = head->next;
	r->held_count--;
	r->held_bytes -= held_size(&head->seg);
	e->held_bytes -= held_size(&head->seg);
	return head;
}

void tcp_release(struct engine *e, struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		while (tcp_held(f, (enum side)i))
			free(held_take(e, f, (enum side)i));
	}
	stall_end(e, f);
	free(f->reorder);
	f->reorder = NULL;
}

/* ---- order ---- */

/* May it be handed over? All before it was, and all that its sender had seen of the peer's. */
static bool in_turn(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];
	const struct held *ours = tcp_held(f, from), *theirs = tcp_held(f, side_other(from));

	/* A reset ends the connection: what came before it is heard first. */
	if (seg->flags & SEG_RST && (theirs || (ours && &ours->seg != seg)))
		return false;
	/* The kernel put it in its place; but what it handed over before that comes before it. */
	if (seg->note & SEG_NOTE_HEADS)
		return !ours || &ours->seg == seg ||
		       seq_diff(data_seq(seg), data_seq(&ours->seg)) < 0;
	if (h->known && seq_diff(data_seq(seg), h->next) > 0)
		return false;
	/* With the peer's SYN seen, ours tells where we begin: it is on its way. */
	if (!h->known && peer->has_isn && !(seg->flags & (SEG_SYN | SEG_RST)))
		return false;
	if (!(seg->flags & SEG_ACK))
		return true;
	if (from == SIDE_CLIENT && f->login && login_lacks_ack(f->login, seg))
		return false;
	if (!peer->known)
		return !theirs || !(theirs->seg.flags & SEG_SYN);
	return seq_diff(seg->ack, peer->next) <= 0 || !believable(seq_diff(seg->ack, peer->next));
}

static void deliver_payload(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
			    const uint8_t *payload, uint64_t ts_ns)
{
	struct half *h = &f->half[from];
	int32_t old = seq_diff(h->next, data_seq(seg));
	uint32_t skip = old > 0 ? (uint32_t)old : 0, have;

	if (skip >= seg->len)
		return;
	h->next += seg->len - skip;
	h->bytes += seg->len - skip;
	f->handed_payload = true;
	if (f->login)
		f->login->payload_ns[from] = ts_ns;
	have = seg->cap_len > skip ? seg->cap_len - skip : 0;
	if (have)
		conn_data(e, f, from, payload + skip, have, ts_ns);
	if (seg->len - skip > have)
		conn_gap(e, f, from, seg->len - skip - have, GAP_UNREAD, ts_ns);
}

static void half_known(struct half *h, uint32_t next)
{
	if (h->known)
		return;
	h->known = true;
	h->next = next;
}

/* What the kernel saw and kept to itself, up to the head of a frame or to anywhere. */
static void step_over(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		      uint64_t ts_ns)
{
	struct half *h = &f->half[from];
	int32_t n = seq_diff(data_seq(seg), h->next);

	if (n < 0)
		return;
	h->next += (uint32_t)n;
	h->bytes += (uint32_t)n;
	conn_skip(e, f, from, (uint32_t)n, seg->cap_len > 0, ts_ns);
}

static void deliver(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		    const uint8_t *payload)
{
	struct half *h = &f->half[from];
	uint64_t ts_ns = half_time(h, seg->ts_ns);

	if (f->half[0].reset || f->half[1].reset)
		return; /* payload after a reset means nothing */
	if (seg->flags & SEG_RST) {
		h->reset = true;
		conn_rst(e, f, from, seg, ts_ns);
		return;
	}
	if (f->login)
		login_tcp(f, from, seg, ts_ns);
	half_known(h, data_seq(seg));
	if (seg->flags & SEG_SYN && seg->flags & SEG_ACK)
		half_known(&f->half[side_other(from)], seg->ack);
	if (seg->note & SEG_NOTE_HEADS)
		step_over(e, f, from, seg, ts_ns);
	if (seg->len)
		deliver_payload(e, f, from, seg, payload, ts_ns);
	if (seg->flags & SEG_FIN && !h->fin_done && h->next == data_seq(seg) + seg->len) {
		h->fin_done = true;
		h->next++;
		conn_fin(e, f, from, ts_ns);
	}
}

static void deliver_held(struct engine *e, struct flow *f, enum side from)
{
	struct held *head = held_take(e, f, from);

	deliver(e, f, from, &head->seg, head->data);
	free(head);
}

/* Hand over all that has come into its turn. */
static void drain(struct engine *e, struct flow *f)
{
	bool moved;

	do {
		moved = false;
		for (int i = 0; i < 2; i++) {
			enum side from = (enum side)i;

			while (tcp_held(f, from) && in_turn(f, from, &tcp_held(f, from)->seg)) {
				deliver_held(e, f, from);
				moved = true;
			}
		}
	} while (moved);
}

/* Acknowledgements that contradict each other: by the time of the packets, then. */
static void deliver_next(struct engine *e, struct flow *f)
{
	const struct held *c = tcp_held(f, SIDE_CLIENT), *s = tcp_held(f, SIDE_SERVER);

	deliver_held(e, f, !s || (c && c->seg.ts_ns <= s->seg.ts_ns) ? SIDE_CLIENT : SIDE_SERVER);
}

/* A side's first bytes are missing or unknown: take it up at what we have of it. */
static void half_begin(struct engine *e, struct flow *f, enum side side)
{
	const struct held *held = tcp_held(f, side);
	struct half *h = &f->half[side];

	if (h->known || !held)
		return;
	if (held->seg.flags & SEG_SYN)
		deliver_held(e, f, side);
	else
		half_known(h, data_seq(&held->seg));
}

/* Neither side's beginning will come any more. Server first: its SYN+ACK tells both. */
static void begin(struct engine *e, struct flow *f)
{
	f->settling = false;
	half_begin(e, f, SIDE_SERVER);
	half_begin(e, f, SIDE_CLIENT);
	drain(e, f);
}

/*
 * Give up on the bytes that hold the flow up: those that the peer acknowledged, else (force)
 * those before what we hold. False: nothing is in the way.
 */
static bool skip_missing(struct engine *e, struct flow *f, bool force)
{
	for (int i = 0; i < 2; i++) {
		const struct held *held = tcp_held(f, (enum side)i);
		struct half *h = &f->half[i];
		int32_t n = 0, to_held;

		if (!h->known)
			continue;
		if (h->has_acked)
			n = seq_diff(h->acked, h->next);
		to_held = held ? seq_diff(data_seq(&held->seg), h->next) : 0;
		if (held && to_held <= 0)
			continue; /* nothing is missing here: it waits for the other side */
		if (to_held > 0 && (n <= 0 || to_held < n))
			n = n > 0 || force ? to_held : 0;
		if (n <= 0 || !believable(n))
			continue;
		h->next += (uint32_t)n;
		e->stats.missing_bytes += (uint32_t)n;
		conn_gap(e, f, (enum side)i, (uint32_t)n, GAP_MISSING, f->last_ns);
		return true;
	}
	return false;
}

void tcp_flush(struct engine *e, struct flow *f)
{
	begin(e, f);
	while (any_held(f)) {
		if (!skip_missing(e, f, true))
			deliver_next(e, f);
		drain(e, f);
	}
	if (f->reorder)
		f->reorder->rst_held = false;
	stall_end(e, f);
}

/* Something that the peer acknowledged is missing, or where the side begins is. */
static bool lacks(const struct flow *f, enum side from)
{
	const struct half *h = &f->half[from];

	return h->known ? h->has_acked && seq_diff(h->acked, h->next) > 0 : !!tcp_held(f, from);
}

/* Something is missing that may yet come, or something held waits for it. */
static bool stalled(const struct flow *f)
{
	const struct held *held;

	if (lacks(f, SIDE_CLIENT) || lacks(f, SIDE_SERVER))
		return true;
	if (!f->reorder)
		return false;
	held = tcp_held(f, SIDE_CLIENT);
	return f->reorder->rst_held || (f->login && held && login_lacks_ack(f->login, &held->seg));
}

static void stall_check(struct engine *e, struct flow *f)
{
	if (!f->settling && !stalled(f))
		stall_end(e, f);
	else if (!is_stalled(f))
		stall_begin(e, f);
}

static void stall_resolve(struct engine *e, struct flow *f)
{
	bool settling = f->settling;

	begin(e, f);
	if (!settling) {
		while (skip_missing(e, f, false))
			drain(e, f);
		/* A reset whose place in the stream never comes up ends it all the same. */
		if (stalled(f))
			tcp_flush(e, f);
	}
	stall_end(e, f);
	stall_check(e, f);
}

void tcp_tick(struct engine *e, struct flow *f)
{
	if (is_stalled(f) && e->now_ns - f->reorder->stall_ns >= e->config.reorder_ns)
		stall_resolve(e, f);
	reorder_end(f);
}

/* Does a belong before b, both from one side? Of one place: SYN, then by what they had seen. */
static bool belongs_before(const struct seg *a, const struct seg *b)
{
	int32_t diff = seq_diff(data_seq(a), data_seq(b));

	if (diff)
		return diff < 0;
	if ((a->flags ^ b->flags) & SEG_SYN)
		return a->flags & SEG_SYN;
	if (a->ack != b->ack)
		return seq_diff(a->ack, b->ack) < 0;
	return a->len < b->len;
}

static void hold(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload)
{
	struct held **at, *h;
	struct reorder *r;

	if (!reorder_begin(f))
		return; /* as if it had been lost: the stream will say so */
	r = f->reorder;
	at = &r->held[from];
	while (*at && !belongs_before(seg, &(*at)->seg))
		at = &(*at)->next;
	h = malloc(sizeof(*h) + seg->cap_len);
	if (!h)
		return;
	h->seg = *seg;
	if (seg->cap_len)
		memcpy(h->data, payload, seg->cap_len);
	h->next = *at;
	*at = h;
	r->rst_held |= !!(seg->flags & SEG_RST);
	r->held_count++;
	r->held_bytes += held_size(seg);
	e->held_bytes += held_size(seg);
	if (e->held_bytes > e->config.max_buffer) {
		e->stats.buffer_evicted++;
		tcp_flush(e, f);
	} else if (r->held_count > HELD_MAX || r->held_bytes > HELD_BYTES_MAX) {
		tcp_flush(e, f);
	}
}

static void note_syn(struct flow *f, enum side from, const struct seg *seg)
{
	struct half *h = &f->half[from];

	if (!h->has_isn) {
		h->has_isn = true;
		h->isn = seg->seq;
	}
	/* Without the SYN the rest may still be on its way too. */
	if (!(seg->flags & SEG_ACK))
		f->settling = false;
}

static void note_ack(struct flow *f, enum side from, const struct seg *seg)
{
	struct half *peer = &f->half[side_other(from)];

	if (peer->known && !believable(seq_diff(seg->ack, peer->next)))
		return;
	/* The ACK of a SYN+ACK that we did not see tells where the server begins. */
	if (from == SIDE_CLIENT && f->half[from].has_isn && seg->seq == f->half[from].isn + 1 &&
	    !(seg->flags & (SEG_SYN | SEG_RST)))
		half_known(peer, seg->ack);
	if (!peer->has_acked || seq_diff(seg->ack, peer->acked) > 0) {
		peer->has_acked = true;
		peer->acked = seg->ack;
	}
}

/* It acknowledges what the kernel saw of the peer and kept to itself: nothing is missing. */
static bool acks_skipped(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *peer = &f->half[side_other(from)];

	return seg->note & SEG_NOTE_HEADS && !tcp_held(f, side_other(from)) && peer->known &&
	       seq_diff(seg->ack, peer->next) > 0;
}

/*
 * A keep-alive probe repeats the last byte, which the peer has acknowledged, or none: RFC 9293
 * 3.8.4. Any segment of its peer answers it.
 */
static void note_probe(struct flow *f, enum side from, const struct seg *seg, int32_t diff)
{
	uint8_t *ttl = &f->half[SIDE_CLIENT].ttl[from];
	struct half *h = &f->half[from];

	if (seg->flags & SEG_RST)
		return;
	f->half[side_other(from)].probes = 0;
	if (h->known && h->has_acked && h->acked == h->next && diff == -1 && seg->len <= 1 &&
	    !(seg->flags & (SEG_SYN | SEG_FIN)) && h->probes < PROBES_MAX)
		h->probes++;
	h->ttl_varies |= *ttl && *ttl != seg->ttl;
	*ttl = *ttl ? *ttl : seg->ttl;
}

/* Counts that only the login record shows. */
static void note_disorder(struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t diff = h->known ? seq_diff(data_seq(seg), h->next) : 0;

	if (!f->login || !seg->len)
		return;
	if (diff > 0)
		f->login->out_of_order++;
	else if (diff < 0 && !(diff == -1 && seg->len == 1)) /* that is a keep-alive */
		f->login->retransmits++;
}

/*
 * What nearly all segments are: the next of their side, all of whose ACK was handed over, with
 * nothing out of order before. That is what tcp_segment() comes to for them, in fewer steps.
 */
static bool plain(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];

	return (seg->flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_ACK)) == SEG_ACK &&
	       !(seg->note & SEG_NOTE_HEADS) && !f->reorder && !f->settling && h->known &&
	       peer->known && seg->seq == h->next && peer->has_acked &&
	       seq_diff(seg->ack, peer->acked) >= 0 && seq_diff(seg->ack, peer->next) <= 0 &&
	       !(f->login && !f->login->ack_ns);
}

void tcp_segment(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload)
{
	struct half *h = &f->half[from];
	int32_t diff;

	if (plain(f, from, seg)) {
		f->half[side_other(from)].acked = seg->ack;
		note_probe(f, from, seg, 0);
		deliver(e, f, from, seg, payload);
		return;
	}
	if (seg->flags & SEG_SYN)
		note_syn(f, from, seg);
	diff = h->known ? seq_diff(data_seq(seg), h->next) : 0;
	/* However far the kernel got in the meantime, it saw all that lies between. */
	if (seg->note & SEG_NOTE_HEADS && diff > 0)
		diff = 0;
	/* A reset counts where its receiver is: RFC 5961 3.2 */
	if (!believable(diff) || (seg->flags & SEG_RST && diff < 0 && h->has_acked &&
				  seq_diff(seg->seq, h->acked) < 0)) {
		e->stats.out_of_window++;
		return;
	}
	/* The answer to a SYN that nobody listens for has no place in a stream. */
	if (seg->flags & SEG_RST && !h->known && !f->settling && !any_held(f)) {
		deliver(e, f, from, seg, payload);
		return;
	}
	note_disorder(f, from, seg);
	note_probe(f, from, seg, diff);
	if (seg->flags & SEG_ACK && !acks_skipped(f, from, seg))
		note_ack(f, from, seg);
	if (is_stalled(f))
		f->reorder->stall_packets++;
	if (!f->settling && in_turn(f, from, seg)) {
		deliver(e, f, from, seg, payload);
		if (any_held(f))
			drain(e, f);
	} else if (seg->len || f->settling || seg->flags & (SEG_FIN | SEG_RST)) {
		hold(e, f, from, seg, payload);
	}
	stall_check(e, f);
	if (is_stalled(f) && f->reorder->stall_packets > GRACE_PACKETS)
		stall_resolve(e, f);
	reorder_end(f);
}
