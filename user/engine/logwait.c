/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * logwait.c - see logwait.h.
 */
#include <string.h>

#include "engine/engine_private.h"
#include "engine/errorlog/errorlog.h"
#include "engine/logwait.h"
#include "engine/login/steps.h"
#include "lib/ip_addr.h"

#define COMPARED_MOST 4096 /* logins under way; with more of them nothing is joined */

/* ---- which entries may be a login's ---- */

static bool is_hidden(const struct login *l)
{
	return l->units.count >= 2 && !l->has_clear_answer && !l->login7_clear;
}

static enum errorlog_fit fit_of(const struct login *l)
{
	switch (l->outcome) {
	case OUTCOME_REFUSED:
		if (l->outcome_basis == BASIS_OBSERVED)
			return l->answer.has_error ? FIT_READ : FIT_REFUSED;
		/* Packets may be missing since it was inferred. */
		return l->lossy ? FIT_ANY : FIT_REFUSED;
	case OUTCOME_OK:
		if (l->outcome_basis == BASIS_OBSERVED || l->confidence <= CONFIDENCE_HIGH)
			return FIT_NONE;
		return l->lossy ? FIT_ANY : FIT_REFUSED;
	case OUTCOME_INCOMPLETE:
		return is_hidden(l) && !l->lossy && l->closed_by != SIDE_NONE ? FIT_REFUSED
									      : FIT_ANY;
	case OUTCOME_DROPPED:
	case OUTCOME_ABANDONED:
	case OUTCOME_TIMED_OUT:
	case OUTCOME_TLS_FAILED:
		return l->login7_clear || l->login7_hidden ? FIT_FAILED : FIT_EARLY;
	default:
		return FIT_NONE;
	}
}

static uint64_t last_of_server(const struct login *l)
{
	uint64_t ns = 0;

	for (uint32_t i = 1; i < l->units.count; i++)
		if (l->units.at[i].from == SIDE_SERVER)
			ns = l->units.at[i].last_ns;
	return ns;
}

/* When its last answer came, or when it ended without one. */
static uint64_t end_of(const struct flow *f)
{
	const struct login *l = f->login;

	if (l->outcome == OUTCOME_INCOMPLETE && is_hidden(l) && last_of_server(l))
		return last_of_server(l);
	return l->mark_count && l->outcome != OUTCOME_INCOMPLETE ? l->marks[l->mark_count - 1].ts_ns
								 : f->last_ns;
}

/* A client on the server's own host, which the log may call "<local machine>". */
static bool is_local(const struct engine *e, const struct endpoint *client,
		     const struct endpoint *server)
{
	if (ip_is_loopback(client->addr) || !memcmp(client->addr, server->addr, 16))
		return true;
	return e->ops.is_local && e->ops.is_local(e->ctx, client->addr) &&
	       e->ops.is_local(e->ctx, server->addr);
}

/* The flow's login, decided or not, as far as its entry is concerned. */
static struct errorlog_login login_of(const struct engine *e, const struct flow *f,
				      enum errorlog_fit fit, uint64_t end_ns)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	struct errorlog_login login = {
		.end_ns = end_ns, .fit = fit, .number = f->login->answer.error.number};

	memcpy(login.addr, client.addr, 16);
	if (!is_local(e, &client, &server))
		memcpy(login.client, client.addr, 16);
	return login;
}

/* ---- other logins ---- */

/* May the entry be this other login's? One under way, that is, or decided and not yet noted. */
static bool fits_other(const struct engine *e, const struct flow *f,
		       const struct errorlog_entry *entry)
{
	const struct login *l = f->login;
	struct errorlog_login login;

	if (l->state == LOGIN_DECIDED)
		login = login_of(e, f, fit_of(l), end_of(f));
	else if (l->lossy)
		login = login_of(e, f, FIT_ANY, f->last_ns);
	else if (is_hidden(l))
		login = login_of(e, f, FIT_REFUSED, last_of_server(l));
	else
		return false; /* what it was answered was read, and was no refusal */
	return errorlog_fits(&login, entry);
}

static bool fits_another(const struct engine *e, const struct flow *own,
			 const struct errorlog_entry *entry)
{
	if (e->flows.listed[FLOW_LOGIN] > COMPARED_MOST)
		return true;
	for (const struct flow *f = flow_oldest(&e->flows, FLOW_LOGIN); f;
	     f = flow_next(&e->flows, f))
		if (f != own && f->login && fits_other(e, f, entry))
			return true;
	for (const struct login *l = e->logwaits.first; l; l = l->logwait.next)
		if (l->logwait.flow != own && fits_other(e, l->logwait.flow, entry))
			return true;
	return false;
}

/* ---- joining ---- */

void logwait_join(struct engine *e, const struct flow *f)
{
	struct login *l = f->login;
	const struct errorlog_entry *entry;
	struct errorlog_login login;

	if (!e->errorlog || fit_of(l) == FIT_NONE)
		return;
	login = login_of(e, f, fit_of(l), end_of(f));
	entry = errorlog_find(e->errorlog, &login);
	errorlog_note(e->errorlog, &login);
	if (!entry || fits_another(e, f, entry))
		return;
	errorlog_take(e->errorlog, entry);
	e->stats.errorlog_joined++;
	l->errorlog = entry;
	if (login.fit == FIT_REFUSED && l->outcome_basis != BASIS_OBSERVED)
		encrypted_refused(l);
}

/* ---- waiting ---- */

static void begin(struct engine *e, struct flow *f)
{
	struct logwaits *waits = &e->logwaits;
	struct login *l = f->login;
	struct logwait *w = &l->logwait;

	w->until_ns = e->now_ns + ERRORLOG_NEAR_NS;
	if (waits->count == LOGWAIT_MOST || e->now_ns >= end_of(f) + ERRORLOG_NEAR_NS) {
		w->until_ns = e->now_ns;
		return;
	}
	w->flow = f;
	w->waits = waits;
	w->prev = waits->last;
	*(w->prev ? &w->prev->logwait.next : &waits->first) = l;
	waits->last = l;
	waits->count++;
}

bool logwait_holds(struct engine *e, struct flow *f)
{
	struct login *l = f->login;
	enum errorlog_fit fit;

	if (!e->errorlog || !l || l->state != LOGIN_DECIDED)
		return false;
	fit = fit_of(l);
	/* While it may go on as a session, its messages are not held up. */
	if (fit == FIT_NONE || fit == FIT_ANY ||
	    (l->outcome == OUTCOME_OK && l->closed_by == SIDE_NONE))
		return false;
	if (!l->logwait.until_ns)
		begin(e, f);
	return e->now_ns < l->logwait.until_ns;
}

void logwait_remove(struct login *l)
{
	struct logwait *w = &l->logwait;
	struct logwaits *waits = w->waits;

	if (!waits)
		return;
	*(w->prev ? &w->prev->logwait.next : &waits->first) = w->next;
	*(w->next ? &w->next->logwait.prev : &waits->last) = w->prev;
	w->waits = NULL;
	waits->count--;
}

struct flow *logwait_due(struct engine *e)
{
	struct login *l = e->logwaits.first;

	if (!l || l->logwait.until_ns > e->now_ns)
		return NULL;
	logwait_remove(l);
	return l->logwait.flow;
}
