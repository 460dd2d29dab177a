/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * login.c - see login.h: the state machine. What it says in the end is in report.c.
 */
#include <stdlib.h>

#include "login.h"

#define MESSAGE_MAX (160 * 1024) /* LOGIN7 may be 128 KB, MS-TDS 2.2.6.4; tokens as large */

struct login *login_new(void)
{
	struct login *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	tls_init(&l->tls);
	tds_prelogin_release(&l->prelogin[0]);
	tds_prelogin_release(&l->prelogin[1]);
	tds_login7_release(&l->login7);
	tds_answer_release(&l->answer);
	l->owes = SIDE_CLIENT;
	l->spid = -1;
	l->closed_by = SIDE_NONE;
	return l;
}

void login_free(struct login *l)
{
	if (!l)
		return;
	for (int i = 0; i < 2; i++) {
		buf_release(&l->message[i].body);
		tds_prelogin_release(&l->prelogin[i]);
	}
	tls_release(&l->tls);
	tds_login7_release(&l->login7);
	tds_answer_release(&l->answer);
	free(l->ntlm_user);
	free(l->ntlm_domain);
	free(l->ntlm_workstation);
	free(l);
}

/* ---- marks ---- */

/* Where a phase stands in the order of the connection: TDS 8 has TLS before PRELOGIN. */
static int rank(const struct login *l, enum phase phase)
{
	if (l->strict && (phase == PHASE_PRELOGIN || phase == PHASE_TLS))
		return PHASE_PRELOGIN + PHASE_TLS - (int)phase;
	return (int)phase;
}

static void mark(struct login *l, const char *name, enum phase phase, enum side waited_for,
		 uint64_t ts_ns)
{
	/* A message out of place (a peer that breaks the protocol) opens no phase that is over. */
	if (l->mark_count && rank(l, phase) < rank(l, l->marks[l->mark_count - 1].phase))
		phase = (enum phase)l->marks[l->mark_count - 1].phase;
	/* One place is kept for how it ended. */
	if (l->mark_count >= LOGIN_MARKS - 1 && l->state != LOGIN_DECIDED)
		return;
	if (l->mark_count == LOGIN_MARKS)
		return;
	l->marks[l->mark_count++] = (struct mark){ name, ts_ns, (uint8_t)phase,
						   (uint8_t)waited_for };
}

/* A message of one side is complete: a step ends, and it is the other's turn. */
static void spoke(struct login *l, const char *name, enum phase phase, enum side from,
		  enum side next, uint64_t ts_ns)
{
	mark(l, name, phase, from, ts_ns);
	l->spoke_ns[from] = ts_ns;
	l->owes = next;
}

/* A phase is complete, and so far no segment is missing. */
static void phase_over(struct login *l)
{
	if (!l->lossy)
		l->sound_marks = l->mark_count;
}

/* More of the message that ended the last step. */
static void spoke_on(struct login *l, enum side from, uint64_t ts_ns)
{
	if (l->mark_count)
		l->marks[l->mark_count - 1].ts_ns = ts_ns;
	l->spoke_ns[from] = ts_ns;
}

enum phase login_phase(const struct login *l)
{
	switch (l->state) {
	case LOGIN_TCP:
		if (l->strict)
			return PHASE_TLS;
		return l->ack_ns || !l->syn_ns ? PHASE_PRELOGIN : PHASE_TCP;
	case LOGIN_PRELOGIN:
		return PHASE_PRELOGIN;
	case LOGIN_PRELOGIN_DONE:
		/* With "not supported" on a side there will be no TLS: MS-TDS 2.2.6.5 */
		if (l->strict || l->prelogin[SIDE_SERVER].encryption == ENCRYPT_NOT_SUP)
			return PHASE_LOGIN;
		return PHASE_TLS;
	case LOGIN_TLS:
		return PHASE_TLS;
	case LOGIN_TLS_DONE:
		return l->strict ? PHASE_PRELOGIN : PHASE_LOGIN;
	case LOGIN_SENT:
	case LOGIN_DECIDED:
		return l->answered ? PHASE_AUTH : PHASE_LOGIN;
	}
	return PHASE_LOGIN;
}

static void decide(struct login *l, enum outcome outcome, enum confidence confidence)
{
	/* With packets missing no statement is made. */
	if (l->lossy)
		outcome = OUTCOME_INCOMPLETE;
	if (outcome == OUTCOME_INCOMPLETE)
		confidence = CONFIDENCE_LOW;
	l->state = LOGIN_DECIDED;
	l->outcome = outcome;
	l->confidence = confidence;
	l->outcome_basis = confidence == CONFIDENCE_CERTAIN ? BASIS_OBSERVED : BASIS_INFERRED;
}

/* ---- TCP ---- */

/*
 * The client's first segment after SYN+ACK completes the handshake. Where it is not the ACK alone
 * but data, the ACK may have been there and be lost to us, or overtaken: the client's IP id tells,
 * for it counts its packets (RFC 6864 lets it not, then nothing can be told).
 */
bool login_lacks_ack(const struct login *l, const struct seg *seg)
{
	uint16_t between = (uint16_t)(seg->ip_id - l->syn_ip_id);

	return !l->ack_ns && l->syn_ns && seg->len && l->syn_ip_id && seg->ip_id && between >= 2 &&
	       between < 16;
}

static void handshake_done(struct login *l, const struct seg *seg, uint64_t ts_ns)
{
	if (l->ack_ns || !(l->syn_ns || l->synack_ns))
		return;
	l->lossy |= login_lacks_ack(l, seg);
	l->ack_ns = ts_ns;
	l->spoke_ns[SIDE_CLIENT] = l->spoke_ns[SIDE_SERVER] = ts_ns;
}

static void login_syn(struct login *l, const struct seg *seg)
{
	l->syns++;
	if (!l->syn_ns || seg->ts_ns < l->syn_ns)
		l->syn_ns = seg->ts_ns;
	if (!l->synack_ns || seg->ts_ns <= l->synack_ns)
		l->last_syn_ns = seg->ts_ns;
	l->syn_ip_id = seg->ip_id;
}

void login_tcp(struct flow *f, enum side from, const struct seg *seg, uint64_t ts_ns)
{
	struct login *l = f->login;

	if (!l->ttl[from])
		l->ttl[from] = seg->ttl;
	if (seg->len)
		l->payload_ns[from] = ts_ns;
	if (seg->flags & SEG_SYN) {
		if (!(seg->flags & SEG_ACK)) {
			login_syn(l, seg);
			return;
		}
		if (!l->synack_ns)
			l->synack_ns = seg->ts_ns;
		if (!l->ack_ns)
			l->last_synack_ns = seg->ts_ns;
		return;
	}
	if (!seg->window && !(seg->flags & SEG_RST))
		l->zero_windows++;
	if (from == SIDE_CLIENT && seg->flags & SEG_ACK)
		handshake_done(l, seg, ts_ns);
}

/* ---- SSPI and federated tokens ---- */

static void method_seen(struct login *l, enum auth_method method, enum basis basis,
			const char *grounds)
{
	/* A mechanism once told is not taken back by a token that tells less. */
	if (l->method_basis == BASIS_OBSERVED && l->method != AUTH_WINDOWS)
		return;
	l->method = method;
	l->method_basis = basis;
	l->grounds = grounds;
}

static void take_text(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = *from;
	*from = NULL;
}

static void token_seen(struct login *l, const uint8_t *data, uint32_t len)
{
	struct sspi_token t;

	sspi_parse(&t, data, len);
	l->token_seen = true;
	if (t.mech == SSPI_NTLM)
		method_seen(l, AUTH_NTLM, BASIS_OBSERVED, "an NTLMSSP message was read");
	else if (t.mech == SSPI_KERBEROS)
		method_seen(l, AUTH_KERBEROS, BASIS_OBSERVED, "a Kerberos token was read");
	else
		method_seen(l, AUTH_WINDOWS, BASIS_OBSERVED,
			    "an SSPI token was read that names no one mechanism");
	if (t.ntlm_type == 3) {
		l->null_credentials |= t.anonymous;
		take_text(&l->ntlm_user, &t.user);
		take_text(&l->ntlm_domain, &t.domain);
		take_text(&l->ntlm_workstation, &t.workstation);
	}
	sspi_release(&t);
}

/* ---- messages in clear ---- */

static void client_prelogin(struct login *l, const struct message *m, uint64_t ts_ns)
{
	struct tds_prelogin p;

	if (tds_prelogin_parse(&p, m->body.data, m->body.len) < 0)
		return;
	tds_prelogin_release(&l->prelogin[SIDE_CLIENT]);
	l->prelogin[SIDE_CLIENT] = p;
	if (l->state == LOGIN_TCP)
		l->state = LOGIN_PRELOGIN;
	spoke(l, "prelogin", PHASE_PRELOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
}

static void server_prelogin(struct login *l, const struct message *m, uint64_t ts_ns)
{
	struct tds_prelogin p;

	if (tds_prelogin_parse(&p, m->body.data, m->body.len) < 0)
		return;
	tds_prelogin_release(&l->prelogin[SIDE_SERVER]);
	l->prelogin[SIDE_SERVER] = p;
	l->state = LOGIN_PRELOGIN_DONE;
	spoke(l, "prelogin_response", PHASE_PRELOGIN, SIDE_SERVER, SIDE_CLIENT, ts_ns);
	phase_over(l);
}

/* What LOGIN7 says of how it authenticates: MS-TDS 2.2.6.4 */
static void login7_method(struct login *l)
{
	const struct tds_login7 *p = &l->login7;

	if (p->fedauth_library >= 0)
		method_seen(l, AUTH_FEDAUTH, BASIS_OBSERVED, "LOGIN7 asks for federated authentication");
	else if (p->sspi_len)
		token_seen(l, p->sspi, p->sspi_len);
	else if (p->integrated)
		method_seen(l, AUTH_WINDOWS, BASIS_OBSERVED, "LOGIN7 asks for integrated security");
	else
		method_seen(l, AUTH_SQL, BASIS_OBSERVED,
			    "LOGIN7 carries neither an SSPI token nor a federated one");
	l->login7.sspi = NULL; /* it pointed into the message */
}

static void client_login7(struct login *l, const struct message *m, uint64_t ts_ns)
{
	/* Login-only encryption: what follows the first packet of LOGIN7 is plain. */
	if (l->login7_hidden && l->state == LOGIN_SENT && !l->answered) {
		spoke_on(l, SIDE_CLIENT, ts_ns);
		return;
	}
	if (l->state >= LOGIN_SENT)
		return;
	l->login7_clear = true;
	l->unread |= m->body.cut;
	if (tds_login7_parse(&l->login7, m->body.data, m->body.len) > 0)
		login7_method(l);
	l->state = LOGIN_SENT;
	spoke(l, "login7", PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
}

static void client_message(struct login *l, const struct message *m, uint64_t ts_ns)
{
	switch (m->type) {
	case TDS_PRELOGIN:
		client_prelogin(l, m, ts_ns);
		return;
	case TDS_LOGIN7:
		client_login7(l, m, ts_ns);
		return;
	case TDS_LOGIN_OLD:
		l->old_login = true;
		l->login7_clear = true;
		l->state = LOGIN_SENT;
		spoke(l, "login", PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	case TDS_SSPI:
		l->rounds++;
		token_seen(l, m->body.data, m->body.len);
		spoke(l, "sspi", PHASE_AUTH, SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	case TDS_FEDAUTH_TOKEN:
		l->rounds++;
		method_seen(l, AUTH_FEDAUTH, BASIS_OBSERVED, "a federated token was sent");
		spoke(l, "fedauth_token", PHASE_AUTH, SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	default:
		spoke(l, "request", login_phase(l), SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	}
}

/*
 * The answer to an encrypted LOGIN7 that came in clear: login-only encryption. Without an SSPI or
 * federated message between, what was in LOGIN7 can only have been a SQL login.
 */
static void answer_method(struct login *l)
{
	if (l->token_seen || l->method != AUTH_UNKNOWN || !l->login7_hidden || l->lossy)
		return;
	if (l->prelogin[SIDE_CLIENT].fedauth == 1 && l->prelogin[SIDE_SERVER].fedauth == 1)
		return;
	method_seen(l, AUTH_SQL, BASIS_INFERRED,
		    "LOGIN7 is encrypted, but was answered without an SSPI or federated message");
}

static bool before_tds72(const struct login *l)
{
	if (l->login7.version)
		return l->login7.version >> 24 <= 0x71;
	return l->prelogin[SIDE_SERVER].version && l->prelogin[SIDE_SERVER].major <= 8;
}

/* A message that does not end the login: a challenge, or a wish for a token. */
static void answer_goes_on(struct login *l, enum phase phase, uint64_t ts_ns)
{
	const struct tds_answer *a = &l->answer;
	enum side next = SIDE_CLIENT;

	if (a->sspi || a->fedauth_info)
		l->rounds++;
	if (a->sspi && l->method == AUTH_KERBEROS)
		next = SIDE_SERVER; /* its login answer follows unasked: MS-TDS 2.2.6.8 and practice */
	spoke(l, a->sspi ? "sspi_challenge" : a->fedauth_info ? "fedauth_info" : "response", phase,
	      SIDE_SERVER, next, ts_ns);
}

static void server_answer(struct flow *f, const struct message *m, uint64_t ts_ns)
{
	struct login *l = f->login;
	enum phase phase = l->answered ? PHASE_AUTH : PHASE_LOGIN;
	struct tds_answer *a = &l->answer;

	l->has_clear_answer = true;
	tds_answer_release(a);
	tds_answer_parse(a, m->body.data, m->body.len, before_tds72(l));
	if (a->sspi)
		token_seen(l, a->sspi_token, a->sspi_len);
	a->sspi_token = NULL; /* it pointed into the message */
	if (a->fedauth_info)
		method_seen(l, AUTH_FEDAUTH, BASIS_OBSERVED, "the server asked for a federated token");
	if (m->body.cut && !a->loginack && !a->has_error)
		l->unread = true;
	if (!a->loginack && !a->has_error) {
		answer_goes_on(l, phase, ts_ns);
		if (a->sspi || a->fedauth_info) {
			l->answered = true;
			phase_over(l);
		}
		return;
	}
	if (a->sspi || a->fedauth_info)
		l->rounds++;
	answer_method(l);
	spoke(l, a->loginack ? "loginack" : "error", phase, SIDE_SERVER, SIDE_CLIENT, ts_ns);
	l->answered = true;
	decide(l, !a->loginack ? OUTCOME_REFUSED
			       : a->redirect_host ? OUTCOME_REDIRECTED : OUTCOME_OK,
	       CONFIDENCE_CERTAIN);
	phase_over(l);
}

static void server_message(struct flow *f, const struct message *m, uint64_t ts_ns)
{
	struct login *l = f->login;
	bool table = m->body.len && !m->body.data[0];

	if (l->state <= LOGIN_PRELOGIN && table) {
		server_prelogin(l, m, ts_ns);
		return;
	}
	server_answer(f, m, ts_ns);
}

/* A message after the decision: only an answer that came after its client had left is of note. */
static void late_message(struct login *l, enum side from, const struct message *m)
{
	struct tds_answer a;

	if (from != SIDE_SERVER || l->closed_by != SIDE_CLIENT)
		return;
	tds_answer_parse(&a, m->body.data, m->body.len, before_tds72(l));
	l->late_answer |= a.loginack || a.has_error;
	tds_answer_release(&a);
}

/* ---- TLS ---- */

static const char *flight_name(const struct login *l, enum side from)
{
	const struct tls *t = &l->tls;

	if (t->side[from].type == TLS_ALERT)
		return "tls_alert";
	if (from == SIDE_CLIENT)
		return t->side[SIDE_CLIENT].ccs || t->server_hello ? "client_finished"
								   : "client_hello";
	if (t->side[SIDE_SERVER].ccs && t->side[SIDE_CLIENT].ccs && t->version < TLS_1_3)
		return "server_finished";
	return t->retry && !t->server_hello ? "hello_retry" : "server_hello";
}

/* A record of the handshake: the flight it belongs to is one step. */
static void handshake_record(struct login *l, enum side from, uint64_t ts_ns)
{
	const char *name = flight_name(l, from);
	const struct mark *last = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	l->state = LOGIN_TLS;
	if (last && last->phase == PHASE_TLS && last->waited_for == from)
		spoke_on(l, from, ts_ns);
	else
		spoke(l, name, PHASE_TLS, from, l->owes, ts_ns);
	if (from == SIDE_CLIENT)
		l->owes = SIDE_SERVER;
	else if (tls_server_flight_over(&l->tls))
		l->owes = SIDE_CLIENT;
	if (!l->tls.done)
		return;
	/* Full 1.2: the server's Finished was the last; resumed and 1.3: the client's. */
	l->owes = SIDE_CLIENT;
	l->state = LOGIN_TLS_DONE;
	phase_over(l);
}

static void hidden_answer(struct login *l);

/* TDS 8: the PRELOGIN exchange is the first inside TLS. */
static void hidden_prelogin(struct login *l, enum side from, uint64_t ts_ns)
{
	const struct mark *last = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;
	uint32_t least, most;

	if (from == SIDE_CLIENT && l->state == LOGIN_TLS_DONE) {
		l->state = LOGIN_PRELOGIN;
		spoke(l, "prelogin", PHASE_PRELOGIN, from, SIDE_SERVER, ts_ns);
		return;
	}
	if (from == SIDE_SERVER && l->state == LOGIN_PRELOGIN) {
		/* Session tickets may come before the response; they are longer. tds.md 3.4 */
		tls_overhead(&l->tls, from, &least, &most);
		if (l->tls.side[from].len > 96 + most)
			return;
		l->state = LOGIN_PRELOGIN_DONE;
		spoke(l, "prelogin_response", PHASE_PRELOGIN, from, SIDE_CLIENT, ts_ns);
		phase_over(l);
		return;
	}
	if (from == SIDE_CLIENT && last && last->waited_for == SIDE_CLIENT)
		spoke_on(l, from, ts_ns);
}

static void hidden_record(struct login *l, enum side from, uint64_t ts_ns)
{
	uint32_t least, most, len = l->tls.side[from].len;

	if (l->strict && l->state < LOGIN_SENT &&
	    !(from == SIDE_CLIENT && l->state == LOGIN_PRELOGIN_DONE)) {
		hidden_prelogin(l, from, ts_ns);
		return;
	}
	tls_overhead(&l->tls, from, &least, &most);
	units_add(&l->units, from, len > most ? len - most : 0, len > least ? len - least : 0,
		  ts_ns);
	if (from == SIDE_SERVER && l->state == LOGIN_SENT) {
		l->full = !l->strict;
		l->spoke_ns[SIDE_SERVER] = ts_ns;
		l->owes = SIDE_CLIENT;
		hidden_answer(l);
		return;
	}
	if (from != SIDE_CLIENT)
		return;
	if (l->state < LOGIN_SENT) {
		l->state = LOGIN_SENT;
		l->login7_hidden = true;
		spoke(l, "login7", PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	}
	if (l->units.count == 1) /* LOGIN7 over several records */
		spoke_on(l, SIDE_CLIENT, ts_ns);
	l->spoke_ns[SIDE_CLIENT] = ts_ns;
	l->owes = SIDE_SERVER;
	hidden_answer(l);
}

static void tls_record(struct login *l, enum side from, uint64_t ts_ns)
{
	uint8_t type = l->tls.side[from].type;
	bool was_done = l->tls.done;

	tls_record_end(&l->tls, from);
	if (was_done || (type == TLS_DATA && from == SIDE_CLIENT && l->tls.version < TLS_1_3)) {
		if (type == TLS_DATA && !tls_is_alert(&l->tls, from))
			hidden_record(l, from, ts_ns);
		return;
	}
	/* TLS 1.3: the client's Finished was not told by its length, but by what came after it. */
	if (l->tls.done && from == SIDE_SERVER && l->tls.version == TLS_1_3) {
		l->state = LOGIN_TLS_DONE;
		phase_over(l);
		if (type == TLS_DATA)
			hidden_record(l, from, ts_ns);
		return;
	}
	if (l->state < LOGIN_SENT)
		handshake_record(l, from, ts_ns);
}

struct inner {
	struct login *l;
	enum side from;
};

static void inner_head(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	(void)ts_ns;
	if (frame->kind == FRAME_TLS)
		tls_record_head(&in->l->tls, in->from, frame->header);
}

static void inner_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	struct inner *in = ctx;

	(void)ts_ns;
	if (frame->kind == FRAME_TLS)
		tls_record_body(&in->l->tls, in->from, data, len);
}

static void inner_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	if (frame->kind == FRAME_TLS && in->l->state != LOGIN_DECIDED)
		tls_record(in->l, in->from, ts_ns);
}

static void inner_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

/* What frames inside TDS packets of the handshake. */
static const struct frame_ops inner_ops = { inner_head, inner_body, inner_end, inner_lost };

/* ---- frames ---- */

void login_head(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];
	uint16_t spid;

	(void)ts_ns;
	if (frame->kind == FRAME_TLS) {
		if (l->state == LOGIN_TCP && from == SIDE_CLIENT && !l->tls.client_hello &&
		    !l->lossy)
			l->strict = true;
		tls_record_head(&l->tls, from, frame->header);
		return;
	}
	if (frame->kind != FRAME_TDS)
		return;
	spid = (uint16_t)(frame->header[4] << 8 | frame->header[5]);
	if (from == SIDE_SERVER && spid)
		l->spid = spid;
	if (!m->open || m->type != frame->header[0]) {
		m->open = true;
		m->type = frame->header[0];
		m->len = 0;
		m->decided = m->carrier = false;
		buf_clear(&m->body);
	}
	m->len += frame->left;
}

/* Is a message's payload TLS? Told by its first byte: MS-TDS 2.2.6.5, an option table begins 0. */
static bool is_carrier(const struct login *l, enum side from, const struct message *m, uint8_t first)
{
	if (m->type != TDS_PRELOGIN && !(m->type == TDS_RESULT && from == SIDE_SERVER))
		return false;
	if (l->tls_framer[from].kind == FRAME_TLS || l->tls_framer[from].have)
		return m->type == TDS_PRELOGIN; /* goes on with a record that was cut */
	return first >= TLS_CCS && first <= TLS_DATA && l->state < LOGIN_SENT;
}

void login_body(struct flow *f, enum side from, const struct framer *frame, const uint8_t *data,
		uint32_t len, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];
	struct inner in = { l, from };

	if (frame->kind == FRAME_TLS) {
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
		frame_feed(&l->tls_framer[from], &inner_ops, &in, data, len, ts_ns);
	else if (data)
		buf_append(&m->body, data, len, MESSAGE_MAX);
	else
		m->body.cut = true;
}

void login_end(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct message *m = &l->message[from];
	bool whole;

	l->framed[from] = true;
	if (frame->kind == FRAME_TLS) {
		if (l->state != LOGIN_DECIDED)
			tls_record(l, from, ts_ns);
		return;
	}
	if (frame->kind != FRAME_TDS)
		return;
	whole = frame->header[1] & TDS_STATUS_EOM;
	/* Some servers leave the end mark out of the PRELOGIN response. */
	if (!whole && from == SIDE_SERVER && l->state == LOGIN_PRELOGIN && m->body.len) {
		struct tds_prelogin p;

		whole = tds_prelogin_parse(&p, m->body.data, m->body.len) == 1;
		tds_prelogin_release(&p);
	}
	if (!whole)
		return;
	m->open = false;
	if (m->headless) { /* its beginning is missing: it can't be read */
		m->headless = false;
		return;
	}
	if (m->carrier)
		return;
	if (l->state == LOGIN_DECIDED)
		late_message(l, from, m);
	else if (from == SIDE_CLIENT)
		client_message(l, m, ts_ns);
	else
		server_message(f, m, ts_ns);
}

void login_lost(struct flow *f, enum side from, uint64_t ts_ns)
{
	struct login *l = f->login;

	if (l->cut)
		l->unread = true; /* a frame's head was not captured */
	if (l->framed[from] || l->lossy || l->unread || l->state == LOGIN_DECIDED)
		return;
	l->not_tds = true;
	decide(l, OUTCOME_NOT_TDS, CONFIDENCE_CERTAIN);
	mark(l, "not_tds", l->ack_ns || !l->syn_ns ? PHASE_PRELOGIN : PHASE_TCP, from, ts_ns);
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

static void judge(struct login *l, struct judgement *j, bool idle)
{
	struct infer_context c = {
		.mars = l->prelogin[0].mars == 1 && l->prelogin[1].mars == 1,
		.fedauth = l->prelogin[0].fedauth == 1 && l->prelogin[1].fedauth == 1,
		.closed_by = l->closed_by,
		.closed_how = l->closed_how,
		.close_ns = l->closed_by == SIDE_NONE ? 0 : l->spoke_ns[SIDE_CLIENT],
		.idle = idle,
	};

	infer_judge(j, &l->units, &c);
}

/* Turn a judgement into the decision, with the steps that it implies. */
static void conclude(struct login *l, const struct judgement *j)
{
	const struct units *u = &l->units;

	for (uint32_t i = 1; i <= j->final_answer && i < u->count; i++) {
		enum phase phase = i <= j->first_answer ? PHASE_LOGIN : PHASE_AUTH;
		bool last = i == j->final_answer;

		mark(l, u->at[i].from == SIDE_CLIENT ? "auth_message" : last ? "answer" : "auth_answer",
		     phase, (enum side)u->at[i].from, u->at[i].last_ns);
		if (i > j->first_answer || !last)
			l->rounds++;
	}
	if (j->final_answer > j->first_answer)
		l->rounds--; /* the final answer is none */
	if (l->method == AUTH_UNKNOWN && j->method != AUTH_UNKNOWN)
		method_seen(l, j->method, BASIS_INFERRED, j->method_grounds);
	l->answered = j->final_answer > j->first_answer;
	decide(l, j->outcome, j->confidence);
}

/* After each message of a login that TLS hides. */
static void hidden_answer(struct login *l)
{
	struct judgement j;

	if (l->state != LOGIN_SENT || l->login7_clear || l->lossy)
		return;
	judge(l, &j, false);
	if (j.outcome != OUTCOME_INCOMPLETE && j.confidence <= CONFIDENCE_HIGH)
		conclude(l, &j);
}

void login_judge_idle(struct flow *f)
{
	struct login *l = f->login;
	struct judgement j;

	if (l->judged_idle || l->state != LOGIN_SENT || l->units.count < 2 || l->lossy)
		return;
	l->judged_idle = true;
	judge(l, &j, true);
	if (j.outcome != OUTCOME_INCOMPLETE)
		conclude(l, &j);
}

/* Values of the ENCRYPTION option that leave no way on: MS-TDS 2.2.6.5 */
static bool encryption_excludes(const struct login *l)
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
 * How long a side has waited for the other's message at ts_ns; 0: it was its own turn. It waits
 * from its own last byte, be that the end of a message or not.
 */
static uint64_t waited(const struct login *l, enum side by, uint64_t ts_ns)
{
	enum side other = side_other(by);
	uint64_t since = l->payload_ns[by] > l->spoke_ns[by] ? l->payload_ns[by] : l->spoke_ns[by];

	if (l->owes != other && l->payload_ns[by] <= l->spoke_ns[other])
		return 0;
	return since && ts_ns > since ? ts_ns - since : 0;
}

static enum outcome closed_outcome(const struct login *l, enum side by)
{
	if (!l->ack_ns && !l->payload_ns[SIDE_CLIENT] && by == SIDE_SERVER)
		return OUTCOME_REJECTED;
	if (l->waited_ns >= LOGIN_WAIT_NS)
		return OUTCOME_TIMED_OUT;
	if (l->state == LOGIN_TLS || (l->state == LOGIN_TLS_DONE && !l->strict) ||
	    (l->state == LOGIN_TLS_DONE && l->strict) || (l->strict && l->state == LOGIN_TCP) ||
	    (l->tls.alert.from != SIDE_NONE && l->state < LOGIN_SENT))
		return OUTCOME_TLS_FAILED;
	if (by == SIDE_SERVER)
		return OUTCOME_DROPPED;
	if (!l->payload_ns[SIDE_CLIENT])
		return OUTCOME_PROBE;
	if (l->state == LOGIN_PRELOGIN_DONE && !l->strict && !l->message[SIDE_CLIENT].open &&
	    !encryption_excludes(l))
		return OUTCOME_PROBE;
	return OUTCOME_ABANDONED;
}

static const char *close_name(enum side by, enum close_how how)
{
	if (by == SIDE_CLIENT)
		return how == CLOSE_RST ? "client_reset" : "client_close";
	return how == CLOSE_RST ? "server_reset" : "server_close";
}

void login_closed(struct flow *f, enum side by, enum close_how how, uint64_t ts_ns)
{
	struct login *l = f->login;
	struct judgement j;

	if (l->state == LOGIN_DECIDED || l->closed_by != SIDE_NONE)
		return;
	l->closed_by = by;
	l->closed_how = how;
	l->waited_ns = waited(l, by, ts_ns);
	if (l->lossy || l->unread) {
		decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	if (l->state == LOGIN_SENT && !l->login7_clear && l->units.count >= 2) {
		judge(l, &j, false);
		if (j.outcome != OUTCOME_INCOMPLETE) {
			conclude(l, &j);
			return;
		}
		decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	enum outcome outcome = closed_outcome(l, by);
	enum phase phase = login_phase(l);

	decide(l, outcome, CONFIDENCE_CERTAIN);
	mark(l, close_name(by, how), phase, l->owes, ts_ns);
}

void login_give_up(struct flow *f, uint64_t now_ns, bool end_of_capture)
{
	struct login *l = f->login;
	enum phase phase = login_phase(l);
	enum outcome outcome;

	if (l->state == LOGIN_DECIDED)
		return;
	l->gave_up = !end_of_capture;
	l->at_end = end_of_capture;
	if (l->lossy || l->unread) {
		decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return;
	}
	if (l->units.count >= 2) {
		l->judged_idle = false;
		login_judge_idle(f);
		if (l->state == LOGIN_DECIDED)
			return;
	}
	if (l->syn_ns && !l->synack_ns && !l->ack_ns)
		outcome = OUTCOME_UNANSWERED;
	else
		outcome = end_of_capture ? OUTCOME_INCOMPLETE : OUTCOME_TIMED_OUT;
	if (now_ns > l->spoke_ns[side_other(l->owes)])
		l->waited_ns = now_ns - l->spoke_ns[side_other(l->owes)];
	decide(l, outcome, CONFIDENCE_CERTAIN);
	mark(l, end_of_capture ? "last_packet" : "gave_up", phase,
	     outcome == OUTCOME_UNANSWERED ? SIDE_SERVER : l->owes, now_ns);
}
