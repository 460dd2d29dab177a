/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handshake.h - packets on a watched port that belong to no flow yet: which are forwarded now, and
 * which are stored in the half-open table until the connection proves to be real.
 */
#ifndef TDSMON_HANDSHAKE_H
#define TDSMON_HANDSHAKE_H

#include "half_open.h"
#include "level_full.h"
#include "packet_ctx.h"

/* Follow the flow. from_server: the server sent the current segment. */
TAP_INLINE bool handshake_follow(void *ctx, enum tap_hook hook, const struct tap_work *work,
				 bool from_server, bool known)
{
	__u32 client = work->side ^ from_server;

	return hook == TAP_HOOK_SKB ? level_full_begin_skb(ctx, client, known)
				    : level_full_begin_xdp(ctx, client, known);
}

/* Forward the current packet, and before it the stored ones. */
TAP_INLINE enum tap_counter handshake_emit(void)
{
	return half_open_emit() ? TAP_CNT_LOST : TAP_CNT_EVENT;
}

/*
 * A SYN is stored. A retransmitted SYN is forwarded, with the time of the first one, within the
 * rate limit for floods. on_live_flow: the ports belong to a flow that has not ended, so the SYN
 * counts only once the server sends a SYN+ACK (RFC 9293 3.10.7.4). The clock is read after the
 * look-ups: it waits for what is being loaded, and so they would no longer overlap.
 */
TAP_INLINE enum tap_counter handshake_syn(struct tap_work *work, bool watched, bool on_live_flow)
{
	enum tap_counter kept = watched ? TAP_CNT_SKIPPED : TAP_CNT_OTHER;
	struct tap_handshake *hs = half_open_claim();
	bool reported;

	if (!hs)
		return kept;
	frame_walk_set_time(work);
	if (half_open_is(hs, &work->key) && hs->state & HANDSHAKE_SYN_SEEN &&
	    hs->syn.seq == work->seg.seq) {
		if (!watched || !half_open_allows(work->seg.ts_ns, hs->state & HANDSHAKE_SYNACK_SEEN
									   ? HALF_OPEN_RATE_ANSWERED
									   : HALF_OPEN_RATE))
			return kept;
		return handshake_emit();
	}
	/* TCP Fast Open: the table cannot store payload. The SYNs of usual floods have none. */
	reported = watched && work->seg.len && !on_live_flow &&
		   half_open_allows(work->seg.ts_ns, HALF_OPEN_RATE);
	half_open_begin(work, hs,
			reported       ? HANDSHAKE_REPORTED
			: on_live_flow ? HANDSHAKE_ON_LIVE_FLOW
				       : 0);
	return reported ? TAP_CNT_EVENT : kept;
}

/* A SYN+ACK is stored until the client shows that it received it. */
TAP_INLINE enum tap_counter handshake_synack(const struct tap_work *work, struct tap_handshake *hs)
{
	if (!hs) {
		hs = half_open_claim();
		if (!hs)
			return TAP_CNT_EVENT;
		half_open_begin_at_synack(work, hs);
	}
	half_open_note_synack(hs, &work->seg);
	if (!(hs->state & HANDSHAKE_REPORTED))
		return TAP_CNT_SKIPPED;
	hs->state &= ~(1u << HANDSHAKE_SYNACK);
	return TAP_CNT_EVENT;
}

/*
 * Does a reset end the attempt? The client's must follow its SYN; the server's must acknowledge the
 * SYN or follow the SYN+ACK (RFC 9293 3.10.7).
 */
TAP_INLINE bool handshake_is_reset_by(const struct tap_work *work, const struct tap_handshake *hs)
{
	const struct seg *seg = &work->seg;

	if (half_open_from_client(hs, work))
		return !(hs->state & HANDSHAKE_SYN_SEEN) ||
		       seg->seq - hs->syn.seq - 1 < HANDSHAKE_FIRST_FLIGHT;
	if (seg->flags & SEG_ACK && half_open_is_answered_by(hs, seg))
		return true;
	return hs->state & HANDSHAKE_SYNACK_SEEN &&
	       seg->seq - hs->rest[0].seq - 1 < HANDSHAKE_FIRST_FLIGHT;
}

/* A reset of an attempt. A client that received the SYN+ACK is real. */
TAP_INLINE enum tap_counter handshake_reset(const struct tap_work *work, struct tap_handshake *hs)
{
	bool real = hs->state & HANDSHAKE_REPORTED ||
		    (half_open_from_client(hs, work) && half_open_is_proven_by(hs, &work->seg));
	bool ends = handshake_is_reset_by(work, hs);
	enum tap_counter result = TAP_CNT_EVENT;

	if (!real && !half_open_allows(work->seg.ts_ns, hs->state & HANDSHAKE_SYNACK_SEEN
								? HALF_OPEN_RATE_ANSWERED
								: HALF_OPEN_RATE)) {
		if (!ends)
			return TAP_CNT_SKIPPED;
		half_open_count_evicted(hs);
		result = TAP_CNT_SKIPPED;
	} else {
		result = handshake_emit();
	}
	if (ends)
		half_open_remove();
	return result;
}

/* Forward a packet whose connection may not be real, within the rate limit. */
TAP_INLINE enum tap_counter handshake_emit_limited(const struct tap_work *work)
{
	return half_open_allows(work->seg.ts_ns, HALF_OPEN_RATE) ? handshake_emit()
								 : TAP_CNT_SKIPPED;
}

/* An ACK, payload or a FIN of a stored handshake. */
TAP_INLINE enum tap_counter handshake_continue(void *ctx, enum tap_hook hook,
					       const struct tap_work *work,
					       struct tap_handshake *hs)
{
	bool server = !half_open_from_client(hs, work), fin = work->seg.flags & SEG_FIN, known;
	bool payload = work->seg.len > 0;
	enum tap_counter result;

	/* The server may acknowledge the client's payload, or challenge for an old connection. */
	if (!(hs->state & (HANDSHAKE_PROVEN | HANDSHAKE_REPORTED)) &&
	    (server ? !payload && !fin : !half_open_is_proven_by(hs, &work->seg)))
		return handshake_emit_limited(work);
	hs->state |= HANDSHAKE_PROVEN;
	known = hs->state & HANDSHAKE_SYN_SEEN && hs->state & HANDSHAKE_SYNACK_SEEN && !server &&
		work->seg.seq == hs->syn.seq + 1;
	server |= !(hs->state & HANDSHAKE_SYNACK_SEEN) && tap_port(work->seg.sport);
	payload &= !fin && (server || hs->state & HANDSHAKE_SYNACK_SEEN);
	result = handshake_emit();
	if (payload && !handshake_follow(ctx, hook, work, server, known) && result == TAP_CNT_EVENT)
		result = TAP_CNT_FLOW_MISS;
	if (payload || fin)
		half_open_remove();
	return result;
}

/*
 * A watched port, but no flow yet. The flow is followed from its first payload on, provided its
 * handshake was seen or the server is the sender. Forged packets cannot satisfy either.
 */
TAP_INLINE enum tap_counter handshake_packet(void *ctx, enum tap_hook hook,
					     const struct tap_work *work)
{
	struct tap_handshake *hs = half_open_lookup();
	__u8 flags = work->seg.flags;

	if (flags & SEG_SYN && !work->seg.len) {
		if (hs &&
		    (half_open_from_client(hs, work) ||
		     (hs->state & HANDSHAKE_SYN_SEEN && !half_open_is_answered_by(hs, &work->seg))))
			return handshake_emit_limited(work);
		return handshake_synack(work, hs);
	}
	if (hs && flags & SEG_RST)
		return handshake_reset(work, hs);
	if (hs)
		return handshake_continue(ctx, hook, work, hs);
	if (work->seg.len && !(flags & (SEG_FIN | SEG_RST)) && tap_port(work->seg.sport) &&
	    !handshake_follow(ctx, hook, work, true, false))
		return TAP_CNT_FLOW_MISS;
	return TAP_CNT_EVENT;
}

#endif
