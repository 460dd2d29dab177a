/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * attach.h - the tap's programs on one interface: attaches them in the best way that the kernel
 * has, and detaches them. Other programs on the interface stay as they are.
 */
#ifndef TDSMON_ATTACH_H
#define TDSMON_ATTACH_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/live/netlink.h"

enum attach_how {
	ATTACH_NONE,
	ATTACH_TCX,    /* a link, since kernel 6.6; vanishes with the process */
	ATTACH_CLSACT, /* a filter; stays if the process is killed, see attach_slot_claim() */
	ATTACH_XDP_NATIVE,
	ATTACH_XDP_GENERIC,
};

/* How an interface's frames begin, as far as the tap can read them. */
enum attach_link {
	ATTACH_LINK_UNKNOWN, /* unknown to the tap */
	ATTACH_LINK_ETHERNET,
	ATTACH_LINK_IP,
	ATTACH_LINK_LOOPBACK, /* Ethernet, and each packet is sent and received once */
};

/* From an ARPHRD_* number. */
enum attach_link attach_link_of(unsigned short arphrd);

/* Descriptors of the programs; xdp -1: not used. */
struct attach_programs {
	int ingress, egress;
	int ingress_ip, egress_ip;
	int xdp;
};

struct attach_end {
	enum attach_how how;
	int link_fd;	  /* of a link, otherwise -1 */
	uint32_t program; /* of a filter: the ID of its program */
};

struct attachment {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	struct attach_end ingress, egress;
	unsigned int clsact_slot;
	struct netlink *netlink; /* adds and removes filters */
};

/*
 * Attach to the interface at->name with index at->ifindex. ATTACH_INGRESS_ONLY is for mirror ports.
 * 0, or -errno with nothing attached; the caller logs it.
 */
enum attach_mode {
	ATTACH_BOTH,
	ATTACH_INGRESS_ONLY,
};
int attach_interface(struct attachment *at, const struct attach_programs *programs,
		     enum attach_link link, enum attach_mode mode);

/* Detach everything. at may be all zero, and the interface may have vanished. */
void attach_release(struct attachment *at);

/*
 * Filters on clsact outlive a process that is killed. So a process claims a slot, which determines
 * its filters' handles, with a socket that does not outlive it: filters of a free slot are
 * leftovers. Returns the socket, which the caller closes at the end, and *slot; -errno if no slot
 * is free.
 */
int attach_slot_claim(unsigned int *slot);

/*
 * Remove the filters that a killed process left in this slot on an interface. The clsact qdisc
 * stays, here and at the end: an empty one does nothing, and others may use it by now.
 */
void attach_remove_leftovers(struct netlink *nl, unsigned int ifindex, unsigned int slot);

/* Attach only in the old way, for kernels before 6.6. attach_interface() chooses the way. */
int attach_clsact(struct attachment *at, int ingress_fd, int egress_fd);

/* Is a filter of ours on its clsact qdisc? Removing it needs CAP_NET_ADMIN. */
bool attach_is_clsact(const struct attachment *at);

/* "eth0 (tcx)", "lo (tcx ingress)", "eth1 (xdp native ingress, tcx egress)" */
void attach_describe(const struct attachment *at, char *out, size_t size);

#endif
