// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netdev.c - the host's network interfaces and addresses.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "fd.h"
#include "netdev.h"

/* False if it went away meanwhile. */
static bool netdev_read(int fd, struct netdev *dev)
{
	struct ifreq req = {0};

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", dev->name);
	if (ioctl(fd, SIOCGIFFLAGS, &req))
		return false;
	dev->up = req.ifr_flags & IFF_UP;
	if (ioctl(fd, SIOCGIFHWADDR, &req))
		return false;
	dev->arphrd = req.ifr_hwaddr.sa_family;
	return true;
}

struct netdev *netdev_list(size_t *count)
{
	struct if_nameindex *names = if_nameindex();
	struct netdev *devs = NULL;
	size_t total = 0;
	int fd;

	*count = 0;
	/* any kind will do to ask by, and this one can't reach another host */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!names || fd < 0)
		goto out;
	while (names[total].if_index)
		total++;
	devs = calloc(total + 1, sizeof(*devs));
	if (!devs)
		goto out;
	for (size_t i = 0; i < total; i++) {
		struct netdev *dev = &devs[*count];

		snprintf(dev->name, sizeof(dev->name), "%s", names[i].if_name);
		dev->ifindex = names[i].if_index;
		if (netdev_read(fd, dev))
			++*count;
	}
out:
	fd_close(fd);
	if (names)
		if_freenameindex(names);
	return devs;
}

static bool address_read(const struct sockaddr *from, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

	if (from && from->sa_family == AF_INET) {
		memcpy(out, mapped, 12);
		memcpy(out + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
		return true;
	}
	if (from && from->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
		return true;
	}
	return false;
}

uint8_t (*netdev_addresses(size_t *count))[16]
{
	struct ifaddrs *all, *it;
	uint8_t(*out)[16];
	size_t total = 0;

	*count = 0;
	if (getifaddrs(&all))
		return NULL;
	for (it = all; it; it = it->ifa_next)
		total++;
	out = calloc(total + 1, sizeof(*out));
	for (it = all; out && it; it = it->ifa_next)
		*count += address_read(it->ifa_addr, out[*count]);
	freeifaddrs(all);
	return out;
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

		if (n < 0 && errno == ENOBUFS) { /* some were lost */
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

/* The value of an attribute among len bytes of them, and its length; NULL if it is not there. */
static const void *attribute(const void *attributes, size_t len, unsigned short type, size_t *size)
{
	for (const struct rtattr *a = attributes; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) != type)
			continue;
		*size = RTA_PAYLOAD(a);
		return RTA_DATA(a);
	}
	return NULL;
}

/* The name in what the kernel answered, of n bytes. */
static int filter_name(const struct nlmsghdr *answer, size_t n, char *name, size_t size)
{
	const void *options, *text;
	size_t len;

	if (!NLMSG_OK(answer, n) || answer->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	options = attribute(TCA_RTA((struct tcmsg *)NLMSG_DATA(answer)), TCA_PAYLOAD(answer),
			    TCA_OPTIONS, &len);
	text = options ? attribute(options, len, TCA_BPF_NAME, &len) : NULL;
	if (!text)
		return -ENOENT;
	snprintf(name, size, "%.*s", (int)len, (const char *)text);
	return 0;
}

int netdev_filter_name(unsigned int ifindex, uint32_t parent, uint32_t priority, uint32_t handle,
		       char *name, size_t size)
{
	struct {
		struct nlmsghdr head;
		struct tcmsg filter;
	} ask = {
		.head = {.nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETTFILTER,
			 .nlmsg_flags = NLM_F_REQUEST},
		.filter = {.tcm_family = AF_UNSPEC,
			   .tcm_ifindex = (int)ifindex,
			   .tcm_parent = parent,
			   .tcm_handle = handle,
			   .tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL))},
	};
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = send(fd, &ask, sizeof(ask), 0);
	if (n >= 0)
		n = recv(fd, buf, sizeof(buf), 0);
	err = n < 0 ? -errno : filter_name((const struct nlmsghdr *)buf, (size_t)n, name, size);
	close(fd);
	return err;
}

int netdev_promiscuous(unsigned int ifindex)
{
	struct packet_mreq req = {.mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC};
	int err, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &req, sizeof(req)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
