// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netdev.c - the host's network interfaces and addresses.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "source/live/netdev.h"
#include "lib/ip_addr.h"

/* A list that is being built. */
struct list {
	void *items;
	size_t count, room, size; /* size: of one item */
	int err;
};

/* The next item, all zero, or NULL: out of memory. */
static void *list_next(struct list *list)
{
	void *grown;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		grown = realloc(list->items, list->room * list->size);
		if (!grown) {
			list->err = -ENOMEM;
			return NULL;
		}
		list->items = grown;
	}
	return memset((char *)list->items + list->count * list->size, 0, list->size);
}

static void list_link(void *ctx, const struct nlmsghdr *msg)
{
	const struct ifinfomsg *link = NLMSG_DATA(msg);
	struct list *list = ctx;
	struct netdev *dev;
	const char *name;
	size_t len;

	if (msg->nlmsg_type != RTM_NEWLINK || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return;
	name = netlink_attribute(IFLA_RTA(link), IFLA_PAYLOAD(msg), IFLA_IFNAME, &len);
	dev = name ? list_next(list) : NULL;
	if (!dev)
		return;
	snprintf(dev->name, sizeof(dev->name), "%.*s", (int)len, name);
	dev->ifindex = (unsigned)link->ifi_index;
	dev->arphrd = link->ifi_type;
	dev->up = link->ifi_flags & IFF_UP;
	list->count++;
}

/* All entries of a dump; NULL with errno set. */
static void *list_dump(struct netlink *nl, uint16_t type, netlink_fn *fn, size_t size,
		       size_t *count)
{
	struct list list = {.size = size};
	const struct rtgenmsg all = {.rtgen_family = AF_UNSPEC};
	struct netlink_request req;
	int err;

	netlink_begin(&req, type, NLM_F_DUMP, &all, sizeof(all));
	err = netlink_ask(nl, &req, fn, &list);
	if (!err && !list.items)
		list_next(&list); /* an empty list is not a failure */
	*count = err ? 0 : list.count;
	if (!err && !list.err)
		return list.items;
	free(list.items);
	errno = -(err ?: list.err);
	return NULL;
}

struct netdev *netdev_list(struct netlink *nl, size_t *count)
{
	return list_dump(nl, RTM_GETLINK, list_link, sizeof(struct netdev), count);
}

static void list_address(void *ctx, const struct nlmsghdr *msg)
{
	const struct ifaddrmsg *address = NLMSG_DATA(msg);
	struct list *list = ctx;
	const void *bytes;
	uint8_t *out;
	size_t len;

	if (msg->nlmsg_type != RTM_NEWADDR || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*address)))
		return;
	/* On a point-to-point link IFA_ADDRESS is the peer's. */
	bytes = netlink_attribute(IFA_RTA(address), IFA_PAYLOAD(msg), IFA_LOCAL, &len);
	if (!bytes)
		bytes = netlink_attribute(IFA_RTA(address), IFA_PAYLOAD(msg), IFA_ADDRESS, &len);
	if (!bytes || (len != 4 && len != 16))
		return;
	out = list_next(list);
	if (!out)
		return;
	if (len == 4)
		ip_map_v4(out, bytes);
	else
		memcpy(out, bytes, len);
	list->count++;
}

uint8_t (*netdev_addresses(struct netlink *nl, size_t *count))[16]
{
	return list_dump(nl, RTM_GETADDR, list_address, 16, count);
}

int netdev_watch(void)
{
	struct sockaddr_nl name = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int err, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&name, sizeof(name)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static unsigned int change_of(const struct nlmsghdr *msg)
{
	switch (msg->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return NETDEV_LINKS;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return NETDEV_ADDRESSES;
	default:
		return 0;
	}
}

unsigned int netdev_changes(int fd)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned int changes = 0;

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		size_t left = n > 0 ? (size_t)n : 0;

		if (n < 0 && errno == ENOBUFS) { /* some messages were lost */
			changes = NETDEV_LINKS | NETDEV_ADDRESSES;
			continue;
		}
		if (n <= 0)
			return changes;
		for (struct nlmsghdr *msg = (void *)buf; NLMSG_OK(msg, left);
		     msg = NLMSG_NEXT(msg, left))
			changes |= change_of(msg);
	}
}

int netdev_promiscuous_open(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int netdev_promiscuous(int fd, unsigned int ifindex, enum netdev_promiscuity wanted)
{
	struct packet_mreq req = {.mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC};

	return setsockopt(fd, SOL_PACKET,
			  wanted == NETDEV_PROMISCUOUS ? PACKET_ADD_MEMBERSHIP
						       : PACKET_DROP_MEMBERSHIP,
			  &req, sizeof(req))
		       ? -errno
		       : 0;
}
