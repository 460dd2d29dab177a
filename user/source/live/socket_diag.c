// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_diag.c - see socket_diag.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "source/live/socket_diag.h"
#include "lib/ip_addr.h"

struct answer {
	bool found;
	struct inet_diag_msg msg;
	bool has_received;
	uint64_t received;
};

static void take_answer(void *ctx, const struct nlmsghdr *msg)
{
	struct answer *answer = ctx;
	size_t head = NLMSG_SPACE(sizeof(answer->msg)), size;
	const void *info;

	if (msg->nlmsg_type != SOCK_DIAG_BY_FAMILY || msg->nlmsg_len < head)
		return;
	memcpy(&answer->msg, NLMSG_DATA(msg), sizeof(answer->msg));
	answer->found = true;
	info = netlink_attribute((const char *)msg + head, msg->nlmsg_len - head, INET_DIAG_INFO,
				 &size);
	/* Linux 4.1 and later; an older kernel's structure ends before it. */
	if (!info || size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t))
		return;
	answer->has_received = true;
	memcpy(&answer->received,
	       (const char *)info + offsetof(struct tcp_info, tcpi_bytes_received),
	       sizeof(answer->received));
}

/* remote_port 0: no connection has it, so the listener answers. */
static int ask(struct netlink *nl, const struct socket_ends *ends, uint16_t remote_port,
	       struct answer *answer)
{
	bool v4 = ip_is_v4(ends->local);
	struct inet_diag_req_v2 fixed = {
		.sdiag_family = v4 ? AF_INET : AF_INET6,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = ~0u,
		.id = {.idiag_sport = htons(ends->local_port),
		       .idiag_dport = htons(remote_port),
		       .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	struct netlink_request req;
	size_t skip = v4 ? IP_V4_AT : 0;

	memcpy(fixed.id.idiag_src, ends->local + skip, 16 - skip);
	memcpy(fixed.id.idiag_dst, ends->remote + skip, 16 - skip);
	netlink_begin(&req, SOCK_DIAG_BY_FAMILY, 0, &fixed, sizeof(fixed));
	answer->found = answer->has_received = false;
	return netlink_ask(nl, &req, take_answer, answer);
}

/* A listener of our own, to be asked for: a kernel without the module answers as if it were not there. */
static int listener_open(struct socket_ends *ends)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(name);

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&name, &len)) {
		fd_close(fd);
		return -errno;
	}
	*ends = (struct socket_ends){.local = {[10] = 0xff, 0xff, 127, [15] = 1},
				     .remote = {[10] = 0xff, 0xff, 127, [15] = 1},
				     .local_port = ntohs(name.sin_port)};
	return fd;
}

static int probe(struct netlink *nl)
{
	struct socket_ends ends;
	struct answer answer;
	int fd = listener_open(&ends), err = fd < 0 ? fd : ask(nl, &ends, 0, &answer);

	fd_close(fd);
	return err ?: answer.found && answer.msg.idiag_state == SOCKET_LISTEN ? 0 : -EOPNOTSUPP;
}

int socket_diag_open(struct netlink *nl)
{
	int err = netlink_open(nl, NETLINK_SOCK_DIAG);

	if (!err)
		err = probe(nl);
	if (err)
		netlink_close(nl);
	return err;
}

struct dump {
	socket_queue_fn *fn;
	void *ctx;
};

static void take_listener(void *ctx, const struct nlmsghdr *msg)
{
	const struct dump *dump = ctx;
	struct inet_diag_msg listener;

	if (msg->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    msg->nlmsg_len < NLMSG_LENGTH(sizeof(listener)))
		return;
	memcpy(&listener, NLMSG_DATA(msg), sizeof(listener));
	dump->fn(dump->ctx, &(struct socket_queue){ntohs(listener.id.idiag_sport),
						   listener.idiag_rqueue, listener.idiag_wqueue});
}

void socket_diag_queues(struct netlink *nl, socket_queue_fn *fn, void *ctx)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct dump dump = {fn, ctx};

	for (size_t i = 0; i < sizeof(families); i++) {
		struct inet_diag_req_v2 fixed = {
			.sdiag_family = families[i],
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1u << SOCKET_LISTEN,
		};
		struct netlink_request req;

		netlink_begin(&req, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &fixed, sizeof(fixed));
		netlink_ask(nl, &req, take_listener, &dump);
	}
}

static void take_connection(const struct answer *a, struct socket_look *out)
{
	uint32_t fin = a->msg.idiag_state == SOCKET_CLOSE_WAIT;

	out->inode = a->msg.idiag_inode;
	out->unaccepted = a->msg.idiag_state == SOCKET_SYN_RECV ||
			  (socket_is_open(a->msg.idiag_state) && !a->msg.idiag_inode);
	out->has_unread = socket_is_open(a->msg.idiag_state);
	/* A FIN counts as a byte that is not read. */
	out->unread = a->msg.idiag_rqueue > fin ? a->msg.idiag_rqueue - fin : 0;
	out->has_received_bytes = a->has_received && out->has_unread;
	out->received_bytes = a->received;
}

int socket_diag_look(struct netlink *nl, const struct socket_ends *ends, struct socket_look *out)
{
	struct answer answer;
	int err;

	memset(out, 0, sizeof(*out));
	out->ts_ns = clock_now_ns();
	err = ask(nl, ends, ends->remote_port, &answer);
	if (err)
		return err;
	/* Where there is no connection its listener answers. */
	if (!answer.found || answer.msg.idiag_state == SOCKET_LISTEN ||
	    answer.msg.idiag_state == SOCKET_TIME_WAIT)
		return -ENOENT;
	take_connection(&answer, out);
	if (!ends->serves || ask(nl, ends, 0, &answer) || !answer.found ||
	    answer.msg.idiag_state != SOCKET_LISTEN)
		return 0;
	out->has_queue = true;
	out->queue_length = answer.msg.idiag_rqueue;
	out->queue_limit = answer.msg.idiag_wqueue;
	out->listener_inode = answer.msg.idiag_inode;
	return 0;
}
