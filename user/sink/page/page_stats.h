/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * page_stats.h - the numbers that the page shows: percentiles of the last 15 minutes in slots of
 * ten seconds, failures by cause, and totals.
 */
#ifndef TDSMON_PAGE_STATS_H
#define TDSMON_PAGE_STATS_H

#include "lib/counter.h"
#include "lib/json_writer.h"
#include "sink/sink.h"

struct page_stats;

/* NULL: out of memory. clock outlives it. */
struct page_stats *page_stats_new(const struct wallclock *clock);
void page_stats_free(struct page_stats *stats);

/* Count a login. True: it is a problem, and was added to the causes. */
bool page_stats_login(struct page_stats *stats, const struct login_record *rec);

/* Advance to now_ns (source's clock), and take the counters of what was lost or skipped. */
void page_stats_tick(struct page_stats *stats, uint64_t now_ns, const struct counter *counters,
		     size_t count);

/*
 * Write keys into an open object: since, logins, failed, lost, causes, and slots (all, or the last
 * two).
 */
void page_stats_write(const struct page_stats *stats, struct json_writer *w, uint64_t now_ns,
		      bool all);

#endif
