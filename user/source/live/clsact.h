/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * clsact.h - BPF filters on an interface's clsact qdisc (tc-bpf(8)), for kernels before 6.6. As in
 * libbpf, but over a netlink socket that is already open.
 */
#ifndef TDSMON_CLSACT_H
#define TDSMON_CLSACT_H

#include "source/live/netlink.h"

#define CLSACT_NAME 64 /* room for a filter's name in the kernel */

enum clsact_side {
	CLSACT_INGRESS,
	CLSACT_EGRESS,
};

/* Create the qdisc. 0, also if it exists, or -errno. */
int clsact_create(struct netlink *nl, unsigned int ifindex);

/* Add a program, given by its descriptor, as a filter with this handle and name. 0 or -errno. */
int clsact_add(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle,
	       int program, const char *name);

/* Get a filter's name and its program's ID. -ENOENT: no such filter; or another -errno. */
int clsact_query(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle,
		 char name[CLSACT_NAME], uint32_t *program);

int clsact_delete(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle);

#endif
