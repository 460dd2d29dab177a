/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sections.h - a report from its first sentence to its last table.
 */
#ifndef TDSMON_SECTIONS_H
#define TDSMON_SECTIONS_H

#include "report/writer.h"

/* Write the whole report. old: an earlier one to compare with, or NULL; old_name: its file. */
void sections_write(struct writer *w, const struct survey *s, const struct survey_source *source,
		    const struct survey *old, const char *old_name);

#endif
