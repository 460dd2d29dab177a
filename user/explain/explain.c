// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * explain.c - see explain.h.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"

#define WORDS_MOST    512 /* of a text; those beyond are not looked at */
#define WORD_MOST     32  /* bytes of a word, with its NUL; longer ones are cut */
#define SCORE_NUMBER  12  /* a number is worth as much as so many words */
#define NUMBER_DIGITS 6	  /* of the server's errors at most */
#define NUMBER_LEAST  900 /* smaller ones are states, lines, and the provider's own */

struct words {
	char word[WORDS_MOST][WORD_MOST];
	size_t count;
};

/* ---- words ---- */

static bool word_char(unsigned char c)
{
	return isalnum(c) || c >= 0x80;
}

static void words_split(struct words *w, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	w->count = 0;
	while (*p && w->count < WORDS_MOST) {
		size_t len = 0;

		/* A Python or JSON string has "\\n" for a newline. */
		while (*p && !word_char(*p))
			p += *p == '\\' && p[1] && strchr("nrt", p[1]) ? 2 : 1;
		for (; word_char(*p); p++)
			if (len < WORD_MOST - 1)
				w->word[w->count][len++] = (char)tolower(*p);
		w->word[w->count][len] = '\0';
		w->count += len > 0;
	}
}

static bool word_fits(const char *pattern, size_t len, const char *word)
{
	if (len && pattern[len - 1] == '#')
		return !strncmp(pattern, word, len - 1);
	return strlen(word) == len && !strncmp(pattern, word, len);
}

/*
 * Does the rest of the phrase occur from word `at` on, and directly there? Phrases have few gaps, so
 * that trying every place costs little. The number of words that fit; 0: it does not.
 */
static unsigned phrase_at(const struct words *w, size_t at, const char *phrase)
{
	unsigned fit = 0;

	while (*phrase) {
		size_t len = strcspn(phrase, " ");

		if (len == 1 && *phrase == '*') {
			phrase += 2;
			for (size_t i = at; i < w->count; i++) {
				unsigned rest = phrase_at(w, i, phrase);

				if (rest)
					return fit + rest;
			}
			return 0;
		}
		if (at == w->count || !word_fits(phrase, len, w->word[at]))
			return 0;
		fit++;
		at++;
		phrase += len + (phrase[len] == ' ');
	}
	return fit;
}

static unsigned phrase_fits(const struct words *w, const char *phrase)
{
	unsigned fit = 0;

	for (size_t i = 0; i < w->count && !fit; i++)
		fit = phrase_at(w, i, phrase);
	return fit;
}

/* ---- numbers ---- */

/* "18456", "18,456", "18.456", "18'456", "18 456" with a no-break space: one number. */
static const char *number_group(const char *p)
{
	static const char *const marks[] = {",",	   ".", "'", "\xc2\xa0", "\xe2\x80\xaf",
					    "\xe2\x80\x99"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t len = strlen(marks[i]);

		if (!strncmp(p, marks[i], len) && isdigit((unsigned char)p[len]) &&
		    isdigit((unsigned char)p[len + 1]) && isdigit((unsigned char)p[len + 2]) &&
		    !isdigit((unsigned char)p[len + 3]))
			return p + len;
	}
	return NULL;
}

/* The port of an address and a part of an address are not errors' numbers. */
static bool number_is_address(const char *text, const char *begin, const char *end)
{
	if (begin > text && (begin[-1] == '.' || begin[-1] == ']'))
		return true;
	if (begin > text + 1 && begin[-1] == ':' &&
	    (isalnum((unsigned char)begin[-2]) || begin[-2] == ']'))
		return begin[-2] != 'r' && begin[-2] != 'e'; /* "error:18456", "code:18456" */
	return *end == '.' && isdigit((unsigned char)end[1]);
}

/* The number at p, which *end follows; 0: not an error's. */
static int number_read(const char *text, const char *p, const char **end)
{
	const char *begin = p, *group = begin;
	long value = 0;
	int digits = 0;

	while (group) {
		for (; isdigit((unsigned char)*p); p++, digits++)
			value = digits < NUMBER_DIGITS ? value * 10 + (*p - '0') : 0;
		group = digits && digits <= 3 ? number_group(p) : NULL;
		if (group)
			p = group;
	}
	*end = p;
	if (digits > NUMBER_DIGITS || value < NUMBER_LEAST || isalpha((unsigned char)*p) ||
	    number_is_address(text, begin, p))
		return 0;
	return (int)value;
}

static bool number_occurs(const char *text, const int *numbers)
{
	for (const char *p = text, *end; *p; p = end) {
		bool within = p > text && word_char((unsigned char)p[-1]);
		int value;

		end = p + 1;
		if (!isdigit((unsigned char)*p) || within)
			continue;
		value = number_read(text, p, &end);
		for (const int *n = numbers; value && *n; n++)
			if (*n == value)
				return true;
	}
	return false;
}

/* ---- rows ---- */

static unsigned row_score(const struct explain_row *row, const char *text, const struct words *w)
{
	unsigned best = number_occurs(text, row->numbers) ? SCORE_NUMBER : 0;

	for (const char *const *phrase = row->phrases; *phrase; phrase++) {
		unsigned fit = phrase_fits(w, *phrase);

		best = fit > best ? fit : best;
	}
	return best;
}

/* The share, in thousandths, of a row's best phrase whose words occur in the text somewhere. */
static unsigned row_nearness(const struct explain_row *row, const struct words *w)
{
	unsigned best = 0;

	for (const char *const *phrase = row->phrases; *phrase; phrase++) {
		unsigned all = 0, common = 0;

		for (const char *p = *phrase; *p;) {
			size_t len = strcspn(p, " ");
			bool found = false;

			for (size_t i = 0; i < w->count && !found; i++)
				found = len > 2 && word_fits(p, len, w->word[i]);
			all += *p != '*';
			common += found;
			p += len + (p[len] == ' ');
		}
		if (all && 1000 * common * common / all > best)
			best = 1000 * common * common / all;
	}
	return best;
}

struct ranked {
	const struct explain_row *row;
	enum explain_level level; /* all the same where they do not count */
	unsigned score;
	size_t at; /* in the table: earlier rows come first */
};

static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->level != y->level)
		return x->level > y->level ? 1 : -1;
	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->at > y->at) - (x->at < y->at);
}

static size_t explain_rank(const char *text, const struct explain_row **rows, size_t most,
			   bool near)
{
	struct words *w = malloc(sizeof(*w));
	size_t count = 0, size = 0;
	struct ranked *all;

	while (explain_table[size].name)
		size++;
	all = calloc(size + 1, sizeof(*all));
	if (w && all) {
		words_split(w, text);
		for (size_t i = 0; i < size; i++) {
			const struct explain_row *row = &explain_table[i];
			unsigned score = near ? row_nearness(row, w) : row_score(row, text, w);

			if (score)
				all[count++] = (struct ranked){
					row, near ? EXPLAIN_CAUSE : row->level, score, i};
		}
		qsort(all, count, sizeof(*all), by_score);
	}
	count = count < most ? count : most;
	for (size_t i = 0; i < count; i++)
		rows[i] = all[i].row;
	free(all);
	free(w);
	return count;
}

size_t explain_find(const char *text, const struct explain_row **rows, size_t most)
{
	return explain_rank(text, rows, most, false);
}

size_t explain_nearest(const char *text, const struct explain_row *rows[EXPLAIN_NEAREST])
{
	return explain_rank(text, rows, EXPLAIN_NEAREST, true);
}
