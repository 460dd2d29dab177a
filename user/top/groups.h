/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * groups.h - logins counted by what they have in common.
 */
#ifndef TDSMON_GROUPS_H
#define TDSMON_GROUPS_H

#include "top/model.h"

#define GROUP_KEYS  3	   /* most fields to group by */
#define GROUPS_MOST 10000u /* further ones count as one, "other" */

/* Instead of a field: the services that the logins' hosts asked. */
#define GROUP_BY_NEEDS ROW_FIELDS

/* By which fields, in order. */
struct group_by {
	int fields[GROUP_KEYS]; /* enum row_field, or GROUP_BY_NEEDS */
	int count;
	bool problems;	/* only those that failed or were slow */
	uint64_t until; /* logins up to this number; 0: all */
};

/* Read "client" or "client,verdict". False: why says what is wrong. */
bool group_by_parse(struct group_by *by, const char *text, char why[FILTER_WHY]);

struct group {
	UT_hash_handle hh;
	const struct name *key[GROUP_KEYS]; /* NULL: not seen */
	bool other;
	uint64_t logins, failed, slow;
	uint64_t requests, unanswered; /* of GROUP_BY_NEEDS */
	uint64_t last_ns, most_ns;
	uint64_t problem_seq; /* the latest login that failed or was slow; 0: none */
	uint64_t quantile_ns[3];
	size_t timed, first; /* number of its times, and where they are in groups.values */
};

struct groups {
	struct group **list;
	size_t count;
	struct group *all; /* the hash table */
	struct group *other;
	uint64_t *values;
	uint64_t logins; /* that were counted */
};

enum group_order {
	GROUP_PROBLEMS, /* failed and slow */
	GROUP_LOGINS,
	GROUP_P50,
	GROUP_P95,
	GROUP_P99,
	GROUP_MOST,
	GROUP_LAST,
	GROUP_NAME,
	GROUP_ORDERS
};

/* Count the logins that match the filter. 0 or -ENOMEM; groups_release() in both cases. */
int groups_make(struct groups *groups, const struct model *model, const struct group_by *by);
void groups_sort(struct groups *groups, enum group_order order, bool reversed);
void groups_release(struct groups *groups);

#endif
