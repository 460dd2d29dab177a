/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * doubt.c - see doubt.h.
 */
#include <string.h>

#include "engine/stream/doubt.h"
#include "engine/stream/held.h"
#include "engine/stream/seq.h"
#include "lib/units.h"

#define LATER_NS     (10 * NS_PER_S / 1000) /* more than a capture mixes up the order of packets */
#define UNDER_WAY_NS NS_PER_S  /* RFC 6298 2.1: an answer takes no longer, as TCP assumes */
#define CLAIM_MOST   (1 << 16) /* bytes: no client sends more before it hears of the server */

/* ---- resets ---- */

/* RFC 9293 3.10.7.3: in SYN-SENT a reset counts if it acknowledges the SYN. */
static bool answers_syn(const struct flow *f, const struct seg *seg)
{
	const struct half *client = &f->half[SIDE_CLIENT];
	int32_t acked = tcp_seq_diff(seg->ack, client->isn);

	return seg->flags & SEG_ACK && acked > 0 &&
	       (!client->known || acked <= tcp_seq_diff(client->next, client->isn));
}

enum reset doubt_reset_kind(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t diff;

	if (from == SIDE_SERVER && !h->has_isn && !h->known && f->half[SIDE_CLIENT].has_isn)
		return answers_syn(f, seg) ? RESET_TAKEN : RESET_IGNORED;
	if (!h->known)
		return RESET_TAKEN;
	diff = tcp_seq_diff(seg->seq, h->next);
	if (!tcp_believable(diff) ||
	    (diff < 0 && h->has_acked && tcp_seq_diff(seg->seq, h->acked) < 0))
		return RESET_IGNORED;
	return diff || tcp_held(f, SIDE_CLIENT) || tcp_held(f, SIDE_SERVER) ? RESET_DOUBTFUL
									    : RESET_TAKEN;
}

void doubt_reset(struct flow *f, enum side from, const struct seg *seg)
{
	struct reorder *r = f->reorder;

	if (r->has_rst)
		return;
	r->has_rst = true;
	r->rst_weak = false;
	r->rst_from = (uint8_t)from;
	r->rst_peer = f->half[side_other(from)].next;
	r->rst = *seg;
}

bool doubt_reset_holds(const struct flow *f, bool ended)
{
	const struct reorder *r = f->reorder;
	const struct half *h;

	if (!r || !r->has_rst)
		return false;
	h = &f->half[r->rst_from];
	if (r->rst_weak)
		return r->rst.seq == h->next;
	/*
	 * Bytes before it were under way: if the connection had gone on, their ACK or their
	 * retransmission would have come. Beyond what was seen, only the peer's ACK confirms it.
	 */
	return ended || h->fin_done || tcp_seq_diff(r->rst.seq, h->next) <= 0 ||
	       (r->claimed[r->rst_from] && tcp_seq_diff(r->claim[r->rst_from], r->rst.seq) >= 0);
}

/*
 * Does its sender send more than the doubtful reset leaves room for, or does its receiver
 * acknowledge more? Then the reset was ignored.
 */
static bool reset_contradicted(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct reorder *r = f->reorder;

	if (from == r->rst_from)
		return seg->len && tcp_seq_diff(seg->seq + seg->len, r->rst.seq) > 0;
	return seg->flags & SEG_ACK && tcp_seq_diff(seg->ack, r->rst.seq) > 0 &&
	       tcp_seq_diff(seg->ack, f->half[r->rst_from].next) <= 0;
}

/*
 * Its sender goes on, though not beyond it: either the capture's order is mixed up, or the reset
 * was ignored. If its receiver still sends payload when all that was under way has come, the reset
 * was ignored or never arrived.
 */
static bool goes_on(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct reorder *r = f->reorder;

	if (from != r->rst_from)
		return seg->len && seg->ts_ns > r->rst.ts_ns + UNDER_WAY_NS;
	return seg->ts_ns > r->rst.ts_ns + LATER_NS ||
	       (seg->flags & SEG_ACK && tcp_seq_diff(seg->ack, r->rst_peer) > 0);
}

/* ---- SYNs ---- */

void doubt_syn(struct flow *f, const struct seg *seg)
{
	struct reorder *r = f->reorder;

	if (!r->has_syn || r->syn.seq != seg->seq) {
		r->syn = *seg;
		r->syn.cap_len = 0; /* data that it may carry (RFC 7413) is not kept */
		r->syn_count = 0;
	}
	r->has_syn = true;
	r->syn_count += r->syn_count < UINT8_MAX;
}

static bool from_syn_sender(const struct reorder *r, const struct seg *seg)
{
	return seg->sport == r->syn.sport && !memcmp(seg->saddr, r->syn.saddr, sizeof(seg->saddr));
}

/* The segment that follows the SYN, or follows the data that it carries. */
static bool follows_syn(const struct reorder *r, uint32_t number)
{
	return number == r->syn.seq + 1 || number == r->syn.seq + 1 + r->syn.len;
}

bool doubt_syn_answered(const struct flow *f, const struct seg *seg)
{
	const struct reorder *r = f->reorder;

	if (!r || !r->has_syn || !(seg->flags & SEG_ACK))
		return false;
	if (from_syn_sender(r, seg)) /* the SYN+ACK was not seen, but its ACK was */
		return follows_syn(r, seg->seq) && !(seg->flags & (SEG_SYN | SEG_RST));
	return follows_syn(r, seg->ack) && seg->flags & (SEG_SYN | SEG_RST);
}

/* ---- */

void doubt_heard(struct flow *f, enum side from, const struct seg *seg)
{
	struct reorder *r = f->reorder;

	if (!r)
		return;
	if (r->has_rst && reset_contradicted(f, from, seg))
		r->has_rst = false;
	else if (r->has_rst)
		r->rst_weak |= goes_on(f, from, seg);
	if (r->has_syn && from_syn_sender(r, seg))
		r->has_syn = false; /* its sender continues the earlier connection */
}

bool doubt_is_earlier(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *client = &f->half[SIDE_CLIENT], *server = &f->half[SIDE_SERVER];
	int32_t beyond = tcp_seq_diff(seg->ack, client->isn + 1);

	if (f->settling || !client->has_isn || server->has_isn || server->known ||
	    seg->flags & SEG_SYN)
		return false;
	if (from == SIDE_SERVER)
		return !(seg->flags & SEG_RST) && seg->flags & SEG_ACK &&
		       (beyond < 0 || beyond > CLAIM_MOST);
	return f->tcp && f->tcp->port_reused && seg->seq != client->isn + 1;
}

/* ---- acknowledgements ---- */

int32_t doubt_claimed(const struct flow *f, enum side side)
{
	const struct half *h = &f->half[side];
	int32_t n;

	if (!f->reorder || !f->reorder->claimed[side] || !h->known)
		return 0;
	n = tcp_seq_diff(f->reorder->claim[side], h->next);
	return n > 0 ? n : 0;
}

int32_t doubt_claimed_first(const struct flow *f, enum side side)
{
	const struct held *theirs = tcp_held(f, side_other(side));
	int32_t all = doubt_claimed(f, side), first;

	if (!theirs || !(theirs->seg.flags & SEG_ACK))
		return all;
	first = tcp_seq_diff(theirs->seg.ack, f->half[side].next);
	return first > 0 && first < all ? first : all;
}

uint32_t doubt_drop_far_ahead(struct held_pool *pool, struct flow *f, enum side side)
{
	const struct held *held = tcp_held(f, side);
	const struct half *h = &f->half[side];
	int32_t claimed = doubt_claimed(f, side), hole;

	if (!held || !h->known || !f->half[side_other(side)].last_ns ||
	    held->seg.rec_flags & SEG_F_HEADS)
		return 0;
	hole = tcp_seq_diff(tcp_data_seq(&held->seg), h->next);
	if (hole <= HELD_HOLE_MOST || hole - claimed <= HELD_HOLE_MOST)
		return 0;
	return held_drop_beyond(pool, f, side, h->next + HELD_HOLE_MOST);
}

/* The peer acknowledges more of that side than was seen. */
static void claim(struct flow *f, enum side of, uint32_t ack, uint64_t ts_ns)
{
	struct reorder *r = tcp_reorder(f);

	if (!r)
		return; /* no memory: as if the ACK had not been seen */
	if (!r->claimed[of] || tcp_seq_diff(ack, r->claim[of]) > 0) {
		r->claim[of] = ack;
		r->claim_ns[of] = ts_ns;
	}
	r->claimed[of] = true;
}

/*
 * ACKs never go back: a peer that still acknowledges less than was claimed did not claim it. A
 * capture may show ACKs in another order, but only for a moment.
 */
static bool claim_contradicted(const struct flow *f, enum side of, const struct seg *seg)
{
	const struct reorder *r = f->reorder;
	const struct half *peer = &f->half[of];

	return r && r->claimed[of] && tcp_seq_diff(seg->ack, r->claim[of]) < 0 &&
	       (seg->ts_ns > r->claim_ns[of] + LATER_NS ||
		(peer->has_acked && tcp_seq_diff(seg->ack, peer->acked) > 0));
}

/*
 * The peer acknowledged more of a side: what was sent again, or a hole in it, got through. ack_ns: when
 * a bare ACK said so; 0: none did. A packet with payload is sent when the program answers: the
 * ACK before it may be lost to us.
 */
static void end_unacked(struct flow *f, enum side side, uint64_t ack_ns)
{
	struct reorder *r = f->reorder;
	struct resent *again = &r->resent[side];

	if (f->tcp && again->times)
		unacked_times_add(&f->tcp->unacked, again->since_ns,
				  unacked_until(again->since_ns, again->last_ns, ack_ns));
	if (f->tcp && r->hole[side])
		unacked_times_add(&f->tcp->unacked, r->hole_ns[side],
				  ack_ns ? ack_ns : f->half[side].last_ns);
	again->times = 0;
	r->hole[side] = false;
}

void doubt_settle(struct flow *f, enum side side)
{
	struct reorder *r = f->reorder;
	struct half *h = &f->half[side];

	if (!r || !r->claimed[side] || tcp_seq_diff(r->claim[side], h->next) > 0)
		return;
	r->claimed[side] = false;
	if (!h->has_acked || tcp_seq_diff(r->claim[side], h->acked) > 0)
		h->acked = r->claim[side];
	h->has_acked = true;
	if (tcp_seq_diff(h->acked, r->resent[side].end) >= 0 && r->resent[side].times)
		end_unacked(f, side, 0);
}

void doubt_ack(struct flow *f, enum side from, const struct seg *seg)
{
	enum side of = side_other(from);
	struct half *peer = &f->half[of];
	struct reorder *r = f->reorder;

	if (peer->known && !tcp_believable(tcp_seq_diff(seg->ack, peer->next)))
		return;
	/* The ACK of a SYN+ACK that we did not see shows where the server begins. */
	if (from == SIDE_CLIENT && f->half[from].has_isn && seg->seq == f->half[from].isn + 1 &&
	    !(seg->flags & (SEG_SYN | SEG_RST)) && !peer->known) {
		peer->known = true;
		peer->next = seg->ack;
	}
	if (claim_contradicted(f, of, seg))
		r->claimed[of] = false;
	if (!peer->known || tcp_seq_diff(seg->ack, peer->next) > 0) {
		claim(f, of, seg->ack, seg->ts_ns);
		return;
	}
	if (peer->has_acked && tcp_seq_diff(seg->ack, peer->acked) <= 0)
		return;
	peer->has_acked = true;
	peer->acked = seg->ack;
	if (r)
		end_unacked(f, of, tcp_has_more(seg) ? 0 : seg->ts_ns);
}
