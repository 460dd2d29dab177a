/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * waiting.h - keeps the logins that have waited longest, of any number.
 */
#ifndef TDSMON_WAITING_H
#define TDSMON_WAITING_H

#include "engine/record.h"

#define WAITING_MAX 20

struct waiting {
	uint64_t total; /* number that were added */
	/* of those kept; most: at most WAITING_MAX, set before the first is added */
	unsigned count, most;
	struct pending_record longest[WAITING_MAX]; /* the longest wait first */
};

void waiting_add(struct waiting *w, const struct pending_record *rec);

#endif
