// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report_write.c - see report_write.h.
 */
#include <errno.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "lib/replace.h"
#include "report/sections.h"
#include "report_options.h"
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
		source.stopped = *app->stop;
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

/* The opener replaces the file, since this process may open none. */
static int report_replace(struct opener *opener, const struct strbuf *text)
{
	int fd = opener_ask(opener, OPENER_REPORT), err;

	if (fd <= 0)
		return fd ?: -EPROTO;
	err = replace_fill(fd, text->data, text->len);
	if (!err)
		return opener_ask(opener, OPENER_REPORT_COMMIT);
	opener_ask(opener, OPENER_REPORT_DROP);
	return err;
}

int report_live(const struct app *app)
{
	const char *path = app->opts->report;
	struct strbuf text = {0};
	int err;

	if (!app->survey)
		return 0;
	report_text(app, app->survey->sink, report_format_of(OPTS_REPORT_BY_NAME, path), NULL,
		    &text);
	err = text.failed ? -ENOMEM : report_replace(app->opener, &text);
	strbuf_release(&text);
	if (err)
		log_error("cannot write %s: %s", path, regular_error(err));
	else
		log_info("wrote %s", path);
	return err;
}
