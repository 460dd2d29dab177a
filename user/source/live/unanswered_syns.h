/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unanswered_syns.h - handshakes of which no more packets are expected: SYNs that were neither
 * answered nor retransmitted, and SYN+ACKs that the client never acknowledged. The tap stores both,
 * so that a flood of them reaches nobody; this finds them.
 */
#ifndef TDSMON_UNANSWERED_SYNS_H
#define TDSMON_UNANSWERED_SYNS_H

#include "source/source.h"

struct unanswered_syns;

/* map, slots: the tap's map "half_open". NULL on failure, errno then set. */
struct unanswered_syns *unanswered_syns_new(int map, uint32_t slots);
void unanswered_syns_free(struct unanswered_syns *syns);

/* The kernel has stored a SYN: poll until none is pending. */
void unanswered_syns_expect(struct unanswered_syns *syns);

/* Is a poll due, and can there be something to find? */
bool unanswered_syns_due(const struct unanswered_syns *syns, uint64_t now_ns);

/*
 * Emit the handshakes to watched ports that have waited long enough at now_ns. Of too many SYNs at
 * once only the first are emitted, the others counted; of too many half-open handshakes none is
 * emitted, because their sources are forged. Returns how many were emitted.
 */
int unanswered_syns_poll(struct unanswered_syns *syns, uint64_t now_ns,
			 const struct port_set *ports, const struct port_set *learned,
			 segment_fn *fn, void *ctx);

/* Numbers of unanswered SYNs and of half-open handshakes that were counted, not emitted. */
uint64_t unanswered_syns_unreported(const struct unanswered_syns *syns);
uint64_t unanswered_syns_unreported_half_open(const struct unanswered_syns *syns);

#endif
