// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * xdp_features.c - see xdp_features.h. Debian 12's headers lack <linux/netdev.h>, so its numbers are
 * here: Documentation/netlink/specs/netdev.yaml of the kernel.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "doctor/xdp_features.h"

#define NETDEV_FAMILY	      "netdev"
#define NETDEV_VERSION	      1
#define NETDEV_DEV_GET	      1 /* NETDEV_CMD_DEV_GET */
#define NETDEV_DEV_IFINDEX    1 /* NETDEV_A_DEV_IFINDEX, u32 */
#define NETDEV_DEV_FEATURES   3 /* NETDEV_A_DEV_XDP_FEATURES, u64 */
#define NETDEV_FEATURES_BYTES sizeof(uint64_t)

/* Copies one attribute of an answer. */
struct wanted {
	uint16_t type;
	void *value;
	size_t size;
	int err;
};

static void features_take(void *ctx, const struct nlmsghdr *msg)
{
	struct wanted *wanted = ctx;
	size_t head = NLMSG_SPACE(GENL_HDRLEN), size;
	const void *value;

	if (msg->nlmsg_len < head)
		return;
	value = netlink_attribute((const char *)msg + head, msg->nlmsg_len - head, wanted->type,
				  &size);
	if (!value || size != wanted->size)
		return;
	memcpy(wanted->value, value, size);
	wanted->err = 0;
}

static int features_ask(struct netlink *nl, uint16_t family, const struct genlmsghdr *head,
			uint16_t type, const void *value, size_t size, struct wanted *wanted)
{
	struct netlink_request req;
	int err;

	netlink_begin(&req, family, 0, head, sizeof(*head));
	netlink_add(&req, type, value, size);
	err = netlink_ask(nl, &req, features_take, wanted);
	return err ?: wanted->err;
}

int xdp_features_open(struct xdp_features *x)
{
	const struct genlmsghdr head = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct wanted wanted = {CTRL_ATTR_FAMILY_ID, &x->family, sizeof(x->family), -ENOENT};
	int err = netlink_open(&x->netlink, NETLINK_GENERIC);

	if (err)
		return err;
	err = features_ask(&x->netlink, GENL_ID_CTRL, &head, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY,
			   sizeof(NETDEV_FAMILY), &wanted);
	if (err)
		xdp_features_close(x);
	return err;
}

void xdp_features_close(struct xdp_features *x)
{
	netlink_close(&x->netlink);
}

int64_t xdp_features_of(struct xdp_features *x, unsigned int ifindex)
{
	const struct genlmsghdr head = {.cmd = NETDEV_DEV_GET, .version = NETDEV_VERSION};
	const uint32_t index = ifindex;
	uint64_t features = 0;
	struct wanted wanted = {NETDEV_DEV_FEATURES, &features, NETDEV_FEATURES_BYTES, -ENODATA};
	int err = x->netlink.fd < 0
			  ? -ENOENT
			  : features_ask(&x->netlink, x->family, &head, NETDEV_DEV_IFINDEX, &index,
					 sizeof(index), &wanted);

	return err ?: (int64_t)(features & INT64_MAX);
}
