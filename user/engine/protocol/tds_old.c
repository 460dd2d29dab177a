/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds_old.c - the login record of TDS 4.2 and 5.0: fields of a fixed size, one byte a character,
 * each followed by its length. MS-SSTDS 2.2.6.3; TDS 5.0 Functional Specification, "Login".
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/cursor.h"
#include "engine/protocol/tds.h"
#include "engine/protocol/wire_text.h"

/* Offsets in the record. Both passwords lie between user and version, and are never read. */
enum {
	OLD_HOST = 0,
	OLD_USER = 31,
	OLD_APP = 140,
	OLD_VERSION = 458,
	OLD_LIBRARY = 462,
	OLD_SECURITY = 514, /* TDS 5; reserved and zero in 4.2 */
	OLD_PACKET_SIZE = 557,
};

enum {
	OLD_NAME_MOST = 30,
	OLD_LIBRARY_MOST = 10,
	OLD_PACKET_SIZE_MOST = 6, /* digits */
};

#define SECURITY_SESSION 0x10 /* a security mechanism's token follows, instead of a password */

/*
 * Read a field of room bytes; the byte after it is its length. False: no record has such a length.
 */
static bool old_field(const uint8_t *data, uint32_t len, uint32_t at, uint32_t room,
		      struct cursor *value)
{
	*value = (struct cursor){.bad = true};
	if (at + room >= len)
		return true; /* it was not captured */
	if (data[at + room] > room)
		return false;
	*value = cursor_init(data + at, data[at + room]);
	return true;
}

static char *old_text(const uint8_t *data, uint32_t len, uint32_t at, uint32_t room)
{
	struct cursor value;

	old_field(data, len, at, room, &value);
	return cursor_left(&value) ? text_bytes(value.p, cursor_left(&value)) : NULL;
}

static uint32_t old_number(const uint8_t *data, uint32_t len, uint32_t at, uint32_t room)
{
	struct cursor value;
	uint32_t n = 0;

	old_field(data, len, at, room, &value);
	while (cursor_left(&value)) {
		uint8_t digit = cursor_u8(&value);

		if (digit < '0' || digit > '9')
			break;
		n = n * 10 + (digit - '0');
	}
	return n;
}

static bool is_old_login(const uint8_t *data, uint32_t len)
{
	struct cursor value;

	if (!old_field(data, len, OLD_HOST, OLD_NAME_MOST, &value) ||
	    !old_field(data, len, OLD_USER, OLD_NAME_MOST, &value) ||
	    !old_field(data, len, OLD_APP, OLD_NAME_MOST, &value) ||
	    !old_field(data, len, OLD_LIBRARY, OLD_LIBRARY_MOST, &value))
		return false;
	return len <= OLD_VERSION || data[OLD_VERSION] == 4 || data[OLD_VERSION] == 5;
}

int tds_login_old_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len)
{
	struct cursor version = cursor_init(data, len);

	*l = (struct tds_login7){.fedauth_library = -1};
	if (!is_old_login(data, len))
		return -EPROTO;
	cursor_skip(&version, OLD_VERSION);
	l->version = cursor_be32(&version);
	l->host = old_text(data, len, OLD_HOST, OLD_NAME_MOST);
	l->user = old_text(data, len, OLD_USER, OLD_NAME_MOST);
	l->app = old_text(data, len, OLD_APP, OLD_NAME_MOST);
	l->driver = old_text(data, len, OLD_LIBRARY, OLD_LIBRARY_MOST);
	l->packet_size = old_number(data, len, OLD_PACKET_SIZE, OLD_PACKET_SIZE_MOST);
	l->integrated = len > OLD_SECURITY && data[OLD_SECURITY] & SECURITY_SESSION;
	return 1;
}
