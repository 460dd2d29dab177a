/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_row.h - a row of the table of verdicts, and the groups of rows that make up the table, in
 * the order in which they are tried. Within a group, too, the first row that fits wins: what is
 * more particular stands higher. A group ends with a row without a name.
 */
#ifndef TDSMON_VERDICT_ROW_H
#define TDSMON_VERDICT_ROW_H

#include "login.h"

struct verdict {
	const char *name;
	bool (*match)(const struct login *l, const struct login_record *r);
	char *(*text)(const struct login *l, const struct login_record *r);
};

extern const struct verdict verdict_path[], verdict_tls[], verdict_left[], verdict_refused[],
	verdict_slow[];

/* The row of refusals takes its name from the error number, where that has one. */
bool verdict_is_refused(const struct login *l, const struct login_record *r);
const char *verdict_refused_name(const struct login_record *r);

/* What a side that left was waiting for: the message that is due in this state. */
const char *verdict_due(const struct login *l);

static inline double verdict_seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

#endif
