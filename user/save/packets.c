/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packets.c - see packets.h.
 */
#include <stdlib.h>
#include <string.h>

#include "save/packets.h"

#define PACKETS_FIRST 2048 /* bytes: a login takes 4 to 12 KiB, a refused connection the first */

static struct packets *packets_grow(struct packets *packets, size_t len, size_t most)
{
	size_t size = packets ? packets->size : PACKETS_FIRST / 2;
	struct packets *grown;

	while (size < len)
		size *= 2;
	if (size > most)
		size = most;
	grown = realloc(packets, sizeof(*grown) + size);
	if (!grown)
		return NULL;
	if (!packets)
		*grown = (struct packets){0};
	grown->size = (uint32_t)size;
	return grown;
}

bool packets_add(struct packets **packets, const struct seg *seg, const uint8_t *payload,
		 uint64_t order, size_t most)
{
	size_t len = *packets ? (*packets)->len : 0, more = packet_size(seg->cap_len);
	struct packet *p;

	if (len + more > most)
		return false;
	if (!*packets || len + more > (*packets)->size) {
		struct packets *grown = packets_grow(*packets, len + more, most);

		if (!grown)
			return false;
		*packets = grown;
	}
	p = (struct packet *)((*packets)->data + len);
	p->order = order;
	p->seg = *seg;
	if (seg->cap_len)
		memcpy(p->data, payload, seg->cap_len);
	(*packets)->len += (uint32_t)more;
	(*packets)->count++;
	return true;
}
