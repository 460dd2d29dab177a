/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * group.h - a table of counts by key. It holds GROUPS_MOST keys; all further ones share one row,
 * so that no capture can use up the memory. A key has one or more parts, its columns.
 */
#ifndef TDSMON_GROUP_H
#define TDSMON_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/spread.h"

#define GROUPS_MOST    10000
#define GROUP_PARTS    5   /* most of a key */
#define GROUP_PART_MAX 240 /* bytes of a part; longer ones are cut */
#define GROUP_KEY_MAX  (GROUP_PARTS * (GROUP_PART_MAX + 4))
#define GROUP_EXTRAS   5
#define GROUP_EXAMPLES 3

#define GROUP_SEPARATOR '\x1f' /* between parts; a control character, so that no part has it */

/* A login that shows what a row is about. */
struct group_example {
	char *login; /* which login; NULL: no example */
	char *text;  /* what it shows */
	uint64_t ns;
};

struct group {
	char *key; /* parts, printable UTF-8 with a GROUP_SEPARATOR between two; "": all further keys */
	uint64_t hash;
	uint64_t count, failed, slow;
	uint64_t extra[GROUP_EXTRAS]; /* as the table says */
	struct spread *times;	      /* NULL: none */
	uint8_t *bits; /* of 65,536 ports, those that were seen; NULL: not followed */
	struct group_example examples[GROUP_EXAMPLES];
};

struct groups {
	struct group *rows; /* in the order of their first appearance */
	size_t count, size;
	uint32_t *index; /* row + 1 by hash; 0: free */
	size_t slots;	 /* of index, a power of two */
	struct group other;
	uint64_t seed[2];
	size_t *budget; /* bytes that this and other tables may still take together */
};

/* A key under construction. */
struct group_key {
	char text[GROUP_KEY_MAX];
	size_t len;
	unsigned parts;
};

/* Add a part. NULL is the part "-". Control characters are spelled out, long parts are cut. */
void group_key_add(struct group_key *key, const char *part);

/* budget: in bytes, shared with other tables; a table also ends to grow when it is used up. */
void group_table_init(struct groups *g, const uint64_t seed[2], size_t *budget);
void group_table_release(struct groups *g);

/* Add a duration to the row's times, if there is room for them. */
void groups_add_time(struct groups *g, struct group *row, uint64_t ns);

/* The row of that key, perhaps a new one; if there is no room, &g->other. Never NULL. */
struct group *group_table_get(struct groups *g, const struct group_key *key);

/* The row of a key, as in struct group; NULL: there is no such row. */
const struct group *group_table_find(const struct groups *g, const char *key);

/* A row's part of that number, at most GROUP_PART_MAX bytes into text. Returns text. */
const char *group_part(const struct group *row, unsigned part, char text[GROUP_PART_MAX + 4]);

typedef int group_order(const struct group *a, const struct group *b);

/* More of them first; then by key, so that the order is always the same. */
int group_by_count(const struct group *a, const struct group *b);
/* More failed and slow ones first, then by count. */
int group_by_trouble(const struct group *a, const struct group *b);

/* The rows without the other one, sorted; the caller frees the array. NULL: empty, or no memory. */
const struct group **group_table_sorted(const struct groups *g, group_order *order);

/* Keep a login and its text as an example if fewer are kept, or if it took longer than one of them. */
void group_example_add(struct group *row, const char *login, const char *text, uint64_t ns);
/* Would group_example_add() keep it? */
bool group_example_wanted(const struct group *row, uint64_t ns);

#endif
