// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_groups.c - the tables of groups: servers, clients, applications, causes and so on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/table_columns.h"
#include "top/ui.h"

enum group_column {
	AT_KEY,
	AT_LOGINS,
	AT_FAILED,
	AT_SHARE,
	AT_SLOW,
	AT_P50,
	AT_P95,
	AT_P99,
	AT_MOST,
	AT_LAST,
	AT_SENTENCE,
	AT_COLUMNS
};

static const struct column table[AT_COLUMNS] = {
	[AT_KEY] = {"", 20, 48, 0, false, GROUP_NAME},
	[AT_LOGINS] = {"LOGINS", 6, 7, 0, true, GROUP_LOGINS},
	[AT_FAILED] = {"FAILED", 6, 7, 0, true, GROUP_PROBLEMS},
	[AT_SHARE] = {"%", 4, 4, 3, true, -1},
	[AT_SLOW] = {"SLOW", 5, 6, 0, true, -1},
	[AT_P50] = {"P50", 6, 6, 2, true, GROUP_P50},
	[AT_P95] = {"P95", 6, 6, 1, true, GROUP_P95},
	[AT_P99] = {"P99", 6, 6, 4, true, GROUP_P99},
	[AT_MOST] = {"MOST", 6, 6, 5, true, GROUP_MOST},
	[AT_LAST] = {"LAST", 8, 8, 6, false, GROUP_LAST},
	[AT_SENTENCE] = {"THE LATEST PROBLEM", 20, 40, 7, false, -1},
};

struct group_by ui_group_by(const struct ui *ui)
{
	static const int fields[VIEWS] = {
		[VIEW_SERVERS] = ROW_SERVER, [VIEW_CLIENTS] = ROW_CLIENT,
		[VIEW_APPS] = ROW_APP,	     [VIEW_DRIVERS] = ROW_DRIVER,
		[VIEW_CAUSES] = ROW_VERDICT, [VIEW_NEEDS] = GROUP_BY_NEEDS,
	};
	struct group_by by = {.fields = {fields[ui->view]}, .count = 1};

	if (ui->view == VIEW_GROUP)
		by = ui->group_by;
	by.problems = ui->view == VIEW_CAUSES;
	by.until = ui->paused_at;
	return by;
}

static void key_text(const struct group *g, int count, char *text, size_t size)
{
	size_t used = 0;

	if (g->other) {
		snprintf(text, size, "(other)");
		return;
	}
	for (int i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "  " : "",
					 g->key[i] && *g->key[i]->text ? g->key[i]->text
								       : "(not seen)");
}

/* The group as a filter: server=="10.0.0.2:1433". A name with a quotation mark cannot be one. */
static void key_filter(const struct group *g, const struct group_by *by, char text[UI_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < by->count && !g->other; i++) {
		const char *value = g->key[i] ? g->key[i]->text : "",
			   *field = by->fields[i] == GROUP_BY_NEEDS
					    ? "dependency"
					    : row_field_name((enum row_field)by->fields[i]);

		if (strchr(value, '"') || used + strlen(value) + 32 > UI_TEXT) {
			text[0] = '\0';
			return;
		}
		used += (size_t)sprintf(text + used, "%s%s==%s%s%s", i ? " " : "", field,
					*value ? "\"" : "", value, *value ? "\"" : "");
	}
}

static uint64_t key_id(const struct group *g)
{
	uint64_t id = 14695981039346656037ull; /* FNV-1a */

	for (int i = 0; i < GROUP_KEYS; i++)
		for (const char *c = g->key[i] ? g->key[i]->text : ""; *c; c++)
			id = (id ^ (unsigned char)*c) * 1099511628211ull;
	return id ?: 1;
}

static void draw_number(struct cells *cells, int y, int x, int width, int style, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	cells_put_right(cells, y, x, width, n ? style : STYLE_DIM, text);
}

static void draw_sentence(const struct group *g, const struct model *model, struct cells *cells,
			  int y, int x, int width)
{
	const struct row *row = model_find(model, g->problem_seq);

	if (row && row->sentence)
		cells_put(cells, y, x, width, STYLE_PLAIN, row->sentence);
}

static void draw_column(const struct group *g, const struct group_by *by, const struct model *model,
			int column, struct cells *cells, int y, int x, int width)
{
	bool needs = by->fields[0] == GROUP_BY_NEEDS;
	char text[UI_TEXT];

	switch (column) {
	case AT_KEY:
		key_text(g, by->count, text, sizeof(text));
		cells_put(cells, y, x, width,
			  g->failed ? STYLE_BAD
			  : g->slow ? STYLE_SLOW
				    : STYLE_PLAIN,
			  text);
		break;
	case AT_LOGINS:
		draw_number(cells, y, x, width, STYLE_PLAIN, g->logins);
		break;
	case AT_FAILED:
		draw_number(cells, y, x, width, STYLE_BAD, needs ? g->unanswered : g->failed);
		break;
	case AT_SHARE:
		snprintf(text, sizeof(text), "%.0f",
			 needs ? 100.0 * (double)g->unanswered / (double)(g->requests ?: 1)
			       : 100.0 * (double)g->failed / (double)(g->logins ?: 1));
		cells_put_right(cells, y, x, width, STYLE_PLAIN, text);
		break;
	case AT_SLOW:
		draw_number(cells, y, x, width, needs ? STYLE_PLAIN : STYLE_SLOW,
			    needs ? g->requests : g->slow);
		break;
	case AT_P50:
	case AT_P95:
	case AT_P99:
		cells_put_right(cells, y, x, width, STYLE_PLAIN,
				ui_ns(g->quantile_ns[column - AT_P50], text));
		break;
	case AT_MOST:
		cells_put_right(cells, y, x, width, STYLE_PLAIN,
				ui_ns(g->timed ? g->most_ns : ROW_NO_NS, text));
		break;
	case AT_LAST:
		cells_put(cells, y, x, width, STYLE_PLAIN, ui_clock(g->last_ns, width, text));
		break;
	default:
		draw_sentence(g, model, cells, y, x, width);
	}
}

static const char *title_of(const struct ui *ui, int column)
{
	if (column == AT_KEY && ui->view == VIEW_GROUP)
		return ui->group_text;
	if (column == AT_KEY)
		return ui_view_name(ui->view);
	if (ui->view == VIEW_NEEDS && column == AT_FAILED)
		return "UNANSW";
	if (ui->view == VIEW_NEEDS && column == AT_SLOW)
		return "ASKED";
	return table[column].title;
}

static void draw_titles(const struct ui *ui, const int *widths, struct cells *cells, int y)
{
	int x = 0, order = ui->places[ui->view].order;

	for (int c = 0; c < AT_COLUMNS; c++) {
		int style = table[c].order == order ? STYLE_HEAD | STYLE_SELECTED : STYLE_HEAD;

		if (!widths[c])
			continue;
		if (table[c].right)
			cells_put_right(cells, y, x, widths[c], style, title_of(ui, c));
		else
			cells_put(cells, y, x, widths[c], style, title_of(ui, c));
		x += widths[c] + 1;
	}
}

/* The keys on the screen get the room that they need, if there is so much. */
static void fit_columns(struct column columns[AT_COLUMNS], const struct groups *groups,
			const struct group_by *by, int first, int height)
{
	int longest = 0;
	char text[UI_TEXT];

	memcpy(columns, table, sizeof(table));
	for (int i = first; i < first + height && i < (int)groups->count; i++) {
		key_text(groups->list[i], by->count, text, sizeof(text));
		longest = (int)strlen(text) > longest ? (int)strlen(text) : longest;
	}
	columns[AT_KEY].want = longest < columns[AT_KEY].want ? longest : columns[AT_KEY].want;
}

static void draw_groups(struct ui *ui, const struct groups *groups, const struct group_by *by,
			const struct model *model, struct cells *cells, int y, int height)
{
	const struct ui_place *place = &ui->places[ui->view];
	struct column columns[AT_COLUMNS];
	int widths[COLUMNS_MOST];

	fit_columns(columns, groups, by, place->first, height);
	columns_share(columns, AT_COLUMNS, cells->width, widths);
	draw_titles(ui, widths, cells, y);
	for (int i = 0; i < height && place->first + i < (int)groups->count; i++) {
		int x = 0;

		for (int c = 0; c < AT_COLUMNS; c++) {
			if (!widths[c])
				continue;
			draw_column(groups->list[place->first + i], by, model, c, cells, y + 1 + i,
				    x, widths[c]);
			x += widths[c] + 1;
		}
		if (place->first + i == place->cursor)
			cells_mark(cells, y + 1 + i, 0, cells->width, STYLE_SELECTED);
	}
	if (groups->count)
		key_filter(groups->list[place->cursor], by, ui->item_filter);
	else
		cells_put(cells, y + 2, 2, cells->width - 2, STYLE_DIM,
			  *ui->filter		    ? "no login matches the filter"
			  : ui->view == VIEW_CAUSES ? "no login has failed or was slow"
			  : ui->view == VIEW_NEEDS
				  ? "no request to another service was seen during a wait"
				  : "no login has been seen yet");
}

void group_table_draw(struct ui *ui, const struct model *model, struct cells *cells, int y,
		      int height)
{
	const struct ui_place *place = &ui->places[ui->view];
	struct group_by by = ui_group_by(ui);
	struct groups groups;
	uint64_t *ids = NULL;

	if (!groups_make(&groups, model, &by))
		ids = malloc((groups.count + 1) * sizeof(*ids));
	if (ids) {
		groups_sort(&groups, (enum group_order)place->order, place->reversed);
		for (size_t i = 0; i < groups.count; i++)
			ids[i] = key_id(groups.list[i]);
		ui_scroll(ui, ids, (int)groups.count, height - 1);
		draw_groups(ui, &groups, &by, model, cells, y, height - 1);
	}
	free(ids);
	groups_release(&groups);
}
