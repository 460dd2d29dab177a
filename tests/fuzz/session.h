/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.h - a capture as a list of packets, and what a network, a capture or an attacker may do
 * to it: table operations[].
 */
#ifndef TDSMON_FUZZ_SESSION_H
#define TDSMON_FUZZ_SESSION_H

#include "fuzz.h"
#include "segment.h"

#define SESSION_PACKETS 2048
#define PACKET_MAX	65536
#define SPLICE_MAX	4096 /* bytes of another packet that are put into one */

enum packet_kind {
	PACKET_SEGMENT,
	PACKET_TICK, /* engine_tick() at its time */
	PACKET_LOST, /* engine_lost() */
};

struct packet {
	enum packet_kind kind;
	struct seg seg;
	const uint8_t *data; /* seg.cap_len bytes */
	uint8_t *own;	     /* the same where they were changed; NULL: the capture's */
};

struct session {
	uint32_t count;
	struct packet packets[SESSION_PACKETS];
};

/* An operation's packet and its two free numbers. */
struct operands {
	uint32_t at;
	uint16_t arg;
	uint8_t value;
};

typedef void operation_fn(struct session *s, const struct operands *o);

static void packet_release(struct packet *p)
{
	free(p->own);
	p->own = NULL;
}

/* Make its payload the packet's own, of len bytes: what is new reads as zeros. */
static uint8_t *packet_own(struct packet *p, uint32_t len)
{
	uint8_t *own = calloc(1, len ? len : 1);
	uint32_t keep = p->seg.cap_len < len ? p->seg.cap_len : len;

	FUZZ_ASSERT(own);
	if (keep)
		memcpy(own, p->data, keep);
	free(p->own);
	p->data = p->own = own;
	return own;
}

static bool same_way(const struct seg *a, const struct seg *b)
{
	return a->sport == b->sport && a->dport == b->dport && !memcmp(a->saddr, b->saddr, 16) &&
	       !memcmp(a->daddr, b->daddr, 16);
}

static bool other_way(const struct seg *a, const struct seg *b)
{
	return a->sport == b->dport && a->dport == b->sport && !memcmp(a->saddr, b->daddr, 16) &&
	       !memcmp(a->daddr, b->saddr, 16);
}

static void session_remove(struct session *s, uint32_t at, uint32_t n)
{
	n = n < s->count - at ? n : s->count - at;
	for (uint32_t i = at; i < at + n; i++)
		packet_release(&s->packets[i]);
	memmove(&s->packets[at], &s->packets[at + n], (s->count - at - n) * sizeof(s->packets[0]));
	s->count -= n;
}

/* Put a copy of p in at the place; NULL where there is no room. */
static struct packet *session_insert(struct session *s, uint32_t at, const struct packet *p)
{
	struct packet copy = *p, *place;

	if (s->count == SESSION_PACKETS)
		return NULL;
	at = at < s->count ? at : s->count;
	copy.own = NULL;
	if (p->own)
		packet_own(&copy, p->seg.cap_len);
	place = &s->packets[at];
	memmove(place + 1, place, (s->count - at) * sizeof(*place));
	*place = copy;
	s->count++;
	return place;
}

/* Behind the packet, from its sequence number end on, the stream of its side is longer by so many.
 */
static void session_shift(struct session *s, uint32_t at, uint32_t end, uint32_t longer)
{
	const struct seg *by = &s->packets[at].seg;

	for (uint32_t i = at + 1; i < s->count; i++) {
		struct seg *seg = &s->packets[i].seg;

		if (same_way(by, seg) && (int32_t)(seg->seq - end) >= 0)
			seg->seq += longer;
		else if (other_way(by, seg) && (int32_t)(seg->ack - end) >= 0)
			seg->ack += longer;
	}
}

/* ---- the network's doing ---- */

static void op_drop(struct session *s, const struct operands *o)
{
	session_remove(s, o->at, 1 + o->arg % 4);
}

/* The same packet again, later: at once as a mirror port has it, or sent again. */
static void op_again(struct session *s, const struct operands *o)
{
	uint32_t to = o->at + 1 + o->arg % 30;
	struct packet *p;

	to = to < s->count ? to : s->count;
	p = session_insert(s, to, &s->packets[o->at]);
	if (p && o->value & 1)
		p->seg.ts_ns = p[-1].seg.ts_ns + o->value;
	if (p && o->value & 2)
		p->seg.ip_id += o->value;
}

/* Late. Its time goes with it, or it takes that of its new place. */
static void op_move(struct session *s, const struct operands *o)
{
	uint32_t to = o->at + 1 + o->arg % 30;
	struct packet p = s->packets[o->at];

	if (to >= s->count)
		return;
	memmove(&s->packets[o->at], &s->packets[o->at + 1], (to - o->at) * sizeof(p));
	if (o->value & 1)
		p.seg.ts_ns = s->packets[to - 1].seg.ts_ns;
	s->packets[to] = p;
}

/* Split where the other end's window or a switch's MTU would have it. */
static void op_split(struct session *s, const struct operands *o)
{
	struct packet *p = &s->packets[o->at], *rest;
	uint32_t first;

	if (p->seg.cap_len < 2)
		return;
	first = 1 + o->arg % (p->seg.cap_len - 1);
	rest = session_insert(s, o->at + 1, p);
	if (!rest)
		return;
	rest->seg.seq += first;
	rest->seg.len -= first;
	rest->seg.cap_len -= first;
	if (rest->own)
		memmove(rest->own, rest->own + first, rest->seg.cap_len);
	else
		rest->data += first;
	p->seg.len = p->seg.cap_len = first;
	p->seg.flags &= (uint8_t) ~(SEG_FIN | SEG_PSH);
	p->seg.rec_flags &= (uint8_t)~SEG_F_TRUNC;
}

static void op_window(struct session *s, const struct operands *o)
{
	s->packets[o->at].seg.window = o->arg;
}

/* ---- the capture's ---- */

static void op_begin(struct session *s, const struct operands *o)
{
	session_remove(s, 0, o->at);
}

static void op_end(struct session *s, const struct operands *o)
{
	session_remove(s, o->at + 1, s->count);
}

/* One direction is not captured from here on. */
static void op_one_side(struct session *s, const struct operands *o)
{
	struct seg by = s->packets[o->at].seg;

	for (uint32_t i = o->at; i < s->count;) {
		if (same_way(&by, &s->packets[i].seg))
			session_remove(s, i, 1);
		else
			i++;
	}
}

static void packet_cut(struct packet *p, uint32_t len)
{
	if (p->seg.cap_len <= len)
		return;
	p->seg.cap_len = len;
	p->seg.rec_flags |= SEG_F_TRUNC;
}

static void op_cut(struct session *s, const struct operands *o)
{
	struct packet *p = &s->packets[o->at];

	packet_cut(p, o->arg % (p->seg.cap_len + 1));
}

/* A snap length, for all from here on. */
static void op_snap(struct session *s, const struct operands *o)
{
	for (uint32_t i = o->at; i < s->count; i++)
		packet_cut(&s->packets[i], o->arg);
}

/* By arg's low byte, shifted, forward or back; 0 is as far back as there is time. */
static void move_time(struct packet *p, const struct operands *o)
{
	uint64_t ns = (uint64_t)(o->arg & 0xff) << o->value % 40;

	if (!(o->arg & 0x8000))
		p->seg.ts_ns += ns;
	else
		p->seg.ts_ns -= ns < p->seg.ts_ns ? ns : p->seg.ts_ns;
}

static void op_time(struct session *s, const struct operands *o)
{
	move_time(&s->packets[o->at], o);
}

/* From here on: somebody took his time, or the capture's clock was set. */
static void op_pause(struct session *s, const struct operands *o)
{
	for (uint32_t i = o->at; i < s->count; i++)
		move_time(&s->packets[i], o);
}

static void op_tick(struct session *s, const struct operands *o)
{
	struct packet *p = session_insert(s, o->at, &s->packets[o->at]);

	if (!p)
		return;
	p->kind = PACKET_TICK;
	p->seg.ts_ns += (uint64_t)o->arg * 10000000; /* up to eleven minutes */
}

static void op_lost(struct session *s, const struct operands *o)
{
	struct packet *p = session_insert(s, o->at, &s->packets[o->at]);

	if (p)
		p->kind = PACKET_LOST;
}

/* ---- an attacker's, or a peer's that has gone mad ---- */

/* A packet of no payload like the one here, as value has it: of the other side, with other flags.
 */
static struct packet *forge(struct session *s, const struct operands *o, uint8_t flags)
{
	struct packet *p = session_insert(s, o->at + 1, &s->packets[o->at]);
	struct seg was;

	if (!p)
		return NULL;
	packet_release(p);
	was = p->seg;
	p->seg.seq += was.len;
	if (o->value & 1) {
		memcpy(p->seg.saddr, was.daddr, 16);
		memcpy(p->seg.daddr, was.saddr, 16);
		p->seg.sport = was.dport;
		p->seg.dport = was.sport;
		p->seg.seq = was.ack;
		p->seg.ack = was.seq + was.len;
	}
	p->seg.flags = flags;
	p->seg.len = p->seg.cap_len = 0;
	p->seg.rec_flags = 0;
	p->seg.ip_id++;
	p->seg.ts_ns += o->value & 2 ? 1000 : 0;
	return p;
}

static void op_rst(struct session *s, const struct operands *o)
{
	struct packet *p = forge(s, o, o->value & 4 ? SEG_RST : SEG_RST | SEG_ACK);

	if (p)
		p->seg.seq += (uint32_t)(int16_t)o->arg;
}

static void op_syn(struct session *s, const struct operands *o)
{
	struct packet *p = forge(s, o, o->value & 4 ? SEG_SYN | SEG_ACK : SEG_SYN);

	if (p)
		p->seg.seq += (uint32_t)(int16_t)o->arg << (o->value & 8 ? 16 : 0);
}

static void op_fin(struct session *s, const struct operands *o)
{
	struct packet *p = forge(s, o, SEG_FIN | SEG_ACK);

	if (p)
		p->seg.seq += (uint32_t)(int16_t)o->arg;
}

/* An ACK of what was never sent, or long ago. */
static void op_ack(struct session *s, const struct operands *o)
{
	struct packet *p = forge(s, o, SEG_ACK);

	if (p)
		p->seg.ack += (uint32_t)(int16_t)o->arg << (o->value & 8 ? 16 : 0);
}

/* All that the packet itself says of its place. */
static void op_claim(struct session *s, const struct operands *o)
{
	struct seg *seg = &s->packets[o->at].seg;

	*(o->value & 1 ? &seg->seq : &seg->ack) += (uint32_t)(int16_t)o->arg;
}

static void op_flags(struct session *s, const struct operands *o)
{
	s->packets[o->at].seg.flags ^= o->value & 0x3f;
}

/* ---- what is in the packets ---- */

static void op_byte(struct session *s, const struct operands *o)
{
	struct packet *p = &s->packets[o->at];
	uint32_t len = p->seg.cap_len;

	if (len)
		packet_own(p, len)[o->arg % len] = o->value;
}

/* Two bytes, of a length as often as not: by value one that is on an edge, in either order. */
static void op_number(struct session *s, const struct operands *o)
{
	static const uint16_t edges[] = {0,	1,     7,      8,      9,      0x7f,   0x80,  0xff,
					 0x100, 0xfff, 0x1000, 0x7fff, 0x8000, 0xfffe, 0xffff};
	struct packet *p = &s->packets[o->at];
	uint16_t n = edges[(o->value & 0x7f) % (sizeof(edges) / sizeof(edges[0]))];
	uint32_t len = p->seg.cap_len, at;
	uint8_t *own;

	if (len < 2)
		return;
	at = o->arg % (len - 1);
	own = packet_own(p, len);
	own[at + (o->value >> 7)] = (uint8_t)n;
	own[at + !(o->value >> 7)] = (uint8_t)(n >> 8);
}

static void op_shorter(struct session *s, const struct operands *o)
{
	struct packet *p = &s->packets[o->at];
	uint32_t len = p->seg.cap_len, at, n, end = p->seg.seq + p->seg.len;
	uint8_t *own;

	if (!len)
		return;
	at = o->arg % len;
	n = 1 + o->value % (len - at);
	own = packet_own(p, len);
	memmove(own + at, own + at + n, len - at - n);
	p->seg.cap_len -= n;
	p->seg.len -= n;
	session_shift(s, o->at, end, -n);
}

/* Bytes of another packet of the session are put into this one. */
static void op_longer(struct session *s, const struct operands *o)
{
	const struct packet *from = &s->packets[(o->at + o->value) % s->count];
	struct packet *p = &s->packets[o->at];
	uint32_t n = from->seg.cap_len < SPLICE_MAX ? from->seg.cap_len : SPLICE_MAX;
	uint32_t len = p->seg.cap_len, at = o->arg % (len + 1), end = p->seg.seq + p->seg.len;
	uint8_t bytes[SPLICE_MAX], *own;

	if (!n || len + n > PACKET_MAX)
		return;
	memcpy(bytes, from->data, n);
	own = packet_own(p, len + n);
	memmove(own + at + n, own + at, len - at);
	memcpy(own + at, bytes, n);
	p->seg.cap_len += n;
	p->seg.len += n;
	session_shift(s, o->at, end, n);
}

/* By number in the input: more are added at the end. */
static operation_fn *const operations[] = {
	op_drop, op_again, op_move,  op_split, op_window, op_begin,  op_end,	 op_one_side,
	op_cut,	 op_snap,  op_time,  op_pause, op_tick,	  op_lost,   op_rst,	 op_syn,
	op_fin,	 op_ack,   op_claim, op_flags, op_byte,	  op_number, op_shorter, op_longer,
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

#endif
