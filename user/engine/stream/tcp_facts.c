/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* tcp_facts.c - see tcp_facts.h. */
#include "engine/stream/tcp_facts.h"

/*
 * The client's first segment after SYN+ACK completes the handshake. If it has data instead of being
 * a bare ACK, the ACK may have been sent and lost to us, or overtaken. The client's IP id shows
 * which, for it counts its packets (RFC 6864 permits hosts not to count; then nothing can be said).
 */
bool tcp_facts_lack_ack(const struct tcp_facts *t, const struct seg *seg)
{
	uint16_t between = (uint16_t)(seg->ip_id - t->syn_ip_id);

	return !t->ack_ns && t->syn_ns && tcp_has_more(seg) && t->syn_ip_id && seg->ip_id &&
	       between >= 2 && between < 16;
}

void tcp_facts_heard(struct tcp_facts *t, enum side from, const struct seg *seg)
{
	t->server_heard |= from == SIDE_SERVER;
	if (from == SIDE_SERVER || !(seg->flags & SEG_SYN))
		t->refused_ns = 0;
}

void tcp_facts_refused(struct tcp_facts *t, uint64_t ts_ns)
{
	t->refused_ns = ts_ns;
	t->refusals++;
}

static void facts_syn(struct tcp_facts *t, const struct seg *seg)
{
	t->refused_ns = 0;
	t->syns++;
	if (!t->syn_ns || seg->ts_ns < t->syn_ns)
		t->syn_ns = seg->ts_ns;
	if (!t->synack_ns || seg->ts_ns <= t->synack_ns)
		t->last_syn_ns = seg->ts_ns;
	t->syn_ip_id = seg->ip_id;
	t->mss[SIDE_CLIENT] = seg->mss;
}

bool tcp_facts_segment(struct tcp_facts *t, enum side from, const struct seg *seg, uint64_t ts_ns)
{
	if (seg->flags & SEG_SYN) {
		if (!(seg->flags & SEG_ACK)) {
			if (from == SIDE_CLIENT) /* else a simultaneous open */
				facts_syn(t, seg);
			return false;
		}
		if (!t->synack_ns)
			t->synack_ns = seg->ts_ns;
		if (from == SIDE_SERVER)
			t->mss[SIDE_SERVER] = seg->mss;
		if (!t->ack_ns)
			t->last_synack_ns = seg->ts_ns;
		return false;
	}
	if (!seg->window)
		t->zero_windows[from]++;
	if (from != SIDE_CLIENT || !(seg->flags & SEG_ACK) || t->ack_ns ||
	    !(t->syn_ns || t->synack_ns))
		return false;
	t->lacks_ack = tcp_facts_lack_ack(t, seg);
	t->ack_ns = ts_ns;
	return true;
}
