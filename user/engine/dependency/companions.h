/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * companions.h - the requests that hosts make to the services that a login depends on. Each is
 * timed by request and response: who asked whom for what, when, and with which result. The last
 * COMPANION_EXCHANGES are kept, so that a login that is decided late can look back.
 */
#ifndef TDSMON_COMPANIONS_H
#define TDSMON_COMPANIONS_H

#include <linux/types.h>

#include "engine/dependency/exchange.h"
#include "engine/dependency/service_message.h"
#include "engine/record.h"
#include "segment.h"

#define COMPANION_EXCHANGES	4096 /* kept; the oldest is dropped first */
#define COMPANION_CONVERSATIONS 4096 /* followed; the one that was idle longest is dropped first */

struct companion_stats {
	uint64_t exchanges, responses;
	uint64_t unanswered_forgotten; /* dropped from the ring while open */
	uint64_t conversations_evicted;
};

struct companions;

/*
 * seed: of the hash table, as in engine_config. own: live, all requests are of the host that we run
 * on. NULL: out of memory.
 */
struct companions *companions_new(const uint64_t seed[2], bool own);
void companions_free(struct companions *c);

/*
 * Take one TCP segment or, with SEG_F_UDP, one datagram, of whatever ports; payload holds
 * seg->cap_len bytes. Segments of other services cost a table look-up. SEG_F_SKIPPED: the source
 * leaves out packets of such services for a second at most.
 */
void companions_segment(struct companions *c, const struct seg *seg, const uint8_t *payload);

/* Is it open, and may its response be among the packets that the source lost or left out? */
bool companions_unclear(const struct companions *c, const struct exchange *x);

/* The host that asks, as exchanges name it: 16 bytes. */
const uint8_t *companions_host(const struct exchange *x);

/* How exchanges name the host that we run on. */
extern const uint8_t companions_own_host[16];

/* The source lost packets up to now_ns: what is open, or began before, may have been answered. */
void companions_lost(struct companions *c, uint64_t now_ns);

/* The newest exchange, and the one that began before it; NULL: no such exchange, or c is NULL. */
struct exchange *companions_newest(struct companions *c);
struct exchange *companions_before(struct companions *c, const struct exchange *x);

typedef void companions_total_fn(void *ctx, const struct dependency_total *total);

/*
 * Call fn for each kind and peer. A request without a response for 30 s counts as failed from then
 * on; once no more segments come, for 5 s.
 */
void companions_totals(struct companions *c, uint64_t now_ns, companions_total_fn *fn, void *ctx);

/* No more segments will come. c may be NULL. */
void companions_finish(struct companions *c, uint64_t now_ns);

const struct companion_stats *companions_stats(const struct companions *c);

#endif
