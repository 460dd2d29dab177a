/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * by.h - logins counted by group: --by client,verdict. A sink in place of the format's, whose tables
 * are printed every few seconds, or at the end.
 */
#ifndef TDSMON_BY_H
#define TDSMON_BY_H

#include "sink/sink.h"

#define BY_KEYS	 4    /* of a group at most */
#define BY_WHY	 160  /* bytes of a reason, with its NUL */
#define BY_MOST	 2000 /* groups that are distinguished; further ones are one, "other" */
#define BY_SHOWN 40   /* groups of a table; the smaller ones are "other", too */

/* Which facts make a group: indices of a table in by.c. */
struct by_keys {
	uint8_t keys[BY_KEYS];
	uint8_t count; /* 0: no groups */
};

/* "client,verdict". 0, or -EINVAL with the reason in why. */
int by_parse(struct by_keys *by, const char *list, char why[BY_WHY]);

/* config->by is needed. */
extern const struct sink_ops by_sink;

/* Print the table of the logins since the last call, and begin again. seconds: since then; 0: not said. */
void by_print(void *by, unsigned seconds);

#endif
