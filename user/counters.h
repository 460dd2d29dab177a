/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * counters.h - everything that can be lost or skipped in any room, with names and texts: the one
 * list that the summary and the metrics show.
 */
#ifndef TDSMON_COUNTERS_H
#define TDSMON_COUNTERS_H

#include <stddef.h>

#include "lib/counter.h"
#include "engine/engine.h"
#include "lib/output.h"
#include "source/capture/capture.h"

#define COUNTERS_MAX 32

/* Each writes its rows to out, which has room for COUNTERS_MAX, and returns how many. */
size_t counters_engine(const struct engine_stats *stats, struct counter *out);
size_t counters_file(const struct capture_stats *stats, struct counter *out);
size_t counters_output(const struct output *out, const struct output *messages,
		       struct counter *counters);
size_t counters_memory(struct counter *out);
size_t counters_tap(const uint64_t counts[TAP_CNT_MAX], struct counter *out);

#endif
