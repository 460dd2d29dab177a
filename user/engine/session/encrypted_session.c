/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * encrypted_session.c - see encrypted_session.h. One TLS record is one TDS packet, under MARS with
 * SMP's header before it: drivers and servers send it so. A request is a run of the client's
 * records. Its answer is a run of the server's records until the client sends again, because
 * without MARS only one request is under way at a time (MS-TDS 3.2.5). A record shorter than a TDS
 * header is TLS's own: a key update, an alert.
 */
#include <stdlib.h>

#include "engine/session/encrypted_session.h"
#include "engine/protocol/tds.h"
#include "engine/protocol/tls.h"

#define REQUEST_LEAST 30    /* a TDS header and ALL_HEADERS: MS-TDS 2.2.5.3 */
#define ANSWER_LEAST  17    /* a TDS header and the shortest DONE: MS-TDS 2.2.7.6 */
#define DONE_OLD      17    /* an answer that is only a DONE, before TDS 7.2 */
#define DONE_ALONE    21    /* the same since TDS 7.2 */
#define RECORD_FULL   16000 /* about as much as a record holds: the packet continues in another */
/* For an unknown suite: smaller records hold no request, or no answer, under any AEAD. */
#define BLIND_REQUEST 48
#define BLIND_ANSWER  33
#define BLIND_SMALL   24 /* an attention's smallest; from here on SMP's headers, too */

/* What is in a record? */
enum part {
	PART_NONE,    /* nothing of TDS */
	PART_CONTROL, /* only an SMP header: SYN, ACK or FIN */
	PART_ATTENTION,
	PART_DATA,
};

/* A request and the answer to it. */
struct turn {
	uint64_t end_ns;	    /* the request's last byte */
	uint64_t first_ns, last_ns; /* of the answer; 0: not seen */
	uint64_t attention_ns;	    /* its last byte */
	uint64_t before_ns;	    /* the answer's last byte before it; 0: the answer went on */
	uint64_t ack_ns;	    /* the answer's first byte after it */
	uint64_t bytes, answer_bytes, ack_bytes;
	uint32_t acks;	   /* packets of the server after it */
	uint32_t ack_size; /* size of the first of these, at the most */
	bool asked, ended; /* a request; its last byte was seen */
	bool attention;
	bool unknown; /* it may not be a command at all: not reported */
	bool vague;   /* its answer, or how long that took, is not known */
};

/* MARS, concluded from the order of packets and of bare SMP headers, whose kinds do not show. */
struct smp {
	enum {
		SMP_FRESH, /* no packet yet */
		SMP_ASKED, /* the last packet was the client's */
		SMP_ANSWERED,
	} state;
	uint64_t opened, closed;
	uint32_t waiting; /* headers of the client whose kind is not known yet */
	uint32_t run;	  /* packets of the server since the client last sent */
	uint32_t owing;	  /* requests whose answer has not ended, as far as known */
	bool begun;	  /* the first SYN was seen */
};

struct hidden {
	struct session_size overhead[2]; /* of a record; most 0: the suite is not known */
	struct session_size last[2];	 /* the last packet of each side's run; most 0: none yet */
	enum part part[2];		 /* of the current record */
	bool full[2];			 /* the last packet was full: its message goes on */
	bool open;			 /* the server's last packet has not ended */
	bool strict, mars;
	bool any;   /* a request was seen */
	bool split; /* TLS 1.0: first bytes may come in records of their own */
	bool byte;  /* the client's last record was such a byte */
	struct turn turn;
	struct smp smp;
};

bool hidden_mars(const struct hidden *h, uint64_t *sessions, uint64_t *open)
{
	if (!h || !h->mars)
		return false;
	/*
	 * A session that was closed had been opened, even if its SYN was taken for something else.
	 */
	*sessions = h->smp.opened > h->smp.closed ? h->smp.opened : h->smp.closed;
	*open = *sessions - h->smp.closed;
	return true;
}

/* ---- records emitted ---- */

static uint64_t span(uint64_t from_ns, uint64_t to_ns)
{
	if (!to_ns)
		return NO_NS;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

static void tell(struct session_env *env, const struct flow *f, struct command_record *r)
{
	if (!env->command)
		return;
	r->id = flow_id(env->flows, f);
	r->tunnel = flow_tunnel(env->flows, f);
	r->client = flow_endpoint(f, SIDE_CLIENT);
	r->server = flow_endpoint(f, SIDE_SERVER);
	r->spid = r->session = -1;
	r->basis = BASIS_INFERRED;
	r->sql_wanted = env->sql;
	r->answered = r->total_ns != NO_NS;
	if (f->hidden->turn.vague) {
		r->first_byte_ns = r->total_ns = NO_NS;
		r->answered = -1;
	}
	env->command(env->ctx, r);
}

static bool may_be(uint32_t size, const struct hidden *h)
{
	uint32_t most = h->turn.ack_size;
	uint32_t slack = h->overhead[SIDE_SERVER].most - h->overhead[SIDE_SERVER].least;

	return most >= size && most - size <= slack;
}

/* The answer had ended before the attention: all that follows is the acknowledgement. */
static bool was_over(const struct hidden *h)
{
	return (h->turn.before_ns || !h->turn.asked) && h->turn.acks == 1 &&
	       (may_be(DONE_ALONE, h) || may_be(DONE_OLD, h));
}

static void tell_request(struct session_env *env, const struct flow *f, const struct turn *t,
			 bool over)
{
	struct command_record r = {
		.time_ns = t->end_ns,
		.kind = COMMAND_UNKNOWN,
		.first_byte_ns = span(t->end_ns, t->first_ns),
		.total_ns = span(t->end_ns, over ? t->before_ns : t->last_ns),
		.request_bytes = t->bytes,
		.response_bytes = t->answer_bytes + (over ? 0 : t->ack_bytes),
		.cancelled = t->attention && !over,
	};

	tell(env, f, &r);
}

static void tell_attention(struct session_env *env, const struct flow *f, const struct turn *t,
			   bool over)
{
	uint64_t last_ns = t->acks ? t->last_ns : 0;
	struct command_record r = {
		.time_ns = t->attention_ns,
		.kind = COMMAND_ATTENTION,
		/*
		 * Else the acknowledgement is the end of the answer that the attention cut short.
		 */
		.first_byte_ns = span(t->attention_ns, over ? t->ack_ns : last_ns),
		.total_ns = span(t->attention_ns, last_ns),
		.request_bytes = TDS_HEADER,
		.response_bytes = over ? t->ack_bytes : 0,
	};

	tell(env, f, &r);
}

/* The client sends again, or never will. */
static void turn_over(struct session_env *env, struct flow *f)
{
	struct hidden *h = f->hidden;
	struct turn *t = &h->turn;
	bool over = was_over(h);

	if (h->open)
		t->last_ns = 0;
	if ((t->asked && !t->ended) || f->half[SIDE_SERVER].framer.kind == FRAME_LOST)
		t->vague = true;
	if (t->asked && !t->unknown)
		tell_request(env, f, t, over);
	if (t->attention)
		tell_attention(env, f, t, over);
	*t = (struct turn){0};
	h->open = false;
}

/* ---- MARS ---- */

/* The client sends a packet: decide which kinds its headers before that were. */
static void smp_asked(struct smp *s)
{
	/* After an answer of several packets the first header is its ACK: MC-SMP 3.1.4 */
	uint32_t acks = s->state == SMP_ANSWERED && s->run >= 2 && s->waiting;

	s->opened += s->waiting - acks;
	s->waiting = 0;
	s->run = 0;
	s->state = SMP_ASKED;
}

static void smp_answered(struct smp *s)
{
	if (s->waiting) { /* ACKs, which made room for this packet */
		s->waiting = 0;
		s->run = 0;
	}
	s->run++;
	s->state = SMP_ANSWERED;
}

static void smp_control(struct smp *s, enum side from)
{
	if (from == SIDE_CLIENT && !s->begun) {
		s->begun = true;
		s->opened++;
	} else if (from == SIDE_CLIENT) {
		s->waiting++;
	} else if (s->waiting && s->state != SMP_ASKED) {
		/* With no request open, if a header answers a header, both are FINs. */
		s->waiting--;
		s->closed++;
	}
}

/* ---- packets ---- */

/* A size that all use, the same size twice in a row, or all that a record can hold. */
static bool is_full(const struct session_size *size, const struct session_size *last)
{
	static const uint32_t usual[] = {4096, 8000};

	for (int i = 0; i < 2; i++) {
		if (size->least <= usual[i] && size->most >= usual[i])
			return true;
	}
	return size->most >= RECORD_FULL || (size->most >= 512 && size->most == last->most);
}

static void packet(struct hidden *h, enum side from, const struct session_size *size)
{
	h->full[from] = is_full(size, &h->last[from]);
	h->last[from] = *size;
	h->last[side_other(from)].most = 0;
}

static void request(struct session_env *env, struct flow *f, const struct session_size *size,
		    uint64_t ts_ns)
{
	struct hidden *h = f->hidden;
	struct turn *t = &h->turn;
	bool more = t->asked && !t->first_ns && !t->attention && (!h->mars || h->full[SIDE_CLIENT]);

	packet(h, SIDE_CLIENT, size);
	if (h->mars)
		smp_asked(&h->smp);
	if (!more) {
		/* Several sessions: it does not show which answer belongs to which request. */
		t->vague |= h->smp.owing > 0;
		turn_over(env, f);
		t->asked = true;
		t->vague = h->smp.owing > 0;
		/* Joined in the middle: this may be a login, or a step of one. */
		t->unknown = !h->any && !h->overhead[SIDE_CLIENT].most;
		f->commands[COMMAND_UNKNOWN] += !t->unknown;
		h->smp.owing += h->mars;
	}
	t->bytes += size->most;
	t->end_ns = ts_ns;
	t->ended = false;
	h->any = true;
	f->awaiting = true;
}

static void attention(struct flow *f, uint64_t ts_ns)
{
	struct hidden *h = f->hidden;
	struct turn *t = &h->turn;

	f->commands[COMMAND_ATTENTION]++;
	f->awaiting = true;
	t->vague |= t->attention || h->smp.owing > 1;
	t->attention = true;
	t->attention_ns = ts_ns;
	t->before_ns = h->full[SIDE_SERVER] || h->open ? 0 : t->last_ns;
	t->acks = 0;
	t->ack_bytes = 0;
}

static void answer(struct flow *f, const struct session_size *size, uint64_t ts_ns)
{
	struct hidden *h = f->hidden;
	struct turn *t = &h->turn;

	packet(h, SIDE_SERVER, size);
	if (h->mars)
		smp_answered(&h->smp);
	if (!h->full[SIDE_SERVER] && h->smp.owing)
		h->smp.owing--;
	h->open = true;
	f->awaiting = false;
	if (!t->first_ns)
		t->first_ns = ts_ns;
	if (!t->attention) {
		t->answer_bytes += size->most;
		return;
	}
	if (!t->acks) {
		t->ack_size = size->most;
		t->ack_ns = ts_ns;
	}
	t->acks++;
	t->ack_bytes += size->most;
}

/* ---- TLS records ---- */

static bool holds(const struct session_size *size, uint32_t n)
{
	return size->least <= n && size->most >= n;
}

/* A record of len bytes, of which an unknown part is plaintext. */
static enum part part_blind(struct hidden *h, bool client, uint32_t len)
{
	if (len >= (client ? BLIND_REQUEST : BLIND_ANSWER))
		return PART_DATA;
	/*
	 * Bytes after an attention, or after a header of another session, are not of this answer.
	 */
	if (client && len >= BLIND_SMALL)
		h->turn.vague = true;
	return PART_NONE;
}

static enum part part_of(struct hidden *h, enum side from, const struct session_size *size)
{
	bool client = from == SIDE_CLIENT;
	uint32_t before;

	if (!h->overhead[from].most)
		return part_blind(h, client, size->most);
	/* TDS 8 shows no PRELOGIN: there the first SYN shows that MARS was agreed on. */
	if (h->strict && client && !h->any && size->least == SMP_HEADER && size->most == SMP_HEADER)
		h->mars = true;
	before = h->mars ? SMP_HEADER : 0;
	if (h->mars && holds(size, SMP_HEADER) && size->most < before + ANSWER_LEAST)
		return PART_CONTROL;
	if (size->most < before + (client ? TDS_HEADER : ANSWER_LEAST))
		return PART_NONE;
	if (!client || size->most >= before + REQUEST_LEAST || !holds(size, before + TDS_HEADER)) {
		h->byte &= !client;
		return PART_DATA;
	}
	/* A split byte and what follows it look the same: the second of two is the attention. */
	h->byte = h->split && !h->byte;
	return h->byte ? PART_NONE : PART_ATTENTION;
}

static void take(struct session_env *env, struct flow *f, enum side from, struct session_size size,
		 uint64_t ts_ns)
{
	struct hidden *h = f->hidden;
	enum part part = part_of(h, from, &size);

	if (h->mars && part > PART_CONTROL) {
		size.least -= size.least < SMP_HEADER ? size.least : SMP_HEADER;
		size.most -= SMP_HEADER;
	}
	/* No request was sent: this is the rest of the login's answer. */
	if (from == SIDE_SERVER && part == PART_DATA && !h->turn.asked && !h->turn.attention)
		part = PART_NONE;
	h->part[from] = part;
	if (part == PART_CONTROL)
		smp_control(&h->smp, from);
	else if (part == PART_ATTENTION)
		attention(f, ts_ns);
	else if (part == PART_DATA && from == SIDE_CLIENT)
		request(env, f, &size, ts_ns);
	else if (part == PART_DATA)
		answer(f, &size, ts_ns);
}

void hidden_end(struct flow *f, enum side from, uint64_t ts_ns)
{
	struct hidden *h = f->hidden;
	enum part part = h ? h->part[from] : PART_NONE;
	struct turn *t;

	if (part <= PART_CONTROL)
		return;
	t = &h->turn;
	h->part[from] = PART_NONE;
	if (part == PART_ATTENTION) {
		t->attention_ns = ts_ns;
	} else if (from == SIDE_CLIENT) {
		t->end_ns = ts_ns;
		t->ended = true;
	} else if (h->open) { /* and the client has sent nothing in the meantime */
		t->last_ns = ts_ns;
		h->open = false;
	}
}

/* Live, the kernel forwards records only if commands are wanted. */
static bool followed(const struct session_env *env)
{
	return !env->live || (env->command && !env->kernel_times_commands);
}

/* Joined in the middle: neither the login nor the suite is known. */
static bool joined(const struct flow *f)
{
	return f->mid_stream && !f->has_login;
}

void hidden_head(struct session_env *env, struct flow *f, enum side from, const uint8_t *header,
		 uint64_t ts_ns)
{
	uint32_t len = frame_length(FRAME_TLS, header) - TLS_HEADER;
	struct session_size *over;

	if (header[0] != TLS_DATA)
		return;
	if (!f->hidden && joined(f) && !f->unfollowed && followed(env))
		f->hidden = calloc(1, sizeof(*f->hidden));
	if (!f->hidden) {
		f->unfollowed = true;
		return;
	}
	over = &f->hidden->overhead[from];
	take(env, f, from,
	     (struct session_size){len > over->most ? len - over->most : 0,
				   len > over->least ? len - over->least : 0},
	     ts_ns);
}

void hidden_skip(struct flow *f, enum side from, uint32_t len)
{
	struct turn *t = &f->hidden->turn;

	if (from == SIDE_SERVER)
		*(t->attention ? &t->ack_bytes : &t->answer_bytes) += len;
	else if (t->asked && !t->first_ns)
		t->bytes += len;
}

void hidden_lossy(struct flow *f)
{
	struct hidden *h = f->hidden;

	h->turn.vague = true;
	h->part[SIDE_CLIENT] = h->part[SIDE_SERVER] = PART_NONE;
	h->open = h->byte = false;
}

/* ---- the session's beginning and end ---- */

void hidden_begin(const struct session_env *env, struct flow *f, const struct session_start *start)
{
	struct hidden *h;

	if (followed(env))
		f->hidden = calloc(1, sizeof(*f->hidden));
	h = f->hidden;
	if (!h) {
		f->unfollowed = true;
		return;
	}
	for (int i = 0; i < 2; i++)
		h->overhead[i] = start->overhead[i];
	h->strict = start->strict;
	h->mars = start->mars;
	h->split = start->split;
}

void hidden_past(struct session_env *env, struct flow *f, enum side from, struct session_size size,
		 uint64_t first_ns, uint64_t last_ns)
{
	take(env, f, from, size, first_ns);
	hidden_end(f, from, last_ns);
}

void hidden_free(struct hidden *h)
{
	free(h);
}

void hidden_close(struct session_env *env, struct flow *f)
{
	/* The capture ended, or the connection was evicted: after a full packet others follow. */
	if ((f->close_how == CLOSE_OPEN || f->close_how == CLOSE_EVICTED) &&
	    f->hidden->full[SIDE_SERVER])
		f->hidden->turn.last_ns = 0;
	turn_over(env, f);
}
