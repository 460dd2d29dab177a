/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * findings.h - what the doctor found: each with a state, and what to do.
 */
#ifndef TDSMON_FINDINGS_H
#define TDSMON_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/output.h"

enum finding_state {
	FINDING_OK,
	FINDING_NOTE, /* worth knowing, or it could not be seen */
	FINDING_MEND, /* tdsmon does not work as asked until this is mended */
};

#define FINDING_SUBJECT 64

struct finding {
	const char *check;	       /* "kernel"; a literal */
	char subject[FINDING_SUBJECT]; /* "eth0"; "": the host */
	enum finding_state state;
	bool unseen;	  /* the check could not look, and the text says why */
	char *text, *act; /* a clause each; act: what to do, or NULL */
};

/* An empty one is all zeroes. */
struct findings {
	struct finding *all;
	size_t count;
	bool failed; /* memory ran out: some are missing */
};

void findings_release(struct findings *f);

/* Add one; subject NULL: the host. The rest is set by the functions below, for the last one added. */
void findings_add(struct findings *f, const char *check, const char *subject);
void findings_say(struct findings *f, enum finding_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* It could not be seen: a note. */
void findings_unseen(struct findings *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* An action that mends it, or that may be useful. */
void findings_act(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How many are of this state. */
size_t findings_count(const struct findings *f, enum finding_state state);

/* For people, so many columns wide; or one JSON object in a line. */
void findings_text(const struct findings *f, struct output *out, unsigned width);
void findings_json(const struct findings *f, struct output *out);

#endif
