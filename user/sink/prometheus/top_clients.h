/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_clients.h - counts the clients with the most logins one by one, and the others together.
 */
#ifndef TDSMON_TOP_CLIENTS_H
#define TDSMON_TOP_CLIENTS_H

#include "engine/record.h"

#define TOP_CLIENTS_WATCHED 4 /* so many more are watched, as candidates to be shown */

struct top_client {
	uint8_t addr[16];
	bool shown;
	uint64_t weight;		  /* of its logins; older ones count less */
	uint64_t excess;		  /* the part of weight that may be another client's */
	uint64_t outcomes[OUTCOME_COUNT]; /* since it has been shown */
	uint64_t total_ns;		  /* of logins whose times count */
};

struct top_clients {
	size_t shown, shown_max, count, max;
	uint64_t ranked_ns;
	struct top_client other;
	struct top_client clients[];
};

/* NULL: out of memory. shown: 0 to SINK_TOP_CLIENTS_MAX. */
struct top_clients *top_clients_new(size_t shown);
void top_clients_free(struct top_clients *top);

void top_clients_login(struct top_clients *top, const struct login_record *rec);

#endif
