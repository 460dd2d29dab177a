// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * conversation.c - the conversations, found by their key and kept in the order of their last use.
 */
#include <string.h>

#include "engine/dependency/companions_int.h"
#include "lib/siphash.h"

static uint32_t bucket_of(const struct companions *c, const struct flow_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];

	memcpy(words, key, sizeof(words));
	return (uint32_t)siphash(c->seed, words, sizeof(words) / sizeof(words[0])) &
	       (COMPANION_BUCKETS - 1);
}

static void used_unlink(struct companions *c, struct conversation *v)
{
	if (v->newer >= 0)
		c->conversations[v->newer].older = v->older;
	else
		c->newest = v->older;
	if (v->older >= 0)
		c->conversations[v->older].newer = v->newer;
	else
		c->oldest = v->newer;
}

static void used_newest(struct companions *c, struct conversation *v)
{
	int32_t at = (int32_t)(v - c->conversations);

	v->newer = -1;
	v->older = c->newest;
	if (c->newest >= 0)
		c->conversations[c->newest].newer = at;
	else
		c->oldest = at;
	c->newest = at;
}

struct conversation *conversation_find(struct companions *c, const struct flow_key *key, bool udp)
{
	for (int32_t at = c->buckets[bucket_of(c, key)]; at >= 0;
	     at = c->conversations[at].hash_next) {
		struct conversation *v = &c->conversations[at];

		if (v->udp == udp && !memcmp(&v->key, key, sizeof(*key)))
			return v;
	}
	return NULL;
}

static void conversation_forget(struct companions *c, struct conversation *v)
{
	int32_t *link = &c->buckets[bucket_of(c, &v->key)];

	while (&c->conversations[*link] != v)
		link = &c->conversations[*link].hash_next;
	*link = v->hash_next;
	used_unlink(c, v);
	c->stats.conversations_evicted++;
}

void stream_reset(struct stream *s)
{
	s->synced = false;
	s->taken = s->length = s->have = 0;
}

struct conversation *conversation_add(struct companions *c, const struct flow_key *key, bool udp,
				      const struct service *service, uint8_t requester)
{
	uint8_t *frames[2] = {NULL, NULL};
	struct conversation *v;
	uint32_t bucket = bucket_of(c, key);

	if (c->conversation_count < COMPANION_CONVERSATIONS) {
		v = &c->conversations[c->conversation_count++];
	} else {
		v = &c->conversations[c->oldest];
		conversation_forget(c, v);
		frames[0] = v->stream[0].frame;
		frames[1] = v->stream[1].frame;
	}
	memset(v, 0, sizeof(*v));
	v->stream[0].frame = frames[0];
	v->stream[1].frame = frames[1];
	v->key = *key;
	v->udp = udp;
	v->service = service;
	v->requester = requester;
	v->first_open = -1;
	v->hash_next = c->buckets[bucket];
	c->buckets[bucket] = (int32_t)(v - c->conversations);
	used_newest(c, v);
	return v;
}

void conversation_use(struct companions *c, struct conversation *v)
{
	used_unlink(c, v);
	used_newest(c, v);
}
