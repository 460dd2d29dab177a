/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * follow.h - the error logs that the user named: read from the beginning beside captures, or followed
 * live from their ends on, also when the server begins a new file.
 */
#ifndef TDSMON_FOLLOW_H
#define TDSMON_FOLLOW_H

#include "engine/record.h"

#define FOLLOW_MOST 16 /* logs */

struct follow;

struct follow_config {
	const char *const *paths; /* outlive it */
	size_t count;
	/* Live: open the log at that place again. A descriptor, or -errno. NULL: read what is there. */
	int (*reopen)(void *ctx, size_t place);
	void *ctx;
};

/* Open every log. NULL on failure, *err then -errno and the reason logged. */
struct follow *follow_open(const struct follow_config *config, int *err);
void follow_close(struct follow *f);

/* An entry, with time_ns in ns since 1970. */
typedef void follow_fn(void *ctx, const struct errorlog_entry *entry);

/*
 * Hand the entries to fn that have come, live; else those up to until_ns (ns since 1970). now_ns:
 * CLOCK_MONOTONIC. Never blocks, except for reopen.
 */
void follow_read(struct follow *f, uint64_t until_ns, uint64_t now_ns, follow_fn *fn, void *ctx);

/* Warn of each file that is not an error log, as far as it was read. */
void follow_judge(const struct follow *f);

#endif
