/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * table_columns.h - how a table's columns share the width of the screen.
 */
#ifndef TDSMON_TABLE_COLUMNS_H
#define TDSMON_TABLE_COLUMNS_H

#include <stdbool.h>

#define COLUMNS_MOST 16

struct column {
	const char *title;
	int least, want; /* columns of the screen */
	int rank;	 /* the highest ranks are left out first where there is no room */
	bool right;	 /* numbers */
	int order;	 /* by which a table is sorted, or -1 */
};

/*
 * Widths of the columns, 0 for one that is left out, with a blank between them. What is left over
 * goes to the last one.
 */
void columns_share(const struct column *columns, int count, int width, int widths[COLUMNS_MOST]);

#endif
