/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tcp_facts.h - facts of a connection's handshake and packets, as its login's record reports them.
 * They are kept as long as the login is under way, in its memory: an idle connection has none.
 */
#ifndef TDSMON_TCP_FACTS_H
#define TDSMON_TCP_FACTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/record.h"
#include "engine/stream/unacked_time.h"
#include "segment.h"

struct tcp_facts {
	/* The handshake; 0: not seen */
	uint64_t syn_ns, last_syn_ns, synack_ns, last_synack_ns, ack_ns;
	uint64_t refused_ns;	/* when a reset answered the last SYN; 0: no reset */
	uint64_t payload_ns[2]; /* each side's last payload; 0: none yet */
	struct unacked_times unacked;
	uint32_t refusals; /* how often a reset answered a SYN */
	uint32_t syns, retransmits, out_of_order, zero_windows[2];
	uint16_t syn_ip_id;
	uint16_t mss[2];   /* that each side's SYN stated; 0: not known */
	bool port_reused;  /* the SYN got an answer for an earlier connection on these ports */
	bool server_heard; /* a packet of the server was seen */
	bool lacks_ack;	   /* the handshake's ACK is missing: lost to us, or to the server */
};

/* A packet that is not a reset: even if the server refused before, the connection goes on. */
void tcp_facts_heard(struct tcp_facts *t, enum side from, const struct seg *seg);

/*
 * Note a segment, in order, that is not a reset. ts_ns: its time, never before that of the side's
 * segment before it. True: it completes the handshake.
 */
bool tcp_facts_segment(struct tcp_facts *t, enum side from, const struct seg *seg, uint64_t ts_ns);

/* A reset answered the SYN. */
void tcp_facts_refused(struct tcp_facts *t, uint64_t ts_ns);

/* Is this the client's first data, without the ACK before it that completes the handshake? */
bool tcp_facts_lack_ack(const struct tcp_facts *t, const struct seg *seg);

/* Is the segment more than an ACK? */
static inline bool tcp_has_more(const struct seg *seg)
{
	return seg->len || seg->flags & SEG_FIN;
}

/* An ACK of the client's that does nothing but complete the handshake? */
static inline bool tcp_facts_is_bare_ack(const struct tcp_facts *t, enum side from,
					 const struct seg *seg)
{
	return from == SIDE_CLIENT && !tcp_has_more(seg) && !t->refused_ns;
}

#endif
