/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ip_addr.h - addresses of 16 bytes: IPv6, and IPv4 mapped into it (RFC 4291 2.5.5.2).
 */
#ifndef TDSMON_IP_ADDR_H
#define TDSMON_IP_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IP_V4_AT 12 /* where a mapped address has the four bytes of IPv4 */

static const uint8_t ip_v4_prefix[IP_V4_AT] = {[10] = 0xff, [11] = 0xff};

static inline bool ip_is_v4(const uint8_t addr[16])
{
	return !memcmp(addr, ip_v4_prefix, IP_V4_AT);
}

/* ::1, or 127.0.0.0/8 */
static inline bool ip_is_loopback(const uint8_t addr[16])
{
	static const uint8_t v6[16] = {[15] = 1};

	return ip_is_v4(addr) ? addr[IP_V4_AT] == 127 : !memcmp(addr, v6, sizeof(v6));
}

/* Map the four bytes of v4, which may stand within addr. */
static inline void ip_map_v4(uint8_t addr[16], const void *v4)
{
	memmove(addr + IP_V4_AT, v4, 4);
	memcpy(addr, ip_v4_prefix, IP_V4_AT);
}

#endif
