/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_table.h - a connection as the engine keeps it, and the table of connections.
 */
#ifndef TDSMON_FLOW_TABLE_H
#define TDSMON_FLOW_TABLE_H

#include <endian.h>
#include <string.h>

#include <linux/types.h>

#include "engine/protocol/frame.h"
#include "engine/record.h"
#include "engine/stream/tcp_facts.h"
#include "segment.h"

#define FLOW_SIZE_MAX 248 /* bytes; and four of the hash table */

struct hidden;
struct login;
struct mars;
struct request;

/* A segment held back: it waits for bytes before it, or for bytes that it acknowledges. */
struct held {
	struct held *next;
	struct seg seg;
	uint8_t data[];
};

/* Payload that its sender had to send again, and that the peer has not acknowledged so far. */
struct resent {
	uint64_t since_ns; /* when it was sent first, */
	uint64_t last_ns;  /* and last */
	uint32_t times;	   /* how often sent, the first time included; 0: no such payload */
	uint32_t longest;  /* bytes of the longest segment among those sent again, */
	uint32_t shortest; /* and of the shortest */
	uint32_t end;	   /* where the last of it ends */
};

/*
 * State that a flow has only while its segments do not simply follow one another: segments out of
 * order (reassembly.c), packets that the peer may have ignored (doubt.c), payload sent again.
 */
struct reorder {
	struct flow *prev, *next; /* on the table's list of stalled flows */
	struct held *held[2];	  /* of each side, by rising sequence number */
	uint64_t stall_ns;
	uint64_t claim_ns[2];
	uint64_t hole_ns[2]; /* when bytes behind the hole came */
	uint32_t held_bytes;
	uint16_t held_count;
	uint16_t stall_packets;
	bool stalled;
	bool claimed[2]; /* the peer acknowledged more of this side than was seen: */
	bool hole[2];	 /* bytes of this side never reached the peer, but later ones were seen */
	bool has_rst, has_syn;
	bool rst_weak;	   /* its sender went on: the reset counts only if the stream ends there */
	uint8_t rst_from;  /* enum side */
	uint8_t syn_count; /* how often the doubtful SYN was sent */
	uint32_t claim[2]; /* ... up to here */
	uint32_t rst_peer; /* sequence number that the reset's receiver had reached when the reset
			    * came */
	struct seg rst;	   /* a reset that its receiver may ignore: RFC 5961 3.2 */
	struct seg syn;	   /* a SYN within the connection: RFC 5961 4.2 */
	struct resent resent[2];
};

/* What one side sends. Sequence numbers compare as (int32_t)(a - b). */
struct half {
	uint64_t bytes : 48; /* payload, each byte once */
	/* Of the last segment that advanced the stream; 0: not known. Once reset: the RST's TTL. */
	uint64_t ip_id : 16;
	uint64_t last_ns;
	uint32_t next;	/* next byte in order; valid once known */
	uint32_t acked; /* highest ACK by the peer of bytes that were seen; valid once has_acked */
	uint32_t isn;
	uint32_t ifindex; /* where its segments are seen */
	struct framer framer;
	bool known : 1; /* next is valid */
	bool has_isn : 1;
	bool has_acked : 1;
	bool fin_done : 1; /* its FIN was reached in order */
	bool reset : 1;	   /* its RST was processed */
	bool ttl_varies : 1;
	uint8_t probes : 2; /* keep-alive probes since the peer's last packet; 3: or more */
	union {
		uint16_t spid; /* of the server's packets, in the server's half; 0: not seen */
		/*
		 * In the client's half, for both sides: TTL of the first segment; 0: none yet.
		 * After a reset: unchanged if the reset came from another distance than its side's
		 * segments.
		 */
		uint8_t ttl[2];
	};
};

/* How many routers a packet with this TTL passed (inferred: its sender began at 64, 128 or 255). */
static inline uint8_t flow_hops(uint8_t ttl)
{
	return (uint8_t)((ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl);
}

/* The flow's timer list; each list is sorted by last packet, oldest first. */
enum flow_list {
	FLOW_HALF,    /* no login yet: nothing heard of the server, or of the client */
	FLOW_LOGIN,   /* a login is in progress */
	FLOW_SESSION, /* logged in, or joined in the middle */
	FLOW_CLOSED,  /* over, kept a while so that late packets find it */
	FLOW_LISTS,
};

/*
 * Bytes of other protocols can look like a request's head. A session that was joined by a request
 * counts once the server responds, or once the heads of two requests have fitted.
 */
enum flow_proof { FLOW_PROVEN, FLOW_UNPROVEN, FLOW_FITS_ONCE };

/* struct flow_key without the tunnel, which most connections do not have. */
struct flow_ends {
	uint8_t addr[2][16];
	uint16_t port[2];
};

/*
 * There may be a million flows, most of them idle. State that only a login in progress, a disorder
 * or some sessions need hangs on a pointer, and links are places in the table.
 */
struct flow {
	uint32_t hash_next;	    /* 0: none */
	uint32_t prev, next;	    /* on its list */
	struct flow_ends key;	    /* without its tunnel: flow_key() has both */
	uint64_t first_ns, last_ns; /* first_ns is fixed once a record has used it: flow_id() */
	struct half half[2];
	union { /* struct login begins with its struct tcp_facts, which is all that stream/ knows */
		struct login *login;   /* NULL once decided */
		struct tcp_facts *tcp; /* likewise */
	};
	struct reorder *reorder; /* NULL while all is in order */
	struct mars *mars;	 /* NULL: no MARS */
	struct request *request; /* in progress; NULL if commands are not reported */
	struct hidden *hidden;	 /* the session under TLS; NULL: in clear, or not followed */
	uint32_t commands[COMMAND_COUNT];
	uint32_t resets : 24;
	uint32_t clock_stepped : 1; /* the capture's clock jumped while it was open */
	uint32_t gap_last : 2;	    /* a bit of each side: the side's last bytes are missing */
	uint32_t after_idle : 1;    /* the last payload came after a long silence */
	uint32_t close_unsure : 1;  /* the other side may have closed first: packets are missing */
	uint32_t unproven : 2;	    /* enum flow_proof: joined in the middle */
	uint32_t blind_answer : 1;  /* joined by a server's message, whose first byte will show its
				     * kind */
	/* After the login, a bit of each side: its TDS message goes on; and session.c's IN_*. */
	uint8_t in_message;
	uint8_t list : 2;   /* enum flow_list */
	uint8_t client : 1; /* which of the key's ends is the client */
	uint8_t phase : 3;  /* enum phase, the current one */
	uint8_t close_by : 2;
	uint8_t close_how : 3;
	uint8_t login_outcome : 4;
	bool settling : 1;	 /* begun without SYN: collecting until the order is clear */
	bool mid_stream : 1;	 /* the SYN was not seen */
	bool tentative : 1;	 /* any port: not yet known to be TDS */
	bool handed_payload : 1; /* a payload byte was seen in order */
	bool has_login : 1;
	bool close_emitted : 1; /* the close record was emitted, or will never be */
	bool awaiting : 1;	/* a request of the client is not answered yet */
	bool graceful : 1;
	bool unfollowed : 1; /* TLS hides requests, and not all of them were counted */
};
_Static_assert(FLOW_LISTS <= 4 && PHASE_COUNT <= 8 && SIDE_COUNT <= 4 && CLOSE_COUNT <= 8 &&
		       OUTCOME_COUNT <= 16,
	       "struct flow's bits hold the enums");
_Static_assert(sizeof(struct flow) <= FLOW_SIZE_MAX, "memory of an idle connection");

struct flow_table {
	struct flow *at;   /* by place; place 0 is unused */
	struct flow *last; /* found last; NULL: none, or it was removed */
	uint32_t *tunnels; /* by place, too, TUNNEL_*; written once a flow has a tunnel */
	bool tunnelled;	   /* a flow had a tunnel */
	uint64_t seed[2];
	uint32_t *buckets;
	uint32_t mask;
	uint32_t count;
	uint32_t used, spare; /* places that were ever used; the first one free again */
	uint32_t listed[FLOW_LISTS];
	uint32_t head[FLOW_LISTS], tail[FLOW_LISTS];
};

/*
 * Reserves memory for max_flows, and takes it as flows come. seed: secret, so that nobody can
 * choose addresses of one bucket. Returns 0 or -ENOMEM.
 */
int flow_table_init(struct flow_table *t, uint32_t max_flows, const uint64_t seed[2]);
void flow_table_release(struct flow_table *t);

/*
 * Which of the key's ends (0 or 1) sent a segment: addresses compare as by memcmp(), and ports if
 * the addresses are the same.
 */
static inline uint8_t flow_sender(const struct seg *seg)
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

/* Find a segment's connection; NULL: it is not known. sender: flow_sender() of the segment. */
struct flow *flow_look_up(struct flow_table *t, const struct seg *seg, uint8_t sender);
/* The key of a segment's connection. */
struct flow_key flow_key_of(const struct seg *seg, uint8_t sender);
/* Add a flow, on list FLOW_HALF, zeroed except for key. There must be room: count < max_flows. */
struct flow *flow_add(struct flow_table *t, const struct flow_key *key);
/* Unlink the flow and give its place back; the caller frees all that hangs on it. */
void flow_remove(struct flow_table *t, struct flow *f);
/* Move it to the young end of a list, on which it is not the youngest. */
void flow_move(struct flow_table *t, struct flow *f, enum flow_list list);
/* The same, if it is not there already. */
static inline void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list)
{
	if (f->next || f->list != list)
		flow_move(t, f, list);
}

/* The oldest of a list, and the one after it; NULL: the list has no more. */
static inline struct flow *flow_at(const struct flow_table *t, uint32_t place)
{
	return place ? &t->at[place] : NULL;
}

static inline struct flow *flow_oldest(const struct flow_table *t, enum flow_list list)
{
	return flow_at(t, t->head[list]);
}

static inline struct flow *flow_next(const struct flow_table *t, const struct flow *f)
{
	return flow_at(t, f->next);
}

/* Is a login in progress, or still to begin? */
static inline bool flow_in_login(const struct flow *f)
{
	return f->list == FLOW_HALF || f->list == FLOW_LOGIN;
}

/* Its place in the table. */
static inline uint32_t flow_place(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->at);
}

/* Has a reset ended it? */
static inline bool flow_is_reset(const struct flow *f)
{
	return f->half[0].reset || f->half[1].reset;
}

struct endpoint flow_endpoint(const struct flow *f, enum side side);

/* Its tunnel, TUNNEL_*, and its key with the tunnel. */
static inline uint32_t flow_tunnel(const struct flow_table *t, const struct flow *f)
{
	return t->tunnelled ? t->tunnels[flow_place(t, f)] : TUNNEL_NONE;
}
struct flow_key flow_key(const struct flow_table *t, const struct flow *f);

/* As flow_look_up(), for most packets in fewer steps: those of a connection come in trains. */
static inline struct flow *flow_find(struct flow_table *t, const struct seg *seg, uint8_t sender)
{
	struct flow *f = t->last;

	if (f && f->key.port[sender] == seg->sport && f->key.port[!sender] == seg->dport &&
	    !memcmp(f->key.addr[sender], seg->saddr, sizeof(seg->saddr)) &&
	    !memcmp(f->key.addr[!sender], seg->daddr, sizeof(seg->daddr)) &&
	    flow_tunnel(t, f) == seg->tunnel)
		return f;
	return flow_look_up(t, seg, sender);
}

/* The connection's id in all its records: see record.h. */
uint64_t flow_id(const struct flow_table *t, const struct flow *f);

static inline enum side side_other(enum side s)
{
	return s == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

/* Was this side never seen, though its peer answers it? Then only one direction was captured. */
static inline bool flow_is_unseen(const struct flow *f, enum side side)
{
	const struct half *h = &f->half[side];
	bool answered = h->known || (f->reorder && f->reorder->claimed[side]);

	return answered && !h->last_ns && f->half[side_other(side)].last_ns;
}

#endif
