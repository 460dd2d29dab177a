// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * replace.c - see replace.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/beneath.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/regular.h"
#include "lib/replace.h"

#define REPLACE_MODE 0644

/* Do not replace a device or a FIFO with a file. */
static int replace_check(const struct replace *file)
{
	struct stat st;

	if (fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) || S_ISREG(st.st_mode) ||
	    S_ISLNK(st.st_mode))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -ENOTSUP;
}

int replace_open(struct replace *file, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir;

	*file = (struct replace){.dir = -1};
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EISDIR;
	dir = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
	file->name = strdup(name);
	if (asprintf(&file->temporary, "%s.%d.tmp", name, getpid()) < 0)
		file->temporary = NULL;
	if (!dir || !file->name || !file->temporary) {
		free(dir);
		return -ENOMEM;
	}
	file->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return file->dir < 0 ? -errno : replace_check(file);
}

void replace_close(struct replace *file)
{
	fd_close(file->dir);
	free(file->name);
	free(file->temporary);
	*file = (struct replace){.dir = -1};
}

int replace_try(const struct replace *file)
{
	unlinkat(file->dir, file->temporary, 0);
	return beneath_try(file->dir, file->temporary);
}

void replace_refused(const char *path, int err)
{
	log_error("cannot write %s: %s; name a file in a directory that exists and can be written "
		  "to",
		  path, regular_error(err));
}

int replace_try_path(const char *path)
{
	struct replace file;
	int err = replace_open(&file, path) ?: replace_try(&file);

	replace_close(&file);
	if (err)
		replace_refused(path, err);
	return err;
}

int replace_begin(const struct replace *file)
{
	/* A file of that name is left from an earlier run, or is a trap that leads elsewhere. */
	unlinkat(file->dir, file->temporary, 0);
	return beneath_open(file->dir, file->temporary, O_WRONLY | O_CREAT | O_EXCL, REPLACE_MODE);
}

int replace_commit(const struct replace *file)
{
	int err = renameat(file->dir, file->temporary, file->dir, file->name) ? -errno : 0;

	if (err)
		replace_drop(file);
	return err;
}

void replace_drop(const struct replace *file)
{
	unlinkat(file->dir, file->temporary, 0);
}

int replace_fill(int fd, const void *data, size_t len)
{
	int err = 0;

	for (size_t done = 0; !err && done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno != EINTR)
			err = -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int replace_write(const struct replace *file, const void *data, size_t len)
{
	int fd = replace_begin(file), err;

	if (fd < 0)
		return fd;
	err = replace_fill(fd, data, len);
	if (!err)
		return replace_commit(file);
	replace_drop(file);
	return err;
}
