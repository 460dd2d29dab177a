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

/* Where one of these is named, a secret may stand. Lower case. */
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
	/* procedures that take a password by its position */
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
	/* what hands text to another program or server */
	"cmdshell",
	"openrowset",
	"opendatasource",
	"openquery",
	"sp_oamethod",
	"sp_oasetproperty",
	"external_rest_endpoint",
};

/* The same, as words of their own or parts of a name: user_pass, not bypass. */
static const char *const sensitive_words[] = {"pass", "pin", "token", "otp"};

/* Of EXEC's arguments, the bare words that are no text. */
static const char *const argument_words[] = {
	"default", "null", "output", "out", "with", "recompile", "as", "login", "user", "at", "n",
};

/* Words that begin another statement, and so end EXEC's arguments. */
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

/* ---- what it names ---- */

/* The end of the first place where name stands, whole: as a word of its own. NULL: nowhere. */
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

/* A URL with a password in it, https://user:password@host: behind its "://". NULL: none. */
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

/* The end of what is named first, in the folded text; NULL: nothing. */
static const char *sensitive_end(const char *text)
{
	const char *first = url_end(text);

	for (size_t i = 0; i < sizeof(sensitive) / sizeof(sensitive[0]); i++)
		first_of(&first, name_end(text, sensitive[i], false));
	for (size_t i = 0; i < sizeof(sensitive_words) / sizeof(sensitive_words[0]); i++)
		first_of(&first, name_end(text, sensitive_words[i], true));
	return first;
}

/* Is a string executed? What it says may be put together so that no search finds it. */
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

/* ---- what is left of it ---- */

/* Where in EXEC [@status =] procedure argument, ... */
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

/* Behind the closing character of what is quoted from p on; doubled it is within. NULL: none. */
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

/* A name behind EXEC: the procedure's, unless more of it follows or it takes the status. */
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

/* A number, and a binary literal, too. */
static const char *number_end(const char *p)
{
	p += *p == '$';
	while (is_digit(*p) || is_letter(*p) || *p == '.' ||
	       ((*p == '+' || *p == '-') && (p[-1] | 0x20) == 'e'))
		p++;
	return p;
}

/* One step of the statement. False: what begins here does not end, and is not told. */
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

/* The text up to end without its literals. goes_on: there is more, and it is not told. */
static char *masked(const char *text, const char *end, bool goes_on)
{
	/* A digit, and a word of one letter, becomes three characters. */
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

/* What decides how much of a text is told. */
struct found {
	const char *end; /* behind what is named first; NULL: nothing */
	bool dynamic;
};

/* Look for names in one reading of the text. 0 or -ENOMEM. */
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
	char *told = NULL;

	if (!search(&found, text, SQL_AS_WRITTEN) && !search(&found, text, SQL_JOINED)) {
		if (found.end || cut || found.dynamic)
			told = masked(text, found.end ?: text + strlen(text), found.end);
		else
			told = strdup(text);
	}
	wipe_text(text);
	return told;
}
