/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * errorlog_words.h - the entry of the server's error log that was joined to a login, in words.
 */
#ifndef TDSMON_ERRORLOG_WORDS_H
#define TDSMON_ERRORLOG_WORDS_H

#include "engine/record.h"

/*
 * Why the login was refused. text: what the error's number says, NULL where nothing is known of it.
 * after: that it took long, or "". To be freed; NULL when out of memory.
 */
char *errorlog_refused_text(const struct login_record *r, const char *text, const char *after);

/*
 * The verdict of a login that ended otherwise, and what the log adds to it. Takes verdict, which
 * may be NULL, and gives it back where there is nothing to add. text: as above.
 */
char *errorlog_ended_text(const struct login_record *r, const char *text, char *verdict);

#endif
