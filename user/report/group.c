// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * group.c - see group.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/siphash.h"
#include "lib/utf8.h"
#include "report/group.h"

#define GROUPS_FIRST 16 /* rows */
/* Bytes that a row may take with its slots: the tables' size doubles. */
#define GROUPS_ROW (2 * (sizeof(struct group) + 2 * sizeof(uint32_t)) + 32)

/* The length of s, but at most max bytes, ending between two characters. */
static size_t group_cut(const char *s, size_t max)
{
	size_t len = 0, n;
	uint32_t cp;

	while ((n = utf8_next(s + len, &cp)) && len + n <= max)
		len += n;
	return len;
}

void group_key_add(struct group_key *key, const char *part)
{
	char *text = utf8_printable(part && *part ? part : "-");
	size_t len = text ? group_cut(text, GROUP_PART_MAX) : 0;

	if (key->parts && key->len < sizeof(key->text) - 1)
		key->text[key->len++] = GROUP_SEPARATOR;
	if (len < sizeof(key->text) - key->len) {
		memcpy(key->text + key->len, text ? text : "", len);
		key->len += len;
	}
	key->text[key->len] = '\0';
	key->parts++;
	free(text);
}

void group_table_init(struct groups *g, const uint64_t seed[2], size_t *budget)
{
	*g = (struct groups){.other.key = "", .budget = budget};
	memcpy(g->seed, seed, sizeof(g->seed));
}

static void group_release(struct group *row)
{
	free(row->times);
	free(row->bits);
	for (int i = 0; i < GROUP_EXAMPLES; i++) {
		free(row->examples[i].login);
		free(row->examples[i].text);
	}
}

void group_table_release(struct groups *g)
{
	for (size_t i = 0; i < g->count; i++) {
		group_release(&g->rows[i]);
		free(g->rows[i].key);
	}
	group_release(&g->other);
	free(g->rows);
	free(g->index);
}

/* Keyed, because names on the wire may be chosen so that their hashes collide. */
static uint64_t groups_hash(const struct groups *g, const char *key, size_t len)
{
	uint64_t words[GROUP_KEY_MAX / 8 + 1] = {0};

	memcpy(words, key, len);
	return siphash(g->seed, words, len / 8 + 1);
}

/* The slot that has the key, or the free one where it belongs. */
static uint32_t *groups_slot(const struct groups *g, const char *key, uint64_t hash)
{
	size_t at = hash & (g->slots - 1);

	for (;; at = (at + 1) & (g->slots - 1)) {
		const struct group *row = g->index[at] ? &g->rows[g->index[at] - 1] : NULL;

		if (!row || (row->hash == hash && !strcmp(row->key, key)))
			return &g->index[at];
	}
}

/* Double the room. False: there is no memory, and nothing changed. */
static bool groups_grow(struct groups *g)
{
	size_t size = g->size ? g->size * 2 : GROUPS_FIRST;
	struct group *rows = realloc(g->rows, size * sizeof(*rows));
	uint32_t *index = calloc(size * 2, sizeof(*index));

	if (rows)
		g->rows = rows;
	if (!rows || !index) {
		free(index);
		return false;
	}
	free(g->index);
	g->index = index;
	g->slots = size * 2;
	g->size = size;
	for (size_t i = 0; i < g->count; i++)
		*groups_slot(g, rows[i].key, rows[i].hash) = (uint32_t)i + 1;
	return true;
}

/* May these bytes be taken? If so, they are. */
static bool groups_spend(struct groups *g, size_t bytes)
{
	if (*g->budget < bytes)
		return false;
	*g->budget -= bytes;
	return true;
}

void groups_add_time(struct groups *g, struct group *row, uint64_t ns)
{
	if (!row->times && groups_spend(g, sizeof(*row->times)))
		row->times = calloc(1, sizeof(*row->times));
	if (row->times)
		spread_add(row->times, ns);
}

static struct group *groups_new_row(struct groups *g, const char *key, uint64_t hash)
{
	char *copy;

	if (g->count == GROUPS_MOST || !groups_spend(g, GROUPS_ROW + strlen(key)) ||
	    (g->count == g->size && !groups_grow(g)))
		return &g->other;
	copy = strdup(key);
	if (!copy)
		return &g->other;
	g->rows[g->count] = (struct group){.key = copy, .hash = hash};
	*groups_slot(g, key, hash) = (uint32_t)g->count + 1;
	return &g->rows[g->count++];
}

struct group *group_table_get(struct groups *g, const struct group_key *key)
{
	uint64_t hash = groups_hash(g, key->text, key->len);
	const uint32_t *slot = g->slots ? groups_slot(g, key->text, hash) : NULL;

	return slot && *slot ? &g->rows[*slot - 1] : groups_new_row(g, key->text, hash);
}

const struct group *group_table_find(const struct groups *g, const char *key)
{
	const uint32_t *slot =
		g->slots ? groups_slot(g, key, groups_hash(g, key, strlen(key))) : NULL;

	return slot && *slot ? &g->rows[*slot - 1] : NULL;
}

const char *group_part(const struct group *row, unsigned part, char text[GROUP_PART_MAX + 4])
{
	const char *from = row->key, *to;
	size_t len;

	for (; part && from; part--) {
		from = strchr(from, GROUP_SEPARATOR);
		from += from ? 1 : 0;
	}
	if (!from)
		from = "";
	to = strchr(from, GROUP_SEPARATOR);
	len = to ? (size_t)(to - from) : strlen(from);
	memcpy(text, from, len);
	text[len] = '\0';
	return text;
}

static int group_compare(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

int group_by_count(const struct group *a, const struct group *b)
{
	return group_compare(a->count, b->count) ?: strcmp(a->key, b->key);
}

int group_by_trouble(const struct group *a, const struct group *b)
{
	return group_compare(a->failed + a->slow, b->failed + b->slow) ?: group_by_count(a, b);
}

static int groups_compare(const void *a, const void *b, void *order)
{
	group_order *const *compare = order;

	return (*compare)(*(const struct group *const *)a, *(const struct group *const *)b);
}

const struct group **group_table_sorted(const struct groups *g, group_order *order)
{
	const struct group **sorted = g->count ? malloc(g->count * sizeof(*sorted)) : NULL;

	for (size_t i = 0; sorted && i < g->count; i++)
		sorted[i] = &g->rows[i];
	if (sorted)
		qsort_r(sorted, g->count, sizeof(*sorted), groups_compare, &order);
	return sorted;
}

/* The example that a longer one replaces, or a free place; NULL: it is not longer. */
static struct group_example *group_example_place(const struct group *row, uint64_t ns)
{
	const struct group_example *place = &row->examples[0];

	for (int i = 0; i < GROUP_EXAMPLES; i++) {
		const struct group_example *e = &row->examples[i];

		if (!e->login)
			return (struct group_example *)e;
		if (e->ns < place->ns)
			place = e;
	}
	return ns > place->ns ? (struct group_example *)place : NULL;
}

bool group_example_wanted(const struct group *row, uint64_t ns)
{
	return group_example_place(row, ns);
}

void group_example_add(struct group *row, const char *login, const char *text, uint64_t ns)
{
	struct group_example *place = group_example_place(row, ns);
	struct group_example copy = {.ns = ns};

	if (!place)
		return;
	copy.login = strdup(login);
	copy.text = strdup(text);
	if (!copy.login || !copy.text) {
		free(copy.login);
		free(copy.text);
		return;
	}
	free(place->login);
	free(place->text);
	*place = copy;
}
