/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * log.h - messages for people, one line each on standard error: "tdsmon: ...".
 */
#ifndef TDSMON_LOG_H
#define TDSMON_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,	 /* the default */
	LOG_LEVEL_DEBUG, /* -v: tdsmon's own steps */
	LOG_LEVEL_TRACE, /* -vv: and those of the libraries below it */
};

struct output;

/*
 * Write messages to this output of standard error, which must outlive them; before this call they
 * are written directly. If it is the journal, each line begins with its priority: sd-daemon(3).
 */
void log_init(struct output *messages);

/* Is this descriptor, which a manager opened, the journal? systemd.exec(5): JOURNAL_STREAM. */
bool log_is_journal(int fd);

/* Messages less severe than level are dropped. */
void log_set_level(enum log_level level);

/* fmt has no newline. Quoted text may hold any byte: control characters are replaced. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
