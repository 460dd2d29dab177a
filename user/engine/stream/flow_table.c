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

static struct key_words key_words(const void *ends)
{
	struct key_words w;

	_Static_assert(offsetof(struct flow_key, tunnel) == sizeof(struct flow_ends), "the same");
	memcpy(w.addr, ends, sizeof(w.addr));
	memcpy(&w.ports, (const uint8_t *)ends + sizeof(w.addr), sizeof(w.ports));
	return w;
}

static uint32_t place_of(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->at);
}

uint32_t flow_tunnel(const struct flow_table *t, const struct flow *f)
{
	return t->tunnelled ? t->tunnels[place_of(t, f)] : TUNNEL_NONE;
}

struct flow_key flow_key(const struct flow_table *t, const struct flow *f)
{
	struct flow_key key = {.tunnel = flow_tunnel(t, f)};

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

static uint32_t flow_hash(const struct flow_table *t, const struct flow_key *key)
{
	struct key_words w = key_words(key);
	uint64_t h = mix(w.addr[0] ^ t->seed[0], w.addr[1] ^ t->seed[1]);

	h = mix(h ^ w.addr[2] ^ t->seed[1], w.addr[3] ^ ~t->seed[0]);
	return (uint32_t)mix(h ^ w.ports ^ (uint64_t)key->tunnel << 32, 0x9e3779b97f4a7c15ull);
}

static bool ends_are(const struct flow_ends *ends, const struct flow_key *key)
{
	struct key_words x = key_words(ends), y = key_words(key);

	return !((x.addr[0] ^ y.addr[0]) | (x.addr[1] ^ y.addr[1]) | (x.addr[2] ^ y.addr[2]) |
		 (x.addr[3] ^ y.addr[3]) | (x.ports ^ y.ports));
}

/* As memcmp() of addresses, and of ports if the addresses are the same. */
static bool comes_after(const struct seg *seg)
{
	uint64_t a[2], b[2];

	memcpy(a, seg->saddr, sizeof(a));
	memcpy(b, seg->daddr, sizeof(b));
	if (a[0] != b[0])
		return be64toh(a[0]) > be64toh(b[0]);
	if (a[1] != b[1])
		return be64toh(a[1]) > be64toh(b[1]);
	return seg->sport > seg->dport;
}

struct flow *flow_find(const struct flow_table *t, const struct seg *seg, struct flow_key *key,
		       uint8_t *sender)
{
	bool s = comes_after(seg);
	struct flow *f;

	memcpy(key->addr[s], seg->saddr, sizeof(seg->saddr));
	memcpy(key->addr[!s], seg->daddr, sizeof(seg->daddr));
	key->port[s] = seg->sport;
	key->port[!s] = seg->dport;
	*sender = s;
	key->tunnel = seg->tunnel;
	f = flow_at(t, t->buckets[flow_hash(t, key) & t->mask]);
	while (f && !(ends_are(&f->key, key) && flow_tunnel(t, f) == key->tunnel))
		f = flow_at(t, f->hash_next);
	return f;
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
	uint32_t *bucket = &t->buckets[flow_hash(t, key) & t->mask];
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
	struct flow_key key = flow_key(t, f);
	uint32_t *at = &t->buckets[flow_hash(t, &key) & t->mask];
	uint32_t place = place_of(t, f);

	while (*at != place)
		at = &t->at[*at].hash_next;
	*at = f->hash_next;
	list_remove(t, f);
	f->next = t->spare;
	t->spare = place;
	t->count--;
}

void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list)
{
	if (f->list == list && t->tail[list] == place_of(t, f))
		return;
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
	struct key_words w = key_words(&f->key);
	uint64_t words[6] = {f->first_ns};

	for (int i = 0; i < 4; i++)
		words[1 + i] = le64toh(w.addr[i]);
	words[5] =
		(uint64_t)flow_tunnel(t, f) << 32 | (uint64_t)f->key.port[1] << 16 | f->key.port[0];
	return siphash(key, words, 6);
}
