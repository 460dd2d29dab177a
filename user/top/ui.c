// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ui.c - see ui.h: the state and the keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "lib/utf8.h"
#include "top/ui.h"

void ui_init(struct ui *ui)
{
	char why[FILTER_WHY];

	*ui = (struct ui){0};
	ui->places[VIEW_WORST].order = 1; /* the longest first */
	strcpy(ui->group_text, "client,verdict");
	group_by_parse(&ui->group_by, ui->group_text, why);
}

void ui_release(struct ui *ui)
{
	free(ui->detail);
	ui->detail = NULL;
}

/* ---- texts ---- */

const char *ui_clock(uint64_t wall_ns, int width, char text[UI_CLOCK])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;

	gmtime_r(&s, &tm);
	if (width >= 12)
		snprintf(text, UI_CLOCK, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
			 (int)(wall_ns % NS_PER_S / 1000000));
	else
		snprintf(text, UI_CLOCK, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	return text;
}

const char *ui_ns(uint64_t ns, char text[UI_CLOCK])
{
	char whole[CLOCK_TEXT];

	snprintf(text, UI_CLOCK, "%.20s", ns == ROW_NO_NS ? "-" : clock_duration(ns, whole));
	return text;
}

const char *ui_span(uint64_t ns, char text[UI_CLOCK])
{
	unsigned long long s = ns / NS_PER_S;

	if (s < 120)
		snprintf(text, UI_CLOCK, "%llu s", s);
	else if (s < 120 * 60)
		snprintf(text, UI_CLOCK, "%llu min", s / 60);
	else if (s < 72 * 3600)
		snprintf(text, UI_CLOCK, "%llu h", s / 3600);
	else
		snprintf(text, UI_CLOCK, "%llu days", s / 86400);
	return text;
}

int ui_class_style(int class)
{
	return class == ROW_FAILED ? STYLE_BAD
	       : class == ROW_SLOW ? STYLE_SLOW
	       : class == ROW_OK   ? STYLE_GOOD
				   : STYLE_DIM;
}

static void __attribute__((format(printf, 3, 4)))
ui_say(struct ui *ui, bool bad, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ui->message, UI_TEXT, fmt, args);
	va_end(args);
	ui->message_bad = bad;
}

/* ---- views, filters and steps back ---- */

static struct ui_place *ui_here(struct ui *ui)
{
	return &ui->places[ui->view];
}

static void ui_to_start(struct ui *ui)
{
	for (int i = 0; i < VIEWS; i++) {
		ui->places[i].cursor = ui->places[i].first = 0;
		ui->places[i].selected = 0;
	}
}

bool ui_filter(struct ui *ui, struct model *model, const char *text)
{
	char why[FILTER_WHY];
	struct filter *filter = filter_parse(text, why);

	if (*why) {
		ui_say(ui, true, "%s", why);
		return false;
	}
	model_filter(model, filter);
	snprintf(ui->filter, UI_TEXT, "%s", text);
	ui_to_start(ui);
	return true;
}

static void ui_push(struct ui *ui)
{
	if (ui->depth == UI_STACK)
		memmove(&ui->stack[0], &ui->stack[1], --ui->depth * sizeof(ui->stack[0]));
	ui->stack[ui->depth].view = ui->view;
	strcpy(ui->stack[ui->depth++].filter, ui->filter);
}

/* Show the logins of the selected group. */
static void ui_descend(struct ui *ui, struct model *model)
{
	char text[2 * UI_TEXT];

	if (!*ui->item_filter)
		return;
	snprintf(text, sizeof(text), "%s%s%s", ui->filter, *ui->filter ? " " : "", ui->item_filter);
	if (strlen(text) >= UI_TEXT) {
		ui_say(ui, true, "the filter would be too long");
		return;
	}
	ui_push(ui);
	if (ui_filter(ui, model, text))
		ui->view = VIEW_NEWEST;
	else
		ui->depth--;
}

static void ui_back(struct ui *ui, struct model *model)
{
	if (ui->depth) {
		const struct ui_step *step = &ui->stack[--ui->depth];

		ui_filter(ui, model, step->filter);
		ui->view = step->view;
	} else if (*ui->filter) {
		ui_filter(ui, model, "");
	}
}

static void ui_open(struct ui *ui, const struct model *model)
{
	const struct row *row = model_find(model, ui->item_seq);
	const struct model_pending *list;
	const char *line = row ? row->line : NULL;
	size_t len = row ? row->line_len : 0;
	uint64_t total;

	if (ui->view == VIEW_PENDING &&
	    ui_here(ui)->cursor < (int)model_pending(model, &list, &total)) {
		line = list[ui_here(ui)->cursor].line;
		len = list[ui_here(ui)->cursor].line_len;
	}
	if (!line) {
		if (row)
			ui_say(ui, true,
			       "this login's record is no longer kept: too many came since");
		return;
	}
	free(ui->detail);
	ui->detail = strndup(line, len);
	ui->detail_len = len;
	ui->detail_first = 0;
}

static void ui_enter(struct ui *ui, struct model *model)
{
	if (ui->view >= VIEW_SERVERS)
		ui_descend(ui, model);
	else
		ui_open(ui, model);
}

static void ui_pause(struct ui *ui, const struct model *model)
{
	ui->paused_at = ui->paused_at ? 0 : model_seen(model);
}

/* ---- moving ---- */

static void ui_move(struct ui *ui, int by)
{
	struct ui_place *place = ui_here(ui);

	if (ui->detail) {
		int most = ui->detail_lines > ui->page ? ui->detail_lines - ui->page : 0;

		ui->detail_first += by;
		ui->detail_first = ui->detail_first > most ? most : ui->detail_first;
		ui->detail_first = ui->detail_first < 0 ? 0 : ui->detail_first;
		return;
	}
	place->cursor += by;
	place->cursor = place->cursor >= ui->list_count ? ui->list_count - 1 : place->cursor;
	place->cursor = place->cursor < 0 ? 0 : place->cursor;
	place->moved = true;
}

/* Leaves nothing selected at the top: the list then runs on under the cursor. */
void ui_scroll(struct ui *ui, const uint64_t *ids, int count, int height)
{
	struct ui_place *place = ui_here(ui);
	int cursor = place->cursor;

	if (!place->moved && place->selected) {
		for (cursor = 0; cursor < count && ids[cursor] != place->selected;)
			cursor++;
		if (cursor == count)
			cursor = place->cursor;
	} else if (!place->moved) {
		cursor = 0;
	}
	cursor = cursor >= count ? count - 1 : cursor;
	cursor = cursor < 0 ? 0 : cursor;
	place->selected = cursor && cursor < count ? ids[cursor] : 0;
	place->cursor = cursor;
	place->moved = false;
	if (place->first > cursor)
		place->first = cursor;
	if (place->first < cursor - height + 1)
		place->first = cursor - height + 1;
	if (place->first > count - height)
		place->first = count > height ? count - height : 0;
	ui->list_count = count;
	ui->page = height;
}

static void ui_sort(struct ui *ui, int by)
{
	int orders = ui->view == VIEW_PENDING	? 1
		     : ui->view >= VIEW_SERVERS ? GROUP_ORDERS
						: logins_orders();
	struct ui_place *place = ui_here(ui);

	place->order = (place->order + by + orders) % orders;
	place->reversed = false;
	place->cursor = place->first = 0;
	place->selected = 0;
}

static void ui_reverse(struct ui *ui)
{
	ui_here(ui)->reversed = !ui_here(ui)->reversed;
	ui_here(ui)->selected = 0;
}

/* ---- the prompt ---- */

static void prompt_open(struct ui *ui, enum ui_prompt prompt, const char *text)
{
	ui->prompt = prompt;
	snprintf(ui->typed, UI_TEXT, "%s", text);
}

static void prompt_save(struct ui *ui, uint64_t wall_ns)
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	char name[64];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(name, sizeof(name), "tdsmon-%Y%m%dT%H%M%SZ.json", &tm);
	prompt_open(ui, PROMPT_SAVE, name);
}

static void prompt_accept(struct ui *ui, struct model *model)
{
	struct group_by by;
	char why[FILTER_WHY];

	if (ui->prompt == PROMPT_FILTER && !ui_filter(ui, model, ui->typed))
		return; /* it stays open, to be mended */
	if (ui->prompt == PROMPT_GROUP) {
		if (!group_by_parse(&by, ui->typed, why)) {
			ui_say(ui, true, "%s", why);
			return;
		}
		ui->group_by = by;
		strcpy(ui->group_text, ui->typed);
		ui->view = VIEW_GROUP;
	}
	if (ui->prompt == PROMPT_SAVE)
		strcpy(ui->save, ui->typed);
	ui->prompt = PROMPT_NONE;
}

static void prompt_erase(struct ui *ui)
{
	size_t len = strlen(ui->typed);

	while (len && (ui->typed[--len] & 0xc0) == 0x80)
		;
	ui->typed[len] = '\0';
}

static void prompt_press(struct ui *ui, struct model *model, int key)
{
	size_t len = strlen(ui->typed);

	if (key == UI_ESCAPE)
		ui->prompt = PROMPT_NONE;
	else if (key == UI_ENTER)
		prompt_accept(ui, model);
	else if (key == UI_BACKSPACE)
		prompt_erase(ui);
	else if (key == UI_CLEAR)
		ui->typed[0] = '\0';
	else if (key >= ' ' && key < UI_UP && key != 0x7f && len + 5 < UI_TEXT)
		ui->typed[len + utf8_put((uint32_t)key, ui->typed + len)] = '\0';
}

/* utf8_put() writes no NUL: the buffer's rest is cleared first. */
static void prompt_clean(struct ui *ui)
{
	size_t len = strlen(ui->typed);

	memset(ui->typed + len, 0, UI_TEXT - len);
}

/* ---- keys ---- */

static void press_view(struct ui *ui, enum ui_view view)
{
	ui->view = view;
	free(ui->detail);
	ui->detail = NULL;
}

static bool press_move(struct ui *ui, int key)
{
	int page = ui->page > 1 ? ui->page - 1 : 1;

	switch (key) {
	case UI_UP:
	case 'k':
		ui_move(ui, -1);
		return true;
	case UI_DOWN:
	case 'j':
		ui_move(ui, 1);
		return true;
	case UI_PAGE_UP:
		ui_move(ui, -page);
		return true;
	case UI_PAGE_DOWN:
		ui_move(ui, page);
		return true;
	case UI_HOME:
		ui_move(ui, -0xffffff);
		return true;
	case UI_END:
		ui_move(ui, 0xffffff);
		return true;
	default:
		return false;
	}
}

static void press_command(struct ui *ui, struct model *model, int key)
{
	if (key >= '1' && key < '1' + VIEW_GROUP)
		press_view(ui, (enum ui_view)(key - '1'));
	else if (key == '0')
		press_view(ui, VIEW_GROUP);
	else if (key == UI_TAB || key == UI_RIGHT)
		press_view(ui, (enum ui_view)((ui->view + 1) % VIEWS));
	else if (key == UI_BACK_TAB || key == UI_LEFT)
		press_view(ui, (enum ui_view)((ui->view + VIEWS - 1) % VIEWS));
	else if (key == UI_ENTER)
		ui_enter(ui, model);
	else if (key == '/')
		prompt_open(ui, PROMPT_FILTER, ui->filter);
	else if (key == 'g')
		prompt_open(ui, PROMPT_GROUP, ui->group_text);
	else if (key == '>' || key == '<')
		ui_sort(ui, key == '>' ? 1 : -1);
	else if (key == 'r')
		ui_reverse(ui);
}

/* Keys that mean the same everywhere. */
static bool press_any(struct ui *ui, struct model *model, int key)
{
	switch (key) {
	case 'q':
		ui->quit = true;
		return true;
	case '?':
	case 'h':
		ui->help = true;
		return true;
	case ' ':
		ui_pause(ui, model);
		return true;
	case 's':
		prompt_save(ui, model_now(model, 0));
		return true;
	default:
		return press_move(ui, key);
	}
}

void ui_press(struct ui *ui, struct model *model, int key)
{
	ui->message[0] = '\0';
	prompt_clean(ui);
	if (ui->prompt) {
		prompt_press(ui, model, key);
		return;
	}
	if (ui->help) {
		ui->help = false;
		ui->quit = key == 'q';
		return;
	}
	if (press_any(ui, model, key))
		return;
	if (ui->detail &&
	    (key == UI_ESCAPE || key == UI_BACKSPACE || key == UI_LEFT || key == UI_ENTER))
		press_view(ui, ui->view);
	else if (key == UI_ESCAPE || key == UI_BACKSPACE)
		ui_back(ui, model);
	else
		press_command(ui, model, key);
}

/* ---- records of what is shown ---- */

static int logins_lines(const struct ui *ui, const struct model *model,
			int (*line)(void *ctx, const char *text, size_t len), void *ctx)
{
	const struct row **list;
	int count = logins_list(ui, model, &list), err = count < 0 ? count : 0;

	for (int i = 0; !err && i < count; i++)
		if (list[i]->line)
			err = line(ctx, list[i]->line, list[i]->line_len);
	free(list);
	return err;
}

int ui_lines(const struct ui *ui, const struct model *model,
	     int (*line)(void *ctx, const char *text, size_t len), void *ctx)
{
	const struct model_pending *list;
	uint64_t total;
	size_t count;
	int err = 0;

	if (ui->detail)
		return line(ctx, ui->detail, ui->detail_len);
	if (ui->view != VIEW_PENDING)
		return logins_lines(ui, model, line, ctx);
	count = model_pending(model, &list, &total);
	for (size_t i = 0; !err && i < count; i++)
		if (list[i].line)
			err = line(ctx, list[i].line, list[i].line_len);
	return err;
}
