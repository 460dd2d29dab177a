/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_mask.h - passwords out of a statement's text.
 */
#ifndef TDSMON_SQL_MASK_H
#define TDSMON_SQL_MASK_H

#include <stdbool.h>

/*
 * A statement that names a password, a secret, or a function or procedure that takes one, loses
 * all its literals, quoted names and comments and all that follows that name. One that is cut, or
 * that executes a string, loses them, too: the name may be where nobody sees it. Returns the text
 * to be told, allocated, and frees text; NULL for want of memory.
 */
char *sql_mask(char *text, bool cut);

#endif
