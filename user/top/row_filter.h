/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * row_filter.h - which logins to show: words and comparisons, all of which must hold.
 *
 *	10.0.0.1                 a word that any shown value or the verdict's sentence contains
 *	client=10. outcome!=ok   a field contains a text, or does not; app= it was not seen
 *	server==10.0.0.2:1433    a field is this text
 *	total>500ms error=18456  a time or a number is greater (or less: <)
 *	dependency=kerberos      one of the services that its hosts asked
 *	tds.spid=57              any key of the record, by its path
 *	!probe app="My App"      not that word; a text with blanks
 */
#ifndef TDSMON_ROW_FILTER_H
#define TDSMON_ROW_FILTER_H

#include <jansson.h>
#include <stdbool.h>

struct filter;
struct row;

#define FILTER_WHY 160

/* "" and NULL match everything: the result is then NULL with why "". NULL, why says why: a fault. */
struct filter *filter_parse(const char *text, char why[FILTER_WHY]);
void filter_free(struct filter *filter); /* accepts NULL */

/* record: the login's, or NULL if it is no longer kept; then keys by their path are not there. */
bool filter_match(const struct filter *filter, const struct row *row, const json_t *record);

/* Is the record needed, so that it has to be parsed? */
bool filter_needs_record(const struct filter *filter);

#endif
