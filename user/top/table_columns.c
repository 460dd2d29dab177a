// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table_columns.c - see table_columns.h.
 */
#include "top/table_columns.h"

static int total_width(const struct column *columns, int count, const int *widths)
{
	int total = -1; /* one blank less than columns */

	(void)columns;
	for (int i = 0; i < count; i++)
		total += widths[i] ? widths[i] + 1 : 0;
	return total;
}

static int highest_rank(const struct column *columns, int count, const int *widths)
{
	int at = -1;

	for (int i = 0; i < count; i++)
		if (widths[i] && (at < 0 || columns[i].rank >= columns[at].rank))
			at = i;
	return at;
}

void columns_share(const struct column *columns, int count, int width, int widths[COLUMNS_MOST])
{
	int left, last = -1;
	bool grew = true;

	for (int i = 0; i < count; i++)
		widths[i] = columns[i].least;
	while (total_width(columns, count, widths) > width) {
		int out = highest_rank(columns, count, widths);

		if (out < 0 || !columns[out].rank)
			break; /* these are never left out */
		widths[out] = 0;
	}
	left = width - total_width(columns, count, widths);
	while (left > 0 && grew) {
		grew = false;
		for (int i = 0; i < count && left > 0; i++) {
			if (!widths[i] || widths[i] >= columns[i].want)
				continue;
			widths[i]++;
			left--;
			grew = true;
		}
	}
	for (int i = 0; i < count; i++)
		if (widths[i])
			last = i;
	if (last >= 0)
		widths[last] +=
			left; /* less than 0: the screen is narrower than all that is needed */
}
