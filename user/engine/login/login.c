/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* login.c - see login.h: the state machine. report.c turns its results into a record. */
#include <stdlib.h>

#include "engine/login/steps.h"
#include "lib/wire_int.h"

#define MESSAGE_MAX (160 * 1024) /* LOGIN7 may be 128 KB, MS-TDS 2.2.6.4; tokens as large */

static struct login *login_memory(struct spare_logins *spare)
{
	return spare && spare->count ? spare->at[--spare->count] : malloc(sizeof(struct login));
}

static void login_memory_free(struct login *l, struct spare_logins *spare)
{
	if (spare && spare->count < SPARE_LOGINS_MOST)
		spare->at[spare->count++] = l;
	else
		free(l);
}

void spare_logins_release(struct spare_logins *spare)
{
	while (spare->count)
		free(spare->at[--spare->count]);
}

struct login *login_new(const struct login_env *env, uint64_t first_ns)
{
	struct login *l = login_memory(env->spare);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct login, units));
	l->units.count = 0;
	l->units.more = false;
	l->env = env;
	l->first_ns = first_ns;
	tls_init(&l->tls);
	l->tls.certs = env->certs;
	for (int i = 0; i < 2; i++) {
		l->message[i].body.pool = env->pool;
		l->tls.side[i].handshake.pool = env->pool;
	}
	tds_prelogin_init(&l->prelogin[0]);
	tds_prelogin_init(&l->prelogin[1]);
	tds_login7_init(&l->login7);
	tds_answer_init(&l->answer);
	l->owes = SIDE_CLIENT;
	l->spid = -1;
	l->closed_by = l->alerted = SIDE_NONE;
	l->answer_left_ns = NO_NS;
	return l;
}

void login_free(struct login *l)
{
	if (!l)
		return;
	if (l->packets)
		l->env->forget(l->env->forget_ctx, l->packets);
	for (int i = 0; i < 2; i++) {
		buf_release(&l->message[i].body);
		tds_prelogin_release(&l->prelogin[i]);
	}
	tls_release(&l->tls);
	tds_login7_release(&l->login7);
	tds_answer_release(&l->answer);
	if (l->token_seen) {
		free(l->ntlm_user);
		free(l->ntlm_domain);
		free(l->ntlm_workstation);
	}
	login_memory_free(l, l->env->spare);
}

/* ---- TCP ---- */

/* The source lost packets since this login began: some may be the login's. */
static bool may_lack_packets(const struct login *l)
{
	return l->env->lost_ns && l->env->lost_ns >= l->first_ns;
}

void login_established(struct login *l, const struct seg *seg, uint64_t ts_ns)
{
	const struct tcp_facts *t = &l->tcp;

	l->ack_unsure = tcp_has_more(seg) &&
			(l->env->capture || may_lack_packets(l) || !t->syn_ns) && !t->retransmits &&
			t->syns < 2 &&
			(!t->syn_ns || !t->syn_ip_id || !seg->ip_id ||
			 (uint16_t)(seg->ip_id - t->syn_ip_id) != 1);
	l->spoke_ns[SIDE_CLIENT] = l->spoke_ns[SIDE_SERVER] = ts_ns;
}

bool login_refused(const struct login *l, enum side by)
{
	return by == SIDE_SERVER && l->state == LOGIN_TCP && l->tcp.syn_ns &&
	       !l->tcp.server_heard && !l->tcp.ack_ns && !l->tcp.payload_ns[SIDE_CLIENT];
}

/* ---- frames ---- */

/* The login of TDS 5 may begin in packets of one type and end in packets of another. */
static bool message_goes_on(const struct message *m, uint8_t type)
{
	return m->open && (m->type == type || (m->type == TDS_LOGIN_OLD && type == TDS_NORMAL_OLD));
}

void login_head(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];
	uint16_t spid;

	(void)ts_ns;
	if (frame->kind == FRAME_TLS) {
		if (l->decrypt)
			decrypt_head(l->decrypt, from, frame->header);
		if (l->state == LOGIN_TCP && from == SIDE_CLIENT && !l->tls.client_hello &&
		    !l->lossy)
			l->strict = true;
		tls_record_head(&l->tls, from, frame->header);
		return;
	}
	if (frame->kind != FRAME_TDS)
		return;
	spid = be16_at(frame->header + 4);
	if (from == SIDE_SERVER && spid)
		l->spid = spid;
	if (!message_goes_on(m, frame->header[0])) {
		m->open = true;
		m->type = frame->header[0];
		m->decided = m->carrier = false;
		m->inside = l->inside;
		buf_clear(&m->body);
		m->data = NULL;
		m->len = 0;
	}
}

/* Is a message's payload TLS? Its first byte shows it: MS-TDS 2.2.6.5, an option table begins 0. */
static bool is_carrier(const struct login *l, enum side from, const struct message *m,
		       uint8_t first)
{
	if (l->inside ||
	    (m->type != TDS_PRELOGIN && !(m->type == TDS_RESULT && from == SIDE_SERVER)))
		return false;
	if (l->tls_framer[from].kind == FRAME_TLS || l->tls_framer[from].have)
		return m->type == TDS_PRELOGIN; /* continues with a record that was cut */
	return first >= TLS_CCS && first <= TLS_DATA && l->state < LOGIN_SENT;
}

static void message_take(struct message *m, const struct framer *frame, const uint8_t *data,
			 uint32_t len)
{
	if (!m->body.len && !m->body.cut && !frame->left && frame->header[1] & TDS_STATUS_EOM) {
		m->data = data;
		m->len = len;
		return;
	}
	buf_append(&m->body, data, len, MESSAGE_MAX);
	m->data = m->body.data;
	m->len = m->body.len;
}

void login_body(struct flow *f, enum side from, const struct framer *frame, const uint8_t *data,
		uint32_t len, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];

	if (frame->kind == FRAME_TLS) {
		if (l->decrypt)
			decrypt_body(l->decrypt, from, data, len, ts_ns);
		tls_record_body(&l->tls, from, data, len);
		return;
	}
	if (frame->kind != FRAME_TDS)
		return;
	if (!m->decided) {
		m->decided = true;
		m->carrier = data && is_carrier(l, from, m, data[0]);
	}
	if (m->carrier)
		encrypted_feed(l, from, data, len, ts_ns);
	else if (!data)
		m->body.cut = true;
	else
		message_take(m, frame, data, len);
}

void login_end(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];
	bool whole;

	l->framed[from] = true;
	if (frame->kind == FRAME_TLS) {
		if (l->decrypt)
			decrypt_end(l->decrypt, from, ts_ns);
		if (l->state != LOGIN_DECIDED)
			encrypted_record(l, from, ts_ns);
		return;
	}
	if (frame->kind != FRAME_TDS)
		return;
	whole = frame->header[1] & TDS_STATUS_EOM;
	/* Some servers leave the end mark out of the PRELOGIN response. */
	if (!whole && from == SIDE_SERVER && l->state == LOGIN_PRELOGIN && m->len) {
		struct tds_prelogin p;

		whole = tds_prelogin_parse(&p, m->data, m->len) == 1;
		tds_prelogin_release(&p);
	}
	if (!whole)
		return;
	m->open = false;
	if (m->headless) { /* its beginning is missing: it cannot be read */
		m->headless = false;
		return;
	}
	if (!m->carrier)
		cleartext_message(l, from, m, ts_ns);
	m->data = NULL; /* it may point into the segment */
	m->len = 0;
}

void login_lost(struct flow *f, enum side from, uint64_t ts_ns)
{
	struct login *l = f->login;

	if (l->cut)
		l->unread = true; /* a frame's head was not captured */
	if (l->framed[from] || l->lossy || l->unread || l->state == LOGIN_DECIDED)
		return;
	l->not_tds = true;
	login_decide(l, OUTCOME_NOT_TDS, CONFIDENCE_CERTAIN);
	step_mark(l, STEP_NOT_TDS, l->tcp.ack_ns || !l->tcp.syn_ns ? PHASE_PRELOGIN : PHASE_TCP,
		  from, ts_ns);
}

void login_gap(struct flow *f, enum side from, uint32_t len, bool missing)
{
	struct login *l = f->login;

	if (missing) {
		l->message[from].headless = true;
		l->lossy = true;
		l->missing_bytes += len;
	} else {
		l->cut = true;
	}
}

/* ---- the end ---- */

void login_judge_idle(struct flow *f)
{
	f->login->judged_idle = true;
	encrypted_judge(f, true);
}

bool login_encryption_excludes(const struct login *l)
{
	enum encrypt_option c = l->prelogin[SIDE_CLIENT].encryption;
	enum encrypt_option s = l->prelogin[SIDE_SERVER].encryption;

	if (c == ENCRYPT_NOT_SUP)
		return s == ENCRYPT_REQ || s == ENCRYPT_ON;
	if (c == ENCRYPT_ON || c == ENCRYPT_REQ)
		return s == ENCRYPT_NOT_SUP || s == ENCRYPT_OFF;
	return false;
}

/*
 * Has the side sent a part of a message since the last whole one? If the ACK that completes the
 * handshake is missing, that part itself seems to complete it: it is as old as the handshake. So is
 * a whole message in a capture with coarse times.
 */
static bool sent_part(const struct login *l, enum side by)
{
	uint64_t sent_ns = l->tcp.payload_ns[by];
	bool completes = !l->mark_count && sent_ns == l->tcp.ack_ns;

	for (int i = 0; i < 2; i++)
		if (sent_ns < l->spoke_ns[i] || (sent_ns == l->spoke_ns[i] && !completes))
			return false;
	return sent_ns;
}

/*
 * How long a side has waited for the other's message at ts_ns; 0: it was its own turn. The wait
 * begins at its own last byte, whether or not that ends a message.
 */
static uint64_t waited(const struct login *l, enum side by, uint64_t ts_ns)
{
	enum side other = side_other(by);
	uint64_t since =
		l->tcp.payload_ns[by] > l->spoke_ns[by] ? l->tcp.payload_ns[by] : l->spoke_ns[by];

	if (l->owes != other && !sent_part(l, by))
		return 0;
	return since && ts_ns > since ? ts_ns - since : 0;
}

static enum outcome closed_outcome(const struct login *l, enum side by)
{
	if (login_refused(l, by))
		return OUTCOME_REJECTED;
	if (l->clock_stepped) /* the waits' lengths and sides are not known */
		return OUTCOME_INCOMPLETE;
	if (l->waited_ns >= LOGIN_WAIT_NS)
		return OUTCOME_TIMED_OUT;
	if (l->state == LOGIN_TLS || l->state == LOGIN_TLS_DONE ||
	    (l->strict && l->state == LOGIN_TCP) ||
	    (l->tls.alert.from != SIDE_NONE && l->state < LOGIN_SENT))
		return OUTCOME_TLS_FAILED;
	if (by == SIDE_SERVER)
		return OUTCOME_DROPPED;
	if (!l->tcp.payload_ns[SIDE_CLIENT])
		return OUTCOME_PROBE;
	if (l->state == LOGIN_PRELOGIN_DONE && !l->strict && !l->message[SIDE_CLIENT].open &&
	    !login_encryption_excludes(l))
		return OUTCOME_PROBE;
	return OUTCOME_ABANDONED;
}

static enum step_kind close_kind(enum side by, enum close_how how)
{
	if (by == SIDE_CLIENT)
		return how == CLOSE_RST ? STEP_CLIENT_RESET : STEP_CLIENT_CLOSE;
	return how == CLOSE_RST ? STEP_SERVER_RESET : STEP_SERVER_CLOSE;
}

/*
 * With payload that was not captured, it is known where the login stopped only while it had reached
 * nothing but PRELOGIN. Without PRELOGIN inside TDS 8 it is not known at all.
 */
static bool login_misread(struct login *l)
{
	if (l->cut && (l->state > LOGIN_PRELOGIN || l->strict))
		l->unread = true;
	return l->unread || l->no_prelogin ||
	       (l->large_prelogin && l->state == LOGIN_PRELOGIN_DONE);
}

bool login_proven_by(struct login *l, enum side from, const struct framer *frame)
{
	if (!l->answer_cut || l->state == LOGIN_DECIDED || from != SIDE_CLIENT ||
	    frame->kind != FRAME_TDS)
		return false;
	switch (frame->header[0]) {
	case TDS_BATCH:
	case TDS_RPC:
	case TDS_BULK:
	case TDS_TRANSACTION:
		login_decide(l, OUTCOME_OK, CONFIDENCE_HIGH);
		return true;
	}
	return false;
}

/*
 * Note what TCP shows of the wait: whether the message that was sent, or the one that was waited
 * for, ever arrived, and how much of a message did.
 */
static void note_wait(struct flow *f, enum side waits)
{
	struct login *l = f->login;
	enum side other = side_other(waits);
	const struct framer *part = &f->half[other].framer;

	for (int i = 0; i < 2; i++) {
		if (!flow_is_unseen(f, (enum side)i))
			continue;
		l->lossy = true;
		/* Of a server that was heard, no packet had a place in its stream. */
		l->one_sided = i == SIDE_CLIENT || !l->tcp.server_heard;
	}
	if (may_lack_packets(l))
		l->lossy = l->ring_lost = true;
	l->unacked = tcp_unacked(f, waits);
	if (!l->unacked.sent)
		l->unacked = tcp_unacked(f, other);
	if (l->unacked.sent)
		unacked_times_add(&l->tcp.unacked, l->unacked.since_ns, UINT64_MAX);
	if (part->kind == FRAME_TDS && part->left) {
		l->whole = frame_length(FRAME_TDS, part->header);
		l->part = l->whole - part->left;
	}
}

void login_closed(struct flow *f, enum side by, enum close_how how, uint64_t ts_ns)
{
	struct login *l = f->login;
	enum outcome outcome;
	enum phase phase;

	if (l->state == LOGIN_DECIDED || l->closed_by != SIDE_NONE)
		return;
	l->closed_by = by;
	l->closed_how = how;
	note_wait(f, by);
	l->waited_ns = waited(l, by, ts_ns);
	/* The other side's message did not arrive, as the client never acknowledged it. */
	if (l->unacked.sent && l->unacked.side != by && ts_ns > l->spoke_ns[by])
		l->waited_ns = ts_ns - l->spoke_ns[by];
	if (l->lossy || l->unread || login_misread(l)) {
		login_decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	if (encrypted_closed(f, ts_ns))
		return;
	outcome = closed_outcome(l, by);
	phase = login_phase(l);
	login_decide(l, outcome, CONFIDENCE_CERTAIN);
	/* Before TCP is established it is nobody's turn: the time is the path's. */
	step_mark(l, close_kind(by, how), phase,
		  phase == PHASE_TCP || l->unacked.sent ? SIDE_NETWORK : l->owes, ts_ns);
}

/*
 * When the side that waits began to wait: after its own last message, or its part of the handshake.
 */
static uint64_t waits_since(const struct login *l)
{
	if (l->tcp.ack_ns)
		return l->spoke_ns[side_other(l->owes)];
	return l->tcp.synack_ns ? l->tcp.last_synack_ns : l->tcp.last_syn_ns;
}

void login_give_up(struct flow *f, uint64_t now_ns, enum close_how how)
{
	bool ended = how != CLOSE_IDLE;
	struct login *l = f->login;
	enum phase phase = login_phase(l);
	uint64_t silent_ns = now_ns > f->last_ns ? now_ns - f->last_ns : 0;
	uint64_t end_ns = ended ? f->last_ns : now_ns;
	enum outcome outcome = ended || l->clock_stepped ? OUTCOME_INCOMPLETE : OUTCOME_TIMED_OUT;

	if (l->state == LOGIN_DECIDED)
		return;
	if (l->tcp.refused_ns) {
		login_closed(f, SIDE_SERVER, CLOSE_RST, l->tcp.refused_ns);
		return;
	}
	l->gave_up = !ended;
	l->at_end = ended;
	l->evicted = how == CLOSE_EVICTED;
	note_wait(f, side_other(l->owes));
	if (l->lossy || l->unread || login_misread(l)) {
		login_decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	if (encrypted_judge(f, silent_ns >= LOGIN_IDLE_NS))
		return;
	/* The answer to the SYN is missing: the server sent packets after it. */
	if (l->tcp.server_heard && !l->tcp.synack_ns && !l->tcp.ack_ns) {
		l->lossy = true;
		login_decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	/* A recent SYN may still be answered. */
	if (!l->clock_stepped && l->tcp.syn_ns && !l->tcp.synack_ns && !l->tcp.ack_ns &&
	    (l->tcp.syns > 1 || now_ns - l->tcp.syn_ns >= LOGIN_WAIT_NS))
		outcome = OUTCOME_UNANSWERED;
	if (waits_since(l) && end_ns > waits_since(l))
		l->waited_ns = end_ns - waits_since(l);
	login_decide(l, outcome, CONFIDENCE_CERTAIN);
	step_mark(l, ended ? STEP_LAST_PACKET : STEP_GAVE_UP, phase,
		  outcome == OUTCOME_UNANSWERED ? SIDE_SERVER
		  : l->unacked.sent		? SIDE_NETWORK
						: l->owes,
		  end_ns);
}
