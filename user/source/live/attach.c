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

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "source/live/attach.h"
#include "source/live/clsact.h"
#include "source/live/kernel.h"
#include "lib/log.h"

/* enum bpf_attach_type of Linux 6.6, which the headers of libbpf 1.1 lack */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define CLSACT_HANDLE  0x7d5000 /* plus the slot */
#define CLSACT_SLOTS   16
#define PROGRAM_PREFIX "tap_" /* of the programs' names in tap.bpf.c */

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

	/* Not a datagram socket, which could send to any other one. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	for (*slot = 0; *slot < CLSACT_SLOTS; ++*slot) {
		/* an abstract name: in this network namespace only, and gone with the socket */
		n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "tdsmon.tap.%u", *slot);
		if (!bind(fd, (struct sockaddr *)&name,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
			return fd;
	}
	close(fd);
	return -EBUSY;
}

/* Parse a filter's name, "tap_ingress:[17]" as libbpf writes it, and the program's ID in it. */
static int program_name(int fd, char name[CLSACT_NAME], uint32_t *id)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	*id = info.id;
	snprintf(name, CLSACT_NAME, "%s:[%u]", info.name, info.id);
	return 0;
}

/* By its program's name if the kernel gives it (CAP_SYS_ADMIN, not confined), or its own name. */
static bool filter_is_ours(const char *name, uint32_t program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(program);
	bool ours;

	if (fd < 0)
		return errno == EPERM && strstr(name, ":[") &&
		       !strncmp(name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	ours = !bpf_obj_get_info_by_fd(fd, &info, &size) &&
	       !strncmp(info.name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX));
	close(fd);
	return ours;
}

/* program: the ID of the program that this process attached; 0: any with our name. */
static void clsact_remove(struct netlink *nl, unsigned int ifindex, unsigned int slot,
			  enum clsact_side side, uint32_t program)
{
	char name[CLSACT_NAME];
	uint32_t id;

	if (clsact_query(nl, ifindex, side, CLSACT_HANDLE + slot, name, &id))
		return;
	if (program ? id == program : filter_is_ours(name, id))
		clsact_delete(nl, ifindex, side, CLSACT_HANDLE + slot);
}

void attach_remove_leftovers(struct netlink *nl, unsigned int ifindex, unsigned int slot)
{
	clsact_remove(nl, ifindex, slot, CLSACT_INGRESS, 0);
	clsact_remove(nl, ifindex, slot, CLSACT_EGRESS, 0);
}

static int attach_filter(const struct attachment *at, int fd, enum clsact_side side,
			 struct attach_end *end)
{
	char name[CLSACT_NAME];
	uint32_t id = 0;
	int err = program_name(fd, name, &id);

	if (!err)
		err = clsact_add(at->netlink, at->ifindex, side, CLSACT_HANDLE + at->clsact_slot,
				 fd, name);
	if (!err) {
		end->how = ATTACH_CLSACT;
		end->program = id;
	}
	return err;
}

int attach_clsact(struct attachment *at, int ingress_fd, int egress_fd)
{
	int err = clsact_create(at->netlink, at->ifindex);

	if (err)
		return err;
	attach_remove_leftovers(at->netlink, at->ifindex, at->clsact_slot);
	if (ingress_fd >= 0)
		err = attach_filter(at, ingress_fd, CLSACT_INGRESS, &at->ingress);
	if (!err && egress_fd >= 0)
		err = attach_filter(at, egress_fd, CLSACT_EGRESS, &at->egress);
	if (err)
		attach_release(at);
	return err;
}

static int tcx_add(unsigned int ifindex, int fd, int point, struct attach_end *end)
{
	int link;

	if (kernel_denied(KERNEL_TCX))
		return -EINVAL; /* as a kernel before 6.6 answers */
	link = bpf_link_create(fd, (int)ifindex, (enum bpf_attach_type)point, NULL);
	if (link < 0)
		return -errno;
	end->link_fd = link;
	end->how = ATTACH_TCX;
	return 0;
}

/* Attach by links if the kernel has them. An fd of -1 is not attached. */
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

/* True if XDP was attached to the ingress. If not, the reason is logged here. */
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
		errno = EINVAL; /* as a kernel without XDP links answers */
		at->ingress.link_fd =
			kernel_denied(KERNEL_XDP)
				? -1
				: bpf_link_create(fd, (int)at->ifindex, BPF_XDP, &opts);
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
	/* A packet sent by loopback is also received there: once is enough. XDP gains nothing. */
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

/* The name may belong to another interface by now; an ifindex is not soon used again. */
void attach_release(struct attachment *at)
{
	if (at->ingress.how == ATTACH_CLSACT)
		clsact_remove(at->netlink, at->ifindex, at->clsact_slot, CLSACT_INGRESS,
			      at->ingress.program);
	if (at->egress.how == ATTACH_CLSACT)
		clsact_remove(at->netlink, at->ifindex, at->clsact_slot, CLSACT_EGRESS,
			      at->egress.program);
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
