/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_fold.c - see sql_fold.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/protocol/sql_fold.h"
#include "lib/utf8.h"
#include "lib/wipe.h"

#define OTHER_CHARACTER '?'

/* Cyrillic letters that look like Latin ones, small and capital. */
static const struct {
	uint16_t small, capital;
	char latin;
} alike[] = {
	{0x430, 0x410, 'a'}, {0x435, 0x415, 'e'}, {0x43a, 0x41a, 'k'}, {0x43c, 0x41c, 'm'},
	{0x43e, 0x41e, 'o'}, {0x440, 0x420, 'p'}, {0x441, 0x421, 'c'}, {0x442, 0x422, 't'},
	{0x443, 0x423, 'y'}, {0x445, 0x425, 'x'}, {0x455, 0x405, 's'}, {0x456, 0x406, 'i'},
	{0x51d, 0x51c, 'w'}, {0x501, 0x500, 'd'},
};

/* Never returns NUL, which would end the text: a string may contain CHAR(0). */
static char fold_character(uint32_t cp)
{
	if (cp >= 0xff01 && cp <= 0xff5e) /* full-width forms of ASCII */
		cp -= 0xff01 - '!';
	if (cp >= 'A' && cp <= 'Z')
		return (char)(cp | 0x20);
	if (cp && cp < 0x80)
		return (char)cp;
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
		if (cp == alike[i].small || cp == alike[i].capital)
			return alike[i].latin;
	}
	return OTHER_CHARACTER;
}

const char *sql_comment_end(const char *p)
{
	uint32_t depth = 0;

	if (*p == '-')
		return strchr(p, '\n');
	for (; *p; p++) {
		if (p[0] == '/' && p[1] == '*') {
			depth++;
			p++;
		} else if (p[0] == '*' && p[1] == '/') {
			p++;
			if (!--depth)
				return p + 1;
		}
	}
	return NULL;
}

const char *sql_skip_blank(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n\v\f");
		if (strncmp(p, "/*", 2) && strncmp(p, "--", 2))
			return p;
		p = sql_comment_end(p) ?: p + strlen(p);
	}
}

/*
 * Read CHAR(80) or NCHAR(80): returns the place after it, and the character. NULL: p does not begin
 * one.
 */
static const char *character_call(const char *p, uint32_t *cp)
{
	const char *number;
	char *end;

	p += *p == 'n' || *p == 'N';
	if (strncasecmp(p, "char", 4))
		return NULL;
	p = sql_skip_blank(p + 4);
	if (*p != '(')
		return NULL;
	number = sql_skip_blank(p + 1);
	*cp = (uint32_t)strtoul(number, &end, strncasecmp(number, "0x", 2) ? 10 : 16);
	p = sql_skip_blank(end);
	return end > number && *p == ')' ? p + 1 : NULL;
}

/*
 * Does the string continue after p, by + or as the next argument of CONCAT? Returns the place where
 * it does; else NULL.
 */
static const char *string_goes_on(const char *p)
{
	uint32_t cp;

	p = sql_skip_blank(p);
	if (*p != '+' && *p != ',')
		return NULL;
	p = sql_skip_blank(p + 1);
	p += (*p == 'N' || *p == 'n') && p[1] == '\'';
	return *p == '\'' || character_call(p, &cp) ? p : NULL;
}

static void fold_put(struct sql_folded *f, size_t *n, uint32_t cp, size_t at)
{
	f->text[*n] = fold_character(cp);
	f->at[(*n)++] = (uint32_t)at;
}

/* Does a word begin at p? If not, CHAR there is the end of another word. */
static bool begins_word(const char *text, const char *p)
{
	char c = p > text ? p[-1] : ' ';

	return !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
	       c != '@';
}

/*
 * Step over the strings that are concatenated with the one that ends at p. Returns the place after
 * the opening quotes of the last one.
 */
static const char *join(const char *p, enum sql_reading reading)
{
	const char *next;

	if (reading == SQL_AS_WRITTEN)
		return p;

	while ((next = string_goes_on(p))) {
		p = next + strspn(next, "'");
		if (p == next)
			break; /* CHAR(80), which stands for a character */
	}
	return p;
}

static void fold_all(struct sql_folded *f, const char *text, enum sql_reading reading)
{
	const char *p = text, *next, *joined;
	size_t n = 0;
	uint32_t cp;

	while (*p) {
		if (*p == '\\' && p[1 + (p[1] == '\r')] == '\n') {
			p += 2 + (p[1] == '\r'); /* "\" at a line's end continues it */
			continue;
		}
		next = reading == SQL_JOINED && begins_word(text, p) ? character_call(p, &cp)
								     : NULL;
		if (next) {
			fold_put(f, &n, cp, (size_t)(next - text));
			p = join(next, reading);
		} else if (*p == '\'') {
			next = p + strspn(p, "'");
			joined = join(next, reading);
			if (joined == next)
				fold_put(f, &n, '\'', (size_t)(next - text));
			p = joined;
		} else {
			p += utf8_next(p, &cp);
			fold_put(f, &n, cp, (size_t)(p - text));
		}
	}
	f->text[n] = '\0';
}

int sql_fold(struct sql_folded *f, const char *text, enum sql_reading reading)
{
	size_t most = strlen(text) + 1;

	*f = (struct sql_folded){malloc(most), malloc(most * sizeof(*f->at))};
	if (!f->text || !f->at) {
		free(f->text);
		free(f->at);
		return -ENOMEM;
	}
	fold_all(f, text, reading);
	return 0;
}

void sql_folded_release(struct sql_folded *f)
{
	wipe_text(f->text);
	free(f->at);
	*f = (struct sql_folded){0};
}
