/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow.c - see flow.h. A chained hash table, and three lists by last packet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"

int flow_table_init(struct flow_table *t, uint32_t max_flows)
{
	uint32_t n = 1024;

	while (n < max_flows && n < 1u << 24)
		n *= 2;
	memset(t, 0, sizeof(*t));
	t->buckets = calloc(n, sizeof(*t->buckets));
	t->mask = n - 1;
	return t->buckets ? 0 : -ENOMEM;
}

void flow_table_release(struct flow_table *t)
{
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}

/* Fast and well enough spread for addresses and ports; a multiply-xor over 32-bit words. */
static uint32_t flow_hash(const struct flow_key *key)
{
	uint64_t h = 0x9e3779b97f4a7c15ull;
	uint32_t word;

	for (size_t i = 0; i < sizeof(*key); i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)key + i, sizeof(word));
		h = (h ^ word) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

struct flow *flow_find(const struct flow_table *t, const struct flow_key *key)
{
	struct flow *f = t->buckets[flow_hash(key) & t->mask];

	while (f && memcmp(&f->key, key, sizeof(*key)))
		f = f->hash_next;
	return f;
}

static void list_add(struct flow_table *t, struct flow *f, enum flow_list list)
{
	f->list = (uint8_t)list;
	f->prev = t->tail[list];
	f->next = NULL;
	if (f->prev)
		f->prev->next = f;
	else
		t->head[list] = f;
	t->tail[list] = f;
	t->listed[list]++;
}

static void list_remove(struct flow_table *t, struct flow *f)
{
	if (f->prev)
		f->prev->next = f->next;
	else
		t->head[f->list] = f->next;
	if (f->next)
		f->next->prev = f->prev;
	else
		t->tail[f->list] = f->prev;
	t->listed[f->list]--;
}

struct flow *flow_add(struct flow_table *t, const struct flow_key *key)
{
	struct flow **bucket = &t->buckets[flow_hash(key) & t->mask];
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->key = *key;
	f->hash_next = *bucket;
	*bucket = f;
	t->count++;
	list_add(t, f, FLOW_LOGIN);
	return f;
}

void flow_remove(struct flow_table *t, struct flow *f)
{
	struct flow **at = &t->buckets[flow_hash(&f->key) & t->mask];

	while (*at != f)
		at = &(*at)->hash_next;
	*at = f->hash_next;
	list_remove(t, f);
	flow_unstall(t, f);
	t->count--;
	free(f);
}

void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list)
{
	if (f->list == list && t->tail[list] == f)
		return;
	list_remove(t, f);
	list_add(t, f, list);
}

void flow_stall(struct flow_table *t, struct flow *f)
{
	if (f->stalled)
		return;
	f->stalled = true;
	f->stall_prev = NULL;
	f->stall_next = t->stalled;
	if (t->stalled)
		t->stalled->stall_prev = f;
	t->stalled = f;
}

void flow_unstall(struct flow_table *t, struct flow *f)
{
	if (!f->stalled)
		return;
	f->stalled = false;
	f->stall_packets = 0;
	if (f->stall_prev)
		f->stall_prev->stall_next = f->stall_next;
	else
		t->stalled = f->stall_next;
	if (f->stall_next)
		f->stall_next->stall_prev = f->stall_prev;
}

struct flow_key flow_key_of(const struct seg *seg, uint8_t *sender)
{
	struct flow_key key;
	int order = memcmp(seg->saddr, seg->daddr, sizeof(seg->saddr));
	int s;

	if (!order)
		order = seg->sport - seg->dport;
	s = order > 0;
	memcpy(key.addr[s], seg->saddr, sizeof(seg->saddr));
	memcpy(key.addr[!s], seg->daddr, sizeof(seg->daddr));
	key.port[s] = seg->sport;
	key.port[!s] = seg->dport;
	*sender = (uint8_t)s;
	return key;
}

struct endpoint flow_endpoint(const struct flow *f, enum side side)
{
	uint8_t i = side == SIDE_CLIENT ? f->client : !f->client;
	struct endpoint end;

	memcpy(end.addr, f->key.addr[i], sizeof(end.addr));
	end.port = f->key.port[i];
	return end;
}
