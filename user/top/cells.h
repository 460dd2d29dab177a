/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cells.h - a screen in memory: characters with their styles. No text can act on the terminal that
 * shows it, and none is wider than its place.
 */
#ifndef TDSMON_CELLS_H
#define TDSMON_CELLS_H

#include <stdarg.h>
#include <stdbool.h>
#include <wchar.h>

enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_HEAD, /* of a table */
	STYLE_KEY,  /* to press */
	STYLE_GOOD,
	STYLE_SLOW,
	STYLE_BAD,
	STYLE_CLIENT,
	STYLE_SERVER,
	STYLE_NETWORK,
	STYLE_COUNT,
	STYLE_MASK = 0x7f,
	STYLE_SELECTED = 0x80, /* in addition */
};

struct cell {
	wchar_t ch; /* 0: the second half of a wide character */
	unsigned char style;
};

struct cells {
	int width, height;
	bool ascii; /* the terminal shows no other characters */
	struct cell *at;
};

/* An empty screen of that size. 0 or -ENOMEM; then the old one stays. */
int cells_resize(struct cells *cells, int width, int height);
void cells_release(struct cells *cells);
void cells_clear(struct cells *cells);

/*
 * Put text (UTF-8, of any origin) at a place of so many columns. What does not fit ends with an
 * ellipsis. Returns the columns used.
 */
int cells_put(struct cells *cells, int y, int x, int width, int style, const char *text);
/* The same at the place's right end. */
void cells_put_right(struct cells *cells, int y, int x, int width, int style, const char *text);
int cells_printf(struct cells *cells, int y, int x, int width, int style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* Columns that the text takes. */
int cells_width(const struct cells *cells, const char *text);

/*
 * A bar from `from` to `to` on a scale of width columns, 0 to 1, at least a trace. letter: shown
 * where the terminal has neither blocks nor colours.
 */
void cells_bar(struct cells *cells, int y, int x, int width, double from, double to, int style,
	       char letter);

/* Add to the style of a line's part. */
void cells_mark(struct cells *cells, int y, int x, int width, int style);

/* The line as UTF-8 without blanks at its end. The caller frees it; NULL: out of memory. */
char *cells_line(const struct cells *cells, int y);

#endif
