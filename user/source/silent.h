/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * silent.h - SYNs that were neither answered nor repeated: the tap keeps them back, so that a flood
 * of them reaches nobody, and here they are found when nothing more will come of them.
 */
#ifndef TDSMON_SILENT_H
#define TDSMON_SILENT_H

#include "source.h"

struct silent;

/* map, slots: the tap's "halves". NULL on failure, errno then set. */
struct silent *silent_new(int map, uint32_t slots);
void silent_free(struct silent *silent);

/* The kernel has kept a SYN: look, until there is none left that nobody answered. */
void silent_expect(struct silent *silent);

/*
 * Hand those to watched ports over that have waited long enough by now_ns; of too many at once
 * some, the others are counted. Looks once a second, however often it is called. Returns how many.
 */
int silent_look(struct silent *silent, uint64_t now_ns, const struct port_set *ports,
		const struct port_set *learned, segment_fn *fn, void *ctx);

/* Those that were counted. */
uint64_t silent_untold(const struct silent *silent);

#endif
