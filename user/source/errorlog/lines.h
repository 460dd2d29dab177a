/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * lines.h - the bytes of an error log into lines of UTF-8, whatever the bytes are: SQL Server writes
 * UTF-16LE on Windows and UTF-8 on Linux, with or without a byte order mark, lines end in CR LF or
 * LF. Pure: no system call.
 */
#ifndef TDSMON_ERRORLOG_LINES_H
#define TDSMON_ERRORLOG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_TEXT 4096 /* bytes of a line, with its NUL; a longer one comes as an empty line */

enum lines_encoding {
	LINES_UNKNOWN, /* the first bytes tell */
	LINES_UTF8,
	LINES_UTF16,
};

struct lines {
	enum lines_encoding encoding;
	bool skips;	 /* up to the line's end */
	uint8_t held[4]; /* the beginning of a character, or of the file */
	uint8_t have;
	uint16_t high; /* a surrogate whose other half is due; 0: none */
	size_t len;
	char text[LINES_TEXT];
};

/* A line without its end: valid UTF-8, without NUL. It lives until the callback returns. */
typedef void lines_fn(void *ctx, const char *text);

/* Start with a file's first byte, or (encoding known) behind any of its characters. */
void lines_init(struct lines *l, enum lines_encoding encoding);

/* Leave out what comes next, up to the end of its line. */
void lines_skip(struct lines *l);

/* Take len more bytes; fn gets every line that ends within them. */
void lines_feed(struct lines *l, const uint8_t *data, size_t len, lines_fn *fn, void *ctx);

#endif
