/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * stalls.h - waits for a server that should have cost it nothing: for the PRELOGIN response and the
 * TLS handshake. If the waits of several logins end at one moment, the server as a whole stood
 * still.
 */
#ifndef TDSMON_STALLS_H
#define TDSMON_STALLS_H

#include "engine/record.h"

struct login;

#define STALLS_KEPT    64
#define STALL_LEAST_NS 100000000ull

struct stall {
	struct endpoint server;
	uint64_t from_ns, to_ns; /* to_ns 0: no wait */
};

struct stalls {
	struct stall at[STALLS_KEPT];
	uint32_t next;
};

/* The login's longest wait of that kind; to_ns is 0 if the server answered no such wait. */
struct stall stall_of(const struct login *l, const struct endpoint *server);

/* Did it take STALL_LEAST_NS or more? */
static inline bool stall_is_long(const struct stall *s)
{
	return s->to_ns && s->to_ns - s->from_ns >= STALL_LEAST_NS;
}

/* Do both end at one moment, at one server, after STALL_LEAST_NS or more? */
bool stall_is_like(const struct stall *a, const struct stall *b);

/* Did the server answer the other one in the middle of the stall? Then it did not stand still. */
bool stall_is_denied(const struct stall *stall, const struct stall *other);

/* Keep it for later logins; to_ns is not 0. */
void stalls_add(struct stalls *s, const struct stall *stall);

/* How many of the kept waits are like it; 0 if one of them denies it. */
uint32_t stalls_like(const struct stalls *s, const struct stall *stall);

#endif
