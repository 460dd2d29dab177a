/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * summary.h - what is told at the end of a run: logins by outcome, how long they took, and what
 * was lost or skipped. It listens as a sink beside the format's.
 */
#ifndef TDSMON_SUMMARY_H
#define TDSMON_SUMMARY_H

#include <stddef.h>

#include "lib/counter.h"
#include "sink/sink.h"

extern const struct sink_ops summary_sink;

/* summary: from summary_sink.open(), written to its output. Counters of zero are left out. */
void summary_print(void *summary, const struct counter *counters, size_t count);

/* At the end, before the engine's: a login that is in progress. */
void summary_waiting(void *summary, const struct pending_record *rec);

#endif
