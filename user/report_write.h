/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_write.h - a run's report: its survey, and what only the run knows.
 */
#ifndef TDSMON_REPORT_WRITE_H
#define TDSMON_REPORT_WRITE_H

#include "app.h"
#include "lib/strbuf.h"
#include "report/survey.h"

/* The report in text; text->failed says if memory ran out. old: to compare with, or NULL. */
void report_text(const struct app *app, const struct survey *s, enum opts_report format,
		 const struct survey *old, struct strbuf *text);

/* The same, written to out, which keeps the error. */
void report_write(const struct app *app, const struct survey *s, enum opts_report format,
		  const struct survey *old, struct output *out);

/*
 * Write the report of a live run to the file of --report, completely or not at all; nothing without
 * the option. 0, or -errno with the reason logged.
 */
int report_live(const struct app *app);

#endif
