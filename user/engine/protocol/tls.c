/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tls.c - see tls.h. Layouts: RFC 5246 7.4, RFC 8446 4, extensions RFC 6066 and RFC 7301.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/cursor.h"
#include "engine/protocol/wire_text.h"
#include "engine/protocol/tls.h"
#include "engine/protocol/tls_registry.h"
#include "lib/off_path.h"
#include "lib/wire_int.h"

#define JAVA_PADDING  16
#define TLS_FATAL     2		  /* an alert's level */
#define HANDSHAKE_MAX (64 * 1024) /* a longer handshake message is stepped over, not held */

enum {
	EXT_SERVER_NAME = 0,
	EXT_ALPN = 16,
	EXT_PRE_SHARED_KEY = 41,
	EXT_SUPPORTED_VERSIONS = 43,
};

/* A ServerHello with this random is a HelloRetryRequest: RFC 8446 4.1.3 */
static const uint8_t retry_random[8] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};

void tls_init(struct tls *t)
{
	memset(t, 0, sizeof(*t));
	t->alert.from = SIDE_NONE;
}

void tls_release(struct tls *t)
{
	for (int i = 0; i < 2; i++)
		buf_release(&t->side[i].handshake);
	free(t->sni);
	free(t->alpn_offer);
	free(t->alpn_chosen);
	cert_put(t->cert);
	tls_init(t);
}

/* The first name of an ALPN list; *count is how many names it has. RFC 7301 3.1 */
static char *alpn_first(struct tls *t, struct cursor list, int *count)
{
	char *first = NULL;

	*count = 0;
	while (cursor_left(&list)) {
		struct cursor name = cursor_sub(&list, cursor_u8(&list));

		if (name.bad)
			break;
		if (cursor_left(&name) == 7 && !memcmp(name.p, "tds/8.0", 7))
			t->alpn_tds8 = true;
		if (!(*count)++)
			first = text_latin1(name.p, cursor_left(&name));
	}
	return first;
}

static void extension_alpn(struct tls *t, bool client, struct cursor body)
{
	struct cursor list = cursor_sub(&body, cursor_be16(&body));
	char *first;
	int count;

	first = alpn_first(t, list, &count);
	if (client && count != 1) {
		free(first); /* several offers: the server chooses */
		return;
	}
	text_set(client ? &t->alpn_offer : &t->alpn_chosen, first);
}

static void extension_server_name(struct tls *t, struct cursor body)
{
	struct cursor list = cursor_sub(&body, cursor_be16(&body)), name;

	if (cursor_u8(&list) != 0) /* host_name, RFC 6066 3 */
		return;
	name = cursor_sub(&list, cursor_be16(&list));
	if (!name.bad)
		text_set(&t->sni, text_latin1(name.p, cursor_left(&name)));
}

/* RFC 8446 4.2.1; values of the form 0x?A?A mean nothing: RFC 8701 */
static void extension_client_versions(struct tls *t, struct cursor body)
{
	struct cursor list = cursor_sub(&body, cursor_u8(&body));

	while (cursor_left(&list) >= 2) {
		uint16_t v = cursor_be16(&list);

		if (v > t->client_version && v >> 8 == 3)
			t->client_version = v;
	}
}

bool tls_extension_next(struct cursor *list, uint16_t *type, struct cursor *body)
{
	if (!cursor_left(list))
		return false;
	*type = cursor_be16(list);
	*body = cursor_sub(list, cursor_be16(list));
	return !body->bad;
}

static void hello_extensions(struct tls *t, bool client, struct cursor *c)
{
	struct cursor list = cursor_sub(c, cursor_be16(c)), body;
	uint16_t type;

	while (tls_extension_next(&list, &type, &body)) {
		if (type == EXT_SERVER_NAME && client)
			extension_server_name(t, body);
		else if (type == EXT_ALPN)
			extension_alpn(t, client, body);
		else if (type == EXT_SUPPORTED_VERSIONS && !client)
			t->version = cursor_be16(&body);
		else if (type == EXT_SUPPORTED_VERSIONS)
			extension_client_versions(t, body);
		else if (type == EXT_PRE_SHARED_KEY && !client)
			t->resumed = true;
	}
}

static void client_hello(struct tls *t, struct cursor c)
{
	struct cursor id;

	t->client_version = cursor_be16(&c);
	cursor_skip(&c, 32);
	id = cursor_sub(&c, cursor_u8(&c));
	cursor_skip(&c, cursor_be16(&c));
	cursor_skip(&c, cursor_u8(&c));
	if (c.bad || id.bad)
		return;
	t->client_hello = true;
	if (cursor_left(&id) <= sizeof(t->session_id)) {
		t->session_id_len = (uint8_t)cursor_left(&id);
		memcpy(t->session_id, id.p, t->session_id_len);
	}
	hello_extensions(t, true, &c);
}

static void server_hello(struct tls *t, struct cursor c)
{
	uint16_t version = cursor_be16(&c);
	const uint8_t *random = cursor_take(&c, 32);
	struct cursor id = cursor_sub(&c, cursor_u8(&c));
	uint16_t cipher = cursor_be16(&c);

	cursor_skip(&c, 1);
	if (c.bad || id.bad)
		return;
	t->version = version;
	t->cipher = cipher;
	hello_extensions(t, false, &c);
	if (!memcmp(random, retry_random, sizeof(retry_random))) {
		t->retry = true;
		return;
	}
	t->server_hello = true;
	if (t->version < TLS_1_3)
		t->resumed = t->session_id_len && cursor_left(&id) == t->session_id_len &&
			     !memcmp(id.p, t->session_id, t->session_id_len);
}

static void certificate(struct tls *t, struct cursor c)
{
	struct cursor list, leaf;
	const struct cert *cert;

	if (t->version >= TLS_1_3) /* the request's context, RFC 8446 4.4.2 */
		cursor_skip(&c, cursor_u8(&c));
	list = cursor_sub(&c, cursor_be24(&c));
	leaf = cursor_sub(&list, cursor_be24(&list));
	t->certificate_seen = true;
	t->resumed = false; /* a server that shows its certificate does not resume */
	if (leaf.bad)
		return;
	cert = cert_get(t->certs, leaf.p, (uint32_t)cursor_left(&leaf));
	if (!cert)
		return;
	cert_put(t->cert);
	t->cert = cert;
}

static bool protected(const struct tls *t, enum side from)
{
	return t->side[from].ccs && t->version < TLS_1_3;
}

static void handshake_message(struct tls *t, enum side from, uint8_t type, struct cursor body)
{
	if (type == TLS_CLIENT_HELLO && from == SIDE_CLIENT)
		client_hello(t, body);
	else if (type == TLS_SERVER_HELLO && from == SIDE_SERVER)
		server_hello(t, body);
	else if (type == TLS_CERTIFICATE && from == SIDE_SERVER)
		certificate(t, body);
	else if (type == TLS_ENCRYPTED_EXTENSIONS && from == SIDE_SERVER && t->version >= TLS_1_3)
		hello_extensions(t, false, &body);
	else if (type == TLS_FINISHED && (t->version >= TLS_1_3 || protected(t, from)))
		t->side[from].finished = true;
	else if (type == TLS_SERVER_HELLO_DONE && from == SIDE_SERVER)
		t->hello_done = true;
}

/* Parse the complete messages among these clear handshake bytes. Returns the bytes used. */
static uint32_t handshake_parse(struct tls *t, enum side from, const uint8_t *data, uint32_t n)
{
	uint32_t used = 0;

	while (n - used >= 4) {
		struct cursor c = cursor_init(data + used, n - used);
		uint8_t type = cursor_u8(&c);
		uint32_t len = cursor_be24(&c);

		if (len > HANDSHAKE_MAX - 4) {
			t->side[from].skip = len - (uint32_t)cursor_left(&c);
			return n;
		}
		if (len > cursor_left(&c))
			break;
		handshake_message(t, from, type, cursor_sub(&c, len));
		used += 4 + len;
	}
	return used;
}

OFF_PATH static void handshake_put_together(struct tls *t, enum side from, const uint8_t *data,
					    uint32_t len)
{
	struct buf *b = &t->side[from].handshake;

	buf_append(b, data, len, HANDSHAKE_MAX);
	if (!b->cut)
		buf_consume(b, handshake_parse(t, from, b->data, b->len));
}

/* Take more of a side's clear handshake bytes. Only a message that is split is copied. */
static void handshake_take(struct tls *t, enum side from, const uint8_t *data, uint32_t len)
{
	struct buf *b = &t->side[from].handshake;
	uint32_t used = b->len || b->cut ? 0 : handshake_parse(t, from, data, len);

	if (used < len)
		handshake_put_together(t, from, data + used, len - used);
}

void tls_record_head(struct tls *t, enum side from, const uint8_t *header)
{
	struct tls_side *s = &t->side[from];

	s->type = header[0];
	s->len = be16_at(header + 3);
	s->have = 0;
}

void tls_record_body(struct tls *t, enum side from, const uint8_t *data, uint32_t len)
{
	struct tls_side *s = &t->side[from];
	uint32_t skip;

	if (s->type == TLS_ALERT && s->len == 2) {
		for (uint32_t i = 0; data && i < len && s->have < 2; i++)
			s->alert[s->have++] = data[i];
		return;
	}
	if (s->type != TLS_HANDSHAKE || protected(t, from))
		return;
	skip = len < s->skip ? len : s->skip;
	s->skip -= skip;
	if (!data) { /* these bytes are lost: no message can be put together */
		s->handshake.cut = true;
		return;
	}
	handshake_take(t, from, data + skip, len - skip);
}

/* Recognise the client's Finished of TLS 1.3 by its length: RFC 8446 4.4.4 and 5.2 */
static void client_record_13(struct tls *t)
{
	uint16_t finished = t->cipher == 0x1302 ? 4 + 48 + 17 : 4 + 32 + 17;

	/* Java's TLS pads each record with 16 zeros. */
	if (!t->client_13 && t->side[SIDE_CLIENT].len == finished + JAVA_PADDING)
		t->side[SIDE_CLIENT].padding = JAVA_PADDING;
	t->client_13 = true;
	if (t->side[SIDE_CLIENT].len == finished + t->side[SIDE_CLIENT].padding)
		t->side[SIDE_CLIENT].finished = true;
}

void tls_record_end(struct tls *t, enum side from)
{
	struct tls_side *s = &t->side[from];

	s->read_any = true;
	switch (s->type) {
	case TLS_CCS:
		s->ccs = true;
		if (from == SIDE_SERVER && t->server_hello && t->version < TLS_1_3 &&
		    !t->certificate_seen && !t->side[SIDE_CLIENT].ccs)
			t->resumed = true;
		break;
	case TLS_ALERT:
		if (s->have == 2 && !protected(t, from) && t->alert.from == SIDE_NONE) {
			t->alert.from = from;
			t->alert.level = s->alert[0];
			t->alert.description = s->alert[1];
		}
		break;
	case TLS_HANDSHAKE:
		if (protected(t, from))
			s->finished = true;
		break;
	case TLS_DATA:
		if (t->done || t->version != TLS_1_3 || !t->server_hello)
			break;
		if (from == SIDE_CLIENT)
			client_record_13(t);
		else if (t->client_13)
			/*
			 * The server sends again, so the client's flight ended with its Finished.
			 */
			t->side[SIDE_CLIENT].finished = true;
		else
			s->finished = true;
		break;
	}
	t->done = t->side[SIDE_CLIENT].finished && t->side[SIDE_SERVER].finished;
}

void tls_record_plain(struct tls *t, enum side from, uint8_t type, const uint8_t *data,
		      uint32_t len)
{
	struct tls_side *s = &t->side[from];

	s->read_any = true;
	s->type = type;
	if (type == TLS_HANDSHAKE && !t->done)
		handshake_take(t, from, data, len);
	/* After the handshake a warning is a farewell: close_notify. */
	if (type == TLS_ALERT && len == 2 && t->alert.from == SIDE_NONE &&
	    (!t->done || data[0] == TLS_FATAL)) {
		t->alert.from = from;
		t->alert.level = data[0];
		t->alert.description = data[1];
	}
	/* Neither side sends data before the handshake is over. */
	if (type == TLS_DATA && t->server_hello)
		t->side[SIDE_CLIENT].finished = t->side[SIDE_SERVER].finished = true;
	t->done = t->side[SIDE_CLIENT].finished && t->side[SIDE_SERVER].finished;
}

bool tls_server_flight_over(const struct tls *t)
{
	return t->hello_done || t->side[SIDE_SERVER].finished || t->retry;
}

void tls_overhead(const struct tls *t, enum side from, uint32_t *least, uint32_t *most)
{
	const struct tls_suite *s = tls_suite_find(t->cipher);

	if (t->version == TLS_1_3) {
		*least = *most = 17u + t->side[from].padding;
		return;
	}
	*least = s ? s->least : 16;
	*most = s ? s->most : 80;
	/* Block ciphers have no explicit IV before TLS 1.1: RFC 2246 6.2.3.2 */
	if (s && t->version <= 0x0301 && s->least != s->most) {
		uint32_t block = s->most - s->least + 1;

		*least -= block;
		*most -= block;
	}
}

bool tls_is_alert(const struct tls *t, enum side from)
{
	const struct tls_side *s = &t->side[from];

	return s->type == TLS_ALERT ||
	       (s->type == TLS_DATA && t->version == TLS_1_3 && s->len == 17 + 2 + s->padding);
}

void tls_facts(const struct tls *t, struct tls_facts *f, struct tls_names *scratch)
{
	const struct tls_suite *s;

	memset(f, 0, sizeof(*f));
	f->alert.from = t->alert.from;
	f->seen = t->client_hello || t->server_hello || t->side[SIDE_CLIENT].read_any;
	if (t->server_hello || t->retry) {
		s = tls_suite_find(t->cipher);
		f->version = tls_version_name(t->version);
		f->cipher = s ? s->name : scratch->cipher;
		if (!s)
			snprintf(scratch->cipher, sizeof(scratch->cipher), "0x%04X", t->cipher);
	}
	f->sni = t->sni;
	f->alpn = t->alpn_chosen ? t->alpn_chosen : t->alpn_offer;
	f->resumed = t->resumed;
	if (t->alert.from != SIDE_NONE) {
		f->alert.level = t->alert.level == TLS_FATAL ? "fatal" : "warning";
		snprintf(scratch->alert, sizeof(scratch->alert), "alert_%u", t->alert.description);
		f->alert.description = tls_alert_name(t->alert.description) ?: scratch->alert;
	}
	if (!t->cert)
		return;
	f->cert.subject = t->cert->subject;
	f->cert.issuer = t->cert->issuer;
	f->cert.not_after_s = t->cert->not_after_s;
	f->cert.self_signed = t->cert->self_signed;
}
