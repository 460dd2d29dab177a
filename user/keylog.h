/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * keylog.h - a TLS key log (SSLKEYLOGFILE) on its way to the engine: a file that is read as it
 * grows, and the blocks of a capture that hold one. What was read is wiped once it is handed on.
 */
#ifndef TDSMON_KEYLOG_H
#define TDSMON_KEYLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

#define KEYLOG_LINE 512 /* a longer line is no secret: 34 + 64 + 96 characters are needed */

/* Lines, which pieces cut anywhere. */
struct keylog_lines {
	char held[KEYLOG_LINE];
	size_t have;
	bool too_long;	  /* the rest of the line is stepped over */
	uint64_t secrets; /* lines that may be of use, so far */
};

void keylog_feed(struct keylog_lines *lines, struct engine *engine, const uint8_t *data,
		 size_t len);
/* No more will come: what is held is the last line. */
void keylog_ends(struct keylog_lines *lines, struct engine *engine);

struct keylog;

/* A regular file or a FIFO, which is not waited for. NULL: *err is -errno, with the reason logged. */
struct keylog *keylog_open(const char *path, int *err);
/* Hand on what was written since the last call. NULL is accepted. */
void keylog_read(struct keylog *keylog, struct engine *engine);
/* The same, and that its last line is whole: of a file that nobody writes any more. */
void keylog_read_whole(struct keylog *keylog, struct engine *engine);
void keylog_close(struct keylog *keylog);

#endif
