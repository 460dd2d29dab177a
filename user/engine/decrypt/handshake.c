/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handshake.c - see handshake.h. Layouts: RFC 5246 7.4, RFC 8446 4.
 */
#include <string.h>

#include "engine/decrypt/handshake.h"
#include "engine/protocol/tls.h"
#include "lib/cursor.h"

#define MESSAGE_HEAD 4
#define MESSAGE_MAX  (16 * 1024)	      /* a longer one, of certificates, is stepped over */
#define HELD_MAX     (2 * MESSAGE_MAX + 2048) /* such a one, and the record that completes it */

#define EXT_ENCRYPT_THEN_MAC   22
#define EXT_SUPPORTED_VERSIONS 43

/* A ServerHello with this random is a HelloRetryRequest: RFC 8446 4.1.3 */
static const uint8_t retry_random[TLS_RANDOM] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static void client_hello(struct handshake *h, struct cursor c)
{
	const uint8_t *random;

	cursor_skip(&c, 2);
	random = cursor_take(&c, TLS_RANDOM);
	if (!random)
		return;
	memcpy(h->client_random, random, TLS_RANDOM);
	h->has_client = true;
	h->has_server = false;
}

static void server_extensions(struct handshake *h, struct cursor *c)
{
	struct cursor list = cursor_sub(c, cursor_be16(c)), body;
	uint16_t type;

	while (tls_extension_next(&list, &type, &body)) {
		if (type == EXT_SUPPORTED_VERSIONS)
			h->version = cursor_be16(&body);
		else if (type == EXT_ENCRYPT_THEN_MAC)
			h->etm = true;
	}
}

static void server_hello(struct handshake *h, struct cursor c)
{
	uint16_t version = cursor_be16(&c), suite;
	const uint8_t *random = cursor_take(&c, TLS_RANDOM);
	uint8_t compression;

	cursor_skip(&c, cursor_u8(&c));
	suite = cursor_be16(&c);
	compression = cursor_u8(&c);
	if (c.bad)
		return;
	if (!memcmp(random, retry_random, TLS_RANDOM)) {
		server_extensions(h, &c); /* for the version */
		return;
	}
	memcpy(h->server_random, random, TLS_RANDOM);
	h->version = version;
	h->suite = suite;
	h->compressed = compression != 0;
	h->etm = false;
	h->has_server = true;
	server_extensions(h, &c);
}

/* The messages that are complete; returns the bytes used. */
static uint32_t parse(struct handshake *h, struct handshake_stream *s, bool client,
		      const uint8_t *data, uint32_t len, handshake_fn *fn, void *ctx)
{
	uint32_t used = 0;

	while (len - used >= MESSAGE_HEAD) {
		struct cursor c = cursor_init(data + used, len - used);
		uint8_t type = cursor_u8(&c);
		uint32_t size = cursor_be24(&c);

		if (size > MESSAGE_MAX - MESSAGE_HEAD) {
			s->skip = size - (uint32_t)cursor_left(&c);
			return len;
		}
		if (size > cursor_left(&c))
			break;
		if (type == MESSAGE_CLIENT_HELLO && client)
			client_hello(h, cursor_sub(&c, size));
		else if (type == MESSAGE_SERVER_HELLO && !client)
			server_hello(h, cursor_sub(&c, size));
		used += MESSAGE_HEAD + size;
		fn(ctx, type);
	}
	return used;
}

void handshake_feed(struct handshake *h, struct handshake_stream *s, bool client,
		    const uint8_t *data, uint32_t len, handshake_fn *fn, void *ctx)
{
	uint32_t skip = len < s->skip ? len : s->skip, used = 0;

	if (!len)
		return; /* `data` may be null */
	s->skip -= skip;
	data += skip;
	len -= skip;
	if (!s->held.len)
		used = parse(h, s, client, data, len, fn, ctx);
	if (used == len)
		return;
	buf_append(&s->held, data + used, len - used, HELD_MAX);
	if (!s->held.cut)
		buf_consume(&s->held, parse(h, s, client, s->held.data, s->held.len, fn, ctx));
}
