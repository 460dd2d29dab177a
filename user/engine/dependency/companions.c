// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * companions.c - see companions.h. A conversation is a connection, or a pair of UDP ports. Its
 * exchanges are matched by the id that the protocol gives, or in order: exchange_match.c.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/companions_int.h"
#include "service_ports.h"

#define UNANSWERED_NS (30 * NS_PER_S) /* no response comes later */
#define LEFT_OPEN_NS  (5 * NS_PER_S)  /* and probably not, if the capture ends */

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

	conversation_parse(v, v->service->kind, payload, seg->cap_len, &m);
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
	if (v)
		conversation_use(c, v);
	else
		v = conversation_begin(c, seg, payload, udp, &key, from);
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

		while ((x = exchange_first_open(c, v)))
			exchange_end(c, v, x, EXCHANGE_UNKNOWN, NO_NS);
		stream_reset(&v->stream[REQUESTER]);
		stream_reset(&v->stream[SERVICE]);
	}
}
