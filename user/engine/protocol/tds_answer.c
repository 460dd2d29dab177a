/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds_answer.c - the token stream of a login's response: MS-TDS 2.2.7; before TDS 7, MS-SSTDS 2.2.7
 * and the TDS 5.0 Functional Specification, with one byte a character.
 */
#include <stdlib.h>

#include "lib/cursor.h"
#include "engine/protocol/tds.h"
#include "engine/protocol/wire_text.h"

#define DONE_ATTENTION	0x20
#define DONE_LONG	12 /* bytes: u16 status, u16 command, u64 count; before TDS 7.2 u32 count */
#define DONE_SHORT	8
#define ERROR_CLASS_MIN 11 /* a lower class is information */

#define ERROR_MESSAGE_MAX 4096 /* bytes; SQL Server's have 2,048 characters at most */

/* LOGINACK's first byte in TDS 5: 5 logged in, 6 refused, 7 the client must continue. */
#define ACK5_OK	     5
#define ACK5_REFUSED 6

struct walk {
	struct tds_answer *a;
	enum tds_era era;
};

/* Bytes per character, if the layout does not show them. */
static uint32_t usual_width(const struct walk *w)
{
	return w->era == TDS_ERA_OLD ? 1 : 2;
}

static void skip_text(struct cursor *c, uint32_t count, uint32_t width)
{
	cursor_skip(c, (size_t)count * width);
}

/*
 * The width of a token's characters is the one at which its parts fill the token. That holds for
 * every version, even if the login was not seen. fits: whether a width does so.
 */
static uint32_t token_width(const struct walk *w, struct cursor c,
			    bool (*fits)(struct cursor, uint32_t))
{
	uint32_t usual = usual_width(w);

	return !fits(c, usual) && fits(c, 3 - usual) ? 3 - usual : usual;
}

static char *take_text(struct cursor text, uint32_t width)
{
	size_t n = cursor_left(&text);

	return width == 1 ? text_bytes(text.p, n) : text_utf16(text.p, n);
}

static char *take_name(struct cursor text, uint32_t width)
{
	size_t n = cursor_left(&text), most = (size_t)width * TEXT_NAME_MOST;

	text = cursor_init(text.p, n < most ? n : most);
	return take_text(text, width);
}

/* After number, state and class: text, server and procedure, and the line's u16 or u32. */
static bool error_fits(struct cursor c, uint32_t width)
{
	skip_text(&c, cursor_le16(&c), width);
	skip_text(&c, cursor_u8(&c), width);
	skip_text(&c, cursor_u8(&c), width);
	return !c.bad && (cursor_left(&c) == 2 || cursor_left(&c) == 4);
}

static void error_set(struct tds_answer *a, int32_t number, uint8_t state, uint8_t class_)
{
	a->has_error = true;
	a->error.number = number;
	a->error.state = state;
	a->error.class_ = class_;
}

/* The first error of class 11 or more is reported, else the first. */
static bool error_counts(const struct tds_answer *a, uint8_t class_)
{
	return !a->has_error || (a->error.class_ < ERROR_CLASS_MIN && class_ >= ERROR_CLASS_MIN);
}

static void error_text(struct tds_answer *a, struct cursor text, uint32_t width)
{
	size_t n = cursor_left(&text) < ERROR_MESSAGE_MAX ? cursor_left(&text) : ERROR_MESSAGE_MAX;

	/* Sybase ends its messages with a line feed. */
	while (width == 1 && n && (text.p[n - 1] == '\n' || text.p[n - 1] == ' '))
		n--;
	text_set(&a->error.message, take_text(cursor_init(text.p, n), width));
}

/* i32 number, u8 state, u8 class, US_VARCHAR message, ...: MS-TDS 2.2.7.10, MS-SSTDS 2.2.7.11 */
static void answer_error(struct walk *w, struct cursor c)
{
	int32_t number = (int32_t)cursor_le32(&c);
	uint8_t state = cursor_u8(&c), class_ = cursor_u8(&c);
	uint32_t width = token_width(w, c, error_fits);
	struct cursor text = cursor_sub(&c, (size_t)cursor_le16(&c) * width);

	if (c.bad || !error_counts(w->a, class_))
		return;
	error_set(w->a, number, state, class_);
	error_text(w->a, text, width);
}

/*
 * TDS 5's extended error: i32 number, u8 state, u8 class, SQL state, u8 status, u16 state of the
 * transaction, message, ... It also carries information messages.
 */
static void answer_eed(struct walk *w, struct cursor c)
{
	int32_t number = (int32_t)cursor_le32(&c);
	uint8_t state = cursor_u8(&c), class_ = cursor_u8(&c);
	struct cursor text;

	w->era = TDS_ERA_OLD;
	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 1 + 2);
	text = cursor_sub(&c, cursor_le16(&c));
	if (c.bad || class_ < ERROR_CLASS_MIN || !error_counts(w->a, class_))
		return;
	error_set(w->a, number, state, class_);
	error_text(w->a, text, 1);
}

/*
 * MS SQL Server reports its version to TDS 4.2 clients as 0x5F, major, minor, 0xFF, without a
 * build. Any other version that begins with 0x5F is unknown.
 */
static void server_version(char text[TEXT_VERSION], uint32_t tds, const uint8_t v[4])
{
	if (tds >> 24 != 4 || v[0] != 0x5f)
		text_version(text, v);
	else if (v[3] == 0xff)
		text_version(text, (const uint8_t[]){v[1], v[2], 0, 0});
}

/* MS-TDS 2.2.7.14 */
static void answer_loginack(struct walk *w, struct cursor c)
{
	struct tds_answer *a = w->a;
	uint8_t status = cursor_u8(&c);
	uint32_t version = cursor_be32(&c),
		 width = version >> 24 == 4 || version >> 24 == 5 ? 1 : 2;
	struct cursor name = cursor_sub(&c, cursor_u8(&c) * width);
	const uint8_t *v = cursor_take(&c, 4);

	if (c.bad)
		return;
	w->era = tds_era(version);
	if (version >> 24 == 5 && status != ACK5_OK) {
		a->refused |= status == ACK5_REFUSED;
		return;
	}
	a->version = version;
	a->loginack = true;
	text_set(&a->program, take_name(name, width));
	server_version(a->server_version, version, v);
}

/* After the type: the new value and the old one. */
static bool change_fits(struct cursor c, uint32_t width)
{
	skip_text(&c, cursor_u8(&c), width);
	skip_text(&c, cursor_u8(&c), width);
	return !c.bad && !cursor_left(&c);
}

static struct cursor change_value(const struct walk *w, struct cursor c, uint32_t *width)
{
	*width = token_width(w, c, change_fits);
	return cursor_sub(&c, cursor_u8(&c) * *width);
}

/* A packet size is decimal text. */
static int32_t change_number(struct cursor value, uint32_t width)
{
	int32_t n = 0;

	while (cursor_left(&value) && n < 100000) {
		uint64_t digit = cursor_le(&value, width);

		if (digit < '0' || digit > '9')
			break;
		n = n * 10 + (int32_t)(digit - '0');
	}
	return n;
}

/* MS-TDS 2.2.7.9, MS-SSTDS 2.2.7.10 */
static void answer_envchange(struct walk *w, struct cursor c)
{
	struct tds_answer *a = w->a;
	uint8_t type = cursor_u8(&c);
	struct cursor value;
	uint32_t width;
	uint16_t port;

	switch (type) {
	case ENV_DATABASE:
		value = change_value(w, c, &width);
		if (!value.bad)
			text_set(&a->database, take_name(value, width));
		return;
	case ENV_PACKET_SIZE:
		value = change_value(w, c, &width);
		a->packet_size = change_number(value, width);
		return;
	case ENV_ROUTING:
	case ENV_ENHANCED_ROUTING:
		value = cursor_sub(&c, cursor_le16(&c));
		cursor_skip(&value, 1);
		port = cursor_le16(&value);
		value = cursor_sub(&value, cursor_le16(&value) * 2u);
		if (value.bad || !cursor_left(&value))
			return;
		text_set(&a->redirect_host, take_name(value, 2));
		a->redirect_port = port;
		return;
	}
}

static void answer_done(struct walk *w, struct cursor *c)
{
	uint16_t status = cursor_le16(c);
	bool is_short = w->era == TDS_ERA_OLD || w->era == TDS_ERA_70 ||
			(w->era == TDS_ERA_UNKNOWN && cursor_left(c) == DONE_SHORT - 2);

	cursor_skip(c, (is_short ? DONE_SHORT : DONE_LONG) - 2);
	if (c->bad)
		return;
	w->a->done = true;
	if (status & DONE_ATTENTION)
		w->a->attention_ack = true;
}

/* {u8 id, u32 length, data} until 0xFF. The token has no length of its own. MS-TDS 2.2.7.11 */
static void answer_features(struct tds_answer *a, struct cursor *c)
{
	uint8_t id;

	while (!c->bad && (id = cursor_u8(c)) != 0xff && !c->bad) {
		cursor_skip(c, cursor_le32(c));
		if (!c->bad)
			tds_feature_add(&a->features, id);
	}
}

/* Read a token without a u16 length. False: this token has one, or is not known. */
static bool answer_odd(struct walk *w, uint8_t token, struct cursor *c)
{
	struct cursor body;

	switch (token) {
	case TOKEN_DONE:
	case TOKEN_DONEPROC:
	case TOKEN_DONEINPROC:
		answer_done(w, c);
		return true;
	case TOKEN_OFFSET:
	case TOKEN_RETURNSTATUS:
		cursor_skip(c, 4);
		return true;
	case TOKEN_PROCID:
		cursor_skip(c, 8);
		return true;
	case TOKEN_LOGOUT:
		cursor_skip(c, 1);
		return true;
	case TOKEN_MSG:
		cursor_skip(c, cursor_u8(c));
		return true;
	case TOKEN_SESSIONSTATE:
		cursor_skip(c, cursor_le32(c));
		return true;
	case TOKEN_FEATUREEXTACK:
		if (w->era == TDS_ERA_OLD)
			return false;
		answer_features(w->a, c);
		return true;
	case TOKEN_FEDAUTHINFO:
		if (w->era == TDS_ERA_OLD)
			return false;
		body = cursor_sub(c, cursor_le32(c));
		w->a->fedauth_info |= !body.bad;
		return true;
	}
	return false;
}

static void answer_sspi(struct walk *w, struct cursor body)
{
	if (w->a->sspi)
		return;
	w->a->sspi = true;
	w->a->sspi_token = body.p;
	w->a->sspi_len = (uint32_t)cursor_left(&body);
}

/* Tokens with a u16 length. read NULL: they are stepped over. */
static const struct {
	uint8_t token;
	void (*read)(struct walk *w, struct cursor body);
} sized[] = {
	{TOKEN_ERROR, answer_error},
	{TOKEN_INFO, NULL},
	{TOKEN_LOGINACK, answer_loginack},
	{TOKEN_ENVCHANGE, answer_envchange},
	{TOKEN_SSPI, answer_sspi},
	{TOKEN_EED, answer_eed},
	{TOKEN_ORDER, NULL},
	{TOKEN_CAPABILITY, NULL},
	{TOKEN_PARAMFMT, NULL},
	{TOKEN_FEATUREEXTACK, NULL}, /* CONTROL and ROWFMT: answer_odd() reads the other meanings */
	{TOKEN_FEDAUTHINFO, NULL},
};

/* Read one token. False: it can't be stepped over. */
static bool answer_token(struct walk *w, struct cursor *c)
{
	uint8_t token = cursor_u8(c);
	struct cursor body;

	if (answer_odd(w, token, c))
		return true;
	for (size_t i = 0; i < sizeof(sized) / sizeof(sized[0]); i++) {
		if (sized[i].token != token)
			continue;
		body = cursor_sub(c, cursor_le16(c));
		if (!body.bad && sized[i].read)
			sized[i].read(w, body);
		return !body.bad;
	}
	return false;
}

void tds_answer_parse(struct tds_answer *a, const uint8_t *data, uint32_t len, enum tds_era era)
{
	struct cursor c = cursor_init(data, len);
	struct walk w = {a, era};

	tds_answer_init(a);
	while (cursor_left(&c)) {
		if (!answer_token(&w, &c))
			return;
	}
	a->walked = !c.bad;
	a->features.known = a->walked && a->loginack && w.era != TDS_ERA_OLD;
}

static uint32_t answer_width(const struct walk *w, const uint8_t *p, uint32_t len)
{
	struct cursor c = cursor_init(p, len);
	uint8_t token = cursor_u8(&c);

	cursor_skip(&c, 2);
	switch (token) {
	case TOKEN_ERROR:
	case TOKEN_INFO:
		cursor_skip(&c, 4 + 1 + 1);
		return token_width(w, c, error_fits);
	case TOKEN_ENVCHANGE:
		cursor_skip(&c, 1);
		return token_width(w, c, change_fits);
	}
	return usual_width(w);
}

void tds_tokens(const uint8_t *data, uint32_t len, enum tds_era era, tds_token_fn *fn, void *ctx)
{
	struct cursor c = cursor_init(data, len);
	struct tds_answer answer = {.packet_size = -1};
	struct walk w = {&answer, era};
	struct tds_token token = {.whole = true};

	while (token.whole && cursor_left(&c)) {
		const uint8_t *from = c.p;

		token.from = (uint32_t)(from - data);
		token.whole = answer_token(&w, &c) && !c.bad;
		token.len = token.whole ? (uint32_t)(c.p - from) : len - token.from;
		token.width = (uint8_t)answer_width(&w, from, token.len);
		token.old = w.era == TDS_ERA_OLD;
		fn(ctx, &token);
	}
	tds_answer_release(&answer);
}

void tds_answer_release(struct tds_answer *a)
{
	free(a->program);
	free(a->error.message);
	free(a->redirect_host);
	free(a->database);
	tds_answer_init(a);
}
