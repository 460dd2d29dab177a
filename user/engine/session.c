/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.c - see session.h.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define SMP_SESSIONS_MAX 4096 /* kept account of; a client that opens more is no client */

/* SMP flags, MC-SMP 2.2.1 */
enum {
	SMP_SYN = 1,
	SMP_FIN = 4,
	SMP_DATA = 8,
};

struct smp_session {
	struct framer framer[2];
	uint32_t window[2]; /* highest sequence number that each side accepts */
	uint16_t sid;
	bool opened; /* its SYN was seen */
	bool fin[2];
	bool stalled[2];
	bool in_message[2];
};

struct mars {
	struct smp_session *at;
	uint32_t count, room;
	uint64_t opened, open, stalls;
	struct smp_session *current[2]; /* of the SMP packet under way; NULL: not followed */
};

void mars_begin(struct flow *f)
{
	if (!f->mars)
		f->mars = calloc(1, sizeof(*f->mars));
}

void mars_free(struct mars *m)
{
	if (m)
		free(m->at);
	free(m);
}

void mars_counts(const struct mars *m, uint64_t *sessions, uint64_t *open, uint64_t *stalls)
{
	*sessions = m->opened;
	*open = m->open;
	*stalls = m->stalls;
}

static struct smp_session *smp_session(struct mars *m, uint16_t sid)
{
	struct smp_session *grown;

	for (uint32_t i = 0; i < m->count; i++) {
		if (m->at[i].sid == sid)
			return &m->at[i];
	}
	if (m->count == SMP_SESSIONS_MAX)
		return NULL;
	if (m->count == m->room) {
		grown = realloc(m->at, (m->room ? 2 * m->room : 4) * sizeof(*m->at));
		if (!grown)
			return NULL;
		m->room = m->room ? 2 * m->room : 4;
		m->at = grown;
		m->current[0] = m->current[1] = NULL;
	}
	memset(&m->at[m->count], 0, sizeof(*m->at));
	m->at[m->count].sid = sid;
	return &m->at[m->count++];
}

static void request_begun(struct flow *f, const uint8_t *header)
{
	static const uint8_t kinds[] = {
		[TDS_BATCH] = COMMAND_BATCH + 1,
		[TDS_RPC] = COMMAND_RPC + 1,
		[TDS_BULK] = COMMAND_BULK + 1,
		[TDS_TRANSACTION] = COMMAND_TRANSACTION + 1,
		[TDS_ATTENTION] = COMMAND_ATTENTION + 1,
	};

	if (header[0] >= sizeof(kinds) || !kinds[header[0]])
		return;
	f->commands[kinds[header[0]] - 1]++;
	f->awaiting = true;
	if (header[1] & TDS_STATUS_RESET)
		f->resets++;
}

static void tds_head(struct flow *f, enum side from, const uint8_t *header, bool *in_message)
{
	/* An attention may come between the packets of a request: MS-TDS 2.2.1.7 */
	if (header[0] == TDS_ATTENTION) {
		if (from == SIDE_CLIENT)
			request_begun(f, header);
		return;
	}
	if (from == SIDE_CLIENT && !*in_message)
		request_begun(f, header);
	*in_message = !(header[1] & TDS_STATUS_EOM);
}

struct inner {
	struct flow *f;
	struct smp_session *session;
	enum side from;
};

static void inner_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	(void)ts_ns;
	if (frame->kind == FRAME_TDS)
		tds_head(in->f, in->from, frame->header, &in->session->in_message[in->from]);
}

static void inner_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

static void inner_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	(void)ts_ns;
	if (frame->kind == FRAME_TDS && in->from == SIDE_SERVER &&
	    frame->header[1] & TDS_STATUS_EOM)
		in->f->awaiting = false;
}

static void inner_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

/* TDS inside SMP's DATA packets. */
static const struct frame_ops inner_ops = {inner_head, inner_body, inner_end, inner_lost};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void smp_head(struct flow *f, enum side from, const uint8_t *header)
{
	uint32_t seq = le32(header + 8), window = le32(header + 12);
	enum side peer = side_other(from);
	struct smp_session *s;
	struct mars *m;

	mars_begin(f);
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
		*s = (struct smp_session){.sid = s->sid, .opened = true};
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

void session_head(struct flow *f, enum side from, const struct framer *frame)
{
	if (frame->kind == FRAME_TDS)
		tds_head(f, from, frame->header, &f->in_message[from]);
	else if (frame->kind == FRAME_SMP)
		smp_head(f, from, frame->header);
}

void session_body(struct flow *f, enum side from, const struct framer *frame, const uint8_t *data,
		  uint32_t len, uint64_t ts_ns)
{
	struct inner in = {f, NULL, from};

	if (frame->kind != FRAME_SMP || !f->mars || !f->mars->current[from])
		return;
	in.session = f->mars->current[from];
	frame_feed(&in.session->framer[from], &inner_ops, &in, data, len, ts_ns);
}

void session_end(struct flow *f, enum side from, const struct framer *frame)
{
	if (frame->kind == FRAME_TDS && from == SIDE_SERVER && frame->header[1] & TDS_STATUS_EOM)
		f->awaiting = false;
}
