/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_old.h - the text of requests before TDS 7, where a character is one byte. If the login was
 * not seen, it also finds out whether a text is in single bytes or in UTF-16.
 */
#ifndef TDSMON_SQL_OLD_H
#define TDSMON_SQL_OLD_H

#include "lib/cursor.h"
#include "engine/record.h"
#include "engine/protocol/sql_text.h"

/*
 * Find the width of a statement's characters from its bytes. In UTF-16, each character that SQL
 * uses has a zero byte; a text in single bytes has no zero and no control character. If both
 * readings are possible, the text is in single bytes if it then begins as SQL does; else the result
 * is SQL_WIDTH_UNKNOWN. cut: the text continues.
 */
enum sql_width sql_text_width(const uint8_t *p, size_t n, bool cut);

/* The same for the head of an RPC: the name's length, the name, flags. */
enum sql_width sql_rpc_width(struct cursor c);

/* A procedure's name in single bytes, after its length of one byte or two. */
struct cursor sql_old_name(struct cursor *c);

/*
 * The kind of a TDS 5 request, by the first byte of its first packet. COMMAND_COUNT: not a request.
 */
enum command_kind sql_old_kind(uint8_t token);

/*
 * Find the statement in the tokens of a TDS 5 request, and the procedure that it calls. A cursor is
 * bad if its part was not found. goes_on: more of the statement was not captured.
 */
void sql_old_tokens(struct cursor c, struct cursor *text, struct cursor *procedure, bool *goes_on);

#endif
