// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * selection.c - see selection.h. The table is open addressing with linear probing; ids are hashes
 * already.
 */
#include <stdlib.h>

#include "sink/selection.h"

#define SELECTION_LEAST 1024u /* entries of the first table */

void selection_init(struct selection *s, const struct filter *filter)
{
	*s = (struct selection){.filter = filter && filter->count ? filter : NULL};
}

void selection_release(struct selection *s)
{
	free(s->entries);
	*s = (struct selection){0};
}

/* The entry of that id, or the free one where it would be. The table has free entries. */
static struct selection_entry *selection_find(const struct selection *s, uint64_t id)
{
	uint32_t at = (uint32_t)id & (s->size - 1);

	while (s->entries[at].id && s->entries[at].id != id)
		at = (at + 1) & (s->size - 1);
	return &s->entries[at];
}

/* Make room for one more entry; false: too many, or out of memory. */
static bool selection_grow(struct selection *s)
{
	struct selection old = *s;

	if (s->size && s->used < s->size / 4 * 3)
		return true;
	if (s->used >= SELECTION_MOST)
		return false;
	s->size = old.size ? old.size * 2 : SELECTION_LEAST;
	s->entries = calloc(s->size, sizeof(*s->entries));
	if (!s->entries) {
		*s = old;
		return false;
	}
	for (uint32_t i = 0; i < old.size; i++)
		if (old.entries[i].id)
			*selection_find(s, old.entries[i].id) = old.entries[i];
	free(old.entries);
	return true;
}

static void selection_note(struct selection *s, uint64_t id, unsigned fits)
{
	struct selection_entry *entry;

	if (!id || !selection_grow(s))
		return;
	entry = selection_find(s, id);
	s->used += !entry->id;
	*entry = (struct selection_entry){id, fits};
}

static unsigned selection_noted(const struct selection *s, uint64_t id)
{
	return s->size && id ? selection_find(s, id)->fits : 0;
}

/* Free an entry, and move up those behind it that would no longer be found. */
static void selection_forget(struct selection *s, uint64_t id)
{
	uint32_t mask = s->size - 1, hole, at;

	if (!s->size || !id || !selection_find(s, id)->id)
		return;
	hole = (uint32_t)(selection_find(s, id) - s->entries);
	for (at = (hole + 1) & mask; s->entries[at].id; at = (at + 1) & mask) {
		uint32_t home = (uint32_t)s->entries[at].id & mask;

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		s->entries[hole] = s->entries[at];
		hole = at;
	}
	s->entries[hole] = (struct selection_entry){0};
	s->used--;
}

bool selection_login(struct selection *s, const struct login_record *rec)
{
	unsigned fits = s->filter ? filter_fits(s->filter, rec) : FILTER_ALL;

	if (s->filter && fits)
		selection_note(s, rec->id, fits);
	s->logins_out += fits != FILTER_ALL;
	return fits == FILTER_ALL;
}

static bool selection_passes(const struct selection *s, uint64_t id,
			     const struct filter_facts *facts)
{
	return (filter_fits_facts(s->filter, facts) | selection_noted(s, id)) == FILTER_ALL;
}

bool selection_close(struct selection *s, const struct close_record *rec)
{
	const struct filter_facts facts = {
		.client = &rec->client,
		.server = &rec->server,
		.outcome = rec->has_login ? outcome_name(rec->login) : NULL,
		.verdict = verdict_name(rec->verdict.id),
		.ns = NO_NS,
	};
	bool passes;

	if (!s->filter)
		return true;
	passes = selection_passes(s, rec->id, &facts);
	selection_forget(s, rec->id);
	return passes;
}

bool selection_command(const struct selection *s, const struct command_record *rec)
{
	const struct filter_facts facts = {
		.client = &rec->client, .server = &rec->server, .ns = NO_NS};

	return !s->filter || selection_passes(s, rec->id, &facts);
}

bool selection_pending(const struct selection *s, const struct pending_record *rec)
{
	const struct filter_facts facts = {
		.client = &rec->client, .server = &rec->server, .ns = rec->time_ns - rec->start_ns};

	return !s->filter || filter_fits_facts(s->filter, &facts) == FILTER_ALL;
}

bool selection_browser(const struct selection *s, const struct browser_record *rec)
{
	const struct filter_facts facts = {
		.client = &rec->client, .server = &rec->server, .ns = rec->waited_ns};

	return !s->filter || filter_fits_facts(s->filter, &facts) == FILTER_ALL;
}
