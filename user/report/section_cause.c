// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * section_cause.c - see section_cause.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/section_cause.h"

/* Examples, those that took longest first. */
static size_t cause_examples(const struct group *cause,
			     struct group_example examples[GROUP_EXAMPLES])
{
	size_t count = 0;

	for (int i = 0; i < GROUP_EXAMPLES; i++) {
		size_t at = count;

		if (!cause->examples[i].login)
			continue;
		for (; at && examples[at - 1].ns < cause->examples[i].ns; at--)
			examples[at] = examples[at - 1];
		examples[at] = cause->examples[i];
		count++;
	}
	return count;
}

/* The sentence of the first example stands above; others only if they say something else. */
void cause_write(struct writer *w, const char *head, const struct group *cause)
{
	struct group_example examples[GROUP_EXAMPLES];
	size_t count = cause_examples(cause, examples);
	const char *lines[GROUP_EXAMPLES] = {0};
	char *texts[GROUP_EXAMPLES] = {0};

	for (size_t i = 0; i < count; i++) {
		if (i && strcmp(examples[i].text, examples[0].text) &&
		    asprintf(&texts[i], "%s: %s", examples[i].login, examples[i].text) < 0)
			texts[i] = NULL;
		lines[i] = texts[i] ? texts[i] : examples[i].login;
	}
	w->ops->cause(w, head, count ? examples[0].text : NULL, lines, count);
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
}
