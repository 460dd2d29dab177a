/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * csv.h - logins as CSV (RFC 4180), one row each, and reading them back for a comparison.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe before it.
 */
#ifndef TDSMON_CSV_H
#define TDSMON_CSV_H

#include "report/survey.h"

/* Writes to its output: the heads first, then a row for each login. */
extern const struct sink_ops csv_sink;

/* Does a file begin like one that csv_sink wrote? */
bool csv_is(const char *text, size_t len);

/*
 * Add the logins of such a file to the survey, as far as a comparison needs them. fd stays the
 * caller's. 0; -errno of reading; or -EPROTO, *row (from 1, the heads) then is no row of that form.
 */
int csv_read(int fd, struct survey *s, uint64_t *row);

#endif
