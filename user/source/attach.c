// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * attach.c - the tap's programs on one interface.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/pkt_sched.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach.h"
#include "log.h"
#include "netdev.h"

/* enum bpf_attach_type of Linux 6.6; libbpf 1.1's headers do not have them yet */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define CLSACT_HANDLE	0x7d5000 /* plus the slot */
#define CLSACT_PRIORITY 0x7d50
#define CLSACT_SLOTS	16
#define PROGRAM_PREFIX	"tap_" /* of the names in tap.bpf.c */

enum attach_link attach_link_of(unsigned short arphrd)
{
	switch (arphrd) {
	case ARPHRD_ETHER:
		return ATTACH_LINK_ETHERNET;
	case ARPHRD_LOOPBACK:
		return ATTACH_LINK_LOOPBACK;
	case ARPHRD_NONE: /* tun, wireguard */
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_SIT:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
		return ATTACH_LINK_IP;
	default:
		return ATTACH_LINK_UNKNOWN;
	}
}

int attach_slot_claim(unsigned int *slot)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd, n;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (*slot = 0; *slot < CLSACT_SLOTS; ++*slot) {
		/* an abstract name: of this network namespace, and gone with the socket */
		n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "tdsmon.tap.%u", *slot);
		if (!bind(fd, (struct sockaddr *)&name,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
			return fd;
	}
	close(fd);
	return -EBUSY;
}

/* libbpf wants the padding zero as well, which an initializer does not promise. */
static void clsact_hook(struct bpf_tc_hook *hook, unsigned int ifindex,
			enum bpf_tc_attach_point point)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)ifindex;
	hook->attach_point = point;
}

static void clsact_opts(struct bpf_tc_opts *opts, unsigned int slot)
{
	memset(opts, 0, sizeof(*opts));
	opts->sz = sizeof(*opts);
	opts->handle = CLSACT_HANDLE + slot;
	opts->priority = CLSACT_PRIORITY;
}

/* 1 if the program of this ID bears one of our names, 0 if not; -EPERM: CAP_SYS_ADMIN may ask. */
static int program_is_ours(uint32_t id)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), ours;

	if (fd < 0)
		return errno == EPERM ? -EPERM : 0;
	ours = !bpf_obj_get_info_by_fd(fd, &info, &size) &&
	       !strncmp(info.name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	close(fd);
	return ours;
}

/* libbpf names a filter after its program: "tap_ingress:[17]". */
static bool filter_is_ours(unsigned int ifindex, unsigned int slot, enum bpf_tc_attach_point point)
{
	uint32_t minor = point == BPF_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
	char name[64];

	return !netdev_filter_name(ifindex, TC_H_MAKE(TC_H_CLSACT, minor), CLSACT_PRIORITY,
				   CLSACT_HANDLE + slot, name, sizeof(name)) &&
	       !strncmp(name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) && strstr(name, ":[");
}

/* program: the ID of the one that we put there; 0: any that bears our name. */
static void clsact_remove(unsigned int ifindex, unsigned int slot, enum bpf_tc_attach_point point,
			  uint32_t program)
{
	struct bpf_tc_opts found, opts;
	struct bpf_tc_hook hook;
	int ours;

	clsact_hook(&hook, ifindex, point);
	clsact_opts(&found, slot);
	clsact_opts(&opts, slot);
	if (bpf_tc_query(&hook, &found))
		return;
	ours = program ? found.prog_id == program : program_is_ours(found.prog_id);
	if (ours == -EPERM)
		ours = filter_is_ours(ifindex, slot, point);
	if (ours)
		bpf_tc_detach(&hook, &opts);
}

void attach_remove_leftovers(unsigned int ifindex, unsigned int slot)
{
	clsact_remove(ifindex, slot, BPF_TC_INGRESS, 0);
	clsact_remove(ifindex, slot, BPF_TC_EGRESS, 0);
}

static int clsact_add(const struct attachment *at, int fd, enum bpf_tc_attach_point point,
		      struct attach_end *end)
{
	struct bpf_tc_opts opts;
	struct bpf_tc_hook hook;
	int err;

	clsact_hook(&hook, at->ifindex, point);
	clsact_opts(&opts, at->clsact_slot);
	opts.prog_fd = fd;
	err = bpf_tc_attach(&hook, &opts);
	if (!err) {
		end->how = ATTACH_CLSACT;
		end->program = opts.prog_id;
	}
	return err;
}

int attach_clsact(struct attachment *at, int ingress_fd, int egress_fd)
{
	struct bpf_tc_hook hook;
	int err;

	clsact_hook(&hook, at->ifindex, BPF_TC_INGRESS);
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	attach_remove_leftovers(at->ifindex, at->clsact_slot);
	err = 0;
	if (ingress_fd >= 0)
		err = clsact_add(at, ingress_fd, BPF_TC_INGRESS, &at->ingress);
	if (!err && egress_fd >= 0)
		err = clsact_add(at, egress_fd, BPF_TC_EGRESS, &at->egress);
	if (err)
		attach_release(at);
	return err;
}

static int tcx_add(unsigned int ifindex, int fd, int point, struct attach_end *end)
{
	int link = bpf_link_create(fd, (int)ifindex, (enum bpf_attach_type)point, NULL);

	if (link < 0)
		return -errno;
	end->link_fd = link;
	end->how = ATTACH_TCX;
	return 0;
}

/* By links where the kernel has them; fds of -1 are not wanted. */
static int attach_tc(struct attachment *at, int ingress_fd, int egress_fd)
{
	int err = 0;

	if (ingress_fd >= 0)
		err = tcx_add(at->ifindex, ingress_fd, TCX_INGRESS, &at->ingress);
	if (!err && egress_fd >= 0)
		err = tcx_add(at->ifindex, egress_fd, TCX_EGRESS, &at->egress);
	if ((err != -EINVAL && err != -EOPNOTSUPP) || at->ingress.how == ATTACH_TCX)
		return err;
	log_debug("%s: no tcx links, using clsact", at->name);
	return attach_clsact(at, ingress_fd, egress_fd);
}

/* True if XDP took the ingress. Why not, if not, is said here. */
static bool attach_xdp(struct attachment *at, int fd)
{
	static const struct {
		enum attach_how how;
		uint32_t flags;
	} modes[] = {
		{ATTACH_XDP_NATIVE, XDP_FLAGS_DRV_MODE},
		{ATTACH_XDP_GENERIC, XDP_FLAGS_SKB_MODE},
	};
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int err = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		opts.flags = modes[i].flags;
		at->ingress.link_fd = bpf_link_create(fd, (int)at->ifindex, BPF_XDP, &opts);
		if (at->ingress.link_fd >= 0) {
			at->ingress.how = modes[i].how;
			if (i)
				log_warn("%s: native XDP failed (%s), generic XDP is used: slower "
					 "than tc",
					 at->name, strerror(err));
			return true;
		}
		err = errno;
		if (err == EBUSY || err == EEXIST) {
			log_warn("%s: another XDP program is there and stays, tc is used instead",
				 at->name);
			return false;
		}
	}
	log_warn("%s: XDP failed (%s), tc is used instead", at->name, strerror(err));
	return false;
}

int attach_interface(struct attachment *at, const struct attach_programs *programs,
		     enum attach_link link, enum attach_mode mode)
{
	int ingress = link == ATTACH_LINK_IP ? programs->ingress_ip : programs->ingress;
	int egress = link == ATTACH_LINK_IP ? programs->egress_ip : programs->egress;
	int err;

	at->ingress = (struct attach_end){ATTACH_NONE, -1, 0};
	at->egress = (struct attach_end){ATTACH_NONE, -1, 0};
	/* What leaves by loopback comes in by it: once is enough. XDP would gain nothing there. */
	if (link == ATTACH_LINK_LOOPBACK || mode == ATTACH_INGRESS_ONLY)
		egress = -1;
	if (link == ATTACH_LINK_ETHERNET && programs->xdp >= 0 && attach_xdp(at, programs->xdp))
		ingress = -1;
	err = attach_tc(at, ingress, egress);
	if (err)
		attach_release(at);
	return err;
}

static void end_release(struct attach_end *end)
{
	if (end->how != ATTACH_NONE && end->link_fd >= 0)
		close(end->link_fd);
	*end = (struct attach_end){ATTACH_NONE, -1, 0};
}

/* A name may be of another interface by now, an ifindex is not given twice soon. */
void attach_release(struct attachment *at)
{
	if (at->ingress.how == ATTACH_CLSACT)
		clsact_remove(at->ifindex, at->clsact_slot, BPF_TC_INGRESS, at->ingress.program);
	if (at->egress.how == ATTACH_CLSACT)
		clsact_remove(at->ifindex, at->clsact_slot, BPF_TC_EGRESS, at->egress.program);
	end_release(&at->ingress);
	end_release(&at->egress);
}

bool attach_is_clsact(const struct attachment *at)
{
	return at->ingress.how == ATTACH_CLSACT || at->egress.how == ATTACH_CLSACT;
}

static const char *how_name(enum attach_how how)
{
	static const char *const names[] = {
		[ATTACH_NONE] = "nothing",
		[ATTACH_TCX] = "tcx",
		[ATTACH_CLSACT] = "clsact",
		[ATTACH_XDP_NATIVE] = "xdp native",
		[ATTACH_XDP_GENERIC] = "xdp generic",
	};

	return names[how];
}

void attach_describe(const struct attachment *at, char *out, size_t size)
{
	const char *ingress = how_name(at->ingress.how), *egress = how_name(at->egress.how);

	if (at->egress.how == ATTACH_NONE)
		snprintf(out, size, "%s (%s ingress)", at->name, ingress);
	else if (at->ingress.how == at->egress.how)
		snprintf(out, size, "%s (%s)", at->name, ingress);
	else
		snprintf(out, size, "%s (%s ingress, %s egress)", at->name, ingress, egress);
}
