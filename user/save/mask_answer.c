/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_answer.c - see mask.h: the tokens of a server's message, MS-TDS 2.2.7.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/redact.h"
#include "lib/cursor.h"
#include "save/mask.h"

/* An error's text as redact.c takes it: a byte for each character, none of them 0. */
static char *text_of(const uint8_t *p, uint32_t chars, uint32_t width)
{
	char *text = malloc(chars + 1u);

	for (uint32_t i = 0; text && i < chars; i++) {
		uint32_t c = width == 1 ? p[i] : le16_at(p + 2 * i);

		text[i] = c && c < 0x80 ? (char)c : '\1';
	}
	if (text)
		text[chars] = '\0';
	return text;
}

/* Mark which characters of an error's text stay. */
static void mask_text(const struct mask_message *m, uint32_t from, uint32_t chars, uint32_t width)
{
	char *text, *masked;

	if (chars * width > m->len - from)
		return;
	/* Sybase ends its messages with a line feed, which is no part of their text. */
	while (width == 1 && chars && strchr("\n ", m->data[from + chars - 1]))
		mask_mark(m, from + --chars, 1, MASK_SHOW);
	text = text_of(m->data + from, chars, width);
	masked = text_of(m->data + from, chars, width);
	if (masked)
		redact_in_place(masked);
	for (uint32_t i = 0; text && masked && i < chars; i++) {
		bool shown = text[i] == masked[i] && text[i] != '\1';

		mask_mark(m, from + i * width, 1, shown ? MASK_SHOW : MASK_LETTER);
		if (width == 2)
			mask_mark(m, from + i * width + 1, 1, shown ? MASK_SHOW : MASK_ZERO);
	}
	free(text);
	free(masked);
}

/* A name of so many characters, after a byte that counts them: the byte stays. */
static void mask_name(const struct mask_message *m, struct cursor *c, uint32_t width)
{
	uint32_t count = cursor_u8(c);

	if (c->bad)
		return;
	mask_mark(m, (uint32_t)(c->p - m->data) - 1, 1, MASK_SHOW);
	mask_mark(m, (uint32_t)(c->p - m->data), count * width, MASK_ZERO);
	cursor_skip(c, (size_t)count * width);
}

static uint32_t place(const struct mask_message *m, const struct cursor *c)
{
	return (uint32_t)(c->p - m->data);
}

/* Number, state and class stay; of the text what redact.c shows; names of server and procedure go. */
static void mask_error(const struct mask_message *m, struct cursor c, uint32_t width)
{
	uint32_t chars;

	mask_mark(m, place(m, &c), 4 + 1 + 1 + 2, MASK_SHOW);
	cursor_skip(&c, 4 + 1 + 1);
	chars = cursor_le16(&c);
	if (c.bad)
		return;
	mask_text(m, place(m, &c), chars, width);
	cursor_skip(&c, (size_t)chars * width);
	mask_name(m, &c, width);
	mask_name(m, &c, width);
	if (!c.bad) /* the line */
		mask_mark(m, place(m, &c), (uint32_t)cursor_left(&c), MASK_SHOW);
}

/* TDS 5's extended error, see tds_answer.c. */
static void mask_eed(const struct mask_message *m, struct cursor c)
{
	uint32_t from = place(m, &c), chars;

	mask_mark(m, from, (uint32_t)cursor_left(&c), MASK_ZERO);
	cursor_skip(&c, 4 + 1 + 1);
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 1 + 2);
	chars = cursor_le16(&c);
	if (c.bad)
		return;
	mask_mark(m, from, place(m, &c) - from, MASK_SHOW);
	mask_text(m, place(m, &c), chars, 1);
	cursor_skip(&c, chars);
	mask_name(m, &c, 1);
	mask_name(m, &c, 1);
	if (!c.bad)
		mask_mark(m, place(m, &c), (uint32_t)cursor_left(&c), MASK_SHOW);
}

/* {u8 id, u32 length, data}: data goes. */
static void mask_features(const struct mask_message *m, struct cursor c)
{
	while (cursor_left(&c)) {
		uint32_t from = place(m, &c), len;

		if (cursor_u8(&c) == L7_FEATURE_END) {
			mask_mark(m, from, 1, MASK_SHOW);
			return;
		}
		len = cursor_le32(&c);
		mask_mark(m, from, 5, MASK_SHOW);
		mask_mark(m, from + 5, len, MASK_ZERO);
		cursor_skip(&c, len);
	}
}

/* The database, packet size, collation and the like; no other change is read. */
static bool change_is_shown(uint8_t type)
{
	return (type >= ENV_DATABASE && type <= ENV_COLLATION) || type == ENV_ROUTING ||
	       type == ENV_ENHANCED_ROUTING;
}

/* A token whose length is a u16, which stays. */
static void mask_sized(const struct mask_message *m, const struct tds_token *t, uint8_t kind)
{
	uint32_t body = t->from + 3, len = t->len - 3;
	struct cursor c = cursor_init(m->data + body, len);

	mask_mark(m, t->from, 3, MASK_SHOW);
	switch (kind) {
	case TOKEN_ERROR:
	case TOKEN_INFO:
		mask_error(m, c, t->width);
		break;
	case TOKEN_EED:
		mask_eed(m, c);
		break;
	case TOKEN_SSPI:
		mask_sspi(m, body, len);
		break;
	case TOKEN_LOGINACK:
	case TOKEN_ORDER:
	case TOKEN_CAPABILITY:
		mask_mark(m, body, len, MASK_SHOW);
		break;
	case TOKEN_ENVCHANGE:
		mask_mark(m, body, len, MASK_ZERO);
		if (len)
			mask_mark(m, body, change_is_shown(*c.p) ? len : 1, MASK_SHOW);
		break;
	default:
		mask_mark(m, body, len, MASK_ZERO);
	}
}

/* A token that is cut: its name and its length stay, so that every reader stops here too. */
static void mask_cut(const struct mask_message *m, const struct tds_token *t, uint8_t kind)
{
	bool sized = kind >= TOKEN_ORDER && kind < TOKEN_DONE;

	mask_mark(m, t->from, 1, MASK_SHOW);
	if (!sized || (kind == TOKEN_FEATUREEXTACK && !t->old))
		return;
	mask_mark(m, t->from + 1, kind == TOKEN_SESSIONSTATE || kind == TOKEN_FEDAUTHINFO ? 4 : 2,
		  MASK_SHOW);
}

static void mask_token(void *ctx, const struct tds_token *t)
{
	const struct mask_message *m = ctx;
	uint8_t kind = m->data[t->from];

	if (!t->whole) {
		mask_cut(m, t, kind);
		return;
	}
	if (m->identities && (kind == TOKEN_ERROR || kind == TOKEN_INFO || kind == TOKEN_EED)) {
		mask_mark(m, t->from, t->len, MASK_SHOW);
		return;
	}
	switch (kind) {
	case TOKEN_DONE:
	case TOKEN_DONEPROC:
	case TOKEN_DONEINPROC:
	case TOKEN_OFFSET:
	case TOKEN_RETURNSTATUS:
	case TOKEN_PROCID:
	case TOKEN_LOGOUT:
	case TOKEN_MSG:
		mask_mark(m, t->from, t->len, MASK_SHOW);
		return;
	case TOKEN_FEATUREEXTACK:
		if (t->old)
			break;
		mask_mark(m, t->from, 1, MASK_SHOW);
		mask_features(m, cursor_init(m->data + t->from + 1, t->len - 1));
		return;
	case TOKEN_SESSIONSTATE:
	case TOKEN_FEDAUTHINFO:
		if (kind == TOKEN_FEDAUTHINFO && t->old)
			break;
		mask_mark(m, t->from, t->len, MASK_ZERO);
		mask_mark(m, t->from, 5, MASK_SHOW);
		return;
	}
	mask_sized(m, t, kind);
}

void mask_answer(const struct mask_message *m, enum tds_era era)
{
	tds_tokens(m->data, m->len, era, mask_token, (void *)m);
}
