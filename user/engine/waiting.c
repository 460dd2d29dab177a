// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * waiting.c - logins' waits that the source may check, and what it finds: see engine.h. The lists
 * of connections are sorted by last packet, so those that have waited longest come first.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "engine/dependency/witness.h"
#include "engine/login/login.h"
#include "engine/pending.h"

#define LOOKS_MOST 4096 /* connections of a list per call: a flood makes no more work than that */

/* The side whose socket to check: the one that is waited for, once TCP's handshake is over. */
static enum side waits_on(const struct flow *f)
{
	const struct login *l = f->login;

	if (!pending_is_in_progress(f) || (!l->tcp.ack_ns && !login_joined(l)))
		return SIDE_NONE;
	return l->owes == SIDE_SERVER ? SIDE_SERVER : SIDE_CLIENT;
}

/* Ask for what is due of one connection; returns when it is due again. */
static uint64_t look(struct engine *e, struct flow *f, uint64_t now_ns, engine_wait_fn *fn,
		     void *ctx)
{
	enum side side = flow_tunnel(&e->flows, f) ? SIDE_NONE : waits_on(f);
	uint64_t since_ns, due_ns;
	struct engine_wait wait;

	if (side == SIDE_NONE)
		return NO_NS;
	since_ns = pending_since(f);
	if (!witness_is_wanted(f->login->witness, side, since_ns, &due_ns))
		return NO_NS;
	if (due_ns > now_ns)
		return due_ns;
	wait = (struct engine_wait){.key = flow_key(&e->flows, f),
				    .end = side == SIDE_CLIENT ? f->client : !f->client,
				    .side = side,
				    .since_ns = since_ns,
				    .ifindex = f->half[side].ifindex};
	fn(ctx, &wait);
	if (!witness_is_wanted(f->login->witness, side, since_ns, &due_ns))
		return NO_NS;
	return due_ns > now_ns ? due_ns : now_ns + WITNESS_FIRST_NS;
}

uint64_t engine_waiting(struct engine *e, uint64_t now_ns, engine_wait_fn *fn, void *ctx)
{
	static const enum flow_list lists[] = {FLOW_LOGIN, FLOW_HALF};
	uint64_t next_ns = NO_NS;

	for (int i = 0; i < 2; i++) {
		struct flow *f = flow_oldest(&e->flows, lists[i]);

		for (int n = 0; f && n < LOOKS_MOST; n++, f = flow_next(&e->flows, f)) {
			uint64_t due_ns = f->last_ns + WITNESS_FIRST_NS;

			if (due_ns <= now_ns)
				due_ns = look(e, f, now_ns, fn, ctx);
			if (due_ns < next_ns)
				next_ns = due_ns;
			if (f->last_ns + WITNESS_FIRST_NS > now_ns)
				break; /* the following ones sent later */
		}
	}
	return next_ns;
}

static struct flow *flow_of(struct engine *e, const struct flow_key *key, uint8_t end)
{
	struct seg seg = {.sport = key->port[end], .dport = key->port[!end], .tunnel = key->tunnel};

	memcpy(seg.saddr, key->addr[end], sizeof(seg.saddr));
	memcpy(seg.daddr, key->addr[!end], sizeof(seg.daddr));
	return flow_find(&e->flows, &seg, flow_sender(&seg));
}

/*
 * Did the socket receive the bytes with which the wait began, and none after them? As far as the
 * sample says.
 */
static bool is_of_wait(const struct flow *f, enum side side, const struct witness_sample *s)
{
	const struct half *peer = &f->half[side_other(side)];

	if (s->has_received) /* it counts a FIN, as next does */
		return peer->known && s->received == peer->next;
	if (s->has_received_bytes && peer->has_isn)
		return s->received_bytes == peer->bytes + peer->fin_done;
	return true;
}

void engine_witness(struct engine *e, const struct witness_sample *sample)
{
	struct flow *f = flow_of(e, &sample->key, sample->end);
	enum side side = f && sample->end == f->client ? SIDE_CLIENT : SIDE_SERVER;
	struct witness_sample known = *sample;

	if (!f || !f->login || waits_on(f) != side)
		return;
	if (!f->login->witness && !(f->login->witness = witness_new()))
		return;
	if (!is_of_wait(f, side, &known))
		known.has_unread = false;
	witness_note(f->login->witness, side, pending_since(f), &known);
}
