/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netdev.h - the host's network interfaces and addresses, and notice of their changes.
 */
#ifndef TDSMON_NETDEV_H
#define TDSMON_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/live/netlink.h"

struct netdev {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	unsigned short arphrd; /* ARPHRD_* */
	bool up;
};

/* All interfaces, *count of them. The caller frees them. NULL on failure, errno then set. */
struct netdev *netdev_list(struct netlink *nl, size_t *count);

/* All addresses, *count of them, 16 bytes each, IPv4 as ::ffff:a.b.c.d. As above. */
uint8_t (*netdev_addresses(struct netlink *nl, size_t *count))[16];

#define NETDEV_LINKS	 0x01 /* interfaces appeared, vanished, or went up or down */
#define NETDEV_ADDRESSES 0x02

/* A descriptor that is readable when something changed, or -errno. */
int netdev_watch(void);

/* Changes since the last call, NETDEV_*, without blocking. */
unsigned int netdev_changes(int fd);

enum netdev_promiscuity {
	NETDEV_PROMISCUOUS,
	NETDEV_AS_BEFORE,
};

/*
 * A socket that makes interfaces promiscuous while it is open; -errno. Opening needs CAP_NET_RAW,
 * using it does not.
 */
int netdev_promiscuous_open(void);

/* Let an interface see all packets, as on a mirror port, or stop that. 0 or -errno. */
int netdev_promiscuous(int fd, unsigned int ifindex, enum netdev_promiscuity wanted);

#endif
