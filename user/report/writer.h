/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * writer.h - how a report is shown: one set of functions for HTML and one for text. sections.c
 * calls them in the report's order. All text that they get may come from the network: they escape
 * it.
 */
#ifndef TDSMON_WRITER_H
#define TDSMON_WRITER_H

#include "lib/strbuf.h"
#include "report/survey.h"

#define WRITER_COLUMNS 16

/* How a thing is to be looked at. */
enum writer_mood {
	MOOD_NONE,
	MOOD_GOOD,
	MOOD_SLOW,
	MOOD_BAD,
};

/* A name and what is known about it. */
struct writer_fact {
	const char *name, *value;
	enum writer_mood mood;
};

struct writer_column {
	const char *head;
	bool number;	       /* aligned to the right */
	enum writer_mood mood; /* of its values, unless they are 0 or empty */
};

struct writer_table {
	unsigned columns;
	struct writer_column column[WRITER_COLUMNS];
	char **cells; /* rows by columns; NULL: empty */
	size_t rows;
	const char *more; /* a line below, or NULL */
};

struct writer {
	const struct writer_ops *ops;
	struct strbuf *out;
	unsigned rows_most; /* rows shown of a table */
	/* HTML: links to the sections, and where they belong in out. */
	struct strbuf links;
	size_t links_at;
};

struct writer_ops {
	void (*begin)(struct writer *w, const char *title, const char *period, const char *finding,
		      enum writer_mood mood);
	/* A few large numbers. */
	void (*figures)(struct writer *w, const struct writer_fact *facts, size_t count);
	/* note may be NULL. A section ends where the next one begins. */
	void (*section)(struct writer *w, const char *id, const char *title, const char *note);
	void (*facts)(struct writer *w, const struct writer_fact *facts, size_t count);
	void (*table)(struct writer *w, const struct writer_table *table);
	/* A heading within a section, what it is about (or NULL), and lines below it. */
	void (*cause)(struct writer *w, const char *head, const char *sentence,
		      const char *const *lines, size_t count);
	void (*rates)(struct writer *w, const struct rates *rates);
	void (*phases)(struct writer *w, const struct survey *s);
	void (*slowest)(struct writer *w, const struct slowest *slowest);
	void (*end)(struct writer *w, const char *made_by);
};

extern const struct writer_ops html_writer, plain_writer;

/* Shares of a whole in percent, "12 %", "0.3 %"; "0 %" only for none. Returns text. */
#define WRITER_SHARE 16
const char *writer_share(uint64_t part, uint64_t whole, char text[WRITER_SHARE]);

/* How long a period is: "850ms", "45.0s", "90 min", "30 h", "12 days". Returns text. */
const char *writer_length(uint64_t ns, char text[CLOCK_TEXT]);

#endif
