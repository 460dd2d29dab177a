// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * row_filter.c - see row_filter.h.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/row_filter.h"
#include "top/row.h"

#define FILTER_TERMS 16
#define FILTER_TEXT  200

enum term_kind {
	TERM_WORD,
	TERM_FIELD, /* of the row */
	TERM_PHASE, /* a time of the row: number */
	TERM_NEEDS, /* one of the services that were asked */
	TERM_PATH,  /* of the record */
};

struct term {
	enum term_kind kind;
	char op; /* '=', '>', '<' */
	bool negated, exact;
	int number; /* enum row_field, a phase's number, or TIME_TOTAL */
	char key[FILTER_TEXT], value[FILTER_TEXT];
	double amount; /* of value: ns if it has a unit */
};

struct filter {
	size_t count;
	struct term terms[FILTER_TERMS];
};

static const char *const times[] = {"tcp", "prelogin", "tls", "login", "auth", "total"};
#define TIMES	   ((int)(sizeof(times) / sizeof(times[0])))
#define TIME_TOTAL (TIMES - 1)

/* "500ms", "2s", "1.5m" in ns, a plain number as it is. False: it is neither. */
static bool parse_amount(const char *text, double *amount)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"", 1},	 {"ns", 1},   {"us", 1e3},  {"ms", 1e6},
		     {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
	char *end;

	*amount = strtod(text, &end);
	if (end == text)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		*amount *= units[i].ns;
		return true;
	}
	return false;
}

/* The next term's characters, without its quotes, into out. NULL: it does not fit or end. */
static const char *next_word(const char *at, char out[FILTER_TEXT], bool *end)
{
	bool quoted = false;
	size_t len = 0;

	while (isspace((unsigned char)*at))
		at++;
	*end = !*at;
	for (; *at && (quoted || !isspace((unsigned char)*at)); at++) {
		if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		if (len + 1 >= FILTER_TEXT)
			return NULL;
		out[len++] = *at;
	}
	out[len] = '\0';
	return quoted ? NULL : at;
}

static void find_key(struct term *term)
{
	for (int i = 0; i < ROW_FIELDS; i++)
		if (!strcasecmp(term->key, row_field_name((enum row_field)i))) {
			term->kind = TERM_FIELD;
			term->number = i;
			return;
		}
	for (int i = 0; i < TIMES; i++)
		if (!strcasecmp(term->key, times[i])) {
			term->kind = TERM_PHASE;
			term->number = i;
			return;
		}
	term->kind = strcasecmp(term->key, "dependency") ? TERM_PATH : TERM_NEEDS;
}

static int parse_term(struct term *term, char *word, char why[FILTER_WHY])
{
	size_t len = strcspn(word, "=<>");
	bool has_op = word[len] && len;

	*term = (struct term){.negated = *word == '!' && !has_op};
	if (!has_op) {
		snprintf(term->value, FILTER_TEXT, "%s", word + term->negated);
		return 0;
	}
	term->op = word[len];
	term->negated = word[len - 1] == '!';
	snprintf(term->key, FILTER_TEXT, "%.*s", (int)(len - term->negated), word);
	term->exact = term->op == '=' && word[len + 1] == '=';
	snprintf(term->value, FILTER_TEXT, "%s", word + len + 1 + term->exact);
	find_key(term);
	if (term->kind == TERM_PATH && !strchr(term->key, '.') &&
	    !isalpha((unsigned char)*term->key)) {
		snprintf(why, FILTER_WHY,
			 "'%.40s' is no field: use client, server, app, verdict, total ...",
			 term->key);
		return -1;
	}
	if ((term->op != '=' || term->kind == TERM_PHASE) &&
	    !parse_amount(term->value, &term->amount)) {
		snprintf(why, FILTER_WHY, "'%.40s' is no number or time: use 500ms, 2s or 18456",
			 term->value);
		return -1;
	}
	return 0;
}

struct filter *filter_parse(const char *text, char why[FILTER_WHY])
{
	struct filter *filter = calloc(1, sizeof(*filter));
	char word[FILTER_TEXT];
	bool end;

	*why = '\0';
	if (!filter) {
		snprintf(why, FILTER_WHY, "out of memory");
		return NULL;
	}
	for (const char *at = text ?: "";;) {
		at = next_word(at, word, &end);
		if (!at)
			snprintf(why, FILTER_WHY,
				 "the filter has a quotation mark without its end, or is too long");
		if (!at || end)
			break;
		if (filter->count == FILTER_TERMS)
			snprintf(why, FILTER_WHY, "more than %d conditions", FILTER_TERMS);
		if (*why || parse_term(&filter->terms[filter->count], word, why))
			break;
		filter->count++;
	}
	if (!*why && filter->count)
		return filter;
	free(filter);
	return NULL;
}

void filter_free(struct filter *filter)
{
	free(filter);
}

bool filter_needs_record(const struct filter *filter)
{
	for (size_t i = 0; filter && i < filter->count; i++)
		if (filter->terms[i].kind == TERM_PATH)
			return true;
	return false;
}

static bool compare(char op, double have, double want)
{
	return op == '>' ? have > want : op == '<' ? have < want : have == want;
}

static bool match_text(const struct term *term, const char *have)
{
	double amount;

	if (term->op == '=' && (term->exact || !*term->value))
		return !strcasecmp(have, term->value);
	if (term->op == '=')
		return strcasestr(have, term->value);
	return parse_amount(have, &amount) && compare(term->op, amount, term->amount);
}

static bool match_path(const struct term *term, const json_t *record)
{
	const json_t *value = record ? row_path(record, term->key) : NULL;
	char text[32];

	if (json_is_string(value))
		return match_text(term, json_string_value(value));
	if (json_is_boolean(value))
		return match_text(term, json_is_true(value) ? "true" : "false");
	if (!json_is_number(value))
		return term->op == '=' && (!*term->value || !strcasecmp(term->value, "null"));
	if (term->op != '=')
		return compare(term->op, json_number_value(value), term->amount);
	snprintf(text, sizeof(text), "%.17g", json_number_value(value));
	return !strcmp(text, term->value);
}

static bool match_word(const struct term *term, const struct row *row)
{
	char id[20];

	for (int i = 0; i < ROW_FIELDS; i++)
		if (strcasestr(row_text(row, (enum row_field)i), term->value))
			return true;
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)row->id);
	return strcasestr(id, term->value) ||
	       (row->sentence && strcasestr(row->sentence, term->value));
}

/* An outcome may be named by its class: outcome=failed. */
static bool match_field(const struct term *term, const struct row *row)
{
	const char *have = row_text(row, (enum row_field)term->number);

	if (term->number == ROW_OUTCOME && !strcasecmp(term->value, row_text(row, ROW_CLASS)))
		return true;
	if (term->number == ROW_ERROR && term->op == '=')
		return !strcmp(have, term->value);
	return match_text(term, have);
}

static bool match_time(const struct term *term, const struct row *row)
{
	uint64_t ns = term->number == TIME_TOTAL ? row->total_ns : row->phase_ns[term->number];

	return ns != ROW_NO_NS && compare(term->op, (double)ns, term->amount);
}

static bool match_needs(const struct term *term, const struct row *row)
{
	for (int i = 0; i < row->need_count; i++)
		if (match_text(term, row->needs[i].peer->text))
			return true;
	return !row->need_count && !*term->value;
}

static bool match_term(const struct term *term, const struct row *row, const json_t *record)
{
	switch (term->kind) {
	case TERM_FIELD:
		return match_field(term, row);
	case TERM_PHASE:
		return match_time(term, row);
	case TERM_NEEDS:
		return match_needs(term, row);
	case TERM_PATH:
		return match_path(term, record);
	default:
		return match_word(term, row);
	}
}

bool filter_match(const struct filter *filter, const struct row *row, const json_t *record)
{
	for (size_t i = 0; filter && i < filter->count; i++)
		if (match_term(&filter->terms[i], row, record) == filter->terms[i].negated)
			return false;
	return true;
}
