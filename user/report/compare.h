/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * compare.h - what became slower, or fails more, than in an earlier period, and for whom.
 */
#ifndef TDSMON_COMPARE_H
#define TDSMON_COMPARE_H

#include "report/writer.h"

/* Write the comparison's section. old_name is the earlier period's file. */
void compare_write(struct writer *w, const struct survey *now, const struct survey *old,
		   const char *old_name);

#endif
