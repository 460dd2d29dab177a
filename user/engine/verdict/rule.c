/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* rule.c - see rule.h: what rows of several groups ask. */
#include <stdio.h>

#include "engine/verdict/rule.h"

static const struct due dues[] = {
	{PHASE_PRELOGIN, SIDE_SERVER, "the PRELOGIN response",
	 "its host took the connection and SQL Server did not answer: it hangs, is short of worker "
	 "threads, or something else listens there"},
	{PHASE_PRELOGIN, SIDE_CLIENT, "PRELOGIN",
	 "it connected and then did nothing: a hung process, a proxy that connects ahead, or a "
	 "probe"},
	{PHASE_TLS, SIDE_SERVER, "the TLS handshake's next message",
	 "the server is short of CPU or worker threads, or the path drops large packets (MTU)"},
	{PHASE_TLS, SIDE_CLIENT, "the TLS handshake's next message",
	 "the client looks up certificate revocation, is short of CPU, or the path drops large "
	 "packets (MTU)"},
	{PHASE_LOGIN, SIDE_SERVER, "the answer to LOGIN7",
	 "see the server's worker threads, logon triggers, the database's state and, for Windows "
	 "logins, its domain controller"},
	{PHASE_LOGIN, SIDE_CLIENT, "LOGIN7",
	 "it waits for a ticket or token (its KDC, DNS or token service), or hangs"},
	{PHASE_AUTH, SIDE_SERVER, "the answer to the authentication message",
	 "the server asks its domain controller then (of a federated token, the identity "
	 "provider)"},
	{PHASE_AUTH, SIDE_CLIENT, "the client's authentication message",
	 "see the client's domain controller or its way to the token service"},
};

/* The same for logins before TDS 7, whose login packet is not called LOGIN7. */
static const struct due old_dues[] = {
	{PHASE_LOGIN, SIDE_SERVER, "the answer to the login packet",
	 "see the server's load, logon triggers and the database's state"},
	{PHASE_LOGIN, SIDE_CLIENT, "the login packet",
	 "it connected and then did nothing: a hung process, a proxy that connects ahead, or a "
	 "probe"},
};

static const struct due tcp = {PHASE_TCP, SIDE_NETWORK, "the TCP handshake",
			       "see the path and the server's listen queue"};

static const struct due *due_of(const struct login *l, enum phase phase, enum side side)
{
	if (phase == PHASE_LOGIN && tds_era(l->login7.version) == TDS_ERA_OLD)
		return &old_dues[side == SIDE_CLIENT];
	for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++) {
		if (dues[i].phase == phase && dues[i].side == side)
			return &dues[i];
	}
	return &tcp; /* not reached: each phase and side has its row */
}

const struct due *verdict_due(const struct login *l)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;
	enum phase phase = m && m->phase != PHASE_TCP ? (enum phase)m->phase : PHASE_PRELOGIN;
	enum side side = l->owes == SIDE_SERVER ? SIDE_SERVER : SIDE_CLIENT;

	if (!l->tcp.ack_ns && l->tcp.syn_ns)
		return &tcp;
	return due_of(l, phase, side);
}

const struct due *verdict_awaited(const struct login *l)
{
	static const struct due hidden = {PHASE_AUTH, SIDE_SERVER,
					  "the answer to what the client sent under TLS, of the "
					  "login or after it",
					  ""};
	enum phase phase = login_phase(l);

	if (phase == PHASE_TCP)
		return &tcp;
	if (l->units.count >= 2)
		return &hidden;
	return due_of(l, phase, l->owes == SIDE_SERVER ? SIDE_SERVER : SIDE_CLIENT);
}

const char *verdict_after(const struct login *l, const struct login_record *r,
			  char text[VERDICT_AFTER])
{
	if (r->total_ns <= l->env->slow_login_ns)
		return "";
	snprintf(text, VERDICT_AFTER, " (after %.3f s)", verdict_seconds(r->total_ns));
	return text;
}

bool verdict_in_time(const struct login *l, const struct login_record *r)
{
	uint64_t before = 0;

	for (int i = PHASE_TCP; i <= PHASE_TLS; i++)
		before += r->phase_ns[i] == NO_NS ? 0 : r->phase_ns[i];
	return before <= l->env->slow_prelogin_ns && r->total_ns <= l->env->slow_login_ns;
}
