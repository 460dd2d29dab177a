/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* mars.c - see mars.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/session/channel.h"
#include "engine/session/mars.h"
#include "lib/wire_int.h"

#define SMP_SESSIONS_MAX 4096 /* followed at most; no real client opens more */

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

void mars_begin(const struct session_env *env, struct flow *f)
{
	if (f->mars)
		return;
	f->mars = calloc(1, sizeof(*f->mars));
	if (f->mars)
		f->mars->pool = env->pool;
}

#define MARS_BUCKETS 4 /* per place */
/* Bytes for one place. */
#define MARS_PLACE (sizeof(struct smp_session) + MARS_BUCKETS * sizeof(uint16_t))

/*
 * There are 65,536 SIDs: an attacker who chooses them puts at most 128 into a bucket, if room is
 * 128.
 */
static uint16_t *mars_bucket(const struct mars *m, uint16_t sid)
{
	return &m->buckets[sid & (MARS_BUCKETS * m->room - 1)];
}

static void mars_link(struct mars *m, uint32_t place)
{
	uint16_t *bucket = mars_bucket(m, m->at[place].sid);

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

static struct smp_session *mars_session(struct mars *m, uint16_t sid)
{
	uint16_t place = m->room ? *mars_bucket(m, sid) : 0;

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

/* ---- packets ---- */

struct mars_packet {
	struct channel channel;
	enum side from;
};

static void mars_inner_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct mars_packet *in = ctx;

	if (frame->kind == FRAME_TDS)
		channel_head(&in->channel, in->from, frame->header, ts_ns);
}

static void mars_inner_body(void *ctx, const struct framer *frame, const uint8_t *data,
			    uint32_t len, uint64_t ts_ns)
{
	struct mars_packet *in = ctx;

	(void)ts_ns;
	if (in->from == SIDE_CLIENT && frame->kind == FRAME_TDS)
		channel_text(in->channel.request, frame, data, len);
}

static void mars_inner_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct mars_packet *in = ctx;

	if (frame->kind == FRAME_TDS)
		channel_end(&in->channel, in->from, frame->header, ts_ns);
}

static void mars_inner_lost(void *ctx, const struct framer *frame, const uint8_t *data,
			    uint32_t len, uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

/* Handlers of TDS inside SMP's DATA packets. */
static const struct frame_ops mars_inner_ops = {mars_inner_head, mars_inner_body, mars_inner_end,
						mars_inner_lost};

void mars_head(struct session_env *env, struct flow *f, enum side from, const uint8_t *header)
{
	uint32_t seq = le32_at(header + 8), window = le32_at(header + 12);
	enum side peer = side_other(from);
	struct smp_session *s;
	struct mars *m;

	mars_begin(env, f);
	m = f->mars;
	if (!m)
		return;
	s = mars_session(m, le16_at(header + 2));
	m->current[from] = s;
	if (!s)
		return;
	if (header[1] == SMP_SYN && from == SIDE_CLIENT) {
		m->opened++;
		m->open++;
		channel_drop_sql(env, &s->request);
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

static struct channel mars_channel(struct session_env *env, struct flow *f, struct smp_session *s)
{
	return (struct channel){env, f, env->command ? &s->request : NULL, &s->in_message, s->sid};
}

void mars_body(struct session_env *env, struct flow *f, enum side from, const uint8_t *data,
	       uint32_t len, uint64_t ts_ns)
{
	struct smp_session *s = f->mars ? f->mars->current[from] : NULL;
	struct mars_packet in;

	if (!s)
		return;
	in = (struct mars_packet){mars_channel(env, f, s), from};
	frame_feed(&s->framer[from], &mars_inner_ops, &in, data, len, ts_ns);
}

void mars_lossy(struct mars *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		m->at[i].request.lossy = true;
}

void mars_close(struct session_env *env, struct flow *f)
{
	struct channel c;

	for (uint32_t i = 0; f->mars && i < f->mars->count; i++) {
		c = mars_channel(env, f, &f->mars->at[i]);
		channel_close(&c);
	}
}

void mars_free(struct session_env *env, struct mars *m)
{
	if (!m)
		return;
	for (uint32_t i = 0; i < m->count; i++)
		channel_drop_sql(env, &m->at[i].request);
	pool_give(m->pool, m->room * MARS_PLACE);
	free(m->at);
	free(m->buckets);
	free(m);
}

void mars_report(const struct mars *m, struct close_record *r)
{
	r->has_mars = true;
	r->mars_basis = BASIS_OBSERVED;
	r->mars_sessions = m->opened;
	r->mars_open = m->open;
	r->mars_window_stalls = m->stalls;
}
