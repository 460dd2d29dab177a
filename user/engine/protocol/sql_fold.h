/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_fold.h - folds a statement's text for a search for names: into lower case, and letters that
 * look alike into one.
 */
#ifndef TDSMON_SQL_FOLD_H
#define TDSMON_SQL_FOLD_H

#include <stddef.h>
#include <stdint.h>

struct sql_folded {
	char *text;   /* ASCII; each other character becomes one ASCII character */
	uint32_t *at; /* for each character of text, where it ends in the statement */
};

enum sql_reading {
	SQL_AS_WRITTEN,
	/*
	 * Concatenated strings are read as the string that they become. Comments between them are
	 * left out; but the same text may be part of a string, where it is not a comment.
	 */
	SQL_JOINED,
};

/* Returns 0 or -ENOMEM. */
int sql_fold(struct sql_folded *f, const char *text, enum sql_reading reading);
void sql_folded_release(struct sql_folded *f);

/* Step over white space and comments. */
const char *sql_skip_blank(const char *p);
/* The end of the comment that begins at p; NULL if nothing ends it. Comments nest. */
const char *sql_comment_end(const char *p);

#endif
