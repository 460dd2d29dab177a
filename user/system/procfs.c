// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * procfs.c - see procfs.h.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/regular.h"
#include "system/procfs.h"

#define TEXT_MAX 65536 /* bytes of a file that is read; a host has some hundred mounts */

static int open_of(uint32_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return regular_open(path);
}

/* The whole of a file, to be freed; NULL: it cannot be read, or is longer than TEXT_MAX. */
static char *text_of(const char *path)
{
	int fd = regular_open(path);
	size_t len;
	char *text = fd < 0 ? NULL : regular_text(fd, TEXT_MAX, &len);

	fd_close(fd);
	return text;
}

/* The process that has a socket. */

static bool has_socket(uint32_t pid, uint32_t inode)
{
	char path[64], want[64], found[64];
	struct dirent *entry;
	bool has = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	snprintf(want, sizeof(want), "socket:[%u]", inode);
	dir = opendir(path);
	while (dir && !has && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, found, sizeof(found) - 1);

		found[n > 0 ? n : 0] = '\0';
		has = !strcmp(found, want);
	}
	if (dir)
		closedir(dir);
	return has;
}

/* Init comes last: a service manager also keeps the sockets that it passes to services. */
static uint32_t find_process(uint32_t inode, uint32_t hint)
{
	struct dirent *entry;
	uint32_t found = 0;
	DIR *dir;

	if (hint && has_socket(hint, inode))
		return hint;
	dir = opendir("/proc");
	while (dir && !found && (entry = readdir(dir))) {
		unsigned long pid = strtoul(entry->d_name, NULL, 10);

		if (pid > 1 && pid <= INT_MAX && pid != hint && has_socket((uint32_t)pid, inode))
			found = (uint32_t)pid;
	}
	if (dir)
		closedir(dir);
	return found ?: has_socket(1, inode) ? 1 : 0;
}

int procfs_open_stat(uint32_t inode, uint32_t hint)
{
	uint32_t pid = find_process(inode, hint);
	int fd = pid ? open_of(pid, "stat") : -ENOENT;

	/* Another process may have the number by now. It does not have the socket, then. */
	if (fd < 0 || has_socket(pid, inode))
		return fd;
	close(fd);
	return -ENOENT;
}

int procfs_open_cgroup(uint32_t pid)
{
	return open_of(pid, "cgroup");
}

/* Its cgroup's CPU limit. */

/* Is word one of list's, which commas part? */
static bool list_has(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list, *end = list + len; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t one = (size_t)((comma ? comma : end) - at);

		if (one == n && !memcmp(at, word, n))
			return true;
		at += one + 1;
	}
	return false;
}

struct cgroup {
	const char *controller; /* of version 1 */
	bool v2;
	char path[PATH_MAX];   /* as /proc/PID/cgroup has it */
	char folder[PATH_MAX]; /* of the file system */
	size_t top;	       /* so much of folder is the mount point */
};

/*
 * A line "ID:CONTROLLERS:PATH" is of the controller's hierarchy in version 1, or of version 2's only
 * hierarchy. The former counts where both are there, unless only version 2 is wanted.
 */
static bool read_path(uint32_t pid, bool only_v2, struct cgroup *out)
{
	char name[64], *text, *save;
	bool found = false;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	text = text_of(name);
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		bool v1 = path && !only_v2 &&
			  list_has(controllers + 1, (size_t)(path - controllers - 1),
				   out->controller);

		if (!path || (!v1 && (found || path != controllers + 1)))
			continue;
		found = true;
		out->v2 = !v1;
		snprintf(out->path, sizeof(out->path), "%s", path + 1);
	}
	free(text);
	/* A path outside of the root that this process sees cannot be opened. */
	return found && !strstr(out->path, "/..");
}

/* "ID PARENT DEV ROOT POINT OPTIONS [MORE] - TYPE SOURCE OPTIONS": is it where the cgroup is? */
static bool read_mount(char *line, struct cgroup *out)
{
	char root[PATH_MAX], point[PATH_MAX], type[32], options[1024];
	const char *rest = strstr(line, " - ");
	size_t len;

	if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
	    sscanf(rest, " - %31s %*s %1023s", type, options) != 2 ||
	    strcmp(type, out->v2 ? "cgroup2" : "cgroup") ||
	    (!out->v2 && !list_has(options, strlen(options), out->controller)))
		return false;
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(out->path, root, len) || (out->path[len] && out->path[len] != '/'))
		return false;
	out->top = strlen(point);
	return snprintf(out->folder, sizeof(out->folder), "%s%s", point,
			strcmp(out->path + len, "/") ? out->path + len : "") <
	       (int)sizeof(out->folder);
}

static bool find_folder(struct cgroup *out)
{
	char *text = text_of("/proc/self/mountinfo"), *save;
	bool found = false;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save))
		found = read_mount(line, out);
	free(text);
	return found;
}

static int open_in(const struct cgroup *cgroup, size_t len, const char *name)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%.*s/%s", (int)len, cgroup->folder, name);
	return regular_open(path);
}

static bool is_limited(const struct cgroup *cgroup, size_t len)
{
	int fd = open_in(cgroup, len, cgroup->v2 ? "cpu.max" : "cpu.cfs_quota_us");
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	fd_close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strncmp(text, cgroup->v2 ? "max" : "-1", cgroup->v2 ? 3 : 2) != 0;
}

int procfs_open_cpu_stat(uint32_t pid)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup));
	size_t own, len;
	int fd = cgroup ? -ENOENT : -ENOMEM;

	if (cgroup)
		cgroup->controller = "cpu";
	if (cgroup && read_path(pid, false, cgroup) && find_folder(cgroup)) {
		own = len = strlen(cgroup->folder);
		while (len > cgroup->top && !is_limited(cgroup, len))
			while (len > cgroup->top && cgroup->folder[--len] != '/')
				;
		fd = open_in(cgroup, len > cgroup->top ? len : own, "cpu.stat");
	}
	free(cgroup);
	return fd;
}

/* The file of its own cgroup; the root has none. */
static int open_freezer(uint32_t pid, bool only_v2, struct cgroup *cgroup)
{
	cgroup->controller = "freezer";
	if (!read_path(pid, only_v2, cgroup) || !find_folder(cgroup))
		return -ENOENT;
	return open_in(cgroup, strlen(cgroup->folder),
		       cgroup->v2 ? "cgroup.events" : "freezer.state");
}

int procfs_open_freezer(uint32_t pid)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup));
	int fd = cgroup ? open_freezer(pid, false, cgroup) : -ENOMEM;

	if (cgroup && fd < 0 && !cgroup->v2)
		fd = open_freezer(pid, true, cgroup);
	free(cgroup);
	return fd;
}
