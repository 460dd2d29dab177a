/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* conn_frames.c - see conn_frames.h. */
#include <string.h>

#include "engine/conn_frames.h"
#include "engine/conn_login.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/session/session.h"
#include "lib/off_path.h"

/*
 * Joined in the middle: is the first message the beginning of a login, or one of its later steps?
 * If not, the connection had logged in before.
 */
static bool frames_begin_login(const struct framer *frame)
{
	if (frame->kind == FRAME_TDS)
		return frame->header[0] == TDS_PRELOGIN || frame->header[0] == TDS_LOGIN7 ||
		       frame->header[0] == TDS_LOGIN_OLD;
	return frame->kind == FRAME_TLS && frame->header[0] == TLS_HANDSHAKE;
}

/* MS-TDS 2.2.3.1.6: a head's last byte, Window, is 0. */
static bool frames_window_is_zero(const struct framer *frame)
{
	return frame->kind != FRAME_TDS || !frame->header[7];
}

/* Joined in the middle of a session: there is no login. */
OFF_PATH static void frames_join(struct conn *c, const struct framer *frame)
{
	conn_login_drop(c->e, c->f);
	c->f->unproven =
		frame->kind == FRAME_TDS && c->from == SIDE_CLIENT ? FLOW_UNPROVEN : FLOW_PROVEN;
}

/* The client still authenticates: what was joined is the rest of a login, and no session so far. */
static bool frames_is_login_left(enum side from, const struct framer *frame)
{
	return from == SIDE_CLIENT && frame->kind == FRAME_TDS &&
	       (frame->header[0] == TDS_SSPI || frame->header[0] == TDS_LOGIN7);
}

static bool frames_is_alert(const struct framer *frame)
{
	return frame->kind == FRAME_TLS && frame->header[0] == TLS_ALERT;
}

static void frames_prove(struct flow *f, enum side from, const struct framer *frame)
{
	if (f->has_login) /* that proved it */
		return;
	if (frames_is_login_left(from, frame)) {
		f->unproven = FLOW_UNPROVEN;
		return;
	}
	if (f->unproven == FLOW_PROVEN || frames_is_alert(frame))
		return;
	if (from == SIDE_SERVER)
		f->unproven = frames_window_is_zero(frame) ? FLOW_PROVEN : f->unproven;
	else if (!frames_window_is_zero(frame))
		f->unproven = FLOW_UNPROVEN;
	else
		f->unproven = f->unproven == FLOW_FITS_ONCE ? FLOW_PROVEN : FLOW_FITS_ONCE;
}

/* The session was never proven to be TDS: report nothing of its commands. */
void conn_frames_disown(struct engine *e, struct flow *f)
{
	if (f->unproven == FLOW_PROVEN)
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
static bool frames_is_blind_answer(const struct conn *c, const struct framer *frame)
{
	return c->from == SIDE_SERVER && frame->kind == FRAME_TDS && frame->header[0] == TDS_RESULT;
}

OFF_PATH static void frames_blind_answer(struct conn *c, const struct framer *frame, bool prelogin,
					 uint64_t ts_ns)
{
	c->f->blind_answer = false;
	if (prelogin && c->f->login) {
		login_head(c->f, c->from, frame, ts_ns);
		return;
	}
	if (c->f->login)
		frames_join(c, frame);
	session_head(&c->e->sessions, c->f, c->from, frame, ts_ns);
}

/*
 * A TLS record after the login. If it is decrypted, the frames inside count, and the record does
 * not. False: it is not decrypted, or is not a TLS record.
 */
static bool frames_decrypt_head(const struct conn *c, const struct framer *frame)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? conn_decrypt(c->e, c->f) : NULL;

	if (d)
		decrypt_head(d, c->from, frame->header);
	return decrypt_reads(d);
}

static bool frames_decrypt_body(const struct conn *c, const struct framer *frame,
				const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? conn_decrypt(c->e, c->f) : NULL;

	if (d)
		decrypt_body(d, c->from, data, len, ts_ns);
	return decrypt_reads(d);
}

static bool frames_decrypt_end(const struct conn *c, const struct framer *frame, uint64_t ts_ns)
{
	struct decrypt *d = frame->kind == FRAME_TLS ? conn_decrypt(c->e, c->f) : NULL;

	if (d)
		decrypt_end(d, c->from, ts_ns);
	return decrypt_reads(d);
}

static void frames_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct conn *c = ctx;
	struct login *l = c->f->login;

	if (l && conn_joined_blind(c->f) && l->state == LOGIN_TCP && !frames_begin_login(frame)) {
		c->f->blind_answer = frames_is_blind_answer(c, frame);
		if (c->f->blind_answer)
			return;
		frames_join(c, frame);
	}
	if (!c->f->login)
		frames_prove(c->f, c->from, frame);
	if (conn_login_listens(c->f) && !login_proven_by(l, c->from, frame)) {
		login_head(c->f, c->from, frame, ts_ns);
		return;
	}
	/* Earlier bytes of the same segment decided it: report that before what follows. */
	if (c->f->tentative)
		conn_recognise(c->e, c->f);
	conn_login_settle(c->e, c->f);
	if (!frames_decrypt_head(c, frame))
		session_head(&c->e->sessions, c->f, c->from, frame, ts_ns);
}

static void frames_inside(struct conn *c);

/* frames_body() and frames_end() of connections that may be decrypted. */
OFF_PATH static void frames_body_decrypt(struct conn *c, const struct framer *frame,
					 const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	if (conn_login_listens(c->f))
		login_body(c->f, c->from, frame, data, len, ts_ns);
	else if (!frames_decrypt_body(c, frame, data, len, ts_ns))
		session_body(&c->e->sessions, c->f, c->from, frame, data, len, ts_ns);
	frames_inside(c);
}

OFF_PATH static void frames_end_decrypt(struct conn *c, const struct framer *frame, uint64_t ts_ns)
{
	if (conn_login_listens(c->f))
		login_end(c->f, c->from, frame, ts_ns);
	else if (!frames_decrypt_end(c, frame, ts_ns))
		session_end(&c->e->sessions, c->f, c->from, frame, ts_ns);
	frames_inside(c);
}

static void frames_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
			uint64_t ts_ns)
{
	struct conn *c = ctx;

	if (c->f->blind_answer && c->from == SIDE_SERVER && len)
		frames_blind_answer(c, frame, data && !data[0], ts_ns);
	if (c->e->decryption)
		frames_body_decrypt(c, frame, data, len, ts_ns);
	else if (conn_login_listens(c->f))
		login_body(c->f, c->from, frame, data, len, ts_ns);
	else
		session_body(&c->e->sessions, c->f, c->from, frame, data, len, ts_ns);
}

static void frames_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct conn *c = ctx;

	if (c->f->blind_answer && c->from == SIDE_SERVER)
		frames_blind_answer(c, frame, false, ts_ns);
	if (c->e->decryption)
		frames_end_decrypt(c, frame, ts_ns);
	else if (conn_login_listens(c->f))
		login_end(c->f, c->from, frame, ts_ns);
	else
		session_end(&c->e->sessions, c->f, c->from, frame, ts_ns);
}

static void frames_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
			uint64_t ts_ns)
{
	struct conn *c = ctx;
	struct login *l = c->f->login;

	(void)data, (void)len;
	if (!l || l->framed[c->from])
		c->e->stats.lost_sync++;
	c->f->blind_answer = false;
	if (!l) {
		if (conn_decrypt(c->e, c->f))
			decrypt_lost(conn_decrypt(c->e, c->f), c->from);
		conn_frames_disown(c->e, c->f);
		session_lossy(c->f);
		return;
	}
	if (l->decrypt)
		decrypt_lost(l->decrypt, c->from);
	if (!l->framed[c->from])
		l->beginning[c->from].lost_at = frame->have;
	if (conn_joined_blind(c->f))
		conn_login_drop(c->e, c->f);
	else
		login_lost(c->f, c->from, ts_ns);
}

static const struct frame_ops frames_ops = {frames_head, frames_body, frames_end, frames_lost};

/* ---- frames that stood in TLS records ---- */

static void frames_inside_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	const struct conn *c = ctx;

	if (frame->kind == FRAME_TLS) /* nobody nests TLS */
		decrypt_refuse(conn_decrypt(c->e, c->f));
	else
		frames_head(ctx, frame, ts_ns);
}

static void frames_inside_body(void *ctx, const struct framer *frame, const uint8_t *data,
			       uint32_t len, uint64_t ts_ns)
{
	if (frame->kind != FRAME_TLS)
		frames_body(ctx, frame, data, len, ts_ns);
}

static void frames_inside_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	if (frame->kind != FRAME_TLS)
		frames_end(ctx, frame, ts_ns);
}

static void frames_inside_lost(void *ctx, const struct framer *frame, const uint8_t *data,
			       uint32_t len, uint64_t ts_ns)
{
	const struct conn *c = ctx;

	(void)frame, (void)data, (void)len, (void)ts_ns;
	c->e->stats.lost_sync++;
	decrypt_refuse(conn_decrypt(c->e, c->f));
	if (!c->f->login)
		session_lossy(c->f);
}

static const struct frame_ops frames_inside_ops = {frames_inside_head, frames_inside_body,
						   frames_inside_end, frames_inside_lost};

static void frames_mark_inside(const struct conn *c, bool is)
{
	if (c->f->login)
		c->f->login->inside = is;
}

/* Read the bytes that were decrypted so far of the side that sends. */
OFF_PATH static void frames_inside(struct conn *c)
{
	struct decrypt *d = c->inside ? NULL : conn_decrypt(c->e, c->f);
	struct plain p;

	if (!d)
		return;
	c->inside = true;
	while (decrypt_next(d, c->from, &p)) {
		struct framer *framer = decrypt_framer(d, c->from);

		frames_mark_inside(c, true);
		if (!p.data)
			frame_skip(framer, &frames_inside_ops, c, p.len, false, p.ts_ns);
		else if (framer->kind != FRAME_LOST || p.begins) /* a frame begins a record */
			frame_feed(framer, &frames_inside_ops, c, p.data, p.len, p.ts_ns);
		frames_mark_inside(c, false);
	}
	c->inside = false;
}

void conn_frames(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	frame_feed(&c->f->half[c->from].framer, &frames_ops, c, data, len, ts_ns);
}

void conn_frames_skip(struct conn *c, uint32_t len, bool to_head, uint64_t ts_ns)
{
	frame_skip(&c->f->half[c->from].framer, &frames_ops, c, len, to_head, ts_ns);
}
