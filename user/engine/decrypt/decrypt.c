/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decrypt.c - see decrypt.h. A side's records are in clear until its keys are set: up to TLS 1.2 by
 * its ChangeCipherSpec, in TLS 1.3 by the ServerHello, its Finished, and key updates.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/handshake.h"
#include "engine/decrypt/record_layer.h"
#include "engine/protocol/tls.h"

#define ARRIVALS 16 /* segments of one record whose times are kept; 16 KB are 12 of 1,460 bytes */

#define TLS_1_2 0x0303

/* Bytes up to end came at ts_ns, or after those before them. */
struct arrival {
	uint32_t end;
	uint64_t ts_ns;
};

struct arrivals {
	struct arrival at[ARRIVALS];
	uint32_t count;
};

enum epoch {
	EPOCH_CLEAR,
	EPOCH_HANDSHAKE, /* TLS 1.3, from the ServerHello to the side's Finished */
	EPOCH_DATA,
};

struct direction {
	uint8_t header[TLS_HEADER];
	uint8_t epoch;	  /* enum epoch */
	bool cut;	  /* a part of the record under way was not captured */
	bool switches;	  /* the next record is under new keys */
	struct buf body;  /* of the record under way */
	struct buf inner; /* TLS_DATA decrypted and not yet taken */
	uint32_t taken;	  /* bytes of inner */
	uint32_t unread;  /* bytes after it that were not captured */
	struct arrivals body_came, inner_came;
	struct decrypted record; /* the last one */
	struct handshake_stream handshake;
	struct record_keys keys;
	struct secret secret; /* TLS 1.3: the next key update's */
	struct framer framer;
};

struct decrypt {
	struct decryption *dn;
	struct handshake handshake;
	bool reads, over; /* a protected record was read; none is any more */
	struct direction side[2];
};

struct decryption {
	struct secrets *secrets;
	struct decrypt **at; /* by place */
	uint32_t places;
	struct pool *pool;
	struct decrypt_stats *stats;
	uint64_t now_ns;
};

/* ---- of a connection: its beginning and end ---- */

static struct decrypt *decrypt_new(struct decryption *dn)
{
	struct decrypt *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->dn = dn;
	for (int i = 0; i < 2; i++) {
		d->side[i].body.pool = dn->pool;
		d->side[i].inner.pool = dn->pool;
		d->side[i].handshake.held.pool = dn->pool;
	}
	return d;
}

static void direction_clear(struct direction *s)
{
	record_keys_clear(&s->keys);
	OPENSSL_cleanse(&s->secret, sizeof(s->secret));
	buf_release(&s->body);
	buf_release(&s->handshake.held);
	s->record = (struct decrypted){0};
}

static void decrypt_free(struct decrypt *d)
{
	if (!d)
		return;
	for (int i = 0; i < 2; i++) {
		direction_clear(&d->side[i]);
		buf_release(&d->side[i].inner);
	}
	OPENSSL_cleanse(d, sizeof(*d));
	free(d);
}

/* ---- of the engine ---- */

struct decryption *decryption_new(uint32_t places, const uint64_t seed[2], struct pool *pool,
				  struct decrypt_stats *stats)
{
	struct decryption *dn = calloc(1, sizeof(*dn));

	if (!dn)
		return NULL;
	dn->pool = pool;
	dn->stats = stats;
	dn->places = places;
	dn->at = calloc(places, sizeof(struct decrypt *));
	dn->secrets = secrets_new(SECRETS_DEFAULT, seed);
	if (dn->at && dn->secrets)
		return dn;
	decryption_free(dn);
	return NULL;
}

void decryption_free(struct decryption *dn)
{
	if (!dn)
		return;
	for (uint32_t i = 0; dn->at && i < dn->places; i++)
		decrypt_free(dn->at[i]);
	free(dn->at);
	secrets_free(dn->secrets);
	free(dn);
}

void decryption_secret(struct decryption *dn, const struct secret_line *line)
{
	dn->stats->evicted += secrets_add(dn->secrets, line);
}

void decryption_tick(struct decryption *dn, uint64_t now_ns)
{
	dn->now_ns = now_ns;
	secrets_tick(dn->secrets, now_ns);
}

struct decrypt *decryption_begin(struct decryption *dn, uint32_t place)
{
	decryption_end(dn, place);
	dn->at[place] = decrypt_new(dn);
	return dn->at[place];
}

struct decrypt *decryption_of(const struct decryption *dn, uint32_t place)
{
	return dn ? dn->at[place] : NULL;
}

void decryption_end(struct decryption *dn, uint32_t place)
{
	if (!dn)
		return;
	decrypt_free(dn->at[place]);
	dn->at[place] = NULL;
}

/* ---- of a connection: whether it is read ---- */

void decrypt_close(struct decrypt *d)
{
	d->over = true;
	for (int i = 0; i < 2; i++)
		direction_clear(&d->side[i]);
}

/* No more can be read; for the reason that this counts. */
static void give_up(struct decrypt *d, uint64_t *count)
{
	if (d->over)
		return;
	++*count;
	decrypt_close(d);
}

bool decrypt_reads(const struct decrypt *d)
{
	return d && d->reads && !d->over;
}

void decrypt_refuse(struct decrypt *d)
{
	give_up(d, &d->dn->stats->wrong);
}

/* ---- keys ---- */

static const struct suite_keys *suite_of(struct decrypt *d)
{
	const struct suite_keys *suite = suite_keys_find(d->handshake.suite);
	bool is_13 = d->handshake.suite >> 8 == 0x13;

	if (suite && !d->handshake.compressed &&
	    d->handshake.version == (is_13 ? TLS_1_3 : TLS_1_2))
		return suite;
	give_up(d, &d->dn->stats->unsupported);
	return NULL;
}

static const struct secret_set *secrets_of(struct decrypt *d)
{
	return secrets_use(d->dn->secrets, d->handshake.client_random, d->dn->now_ns);
}

/* The side's ChangeCipherSpec: from now on it protects its records. */
static void keys_12(struct decrypt *d, enum side from)
{
	const struct secret_set *set;
	const struct suite_keys *suite;

	if (!d->handshake.has_client || !d->handshake.has_server) {
		give_up(d, &d->dn->stats->broken);
		return;
	}
	suite = suite_of(d);
	set = suite ? secrets_of(d) : NULL;
	if (!suite)
		return;
	if (!set || !set->of[SECRET_MASTER].len) {
		give_up(d, &d->dn->stats->missing);
		return;
	}
	if (!record_keys_12(&d->side[from].keys, suite, &set->of[SECRET_MASTER],
			    d->handshake.client_random, d->handshake.server_random,
			    from == SIDE_CLIENT, d->handshake.etm)) {
		give_up(d, &d->dn->stats->unsupported);
		return;
	}
	d->side[from].epoch = EPOCH_DATA;
}

/* Both secrets of the session, or nothing is read: half a conversation tells less than its sizes. */
static void secrets_13(struct decrypt *d)
{
	const struct secret_set *set = secrets_of(d);

	if (!set || !set->of[SECRET_CLIENT_DATA].len || !set->of[SECRET_SERVER_DATA].len) {
		give_up(d, &d->dn->stats->missing);
		return;
	}
	d->side[SIDE_CLIENT].secret = set->of[SECRET_CLIENT_DATA];
	d->side[SIDE_SERVER].secret = set->of[SECRET_SERVER_DATA];
}

static void keys_of(struct decrypt *d, struct direction *s, const struct secret *secret)
{
	const struct suite_keys *suite = suite_of(d);

	if (suite && !record_keys_13(&s->keys, suite, secret))
		give_up(d, &d->dn->stats->wrong);
}

/* The ServerHello of TLS 1.3: what either side sends next is under its handshake secret. */
static void keys_13(struct decrypt *d)
{
	static const enum secret_kind kinds[] = {SECRET_CLIENT_HANDSHAKE, SECRET_SERVER_HANDSHAKE};
	const struct secret_set *set;

	if (!suite_of(d))
		return;
	secrets_13(d);
	set = secrets_of(d);
	for (int i = 0; i < 2 && !d->over; i++) {
		d->side[i].epoch = EPOCH_HANDSHAKE;
		if (set->of[kinds[i]].len)
			keys_of(d, &d->side[i], &set->of[kinds[i]]);
	}
}

/* TLS 1.3: from the next record on. */
static void data_keys(struct decrypt *d, struct direction *s)
{
	keys_of(d, s, &s->secret);
	s->epoch = EPOCH_DATA;
}

/* RFC 8446 7.2 */
static void update_keys(struct decrypt *d, struct direction *s)
{
	const struct suite_keys *suite = suite_of(d);
	struct secret next = {.len = s->secret.len};

	if (suite && expand_label(suite->hash(), &s->secret, "traffic upd", next.bytes, next.len)) {
		s->secret = next;
		keys_of(d, s, &s->secret);
	} else {
		give_up(d, &d->dn->stats->unsupported);
	}
	OPENSSL_cleanse(&next, sizeof(next));
}

/* ---- handshake messages ---- */

struct talk {
	struct decrypt *d;
	enum side from;
};

static void on_message(void *ctx, uint8_t type)
{
	struct talk *t = ctx;
	struct decrypt *d = t->d;
	struct direction *s = &d->side[t->from];

	if (d->over)
		return;
	if (type == MESSAGE_SERVER_HELLO && t->from == SIDE_SERVER && d->handshake.has_server &&
	    d->handshake.version == TLS_1_3 && s->epoch == EPOCH_CLEAR)
		keys_13(d);
	else if (d->handshake.version != TLS_1_3)
		return;
	else if (type == MESSAGE_FINISHED && s->epoch == EPOCH_HANDSHAKE)
		s->switches = true;
	else if (type == MESSAGE_KEY_UPDATE && s->epoch == EPOCH_DATA)
		s->switches = true;
}

static void messages(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len)
{
	struct direction *s = &d->side[from];
	struct talk t = {d, from};

	handshake_feed(&d->handshake, &s->handshake, from == SIDE_CLIENT, data, len, on_message,
		       &t);
	if (!s->switches || d->over)
		return;
	s->switches = false;
	if (s->epoch == EPOCH_HANDSHAKE)
		data_keys(d, s);
	else
		update_keys(d, s);
}

/* ---- records ---- */

static void came(struct arrivals *a, uint32_t end, uint64_t ts_ns)
{
	if (a->count && (a->at[a->count - 1].ts_ns == ts_ns || a->count == ARRIVALS))
		a->at[a->count - 1] = (struct arrival){end, ts_ns};
	else
		a->at[a->count++] = (struct arrival){end, ts_ns};
}

void decrypt_head(struct decrypt *d, enum side from, const uint8_t *header, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];

	(void)ts_ns;
	if (d->over)
		return;
	memcpy(s->header, header, TLS_HEADER);
	s->record = (struct decrypted){0};
	s->cut = false;
	s->body_came.count = 0;
	buf_release(&s->body);
}

void decrypt_body(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len,
		  uint64_t ts_ns)
{
	struct direction *s = &d->side[from];

	if (d->over)
		return;
	if (data)
		buf_append(&s->body, data, len, RECORD_MAX);
	s->cut |= !data || s->body.cut;
	came(&s->body_came, s->body.len, ts_ns);
}

/*
 * TLS_DATA, of len bytes at `at` of the body. Each byte came when its counterpart did, but the last:
 * before the record's end nobody can read it.
 */
static void take_data(struct direction *s, const struct opened *o, uint64_t end_ns)
{
	uint32_t before = s->inner.len, done = 0;

	buf_append(&s->inner, s->body.data + o->at, o->len, UINT32_MAX);
	if (s->inner.cut)
		return;
	for (uint32_t i = 0; i < s->body_came.count && done + 1 < o->len; i++) {
		const struct arrival *a = &s->body_came.at[i];
		uint32_t end = a->end > o->at ? a->end - o->at : 0;

		if (end > o->len - 1)
			end = o->len - 1;
		if (end > done)
			came(&s->inner_came, before + end, a->ts_ns);
		done = end > done ? end : done;
	}
	if (o->len)
		came(&s->inner_came, before + o->len, end_ns);
}

/*
 * TLS 1.3 without handshake secrets: the handshake's records stay hidden, and the first that the
 * session's keys fit is the first after them.
 */
static bool open_blind(struct decrypt *d, struct direction *s, struct opened *o)
{
	struct buf copy = {.pool = d->dn->pool};
	bool fits;

	keys_of(d, s, &s->secret);
	if (d->over)
		return false;
	buf_append(&copy, s->body.data, s->body.len, RECORD_MAX);
	fits = !copy.cut && record_open(&s->keys, s->header, copy.data, copy.len, o);
	if (fits) {
		memcpy(s->body.data, copy.data, copy.len);
		s->epoch = EPOCH_DATA;
	} else {
		record_keys_clear(&s->keys);
	}
	buf_release(&copy);
	return fits;
}

/* A protected record, whole. False: it stays hidden. */
static bool open_record(struct decrypt *d, enum side from, struct opened *o)
{
	struct direction *s = &d->side[from];

	if (s->epoch == EPOCH_HANDSHAKE && !s->keys.suite)
		return open_blind(d, s, o);
	if (record_open(&s->keys, s->header, s->body.data, s->body.len, o))
		return true;
	give_up(d, &d->dn->stats->wrong);
	return false;
}

static void protected_record(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];
	struct opened o;

	if (!open_record(d, from, &o))
		return;
	d->dn->stats->decrypted += !d->reads;
	d->reads = true;
	s->record.type = o.type;
	if (o.type == TLS_DATA) {
		take_data(s, &o, ts_ns);
		if (s->inner.cut)
			give_up(d, &d->dn->stats->broken);
		buf_release(&s->body);
		return;
	}
	s->record.data = s->body.data + o.at;
	s->record.len = o.len;
	if (o.type == TLS_HANDSHAKE)
		messages(d, from, s->record.data, s->record.len);
	else if (o.type == TLS_CCS && d->handshake.version < TLS_1_3)
		keys_12(d, from);
}

void decrypt_end(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];

	if (d->over)
		return;
	if (s->cut) {
		give_up(d, &d->dn->stats->broken);
		return;
	}
	/* TLS 1.3: a ChangeCipherSpec means nothing, RFC 8446 D.4 */
	if (s->header[0] == TLS_CCS && d->handshake.version == TLS_1_3)
		return;
	if (s->epoch != EPOCH_CLEAR &&
	    !(s->header[0] != TLS_DATA && d->handshake.version == TLS_1_3))
		protected_record(d, from, ts_ns);
	else if (s->header[0] == TLS_HANDSHAKE)
		messages(d, from, s->body.data, s->body.len);
	else if (s->header[0] == TLS_CCS)
		keys_12(d, from);
}

void decrypt_lost(struct decrypt *d, enum side from)
{
	(void)from;
	if (d->handshake.has_client)
		give_up(d, &d->dn->stats->broken);
	else
		decrypt_close(d);
}

struct decrypted decrypt_record(const struct decrypt *d, enum side from)
{
	return d ? d->side[from].record : (struct decrypted){0};
}

bool decrypt_next(struct decrypt *d, enum side from, struct plain *out)
{
	struct direction *s = &d->side[from];
	const struct arrivals *a = &s->inner_came;

	for (uint32_t i = 0; i < a->count; i++) {
		if (a->at[i].end <= s->taken)
			continue;
		*out = (struct plain){s->inner.data + s->taken, a->at[i].end - s->taken,
				      a->at[i].ts_ns};
		s->taken = a->at[i].end;
		return true;
	}
	buf_release(&s->inner);
	s->inner_came.count = s->taken = 0;
	return false;
}

struct framer *decrypt_framer(struct decrypt *d, enum side from)
{
	return &d->side[from].framer;
}
