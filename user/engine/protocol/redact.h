/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * redact.h - a server's error message without the names of people in it.
 */
#ifndef TDSMON_REDACT_H
#define TDSMON_REDACT_H

/*
 * What of a message may be told where names were not asked for. One that is among the known ones
 * keeps its words, numbers and the name of the database; all else in it, and every other message
 * as a whole (another language, another wording), becomes RECORD_HIDDEN. Frees message; allocated,
 * NULL for want of memory.
 */
char *redact_message(char *message);

#endif
