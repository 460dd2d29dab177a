/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * link.h - link types of capture files: the headers before IP. Here, and nowhere else, a captured
 * frame becomes a segment.
 */
#ifndef TDSMON_LINK_H
#define TDSMON_LINK_H

#include "decap.h"

#include <stdint.h>

struct link;

/* NULL: unsupported. type is a LINKTYPE_ value, https://www.tcpdump.org/linktypes.html */
const struct link *link_find(uint32_t type);

/* The type's name, or "no name"; also for types that link_find() does not know. */
const char *link_name(uint32_t type);

/* A frame in a capture file: cap_len bytes of the len on the wire. */
struct frame {
	const uint8_t *data;
	uint32_t cap_len, len; /* cap_len <= len */
	uint64_t ts_ns;
};

/*
 * Parse the frame. For PKT_TCP, and PKT_UDP on ports that the engine reads, fills *seg and
 * *payload; the payload is seg->cap_len bytes of the frame. For other results both are undefined.
 * PKT_OTHER includes UDP on other ports.
 */
enum pkt_result link_segment(const struct link *link, const struct frame *frame, struct seg *seg,
			     const uint8_t **payload);

#endif
