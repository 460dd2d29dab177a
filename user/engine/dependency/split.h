/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * split.h - shares out a wait among the parts that overlap it, so that they add up to it. Internal
 * to dependency/.
 */
#ifndef TDSMON_SPLIT_H
#define TDSMON_SPLIT_H

#include "engine/dependency/dependency.h"

#define SPANS_MOST 128

/* A wait that is being split: of one host, from a to b. */
struct wait {
	const uint8_t *host;
	enum side side;
	uint64_t a, b;
};

/* What one exchange, or what the socket witness saw, takes of a wait. */
struct span {
	uint64_t from, to;
	enum wait_part part;
	enum basis basis;
	const struct exchange *x; /* NULL: it is no request to another host */
	const char *grounds;
};

struct spans {
	struct span at[SPANS_MOST];
	size_t count;
};

/* Add a span, cut to the wait. Nothing is added where nothing of it is left, or no room. */
void spans_add(struct spans *s, const struct wait *w, const struct span *span);

/*
 * Add the wait's parts to out: each piece between two bounds goes to the first part that holds it,
 * what no span holds is PART_PROCESS, of basis rest and with rest_grounds.
 */
void spans_split(const struct spans *s, const struct wait *w, size_t step, enum basis rest,
		 const char *rest_grounds, struct dependency_findings *out);

/*
 * witness.c: add what the socket witness saw of the wait. Returns the grounds on which what is left
 * is the process's own time; NULL: it was not seen to have read all.
 */
const char *witness_spans(const struct witness *w, const struct wait *wait, struct spans *s);

/* witness.c: the cause, where the server's process was not there for most of the longest step. */
void witness_cause(const struct dependency_login *login, struct dependency_findings *out);

#endif
