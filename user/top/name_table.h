/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * name_table.h - texts that many logins have in common, each kept once and counted.
 */
#ifndef TDSMON_NAME_TABLE_H
#define TDSMON_NAME_TABLE_H

#include <stdint.h>
#include <uthash.h>

#define NAME_MAX_LEN 128 /* bytes; a longer text is cut */

struct name {
	UT_hash_handle hh;
	uint32_t refs;
	char text[];
};

struct name_table {
	struct name *all;
};

/* Hold the name of this text. NULL: text is NULL, or out of memory. */
struct name *name_hold(struct name_table *table, const char *text);
void name_release(struct name_table *table, struct name *name); /* accepts NULL */
/* Hold a name once more; accepts NULL. Returns it. */
struct name *name_again(struct name *name);

/* Free all names, held or not. */
void name_table_clear(struct name_table *table);

#endif
