/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unanswered_syns.h - handshakes that nothing more is expected of: SYNs that were neither answered nor
 * repeated, and those that a server answered and the client never acknowledged. The tap keeps them
 * back, so that a flood of them reaches nobody; here they are found.
 */
#ifndef TDSMON_UNANSWERED_SYNS_H
#define TDSMON_UNANSWERED_SYNS_H

#include "source/source.h"

struct unanswered_syns;

/* map, slots: the tap's "halves". NULL on failure, errno then set. */
struct unanswered_syns *silent_new(int map, uint32_t slots);
void silent_free(struct unanswered_syns *silent);

/* The kernel has kept a SYN: look, until there is none left that waits. */
void silent_expect(struct unanswered_syns *silent);

/* Is it time to look, and is there something to look for? */
bool silent_due(const struct unanswered_syns *silent, uint64_t now_ns);

/*
 * Hand those to watched ports over that have waited long enough by now_ns. Of too many SYNs at once
 * some, the others are counted; of too many half-open handshakes none: their sources are made up.
 * Returns how many were handed over.
 */
int silent_look(struct unanswered_syns *silent, uint64_t now_ns, const struct port_set *ports,
		const struct port_set *learned, segment_fn *fn, void *ctx);

/* Those that were counted: SYNs that nobody answered, and handshakes left half open. */
uint64_t silent_syns(const struct unanswered_syns *silent);
uint64_t silent_half_open(const struct unanswered_syns *silent);

#endif
