/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire_int.h - integers of either byte order, at any address. The caller has checked that their
 * bytes are there; cursor.h reads bounded.
 */
#ifndef TDSMON_WIRE_INT_H
#define TDSMON_WIRE_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | be24_at(p + 1);
}

static inline uint16_t le16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32_at(const uint8_t *p)
{
	return le16_at(p) | (uint32_t)le16_at(p + 2) << 16;
}

/* In this machine's byte order, or swapped: files that are written in their writer's order. */
static inline uint16_t host16_at(const uint8_t *p, bool swap)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap16(v) : v;
}

static inline uint32_t host32_at(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

static inline uint64_t host64_at(const uint8_t *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap64(v) : v;
}

#endif
