/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * encrypted.c - the TLS part of a login: the handshake's flights as steps; the records after it as
 * messages that show only size, direction and time; and the conclusions from them.
 */
#include <string.h>

#include "engine/login/steps.h"
#include "lib/off_path.h"

#define REDIRECT_LEAST 95  /* LOGINACK and ROUTING to a name of two letters: MS-TDS 2.2.7.9 */
#define REDIRECT_SURE  250 /* error 18456, for names that are not very long, is smaller */

/* PRELOGIN inside TDS 8, and its response, are not longer. docs/PROTOCOL.md 3.4 */
#define PRELOGIN_MOST	     150
#define PRELOGIN_ANSWER_MOST 96

/* A server may send an alert before it closes: then its FIN can come after the client's. */
static void who_left(const struct login *l, uint64_t closed_ns, struct infer_context *c)
{
	uint64_t last_ns = l->units.count ? l->units.at[l->units.count - 1].last_ns : 0;
	uint64_t ts_ns = l->alerted != SIDE_NONE ? l->alerted_ns : closed_ns;

	c->left = l->alerted != SIDE_NONE ? l->alerted : l->closed_by;
	c->left_ns = ts_ns > last_ns ? ts_ns - last_ns : 0;
}

/* known: how the server answered other logins, or NULL. closed_ns: time of the close, if closed. */
static void judge(const struct login *l, struct judgement *j, bool idle, uint64_t closed_ns,
		  const struct answers_server *known)
{
	struct infer_context c = {
		.mars = l->prelogin[0].mars == 1 && l->prelogin[1].mars == 1,
		.fedauth = l->prelogin[0].fedauth == 1 && l->prelogin[1].fedauth == 1,
		.idle = idle,
		.known = known,
	};

	who_left(l, closed_ns, &c);
	infer_judge(j, &l->units, &c);
}

/* Turn a judgement into the decision, with the steps that it implies. */
static void conclude(struct login *l, const struct judgement *j)
{
	const struct units *u = &l->units;

	for (uint32_t i = 1; i <= j->final_answer && i < u->count; i++) {
		enum phase phase = i <= j->first_answer ? PHASE_LOGIN : PHASE_AUTH;
		bool last = i == j->final_answer;

		step_mark(l,
			  u->at[i].from == SIDE_CLIENT ? STEP_AUTH_MESSAGE
			  : last		       ? STEP_ANSWER
						       : STEP_AUTH_ANSWER,
			  phase, (enum side)u->at[i].from, u->at[i].last_ns);
		if (i > j->first_answer || !last)
			l->rounds++;
	}
	if (j->final_answer > j->first_answer)
		l->rounds--; /* the final answer is not a round */
	if (l->method == AUTH_UNKNOWN && j->method != AUTH_UNKNOWN)
		login_set_method(l, j->method, BASIS_INFERRED, j->method_grounds);
	l->answered = j->final_answer > j->first_answer;
	l->outcome_grounds = j->grounds;
	l->answer_size = j->answer;
	l->last_unit = j->last > j->final_answer ? j->last : j->final_answer;
	login_decide(l, j->outcome, j->confidence);
}

/* Judge after each message of a login that TLS hides. */
static void hidden_answer(struct login *l)
{
	struct judgement j;

	if (l->state != LOGIN_SENT || l->login7_clear || l->lossy || l->no_prelogin)
		return;
	judge(l, &j, false, 0, NULL);
	/* With no room for more evidence, report the judgement as it stands. */
	if (j.outcome != OUTCOME_INCOMPLETE && (j.confidence <= CONFIDENCE_HIGH || l->units.more))
		conclude(l, &j);
}

static bool is_hidden(const struct login *l)
{
	return l->state == LOGIN_SENT && !l->login7_clear && l->units.count >= 2 && !l->lossy &&
	       !l->no_prelogin;
}

static const struct answers_server *known_of(const struct flow *f)
{
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	return answers_of(f->login->env->answers, &server);
}

bool encrypted_judge(struct flow *f, bool idle)
{
	struct login *l = f->login;
	struct judgement j;

	if (!is_hidden(l) || decrypt_reads(l->decrypt))
		return false;
	judge(l, &j, idle, 0, known_of(f));
	if (j.outcome == OUTCOME_INCOMPLETE)
		return false;
	conclude(l, &j);
	return true;
}

/*
 * The answer may have sent the client on: MS-TDS 2.2.7.9, routing. A refusal of so many bytes is a
 * long one, or of a size that the server is not known for.
 */
static bool may_be_redirect(const struct login *l, const struct judgement *j,
			    const struct infer_context *c)
{
	if (j->outcome == OUTCOME_REFUSED)
		return c->left == SIDE_SERVER && j->answer.most >= REDIRECT_SURE &&
		       !answers_has(c->known, ANSWER_REFUSED, j->answer);
	return j->outcome == OUTCOME_INCOMPLETE && j->answer.most >= REDIRECT_LEAST &&
	       l->units.at[l->units.count - 1].from == SIDE_SERVER && c->left_ns <= NS_PER_S;
}

bool encrypted_closed(struct flow *f, uint64_t ts_ns)
{
	struct infer_context c = {.known = known_of(f)};
	struct login *l = f->login;
	struct judgement j;

	if (l->units.count < 2 || decrypt_reads(l->decrypt))
		return false;
	if (!is_hidden(l)) {
		login_decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
		return true;
	}
	judge(l, &j, false, ts_ns, c.known);
	who_left(l, ts_ns, &c);
	if (j.outcome == OUTCOME_REFUSED && c.left == SIDE_SERVER)
		l->answer_left_ns = c.left_ns;
	l->awaits_next = may_be_redirect(l, &j, &c);
	l->next_first = j.first_answer;
	l->next_final = j.final_answer;
	if (j.outcome == OUTCOME_INCOMPLETE)
		login_decide(l, OUTCOME_INCOMPLETE, CONFIDENCE_LOW);
	else
		conclude(l, &j);
	return true;
}

void encrypted_next(struct login *l, const struct endpoint *target, uint64_t ns)
{
	struct judgement j = {
		.outcome = OUTCOME_REDIRECTED,
		.confidence = CONFIDENCE_MEDIUM,
		.first_answer = l->next_first,
		.final_answer = l->next_final,
	};

	l->next = *target;
	l->next_ns = ns;
	if (l->outcome == OUTCOME_INCOMPLETE)
		conclude(l, &j);
	else
		login_decide(l, j.outcome, j.confidence);
}

void encrypted_refused(struct login *l)
{
	struct judgement j = {
		.outcome = OUTCOME_REFUSED,
		.confidence = CONFIDENCE_HIGH,
		.first_answer = l->next_first ? l->next_first : 1,
		.final_answer = l->next_final ? l->next_final : 1,
	};

	if (l->outcome == OUTCOME_INCOMPLETE)
		conclude(l, &j);
	else
		login_decide(l, j.outcome, j.confidence);
	l->outcome_grounds = "error log";
}

/* Was there such a step? With messages cut short it is all that tells. */
static bool cut_after(const struct login *l, enum step_kind kind)
{
	for (uint32_t i = 0; l->cut && i < l->mark_count; i++)
		if (l->marks[i].kind == kind)
			return true;
	return false;
}

static enum step_kind flight_kind(const struct login *l, enum side from)
{
	const struct tls *t = &l->tls;

	if (t->side[from].type == TLS_ALERT)
		return STEP_TLS_ALERT;
	if (cut_after(l, STEP_SERVER_HELLO))
		return from == SIDE_CLIENT ? STEP_CLIENT_FINISHED : STEP_SERVER_FINISHED;
	if (from == SIDE_CLIENT)
		return t->side[SIDE_CLIENT].ccs || t->server_hello ? STEP_CLIENT_FINISHED
								   : STEP_CLIENT_HELLO;
	/* A NewSessionTicket goes before the server's ChangeCipherSpec: RFC 5077 3.1 */
	if (t->side[SIDE_CLIENT].ccs && t->server_hello && t->version < TLS_1_3)
		return STEP_SERVER_FINISHED;
	return t->retry && !t->server_hello ? STEP_HELLO_RETRY : STEP_SERVER_HELLO;
}

/* A record of the handshake: the flight it belongs to is one step. */
static void handshake_record(struct login *l, enum side from, uint64_t ts_ns)
{
	enum step_kind kind = flight_kind(l, from);
	const struct mark *last = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	l->state = LOGIN_TLS;
	if (last && last->phase == PHASE_TLS && last->waited_for == from)
		step_extend(l, from, ts_ns);
	else
		step_end_message(l, kind, PHASE_TLS, from, l->owes, ts_ns);
	if (from == SIDE_CLIENT)
		l->owes = SIDE_SERVER;
	else if (tls_server_flight_over(&l->tls))
		l->owes = SIDE_CLIENT;
	if (!l->tls.done)
		return;
	/* Full 1.2: the server's Finished was the last; resumed and 1.3: the client's. */
	l->owes = SIDE_CLIENT;
	l->state = LOGIN_TLS_DONE;
	step_end_phase(l);
}

/*
 * TDS 8: the PRELOGIN exchange is the first inside TLS. A tunnel may carry a driver that leaves it
 * out, and begins with LOGIN7.
 */
static void hidden_prelogin(struct login *l, enum side from, uint64_t ts_ns)
{
	const struct mark *last = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;
	uint32_t least, most, len = l->tls.side[from].len;

	tls_overhead(&l->tls, from, &least, &most);
	if (from == SIDE_CLIENT && l->state == LOGIN_TLS_DONE) {
		l->state = LOGIN_PRELOGIN;
		l->large_prelogin = len > PRELOGIN_MOST + most;
		step_end_message(l, STEP_PRELOGIN, PHASE_PRELOGIN, from, SIDE_SERVER, ts_ns);
		return;
	}
	if (from == SIDE_SERVER && l->state == LOGIN_PRELOGIN) {
		/* Session tickets may come before the response; they are longer. docs/PROTOCOL.md 3.4 */
		if (len > PRELOGIN_ANSWER_MOST + most) {
			l->no_prelogin = l->large_prelogin;
			return;
		}
		l->state = LOGIN_PRELOGIN_DONE;
		step_end_message(l, STEP_PRELOGIN_RESPONSE, PHASE_PRELOGIN, from, SIDE_CLIENT,
				 ts_ns);
		step_end_phase(l);
		return;
	}
	if (from == SIDE_CLIENT && last && last->waited_for == SIDE_CLIENT)
		step_extend(l, from, ts_ns);
}

/*
 * Before the first answer to LOGIN7, a client that gives up sends only a TDS header. No part of
 * LOGIN7 is that short and that late.
 */
static bool is_attention(const struct login *l, enum side from, uint64_t ts_ns)
{
	uint32_t least, most, len = l->tls.side[from].len;

	if (from != SIDE_CLIENT || l->state != LOGIN_SENT || l->units.count != 1 ||
	    ts_ns < l->spoke_ns[SIDE_CLIENT] + LOGIN_WAIT_NS)
		return false;
	tls_overhead(&l->tls, from, &least, &most);
	return len >= TDS_HEADER + least && len <= TDS_HEADER + most;
}

static void hidden_record(struct login *l, enum side from, uint64_t ts_ns)
{
	uint32_t least, most, len = l->tls.side[from].len;

	/* A session ticket may come before it. */
	if (l->decrypt && (from == SIDE_CLIENT || l->owes == SIDE_SERVER))
		decrypt_missed(l->decrypt);
	if (is_attention(l, from, ts_ns)) {
		step_note_attention(l);
		return;
	}

	if (l->strict && l->state < LOGIN_SENT &&
	    !(from == SIDE_CLIENT && l->state == LOGIN_PRELOGIN_DONE)) {
		hidden_prelogin(l, from, ts_ns);
		return;
	}
	if (from == SIDE_SERVER && l->state < LOGIN_SENT)
		return; /* a session ticket of TLS 1.3: nobody asked for anything */
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
		step_end_message(l, STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	}
	if (l->units.count == 1) /* LOGIN7 takes several records */
		step_extend(l, SIDE_CLIENT, ts_ns);
	l->spoke_ns[SIDE_CLIENT] = ts_ns;
	l->owes = SIDE_SERVER;
	hidden_answer(l);
}

/* Mostly close_notify: this side sends nothing more. RFC 8446 6.1 */
static void note_alert(struct login *l, enum side from, uint64_t ts_ns)
{
	l->alerted = from;
	l->alerted_ns = ts_ns;
}

/* Decrypted data: its messages are read like those in clear. Its size is kept, too. */
static void plain_data(struct login *l, enum side from, uint64_t ts_ns)
{
	uint32_t least, most, len = l->tls.side[from].len;

	if (l->state == LOGIN_TLS)
		l->state = LOGIN_TLS_DONE;
	if (from == SIDE_SERVER && l->state == LOGIN_SENT)
		l->full = !l->strict;
	if (l->strict && l->state < LOGIN_PRELOGIN_DONE)
		return;
	tls_overhead(&l->tls, from, &least, &most);
	units_add(&l->units, from, len > most ? len - most : 0, len > least ? len - least : 0,
		  ts_ns);
}

/* A protected record that was decrypted. False: it was not protected, or is not read. */
OFF_PATH static bool plain_record(struct login *l, enum side from, uint64_t ts_ns)
{
	struct decrypted r = decrypt_record(l->decrypt, from);
	bool was_done = l->tls.done;

	if (!r.type)
		return false;
	tls_record_plain(&l->tls, from, r.type, r.data, r.len);
	if (r.type == TLS_DATA)
		plain_data(l, from, ts_ns);
	else if (r.type == TLS_ALERT && was_done && l->alerted == SIDE_NONE)
		note_alert(l, from, ts_ns);
	else if (!was_done && l->state < LOGIN_SENT)
		handshake_record(l, from, ts_ns);
	return true;
}

void encrypted_record(struct login *l, enum side from, uint64_t ts_ns)
{
	uint8_t type = l->tls.side[from].type;
	bool was_done = l->tls.done;

	if (l->decrypt && plain_record(l, from, ts_ns))
		return;
	tls_record_end(&l->tls, from);
	if (!l->tls.client_hello && login_joined(l)) {
		l->lossy = true; /* joined within the handshake, or after it */
		l->strict = false;
	}
	if (was_done || (type == TLS_DATA && from == SIDE_CLIENT && l->tls.version < TLS_1_3)) {
		if (type == TLS_DATA && !tls_is_alert(&l->tls, from))
			hidden_record(l, from, ts_ns);
		else if (was_done && tls_is_alert(&l->tls, from) && l->alerted == SIDE_NONE)
			note_alert(l, from, ts_ns);
		return;
	}
	/*
	 * TLS 1.3: the record after the client's Finished shows that it was one; its length did
	 * not.
	 */
	if (l->tls.done && from == SIDE_SERVER && l->tls.version == TLS_1_3) {
		l->state = LOGIN_TLS_DONE;
		step_end_phase(l);
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
	if (frame->kind != FRAME_TLS)
		return;
	if (in->l->decrypt)
		decrypt_head(in->l->decrypt, in->from, frame->header);
	tls_record_head(&in->l->tls, in->from, frame->header);
}

static void inner_body(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	struct inner *in = ctx;

	if (frame->kind != FRAME_TLS)
		return;
	if (in->l->decrypt)
		decrypt_body(in->l->decrypt, in->from, data, len, ts_ns);
	tls_record_body(&in->l->tls, in->from, data, len);
}

static void inner_end(void *ctx, const struct framer *frame, uint64_t ts_ns)
{
	struct inner *in = ctx;

	if (frame->kind == FRAME_TLS && in->l->decrypt)
		decrypt_end(in->l->decrypt, in->from, ts_ns);
	if (frame->kind == FRAME_TLS && in->l->state != LOGIN_DECIDED)
		encrypted_record(in->l, in->from, ts_ns);
}

static void inner_lost(void *ctx, const struct framer *frame, const uint8_t *data, uint32_t len,
		       uint64_t ts_ns)
{
	(void)ctx, (void)frame, (void)data, (void)len, (void)ts_ns;
}

/* Handlers of the frames inside TDS packets of the handshake. */
static const struct frame_ops inner_ops = {inner_head, inner_body, inner_end, inner_lost};

void encrypted_feed(struct login *l, enum side from, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct inner in = {l, from};

	frame_feed(&l->tls_framer[from], &inner_ops, &in, data, len, ts_ns);
}
