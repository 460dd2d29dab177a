// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_logins.c - the tables of logins: the newest, and the worst.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/table_columns.h"
#include "top/ui.h"

enum login_order {
	LOGIN_NEWEST,
	LOGIN_TOTAL,
	LOGIN_CLIENT,
	LOGIN_SERVER,
	LOGIN_APP,
	LOGIN_DATABASE,
	LOGIN_DRIVER,
	LOGIN_WAITS,
	LOGIN_VERDICT,
	LOGIN_ORDERS
};

enum login_column {
	AT_MARK,
	AT_TIME,
	AT_TOTAL,
	AT_CLIENT,
	AT_SERVER,
	AT_APP,
	AT_DATABASE,
	AT_DRIVER,
	AT_WAITS,
	AT_VERDICT,
	AT_COLUMNS
};

static const struct column table[AT_COLUMNS] = {
	[AT_MARK] = {"", 1, 1, 0, false, -1},
	[AT_TIME] = {"ENDED", 8, 12, 0, false, LOGIN_NEWEST},
	[AT_TOTAL] = {"TOTAL", 6, 6, 0, true, LOGIN_TOTAL},
	[AT_CLIENT] = {"CLIENT", 13, 15, 0, false, LOGIN_CLIENT},
	[AT_SERVER] = {"SERVER", 15, 20, 0, false, LOGIN_SERVER},
	[AT_APP] = {"APP", 8, 20, 3, false, LOGIN_APP},
	[AT_DATABASE] = {"DATABASE", 8, 14, 4, false, LOGIN_DATABASE},
	[AT_DRIVER] = {"DRIVER", 8, 24, 5, false, LOGIN_DRIVER},
	[AT_WAITS] = {"WAITED FOR", 14, 14, 2, false, LOGIN_WAITS},
	[AT_VERDICT] = {"VERDICT", 18, 24, 0, false, LOGIN_VERDICT},
};

/* Fields that a column shows, or that an order compares. */
static const int fields[AT_COLUMNS] = {[AT_CLIENT] = ROW_CLIENT,
				       [AT_SERVER] = ROW_SERVER,
				       [AT_APP] = ROW_APP,
				       [AT_DATABASE] = ROW_DATABASE,
				       [AT_DRIVER] = ROW_DRIVER};
static const int order_fields[LOGIN_ORDERS] = {
	[LOGIN_CLIENT] = ROW_CLIENT,	 [LOGIN_SERVER] = ROW_SERVER, [LOGIN_APP] = ROW_APP,
	[LOGIN_DATABASE] = ROW_DATABASE, [LOGIN_DRIVER] = ROW_DRIVER, [LOGIN_WAITS] = ROW_WAITS,
	[LOGIN_VERDICT] = ROW_VERDICT};

int logins_orders(void)
{
	return LOGIN_ORDERS;
}

static int compare_total(const struct row *a, const struct row *b)
{
	uint64_t x = a->total_ns == ROW_NO_NS ? 0 : a->total_ns + 1,
		 y = b->total_ns == ROW_NO_NS ? 0 : b->total_ns + 1;

	return (x < y) - (x > y);
}

static int compare_logins(const void *x, const void *y, void *ctx)
{
	const struct row *a = *(const struct row *const *)x, *b = *(const struct row *const *)y;
	int order = *(const int *)ctx,
	    result = order == LOGIN_TOTAL ? compare_total(a, b)
		     : order == LOGIN_NEWEST
			     ? 0
			     : strcmp(row_text(a, (enum row_field)order_fields[order]),
				      row_text(b, (enum row_field)order_fields[order]));

	return result ?: (a->seq < b->seq) - (a->seq > b->seq);
}

static void reverse(const struct row **list, int count)
{
	for (int i = 0; i < count / 2; i++) {
		const struct row *row = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = row;
	}
}

int logins_list(const struct ui *ui, const struct model *model, const struct row ***list)
{
	const struct ui_place *place = &ui->places[ui->view];
	size_t n = model_count(model);
	int count = 0, order = ui->view >= VIEW_SERVERS ? LOGIN_NEWEST : place->order;

	*list = malloc((n + 1) * sizeof(**list));
	if (!*list)
		return -ENOMEM;
	while (n-- > 0) {
		const struct row *row = model_row(model, n);

		if (row->matches && (!ui->paused_at || row->seq <= ui->paused_at) &&
		    ((ui->view != VIEW_WORST && ui->view != VIEW_CAUSES) || row_is_problem(row)))
			(*list)[count++] = row;
	}
	if (order != LOGIN_NEWEST)
		qsort_r(*list, (size_t)count, sizeof(**list), compare_logins, &order);
	if (ui->view < VIEW_SERVERS && place->reversed)
		reverse(*list, count);
	return count;
}

/* ---- drawing ---- */

static char mark_of(const struct row *row)
{
	return row->class == ROW_FAILED	   ? 'F'
	       : row->class == ROW_SLOW	   ? 'S'
	       : row->class == ROW_OK	   ? ' '
	       : row->class == ROW_UNKNOWN ? '?'
					   : '-';
}

static void draw_verdict(const struct row *row, struct cells *cells, int y, int x, int width)
{
	int style = ui_class_style(row->class),
	    used = cells_put(cells, y, x, width, style, row_text(row, ROW_VERDICT));

	if (width - used > 24 && row->sentence)
		cells_put(cells, y, x + used + 1, width - used - 1, STYLE_PLAIN, row->sentence);
}

static void draw_column(const struct row *row, int column, struct cells *cells, int y, int x,
			int width)
{
	char text[64], ns[UI_CLOCK];

	switch (column) {
	case AT_MARK:
		cells_printf(cells, y, x, width, ui_class_style(row->class), "%c", mark_of(row));
		break;
	case AT_TIME:
		cells_put(cells, y, x, width, STYLE_PLAIN, ui_clock(row->end_ns, width, ns));
		break;
	case AT_TOTAL:
		cells_put_right(cells, y, x, width,
				row_is_problem(row) ? ui_class_style(row->class) : STYLE_PLAIN,
				ui_ns(row->total_ns, ns));
		break;
	case AT_WAITS:
		snprintf(text, sizeof(text), "%s %s", row_text(row, ROW_WAITS),
			 row->wait_ns ? ui_ns(row->wait_ns, ns) : "");
		cells_put(cells, y, x, width, STYLE_PLAIN, text);
		break;
	case AT_VERDICT:
		draw_verdict(row, cells, y, x, width);
		break;
	default:
		cells_put(cells, y, x, width, STYLE_PLAIN,
			  row_text(row, (enum row_field)fields[column]));
	}
}

/* IPv6 needs more room: as much as the longest address on the screen, where there is any. */
static void fit_columns(struct column columns[AT_COLUMNS], const struct row **list, int count)
{
	memcpy(columns, table, sizeof(table));
	for (int i = 0; i < count; i++)
		for (int c = AT_CLIENT; c <= AT_SERVER; c++) {
			int len = (int)strlen(row_text(list[i], (enum row_field)fields[c]));

			if (len > columns[c].want)
				columns[c].want = len;
		}
}

static void draw_titles(const struct column *columns, const int *widths,
			const struct ui_place *place, struct cells *cells, int y)
{
	int x = 0;

	for (int c = 0; c < AT_COLUMNS; c++) {
		int style =
			columns[c].order == place->order ? STYLE_HEAD | STYLE_SELECTED : STYLE_HEAD;

		if (!widths[c])
			continue;
		if (columns[c].right)
			cells_put_right(cells, y, x, widths[c], style, columns[c].title);
		else
			cells_put(cells, y, x, widths[c], style, columns[c].title);
		x += widths[c] + 1;
	}
}

static void draw_rows(const struct ui *ui, const struct row **list, int count, struct cells *cells,
		      int y, int height)
{
	const struct ui_place *place = &ui->places[ui->view];
	struct column columns[AT_COLUMNS];
	int widths[COLUMNS_MOST],
		shown = count - place->first < height ? count - place->first : height;

	fit_columns(columns, list + place->first, shown);
	columns_share(columns, AT_COLUMNS, cells->width, widths);
	draw_titles(columns, widths, place, cells, y);
	for (int i = 0; i < shown; i++) {
		int x = 0;

		for (int c = 0; c < AT_COLUMNS; c++) {
			if (!widths[c])
				continue;
			draw_column(list[place->first + i], c, cells, y + 1 + i, x, widths[c]);
			x += widths[c] + 1;
		}
		if (place->first + i == place->cursor)
			cells_mark(cells, y + 1 + i, 0, cells->width, STYLE_SELECTED);
	}
}

void logins_draw(struct ui *ui, const struct model *model, struct cells *cells, int y, int height)
{
	const struct row **list;
	int count = logins_list(ui, model, &list);
	uint64_t *ids = count >= 0 ? malloc(((size_t)count + 1) * sizeof(*ids)) : NULL;

	for (int i = 0; ids && i < count; i++)
		ids[i] = list[i]->seq;
	if (ids) {
		ui_scroll(ui, ids, count, height - 1);
		draw_rows(ui, list, count, cells, y, height - 1);
		ui->item_seq = count ? list[ui->places[ui->view].cursor]->seq : 0;
	}
	if (!count)
		cells_put(cells, y + 2, 2, cells->width - 2, STYLE_DIM,
			  *ui->filter		   ? "no login matches the filter"
			  : ui->view == VIEW_WORST ? "no login has failed or was slow"
						   : "no login has been seen yet");
	free(ids);
	free(list);
}
