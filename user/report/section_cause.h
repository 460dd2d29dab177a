/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * section_cause.h - a cause of slow or failed logins, as sections show it.
 */
#ifndef TDSMON_SECTION_CAUSE_H
#define TDSMON_SECTION_CAUSE_H

#include "report/writer.h"

/* Write a cause with its examples. */
void cause_write(struct writer *w, const char *head, const struct group *cause);

#endif
