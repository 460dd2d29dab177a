// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_local.c - the HTTP server's UNIX socket. Its file's mode says who may connect.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http_int.h"
#include "lib/fd.h"
#include "lib/log.h"

#define LOCAL_BACKLOG 16
#define LOCAL_MASK    0117 /* leaves 0660: read and write for owner and group */

static int local_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/*
 * Remove a socket whose process has ended. 0: the name is free. -EADDRINUSE: a process serves it.
 * -EEXIST: it is no socket, and stays.
 */
static int local_clear(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, err;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = local_socket();
	if (fd < 0)
		return fd;
	err = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : -EADDRINUSE;
	close(fd);
	if (err != -ECONNREFUSED)
		return err == -EAGAIN ? -EADDRINUSE : err; /* its queue is full: it is served */
	return unlink(addr->sun_path) ? -errno : 0;
}

static int local_bind(int fd, const struct sockaddr_un *addr, const char *group)
{
	mode_t mask = umask(LOCAL_MASK);
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : 0;
	const struct group *found = err ? NULL : getgrnam(group);

	umask(mask);
	/* Without the right to give it to the group, it stays with this process's own. */
	if (found && lchown(addr->sun_path, (uid_t)-1, found->gr_gid))
		log_debug("%s: cannot give it to the group %s: %s", addr->sun_path, group,
			  strerror(errno));
	return err;
}

static const char *local_error(int err)
{
	return err == -EADDRINUSE ? "another process serves it"
	       : err == -EEXIST	  ? "a file of that name exists, and is no socket"
				  : strerror(-err);
}

int http_local_open(const char *path, const char *group)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err = strlen(path) < sizeof(addr.sun_path) ? 0 : -ENAMETOOLONG, fd = -1;

	if (!err) {
		strcpy(addr.sun_path, path);
		err = local_clear(&addr);
	}
	if (!err) {
		fd = local_socket();
		err = fd < 0 ? fd : local_bind(fd, &addr, group);
	}
	if (!err && listen(fd, LOCAL_BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	fd_close(fd);
	log_error("cannot serve %s: %s", path, local_error(err));
	return err;
}
