// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * plain.c - a report as text, at most PLAIN_COLUMNS wide unless a table needs more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "lib/utf8.h"
#include "report/writer.h"

#define PLAIN_COLUMNS 100
#define PLAIN_CELL    44 /* characters of a cell; longer ones are cut */
#define PLAIN_BAR     50
#define PLAIN_SPANS   24 /* rows of the logins over time */
#define PLAIN_NAME    18
#define PLAIN_SCALE   60 /* characters of a waterfall */

/* Characters; each counts for one column. */
static size_t plain_width(const char *s)
{
	size_t width = 0, n;
	uint32_t cp;

	for (; (n = utf8_next(s, &cp)); s += n)
		width++;
	return width;
}

/* Bytes of the first `columns` characters. */
static size_t plain_bytes(const char *s, size_t columns)
{
	const char *from = s;
	uint32_t cp;
	size_t n;

	while (columns-- && (n = utf8_next(s, &cp)))
		s += n;
	return (size_t)(s - from);
}

static void plain_pad(struct strbuf *out, char c, size_t n)
{
	while (n--)
		strbuf_add(out, &c, 1);
}

/* Text broken at blanks, each line after the first by `indent`. */
static void plain_wrap(struct strbuf *out, size_t indent, const char *text)
{
	char *safe = utf8_printable(text), *at = safe;
	size_t room = PLAIN_COLUMNS - indent;

	while (at && plain_width(at) > room) {
		size_t len = plain_bytes(at, room), end = len;

		while (end && at[end] != ' ')
			end--;
		strbuf_add(out, at, end ? end : len);
		at += end ? end + 1 : len;
		strbuf_adds(out, "\n");
		plain_pad(out, ' ', indent);
	}
	strbuf_adds(out, at ? at : "");
	strbuf_adds(out, "\n");
	free(safe);
}

static void plain_begin(struct writer *w, const char *title, const char *period,
			const char *finding, enum writer_mood mood)
{
	(void)mood;
	strbuf_addf(w->out, "%s, %s\n\n", title, period);
	plain_wrap(w->out, 0, finding);
}

static void plain_figures(struct writer *w, const struct writer_fact *facts, size_t count)
{
	strbuf_adds(w->out, "\n");
	for (size_t i = 0; i < count; i++)
		strbuf_addf(w->out, "%s%s %s", i ? "; " : "", facts[i].name, facts[i].value);
	strbuf_adds(w->out, "\n");
}

static void plain_section(struct writer *w, const char *id, const char *title, const char *note)
{
	(void)id;
	strbuf_addf(w->out, "\n%s\n", title);
	plain_pad(w->out, '=', plain_width(title));
	strbuf_adds(w->out, "\n");
	if (note)
		plain_wrap(w->out, 0, note);
}

static void plain_facts(struct writer *w, const struct writer_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t width = plain_width(facts[i].name);

		strbuf_addf(w->out, "%s", facts[i].name);
		plain_pad(w->out, ' ', width < PLAIN_NAME ? PLAIN_NAME - width : 1);
		plain_wrap(w->out, PLAIN_NAME, facts[i].value);
	}
}

/* A cell as it is printed; the caller frees it. */
static char *plain_cell(const char *text)
{
	char *safe = utf8_printable(text ? text : "");

	if (safe && plain_width(safe) > PLAIN_CELL) {
		char *cut = NULL;

		if (asprintf(&cut, "%.*s...", (int)plain_bytes(safe, PLAIN_CELL - 3), safe) < 0)
			cut = NULL;
		free(safe);
		return cut;
	}
	return safe;
}

/* Left columns are filled up, but for the last one. */
static void plain_line(struct writer *w, const struct writer_table *t, char *const *cells,
		       const size_t *widths)
{
	size_t pending = 0;

	for (unsigned i = 0; i < t->columns; i++) {
		const char *text = cells[i] ? cells[i] : "";
		size_t fill = widths[i] - plain_width(text);

		if (i)
			pending += 2;
		if (t->column[i].number)
			pending += fill;
		if (*text) {
			plain_pad(w->out, ' ', pending);
			strbuf_adds(w->out, text);
			pending = 0;
		}
		if (!t->column[i].number)
			pending += fill;
	}
	strbuf_adds(w->out, "\n");
}

static void plain_table(struct writer *w, const struct writer_table *t)
{
	size_t count = t->rows * t->columns, widths[WRITER_COLUMNS];
	char **cells = calloc(count + 1, sizeof(*cells)), *heads[WRITER_COLUMNS];

	if (!cells) {
		w->out->failed = true;
		return;
	}
	for (unsigned i = 0; i < t->columns; i++) {
		heads[i] = (char *)t->column[i].head;
		widths[i] = plain_width(heads[i]);
	}
	for (size_t i = 0; i < count; i++) {
		size_t width;

		cells[i] = plain_cell(t->cells[i]);
		width = cells[i] ? plain_width(cells[i]) : 0;
		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	plain_line(w, t, heads, widths);
	for (size_t i = 0; i < t->rows; i++)
		plain_line(w, t, cells + i * t->columns, widths);
	if (t->more)
		plain_wrap(w->out, 0, t->more);
	for (size_t i = 0; i < count; i++)
		free(cells[i]);
	free(cells);
}

static void plain_cause(struct writer *w, const char *head, const char *sentence,
			const char *const *lines, size_t count)
{
	strbuf_adds(w->out, "\n");
	plain_wrap(w->out, 0, head);
	if (sentence) {
		strbuf_adds(w->out, "  ");
		plain_wrap(w->out, 2, sentence);
	}
	for (size_t i = 0; i < count; i++) {
		strbuf_adds(w->out, "  - ");
		plain_wrap(w->out, 4, lines[i]);
	}
}

/* So many spans as fit are joined into a row. */
static void plain_rates(struct writer *w, const struct rates *r)
{
	unsigned join = (r->count + PLAIN_SPANS - 1) / PLAIN_SPANS;
	struct rates_span rows[PLAIN_SPANS] = {0};
	uint64_t most = 1;
	char when[CLOCK_TEXT];

	for (unsigned i = 0; i < r->count; i++) {
		struct rates_span *row = &rows[i / join];

		row->logins += r->spans[i].logins;
		row->failed += r->spans[i].failed;
		row->slow += r->spans[i].slow;
		if (row->logins > most)
			most = row->logins;
	}
	strbuf_addf(w->out, "each row %s; F failed, S slow, # other logins\n",
		    writer_length(r->width_s * join * NS_PER_S, when));
	for (unsigned i = 0; i * join < r->count; i++) {
		uint64_t bad = (rows[i].failed * PLAIN_BAR + most - 1) / most;
		uint64_t slow = (rows[i].slow * PLAIN_BAR + most - 1) / most;
		uint64_t all = (rows[i].logins * PLAIN_BAR + most - 1) / most;

		clock_rfc3339(rates_ns(r, i * join), when);
		when[10] = ' ';
		strbuf_addf(w->out, "%.19s %7" PRIu64 " ", when, rows[i].logins);
		plain_pad(w->out, 'F', bad);
		plain_pad(w->out, 'S', slow);
		plain_pad(w->out, '#', all > bad + slow ? all - bad - slow : 0);
		strbuf_adds(w->out, "\n");
	}
}

static void plain_phase(struct writer *w, const char *name, const struct log_histogram *h)
{
	static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 1};
	char text[CLOCK_TEXT];

	if (!h->count)
		return;
	strbuf_addf(w->out, "%-10s%8" PRIu64, name, h->count);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		clock_duration(log_histogram_quantile(h, quantiles[i]), text);
		plain_pad(w->out, ' ', 10 - plain_width(text));
		strbuf_adds(w->out, text);
	}
	strbuf_adds(w->out, "\n");
}

static void plain_phases(struct writer *w, const struct survey *s)
{
	uint64_t sum = s->wait_ns[SIDE_CLIENT] + s->wait_ns[SIDE_SERVER] + s->wait_ns[SIDE_NETWORK];
	char share[3][WRITER_SHARE];

	strbuf_addf(w->out, "%-10s%8s%10s%10s%10s%10s%10s\n", "phase", "logins", "median", "90 %",
		    "95 %", "99 %", "longest");
	for (int i = 0; i < PHASE_SESSION; i++)
		plain_phase(w, phase_name(i), &s->phases[i]);
	plain_phase(w, "total", &s->total);
	if (sum)
		strbuf_addf(w->out,
			    "Of all this time, logins waited %s for the client, %s for the server "
			    "and %s for the network.\n",
			    writer_share(s->wait_ns[SIDE_CLIENT], sum, share[0]),
			    writer_share(s->wait_ns[SIDE_SERVER], sum, share[1]),
			    writer_share(s->wait_ns[SIDE_NETWORK], sum, share[2]));
}

/* Each step of a hundredth of the login and more, on the login's own scale. */
static void plain_steps(struct writer *w, const struct slow_login *l)
{
	uint64_t before = 0;
	char text[CLOCK_TEXT];

	for (unsigned i = 0; i < l->step_count; i++) {
		const struct slowest_step *step = &l->steps[i];
		double from = (double)before / (double)l->total_ns * PLAIN_SCALE,
		       length = (double)step->ns / (double)l->total_ns * PLAIN_SCALE;

		before += step->ns;
		if (step->ns < l->total_ns / 100)
			continue;
		strbuf_addf(w->out, "   %-18s %-8s", step_kind_name(step->kind),
			    step->waits_on == SIDE_NONE ? "-" : side_name(step->waits_on));
		clock_duration(step->ns, text);
		plain_pad(w->out, ' ', 8 - plain_width(text));
		strbuf_addf(w->out, "%s ", text);
		plain_pad(w->out, ' ', from < PLAIN_SCALE ? (size_t)from : PLAIN_SCALE - 1);
		plain_pad(w->out, '#', length < 1 ? 1 : (size_t)length);
		strbuf_adds(w->out, "\n");
	}
}

static void plain_slowest(struct writer *w, const struct slowest *slowest)
{
	char when[CLOCK_TEXT], total[CLOCK_TEXT], id[SINK_ID_MAX];
	struct strbuf line = {0};

	for (unsigned i = 0; i < slowest->count && i < w->rows_most; i++) {
		const struct slow_login *l = slowest->logins[i];

		line.len = 0;
		clock_rfc3339(l->wall_ns, when);
		when[10] = ' ';
		strbuf_addf(&line, "%u. %s  %s to %s%s%s, %s, %.19s, %s", i + 1,
			    clock_duration(l->total_ns, total), l->client, l->server,
			    l->app ? ", " : "", l->app ? l->app : "", l->outcome, when,
			    sink_id(l->id, id));
		strbuf_add(&line, "", 1);
		plain_wrap(w->out, 3, line.failed ? "" : line.data);
		if (l->total_ns)
			plain_steps(w, l);
		strbuf_adds(w->out, "   ");
		plain_wrap(w->out, 3, l->text ? l->text : "");
		for (unsigned k = 0; k < l->note_count; k++) {
			strbuf_adds(w->out, "   ");
			plain_wrap(w->out, 3, l->notes[k] ? l->notes[k] : "");
		}
	}
	strbuf_release(&line);
}

static void plain_end(struct writer *w, const char *made_by)
{
	strbuf_addf(w->out, "\nMade by %s. Times are UTC.\n", made_by);
}

const struct writer_ops plain_writer = {
	.begin = plain_begin,
	.figures = plain_figures,
	.section = plain_section,
	.facts = plain_facts,
	.table = plain_table,
	.cause = plain_cause,
	.rates = plain_rates,
	.phases = plain_phases,
	.slowest = plain_slowest,
	.end = plain_end,
};
