/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.c - see session.h.
 */
#include <stdlib.h>

#include "engine/session/channel.h"
#include "engine/session/encrypted_session.h"
#include "engine/session/mars.h"
#include "engine/session/session.h"

static struct channel session_channel(struct session_env *env, struct flow *f)
{
	if (env->command && !f->request)
		f->request = calloc(1, sizeof(*f->request));
	return (struct channel){env, f, f->request, &f->in_message, -1};
}

void session_head(struct session_env *env, struct flow *f, enum side from,
		  const struct framer *frame, uint64_t ts_ns)
{
	struct channel c;

	if (frame->kind == FRAME_SMP)
		mars_head(env, f, from, frame->header);
	if (frame->kind == FRAME_TLS)
		hidden_head(env, f, from, frame->header, ts_ns);
	if (frame->kind != FRAME_TDS)
		return;
	if (f->hidden) { /* it was no TLS session: only the login is encrypted */
		hidden_free(f->hidden);
		f->hidden = NULL;
	}
	c = session_channel(env, f);
	channel_head(&c, from, frame->header, ts_ns);
}

void session_begin(struct session_env *env, struct flow *f, const struct session_start *start)
{
	channel_set_width(f, start->width);
	if (start->encrypted)
		hidden_begin(env, f, start);
	else if (start->mars)
		mars_begin(env, f);
}

void session_past_record(struct session_env *env, struct flow *f, enum side from,
			 struct session_size size, uint64_t first_ns, uint64_t last_ns)
{
	if (f->hidden)
		hidden_past(env, f, from, size, first_ns, last_ns);
}

void session_lossy(struct flow *f)
{
	if (f->hidden)
		hidden_lossy(f);
	if (f->request)
		f->request->lossy = true;
	if (f->mars)
		mars_lossy(f->mars);
}

/* The current request ends where it is not seen. */
void session_kept(struct session_env *env, struct flow *f)
{
	if (!env->kernel_times_commands || f->mars || !f->request)
		return;
	channel_drop_sql(env, f->request);
	free(f->request);
	f->request = NULL;
}

void session_skip(struct session_env *env, struct flow *f, enum side from, uint32_t len)
{
	struct request *r = f->request;

	if ((!env->command || env->kernel_times_commands) && !f->mars)
		f->in_message &= (uint8_t) ~(1 << from);
	if (f->hidden)
		hidden_skip(f, from, len);
	if (!r || !(f->in_message & 1 << from) || f->mars)
		return;
	if (from == SIDE_CLIENT && r->sending)
		r->bytes += len;
	else if (from == SIDE_SERVER && (r->waiting || r->attention))
		r->answer_bytes += len;
}

void session_body(struct session_env *env, struct flow *f, enum side from,
		  const struct framer *frame, const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	if (frame->kind == FRAME_TDS && from == SIDE_CLIENT && len &&
	    frame->header[0] == TDS_NORMAL_OLD && f->in_message & IN_FIRST_TOKEN) {
		const struct channel c = {env, f, f->request, &f->in_message, -1};

		if (data)
			channel_token(&c, data[0]);
		else
			channel_token_missing(&c);
	}
	if (frame->kind == FRAME_TDS && from == SIDE_CLIENT)
		channel_text(f->request, frame, data, len);
	if (frame->kind == FRAME_SMP)
		mars_body(env, f, from, data, len, ts_ns);
}

void session_end(struct session_env *env, struct flow *f, enum side from,
		 const struct framer *frame, uint64_t ts_ns)
{
	struct channel c;

	if (frame->kind == FRAME_TLS)
		hidden_end(f, from, ts_ns);
	if (frame->kind != FRAME_TDS)
		return;
	c = session_channel(env, f);
	channel_end(&c, from, frame->header, ts_ns);
}

void session_close(struct session_env *env, struct flow *f)
{
	struct channel c;

	if (f->hidden)
		hidden_close(env, f);
	if (!env->command)
		return;
	c = session_channel(env, f);
	channel_close(&c);
	mars_close(env, f);
}

void session_free(struct session_env *env, struct flow *f)
{
	mars_free(env, f->mars);
	f->mars = NULL;
	hidden_free(f->hidden);
	f->hidden = NULL;
	if (f->request)
		channel_drop_sql(env, f->request);
	free(f->request);
	f->request = NULL;
}

void session_mars(const struct flow *f, struct close_record *r)
{
	r->has_mars = hidden_mars(f->hidden, &r->mars_sessions, &r->mars_open);
	r->mars_basis = BASIS_INFERRED;
	if (f->mars)
		mars_report(f->mars, r);
}
