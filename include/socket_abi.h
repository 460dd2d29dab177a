/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_abi.h - what the programs that look at sockets share with user space.
 */
#ifndef TDSMON_SOCKET_ABI_H
#define TDSMON_SOCKET_ABI_H

#include "segment.h"

#define SOCKET_NETNS_OWN (-1)

/* The packet of a test run of socket_look(): asked and answered in place. Ports in host order. */
struct socket_query {
	__u8 link[16];	/* 0: the kernel expects an Ethernet header in a test run's packet */
	__u8 local[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__s32 netns; /* id of a network namespace, as rtnetlink has it, or SOCKET_NETNS_OWN */
	/* answered; all 0 before */
	__u32 unread;	    /* rcv_nxt - copied_seq: a FIN counts */
	__u32 received;	    /* rcv_nxt */
	__u32 queue_length; /* of the listener */
	__u32 queue_limit;
	__u32 inode; /* in sockfs, of the connection's socket; 0: it has no process */
	__u32 listener_inode;
	__u32 netns_inode;
	__u8 state; /* enum socket_state; 0: there is no such connection */
	__u8 has_listener;
	__u8 pad[2];
};
_Static_assert(sizeof(struct socket_query) == 88, "a packet in shared memory");

/* A socket whose next read is awaited: the key of the map "awaited". */
struct socket_key {
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port; /* host order */
	__u16 remote_port;
	__u32 netns_inode;
};
_Static_assert(sizeof(struct socket_key) == 40, "no padding: it is a map key");

#define SOCKETS_AWAITED 4096

/* Bytes of the ring buffer record of a read: a struct seg with SEG_F_READ. */
#define SOCKET_READ_RECORD 80

#endif
