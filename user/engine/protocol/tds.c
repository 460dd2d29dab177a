/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds.c - see tds.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/cursor.h"
#include "engine/protocol/tds.h"
#include "engine/protocol/wire_text.h"
#include "lib/wire_int.h"

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
#define PL_OPTION      5 /* bytes: type, offset, length */

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

enum tds_era tds_era(uint32_t version)
{
	const char *name = tds_version_name(version);

	if (!name)
		return TDS_ERA_UNKNOWN;
	if (name[0] < '7')
		return TDS_ERA_OLD;
	return name[0] == '7' && name[2] < '2' ? TDS_ERA_70 : TDS_ERA_72;
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
		text_version(p->version, v.p);
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
	tds_prelogin_init(p);
	if (len && data[0] != PL_VERSION)
		return -EPROTO;
	/* First check that all of it is there, so that half a message sets nothing. */
	for (uint32_t at = 0;; at += PL_OPTION) {
		uint32_t offset, n;

		if (at >= len)
			return 0;
		if (data[at] == PL_TERMINATOR)
			break;
		if (len - at < PL_OPTION)
			return 0;
		offset = be16_at(data + at + 1);
		n = be16_at(data + at + 3);
		if (at == PL_OPTIONS_MAX * PL_OPTION || (n && offset < 6))
			return -EPROTO;
		if (n && offset + n > len)
			return 0;
	}
	for (const uint8_t *at = data; *at != PL_TERMINATOR; at += PL_OPTION) {
		uint32_t offset = be16_at(at + 1), n = be16_at(at + 3);

		if (n)
			prelogin_option(p, *at, cursor_init(data + offset, n));
	}
	return 1;
}

void tds_prelogin_release(struct tds_prelogin *p)
{
	free(p->instance);
	free(p->connection_id);
	free(p->activity_id);
	tds_prelogin_init(p);
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

void tds_feature_add(struct feature_list *list, uint8_t id)
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
			tds_feature_add(&l->features, id);
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

	tds_login7_init(l);
	cursor_skip(&c, 4); /* length; the captured length counts */
	l->version = cursor_le32(&c);
	l->packet_size = cursor_le32(&c);
	cursor_skip(&c, 4 + 4 + 4 + 1);
	flags2 = cursor_u8(&c);
	type_flags = cursor_u8(&c);
	flags3 = cursor_u8(&c);
	cursor_skip(&c, 4 + 4);
	fixed = cursor_le16(&c); /* the fixed part ends where the host name begins */
	if (c.bad || len < L7_FIXED || !tds_version_name(l->version)) {
		tds_login7_init(l);
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
	tds_login7_init(l);
}
