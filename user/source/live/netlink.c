// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netlink.c - see netlink.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "source/live/netlink.h"

#define NETLINK_BUFFER	  32768 /* the largest part of a dump that the kernel sends */
#define NETLINK_TIMEOUT_S 5	/* the kernel answers at once; never wait forever */

int netlink_open(struct netlink *nl, int protocol)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	struct timeval timeout = {.tv_sec = NETLINK_TIMEOUT_S};
	int err = 0;

	*nl = (struct netlink){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
	if (nl->fd < 0)
		return -errno;
	if (bind(nl->fd, (struct sockaddr *)&name, sizeof(name)) ||
	    setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout))) {
		err = -errno;
		netlink_close(nl);
	}
	return err;
}

void netlink_close(struct netlink *nl)
{
	fd_close(nl->fd);
	nl->fd = -1;
}

void netlink_begin(struct netlink_request *req, uint16_t type, uint16_t flags, const void *fixed,
		   size_t size)
{
	memset(req, 0, sizeof(*req));
	req->head.nlmsg_type = type;
	req->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	req->head.nlmsg_len = (uint32_t)NLMSG_SPACE(size);
	memcpy(req->body, fixed, size);
}

void netlink_add(struct netlink_request *req, uint16_t type, const void *value, size_t size)
{
	struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(size)};
	size_t at = req->head.nlmsg_len - sizeof(req->head);

	req->head.nlmsg_len += (uint32_t)RTA_SPACE(size);
	if (req->head.nlmsg_len > sizeof(*req))
		return;
	memcpy(req->body + at, &attribute, sizeof(attribute));
	memcpy(req->body + at + RTA_LENGTH(0), value, size);
}

size_t netlink_nest(struct netlink_request *req, uint16_t type)
{
	size_t at = req->head.nlmsg_len - sizeof(req->head);

	netlink_add(req, type, "", 0);
	return at;
}

void netlink_end(struct netlink_request *req, size_t nest)
{
	uint16_t len = (uint16_t)(req->head.nlmsg_len - sizeof(req->head) - nest);

	if (req->head.nlmsg_len <= sizeof(*req))
		memcpy(req->body + nest, &len, sizeof(len)); /* rta_len is first */
}

/* 1: the answer is complete; 0: more follows; -errno: the kernel's. */
static int netlink_take(const struct nlmsghdr *msg, netlink_fn *fn, void *ctx)
{
	const struct nlmsgerr *answer = NLMSG_DATA(msg);

	if (msg->nlmsg_type == NLMSG_ERROR)
		return msg->nlmsg_len < NLMSG_LENGTH(sizeof(*answer)) ? -EPROTO
		       : answer->error				      ? answer->error
								      : 1;
	if (msg->nlmsg_type == NLMSG_DONE)
		return 1;
	if (fn)
		fn(ctx, msg);
	return !(msg->nlmsg_flags & NLM_F_MULTI);
}

/* netlink_take() for all messages of a datagram. Those of an older request are skipped. */
static int netlink_read(struct netlink *nl, char *buf, netlink_fn *fn, void *ctx)
{
	ssize_t n = recv(nl->fd, buf, NETLINK_BUFFER, MSG_TRUNC);
	int left = (int)n, err = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n > NETLINK_BUFFER)
		return -EMSGSIZE;
	for (struct nlmsghdr *msg = (void *)buf; !err && left > 0 && NLMSG_OK(msg, (unsigned)left);
	     msg = NLMSG_NEXT(msg, left))
		if (msg->nlmsg_seq == nl->seq)
			err = netlink_take(msg, fn, ctx);
	return err;
}

int netlink_ask(struct netlink *nl, struct netlink_request *req, netlink_fn *fn, void *ctx)
{
	char *buf;
	int err = 0;

	if (req->head.nlmsg_len > sizeof(*req))
		return -EMSGSIZE;
	req->head.nlmsg_seq = ++nl->seq;
	if (send(nl->fd, req, req->head.nlmsg_len, 0) < 0)
		return -errno;
	buf = malloc(NETLINK_BUFFER);
	if (!buf)
		return -ENOMEM;
	while (!err)
		err = netlink_read(nl, buf, fn, ctx);
	free(buf);
	return err < 0 ? err : 0;
}

const void *netlink_attribute(const void *attributes, size_t len, uint16_t type, size_t *size)
{
	int left = (int)len;

	for (const struct rtattr *a = attributes; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if ((a->rta_type & NLA_TYPE_MASK) != type)
			continue;
		*size = RTA_PAYLOAD(a);
		return RTA_DATA(a);
	}
	return NULL;
}
