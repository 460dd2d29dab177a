/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opener.h - a second process that opens what the watching process may not: it is started before
 * that one is confined, takes typed requests, never a path, and passes descriptors. It sees no
 * packet, and ends when the watching process does.
 */
#ifndef TDSMON_OPENER_H
#define TDSMON_OPENER_H

#include <stdint.h>

#define OPENER_NAME 52 /* room for a plain name */

/* What can be asked for; the rows of the table in opener.c. */
enum opener_kind {
	OPENER_CONFIG,		/* the configuration file */
	OPENER_WEB_CONFIG,	/* the web configuration file */
	OPENER_WEB_CERT,	/* and what it named when it was opened last */
	OPENER_WEB_KEY,		/* ... */
	OPENER_WEB_CLIENT_CA,	/* ... */
	OPENER_TEXTFILE,	/* a new file for the metrics, to be written to */
	OPENER_TEXTFILE_COMMIT, /* it takes the place of the old one: 0 */
	OPENER_TEXTFILE_DROP,	/* it is removed: 0 */
	OPENER_KINDS
};

/* A request and its answer, as they cross the socket pair. */
struct opener_request {
	uint32_t kind;		/* enum opener_kind */
	uint32_t seq;		/* of the answer, too */
	uint32_t number;	/* for rows that take one, else 0 */
	char name[OPENER_NAME]; /* for rows that take one: no slash, not "." or ".."; else "" */
};
_Static_assert(sizeof(struct opener_request) == 64, "no padding");

struct opener_answer {
	uint32_t seq;
	int32_t err; /* 0, or -errno; a descriptor comes with 0 only */
};

/* Paths that are settings, or NULL. */
struct opener_config {
	const char *config, *web_config, *textfile;
};

struct opener;

/*
 * Start it, with what it may open for good. NULL with *err 0: there is nothing to open later.
 * NULL with *err -errno, the reason logged. The opener keeps the user, and of the capabilities
 * those that its rows need.
 */
struct opener *opener_start(const struct opener_config *config, int *err);
/* It ends by itself then. NULL is accepted. */
void opener_stop(struct opener *opener);

/*
 * A descriptor, or 0 where the kind opens none; -errno: the opener's, -ETIMEDOUT: it did not
 * answer in time, -EPIPE: it is gone, -EINVAL: it was not started with that setting.
 */
int opener_ask(struct opener *opener, enum opener_kind kind);

#endif
