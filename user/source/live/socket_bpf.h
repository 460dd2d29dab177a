/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_bpf.h - looks at sockets by a BPF program that is run for each look: in all network
 * namespaces that this one has an id for.
 */
#ifndef TDSMON_SOCKET_BPF_H
#define TDSMON_SOCKET_BPF_H

#include "socket_abi.h"
#include "source/live/socket_look.h"

struct socket_bpf;

/* 0 and *program; or -errno: the kernel cannot do it. It works without CAP_PERFMON later. */
int socket_bpf_open(struct socket_bpf **program);
void socket_bpf_close(struct socket_bpf *program);

/* netns: an id, or SOCKET_NETNS_OWN. 0, -ENOENT: no such connection is there, or another -errno. */
int socket_bpf_look(const struct socket_bpf *program, const struct socket_ends *ends, int32_t netns,
		    struct socket_look *out);

/* The listener of the local end, likewise. */
int socket_bpf_queue(const struct socket_bpf *program, const struct socket_ends *ends,
		     int32_t netns, struct socket_queue *out);

#endif
