/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_table.c - see flow_table.h. A chained hash table, and three lists by last packet, over one
 * array.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/stream/flow_table.h"
#include "lib/siphash.h"

int flow_table_init(struct flow_table *t, uint32_t max_flows, const uint64_t seed[2])
{
	uint32_t n = 1024;

	while (n < max_flows && n < 1u << 24)
		n *= 2;
	memset(t, 0, sizeof(*t));
	memcpy(t->seed, seed, sizeof(t->seed));
	/* Of so large a zeroed block the kernel provides only the pages that are touched. */
	t->at = calloc((size_t)max_flows + 1, sizeof(*t->at));
	t->tunnels = calloc((size_t)max_flows + 1, sizeof(*t->tunnels));
	t->buckets = calloc(n, sizeof(*t->buckets));
	t->mask = n - 1;
	if (t->at && t->tunnels && t->buckets)
		return 0;
	flow_table_release(t);
	return -ENOMEM;
}

void flow_table_release(struct flow_table *t)
{
	free(t->at);
	free(t->tunnels);
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}

/* The key as words, for hashing and comparing. */
struct key_words {
	uint64_t addr[4];
	uint32_t ports;
};

static struct key_words key_words(const uint8_t addr[2][16], const uint16_t port[2])
{
	struct key_words w = {.ports = (uint32_t)port[1] << 16 | port[0]};

	memcpy(&w.addr[0], addr[0], 16);
	memcpy(&w.addr[2], addr[1], 16);
	return w;
}

/* Those of a segment's key, without making the key. */
static struct key_words seg_words(const struct seg *seg, uint8_t sender)
{
	uint16_t low = sender ? seg->dport : seg->sport, high = sender ? seg->sport : seg->dport;
	struct key_words w = {.ports = (uint32_t)high << 16 | low};

	memcpy(&w.addr[0], sender ? seg->daddr : seg->saddr, 16);
	memcpy(&w.addr[2], sender ? seg->saddr : seg->daddr, 16);
	return w;
}

static uint32_t place_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->at);
}

struct flow_key flow_key(const struct flow_table *t, const struct flow *f)
{
	struct flow_key key = {.tunnel = flow_tunnel(t, f)};

	_Static_assert(offsetof(struct flow_key, tunnel) == sizeof(struct flow_ends), "the same");
	memcpy(&key, &f->key, sizeof(f->key));
	return key;
}

/*
 * Both halves of a product: each bit of the factors affects many of its bits. The factors are added
 * in: where one is 0, the other still counts.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ a ^ b;
}

static uint32_t hash(const struct flow_table *t, struct key_words w, uint32_t tunnel)
{
	uint64_t h = mix(w.addr[0] ^ t->seed[0], w.addr[1] ^ t->seed[1]);

	h = mix(h ^ w.addr[2] ^ t->seed[1], w.addr[3] ^ ~t->seed[0]);
	return (uint32_t)mix(h ^ w.ports ^ (uint64_t)tunnel << 32, 0x9e3779b97f4a7c15ull);
}

static bool ends_are(const struct flow_ends *ends, struct key_words y)
{
	struct key_words x = key_words(ends->addr, ends->port);

	return !((x.addr[0] ^ y.addr[0]) | (x.addr[1] ^ y.addr[1]) | (x.addr[2] ^ y.addr[2]) |
		 (x.addr[3] ^ y.addr[3]) | (x.ports ^ y.ports));
}

struct flow *flow_look_up(struct flow_table *t, const struct seg *seg, uint8_t sender)
{
	struct key_words w = seg_words(seg, sender);
	struct flow *f = flow_at(t, t->buckets[hash(t, w, seg->tunnel) & t->mask]);

	while (f && !(ends_are(&f->key, w) && flow_tunnel(t, f) == seg->tunnel))
		f = flow_at(t, f->hash_next);
	if (f)
		t->last = f;
	return f;
}

struct flow_key flow_key_of(const struct seg *seg, uint8_t sender)
{
	struct flow_key key = {.tunnel = seg->tunnel};

	memcpy(key.addr[sender], seg->saddr, sizeof(seg->saddr));
	memcpy(key.addr[!sender], seg->daddr, sizeof(seg->daddr));
	key.port[sender] = seg->sport;
	key.port[!sender] = seg->dport;
	return key;
}

static void list_add(struct flow_table *t, struct flow *f, enum flow_list list)
{
	f->list = (uint8_t)list;
	f->prev = t->tail[list];
	f->next = 0;
	if (f->prev)
		t->at[f->prev].next = place_of(t, f);
	else
		t->head[list] = place_of(t, f);
	t->tail[list] = place_of(t, f);
	t->listed[list]++;
}

static void list_remove(struct flow_table *t, struct flow *f)
{
	if (f->prev)
		t->at[f->prev].next = f->next;
	else
		t->head[f->list] = f->next;
	if (f->next)
		t->at[f->next].prev = f->prev;
	else
		t->tail[f->list] = f->prev;
	t->listed[f->list]--;
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *key)
{
	uint32_t *bucket =
		&t->buckets[hash(t, key_words(key->addr, key->port), key->tunnel) & t->mask];
	uint32_t place = t->spare ? t->spare : ++t->used;
	struct flow *f = &t->at[place];

	if (t->spare)
		t->spare = f->next;
	memset(f, 0, sizeof(*f));
	memcpy(&f->key, key, sizeof(f->key));
	t->tunnelled |= key->tunnel != TUNNEL_NONE;
	if (t->tunnelled)
		t->tunnels[place] = key->tunnel;
	f->hash_next = *bucket;
	*bucket = place;
	t->count++;
	list_add(t, f, FLOW_HALF);
	return f;
}

void flow_remove(struct flow_table *t, struct flow *f)
{
	uint32_t h = hash(t, key_words(f->key.addr, f->key.port), flow_tunnel(t, f));
	uint32_t *at = &t->buckets[h & t->mask];
	uint32_t place = place_of(t, f);

	while (*at != place)
		at = &t->at[*at].hash_next;
	*at = f->hash_next;
	list_remove(t, f);
	if (t->last == f)
		t->last = NULL;
	f->next = t->spare;
	t->spare = place;
	t->count--;
}

void flow_move(struct flow_table *t, struct flow *f, enum flow_list list)
{
	list_remove(t, f);
	list_add(t, f, list);
}

struct endpoint flow_endpoint(const struct flow *f, enum side side)
{
	uint8_t i = side == SIDE_CLIENT ? f->client : !f->client;
	struct endpoint end;

	memcpy(end.addr, f->key.addr[i], sizeof(end.addr));
	end.port = f->key.port[i];
	return end;
}

uint64_t flow_id(const struct flow_table *t, const struct flow *f)
{
	/* "tdsmon record id" */
	static const uint64_t key[2] = {0x72206e6f6d736474, 0x64692064726f6365};
	struct key_words w = key_words(f->key.addr, f->key.port);
	uint64_t words[6] = {f->first_ns};

	for (int i = 0; i < 4; i++)
		words[1 + i] = le64toh(w.addr[i]);
	words[5] =
		(uint64_t)flow_tunnel(t, f) << 32 | (uint64_t)f->key.port[1] << 16 | f->key.port[0];
	return siphash(key, words, 6);
}
