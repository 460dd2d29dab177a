/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * proxy_header.c - see proxy_header.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/protocol/proxy_header.h"
#include "lib/wire_int.h"

#define V1_MOST	  107 /* the longest line: section 2.1 */
#define V2_HEADER 16
#define V2_IP4	  12 /* bytes of two addresses and two ports */
#define V2_IP6	  36

static const uint8_t v1_begins[6] = "PROXY ";
static const uint8_t v2_begins[12] = "\r\n\r\n\0\r\nQUIT\n";

static void endpoint_ip4(struct endpoint *to, const uint8_t *addr)
{
	memset(to->addr, 0, 10);
	memset(to->addr + 10, 0xff, 2);
	memcpy(to->addr + 12, addr, 4);
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 1433": section 2.1. UNKNOWN gives no address. */
static void v1_client(struct proxy *p)
{
	char line[PROXY_HELD + 1], family[8], addr[48];
	uint8_t bytes[16];
	unsigned port;

	memcpy(line, p->held, p->have);
	line[p->have] = 0;
	if (sscanf(line, "PROXY %7s %47s %*47s %5u", family, addr, &port) != 3 || port > 65535)
		return;
	if (!strcmp(family, "TCP4") && inet_pton(AF_INET, addr, bytes) == 1)
		endpoint_ip4(&p->client, bytes);
	else if (!strcmp(family, "TCP6") && inet_pton(AF_INET6, addr, bytes) == 1)
		memcpy(p->client.addr, bytes, 16);
	else
		return;
	p->client.port = (uint16_t)port;
	p->has_client = true;
}

/*
 * Command 1 (PROXY), family TCP over IPv4 or IPv6: section 2.2. LOCAL is the proxy's own health
 * check.
 */
static void v2_client(struct proxy *p)
{
	const uint8_t *body = p->held + V2_HEADER;
	uint16_t len = be16_at(p->held + 14);

	if ((p->held[12] & 0xf) != 1)
		return;
	if (p->held[13] == 0x11 && len >= V2_IP4) {
		endpoint_ip4(&p->client, body);
		p->client.port = be16_at(body + 8);
	} else if (p->held[13] == 0x21 && len >= V2_IP6) {
		memcpy(p->client.addr, body, 16);
		p->client.port = be16_at(body + 32);
	} else {
		return;
	}
	p->has_client = true;
}

/* Bytes of a version 2 header to hold: those that are read. */
static uint32_t v2_wanted(const struct proxy *p)
{
	uint32_t len;

	if (p->have < V2_HEADER)
		return V2_HEADER;
	len = be16_at(p->held + 14);
	return V2_HEADER + (len < V2_IP6 ? len : V2_IP6);
}

/* One more byte is held: update the state. */
static void proxy_step(struct proxy *p)
{
	uint8_t last = p->held[p->have - 1];
	bool v1 = !memcmp(p->held, v1_begins, p->have < 6 ? p->have : 6);
	bool v2 = !memcmp(p->held, v2_begins, p->have < 12 ? p->have : 12);

	p->state = PROXY_HEADER;
	if ((!v1 && !v2) || (v1 && p->have == V1_MOST && last != '\n') ||
	    (v2 && p->have > 12 && p->held[12] >> 4 != 2)) {
		p->state = PROXY_OVER; /* not a PROXY header */
	} else if (v1 && last == '\n') {
		p->state = PROXY_OVER;
		p->seen = true;
		v1_client(p);
	} else if (v2 && p->have >= V2_HEADER && p->have == v2_wanted(p)) {
		p->seen = true;
		v2_client(p);
		p->left = V2_HEADER + be16_at(p->held + 14) - p->have;
		p->state = p->left ? PROXY_REST : PROXY_OVER;
	}
}

uint32_t proxy_feed(struct proxy *p, const uint8_t *data, uint32_t len)
{
	uint32_t used = 0, n;

	while (used < len && p->state < PROXY_REST) {
		/* If the first byte does not begin a header, take nothing. */
		if (!p->have && data[used] != v1_begins[0] && data[used] != v2_begins[0]) {
			p->state = PROXY_OVER;
			return used;
		}
		p->held[p->have++] = data[used++];
		proxy_step(p);
	}
	if (p->state == PROXY_REST) {
		n = len - used < p->left ? len - used : p->left;
		p->left -= n;
		used += n;
		if (!p->left)
			p->state = PROXY_OVER;
	}
	return used;
}
