// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * compare.c - see compare.h. A difference is stated where both periods have enough logins for it,
 * and where it is larger than what chance and a histogram's error make of equal periods.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/compare.h"
#include "report/section_cause.h"
#include "report/tables.h"

#define COMPARE_LEAST	5	    /* logins in each period */
#define COMPARE_SLOWER	1.5	    /* times the earlier value, and */
#define COMPARE_NS	10000000ull /* at least so much more */
#define COMPARE_SIGMA	2.5	    /* how unlikely a difference of shares has to be by chance */
#define COMPARE_COLUMNS 9
#define COMPARE_TEXT	96

struct compared {
	const char *of, *key;
	uint64_t logins[2], failed[2]; /* then, now */
	uint64_t half_ns[2], most_ns[2];
	bool slower, fails, faster, mended;
};

/* Two shares: by how many standard errors does the second exceed the first? */
static double compare_shares(const uint64_t failed[2], const uint64_t logins[2])
{
	double n0 = (double)logins[0], n1 = (double)logins[1];
	double all = (double)(failed[0] + failed[1]) / (n0 + n1);
	double error = sqrt(all * (1 - all) * (1 / n0 + 1 / n1));

	return error > 0 ? ((double)failed[1] / n1 - (double)failed[0] / n0) / error : 0;
}

static bool is_slower(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns >= then_ns + COMPARE_NS && (double)now_ns >= COMPARE_SLOWER * (double)then_ns;
}

static void compare_judge(struct compared *c)
{
	double sigma;

	if (c->logins[0] < COMPARE_LEAST || c->logins[1] < COMPARE_LEAST)
		return;
	sigma = compare_shares(c->failed, c->logins);
	c->fails = sigma >= COMPARE_SIGMA;
	c->mended = sigma <= -COMPARE_SIGMA;
	c->slower =
		is_slower(c->half_ns[0], c->half_ns[1]) || is_slower(c->most_ns[0], c->most_ns[1]);
	c->faster = !c->slower && (is_slower(c->half_ns[1], c->half_ns[0]) ||
				   is_slower(c->most_ns[1], c->most_ns[0]));
}

static void compare_take(struct compared *c, int at, const struct group *row)
{
	c->logins[at] = row->count;
	c->failed[at] = row->failed;
	c->half_ns[at] = row->times ? spread_quantile(row->times, 0.5) : 0;
	c->most_ns[at] = row->times ? spread_quantile(row->times, 0.95) : 0;
}

static void compare_take_all(struct compared *c, int at, const struct survey *s)
{
	c->logins[at] = survey_wanted(s);
	c->failed[at] = s->classes[VERDICT_FAILED];
	c->half_ns[at] = log_histogram_quantile(&s->total, 0.5);
	c->most_ns[at] = log_histogram_quantile(&s->total, 0.95);
}

/* Returns the next cell. */
static char **compare_row(char **cell, const struct compared *c)
{
	const char *what = c->fails && c->slower    ? "fails more, slower"
			   : c->fails		    ? "fails more"
			   : c->slower		    ? "slower"
			   : c->mended && c->faster ? "fails less, faster"
			   : c->mended		    ? "fails less"
						    : "faster";
	char text[COMPARE_TEXT], share[WRITER_SHARE];

	*cell++ = strdup(what);
	*cell++ = strdup(c->of);
	*cell++ = strdup(*c->key ? c->key : "all");
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s of %" PRIu64,
			 writer_share(c->failed[i], c->logins[i], share), c->logins[i]);
		*cell++ = strdup(text);
	}
	for (int i = 0; i < 2; i++)
		*cell++ = strdup(clock_duration(c->half_ns[i], text));
	for (int i = 0; i < 2; i++)
		*cell++ = strdup(clock_duration(c->most_ns[i], text));
	return cell;
}

static int compare_order(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;
	int bad_x = x->fails * 2 + x->slower, bad_y = y->fails * 2 + y->slower;

	if (bad_x != bad_y)
		return bad_y - bad_x;
	if (x->logins[1] != y->logins[1])
		return x->logins[1] < y->logins[1] ? 1 : -1;
	return strcmp(x->key, y->key);
}

/* All that differ, of one table; returns how many. */
static size_t compare_groups(struct compared *found, const char *of, const struct groups *now,
			     const struct groups *old)
{
	size_t n = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct group *row = &now->rows[i], *then = group_table_find(old, row->key);
		struct compared c = {.of = of, .key = row->key};

		if (!then)
			continue;
		compare_take(&c, 0, then);
		compare_take(&c, 1, row);
		compare_judge(&c);
		if (c.slower || c.fails || c.faster || c.mended)
			found[n++] = c;
	}
	return n;
}

static void compare_table(struct writer *w, struct compared *found, size_t count)
{
	static const char *const heads[COMPARE_COLUMNS] = {
		"what",	       "of",	     "name",	  "failed then", "failed now",
		"median then", "median now", "95 % then", "95 % now"};
	struct writer_table t = {.columns = COMPARE_COLUMNS};
	char more[COMPARE_TEXT], **cell;

	qsort(found, count, sizeof(*found), compare_order);
	t.rows = count < w->rows_most ? count : w->rows_most;
	for (unsigned i = 0; i < COMPARE_COLUMNS; i++)
		t.column[i] = (struct writer_column){heads[i], i > 2, MOOD_NONE};
	t.cells = cell = calloc(t.rows * t.columns + 1, sizeof(*t.cells));
	if (!t.cells)
		return;
	for (size_t i = 0; i < t.rows; i++)
		cell = compare_row(cell, &found[i]);
	snprintf(more, sizeof(more), "%zu further rows are not shown.", count - t.rows);
	t.more = count > t.rows ? more : NULL;
	w->ops->table(w, &t);
	for (size_t i = 0; i < t.rows * t.columns; i++)
		free(t.cells[i]);
	free(t.cells);
}

/* Causes that the earlier period did not have at all. */
static void compare_causes(struct writer *w, const struct survey *now, const struct survey *old)
{
	const struct groups *g = &now->groups[TABLE_CAUSES];
	const struct group **causes = group_table_sorted(g, group_by_count);

	for (size_t i = 0; causes && i < g->count; i++) {
		char head[COMPARE_TEXT];

		if (group_table_find(&old->groups[TABLE_CAUSES], causes[i]->key))
			continue;
		snprintf(head, sizeof(head), "New: %.60s, %" PRIu64 " login%s", causes[i]->key,
			 causes[i]->count, causes[i]->count == 1 ? "" : "s");
		cause_write(w, head, causes[i]);
	}
	free(causes);
}

static void compare_sentence(struct strbuf *text, const struct survey *now,
			     const struct survey *old, const char *old_name, size_t worse)
{
	struct compared all = {.key = ""};
	char then[CLOCK_TEXT], after[CLOCK_TEXT], share[2][WRITER_SHARE];

	compare_take_all(&all, 0, old);
	compare_take_all(&all, 1, now);
	compare_judge(&all);
	strbuf_addf(text, "Against %s: %s failed then and %s now; the median was %s and is %s, ",
		    old_name, writer_share(all.failed[0], all.logins[0], share[0]),
		    writer_share(all.failed[1], all.logins[1], share[1]),
		    clock_duration(all.half_ns[0], then), clock_duration(all.half_ns[1], after));
	strbuf_addf(text, "95 of 100 took at most %s and now %s.",
		    clock_duration(all.most_ns[0], then), clock_duration(all.most_ns[1], after));
	if (all.logins[0] < COMPARE_LEAST || all.logins[1] < COMPARE_LEAST)
		strbuf_adds(text, " That is too few logins to say more.");
	else
		strbuf_addf(
			text,
			" Taken together, logins %s%s; %zu servers, clients or applications are "
			"worse than they were.",
			all.fails    ? "fail more often"
			: all.mended ? "fail less often"
				     : "fail as before",
			all.slower   ? " and are slower"
			: all.faster ? " and are faster"
				     : " and take as long as before",
			worse);
	strbuf_add(text, "", 1);
}

void compare_write(struct writer *w, const struct survey *now, const struct survey *old,
		   const char *old_name)
{
	static const struct {
		const char *of;
		enum table_id table;
	} compared[] = {
		{"server", TABLE_SERVERS}, {"client", TABLE_CLIENTS}, {"application", TABLE_APPS}};
	struct compared *found = calloc(3 * GROUPS_MOST, sizeof(*found));
	struct strbuf text = {0};
	size_t count = 0, worse = 0;

	for (size_t i = 0; found && i < 3; i++)
		count += compare_groups(found + count, compared[i].of,
					&now->groups[compared[i].table],
					&old->groups[compared[i].table]);
	for (size_t i = 0; i < count; i++)
		worse += found[i].fails || found[i].slower;
	compare_sentence(&text, now, old, old_name, worse);
	w->ops->section(w, "against", "Against the earlier period", text.failed ? NULL : text.data);
	if (count)
		compare_table(w, found, count);
	compare_causes(w, now, old);
	strbuf_release(&text);
	free(found);
}
