// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * finding.c - see finding.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/finding.h"
#include "report/tables.h"

/* The client with most logins of a cause; NULL: none is known. *clients: how many there are. */
static const struct group *finding_client(const struct survey *s, const char *cause,
					  size_t *clients)
{
	const struct groups *g = &s->groups[TABLE_CAUSE_CLIENT];
	const struct group *most = NULL;
	char name[GROUP_PART_MAX + 4];

	*clients = 0;
	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(group_part(&g->rows[i], 0, name), cause))
			continue;
		++*clients;
		if (!most || group_by_count(&g->rows[i], most) < 0)
			most = &g->rows[i];
	}
	return most;
}

static void finding_cause(const struct survey *s, struct strbuf *text)
{
	const struct group **causes = group_table_sorted(&s->groups[TABLE_CAUSES], group_by_count);
	char client[GROUP_PART_MAX + 4];
	const struct group *most;
	size_t clients;

	if (!causes)
		return;
	most = finding_client(s, causes[0]->key, &clients);
	strbuf_addf(text, " The commonest cause is %s (%" PRIu64 " login%s", causes[0]->key,
		    causes[0]->count, causes[0]->count == 1 ? "" : "s");
	if (most && clients == 1)
		strbuf_addf(text, " from %s", group_part(most, 1, client));
	else if (most)
		strbuf_addf(text, " from %zu clients, %" PRIu64 " of them from %s", clients,
			    most->count, group_part(most, 1, client));
	strbuf_adds(text, ").");
	free(causes);
}

static enum writer_mood finding_well(const struct survey *s, struct strbuf *text)
{
	uint64_t sure = survey_wanted(s) - s->classes[VERDICT_UNKNOWN];
	char half[CLOCK_TEXT], most[CLOCK_TEXT];

	if (!sure) {
		strbuf_addf(text,
			    "Of %" PRIu64 " connection%s, none shows whether a login succeeded.",
			    s->logins, s->logins == 1 ? "" : "s");
		return MOOD_NONE;
	}
	strbuf_addf(text, "%s%" PRIu64 " login%s went well", sure == 1 ? "The " : "All ", sure,
		    sure == 1 ? "" : "s");
	if (s->total.count > 1)
		strbuf_addf(text, ": half took at most %s, 95 of 100 at most %s",
			    clock_duration(log_histogram_quantile(&s->total, 0.5), half),
			    clock_duration(log_histogram_quantile(&s->total, 0.95), most));
	strbuf_adds(text, ".");
	return MOOD_GOOD;
}

/* Sessions that were lost show in no login. */
static void finding_failovers(const struct survey *s, struct strbuf *text)
{
	const struct failovers *f = &s->failovers;
	char server[SINK_ENDPOINT_MAX];

	if (f->found == 1)
		strbuf_addf(text, " %s closed most of its sessions at once.",
			    sink_endpoint(&f->events[0].server, server));
	else if (f->found)
		strbuf_addf(text,
			    " %" PRIu64 " times a server closed most of its sessions at once.",
			    f->found);
}

static enum writer_mood finding_logins(const struct survey *s, struct strbuf *text)
{
	uint64_t wanted = survey_wanted(s), failed = s->classes[VERDICT_FAILED],
		 slow = s->classes[VERDICT_SLOW];
	char share[WRITER_SHARE];

	if (!s->logins) {
		strbuf_adds(text, "No login to SQL Server was seen.");
		return MOOD_NONE;
	}
	if (!failed && !slow)
		return finding_well(s, text);
	strbuf_addf(text, "Of %" PRIu64 " login%s, ", wanted, wanted == 1 ? "" : "s");
	if (failed)
		strbuf_addf(text, "%" PRIu64 " failed (%s)", failed,
			    writer_share(failed, wanted, share));
	if (slow)
		strbuf_addf(text, "%s%" PRIu64 " %s slow (%s)", failed ? " and " : "", slow,
			    slow == 1 ? "was" : "were", writer_share(slow, wanted, share));
	strbuf_adds(text, ".");
	finding_cause(s, text);
	return failed ? MOOD_BAD : MOOD_SLOW;
}

enum writer_mood finding_write(const struct survey *s, struct strbuf *text)
{
	enum writer_mood mood = finding_logins(s, text);

	finding_failovers(s, text);
	return s->failovers.found ? MOOD_BAD : mood;
}
