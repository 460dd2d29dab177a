/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - says in a sentence what became of a login, who was waited for, and where to look
 * next; and of a connection, why it ended.
 */
#ifndef TDSMON_VERDICT_H
#define TDSMON_VERDICT_H

#include "login.h"

/* The first row of the table that fits. *text is allocated, NULL for want of memory. */
void verdict_find(const struct login *l, const struct login_record *r, const char **name,
		  char **text);

/* The same of how a connection ended. Both NULL where there is nothing to be said. */
void verdict_close(const struct engine *e, const struct flow *f, const struct close_record *r,
		   const char **name, char **text);

#endif
