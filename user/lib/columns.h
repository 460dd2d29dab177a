/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * columns.h - text for people in lines of limited width. A column is a character: text of double
 * width, such as Chinese, takes more room.
 */
#ifndef TDSMON_COLUMNS_H
#define TDSMON_COLUMNS_H

#include <stddef.h>

#include "lib/output.h"

/* The terminal's width, at least `least`, at most `most`; 0: fd is not a terminal, or has no size. */
unsigned columns_of(int fd, unsigned least, unsigned most);

/* How many columns UTF-8 text takes. */
unsigned columns_count(const char *text);

/* Bytes up to the blank at which to break a line of so many columns; the first word always fits. */
size_t columns_fit(const char *text, unsigned columns);

/*
 * Write text from the wire or of ours, made printable and broken at blanks, from column `indent` on:
 * each line is indented, but the first one only if the cursor is not there yet. Returns how many
 * lines were written.
 */
enum columns_first {
	COLUMNS_FIRST_INDENTED,
	COLUMNS_FIRST_AS_IT_IS, /* the cursor is at column `indent` */
};
unsigned columns_paragraph(struct output *out, const char *text, unsigned indent, unsigned width,
			   enum columns_first first);

#endif
