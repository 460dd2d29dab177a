/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_diag.h - looks at sockets by sock_diag(7), as ss(8) does: of this network namespace only.
 */
#ifndef TDSMON_SOCKET_DIAG_H
#define TDSMON_SOCKET_DIAG_H

#include "source/live/netlink.h"
#include "source/live/socket_look.h"

/*
 * Open it, and have the kernel load what it takes: it works without capabilities later. 0, or -errno
 * where the kernel has no such interface.
 */
int socket_diag_open(struct netlink *nl);

/* 0, -ENOENT: no such connection is here, or another -errno. */
int socket_diag_look(struct netlink *nl, const struct socket_ends *ends, struct socket_look *out);

/* Call fn for each TCP listener of this network namespace. */
void socket_diag_queues(struct netlink *nl, socket_queue_fn *fn, void *ctx);

#endif
