/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * proxy_header.h - PROXY protocol, versions 1 and 2
 * (haproxy.org/download/2.9/doc/proxy-protocol.txt): the header that a proxy may send before all
 * other bytes, with the client's address. The header is stepped over, and the client's address
 * read.
 */
#ifndef TDSMON_PROXY_HEADER_H
#define TDSMON_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/record.h"

#define PROXY_HELD 108 /* a whole version 1 header, the address part of version 2 */

enum proxy_state {
	PROXY_BEGIN, /* no byte came yet */
	PROXY_HEADER,
	PROXY_REST, /* version 2: the bytes after the addresses */
	PROXY_OVER, /* the header ended, or there was no header */
};

struct proxy {
	uint8_t state; /* enum proxy_state */
	uint8_t have;  /* bytes held */
	bool seen;     /* a whole header came */
	bool has_client;
	uint32_t left; /* bytes to step over: at most 65,535 */
	struct endpoint client;
	uint8_t held[PROXY_HELD];
};

/*
 * Take the client's first bytes, in order and in parts. Returns how many of these belong to the
 * header. When state is PROXY_OVER, the bytes after them are the connection's own. If seen is
 * false, so are held[0..have], which come first.
 */
uint32_t proxy_feed(struct proxy *p, const uint8_t *data, uint32_t len);

#endif
