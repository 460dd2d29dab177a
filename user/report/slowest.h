/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * slowest.h - the logins that took longest, kept with their steps.
 */
#ifndef TDSMON_SLOWEST_H
#define TDSMON_SLOWEST_H

#include "sink/sink.h"

#define SLOWEST_MOST  50
#define SLOWEST_STEPS 48 /* kept of a login; further ones are added to the last one */
#define SLOWEST_NOTES 8	 /* parts of waits, and requests to others */

struct slowest_step {
	enum step_kind kind;
	enum phase phase;
	enum side waits_on;
	uint64_t ns;
};

/* A login's copy. Texts are printable. */
struct slow_login {
	uint64_t id, wall_ns, total_ns;
	char client[SINK_ENDPOINT_MAX], server[SINK_ENDPOINT_MAX];
	char *app; /* NULL: not seen */
	const char *outcome;
	enum verdict_class class;
	char *verdict, *text;
	uint64_t phase_ns[PHASE_SESSION]; /* NO_NS: did not happen */
	struct slowest_step steps[SLOWEST_STEPS];
	unsigned step_count;
	char *notes[SLOWEST_NOTES]; /* "of it unread 2.9 s ...", "the server asked ..." */
	unsigned note_count;
};

struct slowest {
	struct slow_login *logins[SLOWEST_MOST]; /* the longest first */
	unsigned count;
};

/* An empty one is all zeroes. Times that say nothing about the login (sink_timed()) are left out. */
void slowest_add(struct slowest *s, const struct login_record *rec, uint64_t wall_ns);
void slowest_release(struct slowest *s);

#endif
