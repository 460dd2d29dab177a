/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * page_stats.h - what the page plots: percentiles of the last quarter of an hour in slots of ten
 * seconds, failures by cause, and totals.
 */
#ifndef TDSMON_PAGE_STATS_H
#define TDSMON_PAGE_STATS_H

#include "lib/counter.h"
#include "lib/json_writer.h"
#include "sink/sink.h"

struct page_stats;

/* NULL for want of memory. clock outlives it. */
struct page_stats *page_stats_new(const struct wallclock *clock);
void page_stats_free(struct page_stats *figures);

/* Count a login; true if it is a problem, so that it is among the causes. */
bool page_stats_login(struct page_stats *figures, const struct login_record *rec);

/* Move time on (source's clock), and take what was lost or skipped so far. */
void page_stats_tick(struct page_stats *figures, uint64_t now_ns, const struct counter *counters,
		     size_t count);

/* The keys of an object that is open: since, logins, failed, lost, causes, and slots: all, or the
 * last two. */
void page_stats_write(const struct page_stats *figures, struct json_writer *w, uint64_t now_ns,
		      bool all);

#endif
