// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Answers the requests of clients after the login, so that real clients can go on. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bulk.h"
#include "conn.h"
#include "rpc.h"

/* MS-TDS 2.2.5.4; the widths are those of a COLMETADATA */
enum { TYPE_INTN = 0x26, TYPE_BIGVARCHAR = 0xa7, TYPE_NVARCHAR = 0xe7 };
enum { COMMAND_SELECT = 0xc1, COMMAND_INSERT = 0xc3 };
/* MS-TDS 2.2.6.9 */
enum { TM_BEGIN = 5, TM_COMMIT = 7, TM_ROLLBACK = 8, TM_THEN_BEGIN = 1 };

enum { PREPARED_HANDLE = 1, MAX_ROW_WIDTH = 8000, DEFAULT_ROW_WIDTH = 100 };

static const char digits[] = "0123456789";

/* The message after ALL_HEADERS: MS-TDS 2.2.5.3 */
static struct reader content(const struct conn *c, const struct session *s)
{
	struct reader r = {buf_head(&s->msg), buf_len(&s->msg), false};

	if (tds_at_least(c->version, TDS_7_2)) {
		uint32_t n = read_le32(&r);

		if (n >= 4)
			read_bytes(&r, n - 4);
	}
	return r;
}

/* The statement that the message runs; "" if none. The caller frees it. It contains no NUL. */
static char *statement(const struct conn *c, const struct session *s, struct rpc *rpc)
{
	struct reader r = content(c, s);
	char *text;

	*rpc = (struct rpc){0};
	if (s->msg_type == TDS_RPC) {
		const char *found = NULL;

		rpc_parse(rpc, r.p, r.left, tds_at_least(c->version, TDS_7_1));
		if (rpc->proc == RPC_EXECUTESQL || rpc->proc == RPC_CURSOROPEN)
			found = rpc->text[0];
		else if (rpc->proc == RPC_PREPARE || rpc->proc == RPC_PREPEXEC)
			found = rpc->text[1];
		else if (rpc->proc == RPC_EXECUTE)
			found = s->prepared;
		text = strdup(found ? found : "");
	} else {
		text = malloc(r.left / 2 * 3 + 8);
		if (text)
			utf8_from_utf16(text, r.left / 2 * 3 + 8, r.p, r.left / 2);
	}
	if (!text)
		abort();
	return text;
}

unsigned command_wait_ms(const struct conn *c, const struct session *s)
{
	struct rpc rpc;
	unsigned h = 0, m = 0;
	double sec = 0;
	char *text, *at;

	if (s->msg_type != TDS_BATCH && s->msg_type != TDS_RPC)
		return 0;
	text = statement(c, s, &rpc);
	at = strcasestr(text, "waitfor delay '");
	if (at)
		sscanf(at + strlen("waitfor delay '"), "%u:%u:%lf", &h, &m, &sec);
	free(text);
	rpc_release(&rpc);
	return h * 3600000 + m * 60000 + (unsigned)(sec * 1000 + 0.5);
}

static void put_column(struct conn *c, struct session *s, unsigned type, unsigned len,
		       const char *name)
{
	if (tds_at_least(c->version, TDS_7_2))
		buf_le32(&s->body, 0); /* user type */
	else
		buf_le16(&s->body, 0);
	buf_le16(&s->body, 1); /* nullable */
	buf_u8(&s->body, type);
	if (type == TYPE_INTN) {
		buf_u8(&s->body, len);
	} else {
		buf_le16(&s->body, len);
		if (tds_at_least(c->version, TDS_7_1))
			buf_put(&s->body, tds_collation, 5);
	}
	buf_bvarchar(&s->body, name);
}

static void put_int(struct session *s, uint32_t value)
{
	buf_u8(&s->body, 4);
	buf_le32(&s->body, value);
}

/* A result of one column: an integer, or text unless that is NULL. */
static void put_value(struct conn *c, struct session *s, const char *name, uint32_t number,
		      const char *text)
{
	size_t at;

	buf_u8(&s->body, TOKEN_COLMETADATA);
	buf_le16(&s->body, 1);
	put_column(c, s, text ? TYPE_NVARCHAR : TYPE_INTN, text ? MAX_ROW_WIDTH : 4, name);
	buf_u8(&s->body, TOKEN_ROW);
	if (!text) {
		put_int(s, number);
		return;
	}
	at = buf_len(&s->body);
	buf_le16(&s->body, 0);
	buf_set_le16(&s->body, at, 2 * buf_utf16(&s->body, text));
}

/* The name in "... as name", of letters, digits and underscores. */
static void column_name(const char *expression, char *name, size_t size)
{
	const char *at = strcasestr(expression, " as ");
	size_t n = 0;

	if (at)
		for (at += 4; n + 1 < size && (isalnum((uint8_t)*at) || *at == '_'); at++)
			name[n++] = *at;
	name[n] = 0;
}

static bool starts(const char *text, const char *with)
{
	return !strncasecmp(text, with, strlen(with));
}

/* Write the value of a SELECT of a literal or a well-known expression; for others 1. */
static void put_select(struct conn *c, struct session *s, const char *expression)
{
	char name[64], text[1000] = "";
	size_t n;

	column_name(expression, name, sizeof(name));
	if (*expression == '\'' || starts(expression, "N'")) {
		expression = strchr(expression, '\'') + 1;
		n = strcspn(expression, "'");
		snprintf(text, sizeof(text), "%.*s", (int)n, expression);
		put_value(c, s, name, 0, text);
	} else if (strspn(expression, digits)) {
		put_value(c, s, name, strtoul(expression, NULL, 10), NULL);
	} else if (starts(expression, "@@version")) {
		snprintf(text, sizeof(text), "%s (tdsmon test server)", c->cfg->product);
		put_value(c, s, name, 0, text);
	} else if (starts(expression, "@@spid")) {
		put_value(c, s, name, c->spid, NULL);
	} else if (starts(expression, "@@max_precision")) {
		put_value(c, s, name, 38, NULL);
	} else if (starts(expression, "db_name")) {
		put_value(c, s, name, 0, c->database);
	} else if (starts(expression, "serverproperty")) {
		snprintf(text, sizeof(text), "%u.%u.%u.0", c->cfg->product_version >> 24,
			 c->cfg->product_version >> 16 & 0xff, c->cfg->product_version & 0xffff);
		put_value(c, s, name, 0, text);
	} else {
		put_value(c, s, name, 1, NULL);
	}
}

static void put_done(struct conn *c, struct session *s, enum token token, unsigned status,
		     unsigned command, uint64_t rows)
{
	token_done(&s->body, token, c->version, status, command, rows);
}

/* Only "rows N", or rows=N and width=M in a comment. */
static uint64_t wanted_rows(const char *text, unsigned *width)
{
	const char *rows = starts(text, "rows ") ? text + 5 : strstr(text, "rows=");
	const char *w = strstr(text, "width=");

	*width = w ? strtoul(w + 6, NULL, 10) : DEFAULT_ROW_WIDTH;
	if (*width > MAX_ROW_WIDTH)
		*width = MAX_ROW_WIDTH;
	if (rows && *rows == 'r')
		rows += 5;
	return rows ? strtoull(rows, NULL, 10) : 0;
}

static void begin_rows(struct conn *c, struct session *s, uint64_t rows, unsigned width)
{
	s->rows = s->rows_left = rows;
	s->row_width = width;
	buf_u8(&s->body, TOKEN_COLMETADATA);
	buf_le16(&s->body, 2);
	put_column(c, s, TYPE_INTN, 4, "id");
	put_column(c, s, TYPE_BIGVARCHAR, MAX_ROW_WIDTH, "payload");
}

void command_more_rows(struct conn *c, struct session *s)
{
	enum { STEP = 32 * 1024 };
	size_t stop = buf_len(&s->body) + STEP;

	for (; s->rows_left && buf_len(&s->body) < stop; s->rows_left--) {
		buf_u8(&s->body, TOKEN_ROW);
		put_int(s, s->rows - s->rows_left);
		buf_le16(&s->body, s->row_width);
		memset(buf_room(&s->body, s->row_width), 'x', s->row_width);
		buf_grow(&s->body, s->row_width);
	}
	if (!s->rows_left)
		put_done(c, s, TOKEN_DONE, DONE_COUNT, COMMAND_SELECT, s->rows);
	session_send(c, s, TDS_REPLY, !s->rows_left);
}

static void put_use(struct conn *c, struct session *s, const char *text)
{
	char name[200], said[300];
	size_t n;

	text += strspn(text, " [\"");
	n = strcspn(text, " ]\";\r\n");
	snprintf(name, sizeof(name), "%.*s", (int)n, text);
	token_env_text(&s->body, ENV_DATABASE, name, c->database);
	snprintf(said, sizeof(said), "Changed database context to '%s'.", name);
	token_message(&s->body, TOKEN_INFO, c->version, c->cfg->server_name,
		      &(struct message){5701, 2, 0, said});
	snprintf(c->database, sizeof(c->database), "%s", name);
}

static bool changes_data(const char *text)
{
	return starts(text, "insert") || starts(text, "update") || starts(text, "delete");
}

/* Write a statement's result, which ends with token and the status bits in more. */
static void put_statement(struct conn *c, struct session *s, const char *text, enum token token,
			  unsigned more)
{
	const char *select;
	unsigned width;
	uint64_t rows;

	text += strspn(text, " \t\r\n;");
	select = strcasestr(text, "select ");
	rows = wanted_rows(text, &width);
	if (rows && token == TOKEN_DONE) {
		begin_rows(c, s, rows, width);
	} else if (starts(text, "set fmtonly on") && select) {
		buf_u8(&s->body, TOKEN_COLMETADATA);
		buf_le16(&s->body, 1);
		put_column(c, s, TYPE_INTN, 4, "id");
		put_done(c, s, token, more, COMMAND_SELECT, 0);
	} else if (changes_data(text)) {
		put_done(c, s, token, more | (starts(text, "insert bulk") ? 0 : DONE_COUNT),
			 COMMAND_INSERT, 1);
	} else if (select) {
		put_select(c, s, select + 7 + strspn(select + 7, " "));
		put_done(c, s, token, more | DONE_COUNT, COMMAND_SELECT, 1);
	} else {
		if (starts(text, "use "))
			put_use(c, s, text + 4);
		put_done(c, s, token, more, 0, 0);
	}
}

static void put_return_handle(struct conn *c, struct session *s)
{
	buf_u8(&s->body, TOKEN_RETURNVALUE);
	buf_le16(&s->body, 0);
	buf_u8(&s->body, 0); /* its name */
	buf_u8(&s->body, 1); /* an output parameter */
	if (tds_at_least(c->version, TDS_7_2))
		buf_le32(&s->body, 0);
	else
		buf_le16(&s->body, 0);
	buf_le16(&s->body, 0);
	buf_u8(&s->body, TYPE_INTN);
	buf_u8(&s->body, 4);
	put_int(s, PREPARED_HANDLE);
}

static void run_rpc(struct conn *c, struct session *s)
{
	struct rpc rpc;
	char *text = statement(c, s, &rpc);

	/* A statement that is only prepared has no result yet. */
	if (*text && rpc.proc != RPC_PREPARE)
		put_statement(c, s, text, TOKEN_DONEINPROC, DONE_MORE);
	buf_u8(&s->body, TOKEN_RETURNSTATUS);
	buf_le32(&s->body, 0);
	if (rpc.proc == RPC_PREPARE || rpc.proc == RPC_PREPEXEC) {
		free(s->prepared);
		s->prepared = text;
		text = NULL;
		put_return_handle(c, s);
	}
	put_done(c, s, TOKEN_DONEPROC, 0, 0xe0, 0);
	free(text);
	rpc_release(&rpc);
}

static void run_batch(struct conn *c, struct session *s)
{
	struct rpc rpc;
	char *text = statement(c, s, &rpc);

	put_statement(c, s, text, TOKEN_DONE, 0);
	free(text);
}

static void begin(struct conn *c, struct session *s)
{
	c->transaction++;
	token_env_bytes(&s->body, ENV_BEGIN, &c->transaction, 8, NULL, 0);
}

static void run_transaction(struct conn *c, struct session *s)
{
	struct reader r = content(c, s);
	unsigned type = read_le16(&r);

	if (type == TM_BEGIN) {
		begin(c, s);
	} else if (type == TM_COMMIT || type == TM_ROLLBACK) {
		token_env_bytes(&s->body, type == TM_COMMIT ? ENV_COMMIT : ENV_ROLLBACK, NULL, 0,
				&c->transaction, 8);
		read_bytes(&r, 2 * read_u8(&r));
		if (read_u8(&r) & TM_THEN_BEGIN)
			begin(c, s);
	}
	put_done(c, s, TOKEN_DONE, 0, 0, 0);
}

void command_run(struct conn *c, struct session *s)
{
	if (s->msg_status & (STATUS_RESET | STATUS_RESET_SKIP))
		token_env_bytes(&s->body, ENV_RESET, NULL, 0, NULL, 0);
	switch (s->msg_type) {
	case TDS_BATCH:
		run_batch(c, s);
		break;
	case TDS_RPC:
		run_rpc(c, s);
		break;
	case TDS_TRANSACTION:
		run_transaction(c, s);
		break;
	case TDS_BULK:
		put_done(c, s, TOKEN_DONE, DONE_COUNT, COMMAND_INSERT,
			 bulk_rows(buf_head(&s->msg), buf_len(&s->msg), c->version));
		break;
	default:
		c->end = END_FIN;
		return;
	}
	if (!s->rows_left)
		session_send(c, s, TDS_REPLY, true);
}

void command_attention(struct conn *c, struct session *s, bool interrupts)
{
	/*
	 * As SQL Server does: the interrupted response ends, and the acknowledgement is a separate
	 * message.
	 */
	if (interrupts || s->rows_left) {
		s->rows_left = 0;
		put_done(c, s, TOKEN_DONE, DONE_ERROR, 0, 0);
		session_send(c, s, TDS_REPLY, true);
	}
	put_done(c, s, TOKEN_DONE, DONE_ATTN, 0, 0);
	session_send(c, s, TDS_REPLY, true);
}
