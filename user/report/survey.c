// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * survey.c - see survey.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "report/survey.h"
#include "report/tables.h"

#define SURVEY_BUDGET (96u << 20) /* bytes of all tables; an ordinary one takes about 2 MiB */

struct survey *survey_new(const struct wallclock *clock)
{
	struct survey *s = calloc(1, sizeof(*s));
	uint64_t seed[2] = {0};

	if (!s)
		return NULL;
	/* Without random bytes the tables work as well, but may be made slow. */
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) < 0)
		memset(seed, 0, sizeof(seed));
	s->clock = clock;
	s->budget = SURVEY_BUDGET;
	s->groups = calloc(survey_table_count, sizeof(*s->groups));
	if (!s->groups || !failovers_init(&s->failovers)) {
		free(s->groups);
		free(s);
		return NULL;
	}
	for (size_t i = 0; i < survey_table_count; i++)
		group_table_init(&s->groups[i], seed, &s->budget);
	return s;
}

void survey_free(struct survey *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < survey_table_count; i++)
		group_table_release(&s->groups[i]);
	slowest_release(&s->slowest);
	failovers_release(&s->failovers);
	free(s->groups);
	free(s);
}

static void survey_period(struct survey *s, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t first = wallclock_ns(s->clock, from_ns), last = wallclock_ns(s->clock, to_ns);

	if (!s->first_ns || first < s->first_ns)
		s->first_ns = first;
	if (last > s->last_ns)
		s->last_ns = last;
}

static void survey_times(struct survey *s, const struct login_record *rec)
{
	if (!sink_timed(rec))
		return;
	if (rec->total_ns != NO_NS)
		log_histogram_add(&s->total, rec->total_ns);
	for (int i = 0; i < PHASE_SESSION; i++)
		if (rec->phase_ns[i] != NO_NS)
			log_histogram_add(&s->phases[i], rec->phase_ns[i]);
	for (int i = 0; i < SIDE_NONE; i++)
		if (rec->wait_ns[i] != NO_NS)
			s->wait_ns[i] += rec->wait_ns[i];
}

void survey_login(struct survey *s, const struct login_record *rec)
{
	uint64_t wall_ns = wallclock_ns(s->clock, rec->start_ns);

	s->logins++;
	s->outcomes[rec->outcome]++;
	s->classes[rec->verdict.class]++;
	s->vantages[rec->vantage]++;
	s->inferred += rec->outcome_basis == BASIS_INFERRED;
	s->mid_stream += rec->mid_stream;
	s->lossy += rec->tcp.missing_bytes > 0;
	survey_period(s, rec->start_ns, rec->end_ns > rec->start_ns ? rec->end_ns : rec->start_ns);
	survey_times(s, rec);
	rates_add(&s->rates, wall_ns, sink_failed(rec), rec->verdict.class == VERDICT_SLOW);
	slowest_add(&s->slowest, rec, wall_ns);
	failovers_login(&s->failovers, rec);
	for (size_t i = 0; i < survey_table_count; i++)
		if (survey_tables[i].login)
			survey_tables[i].login(s, &s->groups[i], rec);
}

void survey_close(struct survey *s, const struct close_record *rec)
{
	s->closes++;
	s->joined += !rec->has_login;
	for (int i = 0; i < COMMAND_COUNT; i++)
		s->commands[i] += rec->commands[i];
	survey_period(s, rec->time_ns, rec->time_ns);
	failovers_close(&s->failovers, rec);
	for (size_t i = 0; i < survey_table_count; i++)
		if (survey_tables[i].close)
			survey_tables[i].close(s, &s->groups[i], rec);
}

void survey_browser(struct survey *s, const struct browser_record *rec)
{
	survey_period(s, rec->time_ns, rec->time_ns);
	for (size_t i = 0; i < survey_table_count; i++)
		if (survey_tables[i].browser)
			survey_tables[i].browser(s, &s->groups[i], rec);
}

uint64_t survey_wanted(const struct survey *s)
{
	return s->logins - s->classes[VERDICT_ENDED];
}

static void *survey_open(const struct sink_config *config)
{
	return survey_new(config->clock);
}

static void survey_on_login(void *survey, const struct login_record *rec)
{
	survey_login(survey, rec);
}

static void survey_on_close(void *survey, const struct close_record *rec)
{
	survey_close(survey, rec);
}

static void survey_on_browser(void *survey, const struct browser_record *rec)
{
	survey_browser(survey, rec);
}

static void survey_release(void *survey)
{
	survey_free(survey);
}

const struct sink_ops survey_sink = {
	.name = "report",
	.open = survey_open,
	.login = survey_on_login,
	.close = survey_on_close,
	.browser = survey_on_browser,
	.free = survey_release,
};
