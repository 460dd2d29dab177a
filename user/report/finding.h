/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * finding.h - a report's first sentence.
 */
#ifndef TDSMON_FINDING_H
#define TDSMON_FINDING_H

#include "report/writer.h"

/* Write the finding to text, one sentence or two. Returns how it is to be looked at. */
enum writer_mood finding_write(const struct survey *s, struct strbuf *text);

#endif
