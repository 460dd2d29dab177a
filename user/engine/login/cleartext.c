/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cleartext.c - the readable messages of a login: PRELOGIN, LOGIN7, authentication messages and the
 * server's answers.
 */
#include <stdlib.h>

#include "engine/login/steps.h"
#include "engine/protocol/redact.h"

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
		login_set_method(l, AUTH_NTLM, BASIS_OBSERVED, "an NTLMSSP message was read");
	else if (t.mech == SSPI_KERBEROS)
		login_set_method(l, AUTH_KERBEROS, BASIS_OBSERVED, "a Kerberos token was read");
	else
		login_set_method(l, AUTH_WINDOWS, BASIS_OBSERVED,
				 "an SSPI token was read that names no one mechanism");
	if (t.ntlm_type == 3) {
		l->null_credentials |= t.anonymous;
		take_text(&l->ntlm_user, &t.user);
		take_text(&l->ntlm_domain, &t.domain);
		take_text(&l->ntlm_workstation, &t.workstation);
	}
	sspi_release(&t);
}

static void client_prelogin(struct login *l, const struct message *m, uint64_t ts_ns)
{
	struct tds_prelogin p;

	if (tds_prelogin_parse(&p, m->data, m->len) < 0)
		return;
	tds_prelogin_release(&l->prelogin[SIDE_CLIENT]);
	l->prelogin[SIDE_CLIENT] = p;
	if (l->state == LOGIN_TCP || (l->strict && l->state == LOGIN_TLS_DONE))
		l->state = LOGIN_PRELOGIN;
	step_end_message(l, STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
}

static void server_prelogin(struct login *l, const struct message *m, uint64_t ts_ns)
{
	struct tds_prelogin p;

	if (tds_prelogin_parse(&p, m->data, m->len) < 0)
		return;
	tds_prelogin_release(&l->prelogin[SIDE_SERVER]);
	l->prelogin[SIDE_SERVER] = p;
	l->state = LOGIN_PRELOGIN_DONE;
	step_end_message(l, STEP_PRELOGIN_RESPONSE, PHASE_PRELOGIN, SIDE_SERVER, SIDE_CLIENT,
			 ts_ns);
	step_end_phase(l);
}

/*
 * The size with packet heads, as it shows under TLS. Before login packets are of 4,096: MS-TDS
 * 2.2.3.1.3
 */
static uint32_t message_size(const struct message *m)
{
	return m->len + TDS_HEADER * (m->len / (4096 - TDS_HEADER) + 1);
}

/* How the client authenticates, according to LOGIN7: MS-TDS 2.2.6.4 */
static void login7_method(struct login *l, bool cut)
{
	const struct tds_login7 *p = &l->login7;

	if (p->fedauth_library >= 0)
		login_set_method(l, AUTH_FEDAUTH, BASIS_OBSERVED,
				 "LOGIN7 asks for federated authentication");
	else if (p->sspi_len)
		token_seen(l, p->sspi, p->sspi_len);
	else if (p->integrated)
		login_set_method(l, AUTH_WINDOWS, BASIS_OBSERVED,
				 "LOGIN7 asks for integrated security");
	else if (!cut)
		login_set_method(l, AUTH_SQL, BASIS_OBSERVED,
				 "LOGIN7 carries neither an SSPI token nor a federated one");
	l->login7.sspi = NULL; /* it pointed into the message */
}

static void client_sspi(struct login *l, const struct message *m, uint64_t ts_ns)
{
	l->rounds++;
	token_seen(l, m->data, m->len);
	step_end_message(l, STEP_SSPI, PHASE_AUTH, SIDE_CLIENT, SIDE_SERVER, ts_ns);
}

/* Python-tds sends its response to the challenge in a packet of LOGIN7's type. */
static bool is_sspi_as_login7(const struct login *l, const struct message *m)
{
	struct sspi_token token;
	bool is;

	if (l->state != LOGIN_SENT || !l->answered || !l->answer.sspi || l->owes != SIDE_CLIENT)
		return false;
	sspi_parse(&token, m->data, m->len);
	is = token.mech != SSPI_UNKNOWN;
	sspi_release(&token);
	return is;
}

static void client_login7(struct login *l, const struct message *m, uint64_t ts_ns)
{
	if (is_sspi_as_login7(l, m)) {
		client_sspi(l, m, ts_ns);
		return;
	}
	/* Login-only encryption: all after LOGIN7's first packet is in clear. */
	if (l->login7_hidden && l->state == LOGIN_SENT && !l->answered) {
		step_extend(l, SIDE_CLIENT, ts_ns);
		return;
	}
	if (l->state >= LOGIN_SENT)
		return;
	*(m->inside ? &l->login7_hidden : &l->login7_clear) = true;
	l->login7_size = message_size(m);
	l->unread |= m->body.cut;
	if (tds_login7_parse(&l->login7, m->data, m->len) > 0)
		login7_method(l, m->body.cut);
	else if (login_joined(l))
		l->lossy = true; /* its beginning is missing */
	l->state = LOGIN_SENT;
	step_end_message(l, STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
}

/* The login record of TDS 4.2 and 5.0. */
static void client_login_old(struct login *l, const struct message *m, uint64_t ts_ns)
{
	if (l->state >= LOGIN_SENT)
		return;
	l->login7_clear = true;
	l->unread |= m->body.cut;
	tds_login7_release(&l->login7);
	if (tds_login_old_parse(&l->login7, m->data, m->len) < 0 && login_joined(l))
		l->lossy = true; /* its beginning is missing */
	if (l->login7.user && !l->login7.integrated && !m->body.cut)
		login_set_method(
			l, AUTH_SQL, BASIS_OBSERVED,
			"the login record of TDS 4.2 or 5.0 carries a name and a password");
	l->state = LOGIN_SENT;
	step_end_message(l, STEP_LOGIN, PHASE_LOGIN, SIDE_CLIENT, SIDE_SERVER, ts_ns);
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
		client_login_old(l, m, ts_ns);
		return;
	case TDS_SSPI:
		client_sspi(l, m, ts_ns);
		return;
	case TDS_FEDAUTH_TOKEN:
		l->rounds++;
		login_set_method(l, AUTH_FEDAUTH, BASIS_OBSERVED, "a federated token was sent");
		step_end_message(l, STEP_FEDAUTH_TOKEN, PHASE_AUTH, SIDE_CLIENT, SIDE_SERVER,
				 ts_ns);
		return;
	case TDS_ATTENTION:
		step_note_attention(l);
		return;
	default:
		step_end_message(l, STEP_REQUEST, login_phase(l), SIDE_CLIENT, SIDE_SERVER, ts_ns);
		return;
	}
}

/*
 * The answer to an encrypted LOGIN7 came in clear: login-only encryption. Without an SSPI or
 * federated message in between, LOGIN7 can only have had a SQL login.
 */
static void answer_method(struct login *l)
{
	if (l->token_seen || l->method != AUTH_UNKNOWN || !l->login7_hidden || l->lossy)
		return;
	if (l->prelogin[SIDE_CLIENT].fedauth == 1 && l->prelogin[SIDE_SERVER].fedauth == 1)
		return;
	login_set_method(
		l, AUTH_SQL, BASIS_INFERRED,
		"LOGIN7 is encrypted, but was answered without an SSPI or federated message");
}

/*
 * The protocol version the server will use: the one that LOGIN7 asks for, else by its PRELOGIN's
 * version.
 */
static enum tds_era answer_era(const struct login *l)
{
	const struct tds_prelogin *s = &l->prelogin[SIDE_SERVER];

	if (l->login7.version)
		return tds_era(l->login7.version);
	if (!*s->version)
		return TDS_ERA_UNKNOWN;
	return s->major <= 8 ? TDS_ERA_70 : TDS_ERA_72;
}

/* A message that does not end the login: a challenge, or a request for a token. */
static void answer_goes_on(struct login *l, enum phase phase, uint64_t ts_ns)
{
	const struct tds_answer *a = &l->answer;
	enum side next = SIDE_CLIENT;

	if (a->sspi || a->fedauth_info)
		l->rounds++;
	if (a->sspi && l->method == AUTH_KERBEROS)
		next = SIDE_SERVER; /* its login answer follows without a request: MS-TDS 2.2.6.8
				     * and practice */
	step_end_message(l,
			 a->sspi	   ? STEP_SSPI_CHALLENGE
			 : a->fedauth_info ? STEP_FEDAUTH_INFO
					   : STEP_RESPONSE,
			 phase, SIDE_SERVER, next, ts_ns);
}

static void server_answer(struct login *l, const struct message *m, uint64_t ts_ns)
{
	enum phase phase = l->answered ? PHASE_AUTH : PHASE_LOGIN;
	struct tds_answer *a = &l->answer;

	l->has_clear_answer = true;
	/* So the message before was a challenge; unless a request is among the missing bytes. */
	l->rounds += l->answer_cut && !l->lossy;
	tds_answer_release(a);
	tds_answer_parse(a, m->data, m->len, answer_era(l));
	if (!l->env->identities)
		a->error.message = redact_message(a->error.message);
	if (a->sspi)
		token_seen(l, a->sspi_token, a->sspi_len);
	a->sspi_token = NULL; /* it pointed into the message */
	if (a->fedauth_info)
		login_set_method(l, AUTH_FEDAUTH, BASIS_OBSERVED,
				 "the server asked for a federated token");
	if (m->body.cut && !a->loginack && !a->has_error && !a->refused) {
		/* The client's next message may show the outcome. */
		l->unread = l->answer_cut = l->answered = true;
		step_end_message(l, STEP_ANSWER, phase, SIDE_SERVER, SIDE_CLIENT, ts_ns);
		return;
	}
	if (!a->loginack && !a->has_error && !a->refused) {
		answer_goes_on(l, phase, ts_ns);
		if (a->sspi || a->fedauth_info) {
			l->answered = true;
			step_end_phase(l);
		}
		return;
	}
	if (a->sspi || a->fedauth_info)
		l->rounds++;
	answer_method(l);
	step_end_message(l, a->loginack ? STEP_LOGINACK : STEP_ERROR, phase, SIDE_SERVER,
			 SIDE_CLIENT, ts_ns);
	l->answered = true;
	l->answer_size = (struct answer_size){message_size(m), message_size(m)};
	login_decide(l,
		     !a->loginack	? OUTCOME_REFUSED
		     : a->redirect_host ? OUTCOME_REDIRECTED
					: OUTCOME_OK,
		     CONFIDENCE_CERTAIN);
	step_end_phase(l);
}

static void server_message(struct login *l, const struct message *m, uint64_t ts_ns)
{
	bool table = m->len && !m->data[0];

	if (l->state <= LOGIN_PRELOGIN && table) {
		server_prelogin(l, m, ts_ns);
		return;
	}
	server_answer(l, m, ts_ns);
}

/* A message after the decision: only an answer that came after its client had left matters. */
static void late_message(struct login *l, enum side from, const struct message *m)
{
	struct tds_answer a;

	if (from != SIDE_SERVER || l->closed_by != SIDE_CLIENT)
		return;
	tds_answer_parse(&a, m->data, m->len, answer_era(l));
	l->late_answer |= a.loginack || a.has_error;
	if (a.has_error && !a.loginack)
		l->late_error = a.error.number;
	tds_answer_release(&a);
}

void cleartext_message(struct login *l, enum side from, const struct message *m, uint64_t ts_ns)
{
	if (l->state == LOGIN_DECIDED)
		late_message(l, from, m);
	else if (from == SIDE_CLIENT)
		client_message(l, m, ts_ns);
	else
		server_message(l, m, ts_ns);
}
