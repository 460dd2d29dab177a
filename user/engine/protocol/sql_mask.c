/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_mask.c - see sql_mask.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/protocol/sql_fold.h"
#include "engine/protocol/sql_mask.h"
#include "lib/wipe.h"

#define MASK "***"

/* A secret may follow one of these names. Lower case. */
static const char *const sensitive[] = {
	"password",
	"passwd",
	"passphrase",
	"passcode",
	"passwort",
	"kennwort",
	"contrase",
	"senha",
	"motdepasse",
	"pwd",
	"secret",
	"credential",
	"cookie",
	"bearer",
	"sig=",
	"?code=",
	"&code=",
	"apikey",
	"api_key",
	"accesskey",
	"access_key",
	"accountkey",
	"privatekey",
	"private_key",
	"sharedaccess",
	"key_source",
	"identity_value",
	"hashbytes",
	"encryptby",
	"decryptby",
	"signby",
	"authorization'",
	"authorization:",
	/* procedures with a password as a positional argument */
	"sp_addlogin",
	"approle",
	"remotelogin",
	"srvlogin",
	"change_users_login",
	"adddistributor",
	"link_publication",
	"sysmail_add_account",
	"sysmail_update_account",
	"xp_startmail",
	/* ways to pass text to another program or server */
	"cmdshell",
	"openrowset",
	"opendatasource",
	"openquery",
	"sp_oamethod",
	"sp_oasetproperty",
	"external_rest_endpoint",
};

/* Likewise, but as words of their own or parts of a name: user_pass, not bypass. */
static const char *const sensitive_words[] = {"pass", "pin", "token", "otp"};

/* The bare words among EXEC's arguments that are not text. */
static const char *const argument_words[] = {
	"default", "null", "output", "out", "with", "recompile", "as", "login", "user", "at", "n",
};

/* Words that begin another statement, and thereby end EXEC's arguments. */
static const char *const statement_words[] = {
	"select",  "insert",  "update",	  "delete", "set",	 "declare",  "create",
	"alter",   "drop",    "begin",	  "end",    "commit",	 "rollback", "if",
	"else",	   "while",   "print",	  "return", "grant",	 "revoke",   "deny",
	"backup",  "restore", "use",	  "go",	    "open",	 "close",    "exec",
	"execute", "waitfor", "truncate", "merge",  "raiserror", "throw",
};

static bool is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '@' || c == '#' || c == '$';
}

/* ---- names that a secret may follow ---- */

/*
 * The end of the first occurrence of name. whole: only as a word of its own. NULL: not found.
 */
static const char *name_end(const char *text, const char *name, bool whole)
{
	size_t len = strlen(name);

	for (const char *p = text; (p = strstr(p, name)); p++) {
		char before = p > text ? p[-1] : ' ', after = p[len];

		if (!whole || (!is_letter(before) && !is_letter(after) && !is_digit(after)))
			return p + len;
	}
	return NULL;
}

/*
 * Find a URL with a password, https://user:password@host. Returns the place after "://". NULL:
 * not found.
 */
static const char *url_end(const char *text)
{
	for (const char *p = text; (p = strstr(p, "://"));) {
		p += 3;
		if (p[strcspn(p, "@/?#'\" \t\r\n")] == '@')
			return p;
	}
	return NULL;
}

static void first_of(const char **first, const char *end)
{
	if (end && (!*first || end < *first))
		*first = end;
}

/* The end of the first sensitive name in the folded text; NULL: not found. */
static const char *sensitive_end(const char *text)
{
	const char *first = url_end(text);

	for (size_t i = 0; i < sizeof(sensitive) / sizeof(sensitive[0]); i++)
		first_of(&first, name_end(text, sensitive[i], false));
	for (size_t i = 0; i < sizeof(sensitive_words) / sizeof(sensitive_words[0]); i++)
		first_of(&first, name_end(text, sensitive_words[i], true));
	return first;
}

/*
 * Does the text execute a string? That string may be assembled so that no search finds a name in
 * it.
 */
static bool is_dynamic(const char *text)
{
	for (const char *p = text; (p = strstr(p, "exec"));) {
		char before = p > text ? p[-1] : ' ';

		p += 4;
		if (!is_word(before) && *sql_skip_blank(p + (strncmp(p, "ute", 3) ? 0 : 3)) == '(')
			return true;
	}
	return false;
}

/* ---- the masked text ---- */

/* The position in EXEC [@status =] procedure argument, ... */
enum exec {
	EXEC_NONE,
	EXEC_NAME,
	EXEC_ARGUMENTS,
};

struct mask {
	const char *p, *end; /* of the text */
	char *out;
	enum exec exec;
};

static void mask_put(struct mask *m, const char *text, size_t len)
{
	memcpy(m->out, text, len);
	m->out += len;
}

/* Copy up to next, but not beyond the end. */
static void mask_copy(struct mask *m, const char *next)
{
	mask_put(m, m->p, (size_t)((next < m->end ? next : m->end) - m->p));
	m->p = next;
}

static void mask_instead(struct mask *m, const char *next, const char *text)
{
	mask_put(m, text, strlen(text));
	m->p = next;
}

/*
 * The place after the closing character of the quoted text that begins at p. A doubled one does not
 * close it. NULL: nothing closes it.
 */
static const char *quoted_end(const char *p, char close)
{
	for (p++; *p; p++) {
		if (*p == close && p[1] != close)
			return p + 1;
		p += *p == close;
	}
	return NULL;
}

static bool is_one_of(const char *p, size_t len, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) == len && !strncasecmp(p, words[i], len))
			return true;
	}
	return false;
}

#define IS_ONE_OF(p, len, words) is_one_of(p, len, words, sizeof(words) / sizeof((words)[0]))

/*
 * A name after EXEC is the procedure's, unless more of the name follows or it receives the status.
 */
static void mask_named(struct mask *m, const char *next)
{
	char c = *sql_skip_blank(next);

	if (m->exec == EXEC_NAME && c != '.' && c != '=')
		m->exec = EXEC_ARGUMENTS;
}

/* A bare word among EXEC's arguments is text, as if it were in quotes. */
static void mask_word(struct mask *m)
{
	const char *next = m->p;
	size_t len;

	while (is_word(*next))
		next++;
	len = (size_t)(next - m->p);
	if (IS_ONE_OF(m->p, len, statement_words))
		m->exec = EXEC_NONE;
	if (m->exec == EXEC_ARGUMENTS && *m->p != '@' && !IS_ONE_OF(m->p, len, argument_words)) {
		mask_instead(m, next, MASK);
		return;
	}
	if (IS_ONE_OF(m->p, len, ((const char *const[]){"exec", "execute"})))
		m->exec = EXEC_NAME;
	else if (m->exec == EXEC_NAME && IS_ONE_OF(m->p, len, ((const char *const[]){"as"})))
		m->exec = EXEC_NONE; /* EXECUTE AS LOGIN */
	else
		mask_named(m, next);
	mask_copy(m, next);
}

/* The end of a number or a binary literal. */
static const char *number_end(const char *p)
{
	p += *p == '$';
	while (is_digit(*p) || is_letter(*p) || *p == '.' ||
	       ((*p == '+' || *p == '-') && (p[-1] | 0x20) == 'e'))
		p++;
	return p;
}

/*
 * Mask one step of the statement. False: the element that begins here does not end, and is left
 * out.
 */
static bool mask_step(struct mask *m)
{
	const char *p = m->p, *next;

	if (*p == '\'' || *p == '"') {
		next = quoted_end(p, *p);
		if (next)
			mask_instead(m, next, "'" MASK "'");
		return next;
	}
	if (*p == '[') {
		next = quoted_end(p, ']');
		if (!next)
			return false;
		mask_named(m, next);
		mask_instead(m, next, "[" MASK "]");
		return true;
	}
	if (!strncmp(p, "/*", 2) || !strncmp(p, "--", 2)) {
		next = sql_comment_end(p);
		if (next)
			mask_instead(m, next, " ");
		return next;
	}
	if (is_digit(*p) || (*p == '$' && is_digit(p[1]))) {
		mask_instead(m, number_end(p), MASK);
		return true;
	}
	if (is_word(*p)) {
		mask_word(m);
		return true;
	}
	if (*p == ';' || *p == '(')
		m->exec = EXEC_NONE;
	mask_copy(m, p + 1);
	return true;
}

/*
 * The text up to end without its literals. goes_on: the text continues, but the rest is left out.
 */
static char *masked(const char *text, const char *end, bool goes_on)
{
	/* A digit, or a word of one letter, becomes three characters. */
	char *out = malloc(3 * strlen(text) + sizeof(" " MASK));
	struct mask m = {.p = text, .end = end, .out = out};

	while (out && m.p < end) {
		if (!mask_step(&m)) {
			goes_on = true;
			break;
		}
	}
	if (out)
		strcpy(m.out, goes_on ? " " MASK : "");
	return out;
}

/* The findings that decide how much of a text is shown. */
struct found {
	const char *end; /* the end of the first sensitive name; NULL: none */
	bool dynamic;
};

/* Search one reading of the text for names. Returns 0 or -ENOMEM. */
static int search(struct found *found, const char *text, enum sql_reading reading)
{
	struct sql_folded folded;
	const char *end;
	int err = sql_fold(&folded, text, reading);

	if (err)
		return err;
	end = sensitive_end(folded.text);
	if (end)
		first_of(&found->end, text + folded.at[end - folded.text - 1]);
	found->dynamic |= is_dynamic(folded.text);
	sql_folded_release(&folded);
	return 0;
}

char *sql_mask(char *text, bool cut)
{
	struct found found = {0};
	char *result = NULL;

	if (!search(&found, text, SQL_AS_WRITTEN) && !search(&found, text, SQL_JOINED)) {
		if (found.end || cut || found.dynamic)
			result = masked(text, found.end ?: text + strlen(text), found.end);
		else
			result = strdup(text);
	}
	wipe_text(text);
	return result;
}
