/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * split.h - splits a wait among the parts that overlap it, so that they add up to it. Internal to
 * dependency/.
 */
#ifndef TDSMON_SPLIT_H
#define TDSMON_SPLIT_H

#include "engine/dependency/dependency.h"

#define SPANS_MOST 128

/* A wait to split: one host's, from a to b. */
struct wait {
	const uint8_t *host;
	enum side side;
	uint64_t a, b;
	bool verifies; /* a server has all that it needs to verify the login: its call is in it */
};

/* The time of a wait that one exchange, or an observation of the socket witness, covers. */
struct span {
	uint64_t from, to;
	enum wait_part part;
	enum basis basis;
	const struct exchange *x; /* NULL: not a request to another host */
	const char *grounds;
};

struct spans {
	struct span at[SPANS_MOST];
	size_t count;
};

/*
 * Add a span, clipped to the wait. Adds nothing if nothing of it lies in the wait, or if there is
 * no room.
 */
void spans_add(struct spans *s, const struct wait *w, const struct span *span);

/*
 * Add the wait's parts to out. Each piece between two bounds goes to the first part that covers it.
 * Pieces that no span covers become PART_PROCESS, with basis rest and grounds rest_grounds.
 */
void spans_split(const struct spans *s, const struct wait *w, size_t step, enum basis rest,
		 const char *rest_grounds, struct dependency_findings *out);

/*
 * witness.c: add the spans that the socket witness saw of the wait. Returns the grounds on which
 * the rest is the process's own time; NULL: no look saw that the process had read everything.
 */
const char *witness_spans(const struct witness *w, const struct wait *wait, struct spans *s);

/* unacked_spans.c: add the spans in which no ACK had come. u may be NULL. */
void unacked_times_spans(const struct unacked_times *u, const struct wait *w, struct spans *s);

/* unacked_spans.c: was nothing acknowledged, during all of the wait and after it? u may be NULL. */
bool unacked_times_cover(const struct unacked_times *u, const struct wait *w);

/* witness.c: set the cause, if the server's process was not there for most of the longest step. */
void witness_cause(const struct dependency_login *login, struct dependency_findings *out);

#endif
