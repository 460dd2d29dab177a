/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rule.h - a row of the table of verdicts, and the groups of rows that make up the table, in
 * the order in which they are tried. Within a group, too, the first row that fits wins: what is
 * more particular stands higher. A group ends with a row without a name.
 */
#ifndef TDSMON_RULE_H
#define TDSMON_RULE_H

#include "engine/login/login.h"

struct verdict {
	const char *name;
	bool (*match)(const struct login *l, const struct login_record *r);
	char *(*text)(const struct login *l, const struct login_record *r);
	/* A more particular name; NULL: the row's own it is. */
	const char *(*rename)(const struct login *l, const struct login_record *r);
	/* What it comes to; VERDICT_UNKNOWN: as the outcome and the login's time say. */
	enum verdict_class class;
	bool unremarkable; /* as in verdict_words */
};

/* A login that succeeded within the times that are not called slow. */
bool verdict_in_time(const struct login *l, const struct login_record *r);

extern const struct verdict verdict_path[], verdict_tls[], verdict_cause[], verdict_left[],
	verdict_refused[], verdict_slow[];

#define PARALLEL_NS (6 * NS_PER_S / 10) /* parallel attempts begin this near to each other */

/* What was due when a login stopped, of whom, and where to look for why it did not come. */
struct due {
	uint8_t phase; /* enum phase */
	uint8_t side;  /* enum side */
	const char *what, *look;
};
const struct due *verdict_due(const struct login *l);

/* What a login that is not decided waits for now. */
const struct due *verdict_awaited(const struct login *l);

/* That it took long, too: " (after 12.345 s)", or "" where it is not called slow. */
#define VERDICT_AFTER 40
const char *verdict_after(const struct login *l, const struct login_record *r,
			  char text[VERDICT_AFTER]);

/* What an error of this number means and what is to be done; NULL: nothing is known of it. */
const char *verdict_error_text(int32_t number);

static inline double verdict_seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

#endif
