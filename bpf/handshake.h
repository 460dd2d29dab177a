/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handshake.h - a watched port's packets that are of no flow yet: which of them are handed over
 * now, and which are kept in the half-open table until the connection proves to be real.
 */
#ifndef TDSMON_HANDSHAKE_H
#define TDSMON_HANDSHAKE_H

#include "full.h"
#include "half.h"

/* Follow the flow; from_server: the segment at hand is. */
TAP_INLINE bool handshake_follow(void *ctx, enum tap_hook hook, const struct tap_work *work,
				 bool from_server, bool known)
{
	__u32 client = work->side ^ from_server;

	return hook == TAP_HOOK_SKB ? full_begin_skb(ctx, client, known)
				    : full_begin_xdp(ctx, client, known);
}

/* The packet at hand is handed over, and what was held before it. */
TAP_INLINE enum tap_counter handshake_tell(void)
{
	return half_emit() ? TAP_CNT_LOST : TAP_CNT_EVENT;
}

/*
 * A SYN is kept. Repeated it is handed over, with the time at which it was first seen, at a rate
 * that a flood can't exceed. within: of a flow that is not over: only the server's SYN+ACK says
 * that the SYN counts (RFC 9293 3.10.7.4).
 */
TAP_INLINE enum tap_counter handshake_syn(const struct tap_work *work, bool watched, bool within)
{
	enum tap_counter kept = watched ? TAP_CNT_SKIPPED : TAP_CNT_OTHER;
	struct half *half = half_place();
	bool told;

	if (!half)
		return kept;
	if (half_is(half, &work->key) && half->state & HALF_CALLED &&
	    half->syn.seq == work->seg.seq) {
		if (!watched ||
		    !half_allows(work->seg.ts_ns,
				 half->state & HALF_ANSWERED ? HALF_RATE_ANSWERED : HALF_RATE))
			return kept;
		return handshake_tell();
	}
	/* TCP Fast Open: there is no room for the payload, and a usual flood's SYNs carry none */
	told = watched && work->seg.len && !within && half_allows(work->seg.ts_ns, HALF_RATE);
	half_begin(work, half, told ? HALF_TOLD : within ? HALF_WITHIN : 0);
	return told ? TAP_CNT_EVENT : kept;
}

/* A SYN+ACK: kept until the client shows that it got it. */
TAP_INLINE enum tap_counter handshake_answer(const struct tap_work *work, struct half *half)
{
	if (!half) {
		half = half_place();
		if (!half)
			return TAP_CNT_EVENT;
		half_begin_answered(work, half);
	}
	half_answer(half, &work->seg);
	if (!(half->state & HALF_TOLD))
		return TAP_CNT_SKIPPED;
	half->state &= ~(1u << HALF_SYNACK);
	return TAP_CNT_EVENT;
}

/*
 * Is a reset one that ends the attempt? Of the client it stands where its SYN did, of the server it
 * acknowledges the SYN, or follows the SYN+ACK: RFC 9293 3.10.7.
 */
TAP_INLINE bool handshake_resets(const struct tap_work *work, const struct half *half)
{
	const struct seg *seg = &work->seg;

	if (half_from_client(half, work))
		return !(half->state & HALF_CALLED) || seg->seq - half->syn.seq - 1 < HALF_NEAR;
	if (seg->flags & SEG_ACK && half_answers(half, seg))
		return true;
	return half->state & HALF_ANSWERED && seg->seq - half->rest[0].seq - 1 < HALF_NEAR;
}

/* A reset of an attempt. A client that shows it got the SYN+ACK is a real one. */
TAP_INLINE enum tap_counter handshake_reset(const struct tap_work *work, struct half *half)
{
	bool real = half->state & HALF_TOLD ||
		    (half_from_client(half, work) && half_proves(half, &work->seg));
	bool ends = handshake_resets(work, half);
	enum tap_counter result = TAP_CNT_EVENT;

	if (!real && !half_allows(work->seg.ts_ns,
				  half->state & HALF_ANSWERED ? HALF_RATE_ANSWERED : HALF_RATE)) {
		if (!ends)
			return TAP_CNT_SKIPPED;
		half_lose(half);
		result = TAP_CNT_SKIPPED;
	} else {
		result = handshake_tell();
	}
	if (ends)
		half_end();
	return result;
}

/* What is not known to be of a real connection is handed over in small numbers. */
TAP_INLINE enum tap_counter handshake_doubt(const struct tap_work *work)
{
	return half_allows(work->seg.ts_ns, HALF_RATE) ? handshake_tell() : TAP_CNT_SKIPPED;
}

/* An ACK, payload or a FIN of a handshake that is kept. */
TAP_INLINE enum tap_counter handshake_goes_on(void *ctx, enum tap_hook hook,
					      const struct tap_work *work, struct half *half)
{
	bool server = !half_from_client(half, work), fin = work->seg.flags & SEG_FIN, known;
	bool payload = work->seg.len > 0;
	enum tap_counter result;

	/* A server acknowledges payload of the client's, or an old connection's in place of the
	 * SYN. */
	if (!(half->state & (HALF_PROVEN | HALF_TOLD)) &&
	    (server ? !payload && !fin : !half_proves(half, &work->seg)))
		return handshake_doubt(work);
	half->state |= HALF_PROVEN;
	known = half->state & HALF_CALLED && half->state & HALF_ANSWERED && !server &&
		work->seg.seq == half->syn.seq + 1;
	server |= !(half->state & HALF_ANSWERED) && tap_port(work->seg.sport);
	payload &= !fin && (server || half->state & HALF_ANSWERED);
	result = handshake_tell();
	if (payload && !handshake_follow(ctx, hook, work, server, known) && result == TAP_CNT_EVENT)
		result = TAP_CNT_FLOW_MISS;
	if (payload || fin)
		half_end();
	return result;
}

/*
 * A watched port, but no flow yet. The flow is followed from its first payload on, if its handshake
 * was seen or the server speaks: what a flood of made-up packets can't bring about.
 */
TAP_INLINE enum tap_counter handshake_packet(void *ctx, enum tap_hook hook,
					     const struct tap_work *work)
{
	struct half *half = half_of_work();
	__u8 flags = work->seg.flags;

	if (flags & SEG_SYN && !work->seg.len) {
		if (half && (half_from_client(half, work) ||
			     (half->state & HALF_CALLED && !half_answers(half, &work->seg))))
			return handshake_doubt(work);
		return handshake_answer(work, half);
	}
	if (half && flags & SEG_RST)
		return handshake_reset(work, half);
	if (half)
		return handshake_goes_on(ctx, hook, work, half);
	if (work->seg.len && !(flags & (SEG_FIN | SEG_RST)) && tap_port(work->seg.sport) &&
	    !handshake_follow(ctx, hook, work, true, false))
		return TAP_CNT_FLOW_MISS;
	return TAP_CNT_EVENT;
}

#endif
