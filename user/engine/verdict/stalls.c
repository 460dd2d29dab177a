// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stalls.c - see stalls.h.
 */

#include "engine/login/login.h"
#include "engine/verdict/stalls.h"

#define TOGETHER_NS 50000000ull /* between the ends of two waits with one cause */

struct stall stall_of(const struct login *l, const struct endpoint *server)
{
	uint64_t at = l->tcp.ack_ns ? l->tcp.ack_ns : l->mark_count ? l->marks[0].ts_ns : 0;
	struct stall stall = {.server = *server};

	for (uint32_t i = 0; i < l->mark_count; i++) {
		const struct mark *m = &l->marks[i];
		bool counts = (m->phase == PHASE_PRELOGIN || m->phase == PHASE_TLS) &&
			      m->waited_for == SIDE_SERVER;

		if (counts && m->ts_ns > at && m->ts_ns - at > stall.to_ns - stall.from_ns) {
			stall.from_ns = at;
			stall.to_ns = m->ts_ns;
		}
		at = m->ts_ns;
	}
	return stall;
}

bool stall_is_like(const struct stall *a, const struct stall *b)
{
	uint64_t apart = a->to_ns > b->to_ns ? a->to_ns - b->to_ns : b->to_ns - a->to_ns;

	return stall_is_long(a) && stall_is_long(b) && apart <= TOGETHER_NS &&
	       endpoint_same(&a->server, &b->server);
}

bool stall_is_denied(const struct stall *stall, const struct stall *other)
{
	return other->to_ns > stall->from_ns + TOGETHER_NS &&
	       other->to_ns + TOGETHER_NS < stall->to_ns &&
	       endpoint_same(&stall->server, &other->server);
}

void stalls_add(struct stalls *s, const struct stall *stall)
{
	s->at[s->next++ % STALLS_KEPT] = *stall;
}

uint32_t stalls_like(const struct stalls *s, const struct stall *stall)
{
	uint32_t count = 0;

	for (int i = 0; i < STALLS_KEPT; i++) {
		if (stall_is_denied(stall, &s->at[i]))
			return 0;
		count += stall_is_like(&s->at[i], stall);
	}
	return count;
}
