// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * html_draw.c - see html_draw.h. Bars are drawn as SVG, which prints, and stretched to the page's
 * width; text beside them is HTML, which is not stretched.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/units.h"
#include "report/html_draw.h"

#define DRAW_WIDTH   1000.0
#define DRAW_HEIGHT  120.0
#define DRAW_LEAST   0.6 /* of a bar that stands for something */
#define DRAW_PHASE_H 18
#define DRAW_TIME    32

/* A rectangle of the class f<fill>, with a text that shows where the pointer is. */
static void draw_box(struct strbuf *out, const char *fill, double x, double y, double width,
		     double height, const char *title)
{
	strbuf_addf(out,
		    "<rect class=\"f%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">",
		    fill, x, y, width, height);
	if (title) {
		strbuf_adds(out, "<title>");
		html_text(out, title);
		strbuf_adds(out, "</title>");
	}
	strbuf_adds(out, "</rect>");
}

static void draw_key(struct strbuf *out, const char *fill, const char *text)
{
	strbuf_adds(out,
		    "<span><svg width=\"11\" height=\"11\" viewBox=\"0 0 1 1\" style=\"display:"
		    "inline;width:11px;vertical-align:-1px\" aria-hidden=\"true\">");
	draw_box(out, fill, 0, 0, 1, 1, NULL);
	strbuf_adds(out, "</svg> ");
	html_text(out, text);
	strbuf_adds(out, "</span> ");
}

/* "2026-11-22 17:06:05" */
static const char *draw_time(uint64_t wall_ns, char text[CLOCK_TEXT])
{
	clock_rfc3339(wall_ns, text);
	text[10] = ' ';
	text[19] = '\0';
	return text;
}

static void rates_bar(struct strbuf *out, const struct rates *r, unsigned i, double most)
{
	const struct rates_span *span = &r->spans[i];
	double width = DRAW_WIDTH / r->count, scale = DRAW_HEIGHT / most, y = DRAW_HEIGHT;
	double height[] = {(double)span->failed * scale, (double)span->slow * scale,
			   (double)(span->logins - span->failed - span->slow) * scale};
	static const char *const fills[] = {"f", "s", "l"};
	char when[CLOCK_TEXT], length[CLOCK_TEXT], title[200];

	if (!span->logins)
		return;
	snprintf(title, sizeof(title),
		 "from %s, %s: %" PRIu64 " logins, %" PRIu64 " failed, %" PRIu64 " slow",
		 draw_time(rates_ns(r, i), when), writer_length(r->width_s * NS_PER_S, length),
		 span->logins, span->failed, span->slow);
	for (int part = 0; part < 3; part++) {
		if (height[part] <= 0)
			continue;
		if (height[part] < 1)
			height[part] = 1;
		y -= height[part];
		draw_box(out, fills[part], i * width, y < 0 ? 0 : y, width * 0.92, height[part],
			 title);
	}
}

void html_rates(struct writer *w, const struct rates *r)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT], length[CLOCK_TEXT];
	uint64_t most = 1;

	for (unsigned i = 0; i < r->count; i++)
		if (r->spans[i].logins > most)
			most = r->spans[i].logins;
	strbuf_adds(w->out, "<p class=\"key\">");
	draw_key(w->out, "l", "logins");
	draw_key(w->out, "s", "slow");
	draw_key(w->out, "f", "failed");
	strbuf_addf(w->out, "<span>at most %" PRIu64 " in %s</span></p>\n", most,
		    writer_length(r->width_s * NS_PER_S, length));
	strbuf_addf(w->out,
		    "<svg viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" "
		    "style=\"height:%.0fpx\" "
		    "role=\"img\" aria-label=\"logins over time\">\n",
		    DRAW_WIDTH, DRAW_HEIGHT, DRAW_HEIGHT);
	for (unsigned i = 0; i < r->count; i++)
		rates_bar(w->out, r, i, (double)most);
	strbuf_addf(w->out,
		    "<line class=\"axis\" x1=\"0\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" "
		    "vector-effect=\"non-scaling-stroke\"/></svg>\n",
		    DRAW_HEIGHT, DRAW_WIDTH, DRAW_HEIGHT);
	strbuf_addf(w->out,
		    "<p class=\"key\" style=\"display:flex;justify-content:space-between\"><span>%s"
		    "</span><span>%s</span></p>\n",
		    draw_time(rates_ns(r, 0), from), draw_time(rates_ns(r, r->count), to));
}

/* ---- phases ---- */

static double phases_log(uint64_t ns)
{
	return log10(ns < 1000 ? 1000.0 : (double)ns);
}

/* From the least to 99 %, thin; from 25 % to 75 %, thick; the median, a line. */
static void phases_strip(struct strbuf *out, const struct log_histogram *h, const char *fill,
			 double low, double span)
{
	double at[5];
	static const double quantiles[] = {0.01, 0.25, 0.5, 0.75, 0.99};

	for (int i = 0; i < 5; i++)
		at[i] = (phases_log(log_histogram_quantile(h, quantiles[i])) - low) / span *
			DRAW_WIDTH;
	strbuf_addf(out,
		    "<svg viewBox=\"0 0 %.0f %d\" preserveAspectRatio=\"none\" style=\"height:%dpx;"
		    "min-width:12rem\" role=\"img\" aria-label=\"distribution\">",
		    DRAW_WIDTH, DRAW_PHASE_H, DRAW_PHASE_H);
	draw_box(out, fill, at[0], 7.5, at[4] - at[0] + DRAW_LEAST, 3, "1 % to 99 %");
	draw_box(out, fill, at[1], 3, at[3] - at[1] + DRAW_LEAST * 4, 12, "25 % to 75 %");
	draw_box(out, "l", at[2], 0, 5, DRAW_PHASE_H, "median");
	strbuf_adds(out, "</svg>");
}

static void phases_row(struct strbuf *out, const char *name, const struct log_histogram *h,
		       const char *fill, double low, double span)
{
	static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 1};
	char text[CLOCK_TEXT];

	if (!h->count)
		return;
	strbuf_addf(out, "<tr><td>%s</td><td class=\"n\">%" PRIu64 "</td>", name, h->count);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		strbuf_addf(out, "<td class=\"n\">%s</td>",
			    clock_duration(log_histogram_quantile(h, quantiles[i]), text));
	strbuf_adds(out, "<td style=\"width:100%\">");
	phases_strip(out, h, fill, low, span);
	strbuf_adds(out, "</td></tr>\n");
}

static const char *const phase_fills[PHASE_SESSION] = {"0", "1", "2", "3", "4"};

static void phases_waits(struct strbuf *out, const struct survey *s)
{
	uint64_t sum = 0;
	char share[WRITER_SHARE];

	for (int i = 0; i < SIDE_NONE; i++)
		sum += s->wait_ns[i];
	if (!sum)
		return;
	strbuf_adds(out, "<p>Of all this time, logins waited");
	for (int i = 0; i < SIDE_NONE; i++) {
		strbuf_adds(out, i == SIDE_NONE - 1 ? " and " : i ? ", " : " ");
		html_text(out, writer_share(s->wait_ns[i], sum, share));
		strbuf_addf(out, " for the %s", side_name(i));
	}
	strbuf_adds(out, ".</p>\n");
}

void html_phases(struct writer *w, const struct survey *s)
{
	double low = phases_log(s->total.min), high = phases_log(s->total.max), span;

	for (int i = 0; i < PHASE_SESSION; i++)
		if (s->phases[i].count && phases_log(s->phases[i].min) < low)
			low = phases_log(s->phases[i].min);
	span = high - low > 0.1 ? high - low : 0.1;
	strbuf_adds(w->out,
		    "<div class=\"wide\"><table>\n<thead><tr><th>phase</th><th class=\"n\">"
		    "logins</th><th class=\"n\">median</th><th class=\"n\">90 %</th><th "
		    "class=\"n\">95 %</th><th class=\"n\">99 %</th><th class=\"n\">longest"
		    "</th><th>1, 25, 50, 75 and 99 %, logarithmic</th></tr></thead>\n<tbody>\n");
	for (int i = 0; i < PHASE_SESSION; i++)
		phases_row(w->out, phase_name(i), &s->phases[i], phase_fills[i], low, span);
	phases_row(w->out, "total", &s->total, "l", low, span);
	strbuf_adds(w->out, "</tbody></table></div>\n");
	phases_waits(w->out, s);
}

/* ---- the slowest logins ---- */

static void slow_bar(struct strbuf *out, const struct slow_login *l)
{
	double scale = l->total_ns ? DRAW_WIDTH / (double)l->total_ns : 0;
	char text[CLOCK_TEXT], title[160];
	double x = 0;

	strbuf_addf(out,
		    "<svg class=\"bar\" viewBox=\"0 0 %.0f 14\" preserveAspectRatio=\"none\" "
		    "role=\"img\" "
		    "aria-label=\"steps\">",
		    DRAW_WIDTH);
	for (unsigned i = 0; i < l->step_count; i++) {
		const struct slowest_step *step = &l->steps[i];
		double width = (double)step->ns * scale;

		if (step->phase >= PHASE_SESSION || step->ns == NO_NS)
			continue;
		snprintf(title, sizeof(title), "%s: %s, %s waited for", phase_name(step->phase),
			 step_kind_name(step->kind), clock_duration(step->ns, text));
		if (width >= 0.3)
			draw_box(out, phase_fills[step->phase], x,
				 step->waits_on == SIDE_NETWORK ? 4 : 0, width,
				 step->waits_on == SIDE_NETWORK ? 6 : 14, title);
		x += width;
	}
	strbuf_adds(out, "</svg>\n");
}

/* The steps that took at least a hundredth of the login. */
static void slow_steps(struct strbuf *out, const struct slow_login *l)
{
	const char *between = "";
	char text[CLOCK_TEXT];

	strbuf_adds(out, "<p class=\"steps\">");
	for (unsigned i = 0; i < l->step_count; i++) {
		const struct slowest_step *step = &l->steps[i];

		if (step->ns == NO_NS || step->ns < l->total_ns / 100)
			continue;
		strbuf_addf(out, "%s%s %s (%s)", between, step_kind_name(step->kind),
			    clock_duration(step->ns, text),
			    step->waits_on == SIDE_NONE ? "-" : side_name(step->waits_on));
		between = " · ";
	}
	strbuf_adds(out, "</p>\n");
}

static void slow_write(struct strbuf *out, const struct slow_login *l)
{
	static const char *const moods[VERDICT_CLASS_COUNT] = {
		[VERDICT_SLOW] = "slow", [VERDICT_FAILED] = "bad"};
	char when[CLOCK_TEXT], total[CLOCK_TEXT], id[SINK_ID_MAX];

	strbuf_addf(out, "<div class=\"login\"><p><b class=\"%s\">%s</b> ",
		    moods[l->class] ? moods[l->class] : "", clock_duration(l->total_ns, total));
	html_text(out, l->client);
	strbuf_adds(out, " to ");
	html_text(out, l->server);
	if (l->app) {
		strbuf_adds(out, ", ");
		html_text(out, l->app);
	}
	strbuf_addf(out, " <span class=\"soft\">%s · %s · %s</span></p>\n", l->outcome,
		    draw_time(l->wall_ns, when), sink_id(l->id, id));
	slow_bar(out, l);
	slow_steps(out, l);
	strbuf_adds(out, "<p>");
	html_element(out, "b", "", l->verdict ? l->verdict : "");
	strbuf_adds(out, ": ");
	html_text(out, l->text ? l->text : "");
	strbuf_adds(out, "</p>\n");
	for (unsigned i = 0; i < l->note_count; i++)
		html_element(out, "p", "steps", l->notes[i] ? l->notes[i] : "");
	strbuf_adds(out, "</div>\n");
}

void html_slowest(struct writer *w, const struct slowest *slowest)
{
	strbuf_adds(w->out, "<p class=\"key\">");
	for (int i = 0; i < PHASE_SESSION; i++)
		draw_key(w->out, phase_fills[i], phase_name(i));
	strbuf_adds(w->out, "<span>each bar is one login; thin: the network's share</span></p>\n");
	for (unsigned i = 0; i < slowest->count; i++)
		slow_write(w->out, slowest->logins[i]);
}
