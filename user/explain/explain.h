/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * explain.h - from the text of a client's error to what it means on the wire. Pure: a table and a
 * matcher, which overlooks case, punctuation, quotation marks, names, addresses, and how numbers are
 * grouped.
 */
#ifndef TDSMON_EXPLAIN_H
#define TDSMON_EXPLAIN_H

#include <stddef.h>

#define EXPLAIN_NUMBERS 8
#define EXPLAIN_PHRASES 20
#define EXPLAIN_NEAREST 3 /* rows that are offered for an unknown text */

/* How much a message says. Where several rows fit, those that say more come first. */
enum explain_level {
	EXPLAIN_CAUSE,
	EXPLAIN_PHASE,
	EXPLAIN_EVENT, /* a reset, a close, a time-out, in whatever phase */
	EXPLAIN_ANY,
};

struct explain_row {
	const char *name;
	enum explain_level level;
	/*
	 * Words of messages, in lower case and without punctuation; "*" stands for any words, "#" at a
	 * word's end for any ending. One phrase that occurs suffices. Ends with NULL.
	 */
	const char *phrases[EXPLAIN_PHRASES];
	int numbers
		[EXPLAIN_NUMBERS]; /* of the server's errors: one that occurs suffices. Ends with 0 */
	const char *meaning, *wire, *act;
	const char
		*verdicts; /* names with a blank between them; "": nothing of it is on the wire */
};

/* Ends with a row whose name is NULL. */
extern const struct explain_row explain_table[];

/* The rows that fit, the one that fits best first, at most `most`. Returns how many. */
size_t explain_find(const char *text, const struct explain_row **rows, size_t most);

/* The rows whose words are nearest to an unknown text, with one word in common at least. */
size_t explain_nearest(const char *text, const struct explain_row *rows[EXPLAIN_NEAREST]);

#endif
