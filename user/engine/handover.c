/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handover.c - see handover.h.
 */
#include "engine/handover.h"

/* The width of requests' letters: as the server says last, else as the client asks. */
static enum sql_width handover_width(const struct login *l)
{
	switch (tds_era(l->answer.version ? l->answer.version : l->login7.version)) {
	case TDS_ERA_OLD:
		return SQL_WIDTH_BYTE;
	case TDS_ERA_70:
	case TDS_ERA_72:
		return SQL_WIDTH_UTF16;
	case TDS_ERA_UNKNOWN:
		break;
	}
	return *l->prelogin[SIDE_CLIENT].version ? SQL_WIDTH_UTF16 : SQL_WIDTH_UNKNOWN;
}

void handover(struct session_env *env, struct flow *f, const struct login *l)
{
	struct session_start start = {
		.width = handover_width(l),
		.encrypted = (l->strict || l->full) && !decrypt_reads(l->decrypt),
		.mars = l->prelogin[SIDE_CLIENT].mars == 1 && l->prelogin[SIDE_SERVER].mars == 1,
		.strict = l->strict,
	};

	for (int i = 0; start.encrypted && i < 2; i++)
		tls_overhead(&l->tls, (enum side)i, &start.overhead[i].least,
			     &start.overhead[i].most);
	start.split =
		l->tls.version <= TLS_1_0 && start.overhead[0].least != start.overhead[0].most;
	session_begin(env, f, &start);
	for (uint32_t i = l->last_unit + 1; start.encrypted && i < l->units.count; i++) {
		const struct unit *u = &l->units.at[i];

		session_past_record(env, f, (enum side)u->from,
				    (struct session_size){u->least, u->most}, u->first_ns,
				    u->last_ns);
	}
}
