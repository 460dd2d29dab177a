// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * routed.c - see routed.h.
 */
#include <string.h>

#include "engine/browser/routed.h"

bool routed_has(const struct routed *r, uint16_t port)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->ports[i] == port)
			return true;
	return false;
}

uint16_t routed_learn(struct routed *r, uint16_t port)
{
	uint16_t out = 0;
	uint32_t at = 0;

	while (at < r->count && r->ports[at] != port)
		at++;
	if (at == ROUTED_PORTS) {
		at--;
		out = r->ports[at];
	} else if (at == r->count) {
		r->count++;
	}
	memmove(r->ports + 1, r->ports, at * sizeof(r->ports[0]));
	r->ports[0] = port;
	return out;
}
