/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.c - see verdict.h. The table is in the files that verdict_row.h names.
 */
#include "verdict.h"
#include "verdict_row.h"

/* What a side that left was waiting for: the message that is due in this state. */
const char *verdict_due(const struct login *l)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	if (!l->ack_ns && l->syn_ns)
		return "the TCP handshake";
	switch (m ? m->phase : PHASE_PRELOGIN) {
	case PHASE_TCP:
	case PHASE_PRELOGIN:
		return l->owes == SIDE_SERVER ? "the PRELOGIN response" : "the client's PRELOGIN";
	case PHASE_TLS:
		return "the TLS handshake's next message";
	case PHASE_LOGIN:
		return l->owes == SIDE_SERVER ? "the answer to LOGIN7" : "LOGIN7";
	case PHASE_AUTH:
		return l->owes == SIDE_SERVER ? "the answer to the authentication message"
					      : "the client's authentication message";
	}
	return "an answer";
}

void verdict_find(const struct login *l, const struct login_record *r, const char **name,
		  char **text)
{
	static const struct verdict *const groups[] = {
		verdict_path, verdict_tls, verdict_left, verdict_refused, verdict_slow,
	};
	const struct verdict *v = groups[0];

	for (size_t i = 0; !v->name || !v->match(l, r);)
		v = v->name ? v + 1 : groups[++i]; /* the last row of the last always matches */
	*name = v->match == verdict_is_refused ? verdict_refused_name(r) : v->name;
	*text = v->text(l, r);
}
