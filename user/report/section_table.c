// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * section_table.c - see section_table.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/section_table.h"

#define SECTION_CELL 64
#define SECTION_MORE 160
#define PORT_BYTES   8192

static void section_column(struct writer_table *t, const char *head, bool number,
			   enum writer_mood mood)
{
	t->column[t->columns++] = (struct writer_column){head, number, mood};
}

static void section_columns(struct writer_table *t, const struct survey_table *table)
{
	for (int i = 0; i < GROUP_PARTS && table->parts[i]; i++)
		section_column(t, table->parts[i], false, MOOD_NONE);
	if (table->figures == FIGURES_COUNT) {
		section_column(t, table->count, true, MOOD_NONE);
	} else {
		section_column(t, "logins", true, MOOD_NONE);
		section_column(t, "failed", true, MOOD_BAD);
		section_column(t, "slow", true, MOOD_SLOW);
		section_column(t, "median", true, MOOD_NONE);
		section_column(t, "95 %", true, MOOD_NONE);
		section_column(t, "longest", true, MOOD_NONE);
	}
	for (int i = 0; i < GROUP_EXTRAS && table->extras[i].unit != UNIT_NONE; i++)
		section_column(t, table->extras[i].head, true, MOOD_NONE);
}

/* The next cell of a row; a table without memory for it shows it empty. */
static void section_cell(char ***cell, const char *text)
{
	*(*cell)++ = *text ? strdup(text) : NULL;
}

static void section_count(char ***cell, uint64_t n)
{
	char text[SECTION_CELL] = "";

	if (n)
		snprintf(text, sizeof(text), "%" PRIu64, n);
	section_cell(cell, text);
}

static void section_ns(char ***cell, uint64_t ns)
{
	char text[CLOCK_TEXT];

	section_cell(cell, ns ? clock_duration(ns, text) : "");
}

static void section_bytes(char ***cell, uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes;
	char text[SECTION_CELL] = "";
	unsigned unit = 0;

	while (value >= 999.5) {
		value /= 1000;
		unit++;
	}
	if (bytes)
		snprintf(text, sizeof(text), unit && value < 9.95 ? "%.1f %s" : "%.0f %s", value,
			 units[unit]);
	section_cell(cell, text);
}

static uint64_t section_ports(const struct group *row)
{
	uint64_t n = 0;

	for (unsigned i = 0; row->bits && i < PORT_BYTES; i++)
		n += (unsigned)__builtin_popcount(row->bits[i]);
	return n;
}

static void section_extra(char ***cell, const struct group *row, enum table_unit unit,
			  uint64_t extra)
{
	switch (unit) {
	case UNIT_NS:
		section_ns(cell, extra);
		break;
	case UNIT_BYTES:
		section_bytes(cell, extra);
		break;
	case UNIT_PORTS:
		section_count(cell, section_ports(row));
		break;
	default:
		section_count(cell, extra);
	}
}

static void section_row(char **cells, const struct survey_table *table, const struct group *row)
{
	char part[GROUP_PART_MAX + 4], **cell = cells;

	for (unsigned i = 0; i < GROUP_PARTS && table->parts[i]; i++)
		section_cell(&cell, *row->key ? group_part(row, i, part)
				    : i	      ? ""
					      : "all further ones");
	section_count(&cell, row->count);
	if (table->figures == FIGURES_LOGINS) {
		section_count(&cell, row->failed);
		section_count(&cell, row->slow);
		section_ns(&cell, row->times ? spread_quantile(row->times, 0.5) : 0);
		section_ns(&cell, row->times ? spread_quantile(row->times, 0.95) : 0);
		section_ns(&cell, row->times ? row->times->longest_ns : 0);
	}
	for (int i = 0; i < GROUP_EXTRAS && table->extras[i].unit != UNIT_NONE; i++)
		section_extra(&cell, row, table->extras[i].unit, row->extra[i]);
}

/* A line on the rows that are left out. NULL: all are shown. */
static const char *section_more(const struct group **sorted, size_t shown, size_t count,
				char text[SECTION_MORE])
{
	uint64_t sum = 0, trouble = 0;

	for (size_t i = shown; i < count; i++) {
		sum += sorted[i]->count;
		trouble += sorted[i]->failed + sorted[i]->slow;
	}
	if (shown == count)
		return NULL;
	snprintf(text, SECTION_MORE, "%zu further rows are not shown; together they count %" PRIu64,
		 count - shown, sum);
	if (trouble)
		snprintf(text + strlen(text), SECTION_MORE - strlen(text),
			 ", of which %" PRIu64 " failed or were slow", trouble);
	strcat(text, ".");
	return text;
}

void section_table_write(struct writer *w, const struct survey_table *table, const struct groups *g)
{
	const struct group **sorted = group_table_sorted(g, table->order);
	size_t shown = g->count < w->rows_most ? g->count : w->rows_most;
	struct writer_table t = {.rows = shown + (g->other.count > 0)};
	char more[SECTION_MORE];

	section_columns(&t, table);
	t.cells = calloc(t.rows * t.columns + 1, sizeof(*t.cells));
	if (sorted && t.cells) {
		for (size_t i = 0; i < shown; i++)
			section_row(t.cells + i * t.columns, table, sorted[i]);
		if (g->other.count)
			section_row(t.cells + shown * t.columns, table, &g->other);
		t.more = section_more(sorted, shown, g->count, more);
		w->ops->table(w, &t);
	}
	for (size_t i = 0; t.cells && i < t.rows * t.columns; i++)
		free(t.cells[i]);
	free(t.cells);
	free(sorted);
}
