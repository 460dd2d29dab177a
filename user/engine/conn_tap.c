/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* conn_tap.c - see conn_tap.h. */
#include "engine/conn_tap.h"
#include "latency_histogram.h"
#include "lib/off_path.h"

/*
 * The level to hand over after a login: all for a session that is decrypted, or in clear if the
 * text of requests is wanted; else only heads.
 */
enum tap_level conn_session_level(const struct engine *e, const struct flow *f)
{
	return (e->config.sql && !f->hidden) || decrypt_reads(conn_decrypt(e, f)) ? TAP_FULL
										  : TAP_HEADS;
}

OFF_PATH static void conn_tell_tap(struct engine *e, const struct flow *f, enum tap_level level)
{
	struct flow_key key = flow_key(&e->flows, f);

	e->ops.tap(e->ctx, &key, f->client, level);
}

void conn_set_level(struct engine *e, const struct flow *f, enum tap_level level)
{
	if (e->ops.tap)
		conn_tell_tap(e, f, level);
}

void conn_over(struct engine *e, const struct flow *f)
{
	if (f->handed_payload) /* else the kernel does not follow it */
		conn_set_level(e, f, TAP_OVER);
}

void conn_tap_again(struct engine *e, const struct flow *f)
{
	conn_set_level(e, f,
		       f->login_outcome == OUTCOME_NOT_TDS ? TAP_CLOSE : conn_session_level(e, f));
}

void conn_counts(struct flow *f, const struct tap_counts *counts)
{
	_Static_assert(LATENCY_ATTENTION == (int)COMMAND_ATTENTION, "one order of kinds");
	for (int i = 0; i <= COMMAND_ATTENTION; i++)
		f->commands[i] += counts->commands[i];
	f->resets += counts->resets;
	f->unproven = FLOW_PROVEN; /* the kernel follows only sessions whose login it saw */
	if (!f->mars)
		f->awaiting = counts->awaiting;
}

/*
 * Ask for the payload that the kernel saw sent again and never acknowledged, at the level where it
 * forwards heads.
 */
static void conn_ask_unacked(struct flow *f, enum side side, const struct tap_state *state, int i)
{
	struct reorder *r;

	if (!state->resent[i] || !state->has_acked[i])
		return;
	r = tcp_reorder(f);
	if (!r)
		return;
	f->half[side].acked = state->acked[i];
	f->half[side].has_acked = true;
	r->resent[side] = (struct resent){
		.since_ns = state->resent_ns,
		.times = 1u + state->resent[i],
		.end = f->half[side].next,
	};
}

void conn_ask(struct engine *e, struct flow *f)
{
	struct flow_key key = flow_key(&e->flows, f);
	struct tap_state state;
	struct half *h;

	if (f->close_emitted || !e->ops.state || !e->ops.state(e->ctx, &key, &state))
		return;
	conn_counts(f, &state.counts);
	for (int i = 0; i < 2; i++) {
		h = &f->half[i == f->client ? SIDE_CLIENT : SIDE_SERVER];
		if (state.seen[i] && h->known && (int32_t)(state.end[i] - h->next) > 0) {
			h->bytes += state.end[i] - h->next;
			h->next = state.end[i];
		}
		conn_ask_unacked(f, i == f->client ? SIDE_CLIENT : SIDE_SERVER, &state, i);
	}
}
