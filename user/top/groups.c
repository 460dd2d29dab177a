// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * groups.c - see groups.h.
 */
#define HASH_NONFATAL_OOM 1

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/groups.h"

bool group_by_parse(struct group_by *by, const char *text, char why[FILTER_WHY])
{
	*by = (struct group_by){0};
	*why = '\0';
	while (*text) {
		size_t len = strcspn(text, ", ");
		int field = 0;

		while (field < ROW_FIELDS &&
		       (strncasecmp(row_field_name((enum row_field)field), text, len) ||
			row_field_name((enum row_field)field)[len]))
			field++;
		if (len && field == ROW_FIELDS)
			snprintf(why, FILTER_WHY,
				 "'%.*s' is no field: use client, server, app, driver, database, "
				 "host, verdict ...",
				 (int)len, text);
		else if (len && by->count == GROUP_KEYS)
			snprintf(why, FILTER_WHY, "more than %d fields", GROUP_KEYS);
		else if (len)
			by->fields[by->count++] = field;
		if (*why)
			return false;
		text += len + (text[len] != '\0');
	}
	if (!by->count)
		snprintf(why, FILTER_WHY,
			 "name a field: client, server, app, driver, database, host, verdict ...");
	return by->count;
}

static struct group *group_new(struct groups *groups)
{
	struct group *g = calloc(1, sizeof(*g));
	struct group **list = realloc(groups->list, (groups->count + 1) * sizeof(*list));

	if (list)
		groups->list = list;
	if (!g || !list) {
		free(g);
		return NULL;
	}
	groups->list[groups->count++] = g;
	return g;
}

static struct group *group_other(struct groups *groups)
{
	if (!groups->other) {
		groups->other = group_new(groups);
		if (groups->other)
			groups->other->other = true;
	}
	return groups->other;
}

static struct group *group_of(struct groups *groups, const struct name *const key[GROUP_KEYS])
{
	struct group *g = NULL;

	HASH_FIND(hh, groups->all, key, sizeof(g->key), g);
	if (g)
		return g;
	if (groups->count >= GROUPS_MOST)
		return group_other(groups);
	g = group_new(groups);
	if (!g)
		return NULL;
	memcpy(g->key, key, sizeof(g->key));
	HASH_ADD(hh, groups->all, key, sizeof(g->key), g);
	if (g->hh.tbl)
		return g;
	groups->count--;
	free(g);
	return NULL;
}

static void count_login(struct group *g, const struct row *row)
{
	g->logins++;
	g->failed += row->class == ROW_FAILED;
	g->slow += row->class == ROW_SLOW;
	if (row->end_ns > g->last_ns)
		g->last_ns = row->end_ns;
	if (row_is_problem(row))
		g->problem_seq = row->seq;
}

/* A time of the group. The first pass counts them, the second one puts each group's together. */
static void count_time(struct groups *groups, struct group *g, uint64_t ns, bool second)
{
	if (second)
		groups->values[g->first + g->timed] = ns;
	g->timed++;
	if (ns > g->most_ns)
		g->most_ns = ns;
}

static int count_needs(struct groups *groups, const struct row *row, bool second)
{
	for (int i = 0; i < row->need_count; i++) {
		const struct row_need *need = &row->needs[i];
		const struct name *key[GROUP_KEYS] = {need->peer};
		struct group *g = group_of(groups, key);

		if (!g)
			return -ENOMEM;
		if (!second) {
			count_login(g, row);
			g->requests += need->requests;
			g->unanswered += need->unanswered;
		}
		count_time(groups, g, need->ns, second);
	}
	return 0;
}

static int count_row(struct groups *groups, const struct row *row, const struct group_by *by,
		     bool second)
{
	const struct name *key[GROUP_KEYS] = {0};
	struct group *g;

	if (by->fields[0] == GROUP_BY_NEEDS)
		return count_needs(groups, row, second);
	for (int i = 0; i < by->count; i++)
		key[i] = row->field[by->fields[i]];
	g = group_of(groups, key);
	if (!g)
		return -ENOMEM;
	if (!second)
		count_login(g, row);
	if (row->timed && row->total_ns != ROW_NO_NS)
		count_time(groups, g, row->total_ns, second);
	return 0;
}

static int count_rows(struct groups *groups, const struct model *model, const struct group_by *by,
		      bool second)
{
	int err = 0;

	for (size_t i = 0; !err && i < model_count(model); i++) {
		const struct row *row = model_row(model, i);

		if (!row->matches || (by->problems && !row_is_problem(row)) ||
		    (by->until && row->seq > by->until))
			continue;
		groups->logins += !second;
		err = count_row(groups, row, by, second);
	}
	return err;
}

int groups_make(struct groups *groups, const struct model *model, const struct group_by *by)
{
	size_t total = 0;
	int err;

	*groups = (struct groups){0};
	err = count_rows(groups, model, by, false);
	for (size_t i = 0; i < groups->count; i++) {
		groups->list[i]->first = total;
		total += groups->list[i]->timed;
		groups->list[i]->timed = 0;
	}
	groups->values = malloc((total + 1) * sizeof(*groups->values));
	if (!groups->values)
		return -ENOMEM;
	if (!err)
		err = count_rows(groups, model, by, true);
	for (size_t i = 0; !err && i < groups->count; i++)
		model_quantiles(groups->values + groups->list[i]->first, groups->list[i]->timed,
				groups->list[i]->quantile_ns);
	return err;
}

void groups_release(struct groups *groups)
{
	HASH_CLEAR(hh, groups->all);
	for (size_t i = 0; i < groups->count; i++)
		free(groups->list[i]);
	free(groups->list);
	free(groups->values);
	*groups = (struct groups){0};
}

/* ---- order ---- */

static int by_names(const struct group *a, const struct group *b)
{
	int result = a->other - b->other;

	for (int i = 0; !result && i < GROUP_KEYS; i++)
		result = strcmp(a->key[i] ? a->key[i]->text : "", b->key[i] ? b->key[i]->text : "");
	return result;
}

/* Larger is first. ROW_NO_NS is last. */
static int by_number(uint64_t a, uint64_t b)
{
	a = a == ROW_NO_NS ? 0 : a;
	b = b == ROW_NO_NS ? 0 : b;
	return (a < b) - (a > b);
}

static uint64_t order_value(const struct group *g, enum group_order order)
{
	switch (order) {
	case GROUP_P50:
	case GROUP_P95:
	case GROUP_P99:
		return g->quantile_ns[order - GROUP_P50];
	case GROUP_MOST:
		return g->most_ns;
	case GROUP_LAST:
		return g->last_ns;
	case GROUP_PROBLEMS:
		return g->failed + g->slow + g->unanswered;
	default:
		return g->logins;
	}
}

struct sorting {
	enum group_order order;
	bool reversed;
};

static int compare_groups(const void *x, const void *y, void *ctx)
{
	const struct group *a = *(struct group *const *)x, *b = *(struct group *const *)y;
	const struct sorting *s = ctx;
	int result = s->order == GROUP_NAME
			     ? by_names(a, b)
			     : by_number(order_value(a, s->order), order_value(b, s->order));

	if (!result && s->order == GROUP_PROBLEMS)
		result = by_number(a->logins, b->logins);
	if (s->reversed)
		result = -result;
	return result ?: by_names(a, b);
}

void groups_sort(struct groups *groups, enum group_order order, bool reversed)
{
	struct sorting s = {order, reversed};

	if (groups->count)
		qsort_r(groups->list, groups->count, sizeof(*groups->list), compare_groups, &s);
}
