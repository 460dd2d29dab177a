// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * section_cause.c - see section_cause.h.
 */
#include <stdbool.h>
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

/* The length of a number that has a fraction, as times have; 0: text begins with something else. */
static size_t fraction_len(const char *text)
{
	size_t len = strspn(text, "0123456789."), whole = strspn(text, "0123456789");

	return whole && whole < len && len == whole + 1 + strspn(text + whole + 1, "0123456789")
		       ? len
		       : 0;
}

/* Do two sentences differ in nothing but times? The examples' lines have those that count. */
static bool is_same_but_times(const char *a, const char *b)
{
	while (*a && *b) {
		size_t of_a = fraction_len(a), of_b = fraction_len(b);

		if (of_a && of_b) {
			a += of_a;
			b += of_b;
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

/* The sentence of the first example stands above; others only if they say something else. */
void cause_write(struct writer *w, const char *head, const struct group *cause)
{
	struct group_example examples[GROUP_EXAMPLES];
	size_t count = cause_examples(cause, examples);
	const char *lines[GROUP_EXAMPLES] = {0};
	char *texts[GROUP_EXAMPLES] = {0};

	for (size_t i = 0; i < count; i++) {
		if (i && !is_same_but_times(examples[i].text, examples[0].text) &&
		    asprintf(&texts[i], "%s: %s", examples[i].login, examples[i].text) < 0)
			texts[i] = NULL;
		lines[i] = texts[i] ? texts[i] : examples[i].login;
	}
	w->ops->cause(w, head, count ? examples[0].text : NULL, lines, count);
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
}
