// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netns_ids.c - see netns_ids.h.
 */
#include <string.h>
#include <sys/socket.h>

#include <linux/net_namespace.h>

#include "source/live/netns_ids.h"
#include "lib/units.h"

#define REFRESH_NS NS_PER_S

int netns_ids_open(struct netns_ids *ids)
{
	memset(ids, 0, sizeof(*ids));
	return netlink_open(&ids->netlink, NETLINK_ROUTE);
}

void netns_ids_close(struct netns_ids *ids)
{
	netlink_close(&ids->netlink);
}

static void id_add(struct netns_ids *ids, int32_t id, uint32_t ifindex)
{
	for (size_t i = 0; i < ids->count && !ifindex; i++)
		if (ids->at[i].id == id)
			return;
	if (id < 0 || ids->count == NETNS_IDS_MOST)
		return;
	ids->at[ids->count].id = id;
	ids->at[ids->count++].ifindex = ifindex;
}

static int32_t id_of(const void *attributes, size_t len, uint16_t type)
{
	size_t size;
	const void *value = netlink_attribute(attributes, len, type, &size);
	int32_t id = -1;

	if (value && size == sizeof(id))
		memcpy(&id, value, sizeof(id));
	return id;
}

/* netlink_fn: the namespace that an interface's other end is in. */
static void take_link(void *ctx, const struct nlmsghdr *msg)
{
	size_t head = NLMSG_SPACE(sizeof(struct ifinfomsg));
	const struct ifinfomsg *link = NLMSG_DATA(msg);

	if (msg->nlmsg_type == RTM_NEWLINK && msg->nlmsg_len >= head)
		id_add(ctx,
		       id_of((const char *)msg + head, msg->nlmsg_len - head, IFLA_LINK_NETNSID),
		       (uint32_t)link->ifi_index);
}

/* netlink_fn */
static void take_id(void *ctx, const struct nlmsghdr *msg)
{
	size_t head = NLMSG_SPACE(sizeof(struct rtgenmsg));

	if (msg->nlmsg_type == RTM_NEWNSID && msg->nlmsg_len >= head)
		id_add(ctx, id_of((const char *)msg + head, msg->nlmsg_len - head, NETNSA_NSID), 0);
}

int netns_ids_refresh(struct netns_ids *ids, uint64_t now_ns)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct netlink_request req;

	if (ids->read_ns && now_ns - ids->read_ns < REFRESH_NS)
		return 0;
	ids->read_ns = now_ns;
	ids->count = 0;
	/* Listing an interface gives the namespace of its other end an id. */
	netlink_begin(&req, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	netlink_ask(&ids->netlink, &req, take_link, ids);
	netlink_begin(&req, RTM_GETNSID, NLM_F_DUMP, &any, sizeof(any));
	netlink_ask(&ids->netlink, &req, take_id, ids);
	return 1;
}
