/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_old.c - see sql_old.h. Layouts: TDS 5.0 Functional Specification, MS-SSTDS 2.2.6.
 */
#include <string.h>
#include <strings.h>

#include "engine/protocol/sql_old.h"
#include "lib/wire_int.h"

/* Tokens of TDS 5 requests */
enum {
	TOKEN_LANGUAGE = 0x21,
	TOKEN_CURDECLARE2 = 0x23,
	TOKEN_DYNAMIC2 = 0x62,
	TOKEN_LOGOUT = 0x71,
	TOKEN_CURCLOSE = 0x80, /* to 0x84: the other cursor requests */
	TOKEN_CUROPEN = 0x84,
	TOKEN_CURDECLARE = 0x86,
	TOKEN_OPTIONCMD = 0xa6,
	TOKEN_DBRPC = 0xe6,
	TOKEN_DYNAMIC = 0xe7,
	TOKEN_DBRPC2 = 0xe8,
};

#define RPC_FLAGS   0x07 /* the bits used of an RPC's option flags; the others are zero */
#define CERTAIN_LEN 16	 /* this many bytes of ASCII are not UTF-16 by chance */

/* A T-SQL batch begins with one of these, or with the name of a procedure. */
static const char *const beginnings[] = {
	"select",    "insert",	   "update",	 "delete",	"exec",	  "execute",	"use",
	"set",	     "declare",	   "create",	 "alter",	"drop",	  "begin",	"commit",
	"rollback",  "save",	   "if",	 "while",	"with",	  "print",	"dbcc",
	"grant",     "revoke",	   "deny",	 "truncate",	"backup", "restore",	"dump",
	"load",	     "kill",	   "waitfor",	 "merge",	"bulk",	  "return",	"raiserror",
	"throw",     "shutdown",   "open",	 "fetch",	"close",  "deallocate", "disable",
	"enable",    "goto",	   "checkpoint", "reconfigure", "lock",	  "prepare",	"readtext",
	"writetext", "updatetext",
};

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(uint8_t c)
{
	return c == '_' || c == '@' || c == '#' || c == '$' || c == '.' || (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
}

/* Are these bytes free of control characters, except white space? */
static bool reads_as_bytes(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((p[i] < 0x20 && !is_space(p[i])) || p[i] == 0x7f)
			return false;
	}
	return true;
}

static bool is_surrogate(uint32_t unit, uint32_t first)
{
	return unit >= first && unit < first + 0x400;
}

/* Are these whole UTF-16 characters without control characters? */
static bool reads_as_utf16(const uint8_t *p, size_t n, bool cut)
{
	if (n % 2 && !cut)
		return false;
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t unit = le16_at(p + i), next;

		if ((unit < 0x20 && !is_space((uint8_t)unit)) || unit == 0x7f || unit >= 0xfffe ||
		    is_surrogate(unit, 0xdc00))
			return false;
		if (!is_surrogate(unit, 0xd800))
			continue;
		if (i + 3 >= n)
			return cut;
		i += 2;
		next = le16_at(p + i);
		if (!is_surrogate(next, 0xdc00))
			return false;
	}
	return true;
}

static bool begins_as_sql(const uint8_t *p, size_t n)
{
	while (n && (is_space(*p) || *p == '(' || *p == ';'))
		p++, n--;
	if (n >= 2 && (!memcmp(p, "--", 2) || !memcmp(p, "/*", 2)))
		return true;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		size_t len = strlen(beginnings[i]);

		if (n >= len && !strncasecmp((const char *)p, beginnings[i], len) &&
		    (n == len || !is_word(p[len])))
			return true;
	}
	return false;
}

static bool is_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!p[i] || p[i] >= 0x80)
			return false;
	}
	return true;
}

enum sql_width sql_text_width(const uint8_t *p, size_t n, bool cut)
{
	bool bytes, utf16;

	/* Some clients end a statement in single bytes with a NUL. */
	if (n % 2 && !cut && n > 1 && !p[n - 1])
		n--;
	bytes = reads_as_bytes(p, n);
	utf16 = reads_as_utf16(p, n, cut);
	if (!n || (!bytes && !utf16))
		return SQL_WIDTH_UNKNOWN;
	if (bytes != utf16)
		return bytes ? SQL_WIDTH_BYTE : SQL_WIDTH_UTF16;
	return begins_as_sql(p, n) || (n >= CERTAIN_LEN && is_ascii(p, n)) ? SQL_WIDTH_BYTE
									   : SQL_WIDTH_UNKNOWN;
}

struct cursor sql_old_name(struct cursor *c)
{
	/* After a count of one byte comes the name, which does not begin with a NUL. */
	bool two = cursor_left(c) >= 2 && !c->p[1];

	return cursor_sub(c, two ? cursor_le16(c) : cursor_u8(c));
}

/* Is this a name in single bytes, followed by option flags or by nothing? */
static bool is_old_call(struct cursor c)
{
	struct cursor name = sql_old_name(&c);
	uint16_t flags = cursor_left(&c) >= 2 ? cursor_le16(&c) : 0;

	return cursor_left(&name) && is_ascii(name.p, cursor_left(&name)) &&
	       reads_as_bytes(name.p, cursor_left(&name)) && !(flags & ~RPC_FLAGS);
}

static bool is_call(struct cursor c)
{
	uint16_t chars = cursor_le16(&c);
	struct cursor name = cursor_sub(&c, 2 * (size_t)chars);
	uint16_t flags = cursor_left(&c) >= 2 ? cursor_le16(&c) : 0;

	return cursor_left(&name) && reads_as_utf16(name.p, cursor_left(&name), false) &&
	       !(flags & ~RPC_FLAGS);
}

enum sql_width sql_rpc_width(struct cursor c)
{
	if (cursor_left(&c) >= 2 && c.p[0] == 0xff && c.p[1] == 0xff)
		return SQL_WIDTH_UTF16; /* a number instead of a name: since TDS 7.1 */
	/* A UTF-16 name whose first half is ASCII without a NUL has no flags in its middle. */
	if (is_old_call(c))
		return SQL_WIDTH_BYTE;
	return is_call(c) ? SQL_WIDTH_UTF16 : SQL_WIDTH_UNKNOWN;
}

enum command_kind sql_old_kind(uint8_t token)
{
	switch (token) {
	case TOKEN_LANGUAGE:
	case TOKEN_OPTIONCMD:
		return COMMAND_BATCH;
	case TOKEN_DBRPC:
	case TOKEN_DBRPC2:
	case TOKEN_DYNAMIC:
	case TOKEN_DYNAMIC2:
	case TOKEN_CURDECLARE:
	case TOKEN_CURDECLARE2:
		return COMMAND_RPC;
	case TOKEN_LOGOUT:
		return COMMAND_COUNT;
	}
	return token >= TOKEN_CURCLOSE && token <= TOKEN_CUROPEN ? COMMAND_RPC : COMMAND_UNKNOWN;
}

/* Take n bytes, or as many as there are. */
static struct cursor take_most(struct cursor *c, size_t n, bool *goes_on)
{
	*goes_on = n > cursor_left(c);
	return cursor_sub(c, *goes_on ? cursor_left(c) : n);
}

/* u8 type, u8 status, identifier, and the statement after its length of width bytes. */
static struct cursor dynamic_text(struct cursor c, size_t width, bool *goes_on)
{
	size_t n;

	cursor_skip(&c, 2);
	cursor_skip(&c, cursor_u8(&c));
	n = (size_t)cursor_le(&c, width);
	return take_most(&c, n, goes_on);
}

/* The cursor's name, u8 options, u8 status, and the statement after its length of width bytes. */
static struct cursor cursor_text(struct cursor c, size_t width, bool *goes_on)
{
	size_t n;

	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, width); /* u8 options and status; u32 and u8 in the wide form */
	if (width == 4)
		cursor_skip(&c, 1);
	n = (size_t)cursor_le(&c, width);
	return take_most(&c, n, goes_on);
}

void sql_old_tokens(struct cursor c, struct cursor *text, struct cursor *procedure, bool *goes_on)
{
	uint8_t token = cursor_u8(&c);
	uint32_t len;

	*text = *procedure = (struct cursor){.bad = true};
	*goes_on = false;
	switch (token) {
	case TOKEN_LANGUAGE: /* u32 length, u8 status, text */
		len = cursor_le32(&c);
		cursor_skip(&c, 1);
		if (len)
			*text = take_most(&c, len - 1, goes_on);
		return;
	case TOKEN_DBRPC:
	case TOKEN_DBRPC2:
		cursor_skip(&c, 2);
		*procedure = sql_old_name(&c);
		return;
	case TOKEN_DYNAMIC:
	case TOKEN_DYNAMIC2:
		len = token == TOKEN_DYNAMIC ? 2 : 4;
		cursor_skip(&c, len);
		*text = dynamic_text(c, len, goes_on);
		return;
	case TOKEN_CURDECLARE:
	case TOKEN_CURDECLARE2:
		len = token == TOKEN_CURDECLARE ? 2 : 4;
		cursor_skip(&c, len);
		*text = cursor_text(c, len, goes_on);
		return;
	}
}
