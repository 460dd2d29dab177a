// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * companions.c - see companions.h. A conversation is a connection, or a pair of UDP ports. Its
 * exchanges are matched by the id that the protocol gives, or in order.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/companions.h"
#include "engine/dependency/totals.h"
#include "engine/protocol/tls.h"
#include "lib/siphash.h"
#include "service_ports.h"
#include "lib/units.h"

#define BUCKETS	      (2 * COMPANION_CONVERSATIONS) /* a power of two */
#define FRAME_KEEP    4096u	      /* bytes of a message that comes in several segments */
#define COPY_NS	      50000000ull     /* what comes again sooner is the capture's copy */
#define RPC_ENDPOINTS 64	      /* known to speak RPC */
#define COPIES_LATEST 16	      /* exchanges of which a response may be another's copy */
#define UNANSWERED_NS (30 * NS_PER_S) /* no response comes later */
#define LEFT_OPEN_NS  (5 * NS_PER_S)  /* and probably not, if the capture ends */
#define SKIP_NS	      NS_PER_S	      /* SEG_F_SKIPPED holds for so long, at most */

enum side_of { REQUESTER, SERVICE };

/* A service by its port: how to cut its stream into messages, and how to parse one. */
struct service {
	uint16_t port;
	enum dependency_kind kind;
	bool udp, tcp;
	uint32_t (*length)(const uint8_t *p, size_t len); /* NULL: its exchanges are turns */
	uint32_t prefix; /* bytes before a message over TCP that its parser skips */
};

static const struct service services[] = {
	{SERVICE_DNS, DEPENDENCY_DNS, true, true, dns_tcp_length, 2},
	{SERVICE_HTTP, DEPENDENCY_HTTP, false, true, NULL, 0},
	{SERVICE_KERBEROS, DEPENDENCY_KERBEROS, true, true, kerberos_tcp_length, 4},
	{SERVICE_EPM, DEPENDENCY_OTHER, false, true, rpc_length, 0},
	{SERVICE_NETBIOS, DEPENDENCY_SMB, false, true, smb_length, 0},
	{SERVICE_LDAP, DEPENDENCY_LDAP, true, true, ldap_length, 0},
	{SERVICE_HTTPS, DEPENDENCY_HTTPS, false, true, NULL, 0},
	{SERVICE_SMB, DEPENDENCY_SMB, false, true, smb_length, 0},
	{SERVICE_LDAPS, DEPENDENCY_LDAP, false, true, NULL, 0},
	{SERVICE_GC, DEPENDENCY_LDAP, false, true, ldap_length, 0},
	{SERVICE_GCS, DEPENDENCY_LDAP, false, true, NULL, 0},
};

/* RPC on a port that the server was given when it started. */
static const struct service rpc_service = {0, DEPENDENCY_OTHER, false, true, rpc_length, 0};

/* One direction of a connection, cut into messages. */
struct stream {
	bool synced;
	uint32_t next;	   /* sequence number expected */
	uint32_t taken;	   /* bytes seen of the current message */
	uint32_t length;   /* of the current message; 0: not known yet */
	uint32_t have;	   /* bytes kept of the current message */
	uint8_t *frame;	   /* FRAME_KEEP bytes; NULL until a message spans segments */
	uint64_t first_ns; /* when its first byte came */
};

struct conversation {
	struct flow_key key;
	int32_t hash_next;    /* -1: none */
	int32_t newer, older; /* by last use */
	const struct service *service;
	uint8_t requester; /* index of the key's end */
	enum rpc_interface interface;
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
	int32_t buckets[BUCKETS];
	int32_t newest, oldest; /* conversations, by last use */
	struct endpoint rpc[RPC_ENDPOINTS];
	uint32_t rpc_count, rpc_next;
	uint64_t seed[2];
	bool own;
	uint64_t lost_ns;	/* the source lost packets up to this time; 0: never */
	uint64_t skipped_ns[2]; /* when the source last left out packets, by service_is_bulk(); 0 */
	struct companion_stats stats;
	struct totals totals;
};

const uint8_t companions_own_host[16];

struct companions *companions_new(const uint64_t seed[2], bool own)
{
	struct companions *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	memcpy(c->seed, seed, sizeof(c->seed));
	memset(c->buckets, 0xff, sizeof(c->buckets));
	c->newest = c->oldest = -1;
	c->own = own;
	return c;
}

void companions_free(struct companions *c)
{
	for (uint32_t i = 0; c && i < c->conversation_count; i++) {
		free(c->conversations[i].stream[REQUESTER].frame);
		free(c->conversations[i].stream[SERVICE].frame);
	}
	free(c);
}

const struct companion_stats *companions_stats(const struct companions *c)
{
	return &c->stats;
}

static struct exchange *exchange_at(struct companions *c, uint64_t serial)
{
	struct exchange *x = &c->ring[serial % COMPANION_EXCHANGES];

	return serial && x->serial == serial ? x : NULL;
}

struct exchange *companions_newest(struct companions *c)
{
	return c ? exchange_at(c, c->serial) : NULL;
}

struct exchange *companions_before(struct companions *c, const struct exchange *x)
{
	return exchange_at(c, x->serial - 1);
}

const uint8_t *companions_host(const struct exchange *x)
{
	return x->own ? companions_own_host : x->host;
}

bool companions_unclear(const struct companions *c, const struct exchange *x)
{
	uint64_t skipped_ns = c->skipped_ns[!!service_is_bulk(x->peer.port)];

	return x->state == EXCHANGE_OPEN && ((c->lost_ns && c->lost_ns >= x->start_ns) ||
					     (skipped_ns && skipped_ns + SKIP_NS > x->start_ns));
}

/* Conversations, found by their key and kept in the order of their last use. */

static uint32_t bucket_of(const struct companions *c, const struct flow_key *key)
{
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];

	memcpy(words, key, sizeof(words));
	return (uint32_t)siphash(c->seed, words, sizeof(words) / sizeof(words[0])) & (BUCKETS - 1);
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

static struct conversation *conversation_find(struct companions *c, const struct flow_key *key,
					      bool udp)
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

static void stream_reset(struct stream *s)
{
	s->synced = false;
	s->taken = s->length = s->have = 0;
}

static struct conversation *conversation_add(struct companions *c, const struct flow_key *key,
					     bool udp, const struct service *service,
					     uint8_t requester)
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

/* Exchanges. A conversation's open ones are linked by their indexes in the ring. */

static struct exchange *open_first(struct companions *c, const struct conversation *v)
{
	return v->first_open >= 0 ? &c->ring[v->first_open] : NULL;
}

static struct exchange *open_next(struct companions *c, const struct exchange *x)
{
	return x->next_open >= 0 ? &c->ring[x->next_open] : NULL;
}

static void open_remove(struct companions *c, struct conversation *v, struct exchange *gone)
{
	int32_t *link = &v->first_open;

	while (*link >= 0 && &c->ring[*link] != gone)
		link = &c->ring[*link].next_open;
	if (*link >= 0)
		*link = gone->next_open;
	gone->next_open = -1;
}

/* Free a slot of the ring. Nothing may point at it when it is used again. */
static void exchange_vacate(struct companions *c, struct exchange *x)
{
	struct flow_key key;
	struct conversation *v;

	if (!x->serial || x->state != EXCHANGE_OPEN)
		return;
	c->stats.unanswered_forgotten++;
	if (!companions_unclear(c, x))
		totals_add(&c->totals, x);
	for (uint32_t end = 0; end < 2; end++) {
		memset(&key, 0, sizeof(key));
		memcpy(key.addr[end], x->host, 16);
		memcpy(key.addr[!end], x->peer.addr, 16);
		key.port[end] = x->port;
		key.port[!end] = x->peer.port;
		v = conversation_find(c, &key, x->udp);
		if (v)
			open_remove(c, v, x);
	}
}

static struct exchange *exchange_open(struct companions *c, struct conversation *v,
				      uint64_t start_ns, const struct service_message *m)
{
	struct exchange *x = &c->ring[(c->serial + 1) % COMPANION_EXCHANGES];

	exchange_vacate(c, x);
	memset(x, 0, sizeof(*x));
	x->serial = ++c->serial;
	x->start_ns = start_ns;
	x->ack_ns = x->end_ns = NO_NS;
	x->id = m->id;
	x->other_id = m->other_id;
	memcpy(x->host, v->key.addr[v->requester], 16);
	x->own = c->own;
	x->port = v->key.port[v->requester];
	memcpy(x->peer.addr, v->key.addr[!v->requester], 16);
	x->peer.port = v->key.port[!v->requester];
	x->kind = m->kind;
	x->operation = m->operation;
	memcpy(x->target, m->target, sizeof(x->target));
	x->sent = 1;
	x->udp = v->udp;
	x->next_open = v->first_open;
	v->first_open = (int32_t)(x - c->ring);
	c->stats.exchanges++;
	return x;
}

static void exchange_end(struct companions *c, struct conversation *v, struct exchange *x,
			 enum exchange_state state, uint64_t ns)
{
	open_remove(c, v, x);
	x->state = state;
	x->end_ns = ns;
	if (state == EXCHANGE_ANSWERED && x->ack_ns == NO_NS)
		x->ack_ns = ns;
	totals_add(&c->totals, x);
}

/* Count as failed what has been open for more than ns. */
static void count_unanswered(struct companions *c, uint64_t now_ns, uint64_t ns)
{
	for (struct exchange *x = companions_newest(c); x; x = companions_before(c, x))
		if (x->state == EXCHANGE_OPEN && x->start_ns + ns < now_ns &&
		    !companions_unclear(c, x))
			totals_add(&c->totals, x);
}

void companions_finish(struct companions *c, uint64_t now_ns)
{
	count_unanswered(c, now_ns, LEFT_OPEN_NS);
}

void companions_totals(struct companions *c, uint64_t now_ns, companions_total_fn *fn, void *ctx)
{
	count_unanswered(c, now_ns, UNANSWERED_NS);
	for (int kind = 0; kind < DEPENDENCY_COUNT; kind++)
		for (uint32_t i = 0; i <= c->totals.count[kind]; i++)
			if (c->totals.at[kind][i].requests)
				fn(ctx, &c->totals.at[kind][i]);
}

/*
 * The open exchange that a response ends: the one with its id; the oldest if id is 0. It is never a
 * connect.
 */
static struct exchange *exchange_match(struct companions *c, struct conversation *v, uint64_t id)
{
	struct exchange *oldest = NULL;

	for (struct exchange *x = open_first(c, v); x; x = open_next(c, x)) {
		if (x->connect)
			continue;
		if (id && (x->id == id || x->other_id == id))
			return x;
		oldest = x;
	}
	return id ? NULL : oldest;
}

/* Is this datagram a response that was just taken, met again on another interface? */
static bool response_is_copy(struct companions *c, const struct conversation *v, uint64_t id,
			     uint64_t ns)
{
	struct exchange *x = companions_newest(c);

	for (int i = 0; v->udp && x && i < COPIES_LATEST; i++, x = companions_before(c, x))
		if (x->udp && x->state == EXCHANGE_ANSWERED && x->id == id &&
		    x->end_ns + COPY_NS > ns && x->port == v->key.port[v->requester] &&
		    x->peer.port == v->key.port[!v->requester] &&
		    !memcmp(x->peer.addr, v->key.addr[!v->requester], 16))
			return true;
	return false;
}

/* A response whose request was not seen: how long it took is not known. */
static void exchange_orphan(struct companions *c, struct conversation *v,
			    const struct service_message *m, uint64_t ns)
{
	struct exchange *x = exchange_open(c, v, ns, m);

	x->result = m->result;
	exchange_end(c, v, x, EXCHANGE_UNKNOWN, ns);
}

static void exchange_answer(struct companions *c, struct conversation *v,
			    const struct service_message *m, uint64_t ns)
{
	struct exchange *x = exchange_match(c, v, m->id);

	if (!x && !m->more && !response_is_copy(c, v, m->id, ns))
		exchange_orphan(c, v, m, ns);
	if (x && m->more)
		v->part = x->serial;
	if (!x || m->more)
		return;
	v->part = 0;
	x->result = m->result;
	if (!*x->target)
		memcpy(x->target, m->target, sizeof(x->target));
	memcpy(x->addresses, m->addresses, sizeof(x->addresses));
	x->address_count = m->address_count;
	exchange_end(c, v, x, EXCHANGE_ANSWERED, ns);
	c->stats.responses++;
}

/*
 * The source cut off the rest of a segment of the service. If a response had begun, its end is
 * either there or in a later segment: response_goes_on().
 */
static void response_cut(struct companions *c, struct conversation *v, uint64_t ns)
{
	struct exchange *x = exchange_at(c, v->part);

	if (!x || x->state != EXCHANGE_OPEN)
		return;
	exchange_end(c, v, x, EXCHANGE_ANSWERED, ns);
	c->stats.responses++;
}

/*
 * Is this segment of the service's another part of a response that was cut off? Its end is the last
 * such segment before the next request.
 */
static bool response_goes_on(struct companions *c, struct conversation *v, const struct seg *seg)
{
	struct exchange *x = exchange_at(c, v->part);
	struct stream *s = &v->stream[SERVICE];
	uint32_t next = seg->seq + seg->len;

	if (!x || x->state != EXCHANGE_ANSWERED || open_first(c, v))
		return false;
	if ((int32_t)(next - s->next) > 0) { /* else it was sent again */
		s->next = next;
		x->end_ns = seg->ts_ns;
	}
	stream_reset(s);
	return true;
}

static void exchange_request(struct companions *c, struct conversation *v,
			     const struct service_message *m, uint64_t ns, uint32_t end_seq)
{
	struct exchange *again = v->udp ? exchange_match(c, v, m->id) : NULL;

	v->part = 0;
	if (again && again->operation == m->operation) {
		again->sent += ns >= again->start_ns + COPY_NS;
		return;
	}
	exchange_open(c, v, ns, m)->end_seq = end_seq;
}

static void conversation_message(struct companions *c, struct conversation *v, enum side_of from,
				 const struct service_message *m, uint64_t first_ns,
				 uint64_t last_ns, uint32_t end_seq)
{
	if (m->role == MESSAGE_REQUEST && from == REQUESTER)
		exchange_request(c, v, m, first_ns, end_seq);
	else if (m->role == MESSAGE_RESPONSE && from == SERVICE)
		exchange_answer(c, v, m, last_ns);
}

/*
 * If messages are encrypted, turns stand for them: the requester sends requests,
 * the service responses.
 */
static void conversation_turn(struct companions *c, struct conversation *v, enum side_of from,
			      struct service_message *m, uint64_t ns, uint32_t end_seq)
{
	if (from == REQUESTER && exchange_match(c, v, 0))
		return;
	m->role = from == REQUESTER ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
	conversation_message(c, v, from, m, ns, ns, end_seq);
}

static void message_parse(struct conversation *v, enum dependency_kind kind, const uint8_t *p,
			  size_t len, struct service_message *m)
{
	switch (kind) {
	case DEPENDENCY_DNS:
		dns_parse(p, len, m);
		break;
	case DEPENDENCY_KERBEROS:
		kerberos_parse(p, len, m);
		break;
	case DEPENDENCY_LDAP:
		ldap_parse(p, len, m);
		break;
	case DEPENDENCY_SMB:
		smb_parse(p, len, &v->interface, m);
		break;
	case DEPENDENCY_HTTP:
		http_parse(p, len, m);
		break;
	default:
		rpc_parse(p, len, &v->interface, m);
	}
}

/* Handle one whole message, or the part of it that was kept. */
static void stream_message(struct companions *c, struct conversation *v, enum side_of from,
			   const uint8_t *p, size_t len, uint64_t first_ns, uint64_t last_ns,
			   uint32_t end_seq)
{
	size_t skip = v->service->prefix < len ? v->service->prefix : len;
	struct service_message m;

	message_parse(v, v->service->kind, p + skip, len - skip, &m);
	if (m.role != MESSAGE_UNKNOWN)
		conversation_message(c, v, from, &m, first_ns, last_ns, end_seq);
	else if (v->service->kind == DEPENDENCY_LDAP)
		conversation_turn(c, v, from, &m, last_ns, end_seq);
}

static void stream_message_end(struct companions *c, struct conversation *v, enum side_of from,
			       uint64_t ns)
{
	struct stream *s = &v->stream[from];

	if (s->have)
		stream_message(c, v, from, s->frame, s->have, s->first_ns, ns, s->next);
	s->taken = s->length = s->have = 0;
}

/* Keep bytes of a message that spans segments. Bytes beyond FRAME_KEEP are not kept. */
static void stream_keep(struct stream *s, const uint8_t *p, uint32_t n)
{
	if (!s->frame)
		s->frame = malloc(FRAME_KEEP);
	if (!s->frame || s->have != s->taken) /* a gap precedes: these bytes have no place */
		return;
	if (n > FRAME_KEEP - s->have)
		n = FRAME_KEEP - s->have;
	memcpy(s->frame + s->have, p, n);
	s->have += n;
}

/* The bytes of a segment that are not yet cut into messages. */
struct piece {
	const uint8_t *p;
	uint32_t cap, len; /* captured, and on the wire */
	uint64_t ns;
};

static void piece_step(struct piece *piece, uint32_t n)
{
	uint32_t there = n < piece->cap ? n : piece->cap;

	piece->p += there;
	piece->cap -= there;
	piece->len -= n;
}

/*
 * Learn the length of the current message. False: this is no message head, so the stream lost its
 * framing.
 */
static bool stream_head(struct conversation *v, struct stream *s, struct piece *piece)
{
	uint32_t n = MESSAGE_HEAD - s->taken;

	if (n > piece->cap)
		n = piece->cap;
	if (!n)
		return false;
	stream_keep(s, piece->p, n);
	s->taken += n;
	s->next += n;
	piece_step(piece, n);
	s->length = s->frame ? v->service->length(s->frame, s->have) : 0;
	if (s->length && s->length < s->taken)
		return false;
	return s->length || s->taken < MESSAGE_HEAD;
}

/* Step over the segment's bytes of the current message. */
static void stream_body(struct stream *s, struct piece *piece)
{
	uint32_t n = s->length - s->taken;

	if (n > piece->len)
		n = piece->len;
	stream_keep(s, piece->p, n < piece->cap ? n : piece->cap);
	s->taken += n;
	s->next += n;
	piece_step(piece, n);
}

static void stream_take(struct companions *c, struct conversation *v, enum side_of from,
			struct piece *piece)
{
	struct stream *s = &v->stream[from];

	while (piece->len) {
		uint32_t length = s->taken ? 0 : v->service->length(piece->p, piece->cap);

		if (length && length <= piece->cap) {
			s->next += length;
			stream_message(c, v, from, piece->p, length, piece->ns, piece->ns, s->next);
			piece_step(piece, length);
			continue;
		}
		if (!s->taken)
			s->first_ns = piece->ns;
		if (!s->length && !stream_head(v, s, piece)) {
			if (from == SERVICE && !piece->cap)
				response_cut(c, v, piece->ns);
			s->next += piece->len;
			stream_reset(s);
			return;
		}
		if (s->length)
			stream_body(s, piece);
		if (s->length && s->taken == s->length)
			stream_message_end(c, v, from, piece->ns);
	}
}

/* TCP retransmits a request: count it for the open requests that were not acknowledged. */
static void conversation_resent(struct companions *c, struct conversation *v, const struct seg *seg)
{
	for (struct exchange *x = open_first(c, v); x; x = open_next(c, x))
		if (!x->connect && x->ack_ns == NO_NS && (int32_t)(x->end_seq - seg->seq) > 0 &&
		    seg->ts_ns >= x->start_ns + COPY_NS)
			x->sent++;
}

/* Messages of the service are missing: what was open before may have been answered. */
static void conversation_gap(struct companions *c, struct conversation *v)
{
	struct exchange *x, *next;

	for (x = open_first(c, v); x; x = next) {
		next = open_next(c, x);
		if (!x->connect)
			exchange_end(c, v, x, EXCHANGE_UNKNOWN, NO_NS);
	}
}

/* Put the segment where its stream is, past what was seen and over what is missing. */
static void stream_segment(struct companions *c, struct conversation *v, enum side_of from,
			   const struct seg *seg, const uint8_t *payload)
{
	struct stream *s = &v->stream[from];
	struct piece piece = {payload, seg->cap_len, seg->len, seg->ts_ns};
	bool by_order = v->service->kind == DEPENDENCY_KERBEROS, missing = false;
	int32_t ahead;

	if (!s->synced) {
		s->synced = true;
		s->next = seg->seq;
		s->taken = s->length = s->have = 0;
	}
	ahead = (int32_t)(seg->seq - s->next);
	if (ahead < 0) {
		if (from == REQUESTER)
			conversation_resent(c, v, seg);
		if ((uint32_t)-ahead >= piece.len)
			return;
		piece_step(&piece, (uint32_t)-ahead);
	} else if (ahead > 0) {
		bool within = s->length && (uint32_t)ahead < s->length - s->taken;

		s->next = seg->seq;
		s->taken = within ? s->taken + (uint32_t)ahead : 0;
		if (!within)
			s->length = s->have = 0;
		missing = !within && from == SERVICE;
	}
	if (missing && by_order)
		conversation_gap(c, v);
	stream_take(c, v, from, &piece);
	if (missing)
		conversation_gap(c, v);
}

/* TLS: the client's first record holds the server name that it asks for. */
static void https_target(const uint8_t *p, size_t len, struct service_message *m)
{
	struct tls tls;

	if (len < 5 || p[0] != TLS_HANDSHAKE)
		return;
	tls_init(&tls);
	tls_record_head(&tls, SIDE_CLIENT, p);
	tls_record_body(&tls, SIDE_CLIENT, p + 5, (uint32_t)len - 5);
	if (tls.sni)
		message_target(m, tls.sni, strlen(tls.sni));
	tls_release(&tls);
}

/* HTTPS: only the connection's first turn is timed. Other services: every turn. */
static void turn_segment(struct companions *c, struct conversation *v, enum side_of from,
			 const struct seg *seg, const uint8_t *payload)
{
	struct stream *s = &v->stream[from];
	struct service_message m = {.kind = v->service->kind};
	bool missing = s->synced && from == SERVICE && (int32_t)(seg->seq - s->next) > 0;

	if (s->synced && (int32_t)(seg->seq - s->next) < 0) {
		if (from == REQUESTER)
			conversation_resent(c, v, seg);
		return;
	}
	s->synced = true;
	s->next = seg->seq + seg->len;
	if (v->turned)
		return;
	if (v->service->kind == DEPENDENCY_HTTP) {
		http_parse(payload, seg->cap_len, &m);
		if (m.role != MESSAGE_UNKNOWN)
			conversation_message(c, v, from, &m, seg->ts_ns, seg->ts_ns, s->next);
		if (missing)
			conversation_gap(c, v);
		return;
	}
	if (from == REQUESTER)
		https_target(payload, seg->cap_len, &m);
	m.operation = v->service->kind == DEPENDENCY_HTTPS ? "TLS" : NULL;
	m.result = from == SERVICE ? "ok" : NULL;
	conversation_turn(c, v, from, &m, seg->ts_ns, s->next);
	v->turned = from == SERVICE && v->service->kind == DEPENDENCY_HTTPS;
}

/* The service acknowledged bytes: note the time in the open requests that they complete. */
static void conversation_acked(struct companions *c, struct conversation *v, const struct seg *seg)
{
	for (struct exchange *x = open_first(c, v); x; x = open_next(c, x))
		if (!x->connect && x->ack_ns == NO_NS && (int32_t)(seg->ack - x->end_seq) >= 0)
			x->ack_ns = seg->ts_ns;
}

static struct exchange *connect_open(struct companions *c, struct conversation *v)
{
	for (struct exchange *x = open_first(c, v); x; x = open_next(c, x))
		if (x->connect)
			return x;
	return NULL;
}

static void conversation_syn(struct companions *c, struct conversation *v, enum side_of from,
			     const struct seg *seg)
{
	struct exchange *x = connect_open(c, v);
	struct service_message m = {.kind = v->service->kind, .operation = "connect"};

	if (from == SERVICE) {
		if (x)
			x->result = "ok";
		if (x)
			exchange_end(c, v, x, EXCHANGE_ANSWERED, seg->ts_ns);
		return;
	}
	if (x && x->end_seq == seg->seq + 1) {
		x->sent += seg->ts_ns >= x->start_ns + COPY_NS;
		return;
	}
	v->turned = false;
	stream_reset(&v->stream[REQUESTER]);
	stream_reset(&v->stream[SERVICE]);
	v->interface = RPC_UNBOUND;
	x = exchange_open(c, v, seg->ts_ns, &m);
	x->connect = true;
	x->end_seq = seg->seq + 1;
}

/* The connection ended: open requests get no response any more. */
static void conversation_over(struct companions *c, struct conversation *v, const struct seg *seg)
{
	struct exchange *x;

	while ((x = open_first(c, v))) {
		x->result = seg->flags & SEG_RST ? x->connect ? "refused" : "reset" : "closed";
		exchange_end(c, v, x, x->connect ? EXCHANGE_ANSWERED : EXCHANGE_CLOSED, seg->ts_ns);
	}
}

static void conversation_payload(struct companions *c, struct conversation *v, enum side_of from,
				 const struct seg *seg, const uint8_t *payload)
{
	if (from == SERVICE && response_goes_on(c, v, seg))
		return;
	if (v->service->length)
		stream_segment(c, v, from, seg, payload);
	else
		turn_segment(c, v, from, seg, payload);
}

static void conversation_segment(struct companions *c, struct conversation *v, enum side_of from,
				 const struct seg *seg, const uint8_t *payload)
{
	if (seg->flags & SEG_SYN) {
		conversation_syn(c, v, from, seg);
		return;
	}
	if (from == SERVICE && seg->flags & SEG_ACK)
		conversation_acked(c, v, seg);
	if (seg->len)
		conversation_payload(c, v, from, seg, payload);
	/* A requester that closes its half may still get its responses. */
	if (seg->flags & SEG_RST || (seg->flags & SEG_FIN && from == SERVICE))
		conversation_over(c, v, seg);
}

/* Find which of the two ends is the service, if either is. */

static const struct service *service_find(uint16_t port, bool udp)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].port == port && (udp ? services[i].udp : services[i].tcp))
			return &services[i];
	return NULL;
}

static bool rpc_known(const struct companions *c, const uint8_t *addr, uint16_t port)
{
	for (uint32_t i = 0; i < c->rpc_count; i++)
		if (c->rpc[i].port == port && !memcmp(c->rpc[i].addr, addr, 16))
			return true;
	return false;
}

static void rpc_learn(struct companions *c, const uint8_t *addr, uint16_t port)
{
	struct endpoint *e = &c->rpc[c->rpc_next];

	if (rpc_known(c, addr, port))
		return;
	memcpy(e->addr, addr, 16);
	e->port = port;
	c->rpc_next = (c->rpc_next + 1) % RPC_ENDPOINTS;
	if (c->rpc_count < RPC_ENDPOINTS)
		c->rpc_count++;
}

/* Does this segment begin with an RPC request (1) or response (2)? 0: neither. */
static int rpc_recognise(const struct seg *seg, const uint8_t *payload)
{
	enum rpc_interface interface = RPC_UNBOUND;
	struct service_message m;

	if (seg->len < MESSAGE_HEAD || !rpc_length(payload, seg->cap_len))
		return 0;
	rpc_parse(payload, seg->cap_len, &interface, &m);
	return m.role == MESSAGE_REQUEST ? 1 : m.role == MESSAGE_RESPONSE ? 2 : 0;
}

/*
 * The service of an RPC connection, and whether the segment's sender is its requester. NULL: it is
 * not RPC.
 */
static const struct service *service_rpc(struct companions *c, const struct seg *seg,
					 const uint8_t *payload, bool *from_requester)
{
	int what;

	if (rpc_known(c, seg->daddr, seg->dport) || rpc_known(c, seg->saddr, seg->sport)) {
		*from_requester = rpc_known(c, seg->daddr, seg->dport);
		return &rpc_service;
	}
	what = seg->flags & SEG_SYN ? 0 : rpc_recognise(seg, payload);
	if (!what)
		return NULL;
	*from_requester = what == 1;
	rpc_learn(c, *from_requester ? seg->daddr : seg->saddr,
		  *from_requester ? seg->dport : seg->sport);
	return &rpc_service;
}

/* The key of the segment's connection. Returns the index of the end that sent the segment. */
static uint8_t key_of(const struct seg *seg, struct flow_key *key)
{
	int order = memcmp(seg->saddr, seg->daddr, 16);
	uint8_t from = order > 0 || (!order && seg->sport > seg->dport);

	memset(key, 0, sizeof(*key));
	memcpy(key->addr[from], seg->saddr, 16);
	memcpy(key->addr[!from], seg->daddr, 16);
	key->port[from] = seg->sport;
	key->port[!from] = seg->dport;
	return from;
}

static struct conversation *conversation_begin(struct companions *c, const struct seg *seg,
					       const uint8_t *payload, bool udp,
					       const struct flow_key *key, uint8_t from)
{
	const struct service *service = service_find(seg->dport, udp);
	bool from_requester = service != NULL;

	if (!service)
		service = service_find(seg->sport, udp);
	if (!service && !udp)
		service = service_rpc(c, seg, payload, &from_requester);
	if (!service)
		return NULL;
	return conversation_add(c, key, udp, service, from_requester ? from : !from);
}

static void datagram(struct companions *c, struct conversation *v, enum side_of from,
		     const struct seg *seg, const uint8_t *payload)
{
	struct service_message m;

	message_parse(v, v->service->kind, payload, seg->cap_len, &m);
	m.more = false; /* all messages of a response are in one datagram */
	if (m.role != MESSAGE_UNKNOWN)
		conversation_message(c, v, from, &m, seg->ts_ns, seg->ts_ns, 0);
}

/* The tap's packets go between this host and a service, whose port is in dir's direction. */
static void skipped(struct companions *c, const struct seg *seg)
{
	uint16_t port = seg->dir == SEG_DIR_EGRESS ? seg->dport : seg->sport;

	c->skipped_ns[!!service_is_bulk(port)] = seg->ts_ns;
}

void companions_segment(struct companions *c, const struct seg *seg, const uint8_t *payload)
{
	bool udp = seg->rec_flags & SEG_F_UDP;
	struct flow_key key;
	uint8_t from = key_of(seg, &key);
	struct conversation *v;
	enum side_of side;

	if (seg->rec_flags & SEG_F_SKIPPED) {
		skipped(c, seg);
		return;
	}
	v = conversation_find(c, &key, udp);
	if (v) {
		used_unlink(c, v);
		used_newest(c, v);
	} else {
		v = conversation_begin(c, seg, payload, udp, &key, from);
	}
	if (!v)
		return;
	side = from == v->requester ? REQUESTER : SERVICE;
	if (udp)
		datagram(c, v, side, seg, payload);
	else
		conversation_segment(c, v, side, seg, payload);
}

void companions_lost(struct companions *c, uint64_t now_ns)
{
	c->lost_ns = now_ns;
	for (uint32_t i = 0; i < c->conversation_count; i++) {
		struct conversation *v = &c->conversations[i];
		struct exchange *x;

		while ((x = open_first(c, v)))
			exchange_end(c, v, x, EXCHANGE_UNKNOWN, NO_NS);
		stream_reset(&v->stream[REQUESTER]);
		stream_reset(&v->stream[SERVICE]);
	}
}
