// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * page_stats.c - see page_stats.h.
 */
#include <stdlib.h>
#include <string.h>

#include "sink/page/page_stats.h"
#include "lib/log_histogram.h"
#include "lib/units.h"

#define PAGE_STATS_SLOT_NS (10 * NS_PER_S)
#define PAGE_STATS_SLOTS   90
#define PAGE_STATS_TIMES   (PHASE_SESSION + 1) /* the phases, then the total */
#define PAGE_STATS_LOST	   32
#define PAGE_STATS_TEXT	   240 /* of a verdict's sentence, with its NUL */

static const double percentiles[] = {0.5, 0.95, 0.99};
#define PAGE_STATS_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

/* Ten seconds. NO_NS: no login had that time. */
struct slot {
	uint64_t start_ns; /* source's clock; 0: unused */
	uint64_t logins, failed;
	uint64_t ns[PAGE_STATS_TIMES][PAGE_STATS_PERCENTILES];
};

struct cause {
	uint64_t count, last_ns;
	char text[PAGE_STATS_TEXT]; /* the latest login's sentence */
};

struct page_stats {
	const struct wallclock *clock;
	uint64_t since_ns, logins, failed;
	struct slot now, past[PAGE_STATS_SLOTS];
	uint32_t next;				     /* index into past */
	struct log_histogram hist[PAGE_STATS_TIMES]; /* of now */
	struct cause causes[VERDICT_COUNT];	     /* by verdict */
	struct counter lost[PAGE_STATS_LOST];
	size_t lost_count;
};

struct page_stats *page_stats_new(const struct wallclock *clock)
{
	struct page_stats *stats = calloc(1, sizeof(*stats));

	if (stats)
		stats->clock = clock;
	return stats;
}

void page_stats_free(struct page_stats *stats)
{
	free(stats);
}

static void slot_measure(struct slot *slot, const struct log_histogram *hist)
{
	for (int i = 0; i < PAGE_STATS_TIMES; i++)
		for (size_t p = 0; p < PAGE_STATS_PERCENTILES; p++)
			slot->ns[i][p] = hist[i].count
						 ? log_histogram_quantile(&hist[i], percentiles[p])
						 : NO_NS;
}

/* Move on to the slot of ts_ns. Time never goes back. */
static void slot_at(struct page_stats *stats, uint64_t ts_ns)
{
	uint64_t start_ns = ts_ns - ts_ns % PAGE_STATS_SLOT_NS;

	if (!stats->since_ns)
		stats->since_ns = ts_ns;
	if (start_ns <= stats->now.start_ns)
		return;
	if (stats->now.logins) {
		slot_measure(&stats->now, stats->hist);
		stats->past[stats->next] = stats->now;
		stats->next = (stats->next + 1) % PAGE_STATS_SLOTS;
		memset(stats->hist, 0, sizeof(stats->hist));
	}
	stats->now = (struct slot){.start_ns = start_ns};
}

static void cause_add(struct page_stats *stats, const struct login_record *rec)
{
	struct cause *c = &stats->causes[rec->verdict.id];

	c->count++;
	c->last_ns = rec->end_ns;
	strncpy(c->text, rec->verdict.text ? rec->verdict.text : "", PAGE_STATS_TEXT - 1);
}

bool page_stats_login(struct page_stats *stats, const struct login_record *rec)
{
	bool failed = sink_failed(rec), problem = sink_is_problem(rec);

	slot_at(stats, rec->end_ns);
	stats->logins++;
	stats->failed += failed;
	stats->now.logins++;
	stats->now.failed += failed;
	if (sink_timed(rec)) {
		for (int i = 0; i < PHASE_SESSION; i++)
			if (rec->phase_ns[i] != NO_NS)
				log_histogram_add(&stats->hist[i], rec->phase_ns[i]);
		if (rec->total_ns != NO_NS)
			log_histogram_add(&stats->hist[PHASE_SESSION], rec->total_ns);
	}
	if (problem)
		cause_add(stats, rec);
	return problem;
}

void page_stats_tick(struct page_stats *stats, uint64_t now_ns, const struct counter *counters,
		     size_t count)
{
	slot_at(stats, now_ns);
	stats->lost_count = 0;
	for (size_t i = 0; i < count && stats->lost_count < PAGE_STATS_LOST; i++)
		if (counters[i].value)
			stats->lost[stats->lost_count++] = counters[i];
}

static void slot_write(const struct page_stats *stats, struct json_writer *w,
		       const struct slot *slot)
{
	if (!slot->start_ns)
		return;
	json_writer_object(w, NULL);
	json_writer_uint(w, "t", wallclock_ns(stats->clock, slot->start_ns) / NS_PER_S / 10 * 10);
	json_writer_uint(w, "logins", slot->logins);
	json_writer_uint(w, "failed", slot->failed);
	json_writer_object(w, "times");
	for (int i = 0; i < PAGE_STATS_TIMES; i++) {
		if (!slot->logins || slot->ns[i][0] == NO_NS)
			continue;
		json_writer_array(w, i == PHASE_SESSION ? "total" : phase_name(i));
		for (size_t p = 0; p < PAGE_STATS_PERCENTILES; p++)
			json_writer_uint(w, NULL, slot->ns[i][p]);
		json_writer_array_end(w);
	}
	json_writer_object_end(w);
	json_writer_object_end(w);
}

static void slots_write(const struct page_stats *stats, struct json_writer *w, bool all)
{
	uint32_t count = all ? PAGE_STATS_SLOTS : 1;
	struct slot now = stats->now;

	slot_measure(&now, stats->hist);
	json_writer_array(w, "slots");
	for (uint32_t i = PAGE_STATS_SLOTS - count; i < PAGE_STATS_SLOTS; i++)
		slot_write(stats, w, &stats->past[(stats->next + i) % PAGE_STATS_SLOTS]);
	slot_write(stats, w, &now);
	json_writer_array_end(w);
}

static void time_write(const struct page_stats *stats, struct json_writer *w, const char *key,
		       uint64_t ns)
{
	char text[CLOCK_TEXT];

	json_writer_text(w, key, clock_rfc3339(wallclock_ns(stats->clock, ns), text));
}

void page_stats_write(const struct page_stats *stats, struct json_writer *w, uint64_t now_ns,
		      bool all)
{
	time_write(stats, w, "since", stats->since_ns ? stats->since_ns : now_ns);
	json_writer_uint(w, "logins", stats->logins);
	json_writer_uint(w, "failed", stats->failed);
	json_writer_array(w, "lost");
	for (size_t i = 0; i < stats->lost_count; i++) {
		json_writer_object(w, NULL);
		json_writer_uint(w, "value", stats->lost[i].value);
		json_writer_text(w, "text", stats->lost[i].text);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
	json_writer_array(w, "causes");
	for (int i = 0; i < VERDICT_COUNT; i++) {
		const struct cause *c = &stats->causes[i];

		if (!c->count)
			continue;
		json_writer_object(w, NULL);
		json_writer_text(w, "name", verdict_name((enum verdict)i));
		json_writer_text(w, "text", c->text);
		json_writer_uint(w, "count", c->count);
		time_write(stats, w, "last", c->last_ns);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
	slots_write(stats, w, all);
}
