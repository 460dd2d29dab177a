/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * proxy_header.h - the header that a proxy may put before all else to tell who the client is: PROXY
 * protocol, versions 1 and 2 (haproxy.org/download/2.9/doc/proxy-protocol.txt). Stepped over, and
 * the client's address read.
 */
#ifndef TDSMON_PROXY_HEADER_H
#define TDSMON_PROXY_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/record.h"

#define PROXY_HELD 108 /* a whole version 1 header, the address part of version 2 */

enum proxy_state {
	PROXY_BEGIN, /* no byte seen */
	PROXY_HEADER,
	PROXY_REST, /* version 2: what follows the addresses */
	PROXY_OVER, /* there was one, or there is none */
};

struct proxy {
	uint8_t state; /* enum proxy_state */
	uint8_t have;  /* bytes held */
	bool seen;     /* there was a whole header */
	bool has_client;
	uint32_t left; /* to step over: at most 65,535 */
	struct endpoint client;
	uint8_t held[PROXY_HELD];
};

/*
 * The client's first bytes, in order and in parts. How many of these belong to the header; state is
 * PROXY_OVER where what follows, or (seen is false) held[0..have] and what follows, is the
 * connection's own.
 */
uint32_t proxy_feed(struct proxy *p, const uint8_t *data, uint32_t len);

#endif
