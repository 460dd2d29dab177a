/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * exchanges.h - for tests of a login's share of requests: a client, a server and a domain
 * controller, packets between them, and a login that waits for its server.
 */
#ifndef TDSMON_EXCHANGES_H
#define TDSMON_EXCHANGES_H

#include <stdlib.h>

#include "engine/dependency/dependency.h"
#include "unit.h"

#define MS	     1000000ull
#define BYTES(array) array, sizeof(array) - 1

static const struct endpoint client = {{[10] = 0xff, 0xff, 10, 77, 0, 30}, 40000};
static const struct endpoint server = {{[10] = 0xff, 0xff, 10, 77, 0, 20}, 1433};
static const struct endpoint dc = {{[10] = 0xff, 0xff, 10, 77, 0, 10}, 49152};

static inline struct companions *new_companions(void)
{
	static const uint64_t seed[2];
	struct companions *c = companions_new(seed, false);

	if (!c)
		abort();
	return c;
}

static inline void packet(struct companions *c, const struct endpoint *from, uint16_t sport,
			  const struct endpoint *to, uint16_t dport, uint64_t ns, struct seg seg,
			  const uint8_t *payload, size_t len)
{
	seg.ts_ns = ns;
	memcpy(seg.saddr, from->addr, 16);
	memcpy(seg.daddr, to->addr, 16);
	seg.sport = sport;
	seg.dport = dport;
	seg.len = seg.cap_len = (uint32_t)len;
	companions_segment(c, &seg, payload);
}

/* A login that waits for its server from a to b after its last token. */
static inline void find(struct companions *c, uint64_t id, uint64_t a, uint64_t b,
			enum authority authority, struct dependency_findings *out)
{
	const struct step steps[] = {{STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, 1},
				     {STEP_LOGINACK, PHASE_AUTH, SIDE_SERVER, b - a}};
	const struct dependency_login login = {id, client.addr, server.addr, a - 1, steps,
					       2,  authority,	NULL,	     NULL};

	dependency_find(c, &login, out);
}

static inline uint64_t part_ns(const struct dependency_findings *f, enum wait_part part)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < f->part_count; i++)
		ns += f->parts[i].part == part ? f->parts[i].ns : 0;
	return ns;
}

#endif
