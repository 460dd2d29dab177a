/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_mask.h - removes passwords from a statement's text.
 */
#ifndef TDSMON_SQL_MASK_H
#define TDSMON_SQL_MASK_H

#include <stdbool.h>

/*
 * A statement that names a password, a secret, or a function or procedure that takes one, loses all
 * its literals, quoted names and comments, and everything after that name. A statement that is cut,
 * or that executes a string, also loses them, because the name may be in a part that no search
 * sees. Returns the text to show, allocated, and frees text. NULL if there is no memory.
 */
char *sql_mask(char *text, bool cut);

#endif
