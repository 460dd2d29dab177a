// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_header.c - the figures at the top of the screen: is it bad now?
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "top/ui.h"

/* A figure: its name, dim, and its value; x moves on. */
static void figure(struct cells *cells, int y, int *x, int style, const char *name,
		   const char *value)
{
	if (*x >= cells->width)
		return;
	*x += cells_put(cells, y, *x, cells->width - *x, STYLE_DIM, name) + 1;
	*x += cells_put(cells, y, *x, cells->width - *x, style, value) + 3;
}

static void draw_title(const struct ui *ui, const struct model *model, uint64_t now_ns,
		       struct cells *cells, int y)
{
	uint64_t wall_ns = model_now(model, now_ns);
	char clock[UI_CLOCK], right[UI_CLOCK + 8] = "";
	int x, room;

	if (wall_ns)
		snprintf(right, sizeof(right), "%s UTC", ui_clock(wall_ns, 8, clock));
	room = cells->width - (int)strlen(right) - 1;
	x = cells_put(cells, y, 0, room, STYLE_BOLD, "tdsmon top");
	x += 1 + cells_put(cells, y, x + 1, room - x - 1, STYLE_DIM, ui->source ?: "");
	if (ui->trouble)
		cells_put(cells, y, x + 2, room - x - 2, STYLE_BAD, ui->trouble);
	cells_put_right(cells, y, 0, cells->width, STYLE_PLAIN, right);
}

static void percent(char text[UI_CLOCK], uint64_t part, uint64_t whole)
{
	double share = whole ? 100.0 * (double)part / (double)whole : 0;

	snprintf(text, UI_CLOCK, share && share < 10 ? "%.1f %%" : "%.0f %%", share);
}

/* In the unit in which it has a digit before the point. */
static void rate(char text[UI_CLOCK], double per_s)
{
	if (!per_s || per_s >= 10)
		snprintf(text, UI_CLOCK, "%.0f/s", per_s);
	else if (per_s >= 0.1)
		snprintf(text, UI_CLOCK, "%.1f/s", per_s);
	else if (per_s * 60 >= 1)
		snprintf(text, UI_CLOCK, "%.1f/min", per_s * 60);
	else
		snprintf(text, UI_CLOCK, "%.1f/h", per_s * 3600);
}

static void draw_figures(const struct model_summary *sum, struct cells *cells, int y)
{
	static const char *const names[3] = {"p50", "p95", "p99"};
	char text[UI_CLOCK];
	int x = 0;

	rate(text, sum->per_s);
	figure(cells, y, &x, STYLE_BOLD, "logins", text);
	percent(text, sum->failed, sum->logins);
	figure(cells, y, &x, sum->failed ? STYLE_BAD : STYLE_GOOD, "failed", text);
	percent(text, sum->slow, sum->logins);
	figure(cells, y, &x, sum->slow ? STYLE_SLOW : STYLE_GOOD, "slow", text);
	for (int i = 0; i < 3; i++)
		figure(cells, y, &x, STYLE_PLAIN, names[i], ui_ns(sum->quantile_ns[i], text));
}

static void draw_waiting(const struct model *model, uint64_t now_ns, struct cells *cells, int y,
			 int *x)
{
	const struct model_pending *list;
	uint64_t total;
	size_t count = model_pending(model, &list, &total);
	char text[UI_TEXT], ns[UI_CLOCK];

	if (!count) {
		figure(cells, y, x, STYLE_GOOD, "waiting", "0");
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64 ", longest %s: %s for %s", total,
		 ui_ns(model_pending_ns(model, &list[0], now_ns), ns),
		 list[0].client ? list[0].client->text : "?",
		 list[0].what ? list[0].what->text : "?");
	figure(cells, y, x, STYLE_BAD, "waiting", text);
}

static void draw_lost(const struct ui *ui, const struct model *model,
		      const struct model_summary *sum, struct cells *cells, int y, int *x)
{
	const struct model_lost *list;
	size_t count = model_losses(model, &list);
	char text[UI_TEXT];

	/* Logins that came meanwhile may be missing here. */
	if (!count && ui->breaks) {
		snprintf(text, sizeof(text), "0, but the connection broke %u time%s", ui->breaks,
			 ui->breaks == 1 ? "" : "s");
		figure(cells, y, x, STYLE_SLOW, "lost", text);
		return;
	}
	if (!count) {
		figure(cells, y, x, STYLE_GOOD, "lost", "0");
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64 " (%s%s)", sum->lost,
		 list[0].text ? list[0].text->text : "?", count > 1 ? ", ..." : "");
	figure(cells, y, x, STYLE_BAD, "lost", text);
}

void header_draw(const struct ui *ui, const struct model *model, uint64_t now_ns,
		 struct cells *cells, int y)
{
	struct model_summary sum;
	char text[96], span[UI_CLOCK];
	int x = 0;

	model_summarize(model, now_ns, &sum);
	draw_title(ui, model, now_ns, cells, y);
	draw_figures(&sum, cells, y + 1);
	snprintf(text, sizeof(text), "%" PRIu64 " login%s in %s", sum.logins,
		 sum.logins == 1 ? "" : "s", ui_span(sum.span_ns, span));
	if (model_seen(model) > model_count(model))
		snprintf(text, sizeof(text), "the newest %zu of %" PRIu64 " logins",
			 model_count(model), model_seen(model));
	draw_waiting(model, now_ns, cells, y + 2, &x);
	draw_lost(ui, model, &sum, cells, y + 2, &x);
	if (x + (int)strlen(text) <= cells->width)
		cells_put_right(cells, y + 2, x, cells->width - x, STYLE_DIM, text);
}
