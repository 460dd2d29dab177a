// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pass_fd.c - see pass_fd.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/pass_fd.h"

/* Room for one descriptor, aligned as its header. */
union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

int pass_fd_send(int socket, const void *data, size_t size, int fd)
{
	union control control = {0};
	struct iovec part = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						.cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int pass_fd_receive(int socket, void *data, size_t size, int *fd)
{
	union control control;
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	ssize_t n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*fd = -1;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(head), sizeof(*fd));
	return n == (ssize_t)size ? 0 : -EPIPE;
}
