/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * link.h - link types of capture files: what stands before the IP header, and the one place where
 * a captured frame becomes a segment.
 */
#ifndef TDSMON_LINK_H
#define TDSMON_LINK_H

#include "decap.h"

#include <stdint.h>

struct link;

/* NULL: not known here. type is a LINKTYPE_ value, https://www.tcpdump.org/linktypes.html */
const struct link *link_find(uint32_t type);

/* The type's name, or "no name"; also of those that link_find() does not know. */
const char *link_name(uint32_t type);

/* A frame as a capture file holds it: cap_len bytes of the len that were on the wire. */
struct frame {
	const uint8_t *data;
	uint32_t cap_len, len; /* cap_len <= len */
	uint64_t ts_ns;
};

/*
 * Parse the frame. PKT_TCP, and PKT_UDP of the ports that the engine reads: *seg and *payload are filled
 * in, the payload is seg->cap_len bytes of the frame. After any other result both are undefined;
 * PKT_OTHER is also UDP of other ports.
 */
enum pkt_result link_segment(const struct link *link, const struct frame *frame, struct seg *seg,
			     const uint8_t **payload);

#endif
