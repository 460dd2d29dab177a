/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netlink.h - rtnetlink(7) and sock_diag(7) requests, each over one socket, opened once because a
 * confined process cannot open another.
 */
#ifndef TDSMON_NETLINK_H
#define TDSMON_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NETLINK_REQUEST_MAX 512 /* bytes; reaching it is an error */

struct netlink {
	int fd; /* -1: closed */
	uint32_t seq;
};

/* A request being built: a header, a fixed part, attributes. */
struct netlink_request {
	struct nlmsghdr head;
	char body[NETLINK_REQUEST_MAX];
};

/* protocol: NETLINK_ROUTE or NETLINK_SOCK_DIAG. 0 or -errno. */
int netlink_open(struct netlink *nl, int protocol);
void netlink_close(struct netlink *nl);

/* Begin a request of a type (RTM_*) with its fixed part. flags are added to NLM_F_REQUEST. */
void netlink_begin(struct netlink_request *req, uint16_t type, uint16_t flags, const void *fixed,
		   size_t size);
/* Append an attribute. If it does not fit, netlink_ask() returns -EMSGSIZE. */
void netlink_add(struct netlink_request *req, uint16_t type, const void *value, size_t size);
/* Begin nested attributes; pass the result to netlink_end(). */
size_t netlink_nest(struct netlink_request *req, uint16_t type);
void netlink_end(struct netlink_request *req, size_t nest);

/* Called for every message of an answer. */
typedef void netlink_fn(void *ctx, const struct nlmsghdr *msg);

/*
 * Send the request and wait for the complete answer: all messages of a dump (NLM_F_DUMP), one
 * message, or only the acknowledgement (NLM_F_ACK). fn may be NULL. 0, or the kernel's -errno.
 */
int netlink_ask(struct netlink *nl, struct netlink_request *req, netlink_fn *fn, void *ctx);

/* The value of an attribute among len bytes of them, and its length; NULL: not found. */
const void *netlink_attribute(const void *attributes, size_t len, uint16_t type, size_t *size);

#endif
