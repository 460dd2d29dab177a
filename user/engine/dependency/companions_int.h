/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * companions_int.h - what the files that follow the conversations with services share; all others
 * include companions.h.
 */
#ifndef TDSMON_COMPANIONS_INT_H
#define TDSMON_COMPANIONS_INT_H

#include "engine/dependency/companions.h"
#include "engine/dependency/totals.h"
#include "lib/units.h"

#define COMPANION_BUCKETS	(2 * COMPANION_CONVERSATIONS) /* a power of two */
#define COMPANION_RPC_ENDPOINTS 64			      /* known to speak RPC */
#define CONVERSATION_FRAME	4096u	    /* bytes of a message that comes in several segments */
#define COPY_NS			50000000ull /* what comes again sooner is the capture's copy */

enum side_of { REQUESTER, SERVICE };

/* A service by its port: how to cut its stream into messages, and how to parse one. */
struct service {
	uint16_t port;
	enum dependency_kind kind;
	bool udp, tcp;
	uint32_t (*length)(const uint8_t *p, size_t len); /* NULL: its exchanges are turns */
	uint32_t prefix; /* bytes before a message over TCP that its parser skips */
};

/* One direction of a connection, cut into messages. */
struct stream {
	bool synced;
	uint32_t next;	   /* sequence number expected */
	uint32_t taken;	   /* bytes seen of the current message */
	uint32_t length;   /* of the current message; 0: not known yet */
	uint32_t have;	   /* bytes kept of the current message */
	uint8_t *frame;	   /* CONVERSATION_FRAME bytes; NULL until a message spans segments */
	uint64_t first_ns; /* when its first byte came */
};

struct conversation {
	struct flow_key key;
	int32_t hash_next;    /* -1: none */
	int32_t newer, older; /* by last use */
	const struct service *service;
	uint8_t requester; /* index of the key's end */
	enum rpc_interface interface;
	struct rpc_pipes pipes;
	bool used, udp, turned;	 /* turned: the only turn that is timed is over */
	struct stream stream[2]; /* by enum side_of */
	int32_t first_open;	 /* exchange, newest first; -1: none */
	uint64_t part; /* serial of the exchange whose response began last and goes on; 0: none */
};

struct companions {
	struct exchange ring[COMPANION_EXCHANGES];
	uint64_t serial;
	struct conversation conversations[COMPANION_CONVERSATIONS];
	uint32_t conversation_count;
	int32_t buckets[COMPANION_BUCKETS];
	int32_t newest, oldest; /* conversations, by last use */
	struct endpoint rpc[COMPANION_RPC_ENDPOINTS];
	uint32_t rpc_count, rpc_next;
	uint64_t seed[2];
	bool own;
	uint64_t lost_ns;	/* the source lost packets up to this time; 0: never */
	uint64_t skipped_ns[2]; /* when the source last left out packets, by service_is_bulk(); 0 */
	struct companion_stats stats;
	struct totals totals;
};

/* conversation.c. NULL: not found. */
struct conversation *conversation_find(struct companions *c, const struct flow_key *key, bool udp);

/* If there is no room, it takes the place of the one that was idle longest. */
struct conversation *conversation_add(struct companions *c, const struct flow_key *key, bool udp,
				      const struct service *service, uint8_t requester);

/* It is the last one used. */
void conversation_use(struct companions *c, struct conversation *v);

/* Forget the current message, and where the stream is. */
void stream_reset(struct stream *s);

/* service_find.c: the service at this port; NULL: no service. */
const struct service *service_find(uint16_t port, bool udp);

/*
 * The service of an RPC connection, and whether the segment's sender is its requester. NULL: it is
 * not RPC.
 */
const struct service *service_rpc(struct companions *c, const struct seg *seg,
				  const uint8_t *payload, bool *from_requester);

/* exchange_ring.c: the exchange with this serial; NULL: it is no longer kept, or serial is 0. */
struct exchange *exchange_at(struct companions *c, uint64_t serial);

/* exchange_match.c: the open exchanges of a conversation, newest first; NULL: no more. */
struct exchange *exchange_first_open(struct companions *c, const struct conversation *v);
struct exchange *exchange_next_open(struct companions *c, const struct exchange *x);

/* Begin the exchange of a request that was sent at start_ns. It takes the oldest one's slot. */
struct exchange *exchange_open(struct companions *c, struct conversation *v, uint64_t start_ns,
			       const struct service_message *m);
/* It is no longer open. ns: when its response or the connection ended; NO_NS: not known. */
void exchange_end(struct companions *c, struct conversation *v, struct exchange *x,
		  enum exchange_state state, uint64_t ns);

/*
 * The open exchange that a response ends: the one with its id; the oldest if id is 0. It is never a
 * connect.
 */
struct exchange *exchange_match(struct companions *c, struct conversation *v, uint64_t id);

/*
 * The source cut off the rest of a segment of the service. If a response had begun, its end is
 * either there or in a later segment: exchange_response_goes_on().
 */
void exchange_response_cut(struct companions *c, struct conversation *v, uint64_t ns);

/*
 * Is this segment of the service's another part of a response that was cut off? Its end is the last
 * such segment before the next request.
 */
bool exchange_response_goes_on(struct companions *c, struct conversation *v, const struct seg *seg);

/* Take a message that began at first_ns and ended at last_ns. end_seq: after it; 0 over UDP. */
void conversation_message(struct companions *c, struct conversation *v, enum side_of from,
			  const struct service_message *m, uint64_t first_ns, uint64_t last_ns,
			  uint32_t end_seq);

/*
 * If messages are encrypted, turns stand for them: the requester sends requests,
 * the service responses.
 */
void conversation_turn(struct companions *c, struct conversation *v, enum side_of from,
		       struct service_message *m, uint64_t ns, uint32_t end_seq);

/* TCP retransmits a request: count it for the open requests that were not acknowledged. */
void conversation_resent(struct companions *c, struct conversation *v, const struct seg *seg);

/* Messages of the service are missing: what was open before may have been answered. */
void conversation_gap(struct companions *c, struct conversation *v);

/* conversation_stream.c: parse one message, or the part of it that was kept. */
void conversation_parse(struct conversation *v, enum dependency_kind kind, const uint8_t *p,
			size_t len, struct service_message *m);

/* Put the segment where its stream is, past what was seen and over what is missing. */
void stream_segment(struct companions *c, struct conversation *v, enum side_of from,
		    const struct seg *seg, const uint8_t *payload);

/* conversation_tcp.c: take one segment of a conversation over TCP. */
void conversation_segment(struct companions *c, struct conversation *v, enum side_of from,
			  const struct seg *seg, const uint8_t *payload);

#endif
