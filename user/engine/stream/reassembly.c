/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* reassembly.c - see reassembly.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/conn.h"
#include "engine/stream/doubt.h"
#include "engine/login/login.h"
#include "engine/stream/reassembly.h"

#define HELD_MAX	1024	   /* segments held for one flow */
#define HELD_BYTES_MAX	(1u << 20) /* memory that they take */
#define MALLOC_OVERHEAD 16
/*
 * Bytes that a peer acknowledged and we have not seen may still arrive, out of order. The engine
 * waits for them for this many packets of the flow, or for the configured time.
 */
#define GRACE_PACKETS 24
#define PROBES_MAX    3 /* highest count that fits struct half */
/*
 * If a packet is captured twice (on two interfaces, or by a collector that sees it at several
 * places), both copies have the same IP id and come close together. Without an id, the copy must
 * come sooner than any retransmission: RFC 6298 and RFC 8985 7.2 wait for more than a round trip.
 */
#define COPY_IDS   64 /* packets in between, at most */
#define COPY_ID_NS (NS_PER_S / 10)
#define COPY_NS	   (NS_PER_S / 1000)
#define HOLE_NS	   (NS_PER_S / 5) /* Linux's least RTO: after it a hole is not a mere disorder */

/* Sequence number of a segment's payload: a SYN takes one number. */
static uint32_t data_seq(const struct seg *seg)
{
	return seg->seq + !!(seg->flags & SEG_SYN);
}

/* Does it advance its stream, with payload, a SYN or a FIN? Only such a segment can count twice. */
static bool takes_numbers(const struct seg *seg)
{
	return seg->len || seg->flags & (SEG_SYN | SEG_FIN);
}

static bool is_syn_ack(const struct seg *seg)
{
	return (seg->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK);
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

struct reorder *tcp_reorder(struct flow *f)
{
	if (!f->reorder)
		f->reorder = calloc(1, sizeof(*f->reorder));
	return f->reorder;
}

/* All is in order again. */
static void reorder_end(struct flow *f)
{
	struct reorder *r = f->reorder;

	if (!r || r->stalled || r->held_count || r->has_rst || r->has_syn || r->claimed[0] ||
	    r->claimed[1] || r->resent[0].times || r->resent[1].times)
		return;
	free(r);
	f->reorder = NULL;
}

static void stall_begin(struct engine *e, struct flow *f)
{
	struct reorder *r;

	r = tcp_reorder(f);
	if (!r)
		return;
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

/* Memory of a held segment, approximately. */
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

/* The segment may contain part of a login. */
static void held_free(struct held *held)
{
	wipe_free(held, sizeof(*held) + held->seg.cap_len);
}

void tcp_release(struct engine *e, struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		while (tcp_held(f, (enum side)i))
			held_free(held_take(e, f, (enum side)i));
	}
	stall_end(e, f);
	free(f->reorder);
	f->reorder = NULL;
}

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
		       tcp_seq_diff(data_seq(seg), data_seq(&ours->seg)) < 0;
	if (h->known && tcp_seq_diff(data_seq(seg), h->next) > 0)
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

static void deliver_payload(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
			    const uint8_t *payload, uint64_t ts_ns)
{
	struct half *h = &f->half[from];
	int32_t old = tcp_seq_diff(h->next, data_seq(seg));
	uint32_t skip = old > 0 ? (uint32_t)old : 0, have;

	if (skip >= seg->len)
		return;
	h->next += seg->len - skip;
	h->bytes += seg->len - skip;
	doubt_settle(f, from);
	f->handed_payload = true;
	if (f->tcp)
		f->tcp->payload_ns[from] = ts_ns;
	have = seg->cap_len > skip ? seg->cap_len - skip : 0;
	if (have)
		conn_data(e, f, from, payload + skip, have, ts_ns);
	if (seg->len - skip > have)
		conn_gap(e, f, from, seg->len - skip - have, GAP_UNREAD, ts_ns);
	f->gap_last &= ~(1u << from);
}

static void half_known(struct half *h, uint32_t next)
{
	if (h->known)
		return;
	h->known = true;
	h->next = next;
}

/* Skip what the kernel saw and kept to itself, up to the head of a frame or to any byte. */
static void step_over(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		      uint64_t ts_ns)
{
	struct half *h = &f->half[from];
	int32_t n = tcp_seq_diff(data_seq(seg), h->next);

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

	if (flow_is_reset(f))
		return; /* payload after a reset means nothing */
	if (seg->flags & SEG_RST) {
		h->reset = true;
		conn_rst(e, f, from, seg, ts_ns);
		return;
	}
	if (takes_numbers(seg))
		h->ip_id = seg->ip_id;
	if (f->tcp && tcp_facts_segment(f->tcp, from, seg, ts_ns))
		login_established(f->login, seg, ts_ns);
	half_known(h, data_seq(seg));
	if (seg->flags & SEG_SYN && seg->flags & SEG_ACK)
		half_known(&f->half[side_other(from)], seg->ack);
	if (seg->rec_flags & SEG_F_HEADS)
		step_over(e, f, from, seg, ts_ns);
	if (seg->len)
		deliver_payload(e, f, from, seg, payload, ts_ns);
	if (seg->flags & SEG_FIN && !h->fin_done && h->next == data_seq(seg) + seg->len) {
		h->fin_done = true;
		h->next++;
		doubt_settle(f, from);
		conn_fin(e, f, from, ts_ns);
	}
}

static void deliver_held(struct engine *e, struct flow *f, enum side from)
{
	struct held *head = held_take(e, f, from);

	deliver(e, f, from, &head->seg, head->data);
	held_free(head);
}

/* Deliver all held segments whose turn has come. */
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

/* The acknowledgements contradict each other: use the packets' times. */
static void deliver_next(struct engine *e, struct flow *f)
{
	const struct held *c = tcp_held(f, SIDE_CLIENT), *s = tcp_held(f, SIDE_SERVER);

	deliver_held(e, f, !s || (c && c->seg.ts_ns <= s->seg.ts_ns) ? SIDE_CLIENT : SIDE_SERVER);
}

/*
 * Joined at a keep-alive probe, whose byte is the last one before the current position (RFC 9293
 * 3.8.4): recognised by its repetition, or by a byte that begins no frame (Windows sends 0).
 */
static bool is_held_probe(const struct held *held)
{
	const struct held *next = held->next;

	return held->seg.len == 1 && !(held->seg.flags & SEG_FIN) &&
	       ((next && next->seg.len == 1 && next->seg.seq == held->seg.seq) ||
		(held->seg.cap_len && !held->data[0]));
}

/* A side's first bytes are missing or unknown: begin at the first byte that we have of it. */
static void half_begin(struct engine *e, struct flow *f, enum side side)
{
	const struct held *held = tcp_held(f, side);
	struct half *h = &f->half[side];

	if (h->known || !held)
		return;
	if (held->seg.flags & SEG_SYN) {
		deliver_held(e, f, side);
		return;
	}
	half_known(h, data_seq(&held->seg));
	if (is_held_probe(held)) {
		h->next++;
		while (tcp_held(f, side) && tcp_held(f, side)->seg.seq + 1 == h->next) {
			h->probes += h->probes < PROBES_MAX;
			h->last_ns = tcp_held(f, side)->seg.ts_ns;
			held_free(held_take(e, f, side));
		}
	}
}

/* Neither side's beginning will come any more. Begin with the server: its SYN+ACK shows both. */
static void begin(struct engine *e, struct flow *f)
{
	f->settling = false;
	half_begin(e, f, SIDE_SERVER);
	half_begin(e, f, SIDE_CLIENT);
	drain(e, f);
}

/* Does a held segment of the other side acknowledge bytes of this side that we have not seen? */
static bool is_waited_for(const struct flow *f, enum side side)
{
	const struct held *theirs = tcp_held(f, side_other(side));

	return theirs && theirs->seg.flags & SEG_ACK &&
	       tcp_seq_diff(theirs->seg.ack, f->half[side].next) > 0;
}

static void declare_missing(struct engine *e, struct flow *f, enum side side, uint32_t n)
{
	f->half[side].next += n;
	/* Is it a lost FIN? Of a server that closes, whatever its client had sent before. */
	if (n == 1 || side == SIDE_CLIENT)
		f->gap_last |= 1u << side;
	e->stats.missing_bytes += n;
	conn_gap(e, f, side, n, GAP_MISSING, f->last_ns);
	doubt_settle(f, side);
}

/*
 * Declare the bytes missing that block the flow: those that the peer acknowledged, else (force)
 * those before the first held segment. An ACK that nothing else confirms counts only at the end.
 * False: nothing blocks the flow.
 */
static bool skip_missing(struct engine *e, struct flow *f, bool force)
{
	for (int i = 0; i < 2; i++) {
		const struct held *held = tcp_held(f, (enum side)i);
		struct half *h = &f->half[i];
		int32_t n, to_held;

		if (!h->known || tcp_is_unseen(f, (enum side)i))
			continue;
		n = doubt_claimed(f, (enum side)i);
		to_held = held ? tcp_seq_diff(data_seq(&held->seg), h->next) : 0;
		if (held && to_held <= 0)
			continue; /* nothing is missing here: it waits for the other side */
		if (to_held > 0 && (n <= 0 || to_held < n))
			n = n > 0 || force ? to_held : 0;
		if (!held && !force && !is_waited_for(f, (enum side)i))
			continue;
		if (n <= 0 || !tcp_believable(n))
			continue;
		declare_missing(e, f, (enum side)i, (uint32_t)n);
		return true;
	}
	return false;
}

/*
 * The peer still acknowledges only up to a hole in this side's stream: the path lost those bytes,
 * not the capture. The bytes behind the hole never reached the program; a FIN behind it keeps its
 * time.
 */
static void drop_behind_hole(struct engine *e, struct flow *f, enum side side)
{
	struct half *h = &f->half[side];
	uint64_t fin_ns = 0;

	if (!f->reorder || !f->reorder->hole[side] || doubt_claimed(f, side))
		return;
	while (tcp_held(f, side)) {
		struct held *held = held_take(e, f, side);

		if (held->seg.flags & SEG_FIN && !fin_ns)
			fin_ns = held->seg.ts_ns;
		held_free(held);
	}
	if (!fin_ns || h->fin_done || h->reset)
		return;
	h->fin_done = true;
	conn_fin(e, f, side, half_time(h, fin_ns));
}

static void flush_held(struct engine *e, struct flow *f)
{
	begin(e, f);
	drop_behind_hole(e, f, SIDE_CLIENT);
	drop_behind_hole(e, f, SIDE_SERVER);
	while (any_held(f)) {
		if (!skip_missing(e, f, true))
			deliver_next(e, f);
		drain(e, f);
	}
}

/*
 * Bytes of its stream are missing. Behind bytes that were sent again, they were perhaps never sent:
 * a forged FIN can claim some, too.
 */
static bool lacks_bytes(const struct half *h)
{
	return h->has_isn && (uint32_t)(h->next - h->fin_done - h->isn - 1) != (uint32_t)h->bytes;
}

struct unacked tcp_unacked(const struct flow *f, enum side side)
{
	const struct half *h = &f->half[side];
	const struct held *held = tcp_held(f, side);
	struct unacked u = {.side = side};
	uint32_t end;
	int32_t n;

	if (!f->reorder || !h->known || f->reorder->claimed[side])
		return u;
	if (held && f->reorder->hole[side]) {
		u.bytes = u.shortest = data_seq(&held->seg) - h->next;
		u.since_ns = held->seg.ts_ns;
		u.sent = 1;
	} else if (f->reorder->resent[side].times > 1) {
		end = h->next - h->fin_done;
		if (lacks_bytes(h) && tcp_seq_diff(f->reorder->resent[side].end, end) < 0)
			end = f->reorder->resent[side].end;
		n = tcp_seq_diff(end, h->has_acked ? h->acked : h->next - (uint32_t)h->bytes);
		if (n <= 0 || !h->bytes)
			return u; /* all was acknowledged, the FIN too */
		/* An ACK, and segments, may belong to an earlier connection on the same ports. */
		u.bytes = (uint32_t)n < h->bytes ? (uint32_t)n : h->bytes;
		u.since_ns = f->reorder->resent[side].since_ns;
		u.sent = f->reorder->resent[side].times;
		u.shortest = f->reorder->resent[side].shortest;
	}
	return u;
}

bool tcp_is_unseen(const struct flow *f, enum side side)
{
	const struct half *h = &f->half[side];

	return h->known && !h->last_ns && f->half[side_other(side)].last_ns;
}

void tcp_flush(struct engine *e, struct flow *f)
{
	flush_held(e, f);
	while (skip_missing(e, f, true))
		;
	stall_end(e, f);
}

void tcp_reset(struct engine *e, struct flow *f)
{
	enum side from = (enum side)f->reorder->rst_from;
	struct seg rst = f->reorder->rst;
	int32_t n;

	f->reorder->has_rst = false;
	tcp_flush(e, f);
	n = tcp_seq_diff(rst.seq, f->half[from].next);
	if (n > 0)
		declare_missing(e, f, from, (uint32_t)n);
	deliver(e, f, from, &rst, NULL);
}

/* A held segment waits for missing bytes, or for the position where the side begins. */
static bool lacks(const struct flow *f, enum side from)
{
	if (!f->half[from].known)
		return !!tcp_held(f, from);
	return doubt_claimed(f, from) > 0 && any_held(f);
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
		if (stalled(f))
			flush_held(e, f);
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

/*
 * Does a belong before b, both from one side? At the same position: SYN first, then by what the
 * senders had seen.
 */
static bool belongs_before(const struct seg *a, const struct seg *b)
{
	int32_t diff = tcp_seq_diff(data_seq(a), data_seq(b));

	if (diff)
		return diff < 0;
	if ((a->flags ^ b->flags) & SEG_SYN)
		return a->flags & SEG_SYN;
	if (a->ack != b->ack)
		return tcp_seq_diff(a->ack, b->ack) < 0;
	return a->len + !!(a->flags & SEG_FIN) < b->len + !!(b->flags & SEG_FIN);
}

static void hold(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
		 const uint8_t *payload)
{
	struct held **at, *h;
	struct reorder *r;

	r = tcp_reorder(f);
	if (!r)
		return; /* as if it had been lost: the stream will show the gap */
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
	/* The SYN is missing: the rest may still be on its way too. */
	if (!(seg->flags & SEG_ACK))
		f->settling = false;
}

/* The peer acknowledges only up to a hole, and this is no longer a mere disorder. */
static void note_hole(struct flow *f, enum side from, const struct seg *seg)
{
	enum side of = side_other(from);
	const struct held *held = tcp_held(f, of);
	const struct half *h = &f->half[of];

	if (held && h->known && seg->ack == h->next &&
	    tcp_seq_diff(data_seq(&held->seg), h->next) > 0 &&
	    seg->ts_ns > held->seg.ts_ns + HOLE_NS && !f->reorder->hole[of]) {
		f->reorder->hole[of] = true;
		f->reorder->hole_ns[of] = held->seg.ts_ns;
	}
}

/* It acknowledges bytes of the peer that the kernel saw and kept to itself: nothing is missing. */
static bool acks_skipped(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *peer = &f->half[side_other(from)];

	return seg->rec_flags & SEG_F_HEADS && !tcp_held(f, side_other(from)) && peer->known &&
	       tcp_seq_diff(seg->ack, peer->next) > 0;
}

/*
 * A keep-alive probe repeats the last byte, which the peer has acknowledged, or has no byte: RFC
 * 9293 3.8.4. Any segment of its peer answers it.
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

/* Is it a keep-alive probe with a byte? */
static bool is_probe_byte(const struct seg *seg, int32_t diff)
{
	return diff == -1 && seg->len == 1;
}

static bool is_copy_of(const struct seg *first, const struct seg *seg)
{
	uint64_t after_ns = seg->ts_ns > first->ts_ns ? seg->ts_ns - first->ts_ns : 0;

	if (seg->ip_id && first->ip_id)
		return after_ns < COPY_ID_NS && seg->ip_id == first->ip_id;
	return after_ns < COPY_NS;
}

/*
 * The held segment that first sent the same payload, and waits for missing bytes before it. NULL:
 * no such segment, or this packet was captured twice. A single byte may be a keep-alive probe.
 */
static const struct held *held_first(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct held *first = NULL;

	if (seg->len < 2)
		return NULL;
	for (const struct held *h = tcp_held(f, from); h; h = h->next) {
		if (h->seg.seq != seg->seq || h->seg.len != seg->len)
			continue;
		if (is_copy_of(&h->seg, seg))
			return NULL;
		if (!first || h->seg.ts_ns < first->seg.ts_ns)
			first = h;
	}
	return first;
}

/* Note payload that was seen before, at first_ns, and that the peer has not acknowledged. */
static void note_resent(struct flow *f, enum side from, const struct seg *seg, uint64_t first_ns)
{
	const struct half *h = &f->half[from];
	struct resent *again;

	if (h->has_acked && tcp_seq_diff(seg->seq + seg->len, h->acked) <= 0)
		return;
	if (!tcp_reorder(f))
		return;
	again = &f->reorder->resent[from];
	if (!again->times)
		*again = (struct resent){
			.since_ns = first_ns, .times = 1, .shortest = UINT32_MAX, .end = seg->seq};
	again->times++;
	again->last_ns = seg->ts_ns;
	if (tcp_seq_diff(seg->seq + seg->len, again->end) > 0)
		again->end = seg->seq + seg->len;
	if (seg->len > again->longest)
		again->longest = seg->len;
	if (seg->len < again->shortest)
		again->shortest = seg->len;
}

static void note_disorder(struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t diff = h->known ? tcp_seq_diff(data_seq(seg), h->next) : 0;
	const struct held *first = diff >= 0 ? held_first(f, from, seg) : NULL;

	if (first)
		note_resent(f, from, seg, first->seg.ts_ns);
	if (!seg->len || !diff || is_probe_byte(seg, diff))
		return;
	if (diff < 0 && h->bytes) /* else it was never seen, and may be older */
		note_resent(f, from, seg, h->last_ns);
	if (f->tcp && diff > 0)
		f->tcp->out_of_order++;
	else if (f->tcp)
		f->tcp->retransmits++;
}

/* The same packet captured twice: the capture's doing, not TCP's. */
static bool is_copy(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	uint32_t end = data_seq(seg) + seg->len + !!(seg->flags & SEG_FIN);
	uint64_t after_ns = seg->ts_ns > h->last_ns ? seg->ts_ns - h->last_ns : 0;

	if (seg->rec_flags & SEG_F_HEADS || !h->known)
		return false;
	if (is_syn_ack(seg) && f->tcp && !f->tcp->synack_ns)
		return false; /* of a simultaneous open: it repeats its side's SYN */
	if (!takes_numbers(seg))
		return false;
	if (seg->flags & SEG_SYN ? !h->has_isn || h->isn != seg->seq
				 : tcp_seq_diff(end, h->next) > 0)
		return false;
	if (seg->ip_id && h->ip_id)
		return after_ns < COPY_ID_NS && (uint16_t)(h->ip_id - seg->ip_id) < COPY_IDS;
	return end == h->next && after_ns < COPY_NS;
}

/*
 * The tap stores a handshake's packets. Two CPUs that handle the client's next packets at the same time
 * may both forward them: the same record twice, with the time of the one packet.
 */
static bool is_repeated_record(const struct flow *f, enum side from, const struct seg *seg)
{
	return seg->flags & SEG_SYN && seg->ts_ns <= f->half[from].last_ns;
}

/*
 * Nearly all segments are like this: the next of their side, all that they acknowledge delivered,
 * nothing before them out of order. The result is that of tcp_segment(), in fewer steps.
 */
static bool plain(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];

	return (seg->flags & (SEG_SYN | SEG_FIN | SEG_RST | SEG_ACK)) == SEG_ACK &&
	       !(seg->rec_flags & SEG_F_HEADS) && !f->reorder && !f->settling && h->known &&
	       peer->known && seg->seq == h->next && peer->has_acked &&
	       tcp_seq_diff(seg->ack, peer->acked) >= 0 &&
	       tcp_seq_diff(seg->ack, peer->next) <= 0 && !(f->tcp && !f->tcp->ack_ns);
}

static void take_reset(struct engine *e, struct flow *f, enum side from, const struct seg *seg)
{
	switch (doubt_reset_kind(f, from, seg)) {
	case RESET_IGNORED:
		e->stats.out_of_window++;
		return;
	case RESET_DOUBTFUL:
		if (tcp_reorder(f))
			doubt_reset(f, from, seg);
		return;
	case RESET_TAKEN:
		if (seg->flags & SEG_ACK)
			doubt_ack(f, from, seg);
		/* Bytes that a side acknowledged reached it, even if we did not see them. */
		while (skip_missing(e, f, true))
			drain(e, f);
		deliver(e, f, from, seg, NULL);
	}
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
	if (is_copy(f, from, seg)) {
		e->stats.duplicates +=
			engine_reads_capture(&e->config) || !is_repeated_record(f, from, seg);
		return;
	}
	if (doubt_is_earlier(f, from, seg)) {
		if (f->tcp)
			f->tcp->port_reused = true;
		return;
	}
	if (seg->flags & SEG_RST && !f->settling) {
		take_reset(e, f, from, seg);
		return;
	}
	doubt_heard(f, from, seg);
	if (f->tcp && !(seg->flags & SEG_RST))
		tcp_facts_heard(f->tcp, from, seg);
	if (seg->flags & SEG_SYN)
		note_syn(f, from, seg);
	diff = h->known ? tcp_seq_diff(data_seq(seg), h->next) : 0;
	/* However far the kernel got in the meantime, it saw all bytes in between. */
	if (seg->rec_flags & SEG_F_HEADS && diff > 0)
		diff = 0;
	if (!tcp_believable(diff)) {
		e->stats.out_of_window++;
		return;
	}
	note_disorder(f, from, seg);
	note_probe(f, from, seg, diff);
	if (seg->flags & SEG_ACK && !acks_skipped(f, from, seg)) {
		note_hole(f, from, seg);
		doubt_ack(f, from, seg);
	}
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
