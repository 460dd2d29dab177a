// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * slowest.c - see slowest.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "report/slowest.h"
#include "sink/text_cause.h"

static void slow_login_free(struct slow_login *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->note_count; i++)
		free(l->notes[i]);
	free(l->app);
	free(l->verdict);
	free(l->text);
	free(l);
}

static void slow_login_steps(struct slow_login *l, const struct login_record *rec)
{
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *step = &rec->steps[i];

		if (l->step_count == SLOWEST_STEPS) {
			l->steps[SLOWEST_STEPS - 1].ns += step->ns;
			continue;
		}
		l->steps[l->step_count++] =
			(struct slowest_step){step->kind, step->phase, step->waits_on, step->ns};
	}
}

/* Takes text, which may be NULL. */
static void slow_login_note(struct slow_login *l, char *text)
{
	if (text && l->note_count < SLOWEST_NOTES)
		l->notes[l->note_count++] = utf8_printable(text + strspn(text, " "));
	free(text);
}

static struct slow_login *slow_login_new(const struct login_record *rec, uint64_t wall_ns)
{
	struct slow_login *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->id = rec->id;
	l->wall_ns = wall_ns;
	l->total_ns = rec->total_ns;
	l->outcome = outcome_name(rec->outcome);
	l->class = rec->verdict.class;
	sink_endpoint(login_record_client(rec), l->client);
	sink_endpoint(&rec->server, l->server);
	l->app = rec->tds.app ? utf8_printable(rec->tds.app) : NULL;
	l->verdict = utf8_printable(verdict_name(rec->verdict.id) ?: "");
	l->text = utf8_printable(rec->verdict.text ? rec->verdict.text : "");
	memcpy(l->phase_ns, rec->phase_ns, sizeof(l->phase_ns));
	slow_login_steps(l, rec);
	for (size_t i = 0; i < rec->part_count; i++)
		slow_login_note(l, text_cause_part(&rec->parts[i]));
	for (size_t i = 0; i < rec->dependency_count; i++)
		slow_login_note(l, text_cause_dependency(&rec->dependencies[i]));
	return l;
}

void slowest_add(struct slowest *s, const struct login_record *rec, uint64_t wall_ns)
{
	struct slow_login *l;
	unsigned at = s->count;

	if (!sink_timed(rec) || rec->total_ns == NO_NS)
		return;
	while (at && s->logins[at - 1]->total_ns < rec->total_ns)
		at--;
	l = at < SLOWEST_MOST ? slow_login_new(rec, wall_ns) : NULL;
	if (!l)
		return;
	if (s->count == SLOWEST_MOST)
		slow_login_free(s->logins[--s->count]);
	memmove(&s->logins[at + 1], &s->logins[at], (s->count - at) * sizeof(s->logins[0]));
	s->logins[at] = l;
	s->count++;
}

void slowest_release(struct slowest *s)
{
	for (unsigned i = 0; i < s->count; i++)
		slow_login_free(s->logins[i]);
}
