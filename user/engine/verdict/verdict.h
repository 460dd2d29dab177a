/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - says in a sentence how a login ended, which side it waited for, and where to look
 * next; for a connection, why it ended.
 */
#ifndef TDSMON_VERDICT_H
#define TDSMON_VERDICT_H

#include "engine/login/login.h"

/*
 * Find the first row of the table that fits. The caller frees words->text; it is NULL if memory is
 * short.
 */
void verdict_find(const struct login *l, const struct login_record *r, struct verdict_words *words);

/*
 * The same for how a connection ended, as of now_ns. lost_ns: when the source last lost packets; 0:
 * never. Name and text are NULL if there is nothing to report. Returns what the caller frees when the
 * words are no longer needed, or NULL.
 */
char *verdict_close(const struct history *h, const struct flow *f, const struct close_record *r,
		    uint64_t now_ns, uint64_t lost_ns, struct verdict_words *words);

#endif
