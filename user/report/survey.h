/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * survey.h - the model of a report: everything that it says, added up record by record, in bounded
 * memory. The renderers (html.h, plain.h) show the same survey.
 */
#ifndef TDSMON_SURVEY_H
#define TDSMON_SURVEY_H

#include "lib/counter.h"
#include "lib/log_histogram.h"
#include "report/failovers.h"
#include "report/group.h"
#include "report/slowest.h"
#include "report/rates.h"
#include "sink/sink.h"

struct survey_table;

/* Facts about the run that no record has. Texts outlive the survey. */
struct survey_source {
	const char *const *files; /* captures; NULL: live */
	size_t file_count;
	const char *watched; /* live: the interfaces */
	uint64_t packets;    /* of captures */
	bool stopped;	     /* captures: a signal ended the reading before their end */
	const struct counter *counters;
	size_t counter_count;
};

struct survey {
	const struct wallclock *clock;
	uint64_t logins;
	uint64_t outcomes[OUTCOME_COUNT], classes[VERDICT_CLASS_COUNT], vantages[VANTAGE_COUNT];
	uint64_t inferred;   /* outcomes that were not read */
	uint64_t mid_stream; /* logins whose beginning was not seen */
	uint64_t lossy;	     /* logins with missing packets */
	uint64_t closes;     /* connections that ended */
	uint64_t joined;     /* of them, whose login was not seen */
	uint64_t commands[COMMAND_COUNT];
	uint64_t first_ns,
		last_ns; /* wall time of the first record and the end of the last; 0: none */
	uint64_t wait_ns[SIDE_NONE];
	struct log_histogram total, phases[PHASE_SESSION]; /* of logins whose times count */
	struct rates rates;
	struct slowest slowest;
	struct failovers failovers;
	size_t budget;	       /* bytes that the tables may still take */
	unsigned port_maps;    /* clients whose ports are followed */
	struct groups *groups; /* one for each table */
};

/* NULL: out of memory. clock outlives the survey. */
struct survey *survey_new(const struct wallclock *clock);
void survey_free(struct survey *s); /* accepts NULL */

void survey_login(struct survey *s, const struct login_record *rec);
void survey_close(struct survey *s, const struct close_record *rec);
void survey_browser(struct survey *s, const struct browser_record *rec);

/* The sink whose sink is a survey, for a run's records. */
extern const struct sink_ops survey_sink;

/* Logins that somebody wanted, so that failing means something: all but probes and scans. */
uint64_t survey_wanted(const struct survey *s);

#endif
