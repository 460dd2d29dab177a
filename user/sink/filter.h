/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * filter.h - which logins somebody wants to see: by client, server, app, driver, outcome, verdict
 * and time. The terms of one kind are alternatives, and every kind that has terms must fit.
 */
#ifndef TDSMON_FILTER_H
#define TDSMON_FILTER_H

#include "engine/record.h"

/* Each kind's name is its option's: --client, ... */
enum filter_kind {
	FILTER_CLIENT,
	FILTER_SERVER,
	FILTER_APP,
	FILTER_DRIVER,
	FILTER_OUTCOME,
	FILTER_VERDICT,
	FILTER_SLOWER,
	FILTER_KINDS,
};

#define FILTER_ALL  ((1u << FILTER_KINDS) - 1)
#define FILTER_WHY  256 /* bytes of a reason, with its NUL */
#define FILTER_MOST 256 /* terms of a filter */

/* One of a filter's alternatives. */
struct filter_term {
	enum filter_kind kind;
	uint8_t addr[16]; /* client, server: the first `bits` bits count, */
	uint8_t bits;
	uint16_t port;	     /* and the port; 0: any */
	const char *pattern; /* the names: a shell pattern, whose case does not count */
	uint64_t ns;	     /* slower */
};

/* An empty one is all zeroes, and everything fits it. */
struct filter {
	struct filter_term *terms;
	unsigned count;
	unsigned kinds; /* a bit for each kind that has terms */
};

/* NULL: no such kind. */
const char *filter_kind_name(enum filter_kind kind);

/*
 * Add an alternative; value must outlive the filter. 0; -EINVAL with the reason in why, which names
 * the value and says what to write instead; or -ENOMEM, also with a reason.
 *
 *	client, server	ADDRESS, ADDRESS/BITS, ADDRESS:PORT, [ADDRESS]:PORT, ADDRESS/BITS:PORT
 *	app, driver	a shell pattern
 *	outcome		a shell pattern that fits at least one outcome
 *	verdict		a shell pattern
 *	slower		a time, as duration_parse_ms() reads it: the login took longer, with the
 *			client's attempts before it
 */
int filter_add(struct filter *filter, enum filter_kind kind, const char *value,
	       char why[FILTER_WHY]);

/* Remove all terms of a kind. */
void filter_clear(struct filter *filter, enum filter_kind kind);
void filter_release(struct filter *filter);

/*
 * A bit for each kind that fits the login; kinds without terms always fit. What was not seen, such
 * as the app of an encrypted login, fits no term.
 */
unsigned filter_fits(const struct filter *filter, const struct login_record *rec);

/* Does the login fit? Pure: it reads nothing but its arguments. */
static inline bool filter_login(const struct filter *filter, const struct login_record *rec)
{
	return !filter->count || filter_fits(filter, rec) == FILTER_ALL;
}

/* The same for parts of other records: kinds whose fact is not given do not fit. */
struct filter_facts {
	const struct endpoint *client, *proxied_from, *server; /* proxied_from: NULL, no proxy */
	const char *app, *driver, *outcome, *verdict;	       /* NULL: not known */
	uint64_t ns;					       /* NO_NS: not known */
};
unsigned filter_fits_facts(const struct filter *filter, const struct filter_facts *facts);

#endif
