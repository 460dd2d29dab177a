/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* silence.c - see silence.h. Such a flow is on the list of sessions, which wait as long. */
#include "engine/conn_login.h"
#include "engine/silence.h"
#include "engine/stream/seq.h"

/* TCP repeats a SYN 127 s after the first one at the latest (Linux; Windows 21 s): tcp(7), tcp_syn_retries. */
#define SYN_MOST_NS (180 * NS_PER_S)

#define SHARE 4 /* at most a 4th of the table waits: each sweep visits these flows */

bool silence_keeps(struct engine *e, struct flow *f)
{
	struct login *l = f->login;

	if (!e->config.keep_silent || l->lossy || l->clock_stepped || l->state == LOGIN_DECIDED ||
	    e->flows.listed[FLOW_SESSION] >= e->config.max_flows / SHARE)
		return false;
	l->silent = true;
	flow_touch(&e->flows, f, FLOW_SESSION);
	return true;
}

/* Tell the login of bytes before this segment, of either side, that were not seen. */
static void note_loss(struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];
	int32_t own = h->known ? tcp_seq_diff(seg->seq, h->next) : 0;
	int32_t others = peer->known ? tcp_seq_diff(seg->ack, peer->next) : 0;

	if (!(seg->flags & SEG_SYN) && own > 0)
		login_gap(f, from, (uint32_t)own, true);
	if (!(seg->flags & SEG_ACK))
		return;
	/* A side that acknowledges has heard its peer; the answer to a SYN may be a refusal. */
	if (others > 0 || (!peer->known && !(seg->flags & SEG_RST)))
		login_gap(f, side_other(from), (uint32_t)others, true);
}

uint64_t silence_over_ns(const struct engine *e, const struct flow *f, uint64_t now_ns)
{
	uint64_t over_ns = f->last_ns + e->config.give_up_ns;

	return over_ns < now_ns ? over_ns : now_ns;
}

void silence_was_none(struct engine *e, struct flow *f)
{
	if (!f->login || !f->login->silent)
		return;
	f->login->silent = false;
	flow_touch(&e->flows, f, f->login->tcp.ack_ns ? FLOW_LOGIN : FLOW_HALF);
}

bool silence_is_wrong(const struct engine *e, const struct flow *f, enum side from,
		      const struct seg *seg)
{
	const struct half *client = &f->half[SIDE_CLIENT];

	return f->login && f->login->silent && from == SIDE_SERVER &&
	       (seg->flags & (SEG_SYN | SEG_ACK)) == (SEG_SYN | SEG_ACK) && client->known &&
	       seg->ack == client->next && f->login->tcp.syns == 1 && !f->login->tcp.synack_ns &&
	       e->now_ns > f->last_ns + SYN_MOST_NS;
}

void silence_ends(struct engine *e, struct flow *f, enum side from, const struct seg *seg)
{
	if (!f->login || !f->login->silent)
		return;
	f->login->silent = false;
	note_loss(f, from, seg);
	login_give_up(f, silence_over_ns(e, f, e->now_ns), CLOSE_IDLE);
	conn_login_report(e, f);
}
