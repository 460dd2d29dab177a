// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Reads what the server must know of a LOGIN7. */
#include <string.h>

#include "login7.h"

/* Offsets in the message: MS-TDS 2.2.6.4 */
enum {
	AT_VERSION = 4,
	AT_PACKET_SIZE = 8,
	AT_FLAGS3 = 27,
	AT_HOST = 36,
	AT_USER = 40,
	AT_PASSWORD = 44,
	AT_APP = 48,
	AT_EXTENSION = 56,
	AT_DATABASE = 68,
	AT_SSPI = 78,
	AT_SSPI_LONG = 90,
	FIXED = 86, /* TDS 7.0 and 7.1; 94 since 7.2 */
	FLAG3_EXTENSION = 0x10,
};

static uint32_t at32(const struct reader *m, size_t at)
{
	struct reader r = {m->p + at, m->left >= at ? m->left - at : 0, false};

	return read_le32(&r);
}

/* The bytes that the pair (offset, count) at `at` names; unit is 2 where it counts characters. */
static const uint8_t *field(const struct reader *m, size_t at, size_t unit, size_t *count)
{
	uint32_t pair = at32(m, at);
	size_t off = pair & 0xffff;

	*count = pair >> 16;
	if (*count && off + *count * unit > m->left)
		return NULL;
	return m->p + off;
}

static bool text(const struct reader *m, size_t at, char *to, size_t size)
{
	size_t units;
	const uint8_t *p = field(m, at, 2, &units);

	if (!p)
		return false;
	utf8_from_utf16(to, size, p, units);
	return true;
}

/* Each byte has its halves swapped, then XOR 0xa5: MS-TDS 2.2.6.4 */
static bool password(const struct reader *m, char *to, size_t size)
{
	uint8_t plain[256];
	size_t units;
	const uint8_t *p = field(m, AT_PASSWORD, 2, &units);

	if (!p || units * 2 > sizeof(plain))
		return false;
	for (size_t i = 0; i < units * 2; i++) {
		uint8_t c = p[i] ^ 0xa5;

		plain[i] = c << 4 | c >> 4;
	}
	utf8_from_utf16(to, size, plain, units);
	return true;
}

static bool sspi(struct login7 *l, const struct reader *m)
{
	size_t n, off = at32(m, AT_SSPI) & 0xffff;

	field(m, AT_SSPI, 1, &n);
	if (n == 0xffff && at32(m, AT_SSPI_LONG))
		n = at32(m, AT_SSPI_LONG);
	if (off > m->left || n > m->left - off)
		return false;
	l->sspi = m->p + off;
	l->sspi_len = n;
	return true;
}

static bool features(struct login7 *l, const struct reader *m)
{
	size_t n, off;
	const uint8_t *p = field(m, AT_EXTENSION, 1, &n);
	struct reader r;

	if (!p || n < 4)
		return false;
	off = at32(m, p - m->p);
	if (off > m->left)
		return false;
	r = (struct reader){m->p + off, m->left - off, false};
	for (;;) {
		unsigned id = read_u8(&r);
		uint32_t len;
		const uint8_t *data;

		if (r.bad)
			return false;
		if (id == 0xff)
			return true;
		len = read_le32(&r);
		data = read_bytes(&r, len);
		if (!data)
			return false;
		if (id == FEATURE_FEDAUTH && len) {
			l->fedauth = true;
			l->fedauth_library = data[0] >> 1;
		} else if (id == FEATURE_UTF8) {
			l->utf8 = true;
		}
	}
}

bool login7_parse(struct login7 *l, const uint8_t *p, size_t len)
{
	struct reader m = {p, len, false};
	uint32_t said = at32(&m, 0);

	*l = (struct login7){0};
	if (len < FIXED || said < FIXED || said > len)
		return false;
	m.left = said;
	l->version = at32(&m, AT_VERSION);
	l->packet_size = at32(&m, AT_PACKET_SIZE);
	return text(&m, AT_HOST, l->host, sizeof(l->host)) &&
	       text(&m, AT_USER, l->user, sizeof(l->user)) &&
	       password(&m, l->password, sizeof(l->password)) &&
	       text(&m, AT_APP, l->app, sizeof(l->app)) &&
	       text(&m, AT_DATABASE, l->database, sizeof(l->database)) && sspi(l, &m) &&
	       (!(p[AT_FLAGS3] & FLAG3_EXTENSION) || features(l, &m));
}
