// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report_write.c - see report_write.h.
 */
#include <errno.h>

#include "report/sections.h"
#include "report_write.h"

#define REPORT_ROWS_HTML 100 /* shown of a table */
#define REPORT_ROWS_TEXT 20

void report_text(const struct app *app, const struct survey *s, enum opts_report format,
		 const struct survey *old, struct strbuf *text)
{
	bool html = format == OPTS_REPORT_HTML;
	struct writer writer = {.ops = html ? &html_writer : &plain_writer,
				.out = text,
				.rows_most = html ? REPORT_ROWS_HTML : REPORT_ROWS_TEXT};
	struct counter counters[APP_COUNTERS];
	struct survey_source source = {.counters = counters,
				       .counter_count = app_counters(app, counters)};

	if (app->live) {
		source.watched = live_describe(app->live);
	} else {
		source.files = app->opts->files;
		source.file_count = app->opts->file_count;
		source.packets = app->read.packets;
	}
	sections_write(&writer, s, &source, old, app->opts->against);
}

void report_write(const struct app *app, const struct survey *s, enum opts_report format,
		  const struct survey *old, struct output *out)
{
	struct strbuf text = {0};

	report_text(app, s, format, old, &text);
	if (text.failed && !out->err)
		out->err = -ENOMEM;
	else
		output_write(out, text.data, text.len);
	strbuf_release(&text);
}
