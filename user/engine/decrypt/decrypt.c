/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decrypt.c - see decrypt.h: records in, and what they hold out.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "engine/decrypt/decrypt_int.h"
#include "lib/off_path.h"
#include "lib/wire_int.h"

#define INNER_MAX   (256u << 10) /* decrypted and not yet taken; more than a carrier packet holds */
#define SEARCH_MAX  1024	 /* numbers tried for one record, */
#define SEARCH_SOME (2u << 20)	 /* bytes decrypted for it at most, */
#define SEARCH_ALL  (32u << 20)	 /* and for a connection */

/* ---- whether it is read ---- */

/*
 * Wipes the keys and buffers of a connection that is over. decrypt_give_up() leaves this to the
 * public functions, because a message in one of these buffers may be being parsed.
 */
static void wipe_if_over(struct decrypt *d)
{
	if (!d->over)
		return;
	for (int i = 0; i < 2; i++)
		direction_clear(&d->side[i]);
}

void decrypt_close(struct decrypt *d)
{
	d->over = true;
	d->waits = false;
	wipe_if_over(d);
}

bool decrypt_reads(const struct decrypt *d)
{
	return d && d->reads && !d->over;
}

void decrypt_refuse(struct decrypt *d)
{
	decrypt_give_up(d, &d->dn->stats->wrong);
	wipe_if_over(d);
}

void decrypt_missed(struct decrypt *d)
{
	decrypt_give_up(d, &d->dn->stats->missing);
	wipe_if_over(d);
}

bool decrypt_waits(const struct decrypt *d, uint64_t *since_ns)
{
	*since_ns = d->hello_ns;
	return d->waits && !d->over;
}

bool decrypt_has_secrets(const struct decrypt *d)
{
	return secrets_complete(d->dn->secrets, d->handshake.client_random);
}

void decrypt_wait_no_more(struct decrypt *d)
{
	d->waits = false;
}

/* ---- what a record holds ---- */

static void came(struct arrivals *a, uint32_t end, bool begins, uint64_t ts_ns)
{
	struct arrival *last = a->count ? &a->at[a->count - 1] : NULL;

	if (last && (last->ts_ns == ts_ns || a->count == ARRIVALS))
		*last = (struct arrival){end, last->begins, ts_ns};
	else
		a->at[a->count++] = (struct arrival){end, begins, ts_ns};
}

/*
 * TLS_DATA, of len bytes at `at` of the body. Each byte came when its counterpart did, but the last:
 * before the record's end nobody can read it.
 */
static void take_data(struct direction *s, const struct opened *o, uint64_t end_ns)
{
	uint32_t before = s->inner.len, done = 0;

	buf_append(&s->inner, s->body.data + o->at, o->len, INNER_MAX);
	if (s->inner.cut)
		return;
	for (uint32_t i = 0; i < s->body_came.count && done + 1 < o->len; i++) {
		const struct arrival *a = &s->body_came.at[i];
		uint32_t end = a->end > o->at ? a->end - o->at : 0;

		if (end > o->len - 1)
			end = o->len - 1;
		if (end > done)
			came(&s->inner_came, before + end, !done, a->ts_ns);
		done = end > done ? end : done;
	}
	if (o->len)
		came(&s->inner_came, before + o->len, !done, end_ns);
}

/* len bytes of TLS_DATA that cannot be read, before what comes next. */
static void take_gap(struct decrypt *d, struct direction *s, uint32_t len, uint64_t ts_ns)
{
	if (s->inner.len > s->taken) { /* a gap has its place before inner */
		decrypt_give_up(d, &d->dn->stats->broken);
		return;
	}
	s->gap = len > GAP_UNKNOWN - s->gap ? GAP_UNKNOWN : s->gap + len;
	s->gap_ns = ts_ns;
}

/* ---- records ---- */

OFF_PATH void decrypt_head(struct decrypt *d, enum side from, const uint8_t *header)
{
	struct direction *s = &d->side[from];

	if (d->over)
		return;
	memcpy(s->header, header, TLS_HEADER);
	s->record = (struct decrypted){0};
	s->cut = false;
	s->body_came.count = 0;
	buf_release(&s->body);
}

OFF_PATH void decrypt_body(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len,
			   uint64_t ts_ns)
{
	struct direction *s = &d->side[from];

	if (d->over)
		return;
	if (data)
		buf_append(&s->body, data, len, RECORD_MAX);
	s->cut |= !data || s->body.cut;
	came(&s->body_came, s->body.len, false, ts_ns);
}

/* Decrypt a copy with the record's number as it is set; where it fits, it takes the body's place. */
static bool try_record(struct decrypt *d, struct direction *s, struct opened *o)
{
	struct buf copy = {.pool = d->dn->pool};
	uint64_t seq = s->keys.seq;
	bool fits;

	d->tried += s->body.len;
	buf_append(&copy, s->body.data, s->body.len, RECORD_MAX);
	fits = !copy.cut && record_open(&s->keys, s->header, copy.data, copy.len, o);
	if (fits)
		memcpy(s->body.data, copy.data, copy.len);
	else
		s->keys.seq = seq;
	buf_release(&copy);
	return fits;
}

/* Records are missing: which number does this one have? True: it was decrypted. */
static bool search_record(struct decrypt *d, struct direction *s, struct opened *o, uint64_t ts_ns)
{
	uint64_t first = s->keys.seq;
	uint32_t before = d->tried;

	for (uint32_t i = 0;
	     i < SEARCH_MAX && d->tried - before <= SEARCH_SOME && d->tried <= SEARCH_ALL; i++) {
		s->keys.seq = first + i;
		if (!try_record(d, s, o))
			continue;
		s->lost = false;
		take_gap(d, s, GAP_UNKNOWN, ts_ns);
		return !d->over;
	}
	s->keys.seq = first;
	if (d->tried > SEARCH_ALL)
		decrypt_give_up(d, &d->dn->stats->broken);
	return false;
}

/* A protected record, whole. False: it stays hidden. */
static bool open_record(struct decrypt *d, enum side from, struct opened *o, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];

	if (!keys_ready(d, from)) {
		s->passed++;
		/* New keys within a session, by renegotiation: what follows is hidden. */
		if (d->reads && s->header[0] == TLS_DATA && d->handshake.version != TLS_1_3)
			decrypt_give_up(d, &d->dn->stats->missing);
		return false;
	}
	if (s->keys.guess) { /* the handshake is hidden, and this may be the first record after it */
		bool fits = try_record(d, s, o);

		if (fits)
			keys_skip_handshake(d, from);
		return fits;
	}
	if (s->lost)
		return search_record(d, s, o, ts_ns);
	if (record_open(&s->keys, s->header, s->body.data, s->body.len, o))
		return true;
	decrypt_give_up(d, &d->dn->stats->wrong);
	return false;
}

static void protected_record(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];
	struct opened o;

	if (!open_record(d, from, &o, ts_ns))
		return;
	d->dn->stats->decrypted += !d->reads;
	d->reads = true;
	s->record.type = o.type;
	if (o.type == TLS_DATA) {
		take_data(s, &o, ts_ns);
		if (s->inner.cut)
			decrypt_give_up(d, &d->dn->stats->broken);
		buf_release(&s->body);
		return;
	}
	s->record.data = s->body.data + o.at;
	s->record.len = o.len;
	if (o.type == TLS_HANDSHAKE)
		keys_messages(d, from, s->record.data, s->record.len, ts_ns);
	else if (o.type == TLS_CCS && d->handshake.version < TLS_1_3)
		keys_change(d, from);
}

/*
 * A part of the record was not captured. It counts, and of data the length is known; a message of
 * the handshake may have changed the keys.
 */
static void unread_record(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];
	uint32_t len = be16_at(s->header + 3), over;

	if (s->epoch != EPOCH_DATA || s->header[0] != TLS_DATA || !keys_ready(d, from)) {
		decrypt_give_up(d, &d->dn->stats->broken);
		return;
	}
	if (!s->lost)
		s->keys.seq++;
	over = record_overhead(&s->keys);
	take_gap(d, s, over && len > over ? len - over : GAP_UNKNOWN, ts_ns);
}

static void whole_record(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	struct direction *s = &d->side[from];
	bool is_13 = d->handshake.version == TLS_1_3;

	/* TLS 1.3: a ChangeCipherSpec means nothing, RFC 8446 D.4; what is protected is TLS_DATA. */
	if (is_13 && s->header[0] == TLS_CCS)
		return;
	if (s->cut)
		unread_record(d, from, ts_ns);
	else if (s->epoch != EPOCH_CLEAR && !(is_13 && s->header[0] != TLS_DATA))
		protected_record(d, from, ts_ns);
	else if (s->header[0] == TLS_HANDSHAKE)
		keys_messages(d, from, s->body.data, s->body.len, ts_ns);
	else if (s->header[0] == TLS_CCS)
		keys_change(d, from);
}

OFF_PATH void decrypt_end(struct decrypt *d, enum side from, uint64_t ts_ns)
{
	if (d->over)
		return;
	whole_record(d, from, ts_ns);
	wipe_if_over(d);
}

OFF_PATH void decrypt_lost(struct decrypt *d, enum side from)
{
	struct direction *s = &d->side[from];

	if (d->over)
		return;
	if (!d->handshake.has_client)
		decrypt_close(d);
	else if (s->epoch != EPOCH_DATA || !s->keys.suite)
		decrypt_give_up(d, &d->dn->stats->broken);
	else
		s->lost = true;
	wipe_if_over(d);
}

struct decrypted decrypt_record(const struct decrypt *d, enum side from)
{
	return d ? d->side[from].record : (struct decrypted){0};
}

/* ---- out ---- */

bool decrypt_next(struct decrypt *d, enum side from, struct plain *out)
{
	struct direction *s = &d->side[from];
	const struct arrivals *a = &s->inner_came;

	if (s->gap) {
		*out = (struct plain){NULL, s->gap, false, s->gap_ns};
		s->gap = 0;
		return true;
	}
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->at[i].end <= s->taken)
			continue;
		*out = (struct plain){s->inner.data + s->taken, a->at[i].end - s->taken,
				      a->at[i].begins, a->at[i].ts_ns};
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
