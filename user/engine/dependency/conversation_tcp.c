// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * conversation_tcp.c - a TCP connection to a service: its handshake, its turns and its end.
 */
#include <string.h>

#include "engine/dependency/companions_int.h"
#include "engine/protocol/tls.h"

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
	for (struct exchange *x = exchange_first_open(c, v); x; x = exchange_next_open(c, x))
		if (!x->connect && x->ack_ns == NO_NS && (int32_t)(seg->ack - x->end_seq) >= 0)
			x->ack_ns = seg->ts_ns;
}

static struct exchange *connect_open(struct companions *c, struct conversation *v)
{
	for (struct exchange *x = exchange_first_open(c, v); x; x = exchange_next_open(c, x))
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
	memset(&v->pipes, 0, sizeof(v->pipes));
	x = exchange_open(c, v, seg->ts_ns, &m);
	x->connect = true;
	x->end_seq = seg->seq + 1;
}

/* The connection ended: open requests get no response any more. */
static void conversation_over(struct companions *c, struct conversation *v, const struct seg *seg)
{
	struct exchange *x;

	while ((x = exchange_first_open(c, v))) {
		x->result = seg->flags & SEG_RST ? x->connect ? "refused" : "reset" : "closed";
		exchange_end(c, v, x, x->connect ? EXCHANGE_ANSWERED : EXCHANGE_CLOSED, seg->ts_ns);
	}
}

static void conversation_payload(struct companions *c, struct conversation *v, enum side_of from,
				 const struct seg *seg, const uint8_t *payload)
{
	if (from == SERVICE && exchange_response_goes_on(c, v, seg))
		return;
	if (v->service->length)
		stream_segment(c, v, from, seg, payload);
	else
		turn_segment(c, v, from, seg, payload);
}

void conversation_segment(struct companions *c, struct conversation *v, enum side_of from,
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
