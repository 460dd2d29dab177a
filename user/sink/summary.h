/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * summary.h - printed at the end of a run: logins by outcome, how long they took, and what was lost
 * or skipped. It is a sink in addition to the format's.
 */
#ifndef TDSMON_SUMMARY_H
#define TDSMON_SUMMARY_H

#include <stddef.h>

#include "lib/counter.h"
#include "sink/sink.h"

extern const struct sink_ops summary_sink;

/* summary: from summary_sink.open(); printed to its output. Counters of 0 are left out. */
void summary_print(void *summary, const struct counter *counters, size_t count);

/* So many of the logins were not written, because they did not pass the filters. */
void summary_filtered(void *summary, uint64_t logins);

/* Add a login that is still in progress; call it before engine_finish(). */
void summary_waiting(void *summary, const struct pending_record *rec);

#endif
