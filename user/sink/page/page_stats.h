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

struct figures;

/* NULL for want of memory. clock outlives it. */
struct figures *figures_new(const struct wallclock *clock);
void figures_free(struct figures *figures);

/* Count a login; true if it is a problem, so that it is among the causes. */
bool figures_login(struct figures *figures, const struct login_record *rec);

/* Move time on (source's clock), and take what was lost or skipped so far. */
void figures_tick(struct figures *figures, uint64_t now_ns, const struct counter *counters,
		  size_t count);

/* The keys of an object that is open: since, logins, failed, lost, causes, and slots: all, or the
 * last two. */
void figures_write(const struct figures *figures, struct json_writer *w, uint64_t now_ns, bool all);

#endif
