// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * totals.c - see totals.h.
 */
#include <string.h>

#include "engine/dependency/exchange.h"
#include "engine/dependency/totals.h"

/* The peer's place, or that of all others. */
static struct dependency_total *total_of(struct totals *t, const struct exchange *x)
{
	struct dependency_total *of = t->at[x->kind];
	uint32_t n = t->count[x->kind];

	for (uint32_t i = 0; i < n; i++)
		if (!memcmp(&of[i].peer, &x->peer, sizeof(x->peer)))
			return &of[i];
	if (n == DEPENDENCY_PEERS) {
		of[n].is_rest = true;
	} else {
		of[n].peer = x->peer;
		t->count[x->kind]++;
	}
	of[n].kind = x->kind;
	return &of[n];
}

void totals_add(struct totals *t, struct exchange *x)
{
	bool failed = x->state != EXCHANGE_ANSWERED || exchange_failed(x);
	struct dependency_total *total;

	if (x->counted || x->state == EXCHANGE_UNKNOWN || (x->connect && !failed))
		return;
	x->counted = true;
	total = total_of(t, x);
	total->requests++;
	total->failures += failed;
	if (x->state == EXCHANGE_ANSWERED && x->end_ns > x->start_ns)
		total->ns += x->end_ns - x->start_ns;
}
