/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text_int.h - shared by the files of the format "text"; all others include text.h.
 */
#ifndef TDSMON_TEXT_INT_H
#define TDSMON_TEXT_INT_H

#include <time.h>

#include "sink/sink.h"
#include "sink/text_columns.h"

#define TEXT_INDENT 13 /* the time and a space */
#define TEXT_MS_MAX 12

#define TEXT_SPN_MAX 256

struct text_sink {
	struct sink_config config;
	struct endpoint server; /* the last one named, */
	uint32_t tunnel;	/* with its tunnel */
	time_t second;		/* of the last line */
	struct tm tm;		/* that second, local time */
	char clock[16];		/* that second, formatted */
	int year, yday;		/* the last day named */
	unsigned lines;		/* since the header; 0: no header yet */
	struct text_columns columns;
	unsigned terminal,
		client;		/* they were chosen for: the terminal's width; the longest client */
	bool open;		/* --one-line: a line has begun */
	bool explained;		/* the meaning of "~" */
	bool hinted;		/* how to show hidden names */
	char spn[TEXT_SPN_MAX]; /* the last name named that a KDC does not know */
};

/*
 * A column of times, in milliseconds with four characters, "0.03", "8.59", "40.0", "1954", so that
 * their length shows their magnitude; from ten seconds on in seconds, "15s". NO_NS: "-".
 */
const char *text_ms(uint64_t ns, char text[TEXT_MS_MAX]);

/* Text of any length below a login's line, indented and broken at blanks; or at its end. */
void text_paragraph(struct text_sink *sink, const char *text);

/* Everything below a login's line. */
void text_remarks(struct text_sink *sink, const struct login_record *rec);

#endif
