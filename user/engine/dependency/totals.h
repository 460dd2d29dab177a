/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * totals.h - how often each service was asked, how often in vain, and for how long: by kind and
 * peer, for a bounded number of peers. Internal to dependency/.
 */
#ifndef TDSMON_TOTALS_H
#define TDSMON_TOTALS_H

#include "engine/record.h"

struct exchange;

struct totals {
	/* Of each kind, the last one is of all peers without a place. */
	struct dependency_total at[DEPENDENCY_COUNT][DEPENDENCY_PEERS + 1];
	uint32_t count[DEPENDENCY_COUNT];
};

/*
 * Count an exchange that ended, or that is given up as unanswered. Each counts once. What was lost
 * or skipped is not counted; of connects those count that failed.
 */
void totals_add(struct totals *t, struct exchange *x);

#endif
