/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netdev.h - the host's network interfaces and addresses, and word of their changes.
 */
#ifndef TDSMON_NETDEV_H
#define TDSMON_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netdev {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	unsigned short arphrd; /* ARPHRD_* */
	bool up;
};

/* All interfaces, *count of them, to be freed; NULL on failure, errno then set. */
struct netdev *netdev_list(size_t *count);

/* All addresses, 16 bytes each, IPv4 as ::ffff:a.b.c.d, *count of them; as above. */
uint8_t (*netdev_addresses(size_t *count))[16];

#define NETDEV_LINKS	 0x01 /* interfaces came, went, or went up or down */
#define NETDEV_ADDRESSES 0x02

/* A descriptor that is readable when something changed, or -errno. */
int netdev_watch(void);

/* Without blocking: what changed since, NETDEV_*. */
unsigned int netdev_changes(int fd);

/*
 * The name that a BPF filter (tc-bpf(8)) was given, cut to size. parent: TC_H_*, priority and
 * handle as it was added, for all protocols. 0, or -errno: -ENOENT if there is none. Takes no
 * privilege.
 */
int netdev_filter_name(unsigned int ifindex, uint32_t parent, uint32_t priority, uint32_t handle,
		       char *name, size_t size);

/* See all that passes an interface, as on a mirror port: a descriptor that holds it so, or -errno.
 */
int netdev_promiscuous(unsigned int ifindex);

#endif
