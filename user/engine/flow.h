/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow.h - a connection as the engine holds it, and the table of them. Internal to the engine.
 */
#ifndef TDSMON_FLOW_H
#define TDSMON_FLOW_H

#include "cert.h"
#include "browser.h"
#include "engine.h"
#include "frame.h"
#include "history.h"

struct hidden;
struct login;
struct mars;
struct request;

/* A segment that waits for its turn: for bytes before it, or for what it acknowledges. */
struct held {
	struct held *next;
	struct seg seg;
	uint8_t data[];
};

/* What one side sends. Sequence numbers compare as (int32_t)(a - b). */
struct half {
	uint64_t bytes; /* payload, each byte once */
	uint64_t last_ns;
	struct held *held; /* by rising sequence number */
	uint32_t next;	   /* next byte in order; valid once known */
	uint32_t acked;	   /* highest that the peer acknowledged; valid once has_acked */
	uint32_t isn;
	uint32_t ifindex; /* where its segments are seen */
	bool known;	  /* next is */
	bool has_isn, has_acked;
	bool fin_done; /* its FIN was reached in order */
};

/* Which timer list a flow is on; each is kept by last packet, oldest first. */
enum flow_list {
	FLOW_LOGIN,   /* a login is under way */
	FLOW_SESSION, /* logged in, or joined in the middle */
	FLOW_CLOSED,  /* over, kept a while so that late packets find it */
	FLOW_LISTS,
};

struct flow {
	struct flow *hash_next;
	struct flow *prev, *next; /* on its list */
	struct flow *stall_prev, *stall_next;
	struct flow_key key;
	uint8_t list;
	uint8_t client; /* which of the key's pairs is the client: 0 or 1 */
	bool stalled;
	bool settling;	     /* begun without SYN: collecting until the order is clear */
	bool mid_stream;     /* the SYN was not seen */
	bool tentative;	     /* any port: not yet known to be TDS */
	bool handed_payload; /* a payload byte was seen in order */
	bool has_login;
	bool reset;	    /* RST processed */
	bool rst_held;	    /* a reset waits for its turn */
	bool told;	    /* the close record was emitted, or will never be */
	bool awaiting;	    /* a request of the client is not yet answered */
	bool unfollowed;    /* TLS hides requests, and not all of them were counted */
	bool in_message[2]; /* after the login: a TDS message goes on in the next packet */
	uint8_t login_outcome;
	uint8_t phase; /* enum phase, where it stands */
	uint8_t close_by, close_how;
	bool graceful;
	uint16_t held_count;
	uint16_t stall_packets;
	uint32_t held_bytes;
	uint64_t first_ns, last_ns;
	uint64_t stall_ns;
	struct half half[2];
	struct framer framer[2];
	struct login *login;	 /* NULL once decided */
	struct mars *mars;	 /* NULL without */
	struct request *request; /* under way; NULL where commands are not told */
	struct hidden *hidden;	 /* the session under TLS; NULL: in clear, or not followed */
	uint32_t commands[COMMAND_COUNT];
	uint32_t resets;
	uint16_t spid; /* 0: not seen */
};

struct flow_table {
	struct flow **buckets;
	uint32_t mask;
	uint32_t count;
	uint32_t listed[FLOW_LISTS];
	struct flow *head[FLOW_LISTS], *tail[FLOW_LISTS];
	struct flow *stalled;
};

struct engine {
	struct engine_config config;
	struct engine_ops ops;
	void *ctx;
	struct engine_stats stats;
	struct flow_table flows;
	uint64_t now_ns, swept_ns;
	uint64_t held_bytes;
	uint32_t sql_count; /* requests whose text is held */
	struct history history;
	struct browser browser;
	struct cert_cache certs;
};

int flow_table_init(struct flow_table *t, uint32_t max_flows);
void flow_table_release(struct flow_table *t);

struct flow *flow_find(const struct flow_table *t, const struct flow_key *key);
/* A new flow, on list FLOW_LOGIN, zeroed but for key. NULL for want of memory. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *key);
/* Unlink and free the flow itself; what hangs on it is the caller's to free. */
void flow_remove(struct flow_table *t, struct flow *f);
/* To the young end of a list. */
void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list);

void flow_stall(struct flow_table *t, struct flow *f);
void flow_unstall(struct flow_table *t, struct flow *f);

/* The key of a segment's connection, and which of its pairs (0 or 1) is the sender. */
struct flow_key flow_key_of(const struct seg *seg, uint8_t *sender);
struct endpoint flow_endpoint(const struct flow *f, enum side side);

static inline enum side side_other(enum side s)
{
	return s == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

#endif
