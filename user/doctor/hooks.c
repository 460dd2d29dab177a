// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * hooks.c - where tdsmon would attach on each interface, and which programs of others are there.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "doctor/doctor.h"
#include "doctor/xdp_features.h"
#include "lib/fd.h"
#include "source/live/attach.h"
#include "source/live/netdev.h"

/* enum bpf_attach_type of Linux 6.6 */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define OURS	      "tap_" /* how our programs' names begin */
#define PROGRAMS_MOST 16     /* of a hook that are named */
#define PROGRAMS_TEXT 512

/* The programs on one hook, in words. */
struct programs {
	char text[PROGRAMS_TEXT];
	unsigned foreign, ours;
	bool unseen;
};

struct hooks {
	struct netlink *netlink;
	struct xdp_features *features;
	enum live_hook wanted;
	bool has_tcx, tcx_seen;
};

static void programs_add(struct programs *p, const char *where, const char *name, uint32_t id)
{
	size_t len = strlen(p->text);

	if (!strncmp(name, OURS, strlen(OURS))) {
		p->ours++;
		return;
	}
	p->foreign++;
	snprintf(p->text + len, sizeof(p->text) - len, "%s%s: %s%s(program %u)", len ? ", " : "",
		 where, name, *name ? " " : "", id);
}

/* By its ID, which needs CAP_SYS_ADMIN: else the name is "". */
static void programs_add_id(struct programs *p, const char *where, uint32_t id)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		*info.name = '\0';
	fd_close(fd);
	programs_add(p, where, info.name, id);
}

static void programs_xdp(struct programs *p, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, xdp);

	if (bpf_xdp_query((int)ifindex, 0, &xdp))
		return;
	if (xdp.drv_prog_id)
		programs_add_id(p, "native XDP", xdp.drv_prog_id);
	if (xdp.skb_prog_id)
		programs_add_id(p, "generic XDP", xdp.skb_prog_id);
	if (xdp.hw_prog_id)
		programs_add_id(p, "XDP in hardware", xdp.hw_prog_id);
}

/* 0, -EINVAL: the kernel has no tcx; -EPERM: we may not ask. */
static int programs_tcx(struct programs *p, unsigned int ifindex, int point, const char *where)
{
	uint32_t ids[PROGRAMS_MOST], count = PROGRAMS_MOST;

	if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)point, 0, NULL, ids, &count))
		return -errno;
	for (uint32_t i = 0; i < count && i < PROGRAMS_MOST; i++)
		programs_add_id(p, where, ids[i]);
	return 0;
}

static void programs_filter(void *ctx, const struct nlmsghdr *msg)
{
	const struct tcmsg *filter = NLMSG_DATA(msg);
	struct programs *p = ctx;
	const char *kind, *name = NULL;
	const void *options, *id = NULL;
	size_t size, kind_size, name_size = 0, id_size = 0;
	uint32_t number = 0;
	char text[64];

	if (msg->nlmsg_type != RTM_NEWTFILTER || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*filter)))
		return;
	kind = netlink_attribute(TCA_RTA(filter), TCA_PAYLOAD(msg), TCA_KIND, &kind_size);
	options = netlink_attribute(TCA_RTA(filter), TCA_PAYLOAD(msg), TCA_OPTIONS, &size);
	if (!kind || kind_size != sizeof("bpf") || memcmp(kind, "bpf", kind_size) || !options)
		return;
	name = netlink_attribute(options, size, TCA_BPF_NAME, &name_size);
	id = netlink_attribute(options, size, TCA_BPF_ID, &id_size);
	if (id && id_size == sizeof(number))
		memcpy(&number, id, sizeof(number));
	/* A kind is also reported for the chain itself, which has no program. */
	if (!number)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)name_size, name ?: "");
	programs_add(p, "tc filter", text, number);
}

static void programs_clsact(struct programs *p, struct netlink *nl, unsigned int ifindex,
			    uint32_t side)
{
	const struct tcmsg all = {.tcm_family = AF_UNSPEC,
				  .tcm_ifindex = (int)ifindex,
				  .tcm_parent = TC_H_MAKE(TC_H_CLSACT, side)};
	struct netlink_request req;

	netlink_begin(&req, RTM_GETTFILTER, NLM_F_DUMP, &all, sizeof(all));
	netlink_ask(nl, &req, programs_filter, p);
}

static void hooks_foreign(struct findings *f, const struct hooks *h, const struct netdev *dev,
			  bool loopback)
{
	struct programs xdp = {0}, tc = {0};
	int err;

	programs_xdp(&xdp, dev->ifindex);
	err = programs_tcx(&tc, dev->ifindex, TCX_INGRESS, "tcx ingress");
	if (!err)
		programs_tcx(&tc, dev->ifindex, TCX_EGRESS, "tcx egress");
	programs_clsact(&tc, h->netlink, dev->ifindex, TC_H_MIN_INGRESS);
	programs_clsact(&tc, h->netlink, dev->ifindex, TC_H_MIN_EGRESS);
	if (xdp.ours || tc.ours) {
		findings_add(f, "hook", dev->name);
		findings_say(f, FINDING_OK, "tdsmon is attached here now");
	}
	if (xdp.foreign) {
		findings_add(f, "hook", dev->name);
		findings_say(f, FINDING_NOTE, "another program is there, and stays: %s", xdp.text);
		findings_act(f,
			     h->wanted == LIVE_HOOK_XDP && !loopback
				     ? "tdsmon takes tc on this interface; packets that the other "
				       "program drops or redirects are not seen"
				     : "packets that it drops or redirects are not seen by tc");
	}
	if (tc.foreign) {
		findings_add(f, "hook", dev->name);
		findings_say(f, FINDING_NOTE, "programs of others are there, and stay: %s",
			     tc.text);
		findings_act(f, "if logins are missing, one of them may end the chain before "
				"tdsmon's turn: --hook xdp comes before them");
	}
}

/* "tc (tcx)": where tdsmon would attach. */
static void hooks_available(struct findings *f, const struct hooks *h, const struct netdev *dev,
			    enum attach_link link)
{
	const char *tc = !h->tcx_seen ? "tc" : h->has_tcx ? "tc (tcx)" : "tc (clsact)";
	int64_t features = xdp_features_of(h->features, dev->ifindex);

	findings_add(f, "hook", dev->name);
	if (link == ATTACH_LINK_LOOPBACK)
		findings_say(f, FINDING_OK, "loopback: %s, ingress only", tc);
	else if (link == ATTACH_LINK_IP)
		findings_say(f, FINDING_OK, "%s; XDP is not for interfaces without Ethernet", tc);
	else if (features < 0)
		findings_say(f, FINDING_OK,
			     "%s; this kernel does not say whether the driver has native XDP", tc);
	else if (features & XDP_FEATURE_BASIC)
		findings_say(f, FINDING_OK, "%s, or native XDP (--hook xdp)", tc);
	else if (h->wanted == LIVE_HOOK_XDP)
		findings_say(f, FINDING_NOTE, "%s, or generic XDP", tc);
	else
		findings_say(f, FINDING_OK, "%s, or generic XDP (--hook xdp)", tc);
	if (features >= 0 && !(features & XDP_FEATURE_BASIC) && h->wanted == LIVE_HOOK_XDP &&
	    link == ATTACH_LINK_ETHERNET)
		findings_act(f, "the driver has no native XDP, and generic XDP is slower than tc: "
				"leave --hook xdp out");
}

/* Is it one of those named, or are all wanted? */
static bool hooks_wanted(const struct live_config *live, const struct netdev *dev)
{
	for (size_t i = 0; i < live->interface_count; i++)
		if (!strcmp(live->interfaces[i], dev->name))
			return true;
	return !live->interface_count && dev->up &&
	       attach_link_of(dev->arphrd) != ATTACH_LINK_UNKNOWN;
}

static void hooks_interface(struct findings *f, const struct hooks *h, const struct netdev *dev)
{
	enum attach_link link = attach_link_of(dev->arphrd);

	if (link == ATTACH_LINK_UNKNOWN) {
		findings_add(f, "hook", dev->name);
		findings_say(f, FINDING_MEND, "tdsmon cannot read this kind of link (ARPHRD %u)",
			     dev->arphrd);
		findings_act(f, "name the interface that carries the packets");
		return;
	}
	if (!dev->up) {
		findings_add(f, "hook", dev->name);
		findings_say(f, FINDING_NOTE, "the interface is down");
		findings_act(f, "ip link set %s up", dev->name);
	}
	hooks_available(f, h, dev, link);
	hooks_foreign(f, h, dev, link == ATTACH_LINK_LOOPBACK);
}

static void hooks_missing(struct findings *f, const struct live_config *live,
			  const struct netdev *devs, size_t count)
{
	for (size_t i = 0; i < live->interface_count; i++) {
		size_t n = 0;

		while (n < count && strcmp(devs[n].name, live->interfaces[i]))
			n++;
		if (n < count)
			continue;
		findings_add(f, "hook", live->interfaces[i]);
		findings_say(f, FINDING_MEND, "there is no such interface");
		findings_act(f, "ip -br link lists them");
	}
}

/* Which kind of tc attachment the kernel has; asking needs CAP_NET_ADMIN. */
static void hooks_tcx(struct findings *f, struct hooks *h, const struct netdev *devs, size_t count)
{
	struct programs ignored = {0};
	int err = count ? programs_tcx(&ignored, devs[0].ifindex, TCX_INGRESS, "") : -EPERM;

	h->tcx_seen = err != -EPERM;
	h->has_tcx = !err;
	if (h->tcx_seen)
		return;
	findings_add(f, "hook", NULL);
	findings_unseen(f, "programs of others on tcx, and all names of XDP programs: seeing them "
			   "needs CAP_NET_ADMIN and CAP_SYS_ADMIN");
}

void doctor_hooks(struct findings *f, const struct doctor_config *config)
{
	struct netlink nl;
	struct xdp_features features;
	struct hooks h = {.netlink = &nl, .features = &features, .wanted = config->live->hook};
	struct netdev *devs = NULL;
	size_t count = 0, seen = 0;
	int err = netlink_open(&nl, NETLINK_ROUTE);

	if (!err) {
		devs = netdev_list(&nl, &count);
		err = devs ? 0 : -errno;
	}
	if (err) {
		findings_add(f, "hook", NULL);
		findings_unseen(f, "the interfaces cannot be listed: %s", strerror(-err));
		netlink_close(&nl);
		return;
	}
	xdp_features_open(&features);
	hooks_missing(f, config->live, devs, count);
	hooks_tcx(f, &h, devs, count);
	for (size_t i = 0; i < count; i++)
		if (hooks_wanted(config->live, &devs[i])) {
			hooks_interface(f, &h, &devs[i]);
			seen++;
		}
	if (!seen && !config->live->interface_count) {
		findings_add(f, "hook", NULL);
		findings_say(f, FINDING_NOTE,
			     "no interface is up yet; tdsmon takes those that come");
	}
	xdp_features_close(&features);
	free(devs);
	netlink_close(&nl);
}
