/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* verdict.c - see verdict.h. The table is in the files that rule.h names. */
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

void verdict_find(const struct login *l, const struct login_record *r, struct verdict_words *words)
{
	static const struct verdict_row *const groups[] = {
		verdict_path, verdict_tls,     verdict_cause,
		verdict_left, verdict_refused, verdict_slow,
	};
	const struct verdict_row *v = groups[0];

	for (size_t i = 0; !v->match || !v->match(l, r);)
		v = v->match ? v + 1 : groups[++i]; /* the last row of the last group always
						     * matches */
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
