/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn.c - see conn.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/stream/repeats.h"
#include "engine/engine_private.h"
#include "engine/conn.h"
#include "engine/emit.h"
#include "engine/decrypt/decrypt.h"
#include "engine/late_keys.h"
#include "engine/stream/doubt.h"
#include "latency_histogram.h"
#include "engine/login/steps.h"
#include "engine/handover.h"
#include "engine/stream/reassembly.h"
#include "engine/verdict/verdict.h"

#define LATE_NS (2 * NS_PER_S) /* how long to wait for a late answer */

struct conn {
	struct engine *e;
	struct flow *f;
	enum side from;
	bool inside; /* in frames that came in TLS records */
};

static struct decrypt *decrypt_of(const struct engine *e, const struct flow *f)
{
	return decryption_of(e->decryption, flow_place(&e->flows, f));
}

/*
 * The level to hand over after a login: all for a session that is decrypted, or in clear if the
 * text of requests is wanted; else only heads.
 */
static enum tap_level session_level(const struct engine *e, const struct flow *f)
{
	return (e->config.sql && !f->hidden) || decrypt_reads(decrypt_of(e, f)) ? TAP_FULL
										: TAP_HEADS;
}

static void tap(struct engine *e, const struct flow *f, enum tap_level level)
{
	struct flow_key key = flow_key(&e->flows, f);

	if (e->ops.tap)
		e->ops.tap(e->ctx, &key, f->client, level);
}

void conn_over(struct engine *e, const struct flow *f)
{
	if (f->handed_payload) /* else the kernel does not follow it */
		tap(e, f, TAP_OVER);
}

void conn_tap_again(struct engine *e, const struct flow *f)
{
	tap(e, f, f->login_outcome == OUTCOME_NOT_TDS ? TAP_CLOSE : session_level(e, f));
}

/* Does the login still take what comes? After it is decided, only for a late answer. */
static bool login_listens(const struct flow *f)
{
	return f->login && (f->login->state != LOGIN_DECIDED || f->login->awaits_next ||
			    f->login->logwait.waits ||
			    (f->login->closed_by == SIDE_CLIENT && !f->login->not_tds));
}

/* The server may have sent this login's client on: returns what is known of its next connection. */
static const struct answers_left *next_of(const struct engine *e, const struct flow *f)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	return answers_left(&e->answers, &client, &server);
}

static bool awaits_next(const struct engine *e, const struct flow *f)
{
	return f->login && f->login->awaits_next && answers_open(next_of(e, f), e->now_ns);
}

static void login_left(struct engine *e, const struct flow *f)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	const struct answers_left *left = next_of(e, f);
	const struct login *l = f->login;

	if (l->awaits_next && !(left && left->at_ns == l->spoke_ns[SIDE_SERVER]))
		answers_end(&e->answers, &client, &server, l->spoke_ns[SIDE_SERVER],
			    l->outcome == OUTCOME_REFUSED);
}

static void login_next(const struct engine *e, const struct flow *f)
{
	const struct answers_left *left = f->login->awaits_next ? next_of(e, f) : NULL;

	if (left && left->target_ns)
		encrypted_next(f->login, &left->target, left->target_ns - left->at_ns);
}

static void conn_free_login(struct login *l)
{
	if (!l)
		return;
	pending_remove(l);
	logwait_remove(l);
	witness_free(l->witness);
	login_free(l);
}

static void login_forget(struct flow *f)
{
	conn_free_login(f->login);
	f->login = NULL;
	f->phase = PHASE_SESSION;
}

static void login_drop(struct engine *e, struct flow *f)
{
	login_forget(f);
	if (flow_in_login(f)) /* false: it is being closed */
		flow_touch(&e->flows, f, FLOW_SESSION);
	tap(e, f, session_level(e, f));
}

/* Joined in the middle, with nothing framed so far that shows where: assume a login. */
static bool joined_blind(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && !l->tcp.ack_ns && !l->framed[0] && !l->framed[1];
}

/* Joined in the middle, and ended before any frame was recognised: not a login. */
static bool left_blind(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && login_joined(l) && l->state == LOGIN_TCP && !l->strict;
}

/*
 * Joined in the middle: is the first message the beginning of a login, or one of its later steps?
 * If not, the connection had logged in before.
 */
static bool begins_login(const struct framer *frame)
{
	if (frame->kind == FRAME_TDS)
		return frame->header[0] == TDS_PRELOGIN || frame->header[0] == TDS_LOGIN7 ||
		       frame->header[0] == TDS_LOGIN_OLD;
	return frame->kind == FRAME_TLS && frame->header[0] == TLS_HANDSHAKE;
}

/*
 * On any port, a flow's first client payload identifies TDS: a PRELOGIN, or a ClientHello that
 * offers tds/8.0. The engine drops all other flows.
 */
static void recognise(struct engine *e, struct flow *f)
{
	const struct login *l = f->login;

	if (!l)
		return;
	if (l->prelogin[SIDE_CLIENT].version || l->tls.alpn_tds8) {
		f->tentative = false;
		return;
	}
	if (l->not_tds || l->state > LOGIN_TCP || l->framed[0] || l->framed[1]) {
		f->told = true;
		conn_free_login(f->login);
		f->login = NULL;
		flow_touch(&e->flows, f, FLOW_CLOSED);
		tap(e, f, TAP_CLOSE);
	}
}

/*
 * Joined after the login's first message (the client's PRELOGIN or whatever it begins with). That
 * login is not incomplete: nothing is missing of what was there to be seen.
 */
static bool joined_late(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && login_joined(l) && !l->prelogin[SIDE_CLIENT].version &&
	       !l->login7.version && !l->strict;
}

/* The client left after a PRELOGIN response, and its own PRELOGIN was not seen. */
static bool is_unclear_leave(const struct login *l)
{
	return !l->tls.client_hello &&
	       (l->outcome == OUTCOME_PROBE || l->outcome == OUTCOME_ABANDONED);
}

static void login_told(struct engine *e, struct flow *f)
{
	struct login *l = f->login;
	/* If it is not TDS, only its end is of interest. */
	bool not_tds = l->outcome == OUTCOME_NOT_TDS;

	login_next(e, f);
	logwait_join(e, f);
	if (joined_late(f) && (l->outcome == OUTCOME_INCOMPLETE || is_unclear_leave(l))) {
		login_drop(e, f);
		return;
	}
	f->login_outcome = (uint8_t)l->outcome;
	f->half[SIDE_SERVER].spid = l->spid > 0 ? (uint16_t)l->spid : 0;
	f->phase = l->outcome == OUTCOME_OK ? PHASE_SESSION
		   : l->mark_count	    ? l->marks[l->mark_count - 1].phase
					    : PHASE_TCP;
	/* A half-seen connection without a TDS byte is not a login. */
	if (!f->tentative && !(f->mid_stream && !f->handed_payload && !f->half[0].has_isn)) {
		f->has_login = true;
		login_emit(e, f);
	}
	if (l->outcome == OUTCOME_OK)
		handover(&e->sessions, f, l);
	else if (l->outcome == OUTCOME_INCOMPLETE && (l->full || l->strict))
		f->unfollowed = true; /* a session may have followed */
	if (l->decrypt && !(l->outcome == OUTCOME_OK && (l->full || l->strict)))
		decrypt_close(l->decrypt);
	conn_free_login(l);
	f->login = NULL;
	if (flow_in_login(f))
		flow_touch(&e->flows, f, FLOW_SESSION);
	if (f->handed_payload) /* else the kernel does not follow it, and the port may not be a
				* server's */
		tap(e, f, not_tds ? TAP_CLOSE : session_level(e, f));
}

/* Report a login that is decided, unless its client has left and an answer may still come. */
static void login_settle(struct engine *e, struct flow *f)
{
	struct login *l = f->login;

	if (l && joined_late(f) && l->lossy) {
		login_drop(e, f);
		return;
	}
	if (l && l->state == LOGIN_DECIDED && !awaits_next(e, f) &&
	    !(l->outcome != OUTCOME_OK && l->closed_by == SIDE_CLIENT &&
	      l->closed_how == CLOSE_FIN && flow_in_login(f) && !f->half[SIDE_SERVER].fin_done &&
	      l->owes == SIDE_SERVER) &&
	    !logwait_holds(e, f))
		login_told(e, f);
}

/*
 * Bytes of other protocols can look like a request's head. A session that was joined by a request
 * counts once the server responds, or once the heads of two requests have fitted.
 */
enum proof { PROVEN, UNPROVEN, FITS_ONCE };

/* MS-TDS 2.2.3.1.6: a head's last byte, Window, is 0. */
static bool window_is_zero(const struct framer *frame)
{
	return frame->kind != FRAME_TDS || !frame->header[7];
}

/* Joined in the middle of a session: there is no login. */
static void session_join(struct conn *c, const struct framer *frame)
{
	login_drop(c->e, c->f);
	c->f->unproven = frame->kind == FRAME_TDS && c->from == SIDE_CLIENT ? UNPROVEN : PROVEN;
}

static void session_prove(struct flow *f, enum side from, const struct framer *frame)
{
	if (f->unproven == PROVEN)
		return;
	if (from == SIDE_SERVER)
		f->unproven = window_is_zero(frame) ? PROVEN : f->unproven;
	else if (!window_is_zero(frame))
		f->unproven = UNPROVEN;
	else
		f->unproven = f->unproven == FITS_ONCE ? PROVEN : FITS_ONCE;
}

/* The session was never proven to be TDS: report nothing of its commands. */
static void session_disown(struct engine *e, struct flow *f)
{
	if (f->unproven == PROVEN)
		return;
	memset(f->commands, 0, sizeof(f->commands));
	f->resets = 0;
	f->awaiting = false;
	session_free(&e->sessions, f);
}

/*
 * Joined by a server's message. A PRELOGIN response has the same type as all other responses, and
 * begins with option 0, VERSION (MS-TDS 2.2.6.5), which is not a token of a response.
 */
static bool is_blind_answer(const struct conn *c, const struct framer *frame)
{
	return c->from == SIDE_SERVER && frame->kind == FRAME_TDS && frame->header[0] == TDS_RESULT;
}

static void blind_answer(struct conn *c, const struct framer *frame, bool prelogin, uint64_t ts_ns)
{
	c->f->blind_answer = false;
	if (prelogin && c->f->login) {
		login_head(c->f, c->from, frame, ts_ns);
		return;
	}
	if (c->f->login)
		session_join(c, frame);
	session_head(&c->e->sessions, c->f, c->from, frame, ts_ns);
}

/*
 * A TLS record after the login. If it is decrypted, the frames inside count, and the record does
 * not. False: it is not decrypted, or is not a TLS record.
 */
static bool read_head(const struct conn *c, const struct framer *frame)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? decrypt_of(c->e, c->f) : NULL;

	if (d)
		decrypt_head(d, c->from, frame->header);
	return decrypt_reads(d);
}

static bool read_body(const struct conn *c, const struct framer *frame, const uint8_t *data,
		      uint32_t len, uint64_t ts_ns)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? decrypt_of(c->e, c->f) : NULL;

	if (d)
		decrypt_body(d, c->from, data, len, ts_ns);
	return decrypt_reads(d);
}

static bool read_end(const struct conn *c, const struct framer *frame, uint64_t ts_ns)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? decrypt_of(c->e, c->f) : NULL;

	if (d)
		decrypt_end(d, c->from, ts_ns);
	return decrypt_reads(d);
}

static void head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct conn *c = ctx;
	struct login *l = c->f->login;

	if (l && joined_blind(c->f) && l->state == LOGIN_TCP && !begins_login(frame)) {
		c->f->blind_answer = is_blind_answer(c, frame);
		if (c->f->blind_answer)
			return;
		session_join(c, frame);
	}
	if (!c->f->login)
		session_prove(c->f, c->from, frame);
	if (login_listens(c->f) && !login_proven_by(l, c->from, frame)) {
		login_head(c->f, c->from, frame, ts_ns);
		return;
	}
	/* Earlier bytes of the same segment decided it: report that before what follows. */
	if (c->f->tentative)
		recognise(c->e, c->f);
	login_settle(c->e, c->f);
	if (!read_head(c, frame))
		session_head(&c->e->sessions, c->f, c->from, frame, ts_ns);
}

static void inside(struct conn *c);

static void body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	struct conn *c = ctx;

	if (c->f->blind_answer && c->from == SIDE_SERVER && len)
		blind_answer(c, frame, data && !data[0], ts_ns);
	if (login_listens(c->f))
		login_body(c->f, c->from, frame, data, len, ts_ns);
	else if (!read_body(c, frame, data, len, ts_ns))
		session_body(&c->e->sessions, c->f, c->from, frame, data, len, ts_ns);
	inside(c);
}

static void end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct conn *c = ctx;

	if (c->f->blind_answer && c->from == SIDE_SERVER)
		blind_answer(c, frame, false, ts_ns);
	if (login_listens(c->f))
		login_end(c->f, c->from, frame, ts_ns);
	else if (!read_end(c, frame, ts_ns))
		session_end(&c->e->sessions, c->f, c->from, frame, ts_ns);
	inside(c);
}

static void lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	struct conn *c = ctx;
	struct login *l = c->f->login;

	(void)data, (void)len;
	if (!l || l->framed[c->from])
		c->e->stats.lost_sync++;
	c->f->blind_answer = false;
	if (!l) {
		if (decrypt_of(c->e, c->f))
			decrypt_lost(decrypt_of(c->e, c->f), c->from);
		session_disown(c->e, c->f);
		session_lossy(c->f);
		return;
	}
	if (l->decrypt)
		decrypt_lost(l->decrypt, c->from);
	if (!l->framed[c->from])
		l->beginning[c->from].lost_at = frame->have;
	if (joined_blind(c->f))
		login_drop(c->e, c->f);
	else
		login_lost(c->f, c->from, ts_ns);
}

static const struct frame_ops conn_ops = {head, body, end, lost};

/* ---- frames that stood in TLS records ---- */

static void inside_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	const struct conn *c = ctx;

	if (frame->kind == FRAME_TLS) /* nobody nests TLS */
		decrypt_refuse(decrypt_of(c->e, c->f));
	else
		head(ctx, frame, ts_ns);
}

static void inside_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
			uint64_t ts_ns)
{
	if (frame->kind != FRAME_TLS)
		body(ctx, frame, data, len, ts_ns);
}

static void inside_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	if (frame->kind != FRAME_TLS)
		end(ctx, frame, ts_ns);
}

static void inside_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
			uint64_t ts_ns)
{
	const struct conn *c = ctx;

	(void)frame, (void)data, (void)len, (void)ts_ns;
	c->e->stats.lost_sync++;
	decrypt_refuse(decrypt_of(c->e, c->f));
	if (!c->f->login)
		session_lossy(c->f);
}

static const struct frame_ops inside_ops = {inside_head, inside_body, inside_end, inside_lost};

static void mark_inside(const struct conn *c, bool is)
{
	if (c->f->login)
		c->f->login->inside = is;
}

/* Read the bytes that were decrypted so far of the side that sends. */
static void inside(struct conn *c)
{
	struct decrypt *d = c->inside ? NULL : decrypt_of(c->e, c->f);
	struct plain p;

	if (!d)
		return;
	c->inside = true;
	while (decrypt_next(d, c->from, &p)) {
		struct framer *framer = decrypt_framer(d, c->from);

		mark_inside(c, true);
		if (!p.data)
			frame_skip(framer, &inside_ops, c, p.len, false, p.ts_ns);
		else if (framer->kind != FRAME_LOST || p.begins) /* a frame begins a record */
			frame_feed(framer, &inside_ops, c, p.data, p.len, p.ts_ns);
		mark_inside(c, false);
	}
	c->inside = false;
}

/* The connection is not decrypted any more, or never will be. */
static void forget_decrypt(struct engine *e, const struct flow *f)
{
	struct decrypt *d = decrypt_of(e, f);

	if (d && !f->login && !decrypt_reads(d))
		decryption_end(e->decryption, flow_place(&e->flows, f));
}

/* The close was reported, or is about to be: nothing after a reset counts. */
static bool is_over(const struct flow *f)
{
	return f->told || flow_is_reset(f);
}

/* Note the first bytes of a side, after a proxy's header; they show what it is if it is not TDS. */
static void note_beginning(struct login *l, enum side from, const uint8_t *data, uint32_t len)
{
	struct beginning *b = &l->beginning[from];

	for (uint32_t i = 0; i < len && b->len < sizeof(b->bytes); i++)
		b->bytes[b->len++] = data[i];
}

static void feed(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	if (c->f->login && len)
		note_beginning(c->f->login, c->from, data, len);
	frame_feed(&c->f->half[c->from].framer, &conn_ops, c, data, len, ts_ns);
}

/* Skip a proxy's header. Returns how many of these bytes are consumed. */
static uint32_t feed_proxy(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns)
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
	held = l->proxy; /* not a proxy's header: the bytes held back are the client's */
	feed(c, held.held, held.have, ts_ns);
	return used;
}

/*
 * The client leaves, or has left, and what it sent only began like a proxy's header: the bytes are
 * its own.
 */
static void feed_held(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct conn c = {e, f, SIDE_CLIENT, false};
	struct proxy held;

	if (!f->login || f->login->proxy.state != PROXY_HEADER)
		return;
	held = f->login->proxy;
	f->login->proxy.state = PROXY_OVER;
	f->login->tcp.payload_ns[SIDE_CLIENT] = f->half[SIDE_CLIENT].last_ns;
	feed(&c, held.held, held.have, ts_ns);
}

static void conn_data(void *ctx, struct flow *f, enum side from, const uint8_t *data, uint32_t len,
		      uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};
	uint32_t used;

	if (is_over(f))
		return;
	used = feed_proxy(&c, data, len, ts_ns);
	feed(&c, data + used, len - used, ts_ns);
	if (f->tentative)
		recognise(e, f);
	login_settle(e, f);
	forget_decrypt(e, f);
}

static void conn_gap(void *ctx, struct flow *f, enum side from, uint32_t len, enum gap_kind kind,
		     uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};

	if (is_over(f))
		return;
	if (f->login) {
		login_gap(f, from, len, kind == GAP_MISSING);
	} else if (kind == GAP_MISSING) {
		session_lossy(f);
		if (from == SIDE_SERVER)
			f->awaiting = false; /* as far as known */
	}
	frame_feed(&f->half[from].framer, &conn_ops, &c, NULL, len, ts_ns);
	login_settle(e, f);
}

static void conn_skip(void *ctx, struct flow *f, enum side from, uint32_t len, bool to_head,
		      uint64_t ts_ns)
{
	struct engine *e = ctx;
	struct conn c = {e, f, from, false};
	uint32_t left = f->half[from].framer.left;

	if (is_over(f))
		return;
	if (f->login && len)
		login_gap(f, from, len, false);
	if (!f->login && len)
		session_kept(&e->sessions, f);
	if (!f->login && len > left)
		session_skip(&e->sessions, f, from, len - left);
	if (len > left && decrypt_of(e, f))
		decrypt_lost(decrypt_of(e, f), from);
	frame_skip(&f->half[from].framer, &conn_ops, &c, len, to_head, ts_ns);
	login_settle(e, f);
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

static void note_close(struct flow *f, enum side from, enum close_how how)
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

	if (is_over(f))
		return;
	feed_held(e, f, ts_ns);
	note_close(f, from, CLOSE_FIN);
	/* Close in four steps, the client's FIN first. */
	if (from == SIDE_SERVER && f->close_by == SIDE_CLIENT && f->close_how == CLOSE_FIN &&
	    !f->close_unsure)
		f->graceful = true;
	if (f->login && left_blind(f)) {
		login_forget(f);
	} else if (f->login) {
		login_closed(f, from, CLOSE_FIN, ts_ns);
		login_left(e, f);
		login_settle(e, f);
	}
}

/* How many routers a packet passed: its sender began at 64, 128 or 255. */
static uint8_t hops(uint8_t ttl)
{
	return (uint8_t)((ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl);
}

/* Does a reset come from another distance than the side's other segments? */
static bool is_elsewhere(const struct flow *f, enum side from, uint8_t ttl)
{
	uint8_t usual = f->half[SIDE_CLIENT].ttl[from];

	return usual && !f->half[from].ttl_varies && hops(ttl) != hops(usual);
}

static void conn_rst(void *ctx, struct flow *f, enum side from, const struct seg *seg,
		     uint64_t ts_ns)
{
	struct engine *e = ctx;
	bool elsewhere;

	feed_held(e, f, ts_ns);
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
	elsewhere = f->close_by == SIDE_NONE && is_elsewhere(f, from, seg->ttl);
	if (!elsewhere)
		memset(f->half[SIDE_CLIENT].ttl, 0, sizeof(f->half[SIDE_CLIENT].ttl));
	note_close(f, from, CLOSE_RST);
	if (f->login && left_blind(f)) {
		login_forget(f);
	} else if (f->login) {
		f->login->ttl_differs = elsewhere;
		login_closed(f, from, CLOSE_RST, ts_ns);
		login_left(e, f);
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
static bool awaits_follower(const struct engine *e, const struct flow *f, enum close_how how)
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

void conn_counts(struct flow *f, const struct tap_counts *counts)
{
	_Static_assert(LATENCY_ATTENTION == (int)COMMAND_ATTENTION, "one order of kinds");
	for (int i = 0; i <= COMMAND_ATTENTION; i++)
		f->commands[i] += counts->commands[i];
	f->resets += counts->resets;
	f->unproven = PROVEN; /* the kernel follows only sessions whose login it saw */
	if (!f->mars)
		f->awaiting = counts->awaiting;
}

/*
 * Ask for the payload that the kernel saw sent again and never acknowledged, at the level where it
 * forwards heads.
 */
static void ask_unacked(struct flow *f, enum side side, const struct tap_state *state, int i)
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

	if (f->told || !e->ops.state || !e->ops.state(e->ctx, &key, &state))
		return;
	conn_counts(f, &state.counts);
	for (int i = 0; i < 2; i++) {
		h = &f->half[i == f->client ? SIDE_CLIENT : SIDE_SERVER];
		if (state.seen[i] && h->known && (int32_t)(state.end[i] - h->next) > 0) {
			h->bytes += state.end[i] - h->next;
			h->next = state.end[i];
		}
		ask_unacked(f, i == f->client ? SIDE_CLIENT : SIDE_SERVER, &state, i);
	}
}

void conn_close(struct engine *e, struct flow *f, enum close_how how, uint64_t now_ns)
{
	bool seen;

	if (f->told)
		return;
	if (how != CLOSE_RST && doubt_reset_holds(f, true))
		tcp_reset(&e->reassembly, f);
	else
		tcp_flush(&e->reassembly, f);
	if (awaits_follower(e, f, how) ||
	    ((how == CLOSE_FIN || how == CLOSE_RST) && (awaits_next(e, f) || logwait_holds(e, f))))
		return;
	if (flow_is_reset(f)) /* the reset may have just come to light */
		how = CLOSE_RST;
	feed_held(e, f, now_ns);
	if (f->login && f->login->tcp.refused_ns) {
		note_close(f, SIDE_SERVER, CLOSE_RST);
		how = CLOSE_RST;
	}
	if (f->close_by == SIDE_NONE) /* the event that was to end it may have just been
				       * dismissed */
		f->close_how = how == CLOSE_RST || how == CLOSE_FIN ? CLOSE_OPEN : (uint8_t)how;
	flow_touch(&e->flows, f, FLOW_CLOSED);
	seen = f->handed_payload || f->half[0].has_isn || f->half[1].has_isn ||
	       f->half[0].probes >= KEEPALIVE_LEAST || f->half[1].probes >= KEEPALIVE_LEAST;
	e->stats.one_sided +=
		seen && (flow_is_unseen(f, SIDE_CLIENT) || flow_is_unseen(f, SIDE_SERVER));
	if (f->login && left_blind(f))
		login_forget(f);
	if (f->login) {
		login_give_up(f, now_ns, how);
		login_told(e, f);
	}
	f->told = true;
	if (how == CLOSE_FIN || how == CLOSE_RST)
		conn_over(e, f);
	session_disown(e, f);
	if ((seen || f->has_login) && !f->tentative) {
		session_close(&e->sessions, f);
		close_emit(e, f, f->unproven == PROVEN);
	}
	session_free(&e->sessions, f);
}

void conn_waited(struct engine *e, struct flow *f)
{
	login_settle(e, f);
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
	conn_free_login(f->login);
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
	if (awaits_next(e, f))
		return;
	if (l->state == LOGIN_DECIDED && idle_ns >= LATE_NS) {
		login_told(e, f);
		return;
	}
	if (idle_ns >= LOGIN_IDLE_NS && !l->judged_idle) {
		login_judge_idle(f);
		if (l->state == LOGIN_DECIDED) {
			login_told(e, f);
			return;
		}
	}
	if (idle_ns < e->config.give_up_ns)
		return;
	tcp_flush(&e->reassembly, f);
	conn_settle(e, f);
	if (!f->login)
		return;
	if (joined_blind(f)) {
		login_drop(e, f); /* no statement about it is possible */
		return;
	}
	/*
	 * The login is given up, but the connection may still be closed, or go on. The time of
	 * giving up is when the login's time was over, however much later the next packet of any
	 * connection came.
	 */
	login_give_up(f,
		      f->last_ns + e->config.give_up_ns < now_ns ? f->last_ns + e->config.give_up_ns
								 : now_ns,
		      CLOSE_IDLE);
	login_told(e, f);
}
