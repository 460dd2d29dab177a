/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pass_fd.h - datagrams between processes that can carry a descriptor.
 */
#ifndef TDSMON_PASS_FD_H
#define TDSMON_PASS_FD_H

#include <stddef.h>

/* Send size bytes, and the descriptor unless it is negative, which stays open here. 0 or -errno. */
int pass_fd_send(int socket, const void *data, size_t size, int fd);

/*
 * Receive size bytes without waiting, and *fd; -1: none came along. 0, -EAGAIN: nothing is there, -EPIPE:
 * the peer is gone, or sent another size; or another -errno.
 */
int pass_fd_receive(int socket, void *data, size_t size, int *fd);

#endif
