/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * instance.h - the instances that SQL Server Browser told of: server address and port to name.
 * Fixed memory. What came in answer to a question that was seen is trusted more than what nobody is
 * known to have asked for: that has little room of its own, and never pushes out or changes the
 * former.
 */
#ifndef TDSMON_INSTANCE_H
#define TDSMON_INSTANCE_H

#include "engine/engine.h"
#include "engine/protocol/ssrp.h"

#define INSTANCES_ASKED	  1024
#define INSTANCES_UNASKED 128
#define INSTANCES	  (INSTANCES_ASKED + INSTANCES_UNASKED)
#define INSTANCE_BUCKETS  1024

/* How it was learned. */
enum instance_trust {
	INSTANCE_UNASKED,
	INSTANCE_ASKED,
	INSTANCE_TRUSTS,
};

struct instance {
	struct instance *hash_next;
	struct instance *prev, *next; /* of its trust, by last use */
	uint8_t addr[16];
	uint16_t port; /* 0: free */
	uint8_t trust;
	bool dac;		   /* the port for administrators */
	char name[SSRP_NAME_TEXT]; /* empty: not known */
};

/* A port begins, or ceases, to be one of any server's. */
typedef void instance_port_fn(void *ctx, uint16_t port, bool serves);

struct instances {
	struct instance *buckets[INSTANCE_BUCKETS];			/* by address */
	struct instance *head[INSTANCE_TRUSTS], *tail[INSTANCE_TRUSTS]; /* head: the oldest */
	struct instance *free[INSTANCE_TRUSTS];
	struct instance slots[INSTANCES];
	struct port_set ports; /* of all */
	uint32_t count;
	uint64_t evicted;
	uint64_t seed;
	instance_port_fn *port_fn;
	void *ctx;
};

/* fn is called by the functions below with ctx. seed: of the hash, secret. */
void instances_init(struct instances *t, uint64_t seed, instance_port_fn *fn, void *ctx);

/*
 * A server's answer: what it says of a port or a name replaces what was known of these, but where
 * that is trusted more. The oldest makes room, and is counted.
 */
void instance_learn(struct instances *t, const struct endpoint *server, const char *name, bool dac,
		    enum instance_trust trust);

/* What is at this address and port, or NULL. */
const struct instance *instance_find(const struct instances *t, const uint8_t addr[16],
				     uint16_t port);
/* It is dialled: to be kept, if it is known. */
void instance_use(struct instances *t, const uint8_t addr[16], uint16_t port);

#endif
