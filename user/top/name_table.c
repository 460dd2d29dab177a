// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * name_table.c - see name_table.h.
 */
#define HASH_NONFATAL_OOM 1

#include <stdlib.h>
#include <string.h>

#include "top/name_table.h"

/* Length of text, cut between characters. */
static size_t name_len(const char *text)
{
	size_t len = strnlen(text, NAME_MAX_LEN + 1);

	if (len <= NAME_MAX_LEN)
		return len;
	for (len = NAME_MAX_LEN; len && (text[len] & 0xc0) == 0x80;)
		len--;
	return len;
}

struct name *name_hold(struct name_table *table, const char *text)
{
	size_t len = text ? name_len(text) : 0;
	struct name *name = NULL;

	if (!text)
		return NULL;
	HASH_FIND(hh, table->all, text, len, name);
	if (name)
		return name_again(name);
	name = calloc(1, sizeof(*name) + len + 1);
	if (!name)
		return NULL;
	memcpy(name->text, text, len);
	name->refs = 1;
	HASH_ADD(hh, table->all, text, len, name);
	if (name->hh.tbl)
		return name;
	free(name);
	return NULL;
}

struct name *name_again(struct name *name)
{
	if (name)
		name->refs++;
	return name;
}

void name_release(struct name_table *table, struct name *name)
{
	if (!name || --name->refs)
		return;
	HASH_DELETE(hh, table->all, name);
	free(name);
}

void name_table_clear(struct name_table *table)
{
	struct name *name, *next;

	HASH_ITER(hh, table->all, name, next)
	{
		HASH_DELETE(hh, table->all, name);
		free(name);
	}
}
