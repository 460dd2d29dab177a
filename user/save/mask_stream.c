/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_stream.c - see mask.h: a connection's two directions, each put together from its packets and
 * cut into frames as the engine does it.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/frame.h"
#include "engine/protocol/other_protocol.h"
#include "engine/protocol/proxy_header.h"
#include "save/mask.h"
#include "save/mask_tls.h"

#define SPAN_MOST  (1u << 20) /* of a direction's bytes; beyond, everything is hidden */
#define OTHER_MOST 8	      /* bytes that tell another protocol */

struct piece {
	const struct packet *packet;
	uint32_t at; /* of its first byte in the stream */
};

/* One direction. The arrays have a place for each byte of the stream. */
struct direction {
	enum side side;
	bool identities;
	enum tds_era *era; /* the connection's: the client's login tells it */
	uint32_t span;
	uint8_t *bytes, *fill, *had;
	struct framer framer;
	uint32_t head_at; /* where the next frame's head begins */
	bool framed;
	bool lost;		    /* the framing was lost before, or may have been */
	bool whole;		    /* from the SYN on, no byte is missing so far */
	struct mask_tls tls, inner; /* records by themselves, and those in TDS packets */
	bool in_tls;		    /* the present TDS packet is of records */
	/* the message that is put together, and where its bytes stand */
	uint8_t *message;
	uint32_t *message_at, message_len;
	bool message_gap;
	uint8_t message_type; /* enum tds_type */
};

static void show(struct direction *d, uint32_t from, uint32_t len)
{
	for (; len && from < d->span; from++, len--)
		d->fill[from] = MASK_SHOW;
}

/* ---- messages ---- */

static void message_mask(struct direction *d)
{
	const struct mask_message m = {d->message, d->message_len, d->message_at, d->fill,
				       d->identities};
	uint32_t version = 0;

	/* After a gap, bytes that look like a message may lie within one, made by anybody. */
	if (d->side == SIDE_CLIENT && (d->lost || d->message_type == TDS_RESULT))
		return;
	switch (d->message_type) {
	case TDS_PRELOGIN:
		mask_prelogin(&m);
		break;
	case TDS_LOGIN7:
		version = mask_login7(&m);
		break;
	case TDS_LOGIN_OLD:
		version = mask_login_old(&m);
		break;
	case TDS_SSPI:
		mask_sspi(&m, 0, m.len);
		break;
	case TDS_FEDAUTH_TOKEN:
		mask_fedauth_token(&m);
		break;
	case TDS_RESULT: /* a PRELOGIN response has the same type, and begins with option 0 */
		if (m.len && !m.data[0])
			mask_prelogin(&m);
		else
			mask_answer(&m, *d->era);
		break;
	}
	if (version)
		*d->era = tds_era(version);
}

static void message_end(struct direction *d)
{
	if (d->message_len)
		message_mask(d);
	d->message_len = 0;
	d->message_gap = false;
}

static void message_add(struct direction *d, uint32_t at, uint32_t len)
{
	if (d->message_gap)
		return;
	for (uint32_t i = 0; i < len; i++, d->message_len++) {
		d->message[d->message_len] = d->bytes[at + i];
		d->message_at[d->message_len] = at + i;
	}
}

/* ---- frames ---- */

static void show_tls(struct direction *d, struct mask_tls *tls, uint32_t at, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (mask_tls_byte(tls, d->bytes[at + i]))
			show(d, at + i, 1);
}

static void tls_lost(struct mask_tls *tls)
{
	*tls = (struct mask_tls){.client = tls->client, .unsure = true};
}

static void on_head(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct direction *d = ctx;

	(void)ts_ns;
	show(d, d->head_at, f->have);
	d->framed = true;
	if (f->kind == FRAME_TLS) {
		d->tls.begun |= d->inner.begun; /* the handshake was in TDS packets */
		d->tls.encrypts |= d->inner.encrypts;
		for (int i = 0; i < f->have; i++)
			mask_tls_byte(&d->tls, f->header[i]);
	} else if (f->kind == FRAME_TDS) {
		d->lost |= !d->whole && !frame_tds_is_typical(f->header);
		if (!d->message_len)
			d->message_type = f->header[0];
	}
	d->head_at += f->have;
}

/* Does a packet of this type hold TLS records? */
static bool begins_tls(const struct direction *d, const struct framer *f, uint8_t byte)
{
	return f->header[0] == TDS_PRELOGIN && !d->message_len &&
	       (d->inner.have || (byte >= TLS_TYPE_FIRST && byte <= TLS_TYPE_DATA));
}

static void on_body(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct direction *d = ctx;
	uint32_t at = d->head_at;

	(void)ts_ns;
	d->head_at += len;
	if (!data) {
		d->message_gap = true;
		tls_lost(&d->inner);
		if (f->kind == FRAME_TLS)
			tls_lost(&d->tls);
	} else if (f->kind == FRAME_TLS) {
		if (d->tls.have) /* else a part of the record is missing */
			show_tls(d, &d->tls, at, len);
	} else if (f->kind == FRAME_TDS && len) {
		d->in_tls = d->in_tls || begins_tls(d, f, *data);
		if (d->in_tls && !d->inner.unsure)
			show_tls(d, &d->inner, at, len);
		else if (!d->in_tls)
			message_add(d, at, len);
	}
}

static void on_end(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct direction *d = ctx;

	(void)ts_ns;
	d->in_tls = false;
	if (f->kind == FRAME_TDS && f->header[1] & TDS_STATUS_EOM)
		message_end(d);
}

/*
 * Show what was read of a head that is not complete, or that was one but for its last byte. If bytes
 * before it are missing, a client's may lie within a message, and only begin like a head.
 */
static void show_part_of_head(struct direction *d, const struct framer *f)
{
	if (d->whole || d->side == SIDE_SERVER)
		show(d, d->head_at, f->have);
}

static void on_lost(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct direction *d = ctx;

	(void)data, (void)len, (void)ts_ns;
	if (f->have > 1)
		show_part_of_head(d, f);
	d->lost = true;
	d->in_tls = false;
	d->message_len = 0;
	d->message_gap = false;
	tls_lost(&d->tls);
	tls_lost(&d->inner);
}

static const struct frame_ops ops = {on_head, on_body, on_end, on_lost};

/* ---- a direction ---- */

static int piece_compare(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->packet->order < y->packet->order ? -1 : x->packet->order > y->packet->order;
}

/* The number of the direction's first byte: after its SYN, else the lowest. */
static bool stream_base(struct packets *packets, const struct endpoint *client, enum side side,
			uint32_t *base, bool *syn)
{
	bool known = false;

	*syn = false;
	for (struct packet *p = NULL; (p = packets_next(packets, p));) {
		if (packet_is_from(p, client) != (side == SIDE_CLIENT))
			continue;
		if (p->seg.flags & SEG_SYN) {
			*base = p->seg.seq + 1;
			*syn = true;
			return true;
		}
		if (p->seg.len && (!known || (int32_t)(p->seg.seq - *base) < 0))
			*base = p->seg.seq;
		known |= p->seg.len > 0;
	}
	return known;
}

/* The direction's packets with payload, in the order of their bytes. */
static struct piece *stream_pieces(struct packets *packets, const struct endpoint *client,
				   enum side side, uint32_t base, size_t *count)
{
	struct piece *pieces = calloc(packets->count, sizeof(*pieces));

	*count = 0;
	for (struct packet *p = NULL; pieces && (p = packets_next(packets, p));) {
		uint32_t at = p->seg.seq + !!(p->seg.flags & SEG_SYN) - base;

		if (packet_is_from(p, client) == (side == SIDE_CLIENT) && p->seg.len &&
		    at < SPAN_MOST)
			pieces[(*count)++] = (struct piece){p, at};
	}
	if (pieces)
		qsort(pieces, *count, sizeof(*pieces), piece_compare);
	return pieces;
}

/* A proxy's header before all else stays; of its further fields, which may name a user, nothing. */
static uint32_t proxy_header(struct direction *d)
{
	struct proxy proxy = {0};
	uint32_t len = 0, held;

	if (d->side != SIDE_CLIENT)
		return 0;
	while (len < d->span && d->had[len] && proxy.state != PROXY_OVER)
		len += proxy_feed(&proxy, d->bytes + len, 1) ? 1 : 0;
	if (proxy.state == PROXY_HEADER) /* it is not complete: what it always begins with */
		show(d, 0, d->bytes[0] == 'P' ? 6 : 12);
	if (!proxy.seen)
		return proxy.state == PROXY_HEADER ? len : 0;
	held = proxy.have < len ? proxy.have : len;
	memset(d->fill, MASK_ZERO, len);
	if (proxy.has_client || d->bytes[0] != 'P') {
		show(d, 0, held);
	} else { /* version 1, "PROXY UNKNOWN", any text */
		memset(d->fill, MASK_LETTER, len);
		show(d, 0, sizeof("PROXY UNKNOWN") - 1);
		show(d, len - 2, 2);
	}
	return len;
}

/* Feed what is new of a piece: bytes that were captured, then those that were not. */
static void piece_feed(struct direction *d, const struct piece *piece, uint32_t *next)
{
	uint32_t end = piece->at + piece->packet->seg.len;
	uint32_t held = piece->at + piece->packet->seg.cap_len;

	if (piece->at > *next) {
		d->whole = false;
		frame_feed(&d->framer, &ops, d, NULL, piece->at - *next, 0);
		*next = piece->at;
	}
	if (d->framer.kind == FRAME_LOST || (d->framer.kind == FRAME_NONE && !d->framer.have))
		d->head_at = *next;
	held = held < d->span ? held : d->span;
	if (held > *next) {
		frame_feed(&d->framer, &ops, d, d->bytes + *next, held - *next, 0);
		*next = held;
	}
	if (end > *next) {
		d->whole = false;
		frame_feed(&d->framer, &ops, d, NULL, end - *next, 0);
		*next = end;
	}
}

static void direction_read(struct direction *d, const struct piece *pieces, size_t count)
{
	uint32_t next = 0;
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		const struct packet *p = pieces[i].packet;

		for (uint32_t k = 0; k < p->seg.cap_len && pieces[i].at + k < d->span; k++) {
			if (d->had[pieces[i].at + k])
				continue; /* the first that came counts */
			d->had[pieces[i].at + k] = 1;
			d->bytes[pieces[i].at + k] = p->data[k];
		}
	}
	next = d->head_at = proxy_header(d);
	for (size_t i = 0; i < count; i++)
		if (pieces[i].at + pieces[i].packet->seg.len > next)
			piece_feed(d, &pieces[i], &next);
	message_end(d);
	if (d->framer.kind == FRAME_NONE && d->framer.have)
		show_part_of_head(d, &d->framer);
	if (!d->framed && d->span && d->had[0] &&
	    other_protocol(d->bytes, d->span < OTHER_MOST ? d->span : OTHER_MOST, &shown))
		show(d, 0, (uint32_t)shown);
}

/* Overwrite what does not stay. A byte that differs from the one that was parsed does not. */
static void direction_apply(const struct direction *d, struct piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct packet *p = (struct packet *)pieces[i].packet;

		for (uint32_t k = 0; k < p->seg.cap_len; k++) {
			uint32_t at = pieces[i].at + k;

			if (at < d->span && d->fill[at] == MASK_SHOW && d->bytes[at] == p->data[k])
				continue;
			p->data[k] = at < d->span && d->fill[at] == MASK_ZERO ? 0 : MASK_BYTE;
		}
	}
}

static bool direction_arrays(struct direction *d, const struct piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t end = pieces[i].at + pieces[i].packet->seg.cap_len;

		d->span = end > d->span ? end : d->span;
	}
	d->span = d->span < SPAN_MOST ? d->span : SPAN_MOST;
	d->bytes = calloc(4, d->span + 1u);
	d->message_at = malloc((d->span + 1u) * sizeof(*d->message_at));
	if (!d->bytes || !d->message_at)
		return false;
	d->fill = d->bytes + d->span;
	d->had = d->fill + d->span;
	d->message = d->had + d->span;
	return true;
}

static void mask_side(struct packets *packets, const struct endpoint *client, enum side side,
		      bool identities, enum tds_era *era)
{
	struct direction d = {.side = side,
			      .identities = identities,
			      .era = era,
			      .tls.client = side == SIDE_CLIENT,
			      .inner.client = side == SIDE_CLIENT};
	struct piece *pieces = NULL;
	size_t count = 0;
	uint32_t base;

	if (!stream_base(packets, client, side, &base, &d.whole))
		return;
	pieces = stream_pieces(packets, client, side, base, &count);
	if (pieces && direction_arrays(&d, pieces, count))
		direction_read(&d, pieces, count);
	else
		count = 0; /* no memory */
	/* Packets that are no pieces, because they are too far away, are hidden as a whole. */
	for (struct packet *p = NULL; (p = packets_next(packets, p));) {
		if (packet_is_from(p, client) == (side == SIDE_CLIENT) && p->seg.cap_len &&
		    (!count || p->seg.seq + !!(p->seg.flags & SEG_SYN) - base >= SPAN_MOST))
			memset(p->data, MASK_BYTE, p->seg.cap_len);
	}
	direction_apply(&d, pieces, count);
	free(d.bytes);
	free(d.message_at);
	free(pieces);
}

void mask_login(struct packets *packets, const struct endpoint *client, bool identities)
{
	enum tds_era era = TDS_ERA_UNKNOWN;

	mask_side(packets, client, SIDE_CLIENT, identities, &era);
	mask_side(packets, client, SIDE_SERVER, identities, &era);
}
