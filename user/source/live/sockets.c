// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sockets.c - see sockets.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "source/live/socket_diag.h"
#include "source/live/sockets.h"

struct sockets {
	struct netlink diag; /* fd -1: not available */
};

struct sockets *sockets_open(enum sockets_way way)
{
	struct sockets *s = way == SOCKETS_OFF ? NULL : calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	err = socket_diag_open(&s->diag);
	if (!err)
		return s;
	log_debug("sockets cannot be looked at by sock_diag: %s", strerror(-err));
	log_info("why a login waits for a process of this host is not known: the kernel tells "
		 "nothing of its sockets");
	free(s);
	return NULL;
}

void sockets_close(struct sockets *s)
{
	if (!s)
		return;
	netlink_close(&s->diag);
	free(s);
}

int sockets_look(struct sockets *s, const struct socket_ends *ends, struct socket_look *out)
{
	return socket_diag_look(&s->diag, ends, out);
}
