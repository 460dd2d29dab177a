// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sections.c - see sections.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "report/compare.h"
#include "report/finding.h"
#include "report/section_cause.h"
#include "report/sections.h"
#include "report/section_table.h"
#include "report/tables.h"

#define SECTIONS_PERIOD 160
#define SECTIONS_VALUE	512
#define SECTIONS_FACTS	48
#define SECTIONS_FILES	5  /* named one by one */
#define SECTIONS_CAUSES 12 /* shown with examples */

const char *writer_share(uint64_t part, uint64_t whole, char text[WRITER_SHARE])
{
	double percent = whole ? 100.0 * (double)part / (double)whole : 0;

	if (part && percent < 0.1)
		snprintf(text, WRITER_SHARE, "<0.1 %%");
	else
		snprintf(text, WRITER_SHARE,
			 percent < 9.95 && part && part != whole ? "%.1f %%" : "%.0f %%", percent);
	return text;
}

const char *writer_length(uint64_t ns, char text[CLOCK_TEXT])
{
	uint64_t s = ns / NS_PER_S;

	if (s < 120)
		return clock_duration(ns, text);
	if (s < 7200)
		snprintf(text, CLOCK_TEXT, "%" PRIu64 " min", s / 60);
	else if (s < 48 * 3600)
		snprintf(text, CLOCK_TEXT, "%" PRIu64 " h", s / 3600);
	else
		snprintf(text, CLOCK_TEXT, "%" PRIu64 " days", s / 86400);
	return text;
}

/* Facts with room for their values. */
struct facts {
	struct writer_fact facts[SECTIONS_FACTS];
	char values[SECTIONS_FACTS][SECTIONS_VALUE];
	size_t count;
};

static void facts_add(struct facts *f, enum writer_mood mood, const char *name, const char *fmt,
		      ...) __attribute__((format(printf, 4, 5)));

static void facts_add(struct facts *f, enum writer_mood mood, const char *name, const char *fmt,
		      ...)
{
	va_list args;

	if (f->count == SECTIONS_FACTS)
		return;
	va_start(args, fmt);
	vsnprintf(f->values[f->count], SECTIONS_VALUE, fmt, args);
	va_end(args);
	f->facts[f->count] = (struct writer_fact){name, f->values[f->count], mood};
	f->count++;
}

static void sections_period(const struct survey *s, char text[SECTIONS_PERIOD])
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT], length[CLOCK_TEXT];

	if (!s->first_ns) {
		snprintf(text, SECTIONS_PERIOD, "no connection was seen");
		return;
	}
	clock_rfc3339(s->first_ns, from);
	clock_rfc3339(s->last_ns, to);
	from[10] = to[10] = ' ';
	snprintf(text, SECTIONS_PERIOD, "%.19s to %.19s UTC (%s)", from, to,
		 writer_length(s->last_ns - s->first_ns, length));
}

static void sections_figures(struct writer *w, const struct survey *s)
{
	static const double quantiles[] = {0.5, 0.95, 0.99, 1};
	static const char *const names[] = {"half took at most", "95 of 100", "99 of 100",
					    "the longest"};
	uint64_t failed = s->classes[VERDICT_FAILED], slow = s->classes[VERDICT_SLOW];
	struct facts f = {.count = 0};
	char text[CLOCK_TEXT];

	facts_add(&f, MOOD_NONE, "logins", "%" PRIu64, survey_wanted(s));
	facts_add(&f, failed ? MOOD_BAD : MOOD_NONE, "failed", "%" PRIu64, failed);
	facts_add(&f, slow ? MOOD_SLOW : MOOD_NONE, "slow", "%" PRIu64, slow);
	for (size_t i = 0; s->total.count && i < sizeof(names) / sizeof(names[0]); i++)
		facts_add(&f, MOOD_NONE, names[i], "%s",
			  clock_duration(log_histogram_quantile(&s->total, quantiles[i]), text));
	w->ops->figures(w, f.facts, f.count);
}

/* A fact whose value is a list. */
static void facts_add_list(struct facts *f, const char *name, struct strbuf *list)
{
	strbuf_add(list, "", 1);
	if (list->len > 1 && !list->failed)
		facts_add(f, MOOD_NONE, name, "%s", list->data);
	strbuf_release(list);
}

static void seen_where(struct facts *f, const struct survey_source *source)
{
	struct strbuf list = {0};

	for (size_t i = 0; i < source->file_count && i < SECTIONS_FILES; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "",
			    strcmp(source->files[i], "-") ? source->files[i] : "standard input");
	if (source->file_count > SECTIONS_FILES)
		strbuf_addf(&list, ", and %zu more", source->file_count - SECTIONS_FILES);
	facts_add_list(f, source->file_count == 1 ? "capture" : "captures", &list);
	if (source->watched)
		facts_add(f, MOOD_NONE, "watched live", "%s", source->watched);
	if (source->packets)
		facts_add(f, MOOD_NONE, "packets read", "%" PRIu64, source->packets);
}

static void seen_vantages(struct facts *f, const struct survey *s)
{
	static const char *const places[VANTAGE_COUNT] = {
		[VANTAGE_SERVER] = "near the server",
		[VANTAGE_CLIENT] = "near the client",
		[VANTAGE_MIDDLE] = "on the way between them",
		[VANTAGE_UNKNOWN] = "at a place that is not known"};
	static const enum vantage order[] = {VANTAGE_SERVER, VANTAGE_CLIENT, VANTAGE_MIDDLE,
					     VANTAGE_UNKNOWN};
	struct strbuf list = {0};

	for (size_t i = 0; i < VANTAGE_COUNT; i++)
		if (s->vantages[order[i]])
			strbuf_addf(&list, "%s%" PRIu64 " %s", list.len ? ", " : "",
				    s->vantages[order[i]], places[order[i]]);
	facts_add_list(f, "seen", &list);
}

static void seen_outcomes(struct facts *f, const struct survey *s)
{
	struct strbuf list = {0};

	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (s->outcomes[i])
			strbuf_addf(&list, "%s%" PRIu64 " %s", list.len ? ", " : "", s->outcomes[i],
				    outcome_name(i));
	facts_add_list(f, "outcomes", &list);
	if (s->inferred)
		facts_add(f, MOOD_NONE, "inferred",
			  "%" PRIu64 " outcomes were concluded from sizes and order, since "
			  "encryption hides them",
			  s->inferred);
	if (s->classes[VERDICT_ENDED])
		facts_add(f, MOOD_NONE, "not logins",
			  "%" PRIu64 " connections: probes, scans, and the losers of parallel "
			  "attempts; the figures above leave them out",
			  s->classes[VERDICT_ENDED]);
}

static void seen_gaps(struct facts *f, const struct survey *s, const struct survey_source *source)
{
	if (source->stopped)
		facts_add(f, MOOD_BAD, "not read to the end", "%s",
			  "a signal ended the reading: all figures are of the part before");
	if (s->classes[VERDICT_UNKNOWN])
		facts_add(f, MOOD_SLOW, "nothing stated",
			  "%" PRIu64 " logins: packets are missing, or "
			  "encryption hides the outcome",
			  s->classes[VERDICT_UNKNOWN]);
	if (s->mid_stream)
		facts_add(f, MOOD_SLOW, "begun before",
			  "%" PRIu64 " login%s under way when tdsmon began to see %s",
			  s->mid_stream, s->mid_stream == 1 ? " was" : "s were",
			  s->mid_stream == 1 ? "it" : "them");
	if (s->joined)
		facts_add(f, MOOD_NONE, "login not seen", "%" PRIu64 " session%s began before",
			  s->joined, s->joined == 1 ? "" : "s");
	if (s->lossy)
		facts_add(f, MOOD_SLOW, "incomplete",
			  "%" PRIu64 " login%s, of which packets are missing", s->lossy,
			  s->lossy == 1 ? "" : "s");
	for (size_t i = 0; i < source->counter_count; i++)
		if (source->counters[i].value)
			facts_add(f, MOOD_SLOW, i ? "" : "lost or skipped", "%" PRIu64 " %s",
				  source->counters[i].value, source->counters[i].text);
}

static void sections_seen(struct writer *w, const struct survey *s,
			  const struct survey_source *source)
{
	struct facts *f = calloc(1, sizeof(*f));
	size_t before;

	w->ops->section(w, "seen", "What was seen, and what was not", NULL);
	if (!f)
		return;
	seen_where(f, source);
	facts_add(f, MOOD_NONE, "connections",
		  "%" PRIu64 " with a login or an attempt, %" PRIu64 " ended", s->logins,
		  s->closes);
	seen_vantages(f, s);
	seen_outcomes(f, s);
	before = f->count;
	seen_gaps(f, s, source);
	if (f->count == before)
		facts_add(f, MOOD_GOOD, "lost or skipped", "nothing that tdsmon knows of");
	w->ops->facts(w, f->facts, f->count);
	free(f);
}

static void sections_cause(struct writer *w, const struct survey *s, const struct group *cause)
{
	struct strbuf head = {0};
	char share[WRITER_SHARE], longest[CLOCK_TEXT];

	strbuf_addf(&head, "%s: %" PRIu64 " login%s (%s)%s%s", cause->key, cause->count,
		    cause->count == 1 ? "" : "s",
		    writer_share(cause->count, survey_wanted(s), share),
		    cause->failed ? ", failed" : ", slow",
		    cause->failed && cause->slow ? " or slow" : "");
	if (cause->times)
		strbuf_addf(&head, ", up to %s", clock_duration(cause->times->longest_ns, longest));
	strbuf_add(&head, "", 1);
	if (!head.failed)
		cause_write(w, head.data, cause);
	strbuf_release(&head);
}

static void sections_causes(struct writer *w, const struct survey *s)
{
	const struct groups *g = &s->groups[TABLE_CAUSES];
	const struct group **causes = group_table_sorted(g, group_by_count);

	if (!causes)
		return;
	w->ops->section(w, "causes", "Causes",
			"The commonest first, each with those of its logins that took longest.");
	for (size_t i = 0; i < g->count && i < SECTIONS_CAUSES; i++)
		sections_cause(w, s, causes[i]);
	free(causes);
	if (g->count > SECTIONS_CAUSES)
		section_table_write(w, &survey_tables[TABLE_CAUSES], g);
}

static void sections_time(struct writer *w, const struct survey *s)
{
	if (s->rates.count) {
		w->ops->section(w, "time", "Logins over time", NULL);
		w->ops->rates(w, &s->rates);
	}
	if (s->total.count) {
		w->ops->section(w, "phases", "Phases",
				"Of logins that were answered or kept waiting. Phases add up to a "
				"login's total.");
		w->ops->phases(w, s);
	}
}

/* Tables that hold something; then the names of those that hold nothing. */
static void sections_tables(struct writer *w, const struct survey *s)
{
	struct strbuf empty = {0};

	if (!s->failovers.found)
		strbuf_adds(&empty, "Failovers");
	for (size_t i = TABLE_SERVERS; i < survey_table_count; i++) {
		const struct survey_table *table = &survey_tables[i];

		if (!s->groups[i].count) {
			strbuf_addf(&empty, "%s%s", empty.len ? "; " : "", table->title);
			continue;
		}
		w->ops->section(w, table->id, table->title, table->note);
		section_table_write(w, table, &s->groups[i]);
	}
	if (empty.len) {
		strbuf_adds(&empty, ".");
		strbuf_add(&empty, "", 1);
		w->ops->section(w, "nothing", "Looked for and not found",
				empty.failed ? NULL : empty.data);
	}
	strbuf_release(&empty);
}

static enum writer_mood sections_begin(struct writer *w, const struct survey *s)
{
	char period[SECTIONS_PERIOD];
	struct strbuf finding = {0};
	enum writer_mood mood = finding_write(s, &finding);

	strbuf_add(&finding, "", 1);
	sections_period(s, period);
	w->ops->begin(w, "Logins to SQL Server", period, finding.failed ? "" : finding.data, mood);
	strbuf_release(&finding);
	return mood;
}

void sections_write(struct writer *w, const struct survey *s, const struct survey_source *source,
		    const struct survey *old, const char *old_name)
{
	sections_begin(w, s);
	sections_figures(w, s);
	if (old)
		compare_write(w, s, old, old_name);
	sections_seen(w, s, source);
	sections_time(w, s);
	sections_causes(w, s);
	failovers_write(w, &s->failovers, s->clock);
	if (s->slowest.count) {
		w->ops->section(w, "slowest", "The slowest logins", NULL);
		w->ops->slowest(w, &s->slowest);
	}
	sections_tables(w, s);
	w->ops->end(w, "tdsmon " TDSMON_VERSION);
}
