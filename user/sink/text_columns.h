/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text_columns.h - which columns the lines of the format "text" have: as many as the terminal has
 * room for, the most useful first. A pipe or a file always gets the same ones.
 */
#ifndef TDSMON_TEXT_COLUMNS_H
#define TDSMON_TEXT_COLUMNS_H

#include <stdbool.h>

#include "lib/output.h"

#define TEXT_COLUMNS   100 /* of a pipe or a file, but for a long client's name or a verdict */
#define TEXT_LEAST     80  /* of a terminal that is taken into account */
#define TEXT_MOST      200
#define TEXT_CLIENT    21 /* columns of "255.255.255.255:65535" */
#define TEXT_CELL_MOST 30 /* columns of an app, a database, a driver */

struct text_columns {
	unsigned width;	 /* of paragraphs; TEXT_COLUMNS where there is no terminal */
	bool terminal;	 /* lines do not go beyond width */
	unsigned client; /* columns of the client's address */
	bool auth, encr, phases, most;
	bool verdict;			/* the header has room for its name */
	unsigned app, database, driver; /* columns; 0: there is no room */
};

/*
 * terminal: its width, TEXT_LEAST to TEXT_MOST, or 0 without one. client: columns that the longest
 * client so far takes.
 */
void text_columns_choose(struct text_columns *c, unsigned terminal, unsigned client);

/* The header, without colours and newline. */
void text_columns_header(const struct text_columns *c, struct output *out);

/* A line whose cells are padded only if another one follows. */
struct text_row {
	struct output *out;
	unsigned owed; /* blanks before the next cell */
};

/* Add a blank and a cell of so many columns; longer text is cut and ends with "…". */
void text_row_cell(struct text_row *row, unsigned columns, const char *text);
/* Add a blank and text of any length. */
void text_row_rest(struct text_row *row, const char *text);

/* Shorten ASCII to so many columns (at least 8), "[2001:db8:…:5678]:50001". room: 3 bytes more. */
void text_shorten(const char *text, unsigned columns, char *out);

#endif
