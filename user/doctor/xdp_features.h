/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * xdp_features.h - asks the kernel whether an interface's driver runs XDP itself: the generic netlink
 * family "netdev", since Linux 6.3.
 */
#ifndef TDSMON_XDP_FEATURES_H
#define TDSMON_XDP_FEATURES_H

#include <stdint.h>

#include "source/live/netlink.h"

#define XDP_FEATURE_BASIC 0x01 /* XDP_PASS, XDP_DROP, XDP_ABORTED, XDP_TX: enum netdev_xdp_act */

struct xdp_features {
	struct netlink netlink; /* fd -1: the kernel cannot be asked */
	uint16_t family;
};

/* 0, or -errno: -ENOENT if the kernel is older. */
int xdp_features_open(struct xdp_features *x);
void xdp_features_close(struct xdp_features *x);

/* The features of an interface, or -errno. */
int64_t xdp_features_of(struct xdp_features *x, unsigned int ifindex);

#endif
