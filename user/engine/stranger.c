// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stranger.c - see stranger.h.
 */
#include "engine/stranger.h"
#include "engine/protocol/frame.h"
#include "lib/wire_int.h"

/* MS-TDS 2.2.3.1: a client's SPID and window are 0; 2.2.6.5: the first option is VERSION, 0. */
bool stranger_speaks_tds(const struct seg *seg, const uint8_t *payload)
{
	return seg->cap_len >= 9 && payload[0] == TDS_PRELOGIN && (payload[1] & 0xfe) == 0 &&
	       be16_at(payload + 2) > 9 && !payload[4] && !payload[5] && !payload[7] && !payload[8];
}

void stranger_note(struct strangers *s, uint16_t port)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->ports[i] == port)
			return;
	if (s->count < ENGINE_STRANGERS)
		s->ports[s->count++] = port;
}
