// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * waiting.c - see waiting.h.
 */
#include "sink/waiting.h"

void waiting_add(struct waiting *w, const struct pending_record *rec)
{
	unsigned at = w->count;

	w->total++;
	if (w->count < w->most)
		w->count++;
	else if (w->longest[w->most - 1].ns >= rec->ns)
		return;
	else
		at--;
	for (; at && w->longest[at - 1].ns < rec->ns; at--)
		w->longest[at] = w->longest[at - 1];
	w->longest[at] = *rec;
}
