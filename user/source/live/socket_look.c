// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_look.c - see socket_look.h.
 */
#include <string.h>

#include "source/live/socket_look.h"

struct socket_ends socket_ends(const struct flow_key *key, uint8_t end, bool serves)
{
	struct socket_ends ends = {
		.local_port = key->port[end], .remote_port = key->port[!end], .serves = serves};

	memcpy(ends.local, key->addr[end], sizeof(ends.local));
	memcpy(ends.remote, key->addr[!end], sizeof(ends.remote));
	return ends;
}

bool socket_is_open(uint8_t state)
{
	return state == SOCKET_ESTABLISHED || state == SOCKET_CLOSE_WAIT;
}
