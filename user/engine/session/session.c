/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.c - see session.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_private.h"
#include "engine/session/encrypted_session.h"
#include "engine/login/login.h"
#include "engine/session/session.h"
#include "engine/protocol/sql_text.h"
#include "engine/protocol/sql_old.h"

#define SMP_SESSIONS_MAX 4096 /* followed at most; no real client opens more */
#define SQL_HELD_MAX	 4096 /* texts of requests held, all flows together: 40 MiB */

/* Of in_message, in addition to a bit of each side */
#define IN_FIRST_TOKEN 0x04 /* the kind of a TDS 5 request is still to be read */
#define IN_WIDTH_SHIFT 4    /* the flow's enum sql_width, of its requests' texts */
#define IN_WIDTH       (3 << IN_WIDTH_SHIFT)

/*
 * A request and the answer to it, of a connection or of one of its MARS sessions. An attention has
 * an answer of its own, which may come in the same message as the end of what it cancels.
 */
struct request {
	uint64_t end_ns;   /* its last byte */
	uint64_t first_ns; /* first byte of the answer; 0: none yet */
	uint64_t attention_ns;
	uint64_t over_ns; /* end of the last answer */
	uint64_t bytes, answer_bytes, attention_bytes;
	struct sql *sql; /* of the request; NULL: not wanted, no text, or no room */
	uint8_t kind;	 /* enum command_kind */
	bool sending, waiting, cancelled, attention;
	bool lossy; /* bytes are missing since it began: neither its times nor its end are
		     * reported */
};

/* One TDS conversation: a connection without MARS, or a MARS session. */
struct channel {
	struct engine *e;
	struct flow *f;
	struct request *request; /* NULL: commands are not reported */
	uint8_t *in_message;	 /* one bit for each side */
	int32_t session;
};

struct smp_session {
	struct framer framer[2];
	struct request request;
	uint32_t window[2]; /* highest sequence number that each side accepts */
	uint16_t sid;
	uint16_t next; /* next in the same bucket: its place + 1; 0: the last */
	bool opened;   /* its SYN was seen */
	bool fin[2];
	bool stalled[2];
	uint8_t in_message; /* as in the flow */
};

struct mars {
	struct pool *pool; /* its sessions' memory comes from here */
	struct smp_session *at;
	uint16_t *buckets;    /* MARS_BUCKETS * room of them: the first session's place + 1 */
	uint32_t count, room; /* room: 0 or a power of two */
	uint64_t opened, open, stalls;
	struct smp_session *current[2]; /* of the current SMP packet; NULL: not followed */
};

/* MARS was agreed on, or SMP seen: follow its sessions. */
static void mars_begin(struct engine *e, struct flow *f)
{
	if (f->mars)
		return;
	f->mars = calloc(1, sizeof(*f->mars));
	if (f->mars)
		f->mars->pool = &e->pool;
}

void session_mars(const struct flow *f, struct close_record *r)
{
	r->has_mars = hidden_mars(f->hidden, &r->mars_sessions, &r->mars_open);
	r->mars_basis = BASIS_INFERRED;
	if (!f->mars)
		return;
	r->has_mars = true;
	r->mars_basis = BASIS_OBSERVED;
	r->mars_sessions = f->mars->opened;
	r->mars_open = f->mars->open;
	r->mars_window_stalls = f->mars->stalls;
}

#define MARS_BUCKETS 4 /* per place */
/* Bytes for one place. */
#define MARS_PLACE (sizeof(struct smp_session) + MARS_BUCKETS * sizeof(uint16_t))

/*
 * There are 65,536 SIDs: an attacker who chooses them puts at most 128 into a bucket, if room is
 * 128.
 */
static uint16_t *bucket_of(const struct mars *m, uint16_t sid)
{
	return &m->buckets[sid & (MARS_BUCKETS * m->room - 1)];
}

static void mars_link(struct mars *m, uint32_t place)
{
	uint16_t *bucket = bucket_of(m, m->at[place].sid);

	m->at[place].next = *bucket;
	*bucket = (uint16_t)(place + 1);
}

/* Make room for twice as many sessions, or for the first. */
static bool mars_grow(struct mars *m)
{
	uint32_t room = m->room ? 2 * m->room : 4;
	uint16_t *buckets = calloc(MARS_BUCKETS * room, sizeof(*buckets));
	struct smp_session *grown;

	if (!buckets || !pool_take(m->pool, (room - m->room) * MARS_PLACE)) {
		free(buckets);
		return false;
	}
	grown = realloc(m->at, room * sizeof(*grown));
	if (!grown) {
		pool_give(m->pool, (room - m->room) * MARS_PLACE);
		free(buckets);
		return false;
	}
	free(m->buckets);
	m->buckets = buckets;
	m->room = room;
	m->at = grown;
	m->current[0] = m->current[1] = NULL;
	for (uint32_t i = 0; i < m->count; i++)
		mars_link(m, i);
	return true;
}

static struct smp_session *smp_session(struct mars *m, uint16_t sid)
{
	uint16_t place = m->room ? *bucket_of(m, sid) : 0;

	for (; place; place = m->at[place - 1].next) {
		if (m->at[place - 1].sid == sid)
			return &m->at[place - 1];
	}
	if (m->count == SMP_SESSIONS_MAX)
		return NULL;
	if (m->count == m->room && !mars_grow(m))
		return NULL;
	memset(&m->at[m->count], 0, sizeof(*m->at));
	m->at[m->count].sid = sid;
	mars_link(m, m->count);
	return &m->at[m->count++];
}

/* ---- commands ---- */

static void sql_drop(struct engine *e, struct request *r)
{
	e->sql_count -= !!r->sql;
	if (r->sql)
		wipe_free(r->sql, offsetof(struct sql, data) + r->sql->len);
	r->sql = NULL;
}

/* A request begins whose text is wanted. */
static void sql_begin(struct engine *e, struct request *r, uint8_t type)
{
	sql_drop(e, r);
	if (!e->config.sql || (type != TDS_BATCH && type != TDS_RPC && type != TDS_NORMAL_OLD) ||
	    e->sql_count >= SQL_HELD_MAX)
		return;
	r->sql = calloc(1, sizeof(*r->sql));
	if (!r->sql)
		return;
	r->sql->type = type;
	e->sql_count++;
}

static void request_body(struct request *r, const struct framer *frame, const uint8_t *data,
			 uint32_t len)
{
	if (r && r->sql && r->sending && frame->header[0] == r->sql->type)
		sql_add(r->sql, data, len);
}

static void set_width(struct flow *f, enum sql_width width)
{
	f->in_message = (uint8_t)((f->in_message & ~IN_WIDTH) | width << IN_WIDTH_SHIFT);
}

static void request_tell(const struct channel *c, enum command_kind kind, uint64_t end_ns,
			 uint64_t first_ns, uint64_t last_ns, uint64_t bytes, bool cancelled)
{
	struct command_record r = {
		.id = flow_id(&c->e->flows, c->f),
		.tunnel = flow_tunnel(&c->e->flows, c->f),
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
		.sql_wanted = c->e->config.sql,
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
		set_width(c->f, text.width);
	}
	r.sql = text.text;
	r.procedure = text.procedure;
	r.sql_cut = text.cut;
	c->e->ops.command(c->e->ctx, &r);
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
	sql_drop(c->e, r);
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
		sql_begin(c->e, r, header[0]);
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

/* The first byte of a TDS 5 request: its kind, or that it is not a request. */
static void old_request_token(const struct channel *c, uint8_t token)
{
	enum command_kind kind = sql_old_kind(token);

	*c->in_message &= (uint8_t)~IN_FIRST_TOKEN;
	c->f->commands[COMMAND_UNKNOWN]--;
	if (kind != COMMAND_COUNT)
		c->f->commands[kind]++;
	else
		c->f->awaiting = false;
	if (c->request && kind == COMMAND_COUNT) {
		c->request->sending = false;
		sql_drop(c->e, c->request);
	} else if (c->request) {
		c->request->kind = (uint8_t)kind;
	}
}

static void channel_head(const struct channel *c, enum side from, const uint8_t *header,
			 uint64_t ts_ns)
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
		uint16_t spid = (uint16_t)(header[4] << 8 | header[5]);

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

static void channel_end(const struct channel *c, enum side from, const uint8_t *header,
			uint64_t ts_ns)
{
	if (from == SIDE_CLIENT) {
		if (c->request)
			request_end(c, header, ts_ns);
		return;
	}
	if (!(header[1] & TDS_STATUS_EOM))
		return;
	c->f->awaiting = false;
	/* A packet that began before the request does not belong to its answer. */
	if (c->request && (c->request->waiting || c->request->attention) && c->request->first_ns)
		request_over(c, ts_ns);
}

/* ---- MARS ---- */

struct inner {
	struct channel channel;
	enum side from;
};

static void inner_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	if (frame->kind == FRAME_TDS)
		channel_head(&in->channel, in->from, frame->header, ts_ns);
}

static void inner_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	struct inner *in = ctx;

	(void)ts_ns;
	if (in->from == SIDE_CLIENT && frame->kind == FRAME_TDS)
		request_body(in->channel.request, frame, data, len);
}

static void inner_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	if (frame->kind == FRAME_TDS)
		channel_end(&in->channel, in->from, frame->header, ts_ns);
}

static void inner_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

/* Handlers of TDS inside SMP's DATA packets. */
static const struct frame_ops inner_ops = {inner_head, inner_body, inner_end, inner_lost};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void smp_head(struct engine *e, struct flow *f, enum side from, const uint8_t *header)
{
	uint32_t seq = le32(header + 8), window = le32(header + 12);
	enum side peer = side_other(from);
	struct smp_session *s;
	struct mars *m;

	mars_begin(e, f);
	m = f->mars;
	if (!m)
		return;
	s = smp_session(m, (uint16_t)(header[2] | header[3] << 8));
	m->current[from] = s;
	if (!s)
		return;
	if (header[1] == SMP_SYN && from == SIDE_CLIENT) {
		m->opened++;
		m->open++;
		sql_drop(e, &s->request);
		*s = (struct smp_session){.sid = s->sid, .next = s->next, .opened = true};
		s->window[SIDE_SERVER] = window; /* the first window is the same for both: 4 */
	}
	s->window[from] = window;
	s->stalled[peer] = false;
	if (header[1] == SMP_FIN && !s->fin[from]) {
		s->fin[from] = true;
		if (s->opened && s->fin[SIDE_CLIENT] && s->fin[SIDE_SERVER])
			m->open--;
	}
	/* The last packet that the peer accepts: MC-SMP 3.1.5.2 */
	if (header[1] == SMP_DATA && seq == s->window[peer] && !s->stalled[from]) {
		s->stalled[from] = true;
		m->stalls++;
	}
}

static struct channel channel_of(struct engine *e, struct flow *f)
{
	if (e->ops.command && !f->request)
		f->request = calloc(1, sizeof(*f->request));
	return (struct channel){e, f, f->request, &f->in_message, -1};
}

static struct channel channel_of_smp(struct engine *e, struct flow *f, struct smp_session *s)
{
	return (struct channel){e, f, e->ops.command ? &s->request : NULL, &s->in_message, s->sid};
}

void session_head(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  uint64_t ts_ns)
{
	struct channel c;

	if (frame->kind == FRAME_SMP)
		smp_head(e, f, from, frame->header);
	if (frame->kind == FRAME_TLS)
		hidden_head(e, f, from, frame->header, ts_ns);
	if (frame->kind != FRAME_TDS)
		return;
	if (f->hidden) { /* it was no TLS session: only the login is encrypted */
		hidden_free(f->hidden);
		f->hidden = NULL;
	}
	c = channel_of(e, f);
	channel_head(&c, from, frame->header, ts_ns);
}

/* The width of requests' letters: as the server says last, else as the client asks. */
static enum sql_width login_width(const struct login *l)
{
	switch (tds_era(l->answer.version ? l->answer.version : l->login7.version)) {
	case TDS_ERA_OLD:
		return SQL_WIDTH_BYTE;
	case TDS_ERA_70:
	case TDS_ERA_72:
		return SQL_WIDTH_UTF16;
	case TDS_ERA_UNKNOWN:
		break;
	}
	return l->prelogin[SIDE_CLIENT].version ? SQL_WIDTH_UTF16 : SQL_WIDTH_UNKNOWN;
}

void session_begin(struct engine *e, struct flow *f, const struct login *l)
{
	set_width(f, login_width(l));
	if ((l->strict || l->full) && !decrypt_reads(l->decrypt))
		hidden_begin(e, f, l);
	else if (l->prelogin[SIDE_CLIENT].mars == 1 && l->prelogin[SIDE_SERVER].mars == 1)
		mars_begin(e, f);
}

void session_lossy(struct flow *f)
{
	if (f->hidden)
		hidden_lossy(f);
	if (f->request)
		f->request->lossy = true;
	for (uint32_t i = 0; f->mars && i < f->mars->count; i++)
		f->mars->at[i].request.lossy = true;
}

/* The current request ends where it is not seen. */
void session_kept(struct engine *e, struct flow *f)
{
	if (!e->config.kernel_times_commands || f->mars || !f->request)
		return;
	sql_drop(e, f->request);
	free(f->request);
	f->request = NULL;
}

void session_skip(struct engine *e, struct flow *f, enum side from, uint32_t len)
{
	struct request *r = f->request;

	if ((!e->ops.command || e->config.kernel_times_commands) && !f->mars)
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

void session_body(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	struct smp_session *s = f->mars ? f->mars->current[from] : NULL;
	struct inner in;

	if (frame->kind == FRAME_TDS && from == SIDE_CLIENT && data && len &&
	    f->in_message & IN_FIRST_TOKEN)
		old_request_token(&(struct channel){e, f, f->request, &f->in_message, -1}, data[0]);
	if (frame->kind == FRAME_TDS && from == SIDE_CLIENT)
		request_body(f->request, frame, data, len);
	if (frame->kind != FRAME_SMP || !s)
		return;
	in = (struct inner){channel_of_smp(e, f, s), from};
	frame_feed(&s->framer[from], &inner_ops, &in, data, len, ts_ns);
}

void session_end(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		 uint64_t ts_ns)
{
	struct channel c;

	if (frame->kind == FRAME_TLS)
		hidden_end(f, from, ts_ns);
	if (frame->kind != FRAME_TDS)
		return;
	c = channel_of(e, f);
	channel_end(&c, from, frame->header, ts_ns);
}

static void channel_close(const struct channel *c)
{
	if (c->request && (c->request->waiting || c->request->attention))
		request_over(c, 0);
}

void session_close(struct engine *e, struct flow *f)
{
	struct channel c;

	if (f->hidden)
		hidden_close(e, f);
	if (!e->ops.command)
		return;
	c = channel_of(e, f);
	channel_close(&c);
	for (uint32_t i = 0; f->mars && i < f->mars->count; i++) {
		c = channel_of_smp(e, f, &f->mars->at[i]);
		channel_close(&c);
	}
}

void session_free(struct engine *e, struct flow *f)
{
	for (uint32_t i = 0; f->mars && i < f->mars->count; i++)
		sql_drop(e, &f->mars->at[i].request);
	if (f->mars) {
		pool_give(f->mars->pool, f->mars->room * MARS_PLACE);
		free(f->mars->at);
		free(f->mars->buckets);
	}
	free(f->mars);
	f->mars = NULL;
	hidden_free(f->hidden);
	f->hidden = NULL;
	if (f->request)
		sql_drop(e, f->request);
	free(f->request);
	f->request = NULL;
}
