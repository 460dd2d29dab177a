/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - says in a sentence what became of a login, who was waited for, and where to look
 * next; and of a connection, why it ended.
 */
#ifndef TDSMON_VERDICT_H
#define TDSMON_VERDICT_H

#include "engine/login/login.h"

/* The first row of the table that fits. words->text is for free(), NULL where memory is short. */
void verdict_find(const struct login *l, const struct login_record *r, struct verdict_words *words);

/* The same of how a connection ended. Name and text are NULL where there is nothing to be said. */
void verdict_close(const struct engine *e, const struct flow *f, const struct close_record *r,
		   struct verdict_words *words);

#endif
