// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_file.c - see socket_file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/socket_file.h"

#define SOCKET_FILE_DIR_MODE 0755

int socket_file_open(struct socket_file *file, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int err = 0;

	*file = (struct socket_file){.dir = -1, .name = slash ? slash + 1 : path};
	if (!dir)
		return -ENOMEM;
	if (slash && mkdir(dir, SOCKET_FILE_DIR_MODE) && errno != EEXIST)
		err = -errno;
	if (!err)
		file->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!err && file->dir < 0)
		err = -errno;
	free(dir);
	return err;
}

void socket_file_close(struct socket_file *file)
{
	fd_close(file->dir);
	*file = (struct socket_file){.dir = -1};
}

static uint64_t socket_file_node(const struct socket_file *file)
{
	struct stat st;

	if (fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISSOCK(st.st_mode))
		return 0;
	return st.st_ino;
}

void socket_file_note(struct socket_file *file)
{
	file->node = socket_file_node(file);
}

void socket_file_remove(struct socket_file *file)
{
	if (file->node && socket_file_node(file) == file->node)
		unlinkat(file->dir, file->name, 0);
	file->node = 0;
}
