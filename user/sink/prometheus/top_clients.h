/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_clients.h - the clients that log in most: a few are counted by themselves, the rest together.
 */
#ifndef TDSMON_TOP_CLIENTS_H
#define TDSMON_TOP_CLIENTS_H

#include "engine/record.h"

#define TOP_CLIENTS_WATCHED 4 /* so many more are watched, to be shown when they deserve it */

struct top_client {
	uint8_t addr[16];
	bool shown;
	uint64_t weight;		  /* of its logins; what is old counts for less */
	uint64_t excess;		  /* of weight, what may have been another's */
	uint64_t outcomes[OUTCOME_COUNT]; /* since it is shown */
	uint64_t total_ns;		  /* of logins whose time counts */
};

struct top_clients {
	size_t shown, shown_max, count, max;
	uint64_t ranked_ns;
	struct top_client other;
	struct top_client clients[];
};

/* NULL for want of memory. shown: 0 to SINK_TOP_CLIENTS_MAX. */
struct top_clients *top_clients_new(size_t shown);
void top_clients_free(struct top_clients *top);

void top_clients_login(struct top_clients *top, const struct login_record *rec);

#endif
