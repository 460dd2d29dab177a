/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sockets.h - looks at this host's sockets, by whichever way the kernel has: docs/CAUSES.md.
 */
#ifndef TDSMON_SOCKETS_H
#define TDSMON_SOCKETS_H

#include "source/live/socket_look.h"

enum sockets_way {
	SOCKETS_AUTO, /* the best that works, and a trace of reads */
	SOCKETS_BPF,  /* only looks, by a BPF program that also sees other network namespaces */
	SOCKETS_DIAG, /* only looks, by sock_diag(7) */
	SOCKETS_OFF,
};

struct sockets;

/*
 * events_fd: the tap's ring buffer, for records with SEG_F_READ. NULL: no way of these works here,
 * which is logged, or none is wanted.
 */
struct sockets *sockets_open(enum sockets_way way, int events_fd);
void sockets_close(struct sockets *s);

/*
 * Look at the socket of the local end, whose packets are seen on that interface (0: not known). 0; -ENOENT: it is not on this host; or another -errno: it could
 * not be asked.
 */
int sockets_look(struct sockets *s, const struct socket_ends *ends, uint32_t ifindex,
		 struct socket_look *out);

/*
 * Call fn for the accept queue of each TCP listener of this network namespace, and of those in
 * others that a look has found.
 */
void sockets_queues(struct sockets *s, socket_queue_fn *fn, void *ctx);

/*
 * Have the ring buffer tell when the process of this socket, which was just looked at, has read all
 * that came; where the kernel can trace it.
 */
void sockets_await_read(struct sockets *s, const struct socket_ends *ends,
			const struct socket_look *look);
/* No read is awaited any more. */
void sockets_rest(struct sockets *s);

#endif
