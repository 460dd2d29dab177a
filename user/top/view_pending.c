// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_pending.c - the table of logins that wait, with running clocks.
 */
#include "top/table_columns.h"
#include "top/ui.h"

enum pending_column { AT_NS, AT_CLIENT, AT_SERVER, AT_PHASE, AT_SIDE, AT_WHAT, AT_COLUMNS };

static const struct column table[AT_COLUMNS] = {
	[AT_NS] = {"WAITS", 7, 7, 0, true, 0},
	[AT_CLIENT] = {"CLIENT", 13, 24, 0, false, -1},
	[AT_SERVER] = {"SERVER", 15, 30, 0, false, -1},
	[AT_PHASE] = {"PHASE", 8, 8, 2, false, -1},
	[AT_SIDE] = {"ON", 7, 7, 1, false, -1},
	[AT_WHAT] = {"FOR", 12, 40, 0, false, -1},
};

static void draw_row(const struct model *model, const struct model_pending *p, uint64_t now_ns,
		     const int *widths, struct cells *cells, int y)
{
	const struct name *const texts[AT_COLUMNS] = {[AT_CLIENT] = p->client,
						      [AT_SERVER] = p->server,
						      [AT_PHASE] = p->phase,
						      [AT_SIDE] = p->waits_on,
						      [AT_WHAT] = p->what};
	char ns[UI_CLOCK];
	int x = 0;

	for (int c = 0; c < AT_COLUMNS; c++) {
		if (!widths[c])
			continue;
		if (c == AT_NS)
			cells_put_right(cells, y, x, widths[c], STYLE_BAD,
					ui_ns(model_pending_ns(model, p, now_ns), ns));
		else
			cells_put(cells, y, x, widths[c], STYLE_PLAIN,
				  texts[c] ? texts[c]->text : "");
		x += widths[c] + 1;
	}
}

static void draw_titles(const int *widths, struct cells *cells, int y)
{
	int x = 0;

	for (int c = 0; c < AT_COLUMNS; c++) {
		if (!widths[c])
			continue;
		if (table[c].right)
			cells_put_right(cells, y, x, widths[c], STYLE_HEAD, table[c].title);
		else
			cells_put(cells, y, x, widths[c], STYLE_HEAD, table[c].title);
		x += widths[c] + 1;
	}
}

void pending_draw(struct ui *ui, const struct model *model, uint64_t now_ns, struct cells *cells,
		  int y, int height)
{
	const struct ui_place *place = &ui->places[ui->view];
	const struct model_pending *list;
	uint64_t total, ids[MODEL_PENDING];
	int count = (int)model_pending(model, &list, &total), widths[COLUMNS_MOST];

	for (int i = 0; i < count; i++)
		ids[i] = list[i].id;
	ui_scroll(ui, ids, count, height - 1);
	columns_share(table, AT_COLUMNS, cells->width, widths);
	draw_titles(widths, cells, y);
	for (int i = 0; i < height - 1 && place->first + i < count; i++) {
		draw_row(model, &list[place->first + i], now_ns, widths, cells, y + 1 + i);
		if (place->first + i == place->cursor)
			cells_mark(cells, y + 1 + i, 0, cells->width, STYLE_SELECTED);
	}
	if (!count)
		cells_put(cells, y + 2, 2, cells->width - 2, STYLE_DIM,
			  "no login has waited for a second or more");
	else if (total > (uint64_t)count && count < height - 1)
		cells_printf(cells, y + 1 + count, 2, cells->width - 2, STYLE_DIM,
			     "and %llu more, which have waited less",
			     (unsigned long long)total - (unsigned)count);
}
