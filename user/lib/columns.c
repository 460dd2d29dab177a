// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * columns.c - see columns.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/columns.h"
#include "lib/utf8.h"

unsigned columns_of(int fd, unsigned least, unsigned most)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return 0;
	return size.ws_col < least ? least : size.ws_col > most ? most : size.ws_col;
}

unsigned columns_count(const char *text)
{
	unsigned columns = 0;
	uint32_t cp;
	size_t n;

	for (; (n = utf8_next(text, &cp)); text += n)
		columns++;
	return columns;
}

size_t columns_fit(const char *text, unsigned columns)
{
	size_t pos = 0, fit = 0, n;
	uint32_t cp;

	for (; (n = utf8_next(text + pos, &cp)); pos += n, columns -= columns > 0) {
		if (cp == ' ' && (columns || !fit))
			fit = pos;
		if (!columns && fit)
			return fit;
	}
	return pos;
}

unsigned columns_paragraph(struct output *out, const char *text, unsigned indent, unsigned width,
			   enum columns_first first)
{
	char *copy = utf8_printable(text), *s = copy;
	unsigned lines = 0;

	while (s && *s) {
		size_t len = columns_fit(s, width > indent ? width - indent : 1);
		bool indented = first == COLUMNS_FIRST_INDENTED || lines;

		output_blanks(out, indented ? indent : 0);
		output_write(out, s, len);
		output_text(out, "\n");
		lines++;
		s += len;
		s += strspn(s, " ");
	}
	free(copy);
	return lines;
}
