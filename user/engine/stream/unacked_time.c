// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unacked_time.c - see unacked_time.h.
 */
#include "engine/stream/unacked_time.h"
#include "lib/units.h"

#define ACK_NS (NS_PER_S / 2) /* RFC 9293 3.8.6.3: no ACK is delayed for longer */

void unacked_times_add(struct unacked_times *u, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns >= to_ns || u->count == UNACKED_TIMES_MOST)
		return;
	u->at[u->count].from_ns = from_ns;
	u->at[u->count++].to_ns = to_ns;
}

uint64_t unacked_until(uint64_t first_ns, uint64_t last_ns, uint64_t ack_ns)
{
	/* RFC 6298 5.5: the time to the next retransmission doubles. */
	uint64_t most_ns = last_ns > first_ns ? 2 * (last_ns - first_ns) : 0;

	if (most_ns < ACK_NS)
		most_ns = ACK_NS;
	return !ack_ns || (ack_ns > last_ns && ack_ns - last_ns > most_ns) ? last_ns : ack_ns;
}
