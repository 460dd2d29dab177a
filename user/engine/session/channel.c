/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* channel.c - see channel.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/sql_old.h"
#include "engine/protocol/tds.h"
#include "engine/session/channel.h"
#include "lib/wipe.h"
#include "lib/wire_int.h"

#define SQL_HELD_MAX 4096 /* texts of requests held, all flows together: 40 MiB */

void channel_drop_sql(struct session_env *env, struct request *r)
{
	env->sql_count -= !!r->sql;
	if (r->sql)
		wipe_free(r->sql, offsetof(struct sql, data) + r->sql->len);
	r->sql = NULL;
}

/* A request begins whose text is wanted. */
static void channel_begin_sql(struct session_env *env, struct request *r, uint8_t type)
{
	channel_drop_sql(env, r);
	if (!env->sql || (type != TDS_BATCH && type != TDS_RPC && type != TDS_NORMAL_OLD) ||
	    env->sql_count >= SQL_HELD_MAX)
		return;
	r->sql = calloc(1, sizeof(*r->sql));
	if (!r->sql)
		return;
	r->sql->type = type;
	env->sql_count++;
}

void channel_set_width(struct flow *f, enum sql_width width)
{
	f->in_message = (uint8_t)((f->in_message & ~IN_WIDTH) | width << IN_WIDTH_SHIFT);
}

static void request_tell(const struct channel *c, enum command_kind kind, uint64_t end_ns,
			 uint64_t first_ns, uint64_t last_ns, uint64_t bytes, bool cancelled)
{
	struct command_record r = {
		.id = flow_id(c->env->flows, c->f),
		.tunnel = flow_tunnel(c->env->flows, c->f),
		.time_ns = end_ns,
		.client = flow_endpoint(c->f, SIDE_CLIENT),
		.server = flow_endpoint(c->f, SIDE_SERVER),
		.spid = c->f->half[SIDE_SERVER].spid ? c->f->half[SIDE_SERVER].spid : -1,
		.session = c->session,
		.kind = kind,
		.first_byte_ns = !first_ns	     ? NO_NS
				 : first_ns > end_ns ? first_ns - end_ns
						     : 0,
		.total_ns = !last_ns	       ? NO_NS
			    : last_ns > end_ns ? last_ns - end_ns
					       : 0,
		.request_bytes = bytes,
		.response_bytes = c->request->answer_bytes,
		.basis = BASIS_OBSERVED,
		.cancelled = cancelled,
		.answered = last_ns > 0,
		.sql_wanted = c->env->sql,
	};
	struct sql_text text = {0};

	if (c->request->lossy) {
		r.first_byte_ns = r.total_ns = NO_NS;
		r.answered = -1;
		if (!cancelled && kind != COMMAND_ATTENTION)
			r.cancelled = -1;
	}
	if (c->request->sql && kind != COMMAND_ATTENTION) {
		c->request->sql->width = (c->f->in_message & IN_WIDTH) >> IN_WIDTH_SHIFT;
		sql_read(&text, c->request->sql);
		channel_set_width(c->f, text.width);
	}
	r.sql = text.text;
	r.procedure = text.procedure;
	r.sql_cut = text.cut;
	c->env->command(c->env->ctx, &r);
	sql_text_release(&text);
}

/* The current request is over: answered by last_ns, or (0) never. */
static void request_over(const struct channel *c, uint64_t last_ns)
{
	struct request *r = c->request;

	if (r->waiting)
		request_tell(c, (enum command_kind)r->kind, r->end_ns, r->first_ns, last_ns,
			     r->bytes, r->cancelled);
	else if (r->attention)
		request_tell(c, COMMAND_ATTENTION, r->attention_ns, r->first_ns, last_ns,
			     r->attention_bytes, false);
	channel_drop_sql(c->env, r);
	/*
	 * An attention is answered after the request that it cancels, perhaps by the same message.
	 */
	r->attention &= r->waiting;
	r->lossy &= r->attention;
	r->waiting = r->sending = r->cancelled = false;
	r->first_ns = 0;
	r->answer_bytes = 0;
	r->over_ns = last_ns;
}

static void request_head(const struct channel *c, const uint8_t *header, bool first, uint64_t ts_ns)
{
	struct request *r = c->request;
	uint32_t len = frame_length(FRAME_TDS, header);

	if (header[0] == TDS_ATTENTION) {
		r->attention = true;
		r->attention_ns = ts_ns;
		r->attention_bytes = len;
		r->cancelled |= r->waiting && !r->lossy;
		/*
		 * The request that it cancels may be among the missing bytes before it, and the
		 * next answer may be that request's.
		 */
		r->lossy |= !r->waiting && c->f->gap_last & 1 << SIDE_CLIENT;
		return;
	}
	if (first) {
		/* A new request while one is unanswered: that one will never be answered. */
		if (r->waiting)
			request_over(c, 0);
		/*
		 * After an attention the client waits for its answer: so that came with the end of
		 * the cancelled request.
		 */
		if (r->attention && r->over_ns > r->attention_ns) {
			r->first_ns = r->over_ns;
			request_over(c, r->over_ns);
		}
		r->attention = false;
		r->sending = true;
		r->lossy = c->f->half[SIDE_SERVER].framer.kind == FRAME_LOST;
		r->bytes = 0;
		channel_begin_sql(c->env, r, header[0]);
	}
	r->bytes += len;
}

static void request_end(const struct channel *c, const uint8_t *header, uint64_t ts_ns)
{
	struct request *r = c->request;

	if (!r->sending || header[0] == TDS_ATTENTION || !(header[1] & TDS_STATUS_EOM))
		return;
	r->sending = false;
	r->waiting = true;
	r->end_ns = ts_ns;
}

static void answer_head(const struct channel *c, const uint8_t *header, uint64_t ts_ns)
{
	struct request *r = c->request;

	if (!r->waiting && !r->attention)
		return;
	if (!r->first_ns)
		r->first_ns = ts_ns;
	r->answer_bytes += frame_length(FRAME_TDS, header);
}

/* A request's kind, by its packets' type; COMMAND_COUNT: not a request. */
static enum command_kind command_kind(uint8_t type)
{
	switch (type) {
	case TDS_BATCH:
		return COMMAND_BATCH;
	case TDS_RPC:
		return COMMAND_RPC;
	case TDS_BULK:
		return COMMAND_BULK;
	case TDS_TRANSACTION:
		return COMMAND_TRANSACTION;
	case TDS_ATTENTION:
		return COMMAND_ATTENTION;
	case TDS_NORMAL_OLD: /* its first token shows the kind */
		return COMMAND_UNKNOWN;
	}
	return COMMAND_COUNT;
}

void channel_token_missing(const struct channel *c)
{
	*c->in_message &= (uint8_t)~IN_FIRST_TOKEN;
}

void channel_token(const struct channel *c, uint8_t token)
{
	enum command_kind kind = sql_old_kind(token);

	channel_token_missing(c);
	c->f->commands[COMMAND_UNKNOWN]--;
	if (kind != COMMAND_COUNT)
		c->f->commands[kind]++;
	else
		c->f->awaiting = false;
	if (c->request && kind == COMMAND_COUNT) {
		c->request->sending = false;
		channel_drop_sql(c->env, c->request);
	} else if (c->request) {
		c->request->kind = (uint8_t)kind;
	}
}

void channel_head(const struct channel *c, enum side from, const uint8_t *header, uint64_t ts_ns)
{
	/* An attention may come between the packets of a request: MS-TDS 2.2.1.7 */
	bool attention = header[0] == TDS_ATTENTION;
	bool first = attention || !(*c->in_message & 1 << from);
	enum command_kind kind = command_kind(header[0]);

	if (!attention && header[1] & TDS_STATUS_EOM)
		*c->in_message &= (uint8_t) ~(1 << from);
	else if (!attention)
		*c->in_message |= (uint8_t)(1 << from);
	if (from == SIDE_SERVER) {
		uint16_t spid = be16_at(header + 4);

		if (spid)
			c->f->half[from].spid = spid;
		if (c->request)
			answer_head(c, header, ts_ns);
		return;
	}
	if (kind == COMMAND_COUNT)
		return;
	if (first) {
		*c->in_message &= (uint8_t)~IN_FIRST_TOKEN;
		if (header[0] == TDS_NORMAL_OLD)
			*c->in_message |= IN_FIRST_TOKEN;
		c->f->commands[kind]++;
		c->f->awaiting = true;
		/* The bit has another meaning in TDS 5: an event notification. */
		if (header[0] != TDS_NORMAL_OLD)
			c->f->resets += !!(header[1] & TDS_STATUS_RESET);
	}
	if (!c->request)
		return;
	request_head(c, header, first, ts_ns);
	if (first && !attention) /* not before: the previous request is over now */
		c->request->kind = (uint8_t)kind;
}

void channel_end(const struct channel *c, enum side from, const uint8_t *header, uint64_t ts_ns)
{
	if (from == SIDE_CLIENT) {
		if (c->request)
			request_end(c, header, ts_ns);
		if (header[0] == TDS_NORMAL_OLD && header[1] & TDS_STATUS_EOM)
			channel_token_missing(c); /* the message is empty, or has shown it */
		return;
	}
	if (!(header[1] & TDS_STATUS_EOM))
		return;
	c->f->awaiting = false;
	/* A packet that began before the request does not belong to its answer. */
	if (c->request && (c->request->waiting || c->request->attention) && c->request->first_ns)
		request_over(c, ts_ns);
}

void channel_text(struct request *r, const struct framer *frame, const uint8_t *data, uint32_t len)
{
	if (r && r->sql && r->sending && frame->header[0] == r->sql->type)
		sql_add(r->sql, data, len);
}

void channel_close(const struct channel *c)
{
	if (c->request && (c->request->waiting || c->request->attention))
		request_over(c, 0);
}
