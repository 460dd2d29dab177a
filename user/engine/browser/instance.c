// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * instance.c - see instance.h.
 */
#include <string.h>
#include <strings.h>

#include "engine/browser/instance.h"

static uint32_t bucket_of(const struct instances *t, const uint8_t addr[16])
{
	uint64_t high, low;

	memcpy(&high, addr, 8);
	memcpy(&low, addr + 8, 8);
	high = (high ^ t->seed) * 0x9e3779b97f4a7c15ull;
	low = (low ^ high ^ high >> 32 ^ t->seed >> 17) * 0xbf58476d1ce4e5b9ull;
	return low >> 32 & (INSTANCE_BUCKETS - 1);
}

static void list_remove(struct instances *t, struct instance *i)
{
	*(i->prev ? &i->prev->next : &t->head[i->trust]) = i->next;
	*(i->next ? &i->next->prev : &t->tail[i->trust]) = i->prev;
}

/* Append it at the tail, as the youngest. */
static void list_add(struct instances *t, struct instance *i)
{
	i->next = NULL;
	i->prev = t->tail[i->trust];
	*(i->prev ? &i->prev->next : &t->head[i->trust]) = i;
	t->tail[i->trust] = i;
}

static bool port_used(const struct instances *t, uint16_t port)
{
	for (int i = 0; i < INSTANCES; i++)
		if (t->slots[i].port == port)
			return true;
	return false;
}

static void port_add(struct instances *t, uint16_t port)
{
	if (port_set_has(&t->ports, port))
		return;
	port_set_add(&t->ports, port);
	t->port_fn(t->ctx, port, true);
}

/* keep: a port that the caller is about to learn again */
static void instance_forget(struct instances *t, struct instance *i, uint16_t keep)
{
	struct instance **at = &t->buckets[bucket_of(t, i->addr)];
	uint16_t port = i->port;

	while (*at != i)
		at = &(*at)->hash_next;
	*at = i->hash_next;
	list_remove(t, i);
	i->port = 0;
	i->next = t->free[i->trust];
	t->free[i->trust] = i;
	t->count--;
	if (port == keep || port_used(t, port))
		return;
	port_set_remove(&t->ports, port);
	t->port_fn(t->ctx, port, false);
}

static void instance_touch(struct instances *t, struct instance *i)
{
	list_remove(t, i);
	list_add(t, i);
}

static struct instance *find(const struct instances *t, const uint8_t addr[16], uint16_t port)
{
	struct instance *i;

	if (!port_set_has(&t->ports, port))
		return NULL;
	i = t->buckets[bucket_of(t, addr)];
	while (i && (i->port != port || memcmp(i->addr, addr, sizeof(i->addr))))
		i = i->hash_next;
	return i;
}

void instances_init(struct instances *t, uint64_t seed, instance_port_fn *fn, void *ctx)
{
	memset(t, 0, sizeof(*t));
	t->seed = seed;
	t->port_fn = fn;
	t->ctx = ctx;
	for (int n = 0; n < INSTANCES; n++) {
		struct instance *i = &t->slots[n];

		i->trust = n < INSTANCES_ASKED ? INSTANCE_ASKED : INSTANCE_UNASKED;
		i->next = t->free[i->trust];
		t->free[i->trust] = i;
	}
}

/*
 * Does this port or name contradict i? An instance has one port, and another one for
 * administrators. A port belongs to one instance.
 */
static bool contradicts(const struct instance *i, const struct endpoint *server, const char *name,
			bool dac)
{
	if (memcmp(i->addr, server->addr, sizeof(i->addr)))
		return false;
	if (i->port == server->port)
		return i->dac != dac || (*name && strcasecmp(i->name, name));
	return *name && i->dac == dac && !strcasecmp(i->name, name);
}

/* Forget the instances that the answer contradicts. False: one of them is trusted more. */
static bool settle(struct instances *t, const struct endpoint *server, const char *name, bool dac,
		   enum instance_trust trust)
{
	struct instance *i = t->buckets[bucket_of(t, server->addr)], *next;

	for (struct instance *known = i; known; known = known->hash_next)
		if (known->trust > trust && contradicts(known, server, name, dac))
			return false;
	for (; i; i = next) {
		next = i->hash_next;
		if (contradicts(i, server, name, dac))
			instance_forget(t, i, server->port);
	}
	return true;
}

void instance_learn(struct instances *t, const struct endpoint *server, const char *name, bool dac,
		    enum instance_trust trust)
{
	struct instance **bucket = &t->buckets[bucket_of(t, server->addr)], *i;

	if (!settle(t, server, name, dac, trust))
		return;
	i = find(t, server->addr, server->port);
	if (i && i->trust >= trust) {
		instance_touch(t, i);
		return;
	}
	if (i)
		instance_forget(t, i, server->port);
	if (!t->free[trust]) {
		t->evicted++;
		instance_forget(t, t->head[trust], server->port);
	}
	i = t->free[trust];
	t->free[trust] = i->next;
	memcpy(i->addr, server->addr, sizeof(i->addr));
	i->port = server->port;
	i->dac = dac;
	strcpy(i->name, name);
	i->hash_next = *bucket;
	*bucket = i;
	list_add(t, i);
	t->count++;
	port_add(t, i->port);
}

const struct instance *instance_find(const struct instances *t, const uint8_t addr[16],
				     uint16_t port)
{
	return find(t, addr, port);
}

void instance_use(struct instances *t, const uint8_t addr[16], uint16_t port)
{
	struct instance *i = find(t, addr, port);

	if (i)
		instance_touch(t, i);
}
