// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * clsact.c - see clsact.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include "source/live/clsact.h"

#define CLSACT_PRIORITY 0x7d50

static void filter_begin(struct netlink_request *req, uint16_t type, uint16_t flags,
			 unsigned int ifindex, enum clsact_side side, uint32_t handle)
{
	const struct tcmsg filter = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side == CLSACT_INGRESS ? TC_H_MIN_INGRESS
									    : TC_H_MIN_EGRESS),
		.tcm_handle = handle,
		.tcm_info = TC_H_MAKE(CLSACT_PRIORITY << 16, htons(ETH_P_ALL)),
	};

	netlink_begin(req, type, flags, &filter, sizeof(filter));
}

int clsact_create(struct netlink *nl, unsigned int ifindex)
{
	const struct tcmsg qdisc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
	struct netlink_request req;
	int err;

	netlink_begin(&req, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &qdisc,
		      sizeof(qdisc));
	netlink_add(&req, TCA_KIND, "clsact", sizeof("clsact"));
	err = netlink_ask(nl, &req, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

int clsact_add(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle,
	       int program, const char *name)
{
	const uint32_t fd = (uint32_t)program, flags = TCA_BPF_FLAG_ACT_DIRECT;
	struct netlink_request req;
	size_t options;

	filter_begin(&req, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ifindex, side,
		     handle);
	netlink_add(&req, TCA_KIND, "bpf", sizeof("bpf"));
	options = netlink_nest(&req, TCA_OPTIONS);
	netlink_add(&req, TCA_BPF_FD, &fd, sizeof(fd));
	netlink_add(&req, TCA_BPF_NAME, name, strlen(name) + 1);
	netlink_add(&req, TCA_BPF_FLAGS, &flags, sizeof(flags));
	netlink_end(&req, options);
	return netlink_ask(nl, &req, NULL, NULL);
}

/* Filled in by filter_read(). */
struct found {
	char *name;
	uint32_t *program;
	int err;
};

static void filter_read(void *ctx, const struct nlmsghdr *msg)
{
	const struct tcmsg *filter = NLMSG_DATA(msg);
	struct found *found = ctx;
	const void *options, *name, *id;
	size_t size, name_size, id_size;

	if (msg->nlmsg_type != RTM_NEWTFILTER || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*filter)))
		return;
	options = netlink_attribute(TCA_RTA(filter), TCA_PAYLOAD(msg), TCA_OPTIONS, &size);
	name = options ? netlink_attribute(options, size, TCA_BPF_NAME, &name_size) : NULL;
	id = options ? netlink_attribute(options, size, TCA_BPF_ID, &id_size) : NULL;
	if (!name || !id || id_size != sizeof(*found->program))
		return;
	snprintf(found->name, CLSACT_NAME, "%.*s", (int)name_size, (const char *)name);
	memcpy(found->program, id, sizeof(*found->program));
	found->err = 0;
}

int clsact_query(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle,
		 char name[CLSACT_NAME], uint32_t *program)
{
	struct found found = {.name = name, .program = program, .err = -ENOENT};
	struct netlink_request req;
	int err;

	filter_begin(&req, RTM_GETTFILTER, 0, ifindex, side, handle);
	netlink_add(&req, TCA_KIND, "bpf", sizeof("bpf"));
	err = netlink_ask(nl, &req, filter_read, &found);
	return err ?: found.err;
}

int clsact_delete(struct netlink *nl, unsigned int ifindex, enum clsact_side side, uint32_t handle)
{
	struct netlink_request req;

	filter_begin(&req, RTM_DELTFILTER, NLM_F_ACK, ifindex, side, handle);
	netlink_add(&req, TCA_KIND, "bpf", sizeof("bpf"));
	return netlink_ask(nl, &req, NULL, NULL);
}
