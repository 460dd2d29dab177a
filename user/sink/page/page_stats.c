// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * page_stats.c - see figures.h.
 */
#include <stdlib.h>
#include <string.h>

#include "sink/page/page_stats.h"
#include "lib/log_histogram.h"

#define NS_PER_S	1000000000ull
#define FIGURES_SLOT_NS (10 * NS_PER_S)
#define FIGURES_SLOTS	90
#define FIGURES_TIMES	(PHASE_SESSION + 1) /* the phases, and the total after them */
#define FIGURES_CAUSES	64		    /* there are fewer verdicts */
#define FIGURES_LOST	32
#define FIGURES_TEXT	240 /* of a verdict's sentence, and a NUL */

static const double percentiles[] = {0.5, 0.95, 0.99};
#define FIGURES_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

/* Ten seconds. A time that no login had is NO_NS. */
struct slot {
	uint64_t start_ns; /* source's clock; 0: none yet */
	uint64_t logins, failed;
	uint64_t ns[FIGURES_TIMES][FIGURES_PERCENTILES];
};

struct cause {
	const char *name; /* of the verdict's table */
	uint64_t count, last_ns;
	char text[FIGURES_TEXT]; /* the last one's sentence */
};

struct page_stats {
	const struct wallclock *clock;
	uint64_t since_ns, logins, failed;
	struct slot now, past[FIGURES_SLOTS];
	uint32_t next;				  /* place in past */
	struct log_histogram hist[FIGURES_TIMES]; /* of now */
	struct cause causes[FIGURES_CAUSES];
	struct counter lost[FIGURES_LOST];
	size_t lost_count;
};

struct page_stats *page_stats_new(const struct wallclock *clock)
{
	struct page_stats *figures = calloc(1, sizeof(*figures));

	if (figures)
		figures->clock = clock;
	return figures;
}

void page_stats_free(struct page_stats *figures)
{
	free(figures);
}

static void slot_measure(struct slot *slot, const struct log_histogram *hist)
{
	for (int i = 0; i < FIGURES_TIMES; i++)
		for (size_t p = 0; p < FIGURES_PERCENTILES; p++)
			slot->ns[i][p] = hist[i].count
						 ? log_histogram_quantile(&hist[i], percentiles[p])
						 : NO_NS;
}

/* The slot that ts_ns is in becomes the present one; time does not go back. */
static void slot_at(struct page_stats *figures, uint64_t ts_ns)
{
	uint64_t start_ns = ts_ns - ts_ns % FIGURES_SLOT_NS;

	if (!figures->since_ns)
		figures->since_ns = ts_ns;
	if (start_ns <= figures->now.start_ns)
		return;
	if (figures->now.logins) {
		slot_measure(&figures->now, figures->hist);
		figures->past[figures->next] = figures->now;
		figures->next = (figures->next + 1) % FIGURES_SLOTS;
		memset(figures->hist, 0, sizeof(figures->hist));
	}
	figures->now = (struct slot){.start_ns = start_ns};
}

static void cause_add(struct page_stats *figures, const struct login_record *rec)
{
	for (int i = 0; i < FIGURES_CAUSES; i++) {
		struct cause *c = &figures->causes[i];

		if (c->name && strcmp(c->name, rec->verdict.name))
			continue;
		c->name = rec->verdict.name;
		c->count++;
		c->last_ns = rec->end_ns;
		strncpy(c->text, rec->verdict.text ? rec->verdict.text : "", FIGURES_TEXT - 1);
		return;
	}
}

bool page_stats_login(struct page_stats *figures, const struct login_record *rec)
{
	bool failed = sink_failed(rec), problem = sink_is_problem(rec);

	slot_at(figures, rec->end_ns);
	figures->logins++;
	figures->failed += failed;
	figures->now.logins++;
	figures->now.failed += failed;
	if (sink_timed(rec)) {
		for (int i = 0; i < PHASE_SESSION; i++)
			if (rec->phase_ns[i] != NO_NS)
				log_histogram_add(&figures->hist[i], rec->phase_ns[i]);
		if (rec->total_ns != NO_NS)
			log_histogram_add(&figures->hist[PHASE_SESSION], rec->total_ns);
	}
	if (problem)
		cause_add(figures, rec);
	return problem;
}

void page_stats_tick(struct page_stats *figures, uint64_t now_ns, const struct counter *counters,
		     size_t count)
{
	slot_at(figures, now_ns);
	figures->lost_count = 0;
	for (size_t i = 0; i < count && figures->lost_count < FIGURES_LOST; i++)
		if (counters[i].value)
			figures->lost[figures->lost_count++] = counters[i];
}

static void slot_write(const struct page_stats *figures, struct json_writer *w,
		       const struct slot *slot)
{
	if (!slot->start_ns)
		return;
	json_writer_object(w, NULL);
	json_writer_uint(w, "t", wallclock_ns(figures->clock, slot->start_ns) / NS_PER_S / 10 * 10);
	json_writer_uint(w, "logins", slot->logins);
	json_writer_uint(w, "failed", slot->failed);
	json_writer_object(w, "times");
	for (int i = 0; i < FIGURES_TIMES; i++) {
		if (!slot->logins || slot->ns[i][0] == NO_NS)
			continue;
		json_writer_array(w, i == PHASE_SESSION ? "total" : phase_name(i));
		for (size_t p = 0; p < FIGURES_PERCENTILES; p++)
			json_writer_uint(w, NULL, slot->ns[i][p]);
		json_writer_array_end(w);
	}
	json_writer_object_end(w);
	json_writer_object_end(w);
}

static void slots_write(const struct page_stats *figures, struct json_writer *w, bool all)
{
	uint32_t count = all ? FIGURES_SLOTS : 1;
	struct slot now = figures->now;

	slot_measure(&now, figures->hist);
	json_writer_array(w, "slots");
	for (uint32_t i = FIGURES_SLOTS - count; i < FIGURES_SLOTS; i++)
		slot_write(figures, w, &figures->past[(figures->next + i) % FIGURES_SLOTS]);
	slot_write(figures, w, &now);
	json_writer_array_end(w);
}

static void time_write(const struct page_stats *figures, struct json_writer *w, const char *key,
		       uint64_t ns)
{
	char text[CLOCK_TEXT];

	json_writer_text(w, key, clock_rfc3339(wallclock_ns(figures->clock, ns), text));
}

void page_stats_write(const struct page_stats *figures, struct json_writer *w, uint64_t now_ns,
		      bool all)
{
	time_write(figures, w, "since", figures->since_ns ? figures->since_ns : now_ns);
	json_writer_uint(w, "logins", figures->logins);
	json_writer_uint(w, "failed", figures->failed);
	json_writer_array(w, "lost");
	for (size_t i = 0; i < figures->lost_count; i++) {
		json_writer_object(w, NULL);
		json_writer_uint(w, "value", figures->lost[i].value);
		json_writer_text(w, "text", figures->lost[i].text);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
	json_writer_array(w, "causes");
	for (int i = 0; i < FIGURES_CAUSES && figures->causes[i].name; i++) {
		const struct cause *c = &figures->causes[i];

		json_writer_object(w, NULL);
		json_writer_text(w, "name", c->name);
		json_writer_text(w, "text", c->text);
		json_writer_uint(w, "count", c->count);
		time_write(figures, w, "last", c->last_ns);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
	slots_write(figures, w, all);
}
