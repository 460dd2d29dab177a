// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cells.c - see cells.h.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "top/cells.h"

int cells_resize(struct cells *cells, int width, int height)
{
	struct cell *at = calloc((size_t)width * (size_t)height + 1, sizeof(*at));

	if (!at)
		return -ENOMEM;
	free(cells->at);
	cells->at = at;
	cells->width = width;
	cells->height = height;
	cells_clear(cells);
	return 0;
}

void cells_release(struct cells *cells)
{
	free(cells->at);
	*cells = (struct cells){0};
}

static struct cell *cell_at(const struct cells *cells, int y, int x)
{
	return &cells->at[(size_t)y * (size_t)cells->width + (size_t)x];
}

void cells_clear(struct cells *cells)
{
	for (int i = 0; i < cells->width * cells->height; i++)
		cells->at[i] = (struct cell){L' ', STYLE_PLAIN};
}

/* Characters that an ASCII terminal gets another one for. */
static uint32_t ascii_of(uint32_t cp)
{
	switch (cp) {
	case 0xb5: /* micro */
		return 'u';
	case 0x2026: /* ellipsis */
		return '~';
	case 0xb7: /* middle dot */
	case 0x2022:
		return '.';
	case 0x2192: /* arrow */
		return '>';
	case 0x2500: /* a line */
	case 0x2013:
		return '-';
	default:
		return '?';
	}
}

/* The next character and its columns, 0 to 2. Returns its bytes; 0 at the end. */
static size_t next_cell(const struct cells *cells, const char *text, uint32_t *cp, int *columns)
{
	size_t len = utf8_next(text, cp);

	*columns = 1;
	if (!len || (*cp >= 0x20 && *cp < 0x7f))
		return len;
	if (*cp < 0x20 || *cp == 0x7f) {
		*cp = '?';
	} else if (cells->ascii) {
		*cp = ascii_of(*cp);
	} else {
		*columns = wcwidth((wchar_t)*cp);
		if (*columns < 0) {
			*cp = UTF8_REPLACEMENT;
			*columns = 1;
		}
	}
	return len;
}

/* Text whose controls and invisible characters are spelled out; NULL if that is text itself. */
static char *harmless(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			return utf8_printable(text);
	return NULL;
}

int cells_width(const struct cells *cells, const char *text)
{
	char *spelled = harmless(text);
	int total = 0, columns;
	uint32_t cp;

	for (const char *at = spelled ?: text; *at; total += columns)
		at += next_cell(cells, at, &cp, &columns);
	free(spelled);
	return total;
}

static int put_text(struct cells *cells, int y, int x, int width, int style, const char *text)
{
	int used = 0, columns;
	uint32_t cp;

	while (*text) {
		text += next_cell(cells, text, &cp, &columns);
		if (used + columns > width)
			break;
		if (columns)
			*cell_at(cells, y, x + used) =
				(struct cell){(wchar_t)cp, (unsigned char)style};
		if (columns == 2)
			*cell_at(cells, y, x + used + 1) = (struct cell){0, (unsigned char)style};
		used += columns;
	}
	return used;
}

/* The part of the place that is on the screen. */
static bool place_clip(const struct cells *cells, int y, int x, int *width)
{
	if (y < 0 || y >= cells->height || x < 0 || x >= cells->width)
		return false;
	if (*width > cells->width - x)
		*width = cells->width - x;
	return *width > 0;
}

int cells_put(struct cells *cells, int y, int x, int width, int style, const char *text)
{
	char *spelled;
	int used;

	if (!place_clip(cells, y, x, &width))
		return 0;
	spelled = harmless(text);
	if (spelled)
		text = spelled;
	if (cells_width(cells, text) <= width) {
		used = put_text(cells, y, x, width, style, text);
	} else {
		used = put_text(cells, y, x, width - 1, style, text);
		used += put_text(cells, y, x + used, 1, style, "\xe2\x80\xa6");
	}
	free(spelled);
	return used;
}

void cells_put_right(struct cells *cells, int y, int x, int width, int style, const char *text)
{
	int used = cells_width(cells, text);

	if (used < width)
		x += width - used, width = used;
	cells_put(cells, y, x, width, style, text);
}

int cells_printf(struct cells *cells, int y, int x, int width, int style, const char *fmt, ...)
{
	va_list args;
	char *text;
	int used = 0;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		used = cells_put(cells, y, x, width, style, text);
	free(text);
	return used;
}

/* Blocks that fill n eighths of a column from the left. */
static wchar_t block_of(int eighths)
{
	return eighths >= 8 ? 0x2588 : (wchar_t)(0x2590 - eighths);
}

void cells_bar(struct cells *cells, int y, int x, int width, double from, double to, int style,
	       char letter)
{
	int first, last;

	if (!place_clip(cells, y, x, &width))
		return;
	from = from < 0 ? 0 : from > 1 ? 1 : from;
	to = to < from ? from : to > 1 ? 1 : to;
	first = (int)(from * width);
	last = (int)(to * width);
	if (first >= width)
		first = width - 1;
	for (int i = first; i < width && i < last; i++)
		*cell_at(cells, y, x + i) =
			(struct cell){cells->ascii ? letter : block_of(8), (unsigned char)style};
	if (last < width && (last == first || !cells->ascii)) {
		int eighths = (int)((to * width - last) * 8);

		if (cells->ascii && last == first)
			*cell_at(cells, y, x + last) = (struct cell){letter, (unsigned char)style};
		else if (eighths || last == first)
			*cell_at(cells, y, x + last) =
				(struct cell){block_of(eighths ?: 1), (unsigned char)style};
	}
}

void cells_mark(struct cells *cells, int y, int x, int width, int style)
{
	if (!place_clip(cells, y, x, &width))
		return;
	for (int i = 0; i < width; i++)
		cell_at(cells, y, x + i)->style |= (unsigned char)style;
}

char *cells_line(const struct cells *cells, int y)
{
	char *line = malloc((size_t)cells->width * 4 + 1), *end = line, *to = line;

	if (!line)
		return NULL;
	for (int x = 0; x < cells->width; x++) {
		wchar_t ch = cell_at(cells, y, x)->ch;

		if (!ch)
			continue;
		to += utf8_put((uint32_t)ch, to);
		if (ch != L' ')
			end = to;
	}
	*end = '\0';
	return line;
}
