/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * keys.c - which keys protect a side's records, and when they change. Up to TLS 1.2 they begin with
 * the side's ChangeCipherSpec; in TLS 1.3 with the ServerHello, and they change with the side's
 * Finished and with each key update. A secret is looked up when a record needs it, not before: a
 * key log may get it late.
 */
#include <openssl/crypto.h>

#include "engine/decrypt/decrypt_int.h"

static const struct suite_keys *suite_of(struct decrypt *d)
{
	const struct suite_keys *suite = suite_keys_find(d->handshake.suite);
	bool is_13 = d->handshake.suite >> 8 == 0x13;

	if (suite && !d->handshake.compressed &&
	    d->handshake.version == (is_13 ? TLS_1_3 : TLS_1_2))
		return suite;
	decrypt_give_up(d, &d->dn->stats->unsupported);
	return NULL;
}

/* The kind of secret that the side's keys stem from. */
static enum secret_kind kind_of(const struct decrypt *d, enum side from)
{
	if (d->handshake.version != TLS_1_3)
		return SECRET_MASTER;
	if (d->side[from].epoch == EPOCH_HANDSHAKE)
		return from == SIDE_CLIENT ? SECRET_CLIENT_HANDSHAKE : SECRET_SERVER_HANDSHAKE;
	return from == SIDE_CLIENT ? SECRET_CLIENT_DATA : SECRET_SERVER_DATA;
}

static bool set_keys(struct decrypt *d, enum side from, const struct suite_keys *suite,
		     const struct secret *secret)
{
	struct direction *s = &d->side[from];

	if (d->handshake.version == TLS_1_3) {
		s->secret = *secret;
		return record_keys_13(&s->keys, suite, secret);
	}
	return record_keys_12(&s->keys, suite, secret, d->handshake.client_random,
			      d->handshake.server_random, from == SIDE_CLIENT, d->handshake.etm);
}

bool keys_ready(struct decrypt *d, enum side from)
{
	struct direction *s = &d->side[from];
	const struct secret_set *set;
	const struct suite_keys *suite;
	enum secret_kind kind = kind_of(d, from);

	if (s->keys.suite)
		return true;
	suite = suite_of(d);
	set = suite ? secrets_use(d->dn->secrets, d->handshake.client_random, d->dn->now_ns) : NULL;
	if (set && kind != SECRET_MASTER && !set->of[kind].len && s->epoch == EPOCH_HANDSHAKE)
		kind = from == SIDE_CLIENT ? SECRET_CLIENT_DATA : SECRET_SERVER_DATA;
	if (!set || !set->of[kind].len)
		return false;
	if (!set_keys(d, from, suite, &set->of[kind])) {
		decrypt_give_up(d, &d->dn->stats->wrong);
		return false;
	}
	s->keys.seq = s->epoch == EPOCH_DATA ? s->passed : 0;
	s->keys.guess = s->epoch == EPOCH_HANDSHAKE && kind >= SECRET_CLIENT_DATA;
	return true;
}

/* From the next record on the side has other keys. */
static void renew(struct direction *s)
{
	record_keys_clear(&s->keys);
	s->passed = 0;
	s->epoch = EPOCH_DATA;
}

void keys_change(struct decrypt *d, enum side from)
{
	if (d->handshake.has_client && d->handshake.has_server)
		renew(&d->side[from]);
	else if (!d->handshake.has_client)
		decrypt_give_up(d, &d->dn->stats->broken);
}

void keys_skip_handshake(struct decrypt *d, enum side from)
{
	d->side[from].epoch = EPOCH_DATA;
	d->side[from].keys.guess = false;
}

/* RFC 8446 7.2 */
static void update(struct decrypt *d, struct direction *s)
{
	const struct suite_keys *suite = suite_of(d);
	struct secret next = {.len = s->secret.len};

	if (!suite)
		return;
	if (expand_label(suite->hash(), &s->secret, "traffic upd", next.bytes, next.len) &&
	    record_keys_13(&s->keys, suite, &next))
		s->secret = next;
	else
		decrypt_give_up(d, &d->dn->stats->wrong);
	OPENSSL_cleanse(&next, sizeof(next));
}

struct talk {
	struct decrypt *d;
	enum side from;
	uint64_t ts_ns;
};

static void server_hello(struct decrypt *d)
{
	if (!d->handshake.has_server || !suite_of(d) || d->handshake.version != TLS_1_3)
		return;
	for (int i = 0; i < 2; i++) {
		if (d->side[i].epoch == EPOCH_CLEAR)
			d->side[i].epoch = EPOCH_HANDSHAKE;
	}
}

static void on_message(void *ctx, uint8_t type)
{
	struct talk *t = ctx;
	struct decrypt *d = t->d;
	struct direction *s = &d->side[t->from];

	if (d->over)
		return;
	if (type == MESSAGE_CLIENT_HELLO && t->from == SIDE_CLIENT && !d->hello_ns) {
		d->hello_ns = t->ts_ns;
		d->waits = true;
	} else if (type == MESSAGE_SERVER_HELLO && t->from == SIDE_SERVER) {
		server_hello(d);
	} else if (d->handshake.version == TLS_1_3) {
		s->switches |= (type == MESSAGE_FINISHED && s->epoch == EPOCH_HANDSHAKE) ||
			       (type == MESSAGE_KEY_UPDATE && s->epoch == EPOCH_DATA);
	}
}

void keys_messages(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len,
		   uint64_t ts_ns)
{
	struct direction *s = &d->side[from];
	struct talk t = {d, from, ts_ns};

	handshake_feed(&d->handshake, &s->handshake, from == SIDE_CLIENT, data, len, on_message,
		       &t);
	if (!s->switches || d->over)
		return;
	s->switches = false;
	if (s->epoch == EPOCH_HANDSHAKE)
		renew(s);
	else
		update(d, s);
}
