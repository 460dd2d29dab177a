// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * conversation_stream.c - cuts one direction of a TCP connection into a service's messages.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/companions_int.h"

void conversation_parse(struct conversation *v, enum dependency_kind kind, const uint8_t *p,
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
		smb_parse(p, len, &v->pipes, m);
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

	conversation_parse(v, v->service->kind, p + skip, len - skip, &m);
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

/* Keep bytes of a message that spans segments. Bytes beyond CONVERSATION_FRAME are not kept. */
static void stream_keep(struct stream *s, const uint8_t *p, uint32_t n)
{
	if (!s->frame)
		s->frame = malloc(CONVERSATION_FRAME);
	if (!s->frame || s->have != s->taken) /* a gap precedes: these bytes have no place */
		return;
	if (n > CONVERSATION_FRAME - s->have)
		n = CONVERSATION_FRAME - s->have;
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
				exchange_response_cut(c, v, piece->ns);
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

void stream_segment(struct companions *c, struct conversation *v, enum side_of from,
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
