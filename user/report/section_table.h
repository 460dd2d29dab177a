/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * section_table.h - a table of the survey as the writers take it: heads, and cells of text.
 */
#ifndef TDSMON_SECTION_TABLE_H
#define TDSMON_SECTION_TABLE_H

#include "report/tables.h"
#include "report/writer.h"

void section_table_write(struct writer *w, const struct survey_table *table,
			 const struct groups *g);

#endif
