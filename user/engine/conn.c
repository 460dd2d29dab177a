/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn.c - see conn.h.
 */
#include <string.h>

#include "engine/conn.h"
#include "engine/conn_frames.h"
#include "engine/conn_login.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/emit.h"
#include "engine/late_keys.h"
#include "engine/login/steps.h"
#include "engine/session/session.h"
#include "engine/silence.h"
#include "engine/stream/doubt.h"
#include "engine/stream/repeats.h"

#define LATE_NS (2 * NS_PER_S) /* how long to wait for a late answer */

/* The connection is not decrypted any more, or never will be. */
static void conn_forget_decrypt(struct engine *e, const struct flow *f)
{
	struct decrypt *d = conn_decrypt(e, f);

	if (d && !f->login && !decrypt_reads(d))
		decryption_end(e->decryption, flow_place(&e->flows, f));
}

/* The close was reported, or is about to be: nothing after a reset counts. */
static bool conn_is_over(const struct flow *f)
{
	return f->close_emitted || flow_is_reset(f);
}

/* Note the first bytes of a side, after a proxy's header; they show what it is if it is not TDS. */
static void conn_note_beginning(struct login *l, enum side from, const uint8_t *data, uint32_t len)
{
	struct beginning *b = &l->beginning[from];
	uint32_t room = (uint32_t)sizeof(b->bytes) - b->len, n = len < room ? len : room;

	memcpy(b->bytes + b->len, data, n);
	b->len += (uint8_t)n;
}

static inline void conn_feed(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	struct login *l = c->f->login;

	if (l && len && l->beginning[c->from].len < sizeof(l->beginning[0].bytes))
		conn_note_beginning(l, c->from, data, len);
	conn_frames(c, data, len, ts_ns);
}

/* Skip a proxy's header. Returns how many of these bytes are consumed. */
static uint32_t conn_feed_proxy(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	struct login *l = c->f->login;
	struct proxy held;
	uint32_t used;

	if (!l || c->from != SIDE_CLIENT || c->f->mid_stream || l->proxy.state == PROXY_OVER)
		return 0;
	used = proxy_feed(&l->proxy, data, len);
	if (l->proxy.state != PROXY_OVER || l->proxy.seen) {
		/* So far the client itself has sent nothing. */
		if (used == len)
			l->tcp.payload_ns[SIDE_CLIENT] = 0;
		return used;
	}
	if (!l->proxy.have)
		return used;
	held = l->proxy; /* not a proxy's header: the bytes held back are the client's */
	conn_feed(c, held.held, held.have, ts_ns);
	return used;
}

/*
 * The client leaves, or has left, and what it sent only began like a proxy's header: the bytes are
 * its own.
 */
static void conn_feed_held(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct conn c = {e, f, SIDE_CLIENT, false};
	struct proxy held;

	if (!f->login || f->login->proxy.state != PROXY_HEADER)
		return;
	held = f->login->proxy;
	f->login->proxy.state = PROXY_OVER;
	f->login->tcp.payload_ns[SIDE_CLIENT] = f->half[SIDE_CLIENT].last_ns;
	conn_feed(&c, held.held, held.have, ts_ns);
}

static void conn_data(void *ctx, struct flow *f, enum side from, const uint8_t *data, uint32_t len,
		      uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};
	uint32_t used;

	if (conn_is_over(f))
		return;
	used = conn_feed_proxy(&c, data, len, ts_ns);
	conn_feed(&c, data + used, len - used, ts_ns);
	if (f->tentative)
		conn_recognise(e, f);
	conn_login_settle(e, f);
	conn_forget_decrypt(e, f);
}

static void conn_gap(void *ctx, struct flow *f, enum side from, uint32_t len, enum gap_kind kind,
		     uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};

	if (conn_is_over(f))
		return;
	if (f->login) {
		login_gap(f, from, len, kind == GAP_MISSING);
	} else if (kind == GAP_MISSING) {
		session_lossy(f);
		if (from == SIDE_SERVER)
			f->awaiting = false; /* as far as known */
	}
	conn_frames(&c, NULL, len, ts_ns);
	conn_login_settle(e, f);
}

static void conn_skip(void *ctx, struct flow *f, enum side from, uint32_t len, bool to_head,
		      uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};
	uint32_t left = f->half[from].framer.left;

	if (conn_is_over(f))
		return;
	if (f->login && len)
		login_gap(f, from, len, false);
	if (!f->login && len)
		session_kept(&e->sessions, f);
	if (!f->login && len > left)
		session_skip(&e->sessions, f, from, len - left);
	if (len > left && conn_decrypt(e, f))
		decrypt_lost(conn_decrypt(e, f), from);
	conn_frames_skip(&c, len, to_head, ts_ns);
	conn_login_settle(e, f);
}

void conn_clock_stepped(struct flow *f, uint64_t now_ns)
{
	f->clock_stepped = true;
	if (f->last_ns > now_ns)
		f->last_ns = now_ns;
	for (int i = 0; i < 2; i++) {
		if (f->half[i].last_ns > now_ns)
			f->half[i].last_ns = now_ns;
	}
	if (f->login)
		f->login->clock_stepped = true;
	else
		session_lossy(f);
}

static void conn_note_close(struct flow *f, enum side from, enum close_how how)
{
	if (f->close_by != SIDE_NONE)
		return;
	f->close_unsure = how == CLOSE_FIN && f->gap_last & 1 << side_other(from);
	f->close_by = (uint8_t)from;
	f->close_how = (uint8_t)how;
}

static void conn_fin(void *ctx, struct flow *f, enum side from, uint64_t ts_ns)
{
	struct engine *e = ctx;

	if (conn_is_over(f))
		return;
	conn_feed_held(e, f, ts_ns);
	conn_note_close(f, from, CLOSE_FIN);
	/* Close in four steps, the client's FIN first. */
	if (from == SIDE_SERVER && f->close_by == SIDE_CLIENT && f->close_how == CLOSE_FIN &&
	    !f->close_unsure)
		f->graceful = true;
	if (f->login && conn_left_blind(f)) {
		conn_login_forget(f);
	} else if (f->login) {
		login_closed(f, from, CLOSE_FIN, ts_ns);
		conn_login_left(e, f);
		conn_login_settle(e, f);
	}
}

/* Does a reset come from another distance than the side's other segments? */
static bool conn_is_elsewhere(const struct flow *f, enum side from, uint8_t ttl)
{
	uint8_t usual = f->half[SIDE_CLIENT].ttl[from];

	return usual && !f->half[from].ttl_varies && flow_hops(ttl) != flow_hops(usual);
}

static void conn_rst(void *ctx, struct flow *f, enum side from, const struct seg *seg,
		     uint64_t ts_ns)
{
	struct engine *e = ctx;
	bool elsewhere;

	conn_feed_held(e, f, ts_ns);
	/*
	 * Nobody listens so far. Windows sends the same SYN twice more, half a second after each
	 * such answer. All of them are one login.
	 */
	if (f->login && login_refused(f->login, from)) {
		tcp_facts_refused(f->tcp, ts_ns);
		f->half[from].reset = false;
		return;
	}
	/* After the client's own FIN and the last answer, drivers end a connection with a reset. */
	if (f->close_by == SIDE_CLIENT && f->close_how == CLOSE_FIN && from == SIDE_CLIENT &&
	    !f->awaiting)
		f->graceful = true;
	if (f->awaiting && !f->login) /* was its request ever acknowledged? */
		conn_ask(e, f);
	f->half[from].ip_id = seg->ttl;
	elsewhere = f->close_by == SIDE_NONE && conn_is_elsewhere(f, from, seg->ttl);
	if (!elsewhere)
		memset(f->half[SIDE_CLIENT].ttl, 0, sizeof(f->half[SIDE_CLIENT].ttl));
	conn_note_close(f, from, CLOSE_RST);
	if (f->login && conn_left_blind(f)) {
		conn_login_forget(f);
	} else if (f->login) {
		f->login->ttl_differs = elsewhere;
		login_closed(f, from, CLOSE_RST, ts_ns);
		conn_login_left(e, f);
	}
}

static void conn_established(void *ctx, struct flow *f, const struct seg *seg, uint64_t ts_ns)
{
	(void)ctx;
	login_established(f->login, seg, ts_ns);
}

const struct stream_ops conn_stream = {conn_data, conn_gap, conn_skip,
				       conn_fin,  conn_rst, conn_established};

void conn_settle(struct engine *e, struct flow *f)
{
	if (flow_is_reset(f))
		conn_close(e, f, CLOSE_RST, e->now_ns);
}

/*
 * The server sent this login's client on. Does the close wait for the client to follow? The login's
 * record says whether it did.
 */
static bool conn_awaits_follower(const struct engine *e, const struct flow *f, enum close_how how)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	const struct history_redirect *r;

	if (!f->has_login || f->login_outcome != OUTCOME_REDIRECTED ||
	    (how != CLOSE_FIN && how != CLOSE_RST))
		return false;
	r = history_redirect(&e->history, &client, &server);
	return r && !r->followed_ns && e->now_ns < r->at_ns + REDIRECT_NS;
}

void conn_close(struct engine *e, struct flow *f, enum close_how how, uint64_t now_ns)
{
	bool seen;

	if (f->close_emitted)
		return;
	if (how != CLOSE_RST && doubt_reset_holds(f, true))
		tcp_reset(&e->reassembly, f);
	else
		tcp_flush(&e->reassembly, f);
	if (conn_awaits_follower(e, f, how) || ((how == CLOSE_FIN || how == CLOSE_RST) &&
						(conn_awaits_next(e, f) || logwait_holds(e, f))))
		return;
	if (flow_is_reset(f)) /* the reset may have just come to light */
		how = CLOSE_RST;
	conn_feed_held(e, f, now_ns);
	if (f->login && f->login->tcp.refused_ns) {
		conn_note_close(f, SIDE_SERVER, CLOSE_RST);
		how = CLOSE_RST;
	}
	if (f->close_by == SIDE_NONE) /* the event that was to end it may have just been
				       * dismissed */
		f->close_how = how == CLOSE_RST || how == CLOSE_FIN ? CLOSE_OPEN : (uint8_t)how;
	if (f->close_by != SIDE_NONE && f->close_how == CLOSE_FIN &&
	    flow_is_unseen(f, side_other((enum side)f->close_by)))
		f->close_unsure = true;
	flow_touch(&e->flows, f, FLOW_CLOSED);
	seen = f->handed_payload || f->half[0].has_isn || f->half[1].has_isn ||
	       f->half[0].probes >= KEEPALIVE_LEAST || f->half[1].probes >= KEEPALIVE_LEAST;
	e->stats.one_sided +=
		seen && (flow_is_unseen(f, SIDE_CLIENT) || flow_is_unseen(f, SIDE_SERVER));
	if (f->login && conn_left_blind(f))
		conn_login_forget(f);
	if (f->login) {
		if (f->login->silent)
			login_give_up(f, silence_over_ns(e, f, now_ns), CLOSE_IDLE);
		else
			login_give_up(f, now_ns, how);
		conn_login_report(e, f);
	}
	f->close_emitted = true;
	if (how == CLOSE_FIN || how == CLOSE_RST)
		conn_over(e, f);
	conn_frames_disown(e, f);
	if ((seen || f->has_login) && !f->tentative) {
		session_close(&e->sessions, f);
		close_emit(e, f, f->unproven == FLOW_PROVEN);
	}
	session_free(&e->sessions, f);
}

void conn_waited(struct engine *e, struct flow *f)
{
	conn_login_settle(e, f);
	if (flow_is_reset(f))
		conn_close(e, f, CLOSE_RST, e->now_ns);
	else if (f->half[0].fin_done && f->half[1].fin_done)
		conn_close(e, f, CLOSE_FIN, e->now_ns);
}

void conn_remove(struct engine *e, struct flow *f)
{
	tcp_release(&e->reassembly, f);
	late_keys_drop(e, f);
	decryption_end(e->decryption, flow_place(&e->flows, f));
	conn_login_free(f->login);
	session_free(&e->sessions, f);
	flow_remove(&e->flows, f);
}

void conn_idle(struct engine *e, struct flow *f, uint64_t now_ns)
{
	uint64_t idle_ns = now_ns > f->last_ns ? now_ns - f->last_ns : 0;
	struct login *l = f->login;

	if (!l)
		return;
	if (doubt_reset_holds(f, idle_ns >= e->config.give_up_ns)) {
		tcp_reset(&e->reassembly, f);
		conn_settle(e, f);
		return;
	}
	if (l->tcp.refused_ns) { /* it did not try again */
		conn_close(e, f, CLOSE_RST, now_ns);
		return;
	}
	if (conn_awaits_next(e, f))
		return;
	if (l->state == LOGIN_DECIDED && idle_ns >= LATE_NS) {
		conn_login_report(e, f);
		return;
	}
	if (idle_ns >= LOGIN_IDLE_NS && !l->judged_idle) {
		login_judge_idle(f);
		if (l->state == LOGIN_DECIDED) {
			conn_login_report(e, f);
			return;
		}
	}
	if (idle_ns < e->config.give_up_ns)
		return;
	tcp_flush(&e->reassembly, f);
	conn_settle(e, f);
	if (!f->login)
		return;
	if (conn_joined_blind(f)) {
		conn_login_drop(e, f); /* no statement about it is possible */
		return;
	}
	if (silence_keeps(e, f))
		return;
	/*
	 * The login is given up, but the connection may still be closed, or go on. The time of
	 * giving up is when the login's time was over, however much later the next packet of any
	 * connection came.
	 */
	login_give_up(f, silence_over_ns(e, f, now_ns), CLOSE_IDLE);
	conn_login_report(e, f);
}
