// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rates.c - see rates.h.
 */
#include <string.h>

#include "lib/units.h"
#include "report/rates.h"

/* Join spans by twos. A span's number is a multiple of the width, so the pairs are the same
 * whichever time came first. */
static void rates_widen(struct rates *t)
{
	uint64_t first = t->first / 2;
	struct rates_span wider[RATES_MOST] = {0};

	for (unsigned i = 0; i < t->count; i++) {
		struct rates_span *to = &wider[(t->first + i) / 2 - first];

		to->logins += t->spans[i].logins;
		to->failed += t->spans[i].failed;
		to->slow += t->spans[i].slow;
	}
	t->count = (unsigned)((t->first + t->count - 1) / 2 - first + 1);
	t->first = first;
	t->width_s *= 2;
	memcpy(t->spans, wider, sizeof(wider));
}

/* Make room for spans from the number `number` on. */
static void rates_extend(struct rates *t, uint64_t number)
{
	unsigned before = t->first > number ? (unsigned)(t->first - number) : 0;

	if (before) {
		memmove(t->spans + before, t->spans, t->count * sizeof(t->spans[0]));
		memset(t->spans, 0, before * sizeof(t->spans[0]));
		t->first = number;
		t->count += before;
	}
	while (number >= t->first + t->count)
		t->spans[t->count++] = (struct rates_span){0};
}

static bool rates_fits(const struct rates *t, uint64_t number)
{
	uint64_t from = number < t->first ? number : t->first, last = t->first + t->count - 1;

	return (number > last ? number : last) - from < RATES_MOST;
}

void rates_add(struct rates *t, uint64_t wall_ns, bool failed, bool slow)
{
	uint64_t s = wall_ns / NS_PER_S;
	struct rates_span *span;

	if (!t->width_s)
		*t = (struct rates){.width_s = 1, .first = s, .count = 1};
	while (!rates_fits(t, s / t->width_s))
		rates_widen(t);
	rates_extend(t, s / t->width_s);
	span = &t->spans[s / t->width_s - t->first];
	span->logins++;
	span->failed += failed;
	span->slow += slow;
}

uint64_t rates_ns(const struct rates *t, unsigned span)
{
	return (t->first + span) * t->width_s * NS_PER_S;
}
