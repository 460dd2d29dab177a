/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* conn_login.c - see conn_login.h. */
#include "engine/conn_login.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/dependency/witness.h"
#include "engine/emit.h"
#include "engine/handover.h"
#include "engine/login/steps.h"

/* Does the login still take what comes? After it is decided, only for a late answer. */
bool conn_login_listens(const struct flow *f)
{
	return f->login && (f->login->state != LOGIN_DECIDED || f->login->awaits_next ||
			    f->login->logwait.waits ||
			    (f->login->closed_by == SIDE_CLIENT && !f->login->not_tds));
}

/* The server may have sent this login's client on: returns what is known of its next connection. */
static const struct answers_left *login_next_of(const struct engine *e, const struct flow *f)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	return answers_left(&e->answers, &client, &server);
}

bool conn_awaits_next(const struct engine *e, const struct flow *f)
{
	return f->login && f->login->awaits_next && answers_open(login_next_of(e, f), e->now_ns);
}

void conn_login_left(struct engine *e, const struct flow *f)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	const struct answers_left *left = login_next_of(e, f);
	const struct login *l = f->login;

	if (l->awaits_next && !(left && left->at_ns == l->spoke_ns[SIDE_SERVER]))
		answers_end(&e->answers, &client, &server, l->spoke_ns[SIDE_SERVER],
			    l->outcome == OUTCOME_REFUSED);
}

static void login_next(const struct engine *e, const struct flow *f)
{
	const struct answers_left *left = f->login->awaits_next ? login_next_of(e, f) : NULL;

	if (left && left->target_ns)
		encrypted_next(f->login, &left->target, left->target_ns - left->at_ns);
}

void conn_login_free(struct login *l)
{
	if (!l)
		return;
	pending_remove(l);
	logwait_remove(l);
	witness_free(l->witness);
	login_free(l);
}

void conn_login_forget(struct flow *f)
{
	conn_login_free(f->login);
	f->login = NULL;
	f->phase = PHASE_SESSION;
}

void conn_login_drop(struct engine *e, struct flow *f)
{
	conn_login_forget(f);
	if (flow_in_login(f)) /* false: it is being closed */
		flow_touch(&e->flows, f, FLOW_SESSION);
	conn_set_level(e, f, conn_session_level(e, f));
}

/* Joined in the middle, with nothing framed so far that shows where: assume a login. */
bool conn_joined_blind(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && !l->tcp.ack_ns && !l->framed[0] && !l->framed[1];
}

/* Joined in the middle, and ended before any frame was recognised: not a login. */
bool conn_left_blind(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && login_joined(l) && l->state == LOGIN_TCP && !l->strict;
}

/*
 * On any port, a flow's first client payload identifies TDS: a PRELOGIN, or a ClientHello that
 * offers tds/8.0. The engine drops all other flows.
 */
void conn_recognise(struct engine *e, struct flow *f)
{
	const struct login *l = f->login;

	if (!l)
		return;
	if (*l->prelogin[SIDE_CLIENT].version || l->tls.alpn_tds8) {
		f->tentative = false;
		return;
	}
	if (l->not_tds || l->state > LOGIN_TCP || l->framed[0] || l->framed[1]) {
		f->close_emitted = true;
		conn_login_free(f->login);
		f->login = NULL;
		flow_touch(&e->flows, f, FLOW_CLOSED);
		conn_set_level(e, f, TAP_CLOSE);
	}
}

/*
 * Joined after the login's first message (the client's PRELOGIN or whatever it begins with). That
 * login is not incomplete: nothing is missing of what was there to be seen.
 */
static bool conn_joined_late(const struct flow *f)
{
	const struct login *l = f->login;

	return f->mid_stream && login_joined(l) && !*l->prelogin[SIDE_CLIENT].version &&
	       !l->login7.version && !l->strict;
}

/* The client left after a PRELOGIN response, and its own PRELOGIN was not seen. */
static bool conn_unclear_leave(const struct login *l)
{
	return !l->tls.client_hello &&
	       (l->outcome == OUTCOME_PROBE || l->outcome == OUTCOME_ABANDONED);
}

void conn_login_report(struct engine *e, struct flow *f)
{
	struct login *l = f->login;
	/* If it is not TDS, only its end is of interest. */
	bool not_tds = l->outcome == OUTCOME_NOT_TDS;

	login_next(e, f);
	logwait_join(e, f);
	if (conn_joined_late(f) && (l->outcome == OUTCOME_INCOMPLETE || conn_unclear_leave(l))) {
		conn_login_drop(e, f);
		return;
	}
	f->login_outcome = (uint8_t)l->outcome;
	f->half[SIDE_SERVER].spid = l->spid > 0 ? (uint16_t)l->spid : 0;
	f->phase = l->outcome == OUTCOME_OK ? PHASE_SESSION
		   : l->mark_count	    ? l->marks[l->mark_count - 1].phase
					    : PHASE_TCP;
	/* A half-seen connection without a TDS byte is not a login. */
	if (!f->tentative && !(f->mid_stream && !f->handed_payload && !f->half[0].has_isn)) {
		f->has_login = true;
		login_emit(e, f);
	}
	if (l->outcome == OUTCOME_OK)
		handover(&e->sessions, f, l);
	else if (l->outcome == OUTCOME_INCOMPLETE && (l->full || l->strict))
		f->unfollowed = true; /* a session may have followed */
	if (l->decrypt && !(l->outcome == OUTCOME_OK && (l->full || l->strict)))
		decrypt_close(l->decrypt);
	conn_login_free(l);
	f->login = NULL;
	if (flow_in_login(f))
		flow_touch(&e->flows, f, FLOW_SESSION);
	if (f->handed_payload) /* else the kernel does not follow it, and the port may not be a
				* server's */
		conn_set_level(e, f, not_tds ? TAP_CLOSE : conn_session_level(e, f));
}

/* Report a login that is decided, unless its client has left and an answer may still come. */
void conn_login_settle(struct engine *e, struct flow *f)
{
	struct login *l = f->login;

	if (l && conn_joined_late(f) && l->lossy) {
		conn_login_drop(e, f);
		return;
	}
	if (l && l->state == LOGIN_DECIDED && !conn_awaits_next(e, f) &&
	    !(l->outcome != OUTCOME_OK && l->closed_by == SIDE_CLIENT &&
	      l->closed_how == CLOSE_FIN && flow_in_login(f) && !f->half[SIDE_SERVER].fin_done &&
	      l->owes == SIDE_SERVER) &&
	    !logwait_holds(e, f))
		conn_login_report(e, f);
}
