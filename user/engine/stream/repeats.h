/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * repeats.h - segments that were there before: the same packet captured twice, payload that its
 * sender sent again, keep-alive probes.
 */
#ifndef TDSMON_REPEATS_H
#define TDSMON_REPEATS_H

#include "engine/stream/flow_table.h"

#define KEEPALIVE_LEAST 3 /* so many unanswered probes are no accident */

/* The same packet captured twice: the capture's doing, not TCP's. */
bool repeats_packet(const struct flow *f, enum side from, const struct seg *seg);

/*
 * The tap stores a handshake's packets. Two CPUs that handle the client's next packets at the same
 * time may both forward them: the same record twice, with the time of the one packet.
 */
bool repeats_record(const struct flow *f, enum side from, const struct seg *seg);

/* Note payload that comes out of order, or again. */
void repeats_note(struct flow *f, enum side from, const struct seg *seg);

/*
 * Note a keep-alive probe: it repeats the last byte, which the peer has acknowledged, or has no
 * byte: RFC 9293 3.8.4. Any segment of its peer answers it. diff: from the side's position to the
 * segment.
 */
void repeats_note_probe(struct flow *f, enum side from, const struct seg *seg, int32_t diff);
/*
 * The side's stream begins in the middle, with this held segment: is it a keep-alive probe, whose
 * byte is the last one before the current position (RFC 9293 3.8.4)? Recognised by its repetition,
 * or by a byte that begins no frame (Windows sends 0).
 */
bool repeats_held_probe(const struct held *held);

#define REPEATS_PROBES_MAX 3 /* highest count that fits struct half */

/*
 * Payload of a side that was sent more than once and never acknowledged, or that never reached its
 * peer though later bytes were seen. sent 0: there is no such payload.
 */
struct unacked {
	enum side side;
	uint64_t bytes;
	uint64_t since_ns; /* when it was sent first */
	uint32_t sent;	   /* how often; 1: it was not seen, but later bytes were */
	uint32_t shortest; /* bytes of its shortest segment */
};
struct unacked tcp_unacked(const struct flow *f, enum side side);

#endif
