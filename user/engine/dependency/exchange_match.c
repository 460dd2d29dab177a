// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * exchange_match.c - begins an exchange for a request, and ends the one that a response belongs to.
 * A conversation's open exchanges are linked by their indexes in the ring.
 */
#include <string.h>

#include "engine/dependency/companions_int.h"

#define COPIES_LATEST 16 /* exchanges of which a response may be another's copy */

struct exchange *exchange_first_open(struct companions *c, const struct conversation *v)
{
	return v->first_open >= 0 ? &c->ring[v->first_open] : NULL;
}

struct exchange *exchange_next_open(struct companions *c, const struct exchange *x)
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

struct exchange *exchange_open(struct companions *c, struct conversation *v, uint64_t start_ns,
			       const struct service_message *m)
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

void exchange_end(struct companions *c, struct conversation *v, struct exchange *x,
		  enum exchange_state state, uint64_t ns)
{
	open_remove(c, v, x);
	x->state = state;
	x->end_ns = ns;
	if (state == EXCHANGE_ANSWERED && x->ack_ns == NO_NS)
		x->ack_ns = ns;
	totals_add(&c->totals, x);
}

struct exchange *exchange_match(struct companions *c, struct conversation *v, uint64_t id)
{
	struct exchange *oldest = NULL;

	for (struct exchange *x = exchange_first_open(c, v); x; x = exchange_next_open(c, x)) {
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

	if (!x && m->other_id)
		x = exchange_match(c, v, m->other_id);
	if (m->carries && (!x || x->id != m->id))
		return;
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

void exchange_response_cut(struct companions *c, struct conversation *v, uint64_t ns)
{
	struct exchange *x = exchange_at(c, v->part);

	if (!x || x->state != EXCHANGE_OPEN)
		return;
	exchange_end(c, v, x, EXCHANGE_ANSWERED, ns);
	c->stats.responses++;
}

bool exchange_response_goes_on(struct companions *c, struct conversation *v, const struct seg *seg)
{
	struct exchange *x = exchange_at(c, v->part);
	struct stream *s = &v->stream[SERVICE];
	uint32_t next = seg->seq + seg->len;

	if (!x || x->state != EXCHANGE_ANSWERED || exchange_first_open(c, v))
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

void conversation_message(struct companions *c, struct conversation *v, enum side_of from,
			  const struct service_message *m, uint64_t first_ns, uint64_t last_ns,
			  uint32_t end_seq)
{
	if (m->role == MESSAGE_REQUEST && from == REQUESTER)
		exchange_request(c, v, m, first_ns, end_seq);
	else if (m->role == MESSAGE_RESPONSE && from == SERVICE)
		exchange_answer(c, v, m, last_ns);
}

void conversation_turn(struct companions *c, struct conversation *v, enum side_of from,
		       struct service_message *m, uint64_t ns, uint32_t end_seq)
{
	if (from == REQUESTER && exchange_match(c, v, 0))
		return;
	m->role = from == REQUESTER ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
	conversation_message(c, v, from, m, ns, ns, end_seq);
}

void conversation_resent(struct companions *c, struct conversation *v, const struct seg *seg)
{
	for (struct exchange *x = exchange_first_open(c, v); x; x = exchange_next_open(c, x))
		if (!x->connect && x->ack_ns == NO_NS && (int32_t)(x->end_seq - seg->seq) > 0 &&
		    seg->ts_ns >= x->start_ns + COPY_NS)
			x->sent++;
}

void conversation_gap(struct companions *c, struct conversation *v)
{
	struct exchange *x, *next;

	for (x = exchange_first_open(c, v); x; x = next) {
		next = exchange_next_open(c, x);
		if (!x->connect)
			exchange_end(c, v, x, EXCHANGE_UNKNOWN, NO_NS);
	}
}
