// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * log.c - messages for people, one line each on standard error.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/output.h"

#define LOG_LINE_MAX 1024

static enum log_level log_limit = LOG_LEVEL_INFO;
static bool log_journal;
static struct output *log_messages;

bool log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM"); /* device:inode */
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && !fstat(fd, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

void log_init(struct output *messages)
{
	log_messages = messages;
	log_journal = log_is_journal(STDERR_FILENO);
}

void log_set_level(enum log_level level)
{
	log_limit = level;
}

/* sd-daemon(3): the priority of a line for the journal, syslog(3)'s number. */
static const char *const log_priorities[] = {
	[LOG_LEVEL_ERROR] = "<3>", [LOG_LEVEL_WARN] = "<4>",  [LOG_LEVEL_INFO] = "<6>",
	[LOG_LEVEL_DEBUG] = "<7>", [LOG_LEVEL_TRACE] = "<7>",
};

/* One write per line, so that lines of several writers to one terminal do not mix. */
static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX];
	/* The journal adds the program's name itself. */
	const char *prefix = log_journal ? log_priorities[level] : "tdsmon: ";

	if (level > log_limit)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	/* File names and the like may hold newlines and terminal escapes. */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (!log_messages) {
		fprintf(stderr, "%s%s\n", prefix, line);
		return;
	}
	output_printf(log_messages, "%s%s\n", prefix, line);
	output_flush(log_messages);
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, fmt);                                                               \
		log_line(level, fmt, args);                                                        \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_trace, LOG_LEVEL_TRACE)
