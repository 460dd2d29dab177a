/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * exchange.h - one request of a host to a service, and its response. Internal to dependency/.
 */
#ifndef TDSMON_EXCHANGE_H
#define TDSMON_EXCHANGE_H

#include "engine/dependency/service_message.h"
#include "engine/record.h"

enum exchange_state {
	EXCHANGE_OPEN, /* no response so far */
	EXCHANGE_ANSWERED,
	EXCHANGE_CLOSED,  /* the connection ended before the response */
	EXCHANGE_UNKNOWN, /* packets were lost while it was open */
};

/* One request and its response. With connect: a TCP connection's SYN and SYN+ACK. */
struct exchange {
	uint64_t serial;   /* counts from 1 in the order of start; 0: a free slot */
	uint64_t start_ns; /* time of the request's first packet */
	uint64_t ack_ns;   /* when the peer's TCP acknowledged it; NO_NS: not acknowledged */
	uint64_t
		end_ns; /* time of the response's last packet, or of the connection's end; NO_NS: open */
	uint64_t id, other_id;
	uint64_t owner;	  /* the login that it was for, by its connection's id; 0: not known */
	uint8_t host[16]; /* that asks */
	bool own;	  /* that is the host that we run on, whichever of its addresses it used */
	struct endpoint peer;
	enum dependency_kind kind;
	enum exchange_state state;
	const char *operation, *result; /* as in struct service_message */
	char target[MESSAGE_TARGET_LEN];
	uint8_t addresses[MESSAGE_ADDRESSES][16]; /* from a DNS response */
	uint32_t address_count;
	uint32_t sent;	  /* transmissions: repetitions and retransmissions are included */
	uint32_t end_seq; /* sequence number after the request, over TCP */
	uint16_t port;	  /* the host's */
	bool connect, udp;
	bool counted;	   /* totals.h */
	int32_t next_open; /* next open exchange of its conversation; -1: none */
};

/* Its response is an error, or the connection ended before a response. */
bool exchange_failed(const struct exchange *x);

#endif
