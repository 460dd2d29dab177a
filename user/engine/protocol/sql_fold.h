/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_fold.h - a statement's text as it is to be searched for names: in lower case, and letters
 * that look alike as one.
 */
#ifndef TDSMON_SQL_FOLD_H
#define TDSMON_SQL_FOLD_H

#include <stddef.h>
#include <stdint.h>

struct sql_folded {
	char *text;   /* ASCII; one character for each that is not */
	uint32_t *at; /* where each of its characters ends in the statement */
};

enum sql_reading {
	SQL_AS_WRITTEN,
	/*
	 * Strings that are put together, as the whole that they become. Comments between them are
	 * left out: the same text may be a string's, where they are none.
	 */
	SQL_JOINED,
};

/* 0 or -ENOMEM. */
int sql_fold(struct sql_folded *f, const char *text, enum sql_reading reading);
void sql_folded_release(struct sql_folded *f);

/* Steps over white space and comments. */
const char *sql_skip_blank(const char *p);
/* The end of the comment that begins at p, where nothing ends it NULL. Comments nest. */
const char *sql_comment_end(const char *p);

#endif
