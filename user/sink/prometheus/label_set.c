// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * label_set.c - a bounded set of label values.
 */
#include <string.h>

#include "sink/prometheus/label_set.h"

size_t label_set_id(struct label_set *names, const char *name)
{
	size_t len;

	if (!name)
		name = LABEL_SET_UNKNOWN;
	len = strnlen(name, LABEL_SET_TEXT - 1);
	for (size_t i = 0; i < names->count; i++)
		if (!memcmp(names->text[i], name, len) && !names->text[i][len])
			return i;
	if (names->count == LABEL_SET_MAX) {
		names->folded++;
		return LABEL_SET_MAX;
	}
	memcpy(names->text[names->count], name, len);
	names->text[names->count][len] = '\0';
	return names->count++;
}

const char *label_set_text(const struct label_set *names, size_t id)
{
	return id < names->count ? names->text[id] : "other";
}
