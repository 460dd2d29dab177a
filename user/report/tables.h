/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tables.h - the tables of a report: which records each counts, by which key, and what its columns
 * are. To add one, write its functions and its row in tables.c.
 */
#ifndef TDSMON_TABLES_H
#define TDSMON_TABLES_H

#include "report/survey.h"

/* How an extra column reads. */
enum table_unit {
	UNIT_NONE, /* no further column */
	UNIT_COUNT,
	UNIT_NS, /* a duration; 0: not known */
	UNIT_BYTES,
	UNIT_PORTS, /* how many bits are set in the row's map; the extra itself is not used */
};

/* Groups of figures that login tables share. */
enum table_figures {
	FIGURES_LOGINS, /* logins, failed, slow, median, 95 %, longest */
	FIGURES_COUNT,	/* count only */
};

struct table_extra {
	const char *head;
	enum table_unit unit;
};

struct survey_table {
	const char *id; /* an anchor, and a name in tests */
	const char *title, *note;
	const char *parts[GROUP_PARTS]; /* heads of the key's columns */
	const char *count;		/* head of the count, if FIGURES_COUNT */
	enum table_figures figures;
	struct table_extra extras[GROUP_EXTRAS];
	group_order *order;
	/* Each adds what the record tells to the table's groups; or NULL. */
	void (*login)(struct survey *s, struct groups *g, const struct login_record *rec);
	void (*close)(struct survey *s, struct groups *g, const struct close_record *rec);
	void (*browser)(struct survey *s, struct groups *g, const struct browser_record *rec);
};

/* The tables that the finding and the comparison use; they come first. */
enum table_id {
	TABLE_CAUSES,	    /* by verdict, with examples */
	TABLE_CAUSE_CLIENT, /* by verdict and client; not shown */
	TABLE_SERVERS,
	TABLE_CLIENTS,
	TABLE_APPS,
	TABLE_REST,
};

extern const struct survey_table survey_tables[];
extern const size_t survey_table_count;

/* Add a login to the row of these parts, which end with NULL: its count, class and time. */
struct group *table_login(struct groups *g, const struct login_record *rec, ...)
	__attribute__((sentinel));
/* Count one in the row of these parts, which end with NULL. */
struct group *table_count(struct groups *g, ...) __attribute__((sentinel));

/* Tables about connections and their ends: tables_close.c. */
void table_close_endings(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_resets(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_attentions(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_pools(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_mars(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_paths(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_redirects(struct survey *s, struct groups *g, const struct close_record *rec);

#endif
