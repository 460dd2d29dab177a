/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* verdict.c - see verdict.h. The table is in the files that rule.h names. */
#include "engine/dependency/dependency.h"
#include "engine/verdict/errorlog_words.h"
#include "engine/verdict/verdict.h"
#include "engine/verdict/rule.h"

static enum verdict_class class_of(const struct login *l, const struct login_record *r)
{
	switch (r->outcome) {
	case OUTCOME_OK:
	case OUTCOME_REDIRECTED:
		return verdict_in_time(l, r) ? VERDICT_OK : VERDICT_SLOW;
	case OUTCOME_INCOMPLETE:
		return VERDICT_UNKNOWN;
	case OUTCOME_PROBE:
		return VERDICT_ENDED;
	default:
		return VERDICT_FAILED;
	}
}

static bool has_failed(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome != OUTCOME_OK;
}

static bool has_failed_or_is_late(const struct login *l, const struct login_record *r)
{
	return r->outcome != OUTCOME_OK || l->late_answer;
}

static bool has_cause(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->findings && r->findings->cause != CAUSE_NONE;
}

/* A group, and for which logins it has rows that may fit; NULL: for all. */
static const struct group {
	const struct verdict_row *rows;
	bool (*tried)(const struct login *l, const struct login_record *r);
} groups[] = {
	{verdict_path, has_failed},
	{verdict_tls, has_failed},
	{verdict_stalls, NULL},
	{verdict_cause, has_cause},
	{verdict_left, has_failed_or_is_late},
	{verdict_refused, NULL},
	{verdict_slow, NULL},
};

/* The last row of the last group always matches. */
static const struct verdict_row *row_of(const struct login *l, const struct login_record *r)
{
	for (const struct group *g = groups;; g++) {
		if (g->tried && !g->tried(l, r))
			continue;
		for (const struct verdict_row *v = g->rows; v->match; v++)
			if (v->match(l, r))
				return v;
	}
}

void verdict_find(const struct login *l, const struct login_record *r, struct verdict_words *words)
{
	const struct verdict_row *v = row_of(l, r);

	words->id = v->pick ? v->pick(l, r) : v->verdict;
	words->text = v->text(l, r);
	if (r->errorlog)
		words->text = errorlog_ended_text(r, verdict_error_text(r->errorlog->number),
						  (char *)words->text);
	words->class = v->class ? v->class : verdict_class_of(words->id);
	if (words->class == VERDICT_BY_OUTCOME)
		words->class = class_of(l, r);
	words->unremarkable = v->unremarkable;
}
