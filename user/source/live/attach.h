/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * attach.h - the tap's programs on one interface: put there in the best way that the kernel has,
 * and taken away again. Whatever is not ours on the interface is left alone.
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
	ATTACH_TCX,    /* link, from kernel 6.6 on; goes with the process */
	ATTACH_CLSACT, /* filter; stays behind if the process is killed, see attach_slot_claim() */
	ATTACH_XDP_NATIVE,
	ATTACH_XDP_GENERIC,
};

/* What an interface's frames start with, as far as the tap can read it. */
enum attach_link {
	ATTACH_LINK_UNKNOWN, /* nothing that the tap can read */
	ATTACH_LINK_ETHERNET,
	ATTACH_LINK_IP,
	ATTACH_LINK_LOOPBACK, /* Ethernet, and each packet goes out and comes in once */
};

/* From an ARPHRD_* number. */
enum attach_link attach_link_of(unsigned short arphrd);

/* Program descriptors; xdp -1: not wanted. */
struct attach_programs {
	int ingress, egress;
	int ingress_ip, egress_ip;
	int xdp;
};

struct attach_end {
	enum attach_how how;
	int link_fd;	  /* of a link, else -1 */
	uint32_t program; /* of a filter: its program's ID */
};

struct attachment {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	struct attach_end ingress, egress;
	unsigned int clsact_slot;
	struct netlink *netlink; /* by which filters are added and removed */
};

/*
 * Attach to the interface that at->name and at->ifindex are of. mode ATTACH_INGRESS_ONLY: for
 * mirror ports. 0, or -errno with what was attached taken away again; the caller logs.
 */
enum attach_mode {
	ATTACH_BOTH,
	ATTACH_INGRESS_ONLY,
};
int attach_interface(struct attachment *at, const struct attach_programs *programs,
		     enum attach_link link, enum attach_mode mode);

/* Take away what is attached. at may be all zero, and its interface may be gone. */
void attach_release(struct attachment *at);

/*
 * Filters on clsact outlive a process that is killed. So a process claims a slot, which is the
 * filters' handle, by a socket that does not outlive it: filters of a free slot are left over.
 * Returns the socket, to be closed at the end, and *slot; -errno if all slots are taken.
 */
int attach_slot_claim(unsigned int *slot);

/*
 * Remove what a killed process left in this slot on an interface. The clsact qdisc itself stays,
 * there as at the end: empty it does nothing, and others may have come to use it.
 */
void attach_remove_leftovers(struct netlink *nl, unsigned int ifindex, unsigned int slot);

/* The old way alone, for kernels before 6.6; attach_interface() chooses. */
int attach_clsact(struct attachment *at, int ingress_fd, int egress_fd);

/* True if a filter of ours is on its clsact qdisc, which takes CAP_NET_ADMIN to remove. */
bool attach_is_clsact(const struct attachment *at);

/* "eth0 (tcx)", "lo (tcx ingress)", "eth1 (xdp native ingress, tcx egress)" */
void attach_describe(const struct attachment *at, char *out, size_t size);

#endif
