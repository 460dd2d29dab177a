// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_bpf.c - see socket_bpf.h.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/clock.h"
#include "socket_look.skel.h"
#include "source/live/socket_bpf.h"

int socket_bpf_open(struct socket_bpf **program)
{
	struct socket_look_bpf *skel = socket_look_bpf__open_and_load();

	*program = (struct socket_bpf *)skel;
	return skel ? 0 : -errno;
}

void socket_bpf_close(struct socket_bpf *program)
{
	socket_look_bpf__destroy((struct socket_look_bpf *)program);
}

static void take_answer(const struct socket_query *q, const struct socket_ends *ends,
			struct socket_look *out)
{
	uint32_t fin = q->state == SOCKET_CLOSE_WAIT;

	out->inode = q->inode;
	out->netns_inode = q->netns_inode;
	out->unaccepted = q->state == SOCKET_SYN_RECV || q->state == SOCKET_NEW_SYN_RECV ||
			  (socket_is_open(q->state) && !q->inode);
	out->has_unread = out->has_received = socket_is_open(q->state);
	/* A FIN counts as a byte that is not read. */
	out->unread = q->unread > fin ? q->unread - fin : 0;
	out->received = q->received;
	out->has_queue = ends->serves && q->has_listener;
	out->queue_length = q->queue_length;
	out->queue_limit = q->queue_limit;
	out->listener_inode = ends->serves ? q->listener_inode : 0;
}

/* remote_port 0: no connection has it. */
static int ask(const struct socket_bpf *program, const struct socket_ends *ends,
	       uint16_t remote_port, int32_t netns, struct socket_query *q)
{
	const struct socket_look_bpf *skel = (const struct socket_look_bpf *)program;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = q, .data_size_in = sizeof(*q), .data_out = q,
		    .data_size_out = sizeof(*q));

	*q = (struct socket_query){
		.local_port = ends->local_port, .remote_port = remote_port, .netns = netns};
	memcpy(q->local, ends->local, sizeof(q->local));
	memcpy(q->remote, ends->remote, sizeof(q->remote));
	return bpf_prog_test_run_opts(bpf_program__fd(skel->progs.socket_look), &run);
}

int socket_bpf_queue(const struct socket_bpf *program, const struct socket_ends *ends,
		     int32_t netns, struct socket_queue *out)
{
	struct socket_query q;
	int err = ask(program, ends, 0, netns, &q);

	if (err)
		return err;
	*out = (struct socket_queue){ends->local_port, q.queue_length, q.queue_limit};
	return q.has_listener ? 0 : -ENOENT;
}

int socket_bpf_look(const struct socket_bpf *program, const struct socket_ends *ends, int32_t netns,
		    struct socket_look *out)
{
	struct socket_query q;
	int err;

	memset(out, 0, sizeof(*out));
	out->ts_ns = clock_now_ns();
	err = ask(program, ends, ends->remote_port, netns, &q);
	if (err)
		return err;
	/* Where there is no connection its listener answers. */
	if (!q.state || q.state == SOCKET_LISTEN || q.state == SOCKET_TIME_WAIT)
		return -ENOENT;
	take_answer(&q, ends, out);
	return 0;
}
