/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bounded_dir.c - see bounded_dir.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/beneath.h"
#include "lib/bounded_dir.h"
#include "lib/fd.h"
#include "lib/replace.h"

#define FILE_MODE 0600
#define NAMES	  99 /* tried for a file */

struct bounded_file {
	char *name;
	uint64_t len;
	struct timespec changed; /* as of the start */
};

static int bounded_add(struct bounded_dir *d, const char *name, uint64_t len,
		       const struct timespec *changed)
{
	struct bounded_file *grown = realloc(d->files, (d->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	d->files = grown;
	grown[d->count] = (struct bounded_file){strdup(name), len, *changed};
	if (!grown[d->count].name)
		return -ENOMEM;
	d->count++;
	d->bytes += len;
	return 0;
}

static int bounded_compare(const void *a, const void *b)
{
	const struct bounded_file *x = a, *y = b;

	if (x->changed.tv_sec != y->changed.tv_sec)
		return x->changed.tv_sec < y->changed.tv_sec ? -1 : 1;
	if (x->changed.tv_nsec != y->changed.tv_nsec)
		return x->changed.tv_nsec < y->changed.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int bounded_list(struct bounded_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		err = -errno;
		fd_close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (d->is_own(entry->d_name) &&
		    !fstatat(d->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			err = bounded_add(d, entry->d_name, (uint64_t)st.st_size, &st.st_mtim);
	closedir(dir);
	if (d->count)
		qsort(d->files, d->count, sizeof(*d->files), bounded_compare);
	return err;
}

int bounded_dir_open(struct bounded_dir *d, const char *path, size_t files_most,
		     uint64_t bytes_most, bool (*is_own)(const char *name))
{
	char trial[32];

	*d = (struct bounded_dir){.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				  .files_most = files_most,
				  .bytes_most = bytes_most,
				  .is_own = is_own};
	if (d->fd < 0 || faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS))
		return -errno;
	snprintf(trial, sizeof(trial), "trial.%d.tmp", getpid());
	return beneath_try(d->fd, trial) ?: bounded_list(d);
}

void bounded_dir_close(struct bounded_dir *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->files[i].name);
	free(d->files);
	fd_close(d->fd);
	*d = (struct bounded_dir){.fd = -1};
}

/* Remove the oldest. One that somebody else removed makes room, too. */
static void bounded_remove(struct bounded_dir *d)
{
	if (!unlinkat(d->fd, d->files[0].name, 0))
		d->removed++;
	d->bytes -= d->files[0].len;
	free(d->files[0].name);
	d->count--;
	memmove(d->files, d->files + 1, d->count * sizeof(*d->files));
}

/* The n-th name that is tried. */
static int bounded_name(const char *name, int n, char text[NAME_MAX + 1])
{
	const char *dot = strrchr(name, '.');
	int base = (int)(dot ? (size_t)(dot - name) : strlen(name)), len;

	if (n == 1)
		len = snprintf(text, NAME_MAX + 1, "%s", name);
	else
		len = snprintf(text, NAME_MAX + 1, "%.*s-%d%s", base, name, n, name + base);
	return len > NAME_MAX ? -ENAMETOOLONG : 0;
}

int bounded_dir_write(struct bounded_dir *d, const char *name, const void *data, size_t len)
{
	static const struct timespec now; /* the order is known from here on */
	char text[NAME_MAX + 1];
	int fd = -EEXIST, err = 0;

	if (len > d->bytes_most)
		return -EFBIG;
	while (d->count && (d->count >= d->files_most || d->bytes + len > d->bytes_most))
		bounded_remove(d);
	for (int n = 1; n <= NAMES && fd == -EEXIST && !err; n++) {
		err = bounded_name(name, n, text);
		if (!err)
			fd = beneath_open(d->fd, text, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
	}
	if (err || fd < 0)
		return err ? err : fd;
	err = replace_fill(fd, data, len);
	if (!err)
		err = bounded_add(d, text, len, &now);
	if (err)
		unlinkat(d->fd, text, 0);
	return err;
}
