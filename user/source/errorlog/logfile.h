/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * logfile.h - one error log: its bytes into entries with their time in UTC.
 */
#ifndef TDSMON_LOGFILE_H
#define TDSMON_LOGFILE_H

#include "engine/record.h"

struct logfile;

/*
 * Read the log that fd is, which stays the caller's; name is its path, for messages, and outlives it.
 * at_end: begin with the first line that is not there yet. NULL when out of memory.
 */
struct logfile *logfile_new(const char *name, int fd, bool at_end);
void logfile_free(struct logfile *log);

/*
 * The next entry: 1, with entry->time_ns in ns since 1970, and strings that live until the next call.
 * 0: there are no more, for now. -errno: the file could not be read. *budget: bytes that may be read,
 * from which those that were are taken off; at 0 there are no more for now.
 */
int logfile_next(struct logfile *log, struct errorlog_entry *entry, uint64_t *budget);

/* It is shorter than what was read of it: somebody emptied it. */
bool logfile_is_cut(const struct logfile *log);

/* Of what was read no line began with a date, as those of an error log do. *lines: how many. */
bool logfile_is_foreign(const struct logfile *log, uint64_t *lines);

#endif
