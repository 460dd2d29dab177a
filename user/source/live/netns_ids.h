/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netns_ids.h - the ids that this network namespace has for others, by rtnetlink: those behind its
 * veths (containers, pods), and those that somebody named (ip netns).
 */
#ifndef TDSMON_NETNS_IDS_H
#define TDSMON_NETNS_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "source/live/netlink.h"

#define NETNS_IDS_MOST 256 /* more are left out */

struct netns_ids {
	struct netlink netlink;
	uint64_t read_ns; /* 0: never */
	size_t count;
	struct {
		int32_t id;
		uint32_t ifindex; /* of an interface that leads there; 0: none is known */
	} at[NETNS_IDS_MOST];
};

/* 0 or -errno. Later no privilege is needed. */
int netns_ids_open(struct netns_ids *ids);
void netns_ids_close(struct netns_ids *ids);

/* Read them again, unless that was less than a second ago. Whether it was done. */
int netns_ids_refresh(struct netns_ids *ids, uint64_t now_ns);

#endif
