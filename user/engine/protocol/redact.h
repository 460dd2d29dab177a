/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * redact.h - a server's error message without the names of people in it.
 */
#ifndef TDSMON_REDACT_H
#define TDSMON_REDACT_H

/*
 * Redact a message, for users who did not ask for names. A known message keeps its words, its
 * numbers and the database's name; the rest becomes RECORD_HIDDEN. Any other message, such as one
 * in another language or wording, becomes RECORD_HIDDEN as a whole. Frees message. Returns
 * allocated text; NULL if there is no memory.
 */
char *redact_message(char *message);

/* The same in a message that keeps its length: REDACT_FILL replaces each byte that is hidden. */
#define REDACT_FILL 'x'
void redact_in_place(char *message);

#endif
