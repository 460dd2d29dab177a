/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * instance.h - the instances that SQL Server Browser reported: server address and port to name. The
 * memory is fixed. An answer to a question that the engine saw is trusted more than an answer
 * without a question. The latter have little room of their own, and never push out or change the
 * former.
 */
#ifndef TDSMON_INSTANCE_H
#define TDSMON_INSTANCE_H

#include "engine/protocol/ssrp.h"
#include "engine/record.h"
#include "lib/port_set.h"

#define INSTANCES_ASKED	  1024
#define INSTANCES_UNASKED 128
#define INSTANCES	  (INSTANCES_ASKED + INSTANCES_UNASKED)
#define INSTANCE_BUCKETS  1024

/* How the engine learned of an instance. */
enum instance_trust {
	INSTANCE_UNASKED,
	INSTANCE_ASKED,
	INSTANCE_TRUSTS,
};

struct instance {
	struct instance *hash_next;
	struct instance *prev, *next; /* in the list of its trust, by last use */
	uint8_t addr[16];
	uint16_t port; /* 0: free */
	uint8_t trust;
	bool dac;		   /* this is the port for administrators */
	char name[SSRP_NAME_TEXT]; /* empty: not known */
};

/* Called when a port becomes the port of some server, or stops being one. */
typedef void instance_port_fn(void *ctx, uint16_t port, bool serves);

struct instances {
	struct instance *buckets[INSTANCE_BUCKETS];			/* by address */
	struct instance *head[INSTANCE_TRUSTS], *tail[INSTANCE_TRUSTS]; /* head: the oldest */
	struct instance *free[INSTANCE_TRUSTS];
	struct instance slots[INSTANCES];
	struct port_set ports; /* of all instances */
	uint32_t count;
	uint64_t evicted;
	uint64_t seed;
	instance_port_fn *port_fn;
	void *ctx;
};

/* The functions below call fn with ctx. seed: of the hash, secret. */
void instances_init(struct instances *t, uint64_t seed, instance_port_fn *fn, void *ctx);

/*
 * Learn from a server's answer. It replaces everything known about the port or the name, except
 * what is trusted more. If there is no room, the oldest instance is dropped and counted.
 */
void instance_learn(struct instances *t, const struct endpoint *server, const char *name, bool dac,
		    enum instance_trust trust);

/* The instance at this address and port, or NULL. */
const struct instance *instance_find(const struct instances *t, const uint8_t addr[16],
				     uint16_t port);
/* A client connects to it: keep the instance, if it is known. */
void instance_use(struct instances *t, const uint8_t addr[16], uint16_t port);

#endif
