// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sockets.c - see sockets.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/ip_addr.h"
#include "lib/log.h"
#include "source/live/kernel.h"
#include "source/live/netns_ids.h"
#include "source/live/socket_bpf.h"
#include "source/live/socket_diag.h"
#include "source/live/socket_reads.h"
#include "source/live/sockets.h"

#define LISTENERS_BEHIND 64 /* in other network namespaces; the oldest is replaced */

/* A listener in another network namespace, as it was found. */
struct behind {
	struct socket_ends ends;
	int32_t netns;
};

struct sockets {
	struct socket_bpf *program; /* NULL: the kernel cannot do it, or it is not wanted */
	struct netlink diag;	    /* else this */
	struct netlink listeners;   /* of this namespace; closed: not known */
	struct netns_ids netns;
	struct socket_reads *reads; /* NULL: not traced */
	size_t behind_count, behind_next;
	struct behind behind[LISTENERS_BEHIND];
};

static int open_bpf(struct sockets *s)
{
	int err = kernel_denied(KERNEL_SOCKET_BPF) ? -EOPNOTSUPP : socket_bpf_open(&s->program);

	if (err)
		log_debug("sockets cannot be looked at by BPF: %s", strerror(-err));
	else if (netns_ids_open(&s->netns))
		s->netns.netlink.fd = -1; /* only this network namespace, then */
	return err;
}

static int open_diag(struct sockets *s)
{
	int err = kernel_denied(KERNEL_SOCK_DIAG) ? -EOPNOTSUPP : socket_diag_open(&s->diag);

	if (err)
		log_debug("sockets cannot be looked at by sock_diag: %s", strerror(-err));
	return err;
}

static void open_reads(struct sockets *s, int events_fd)
{
	int err = kernel_denied(KERNEL_READ_TRACE) ? -EOPNOTSUPP
						   : socket_reads_open(&s->reads, events_fd);

	if (err)
		log_debug("reads of sockets cannot be traced: %s", strerror(-err));
}

struct sockets *sockets_open(enum sockets_way way, int events_fd)
{
	struct sockets *s = way == SOCKETS_OFF ? NULL : calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->diag.fd = s->listeners.fd = s->netns.netlink.fd = -1;
	if ((way == SOCKETS_DIAG || open_bpf(s)) && (way == SOCKETS_BPF || open_diag(s))) {
		log_info("why a login waits for a process of this host is not known: the kernel "
			 "tells nothing of its sockets");
		sockets_close(s);
		return NULL;
	}
	if (way == SOCKETS_AUTO)
		open_reads(s, events_fd);
	if (kernel_denied(KERNEL_SOCK_DIAG) || socket_diag_open(&s->listeners))
		log_debug("accept queues of this network namespace are not known");
	return s;
}

void sockets_close(struct sockets *s)
{
	if (!s)
		return;
	socket_reads_close(s->reads);
	socket_bpf_close(s->program);
	netlink_close(&s->diag);
	netlink_close(&s->listeners);
	netns_ids_close(&s->netns);
	free(s);
}

/* Remember where a listener is, for sockets_queues(). */
static void behind_note(struct sockets *s, const struct socket_ends *ends, int32_t netns)
{
	for (size_t i = 0; i < s->behind_count; i++) {
		const struct behind *b = &s->behind[i];

		if (b->netns == netns && b->ends.local_port == ends->local_port &&
		    !memcmp(b->ends.local, ends->local, sizeof(ends->local)))
			return;
	}
	s->behind[s->behind_next] = (struct behind){*ends, netns};
	s->behind_next = (s->behind_next + 1) % LISTENERS_BEHIND;
	s->behind_count += s->behind_count < LISTENERS_BEHIND;
}

void sockets_queues(struct sockets *s, socket_queue_fn *fn, void *ctx)
{
	struct socket_queue queue;

	if (s->listeners.fd >= 0)
		socket_diag_queues(&s->listeners, fn, ctx);
	for (size_t i = 0; i < s->behind_count; i++)
		if (!socket_bpf_queue(s->program, &s->behind[i].ends, s->behind[i].netns, &queue))
			fn(ctx, &queue);
}

/* In the namespaces that the interface leads to, or with 0 in all others that are known. */
static int look_behind(struct sockets *s, const struct socket_ends *ends, uint32_t ifindex,
		       struct socket_look *out)
{
	int err = -ENOENT;

	for (size_t i = 0; i < s->netns.count && err == -ENOENT; i++)
		if (!ifindex || s->netns.at[i].ifindex == ifindex) {
			err = socket_bpf_look(s->program, ends, s->netns.at[i].id, out);
			if (!err && out->has_queue)
				behind_note(s, ends, s->netns.at[i].id);
		}
	return err;
}

static int look_everywhere(struct sockets *s, const struct socket_ends *ends, uint32_t ifindex,
			   struct socket_look *out)
{
	int err = socket_bpf_look(s->program, ends, SOCKET_NETNS_OWN, out);

	/* Each namespace has a loopback of its own, and we see only this one's. */
	if (err != -ENOENT || ip_is_loopback(ends->local) || s->netns.netlink.fd < 0)
		return err;
	if (ifindex)
		err = look_behind(s, ends, ifindex, out);
	if (err == -ENOENT)
		err = look_behind(s, ends, 0, out);
	if (err == -ENOENT && netns_ids_refresh(&s->netns, clock_now_ns()))
		err = look_behind(s, ends, 0, out);
	return err;
}

int sockets_look(struct sockets *s, const struct socket_ends *ends, uint32_t ifindex,
		 struct socket_look *out)
{
	if (s->program)
		return look_everywhere(s, ends, ifindex, out);
	return socket_diag_look(&s->diag, ends, out);
}

void sockets_await_read(struct sockets *s, const struct socket_ends *ends,
			const struct socket_look *look)
{
	if (s->reads)
		socket_reads_await(s->reads, ends, look->netns_inode);
}

void sockets_rest(struct sockets *s)
{
	if (s->reads)
		socket_reads_rest(s->reads);
}
