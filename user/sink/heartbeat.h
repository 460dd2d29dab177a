/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * heartbeat.h - the lines that a live run writes every second between its records: a "watch" record
 * with what was lost and how many logins wait, and a "pending" record of those that wait longest.
 */
#ifndef TDSMON_HEARTBEAT_H
#define TDSMON_HEARTBEAT_H

#include "lib/counter.h"
#include "sink/sink.h"

struct heartbeat;

/* Lines go to config->out. NULL: out of memory. */
struct heartbeat *heartbeat_new(const struct sink_config *config);
void heartbeat_free(struct heartbeat *beat); /* accepts NULL */

/* engine_in_progress_fn: a login in progress, which the next heartbeat_write() counts. */
void heartbeat_waiting(void *beat, const struct pending_record *rec);

/*
 * Write the lines, and call line_end(ctx) after each. now_ns is on the source's clock; counters are
 * those of everything lost or skipped so far.
 */
void heartbeat_write(struct heartbeat *beat, uint64_t now_ns, const struct counter *counters,
		     size_t count, void (*line_end)(void *ctx), void *ctx);

#endif
