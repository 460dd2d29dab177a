/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_reads.h - a trace of when processes read from sockets, in every network namespace, for those
 * sockets whose next read is awaited.
 */
#ifndef TDSMON_SOCKET_READS_H
#define TDSMON_SOCKET_READS_H

#include "source/live/socket_look.h"

struct socket_reads;

/*
 * Load and attach. events_fd: the ring buffer that takes a record (SEG_F_READ) of each awaited read.
 * 0, or -errno: the kernel cannot trace them.
 */
int socket_reads_open(struct socket_reads **reads, int events_fd);
void socket_reads_close(struct socket_reads *reads);

/* netns_inode: of the socket's network namespace; 0: this one. */
void socket_reads_await(struct socket_reads *reads, const struct socket_ends *ends,
			uint32_t netns_inode);
/* None is awaited: from now on reads cost next to nothing. */
void socket_reads_rest(struct socket_reads *reads);

#endif
