/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sockets.h - looks at this host's sockets, by whichever way the kernel has: docs/CAUSES.md.
 */
#ifndef TDSMON_SOCKETS_H
#define TDSMON_SOCKETS_H

#include "source/live/socket_look.h"

enum sockets_way {
	SOCKETS_AUTO, /* the best that works */
	SOCKETS_BPF,  /* by a BPF program, which also sees other network namespaces */
	SOCKETS_DIAG, /* by sock_diag(7) */
	SOCKETS_OFF,
};

struct sockets;

/* NULL: no way of these works here, which is logged, or none is wanted. */
struct sockets *sockets_open(enum sockets_way way);
void sockets_close(struct sockets *s);

/*
 * Look at the socket of the local end, whose packets are seen on that interface (0: not known). 0; -ENOENT: it is not on this host; or another -errno: it could
 * not be asked.
 */
int sockets_look(struct sockets *s, const struct socket_ends *ends, uint32_t ifindex,
		 struct socket_look *out);

#endif
