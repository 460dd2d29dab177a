/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rule.h - a row of the table of verdicts, and the groups of rows that form the table, in the order
 * in which they are tried. Within a group, too, the first row that fits wins, so more specific rows
 * come first. A group ends with an empty row.
 */
#ifndef TDSMON_RULE_H
#define TDSMON_RULE_H

#include "engine/login/login.h"

struct verdict_row {
	enum verdict verdict;
	bool (*match)(const struct login *l, const struct login_record *r);
	char *(*text)(const struct login *l, const struct login_record *r);
	/* Picks the verdict instead; NULL: it is the row's own. */
	enum verdict (*pick)(const struct login *l, const struct login_record *r);
	/* Instead of the class in the list of verdicts; VERDICT_UNKNOWN: as there. */
	enum verdict_class class;
	bool unremarkable; /* as in verdict_words */
};

/* A login that succeeded in less than the times that count as slow. */
bool verdict_in_time(const struct login *l, const struct login_record *r);

extern const struct verdict_row verdict_path[], verdict_tls[], verdict_stalls[], verdict_cause[],
	verdict_left[], verdict_refused[], verdict_slow[];

#define PARALLEL_NS (6 * NS_PER_S / 10) /* parallel attempts begin this close to each other */

/*
 * The message that was due when a login stopped, the side that owed it, and where to look for why
 * it did not come.
 */
struct due {
	uint8_t phase; /* enum phase */
	uint8_t side;  /* enum side */
	const char *what, *look;
};
const struct due *verdict_due(const struct login *l);

/* The message for which an undecided login waits now. */
const struct due *verdict_awaited(const struct login *l);

/* For a login that also took long: " (after 12.345 s)"; "" if it does not count as slow. */
#define VERDICT_AFTER 40
const char *verdict_after(const struct login *l, const struct login_record *r,
			  char text[VERDICT_AFTER]);

/* The meaning of an error number, and what to do; NULL: unknown number. */
const char *verdict_error_text(int32_t number);

static inline double verdict_seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

#endif
