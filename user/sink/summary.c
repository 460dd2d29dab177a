// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * summary.c - printed at the end of a run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log_histogram.h"
#include "sink/summary.h"
#include "sink/waiting.h"
#include "lib/units.h"

#define SUMMARY_COLUMN	8
#define SUMMARY_LATE_NS NS_PER_S
#define SUMMARY_WAITING 10 /* waiting logins that are listed; the others are only counted */

struct summary {
	struct sink_config config;
	uint64_t logins;
	uint64_t inferred; /* logins whose outcome was not read */
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t slow;	   /* of the successful ones */
	uint64_t filtered; /* not written */
	uint64_t sessions_reset, idle_resets;
	uint64_t joined;		/* sessions whose login was not seen */
	uint64_t joined_commands;	/* and their requests */
	uint64_t lookups, lookups_late; /* logins after a request to SQL Server Browser */
	uint64_t unanswered;		/* unanswered requests to it */
	struct waiting waiting;		/* at the end */
	struct log_histogram total;
	struct log_histogram phases[PHASE_SESSION];
};

static void *summary_open(const struct sink_config *config)
{
	struct summary *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = *config;
	s->waiting.most = SUMMARY_WAITING;
	return s;
}

static void summary_free(void *summary)
{
	free(summary);
}

static void summary_login(void *ctx, const struct login_record *rec)
{
	struct summary *s = ctx;

	s->logins++;
	s->inferred += rec->outcome_basis == BASIS_INFERRED;
	s->outcomes[rec->outcome]++;
	s->slow += rec->verdict.class == VERDICT_SLOW;
	s->lookups += rec->browser.seen;
	s->lookups_late += rec->browser.seen && rec->browser.waited_ns >= SUMMARY_LATE_NS;
	if (!sink_timed(rec))
		return;
	if (rec->total_ns != NO_NS)
		log_histogram_add(&s->total, rec->total_ns);
	for (int i = 0; i < PHASE_SESSION; i++)
		if (rec->phase_ns[i] != NO_NS)
			log_histogram_add(&s->phases[i], rec->phase_ns[i]);
}

static void summary_close(void *ctx, const struct close_record *rec)
{
	struct summary *s = ctx;

	if (!rec->has_login) {
		s->joined++;
		for (int i = 0; i < COMMAND_COUNT; i++)
			s->joined_commands += rec->commands[i];
	}
	if (rec->graceful || rec->how != CLOSE_RST || rec->phase != PHASE_SESSION)
		return;
	s->sessions_reset++;
	s->idle_resets += rec->verdict.class == VERDICT_ENDED;
}

static void summary_unanswered(void *ctx, const struct browser_record *rec)
{
	struct summary *s = ctx;

	(void)rec;
	s->unanswered++;
}

void summary_filtered(void *ctx, uint64_t logins)
{
	struct summary *s = ctx;

	s->filtered = logins;
}

void summary_waiting(void *ctx, const struct pending_record *rec)
{
	struct summary *s = ctx;

	if (rec->ns >= SUMMARY_LATE_NS)
		waiting_add(&s->waiting, rec);
}

static void summary_pending(struct summary *s)
{
	const struct waiting *w = &s->waiting;
	char client[SINK_ENDPOINT_MAX], server[SINK_ENDPOINT_MAX], waited[CLOCK_TEXT];

	if (!w->total)
		return;
	output_printf(s->config.out, "%" PRIu64 " login%s still waiting%s:\n", w->total,
		      w->total == 1 ? " was" : "s were",
		      w->total > w->count ? ", the longest of them" : "");
	for (unsigned i = 0; i < w->count; i++) {
		const struct pending_record *rec = &w->longest[i];

		output_printf(s->config.out, "  %s at %s, %s for the %s: %s\n",
			      sink_endpoint(&rec->client, client),
			      sink_endpoint(&rec->server, server), clock_duration(rec->ns, waited),
			      side_name(rec->waits_on), rec->what);
	}
}

static void summary_browser(struct summary *s)
{
	if (!s->lookups && !s->unanswered)
		return;
	output_printf(s->config.out,
		      "SQL Server Browser: asked before %" PRIu64 " login%s, answered late %" PRIu64
		      " time%s; other questions unanswered: %" PRIu64 "\n",
		      s->lookups, s->lookups == 1 ? "" : "s", s->lookups_late,
		      s->lookups_late == 1 ? "" : "s", s->unanswered);
}

static void summary_outcomes(struct summary *s)
{
	struct output *out = s->config.out;
	const char *separator = ": ";

	output_printf(out, "\n%" PRIu64 " login%s", s->logins, s->logins == 1 ? "" : "s");
	/* In the order of the enum, so that it is always the same. */
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (!s->outcomes[i])
			continue;
		output_printf(out, "%s%" PRIu64 " %s", separator, s->outcomes[i], outcome_name(i));
		separator = ", ";
	}
	if (s->inferred)
		output_printf(out, " (%" PRIu64 " inferred)", s->inferred);
	if (s->slow)
		output_printf(out, "; slow: %" PRIu64, s->slow);
	if (s->sessions_reset)
		output_printf(out, "; sessions reset: %" PRIu64, s->sessions_reset);
	if (s->idle_resets)
		output_printf(out, " (%" PRIu64 " by clients, no request under way)",
			      s->idle_resets);
	output_printf(out, "\n");
	if (s->filtered)
		output_printf(out,
			      "not written, because of the filters: %" PRIu64
			      "; all are counted here\n",
			      s->filtered);
	if (s->joined)
		output_printf(out,
			      "%" PRIu64 " session%s whose login was not seen, with %" PRIu64
			      " command%s\n",
			      s->joined, s->joined == 1 ? "" : "s", s->joined_commands,
			      s->joined_commands == 1 ? "" : "s");
}

/* Right-aligned by hand, because printf() counts bytes, and "µ" has two. */
static void summary_duration(struct output *out, uint64_t ns)
{
	char text[CLOCK_TEXT];

	clock_duration(ns, text);
	output_printf(out, "%*s", SUMMARY_COLUMN + (strstr(text, "µ") ? 1 : 0), text);
}

static void summary_times(struct summary *s, const char *name, const struct log_histogram *hist)
{
	static const double quantiles[] = {0.5, 0.95, 0.99, 1};
	struct output *out = s->config.out;

	if (!hist->count)
		return;
	output_printf(out, "  %-9s%*" PRIu64, name, SUMMARY_COLUMN, hist->count);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		summary_duration(out, log_histogram_quantile(hist, quantiles[i]));
	output_printf(out, "\n");
}

void summary_print(void *summary, const struct counter *counters, size_t count)
{
	struct summary *s = summary;
	struct output *out = s->config.out;
	bool any = false;

	summary_outcomes(s);
	summary_pending(s);
	summary_browser(s);
	if (s->total.count)
		output_printf(out, "  %-9s%*s%*s%*s%*s%*s\n", "time", SUMMARY_COLUMN, "logins",
			      SUMMARY_COLUMN, "p50", SUMMARY_COLUMN, "p95", SUMMARY_COLUMN, "p99",
			      SUMMARY_COLUMN, "max");
	for (int i = 0; i < PHASE_SESSION; i++)
		summary_times(s, phase_name(i), &s->phases[i]);
	summary_times(s, "total", &s->total);
	for (size_t i = 0; i < count; i++) {
		if (!counters[i].value)
			continue;
		if (!any)
			output_printf(out, "lost or skipped:\n");
		any = true;
		output_printf(out, "%11" PRIu64 "  %s\n", counters[i].value, counters[i].text);
	}
	output_flush(out);
}

const struct sink_ops summary_sink = {
	.name = "summary",
	.open = summary_open,
	.login = summary_login,
	.close = summary_close,
	.browser = summary_unanswered,
	.free = summary_free,
};
