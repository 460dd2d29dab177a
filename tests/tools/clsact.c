// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * clsact.c - attaches the tap to an interface as kernels before 6.6 have to, says "attached", and
 * stays until standard input ends, or until it is killed.
 */
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "source/live/attach.h"
#include "source/live/tap_load.h"

int main(int argc, char **argv)
{
	static struct port_set ports;
	struct live_config config = {.ports = &ports};
	struct netlink netlink;
	struct attachment at = {.netlink = &netlink};
	struct tap_bpf *tap;
	char byte;
	int slot_fd, err;

	if (argc != 2)
		return 2;
	if (tap_load(&tap, &config) || netlink_open(&netlink, NETLINK_ROUTE))
		return 1;
	slot_fd = attach_slot_claim(&at.clsact_slot);
	if (slot_fd < 0)
		return 1;
	snprintf(at.name, sizeof(at.name), "%s", argv[1]);
	at.ifindex = if_nametoindex(argv[1]);
	err = attach_clsact(&at, bpf_program__fd(tap->progs.tap_ingress),
			    bpf_program__fd(tap->progs.tap_egress));
	if (err)
		return 1;
	printf("{\"describe\":\"attached\"}\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	attach_release(&at);
	tap_bpf__destroy(tap);
	close(slot_fd);
	netlink_close(&netlink);
	return 0;
}
