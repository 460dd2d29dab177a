/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_text.c - see sql_text.h. Layouts: ALL_HEADERS MS-TDS 2.2.5.3, SQLBatch 2.2.6.7, RPC 2.2.6.6,
 * types 2.2.5.4 and 2.2.5.5.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cursor.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/sql_text.h"
#include "engine/protocol/sql_mask.h"
#include "engine/protocol/sql_old.h"
#include "engine/protocol/wire_text.h"

#define HEADERS_MAX 2048 /* bytes; three headers are defined, the longest has some hundred bytes */
#define NO_TEXT	    -1
#define COLLATION   5
#define CHAR_NULL   0xffff
#define PLP	    0xffff /* a maximum length that means "any" */
#define PLP_NULL    UINT64_MAX

/* Data types of the parameters before a statement, and of the statement. */
enum {
	TYPE_INT4 = 0x38,
	TYPE_INTN = 0x26,
	TYPE_NTEXT = 0x63,
	TYPE_NVARCHAR = 0xe7,
	TYPE_NCHAR = 0xef,
};

/* System procedures by ProcID, MS-TDS 2.2.6.6, and which of their parameters is the statement. */
static const struct procedure {
	const char *name;
	int statement;
} procedures[] = {
	[1] = {"sp_cursor", NO_TEXT},	   [2] = {"sp_cursoropen", 1},
	[3] = {"sp_cursorprepare", 2},	   [4] = {"sp_cursorexecute", NO_TEXT},
	[5] = {"sp_cursorprepexec", 3},	   [6] = {"sp_cursorunprepare", NO_TEXT},
	[7] = {"sp_cursorfetch", NO_TEXT}, [8] = {"sp_cursoroption", NO_TEXT},
	[9] = {"sp_cursorclose", NO_TEXT}, [10] = {"sp_executesql", 0},
	[11] = {"sp_prepare", 2},	   [12] = {"sp_execute", NO_TEXT},
	[13] = {"sp_prepexec", 2},	   [14] = {"sp_prepexecrpc", 1},
	[15] = {"sp_unprepare", NO_TEXT},
};

#define PROCEDURES (sizeof(procedures) / sizeof(procedures[0]))

void sql_add(struct sql *s, const uint8_t *data, uint32_t len)
{
	uint32_t n = len < SQL_BYTES_MAX - s->len ? len : SQL_BYTES_MAX - s->len;

	if (s->cut)
		return;
	s->cut = !data || n < len;
	if (!data)
		return;
	memcpy(s->data + s->len, data, n);
	s->len += n;
}

/* True: since TDS 7.2. Before, text stands here, which is too large if read as a length. */
static bool skip_headers(struct cursor *c)
{
	struct cursor at = *c;
	uint32_t total = cursor_le32(&at), first = cursor_le32(&at);
	uint16_t type = cursor_le16(&at);

	if (total != 4 && (at.bad || total > HEADERS_MAX || first < 6 || first > total - 4 ||
			   type < 1 || type > 3))
		return false;
	cursor_skip(c, total);
	return true;
}

/* Take a statement in single bytes, up to the limit. */
static void take_bytes(struct sql_text *t, struct cursor text, bool more)
{
	size_t n = cursor_left(&text);

	t->cut = more || n > SQL_CHARS_MAX;
	t->text = text_bytes(text.p, n < SQL_CHARS_MAX ? n : SQL_CHARS_MAX);
}

/* Take at most that many bytes of UTF-16 at the cursor: those that are there, up to the limit. */
static void take_text(struct sql_text *t, struct cursor *c, uint64_t bytes, bool more)
{
	size_t n = bytes < cursor_left(c) ? (size_t)bytes : cursor_left(c);

	t->cut = more || n < bytes;
	if (n > 2 * SQL_CHARS_MAX) {
		n = 2 * SQL_CHARS_MAX;
		t->cut = true;
	}
	if (n >= 2 && t->cut && (c->p[n / 2 * 2 - 1] & 0xfc) == 0xd8)
		n -= 2; /* half of a surrogate pair */
	t->text = text_utf16(c->p, n);
}

/* A value of any length, in chunks. In practice the first chunk is the statement. */
static void take_plp(struct sql_text *t, struct cursor *c)
{
	struct cursor next;
	uint64_t total = cursor_le(c, 8);
	uint32_t chunk = cursor_le32(c);

	if (c->bad || total == PLP_NULL)
		return;
	next = *c;
	cursor_skip(&next, chunk);
	take_text(t, c, chunk, cursor_le32(&next) > 0 || next.bad);
}

/* Read a parameter's type and value. take: it is the statement. False: it can't be stepped over. */
static bool parameter(struct cursor *c, struct sql_text *t, bool take)
{
	uint32_t most, len;
	uint8_t type;

	cursor_skip(c, 2 * (size_t)cursor_u8(c)); /* the parameter's name */
	cursor_skip(c, 1);			  /* status */
	type = cursor_u8(c);
	switch (type) {
	case TYPE_INT4:
		cursor_skip(c, 4);
		return !take;
	case TYPE_INTN:
		cursor_skip(c, 1);
		cursor_skip(c, cursor_u8(c));
		return !take;
	case TYPE_NTEXT:
		cursor_skip(c, 4 + COLLATION);
		len = cursor_le32(c);
		break;
	case TYPE_NVARCHAR:
	case TYPE_NCHAR:
		most = cursor_le16(c);
		cursor_skip(c, COLLATION);
		if (most == PLP && take)
			take_plp(t, c);
		if (most == PLP)
			return take;
		len = cursor_le16(c);
		len = len == CHAR_NULL ? UINT32_MAX : len;
		break;
	default:
		return false;
	}
	if (len == UINT32_MAX || c->bad)
		return !c->bad && !take;
	if (take)
		take_text(t, c, len, false);
	cursor_skip(c, len);
	return true;
}

static const struct procedure *procedure_named(const char *name)
{
	for (size_t i = 1; name && i < PROCEDURES; i++) {
		if (!strcasecmp(name, procedures[i].name))
			return &procedures[i];
	}
	return NULL;
}

static void read_rpc(struct sql_text *t, struct cursor *c)
{
	const struct procedure *p = NULL;
	uint16_t chars = cursor_le16(c), id;
	struct cursor name;

	if (chars == 0xffff) {
		id = cursor_le16(c);
		if (c->bad || !id || id >= PROCEDURES)
			return;
		p = &procedures[id];
		t->procedure = strdup(p->name);
	} else {
		name = cursor_sub(c, 2 * (size_t)chars);
		if (!name.bad)
			t->procedure = text_utf16(name.p, cursor_left(&name));
		p = procedure_named(t->procedure);
	}
	cursor_skip(c, 2); /* option flags */
	for (int i = 0; p && i <= p->statement; i++) {
		if (!parameter(c, t, i == p->statement))
			return;
	}
}

static void read_old_name(struct sql_text *t, struct cursor name)
{
	if (cursor_left(&name))
		t->procedure = text_bytes(name.p, cursor_left(&name));
}

static void read_tokens(struct sql_text *t, struct cursor c)
{
	struct cursor text, procedure;
	bool goes_on;

	sql_old_tokens(c, &text, &procedure, &goes_on);
	read_old_name(t, procedure);
	if (cursor_left(&text))
		take_bytes(t, text, goes_on);
}

/* The width that the request itself shows, apart from the text that is taken from it. */
static enum sql_width request_width(const struct sql *s, struct cursor *c)
{
	if (s->width)
		return (enum sql_width)s->width;
	if (s->type == TDS_NORMAL_OLD)
		return SQL_WIDTH_BYTE;
	if (skip_headers(&(struct cursor){.p = c->p, .end = c->end}))
		return SQL_WIDTH_UTF16;
	if (s->type == TDS_RPC)
		return sql_rpc_width(*c);
	return sql_text_width(c->p, cursor_left(c), s->cut);
}

static void read_text(struct sql_text *t, const struct sql *s)
{
	struct cursor c = cursor_init(s->data, s->len);

	t->width = request_width(s, &c);
	if (t->width == SQL_WIDTH_UNKNOWN)
		return;
	if (t->width == SQL_WIDTH_UTF16) {
		skip_headers(&c);
		if (s->type == TDS_RPC)
			read_rpc(t, &c);
		else
			take_text(t, &c, cursor_left(&c), s->cut);
		return;
	}
	if (s->type == TDS_NORMAL_OLD)
		read_tokens(t, c);
	else if (s->type == TDS_RPC)
		read_old_name(t, sql_old_name(&c));
	else
		take_bytes(t, c, s->cut);
}

void sql_read(struct sql_text *t, const struct sql *s)
{
	*t = (struct sql_text){0};
	read_text(t, s);
	if (t->text)
		t->text = sql_mask(t->text, t->cut);
}

void sql_text_release(struct sql_text *t)
{
	free(t->text);
	free(t->procedure);
}
