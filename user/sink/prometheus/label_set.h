/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * label_set.h - a bounded set of label values. When it is full, further values become "other", so
 * that traffic cannot make the metrics grow without limit.
 */
#ifndef TDSMON_LABEL_SET_H
#define TDSMON_LABEL_SET_H

#include <stddef.h>
#include <stdint.h>

#define LABEL_SET_MAX	  64
#define LABEL_SET_IDS	  (LABEL_SET_MAX + 1) /* ids are below this; the last is "other" */
#define LABEL_SET_TEXT	  64		      /* longest value with its NUL; longer ones are cut */
#define LABEL_SET_UNKNOWN "unknown"

struct label_set {
	size_t count;
	uint64_t folded; /* how often a value became "other" */
	char text[LABEL_SET_MAX][LABEL_SET_TEXT];
};

/* The id of a name, which is added if there is room. NULL is "unknown". */
size_t label_set_id(struct label_set *names, const char *name);

const char *label_set_text(const struct label_set *names, size_t id);

#endif
