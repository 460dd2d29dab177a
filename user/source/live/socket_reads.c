// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_reads.c - see socket_reads.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "socket_abi.h"
#include "socket_reads.skel.h"
#include "source/live/socket_reads.h"

struct socket_reads {
	struct socket_reads_bpf *skel;
	uint32_t netns_inode; /* our own */
};

static int reads_load(struct socket_reads *reads, int events_fd)
{
	struct stat own;
	int err;

	if (stat("/proc/self/ns/net", &own))
		return -errno;
	reads->netns_inode = (uint32_t)own.st_ino;
	reads->skel = socket_reads_bpf__open();
	if (!reads->skel)
		return -errno;
	err = bpf_map__reuse_fd(reads->skel->maps.events, events_fd);
	if (!err)
		err = socket_reads_bpf__load(reads->skel);
	return err ?: socket_reads_bpf__attach(reads->skel);
}

int socket_reads_open(struct socket_reads **reads, int events_fd)
{
	int err;

	*reads = calloc(1, sizeof(**reads));
	if (!*reads)
		return -ENOMEM;
	err = reads_load(*reads, events_fd);
	if (!err)
		return 0;
	socket_reads_close(*reads);
	*reads = NULL;
	return err;
}

void socket_reads_close(struct socket_reads *reads)
{
	if (reads)
		socket_reads_bpf__destroy(reads->skel);
	free(reads);
}

void socket_reads_await(struct socket_reads *reads, const struct socket_ends *ends,
			uint32_t netns_inode)
{
	uint16_t port = ends->serves ? ends->local_port : ends->remote_port;
	struct socket_key key = {.local_port = ends->local_port,
				 .remote_port = ends->remote_port,
				 .netns_inode = netns_inode ? netns_inode : reads->netns_inode};
	uint8_t value = 0;

	memcpy(key.local, ends->local, sizeof(key.local));
	memcpy(key.remote, ends->remote, sizeof(key.remote));
	if (bpf_map_update_elem(bpf_map__fd(reads->skel->maps.awaited), &key, &value, BPF_ANY)) {
		log_debug("cannot await a read: %s", strerror(errno));
		return;
	}
	reads->skel->bss->reads_ports[port / 64] |= 1ull << (port % 64);
	reads->skel->bss->reads_armed = 1;
}

void socket_reads_rest(struct socket_reads *reads)
{
	reads->skel->bss->reads_armed = 0;
	memset(reads->skel->bss->reads_ports, 0, sizeof(reads->skel->bss->reads_ports));
}
