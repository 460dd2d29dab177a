/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * label_set.h - a bounded set of label values. What comes when it is full is "other", so that what is
 * sent on the wire can't make a page grow.
 */
#ifndef TDSMON_LABEL_SET_H
#define TDSMON_LABEL_SET_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX     64
#define NAMES_IDS     (NAMES_MAX + 1) /* ids are below this; the last is "other" */
#define NAMES_TEXT    64	      /* longest, with a NUL; what is longer is cut */
#define NAMES_UNKNOWN "unknown"

struct names {
	size_t count;
	uint64_t folded; /* how often it was "other" */
	char text[NAMES_MAX][NAMES_TEXT];
};

/* The id of a name, which is taken in where there is room; NULL is "unknown". */
size_t names_id(struct names *names, const char *name);

const char *names_text(const struct names *names, size_t id);

#endif
