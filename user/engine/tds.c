/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds.c - see tds.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "cursor.h"
#include "tds.h"
#include "text.h"

/* PRELOGIN options, MS-TDS 2.2.6.5 */
enum {
	PL_VERSION = 0,
	PL_ENCRYPTION = 1,
	PL_INSTOPT = 2,
	PL_MARS = 4,
	PL_TRACEID = 5,
	PL_FEDAUTHREQUIRED = 6,
	PL_TERMINATOR = 0xff,
};

#define PL_OPTIONS_MAX 32

/* LOGIN7 fields, MS-TDS 2.2.6.4 */
enum {
	L7_FIXED = 86, /* TDS 7.0 and 7.1; later 94 */
	L7_HOST = 36,
	L7_USER = 40,
	L7_APP = 48,
	L7_EXTENSION = 56,
	L7_LIBRARY = 60,
	L7_DATABASE = 68,
	L7_SSPI = 78,
	L7_CHANGE_PASSWORD = 86,
	L7_SSPI_LONG = 90,
	L7_FEATURE_FEDAUTH = 0x02,
	L7_FEATURE_END = 0xff,
};

/* Tokens, MS-TDS 2.2.7 */
enum {
	TOKEN_RETURNSTATUS = 0x79,
	TOKEN_ORDER = 0xa9,
	TOKEN_ERROR = 0xaa,
	TOKEN_INFO = 0xab,
	TOKEN_LOGINACK = 0xad,
	TOKEN_FEATUREEXTACK = 0xae,
	TOKEN_ENVCHANGE = 0xe3,
	TOKEN_CAPABILITY = 0xe2, /* TDS 5 */
	TOKEN_SESSIONSTATE = 0xe4,
	TOKEN_EED = 0xe5, /* TDS 5 */
	TOKEN_SSPI = 0xed,
	TOKEN_FEDAUTHINFO = 0xee,
	TOKEN_DONE = 0xfd,
	TOKEN_DONEPROC = 0xfe,
	TOKEN_DONEINPROC = 0xff,
};

enum {
	ENV_DATABASE = 1,
	ENV_PACKET_SIZE = 4,
	ENV_ROUTING = 20,
	ENV_ENHANCED_ROUTING = 21,
};

#define DONE_ATTENTION	0x20
#define ERROR_CLASS_MIN 11 /* below it is information */

#define ERROR_MESSAGE_MAX 4096 /* bytes; SQL Server's have 2,048 characters at most */

const char *tds_version_name(uint32_t version)
{
	static const struct {
		uint32_t high;
		const char *name;
	} names[] = {{0x70, "7.0"}, {0x71, "7.1"}, {0x72, "7.2"}, {0x73, "7.3"}, {0x74, "7.4"}};

	/* LOGINACK's own forms, MS-TDS 2.2.7.14 */
	if (version == 0x07000000)
		return "7.0";
	if (version == 0x07010000)
		return "7.1";
	if (version == 0x08000000)
		return "8.0";
	if (version >> 24 == 0x05)
		return "5.0";
	if (version >> 24 == 0x04)
		return "4.2";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (version >> 24 == names[i].high)
			return names[i].name;
	}
	return NULL;
}

static enum encrypt_option encrypt_option(uint8_t v)
{
	/* 0x80: a client certificate, 0x20: reserved and ignored by SQL Server */
	switch (v & ~0xa0) {
	case 0:
		return ENCRYPT_OFF;
	case 1:
		return ENCRYPT_ON;
	case 2:
		return ENCRYPT_NOT_SUP;
	case 3:
		return ENCRYPT_REQ;
	}
	return ENCRYPT_NOT_SEEN;
}

static void prelogin_option(struct tds_prelogin *p, uint8_t option, struct cursor v)
{
	size_t n = cursor_left(&v);

	switch (option) {
	case PL_VERSION:
		if (n < 6)
			return;
		p->major = v.p[0];
		text_set(&p->version, text_version(v.p));
		return;
	case PL_ENCRYPTION:
		if (n)
			p->encryption = encrypt_option(v.p[0]);
		return;
	case PL_INSTOPT:
		if (n > 1)
			text_set(&p->instance, text_latin1(v.p, n));
		return;
	case PL_MARS:
		if (n)
			p->mars = v.p[0] == 1;
		return;
	case PL_TRACEID:
		if (n < 32)
			return;
		text_set(&p->connection_id, text_guid(v.p));
		text_set(&p->activity_id, text_guid(v.p + 16));
		return;
	case PL_FEDAUTHREQUIRED:
		if (n)
			p->fedauth = v.p[0] == 1;
		return;
	}
}

int tds_prelogin_parse(struct tds_prelogin *p, const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_init(data, len);

	*p = (struct tds_prelogin){.mars = -1, .fedauth = -1};
	if (len && data[0] != PL_VERSION)
		return -EPROTO;
	/* First that all of it is there, so that half a message states nothing. */
	for (int i = 0;; i++) {
		uint8_t option = cursor_u8(&c);
		uint32_t offset, n;

		if (c.bad)
			return 0;
		if (option == PL_TERMINATOR)
			break;
		offset = cursor_be16(&c);
		n = cursor_be16(&c);
		if (c.bad)
			return 0;
		if (i == PL_OPTIONS_MAX || (n && offset < 6))
			return -EPROTO;
		if (n && offset + n > len)
			return 0;
	}
	for (const uint8_t *at = data; *at != PL_TERMINATOR; at += 5) {
		uint32_t offset = (uint32_t)at[1] << 8 | at[2], n = (uint32_t)at[3] << 8 | at[4];

		if (n)
			prelogin_option(p, *at, cursor_init(data + offset, n));
	}
	return 1;
}

void tds_prelogin_release(struct tds_prelogin *p)
{
	free(p->version);
	free(p->instance);
	free(p->connection_id);
	free(p->activity_id);
	*p = (struct tds_prelogin){.mars = -1, .fedauth = -1};
}

/* The bytes of a variable field: {offset, count} at `at`, count in units of `unit` bytes. */
static struct cursor login7_field(const uint8_t *data, uint32_t len, uint32_t at, uint32_t unit)
{
	struct cursor c = cursor_init(data, len), value = cursor_init(data, len);
	uint32_t offset, n;

	cursor_skip(&c, at);
	offset = cursor_le16(&c);
	n = cursor_le16(&c) * unit;
	if (c.bad || !n)
		return (struct cursor){.bad = true};
	cursor_skip(&value, offset);
	return cursor_sub(&value, n);
}

static char *login7_text(const uint8_t *data, uint32_t len, uint32_t at)
{
	struct cursor v = login7_field(data, len, at, 2);

	return v.bad ? NULL : text_name(v.p, cursor_left(&v));
}

static void feature_add(struct feature_list *list, uint8_t id)
{
	if (list->count < FEATURES_MAX)
		list->ids[list->count++] = id;
}

static void login7_features(struct tds_login7 *l, const uint8_t *data, uint32_t len)
{
	struct cursor v = login7_field(data, len, L7_EXTENSION, 1);
	struct cursor c = cursor_init(data, len);

	cursor_skip(&c, cursor_le32(&v));
	if (v.bad)
		return;
	for (;;) {
		uint8_t id = cursor_u8(&c);
		struct cursor body;

		if (c.bad || id == L7_FEATURE_END) {
			l->features.known = !c.bad;
			return;
		}
		body = cursor_sub(&c, cursor_le32(&c));
		if (!body.bad)
			feature_add(&l->features, id);
		if (id == L7_FEATURE_FEDAUTH && cursor_left(&body))
			l->fedauth_library = (int8_t)(body.p[0] >> 1);
	}
}

static void login7_sspi(struct tds_login7 *l, const uint8_t *data, uint32_t len, uint32_t fixed)
{
	struct cursor c = cursor_init(data, len);
	uint32_t offset, n;

	cursor_skip(&c, L7_SSPI);
	offset = cursor_le16(&c);
	n = cursor_le16(&c);
	if (n == 0xffff && fixed > L7_SSPI_LONG) {
		c = cursor_init(data, len);
		cursor_skip(&c, L7_SSPI_LONG);
		n = cursor_le32(&c);
		if (!n)
			n = 0xffff;
	}
	if (c.bad || !n || offset >= len)
		return;
	l->sspi = data + offset;
	l->sspi_len = n < len - offset ? n : len - offset;
}

int tds_login7_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_init(data, len);
	uint8_t flags2, type_flags, flags3;
	uint32_t fixed;

	*l = (struct tds_login7){.fedauth_library = -1};
	cursor_skip(&c, 4); /* length; what we have is what counts */
	l->version = cursor_le32(&c);
	l->packet_size = cursor_le32(&c);
	cursor_skip(&c, 4 + 4 + 4 + 1);
	flags2 = cursor_u8(&c);
	type_flags = cursor_u8(&c);
	flags3 = cursor_u8(&c);
	cursor_skip(&c, 4 + 4);
	fixed = cursor_le16(&c); /* where the host name begins, the fixed part has ended */
	if (c.bad || len < L7_FIXED || !tds_version_name(l->version)) {
		*l = (struct tds_login7){.fedauth_library = -1};
		return -EPROTO;
	}
	l->integrated = flags2 & 0x80;
	l->read_only = type_flags & 0x20;
	l->host = login7_text(data, len, L7_HOST);
	l->user = login7_text(data, len, L7_USER);
	l->app = login7_text(data, len, L7_APP);
	l->driver = login7_text(data, len, L7_LIBRARY);
	l->database = login7_text(data, len, L7_DATABASE);
	l->change_password = flags3 & 0x01;
	if (flags3 & 0x10)
		login7_features(l, data, len);
	else
		l->features.known = true;
	login7_sspi(l, data, len, fixed);
	return 1;
}

void tds_login7_release(struct tds_login7 *l)
{
	free(l->host);
	free(l->user);
	free(l->app);
	free(l->driver);
	free(l->database);
	*l = (struct tds_login7){.fedauth_library = -1};
}

/* i32 number, u8 state, u8 class, US_VARCHAR message, ...: MS-TDS 2.2.7.10 */
static void answer_error(struct tds_answer *a, struct cursor c)
{
	int32_t number = (int32_t)cursor_le32(&c);
	uint8_t state = cursor_u8(&c), class_ = cursor_u8(&c);
	struct cursor text = cursor_sub(&c, cursor_le16(&c) * 2u);
	size_t bytes;

	if (c.bad || (a->has_error && a->error.class_ >= ERROR_CLASS_MIN))
		return;
	if (a->has_error && class_ < ERROR_CLASS_MIN)
		return;
	a->has_error = true;
	a->error.number = number;
	a->error.state = state;
	a->error.class_ = class_;
	bytes = cursor_left(&text) < ERROR_MESSAGE_MAX ? cursor_left(&text) : ERROR_MESSAGE_MAX;
	text_set(&a->error.message, text_utf16(text.p, bytes));
}

/* MS-TDS 2.2.7.14 */
static void answer_loginack(struct tds_answer *a, struct cursor c)
{
	struct cursor name;
	const uint8_t *v;
	uint8_t status;
	bool old;

	status = cursor_u8(&c);
	a->version = cursor_be32(&c);
	old = a->version >> 24 == 4 || a->version >> 24 == 5;
	name = cursor_sub(&c, cursor_u8(&c) * (old ? 1u : 2u));
	v = cursor_take(&c, 4);
	/* TDS 5: 5 is success, 6 failure, 7 goes on */
	if (c.bad || (old && status > 5)) {
		a->version = 0;
		return;
	}
	a->loginack = true;
	text_set(&a->program, old ? text_latin1(name.p, cursor_left(&name))
				  : text_name(name.p, cursor_left(&name)));
	text_set(&a->server_version, text_version(v));
}

static struct cursor b_varchar(struct cursor *c)
{
	return cursor_sub(c, cursor_u8(c) * 2u);
}

/* MS-TDS 2.2.7.9 */
static void answer_envchange(struct tds_answer *a, struct cursor c)
{
	uint8_t type = cursor_u8(&c);
	struct cursor value;
	uint16_t port;

	switch (type) {
	case ENV_DATABASE:
		value = b_varchar(&c);
		if (!value.bad)
			text_set(&a->database, text_name(value.p, cursor_left(&value)));
		return;
	case ENV_PACKET_SIZE: /* decimal text */
		value = b_varchar(&c);
		a->packet_size = 0;
		while (cursor_left(&value) && a->packet_size < 100000) {
			uint16_t digit = cursor_le16(&value);

			if (digit < '0' || digit > '9')
				break;
			a->packet_size = a->packet_size * 10 + (digit - '0');
		}
		return;
	case ENV_ROUTING:
	case ENV_ENHANCED_ROUTING:
		value = cursor_sub(&c, cursor_le16(&c));
		cursor_skip(&value, 1);
		port = cursor_le16(&value);
		value = cursor_sub(&value, cursor_le16(&value) * 2u);
		if (value.bad || !cursor_left(&value))
			return;
		text_set(&a->redirect_host, text_name(value.p, cursor_left(&value)));
		a->redirect_port = port;
		return;
	}
}

static void answer_done(struct tds_answer *a, struct cursor *c, bool old)
{
	uint16_t status = cursor_le16(c);

	cursor_skip(c, old ? 6 : 10);
	if (c->bad)
		return;
	a->done = true;
	if (status & DONE_ATTENTION)
		a->attention_ack = true;
}

/* {u8 id, u32 length, data} until 0xFF: it has no length of its own. MS-TDS 2.2.7.11 */
static void answer_features(struct tds_answer *a, struct cursor *c)
{
	uint8_t id;

	while (!c->bad && (id = cursor_u8(c)) != 0xff && !c->bad) {
		cursor_skip(c, cursor_le32(c));
		if (!c->bad)
			feature_add(&a->features, id);
	}
}

/* One token; false: can't be followed. */
static bool answer_token(struct tds_answer *a, struct cursor *c, bool old)
{
	uint8_t token = cursor_u8(c);
	struct cursor body;

	switch (token) {
	case TOKEN_DONE:
	case TOKEN_DONEPROC:
	case TOKEN_DONEINPROC:
		answer_done(a, c, old);
		return true;
	case TOKEN_RETURNSTATUS:
		cursor_skip(c, 4);
		return true;
	case TOKEN_FEATUREEXTACK:
		answer_features(a, c);
		return true;
	case TOKEN_FEDAUTHINFO:
		body = cursor_sub(c, cursor_le32(c));
		a->fedauth_info |= !body.bad;
		return true;
	case TOKEN_SESSIONSTATE:
		cursor_skip(c, cursor_le32(c));
		return true;
	case TOKEN_ERROR:
	case TOKEN_INFO:
	case TOKEN_LOGINACK:
	case TOKEN_ENVCHANGE:
	case TOKEN_SSPI:
	case TOKEN_ORDER:
	case TOKEN_CAPABILITY:
	case TOKEN_EED:
		break;
	default:
		return false;
	}
	body = cursor_sub(c, cursor_le16(c));
	if (body.bad)
		return false;
	if (token == TOKEN_ERROR)
		answer_error(a, body);
	else if (token == TOKEN_LOGINACK)
		answer_loginack(a, body);
	else if (token == TOKEN_ENVCHANGE)
		answer_envchange(a, body);
	else if (token == TOKEN_SSPI && !a->sspi) {
		a->sspi = true;
		a->sspi_token = body.p;
		a->sspi_len = (uint32_t)cursor_left(&body);
	}
	return true;
}

void tds_answer_parse(struct tds_answer *a, const uint8_t *data, uint32_t len, bool old)
{
	struct cursor c = cursor_init(data, len);

	*a = (struct tds_answer){.packet_size = -1};
	while (cursor_left(&c)) {
		if (!answer_token(a, &c, old))
			return;
	}
	a->walked = !c.bad;
	a->features.known = a->walked && a->loginack;
}

void tds_answer_release(struct tds_answer *a)
{
	free(a->server_version);
	free(a->program);
	free(a->error.message);
	free(a->redirect_host);
	free(a->database);
	*a = (struct tds_answer){.packet_size = -1};
}
