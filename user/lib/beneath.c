// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * beneath.c - see beneath.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "lib/beneath.h"
#include "lib/fd.h"
#include "lib/without.h"

#define ADDED_FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Copy the component that path begins with; *path goes to the next one. 0 or -errno. */
static int component_take(const char **path, char name[NAME_MAX + 1])
{
	size_t len = strcspn(*path, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len;
	*path += strspn(*path, "/");
	if (!strcmp(name, ".."))
		return -EXDEV;
	return len ? 0 : -EXDEV; /* the path is empty or absolute */
}

int beneath_walk(int dir, const char *path, int flags, mode_t mode)
{
	char name[NAME_MAX + 1];
	int held = -1, next, err;

	while (!(err = component_take(&path, name)) && *path) {
		next = openat(held < 0 ? dir : held, name,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = next < 0 ? -errno : 0;
		fd_close(held);
		held = next;
		if (err) /* with O_DIRECTORY a link is ENOTDIR */
			return err;
	}
	if (!err) {
		next = openat(held < 0 ? dir : held, name, flags | ADDED_FLAGS, mode);
		err = next < 0 ? -errno : next;
	}
	fd_close(held);
	return err;
}

static long call_openat2(int dir, const char *path, const struct open_how *how)
{
	if (!without_feature("openat2"))
		return syscall(SYS_openat2, dir, path, how, sizeof(*how));
	errno = ENOSYS;
	return -1;
}

int beneath_open(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | ADDED_FLAGS),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* -EAGAIN: something in the path was renamed meanwhile. */
	for (int tries = 0; tries < 8; tries++) {
		fd = call_openat2(dir, path, &how);
		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS || errno == EPERM) /* an older kernel; a container's filter */
			return beneath_walk(dir, path, flags, mode);
		if (errno != EAGAIN)
			break;
	}
	return -errno;
}

int beneath_try(int dir, const char *name)
{
	int fd = beneath_open(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd == -ENOSPC || fd == -EDQUOT)
		return 0;
	if (fd < 0)
		return fd == -ENOENT ? -EPERM : fd; /* the directory is there, but takes no file */
	close(fd);
	return unlinkat(dir, name, 0) ? -errno : 0;
}
