/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_old.h - the text of requests before TDS 7, where a character is one byte; and which of the
 * two a text is where the login was not seen.
 */
#ifndef TDSMON_SQL_OLD_H
#define TDSMON_SQL_OLD_H

#include "lib/cursor.h"
#include "engine/record.h"
#include "engine/protocol/sql_text.h"

/*
 * How wide a statement's characters are, told by its bytes. In UTF-16 what SQL is written with has
 * a zero byte in each character, and a text in single bytes has no zero and no control character.
 * Where both readings are possible it is single bytes if it then begins as SQL does; else
 * SQL_WIDTH_UNKNOWN. cut: the text goes on.
 */
enum sql_width sql_text_width(const uint8_t *p, size_t n, bool cut);

/* The same for the head of an RPC: its name's length, the name, flags. */
enum sql_width sql_rpc_width(struct cursor c);

/* A procedure's name with its length before it, of one byte or two, in single bytes. */
struct cursor sql_old_name(struct cursor *c);

/* What a TDS 5 request is by the first byte of its first packet; COMMAND_COUNT: no request. */
enum command_kind sql_old_kind(uint8_t token);

/*
 * The statement in the tokens of a TDS 5 request, and the procedure called; bad where there is
 * none. goes_on: more of the statement was not captured.
 */
void sql_old_tokens(struct cursor c, struct cursor *text, struct cursor *procedure, bool *goes_on);

#endif
