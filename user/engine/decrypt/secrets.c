/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * secrets.c - see secrets.h. Entries stand in the order in which they came; chains of places, by
 * hash, find them.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "engine/decrypt/secrets.h"
#include "lib/siphash.h"
#include "lib/units.h"

#define USED_NS	  (60 * NS_PER_S) /* kept for so long after the first use */
#define TICK_SOME 1024		  /* places looked at in one tick */

struct entry {
	uint8_t random[TLS_RANDOM];
	uint64_t used_ns; /* 0: never */
	uint32_t next;	  /* of the same bucket: its place + 1; 0: none */
	bool live;
	struct secret_set set;
};

struct secrets {
	struct entry *at;
	uint32_t *buckets; /* as many as places: the first one's place + 1 */
	uint32_t room, next, ticked;
	uint64_t seed[2];
};

struct secrets *secrets_new(uint32_t room, const uint64_t seed[2])
{
	struct secrets *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->at = calloc(room, sizeof(*s->at));
	s->buckets = calloc(room, sizeof(*s->buckets));
	s->room = room;
	memcpy(s->seed, seed, sizeof(s->seed));
	if (s->at && s->buckets)
		return s;
	secrets_free(s);
	return NULL;
}

static uint32_t *bucket_of(const struct secrets *s, const uint8_t *random)
{
	uint64_t words[TLS_RANDOM / 8];

	memcpy(words, random, sizeof(words));
	return &s->buckets[siphash(s->seed, words, TLS_RANDOM / 8) % s->room];
}

static struct entry *find(const struct secrets *s, const uint8_t *random)
{
	uint32_t place = *bucket_of(s, random);

	for (; place; place = s->at[place - 1].next) {
		if (!memcmp(s->at[place - 1].random, random, TLS_RANDOM))
			return &s->at[place - 1];
	}
	return NULL;
}

static void wipe(struct secrets *s, struct entry *e)
{
	uint32_t place = (uint32_t)(e - s->at) + 1, *link;

	if (!e->live)
		return;
	link = bucket_of(s, e->random);
	while (*link != place)
		link = &s->at[*link - 1].next;
	*link = e->next;
	OPENSSL_cleanse(e, sizeof(*e));
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->at && s->buckets && i < s->room; i++) {
		if (s->at[i].live)
			OPENSSL_cleanse(&s->at[i], sizeof(s->at[i]));
	}
	free(s->at);
	free(s->buckets);
	free(s);
}

bool secrets_add(struct secrets *s, const struct secret_line *line)
{
	struct entry *e = find(s, line->random);
	bool lost = false;
	uint32_t *bucket;

	if (!e) {
		e = &s->at[s->next];
		lost = e->live && !e->used_ns;
		wipe(s, e);
		memcpy(e->random, line->random, TLS_RANDOM);
		bucket = bucket_of(s, e->random);
		e->next = *bucket;
		*bucket = s->next + 1;
		e->live = true;
		s->next = (s->next + 1) % s->room;
	}
	e->set.of[line->kind] = line->secret;
	return lost;
}

const struct secret_set *secrets_use(struct secrets *s, const uint8_t random[TLS_RANDOM],
				     uint64_t now_ns)
{
	struct entry *e = find(s, random);

	if (!e)
		return NULL;
	if (!e->used_ns)
		e->used_ns = now_ns ? now_ns : 1;
	return &e->set;
}

bool secrets_complete(const struct secrets *s, const uint8_t random[TLS_RANDOM])
{
	const struct entry *e = find(s, random);

	return e && (e->set.of[SECRET_MASTER].len ||
		     (e->set.of[SECRET_CLIENT_DATA].len && e->set.of[SECRET_SERVER_DATA].len));
}

void secrets_tick(struct secrets *s, uint64_t now_ns)
{
	uint32_t some = s->room < TICK_SOME ? s->room : TICK_SOME;

	for (uint32_t i = 0; i < some; i++) {
		struct entry *e = &s->at[s->ticked];

		if (e->live && e->used_ns && now_ns > e->used_ns && now_ns - e->used_ns >= USED_NS)
			wipe(s, e);
		s->ticked = (s->ticked + 1) % s->room;
	}
}
