// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_frame.c - the screen's frame: the names of the views, the prompt or status line, and the
 * view between them.
 */
#include <stdio.h>
#include <string.h>

#include "top/ui.h"

#define HEADER_LINES 3
#define TABS_LINE    HEADER_LINES
#define TABLE_LINE   (TABS_LINE + 1)

static const struct {
	const char *name, *shorter;
} views[VIEWS] = {
	[VIEW_NEWEST] = {"Newest", "Newest"},	 [VIEW_WORST] = {"Worst", "Worst"},
	[VIEW_PENDING] = {"Pending", "Pending"}, [VIEW_SERVERS] = {"Servers", "Servers"},
	[VIEW_CLIENTS] = {"Clients", "Clients"}, [VIEW_APPS] = {"Apps", "Apps"},
	[VIEW_DRIVERS] = {"Drivers", "Drivers"}, [VIEW_CAUSES] = {"Causes", "Causes"},
	[VIEW_NEEDS] = {"Dependencies", "Deps"}, [VIEW_GROUP] = {"Group", "Group"},
};

const char *ui_view_name(enum ui_view view)
{
	return views[view].name;
}

int ui_view_find(const char *name)
{
	for (int i = 0; i < VIEWS && *name; i++)
		if (!strncasecmp(views[i].name, name, strlen(name)))
			return i;
	return -1;
}

/* Where no key chooses another view: the name of this one. */
static void draw_view_name(const struct ui *ui, struct cells *cells)
{
	int x = cells_put(cells, TABS_LINE, 0, cells->width, STYLE_BOLD, views[ui->view].name);

	if (*ui->filter)
		cells_printf(cells, TABS_LINE, x + 2, cells->width - x - 2, STYLE_PLAIN,
			     "filter: %s", ui->filter);
}

static void draw_tabs(const struct ui *ui, struct cells *cells)
{
	int x = 0, total = 0;
	bool shorter;

	for (int i = 0; i < VIEW_GROUP; i++)
		total += (int)strlen(views[i].name) + 3;
	shorter = total > cells->width;
	for (int i = 0; i < VIEWS; i++) {
		const char *name = shorter ? views[i].shorter : views[i].name;
		int style = i == (int)ui->view ? STYLE_BOLD | STYLE_SELECTED : STYLE_PLAIN;

		if (i == VIEW_GROUP && (int)ui->view != i && total + 8 > cells->width)
			break;
		x += cells_printf(cells, TABS_LINE, x, cells->width, STYLE_KEY, "%d", (i + 1) % 10);
		x += cells_printf(cells, TABS_LINE, x, cells->width, style, "%s%s",
				  total + 16 < cells->width ? " " : "", name);
		x += total + 16 < cells->width ? 2 : 1;
	}
}

static void draw_prompt(const struct ui *ui, struct cells *cells, int y)
{
	static const char *const asks[] = {[PROMPT_FILTER] = "filter: ",
					   [PROMPT_GROUP] = "group by: ",
					   [PROMPT_SAVE] = "save to: "};
	int x = cells_put(cells, y, 0, cells->width, STYLE_KEY, asks[ui->prompt]);
	const char *text = ui->typed;

	/* Of a long text the end is shown, where the typing is. */
	while (*text && cells_width(cells, text) >= cells->width - x)
		text++;
	x += cells_put(cells, y, x, cells->width - x, STYLE_PLAIN, text);
	cells_mark(cells, y, x, 1, STYLE_SELECTED);
	if (*ui->message)
		cells_printf(cells, y, x + 3, cells->width - x - 3, STYLE_BAD, "%s", ui->message);
}

static void draw_hints(struct cells *cells, int y, int width, bool detail)
{
	static const struct {
		const char *key, *does;
	} table[] = {{"Enter", "open"}, {"/", "filter"},    {"g", "group"},
		     {"<>", "sort"},	{"Space", "pause"}, {"s", "save"},
		     {"?", "help"},	{"q", "quit"},	    {NULL, NULL}},
	  one[] = {{"Esc", "back"}, {"s", "save"}, {"?", "help"}, {"q", "quit"}, {NULL, NULL}};
	int x = 0;

	for (int i = 0; (detail ? one : table)[i].key; i++) {
		const char *key = (detail ? one : table)[i].key,
			   *does = (detail ? one : table)[i].does;

		if (x + (int)(strlen(key) + strlen(does)) + 1 > width)
			break;
		x += cells_put(cells, y, x, width - x, STYLE_KEY, key) + 1;
		x += cells_put(cells, y, x, width - x, STYLE_DIM, does) + 2;
	}
}

static void draw_status(const struct ui *ui, const struct model *model, struct cells *cells, int y)
{
	char right[96] = "";
	int used;

	if (ui->prompt) {
		draw_prompt(ui, cells, y);
		return;
	}
	if (ui->paused_at)
		snprintf(right, sizeof(right), "paused, %llu new",
			 (unsigned long long)(model_seen(model) - ui->paused_at));
	else if (ui->detail)
		snprintf(right, sizeof(right), "line %d of %d", ui->detail_first + 1,
			 ui->detail_lines);
	else
		snprintf(right, sizeof(right), "%d of %d",
			 ui->list_count ? ui->places[ui->view].cursor + 1 : 0, ui->list_count);
	used = (int)strlen(right) + 1;
	cells_put_right(cells, y, 0, cells->width, ui->paused_at ? STYLE_SLOW : STYLE_DIM, right);
	if (*ui->message)
		cells_put(cells, y, 0, cells->width - used,
			  ui->message_bad ? STYLE_BAD : STYLE_GOOD, ui->message);
	else if (*ui->filter && !ui->detail)
		cells_printf(cells, y, 0, cells->width - used, STYLE_SLOW, "filter: %s (Esc: back)",
			     ui->filter);
	else
		draw_hints(cells, y, cells->width - used, ui->detail != NULL);
}

static void draw_table(struct ui *ui, const struct model *model, uint64_t now_ns,
		       struct cells *cells, int height)
{
	ui->item_seq = 0;
	ui->item_filter[0] = '\0';
	if (ui->view == VIEW_PENDING)
		pending_draw(ui, model, now_ns, cells, TABLE_LINE, height);
	else if (ui->view >= VIEW_SERVERS)
		group_table_draw(ui, model, cells, TABLE_LINE, height);
	else
		logins_draw(ui, model, cells, TABLE_LINE, height);
}

void ui_draw(struct ui *ui, const struct model *model, uint64_t now_ns, struct cells *cells)
{
	int height = cells->height - TABLE_LINE - 1;

	cells_clear(cells);
	header_draw(ui, model, now_ns, cells, 0);
	if (ui->batch)
		draw_view_name(ui, cells);
	else
		draw_tabs(ui, cells);
	if (height > 1 && ui->help)
		help_draw(cells, TABLE_LINE, height);
	else if (height > 1 && ui->detail)
		login_draw(ui, cells, TABLE_LINE, height);
	else if (height > 1)
		draw_table(ui, model, now_ns, cells, height);
	if (cells->height > TABLE_LINE && !ui->batch)
		draw_status(ui, model, cells, cells->height - 1);
}
