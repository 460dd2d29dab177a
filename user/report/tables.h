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

/* Add a login to the row of these parts: its count, class and time. The parts end with NULL. */
#define table_login(groups, record, ...)                                                           \
	table_login_parts(groups, record, (const char *const[]){__VA_ARGS__})
/* Count one in the row of these parts, which end with NULL. */
#define table_count(groups, ...) table_count_parts(groups, (const char *const[]){__VA_ARGS__})

struct group *table_login_parts(struct groups *g, const struct login_record *rec,
				const char *const *parts);
struct group *table_count_parts(struct groups *g, const char *const *parts);
/* Keep the smaller of the row's figure and this one; 0: not known. */
void table_least(struct group *row, int extra, uint64_t value);

/* Tables about logins: tables_login.c. */
void table_causes(struct survey *s, struct groups *g, const struct login_record *rec);
void table_causes_of_clients(struct survey *s, struct groups *g, const struct login_record *rec);
void table_servers(struct survey *s, struct groups *g, const struct login_record *rec);
void table_clients(struct survey *s, struct groups *g, const struct login_record *rec);
void table_apps(struct survey *s, struct groups *g, const struct login_record *rec);
void table_databases(struct survey *s, struct groups *g, const struct login_record *rec);
void table_drivers(struct survey *s, struct groups *g, const struct login_record *rec);
void table_processes(struct survey *s, struct groups *g, const struct login_record *rec);
void table_methods(struct survey *s, struct groups *g, const struct login_record *rec);
void table_encryptions(struct survey *s, struct groups *g, const struct login_record *rec);
void table_weak(struct survey *s, struct groups *g, const struct login_record *rec);
void table_certificates(struct survey *s, struct groups *g, const struct login_record *rec);
void table_alerts(struct survey *s, struct groups *g, const struct login_record *rec);
void table_errors(struct survey *s, struct groups *g, const struct login_record *rec);
void table_unanswered(struct survey *s, struct groups *g, const struct login_record *rec);
void table_late(struct survey *s, struct groups *g, const struct login_record *rec);
void table_probes(struct survey *s, struct groups *g, const struct login_record *rec);
void table_redirects(struct survey *s, struct groups *g, const struct login_record *rec);
void table_dead_first(struct survey *s, struct groups *g, const struct login_record *rec);
void table_instances(struct survey *s, struct groups *g, const struct login_record *rec);
void table_browser_unanswered(struct survey *s, struct groups *g, const struct browser_record *rec);
void table_dependencies(struct survey *s, struct groups *g, const struct login_record *rec);
void table_waits(struct survey *s, struct groups *g, const struct login_record *rec);
void table_packets(struct survey *s, struct groups *g, const struct login_record *rec);
void table_paths(struct survey *s, struct groups *g, const struct login_record *rec);
void table_mtu(struct survey *s, struct groups *g, const struct login_record *rec);
void table_ports(struct survey *s, struct groups *g, const struct login_record *rec);

/* Tables about connections and their ends: tables_close.c. */
void table_close_endings(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_resets(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_attentions(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_pools(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_mars(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_paths(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_keepalives(struct survey *s, struct groups *g, const struct close_record *rec);
void table_close_redirects(struct survey *s, struct groups *g, const struct close_record *rec);

#endif
