/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * engine_fixture.h - an engine, and one client's connection to port 1433 of one server, built
 * segment by segment. A test puts WIRE first into its own struct, beside what it keeps of records.
 */
#ifndef TDSMON_UNIT_ENGINE_FIXTURE_H
#define TDSMON_UNIT_ENGINE_FIXTURE_H

#include <linux/types.h>

#include "engine/engine.h"
#include "unit.h"

#define US 1000ull
#define MS 1000000ull
#define S  1000000000ull

enum { CLIENT, SERVER };

#define WIRE_MEMBERS                                                                               \
	struct engine *e;                                                                          \
	struct port_set ports;                                                                     \
	uint64_t now;                                                                              \
	uint32_t seq[2];    /* of each side's next byte */                                         \
	uint16_t port;	    /* the client's */                                                     \
	uint8_t address[2]; /* the last byte of each side's: 10.0.0.x */                           \
	uint8_t ttl[2];                                                                            \
	uint16_t ip_id[2];                                                                         \
	uint32_t ifindex, tunnel

struct wire {
	WIRE_MEMBERS;
};

/* The members by their own names, and all of them as `wire`. */
#define WIRE                                                                                       \
	union {                                                                                    \
		struct {                                                                           \
			WIRE_MEMBERS;                                                              \
		};                                                                                 \
		struct wire wire;                                                                  \
	}

/* Resets the wire. ctx: of the ops' callbacks. */
static inline void wire_begin(struct wire *w, struct engine_config config,
			      const struct engine_ops *ops, void *ctx)
{
	*w = (struct wire){
		.now = 1000 * S, .seq = {100000, 900000}, .port = 50000, .address = {1, 2}};
	port_set_add(&w->ports, 1433);
	config.ports = &w->ports;
	w->e = engine_new(&config, ops, ctx);
}

static inline void wire_end(struct wire *w)
{
	engine_finish(w->e);
	CHECK_INT(engine_stats(w->e)->flows, 0);
	engine_free(w->e);
}

/* A segment at w->now, with the sender's and the peer's positions in their streams. */
static inline struct seg wire_segment(const struct wire *w, int side, uint8_t flags, uint32_t len)
{
	return (struct seg){
		.ts_ns = w->now,
		.saddr = {[10] = 0xff, 0xff, 10, 0, 0, w->address[side]},
		.daddr = {[10] = 0xff, 0xff, 10, 0, 0, w->address[!side]},
		.seq = w->seq[side],
		.ack = flags & SEG_ACK ? w->seq[!side] : 0,
		.len = len,
		.cap_len = len,
		.ifindex = w->ifindex,
		.tunnel = w->tunnel,
		.sport = side == CLIENT ? w->port : 1433,
		.dport = side == CLIENT ? 1433 : w->port,
		.window = 512,
		.flags = flags,
		.ttl = w->ttl[side],
		.ip_id = w->ip_id[side],
	};
}

/* The side's position after that segment. */
static inline void wire_moves(struct wire *w, int side, const struct seg *seg)
{
	w->seq[side] += seg->len + !!(seg->flags & SEG_SYN) + !!(seg->flags & SEG_FIN);
}

/* A side's next segment, in order; time passes first. */
static inline void wire_send(struct wire *w, int side, uint8_t flags, const void *data,
			     uint32_t len, uint64_t after_ns)
{
	struct seg seg;

	w->now += after_ns;
	seg = wire_segment(w, side, flags, len);
	engine_segment(w->e, &seg, data);
	wire_moves(w, side, &seg);
}

static inline void wire_flag(struct wire *w, int side, uint8_t flags, uint64_t after_ns)
{
	wire_send(w, side, flags, NULL, 0, after_ns);
}

/* SYN, SYN+ACK and ACK. */
static inline void wire_handshake(struct wire *w, uint64_t syn_ns, uint64_t synack_ns,
				  uint64_t ack_ns)
{
	wire_flag(w, CLIENT, SEG_SYN, syn_ns);
	wire_flag(w, SERVER, SEG_SYN | SEG_ACK, synack_ns);
	wire_flag(w, CLIENT, SEG_ACK, ack_ns);
}

/* One side closes, then the other one. */
static inline void wire_fins(struct wire *w, int first, uint64_t first_ns, uint64_t second_ns,
			     uint64_t ack_ns)
{
	wire_flag(w, first, SEG_ACK | SEG_FIN, first_ns);
	wire_flag(w, !first, SEG_ACK | SEG_FIN, second_ns);
	wire_flag(w, first, SEG_ACK, ack_ns);
}

/* Nothing comes for that long, while the engine's clock ticks five times a second, as live. */
static inline void wire_idle(struct wire *w, uint64_t ns)
{
	for (uint64_t end = w->now + ns; w->now < end;) {
		w->now += end - w->now < 200 * MS ? end - w->now : 200 * MS;
		engine_tick(w->e, w->now);
	}
}

#endif
