/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* repeats.c - see repeats.h. */
#include "engine/stream/held.h"
#include "engine/stream/repeats.h"
#include "engine/stream/seq.h"
#include "lib/units.h"

/*
 * If a packet is captured twice (on two interfaces, or by a collector that sees it at several
 * places), both copies have the same IP id and come close together. Without an id, the copy must
 * come sooner than any retransmission: RFC 6298 and RFC 8985 7.2 wait for more than a round trip.
 */
#define COPY_IDS   64 /* packets in between, at most */
#define COPY_ID_NS (NS_PER_S / 10)
#define COPY_NS	   (NS_PER_S / 1000)

void repeats_note_probe(struct flow *f, enum side from, const struct seg *seg, int32_t diff)
{
	uint8_t *ttl = &f->half[SIDE_CLIENT].ttl[from];
	struct half *h = &f->half[from];

	if (seg->flags & SEG_RST)
		return;
	f->half[side_other(from)].probes = 0;
	if (h->known && h->has_acked && h->acked == h->next && diff == -1 && seg->len <= 1 &&
	    !(seg->flags & (SEG_SYN | SEG_FIN)) && h->probes < REPEATS_PROBES_MAX)
		h->probes++;
	if (!*ttl)
		*ttl = seg->ttl;
	else if (*ttl != seg->ttl)
		h->ttl_varies = true;
}

/* Is it a keep-alive probe with a byte? */
static bool repeats_probe_byte(const struct seg *seg, int32_t diff)
{
	return diff == -1 && seg->len == 1;
}

static bool repeats_is_copy_of(const struct seg *first, const struct seg *seg)
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
static const struct held *repeats_held(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct held *first = NULL;

	if (seg->len < 2)
		return NULL;
	for (const struct held *h = tcp_held(f, from); h; h = h->next) {
		if (h->seg.seq != seg->seq || h->seg.len != seg->len)
			continue;
		if (repeats_is_copy_of(&h->seg, seg))
			return NULL;
		if (!first || h->seg.ts_ns < first->seg.ts_ns)
			first = h;
	}
	return first;
}

/* Note payload that was seen before, at first_ns, and that the peer has not acknowledged. */
static void repeats_note_resent(struct flow *f, enum side from, const struct seg *seg,
				uint64_t first_ns)
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

void repeats_note(struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t diff = h->known ? tcp_seq_diff(tcp_data_seq(seg), h->next) : 0;
	const struct held *first = diff >= 0 ? repeats_held(f, from, seg) : NULL;

	if (first)
		repeats_note_resent(f, from, seg, first->seg.ts_ns);
	if (!seg->len || !diff || repeats_probe_byte(seg, diff))
		return;
	if (diff < 0 && h->bytes) /* else it was never seen, and may be older */
		repeats_note_resent(f, from, seg, h->last_ns);
	if (f->tcp && diff > 0)
		f->tcp->out_of_order++;
	else if (f->tcp)
		f->tcp->retransmits++;
}

static bool repeats_is_syn_ack(const struct seg *seg)
{
	return (seg->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK);
}

bool repeats_packet(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];
	uint32_t end = tcp_data_seq(seg) + seg->len + !!(seg->flags & SEG_FIN);
	uint64_t after_ns = seg->ts_ns > h->last_ns ? seg->ts_ns - h->last_ns : 0;

	if (seg->rec_flags & SEG_F_HEADS || !h->known)
		return false;
	if (repeats_is_syn_ack(seg) && f->tcp && !f->tcp->synack_ns)
		return false; /* of a simultaneous open: it repeats its side's SYN */
	if (!tcp_takes_numbers(seg))
		return false;
	if (seg->flags & SEG_SYN ? !h->has_isn || h->isn != seg->seq
				 : tcp_seq_diff(end, h->next) > 0)
		return false;
	if (seg->ip_id && h->ip_id && !h->reset)
		return after_ns < COPY_ID_NS && (uint16_t)(h->ip_id - seg->ip_id) < COPY_IDS;
	return end == h->next && after_ns < COPY_NS;
}

bool repeats_record(const struct flow *f, enum side from, const struct seg *seg)
{
	return seg->flags & SEG_SYN && seg->ts_ns <= f->half[from].last_ns;
}

/*
 * Bytes of its stream are missing. Behind bytes that were sent again, they were perhaps never sent:
 * a forged FIN can claim some, too.
 */
static bool repeats_lacks_bytes(const struct half *h)
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
		u.bytes = u.shortest = tcp_data_seq(&held->seg) - h->next;
		u.since_ns = held->seg.ts_ns;
		u.sent = 1;
	} else if (f->reorder->resent[side].times > 1) {
		end = h->next - h->fin_done;
		if (repeats_lacks_bytes(h) && tcp_seq_diff(f->reorder->resent[side].end, end) < 0)
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

bool repeats_held_probe(const struct held *held)
{
	const struct held *next = held->next;

	return held->seg.len == 1 && !(held->seg.flags & SEG_FIN) &&
	       ((next && next->seg.len == 1 && next->seg.seq == held->seg.seq) ||
		(held->seg.cap_len && !held->data[0]));
}
