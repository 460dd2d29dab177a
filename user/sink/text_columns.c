// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text_columns.c - see text_columns.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/utf8.h"
#include "sink/text_columns.h"

#define ELLIPSIS "…"

/* Columns with the blank before them. */
#define COLUMNS_ALWAYS (12 + 1 + TEXT_CLIENT + 12 + 5) /* time, client, outcome, total */
#define COLUMNS_AUTH   9
#define COLUMNS_ENCR   7
#define COLUMNS_PHASES 25
#define COLUMNS_MOST   8
#define COLUMNS_VERDICT                                                                            \
	23 /* nearly all names fit; it is the last one, so that a longer one moves nothing */
#define COLUMNS_NAME 13 /* an app, a database, a driver: at least */

static bool columns_take(unsigned *left, unsigned columns)
{
	if (*left < columns)
		return false;
	*left -= columns;
	return true;
}

/* The rest goes to the names, evenly. */
static void columns_names(struct text_columns *c, unsigned left)
{
	unsigned *const names[] = {&c->app, &c->database, &c->driver};
	unsigned count = left / COLUMNS_NAME, share;

	count = count > 3 ? 3 : count;
	share = count ? left / count - 1 : 0;
	for (unsigned i = 0; i < count; i++)
		*names[i] = share > TEXT_CELL_MOST ? TEXT_CELL_MOST : share;
}

void text_columns_choose(struct text_columns *c, unsigned terminal, unsigned client)
{
	unsigned left = terminal - COLUMNS_ALWAYS - COLUMNS_VERDICT, more;

	*c = (struct text_columns){.width = terminal ?: TEXT_COLUMNS, .terminal = terminal};
	c->client = client > TEXT_CLIENT ? client : TEXT_CLIENT;
	if (!terminal) {
		c->auth = c->encr = c->phases = c->most = true;
		return;
	}
	c->verdict = true;
	c->phases = columns_take(&left, COLUMNS_PHASES);
	c->auth = columns_take(&left, COLUMNS_AUTH);
	c->most = columns_take(&left, COLUMNS_MOST);
	c->encr = columns_take(&left, COLUMNS_ENCR);
	more = c->client - TEXT_CLIENT;
	if (!columns_take(&left, more)) {
		c->client = TEXT_CLIENT + left;
		left = 0;
	}
	columns_names(c, left);
}

void text_columns_header(const struct text_columns *c, struct output *out)
{
	struct text_row row = {.out = out};

	output_printf(out, "%-12s %-*s", "time", (int)c->client, "client");
	if (c->auth)
		output_printf(out, " %-8s", "auth");
	if (c->encr)
		output_printf(out, " %-6s", "encr");
	output_printf(out, "  %-9s total", "outcome");
	if (c->phases)
		output_printf(out, "  tcp  pre tls login auth");
	if (c->most)
		text_row_cell(&row, COLUMNS_MOST - 1, "most on");
	if (c->app)
		text_row_cell(&row, c->app, "app");
	if (c->database)
		text_row_cell(&row, c->database, "database");
	if (c->driver)
		text_row_cell(&row, c->driver, "driver");
	if (c->verdict)
		text_row_rest(&row, "verdict");
}

/* Bytes of the first so many columns. */
static size_t columns_bytes(const char *text, unsigned columns)
{
	size_t pos = 0, n;
	uint32_t cp;

	for (; columns && (n = utf8_next(text + pos, &cp)); columns--)
		pos += n;
	return pos;
}

void text_row_cell(struct text_row *row, unsigned columns, const char *text)
{
	char *copy = utf8_printable(text ?: "-");
	unsigned count = copy ? columns_count(copy) : 0;

	output_blanks(row->out, row->owed + 1);
	row->owed = count < columns ? columns - count : 0;
	if (count > columns)
		output_printf(row->out, "%.*s" ELLIPSIS, (int)columns_bytes(copy, columns - 1),
			      copy);
	else
		output_text(row->out, copy ?: "");
	free(copy);
}

void text_row_rest(struct text_row *row, const char *text)
{
	output_blanks(row->out, row->owed + 1);
	output_text(row->out, text);
	row->owed = 0;
}

void text_shorten(const char *text, unsigned columns, char *out)
{
	size_t len = strlen(text), tail = columns / 2, head = columns - 1 - tail;

	sprintf(out, "%.*s" ELLIPSIS "%s", (int)head, text, text + len - tail);
}
