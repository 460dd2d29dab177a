/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packets.h - packets in memory, as they came. Internal to save/.
 */
#ifndef TDSMON_PACKETS_H
#define TDSMON_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/types.h>

#include "engine/record.h"
#include "segment.h"

/* A packet. Its length in memory is packet_size(). */
struct packet {
	uint64_t order; /* rises from packet to packet, of whatever connection */
	struct seg seg; /* cap_len: the bytes of data */
	uint8_t data[];
};

static inline size_t packet_size(uint32_t cap_len)
{
	return (sizeof(struct packet) + cap_len + 7) & ~(size_t)7;
}

struct packets {
	uint32_t len, size; /* of data: used, and there */
	uint32_t count;
	_Alignas(8) uint8_t data[];
};

/* The first packet, and the one after p; NULL: there are no more. */
static inline struct packet *packets_next(struct packets *packets, const struct packet *p)
{
	size_t at =
		p ? (size_t)((const uint8_t *)p - packets->data) + packet_size(p->seg.cap_len) : 0;

	return at < packets->len ? (struct packet *)(packets->data + at) : NULL;
}

static inline bool packet_is_from(const struct packet *p, const struct endpoint *end)
{
	return p->seg.sport == end->port && !memcmp(p->seg.saddr, end->addr, sizeof(end->addr));
}

/*
 * Append a packet. *packets may be NULL, and moves. most: bytes that they may take. False: there is
 * no room, or no memory.
 */
bool packets_add(struct packets **packets, const struct seg *seg, const uint8_t *payload,
		 uint64_t order, size_t most);

#endif
