// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * split.c - see split.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/split.h"

void spans_add(struct spans *s, const struct wait *w, const struct span *span)
{
	struct span cut = *span;

	if (cut.from < w->a)
		cut.from = w->a;
	if (cut.to > w->b)
		cut.to = w->b;
	if (cut.from < cut.to && s->count < SPANS_MOST)
		s->at[s->count++] = cut;
}

static int time_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool part_is_of(const struct step_part *p, size_t step, const struct span *span)
{
	return p->step == step && p->part == span->part && p->has_peer == (span->x != NULL) &&
	       (!span->x || !memcmp(&p->peer, &span->x->peer, sizeof(p->peer)));
}

static struct step_part *part_find(struct dependency_findings *out, size_t step,
				   const struct span *span)
{
	for (size_t i = 0; i < out->part_count; i++)
		if (part_is_of(&out->parts[i], step, span))
			return &out->parts[i];
	return NULL;
}

static void part_add(struct dependency_findings *out, size_t step, const struct span *span,
		     uint64_t ns)
{
	static const struct span rest = {.part = PART_PROCESS,
					 .basis = BASIS_INFERRED,
					 .grounds = "the record has no room for more parts"};
	struct step_part *p = part_find(out, step, span);

	/*
	 * The last slot holds the rest of its step, so that the step's parts still add up. Steps
	 * come in order: a later one has no parts.
	 */
	if (!p && out->part_count >= PARTS_MOST - 1) {
		span = &rest;
		p = part_find(out, step, span);
		if (!p && out->part_count == PARTS_MOST)
			return;
	}
	if (p) {
		p->ns += ns;
		if (span->basis > p->basis) /* keep the weaker of the two */
			p->basis = span->basis;
		return;
	}
	p = &out->parts[out->part_count++];
	memset(p, 0, sizeof(*p));
	p->step = step;
	p->part = span->part;
	p->ns = ns;
	p->basis = span->basis;
	p->grounds = span->grounds;
	p->has_peer = span->x != NULL;
	if (span->x)
		p->peer = span->x->peer;
}

void spans_split(const struct spans *s, const struct wait *w, size_t step, enum basis rest,
		 const char *rest_grounds, struct dependency_findings *out)
{
	const struct span process = {.part = PART_PROCESS, .basis = rest, .grounds = rest_grounds};
	uint64_t bounds[2 * SPANS_MOST + 2];
	size_t count = 0;

	bounds[count++] = w->a;
	bounds[count++] = w->b;
	for (size_t i = 0; i < s->count; i++) {
		bounds[count++] = s->at[i].from;
		bounds[count++] = s->at[i].to;
	}
	qsort(bounds, count, sizeof(bounds[0]), time_compare);
	for (size_t i = 0; i + 1 < count; i++) {
		const struct span *best = &process;

		if (bounds[i] == bounds[i + 1])
			continue;
		for (size_t k = 0; k < s->count; k++)
			if (s->at[k].from <= bounds[i] && s->at[k].to >= bounds[i + 1] &&
			    s->at[k].part < best->part)
				best = &s->at[k];
		part_add(out, step, best, bounds[i + 1] - bounds[i]);
	}
}
