/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_look.h - a look at one TCP socket of this host: what it is, and how it is asked for.
 */
#ifndef TDSMON_SOCKET_LOOK_H
#define TDSMON_SOCKET_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "segment.h"

/* A connection as the host of one of its ends sees it. */
struct socket_ends {
	uint8_t local[16], remote[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	uint16_t local_port, remote_port;
	bool serves; /* the local end is the server: it has a listener */
};

struct socket_look {
	uint64_t ts_ns; /* CLOCK_MONOTONIC, just before the kernel was asked */
	/*
	 * The connection has no process: it waits in its listener's accept queue, or for room in it.
	 * Else it has one, or has been closed.
	 */
	bool unaccepted;
	bool has_unread, has_received, has_received_bytes, has_queue;
	uint32_t unread;		    /* bytes that TCP holds for the process */
	uint32_t received;		    /* the next sequence number that TCP waits for */
	uint64_t received_bytes;	    /* payload received so far, a FIN counted as one byte */
	uint32_t queue_length, queue_limit; /* of the listener's accept queue */
	uint32_t inode;		 /* of the process's descriptor, in sockfs; 0: not known, or none */
	uint32_t listener_inode; /* of its listener's, likewise */
	uint32_t netns_inode;	 /* of its network namespace; 0: not known */
};

/* A listener's accept queue. */
struct socket_queue {
	uint16_t port;
	uint32_t length, limit; /* connections; one more than limit fits in */
};
typedef void socket_queue_fn(void *ctx, const struct socket_queue *queue);

/* The connection, as the host of the key's end sees it. */
struct socket_ends socket_ends(const struct flow_key *key, uint8_t end, bool serves);

/* The kernel's numbers of TCP states, which its interfaces tell: include/net/tcp_states.h. */
enum socket_state {
	SOCKET_ESTABLISHED = 1,
	SOCKET_SYN_RECV = 3,
	SOCKET_TIME_WAIT = 6,
	SOCKET_CLOSE_WAIT = 8,
	SOCKET_LISTEN = 10,
	SOCKET_NEW_SYN_RECV = 12, /* within the kernel only */
};

/* Its process can read what came, or is yet to accept() it. */
bool socket_is_open(uint8_t state);

#endif
