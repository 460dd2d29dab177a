// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * beneath.c - no path leads out of the directory that is held, by either way of opening.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/beneath.h"
#include "unit.h"

static char folder[32];
static int dir = -1;

typedef int open_fn(int dir, const char *path, int flags, mode_t mode);
static open_fn *const ways[] = {beneath_open, beneath_walk};

static void put(const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0 && !close(fd));
}

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/tdsmon-beneath-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	dir = open(folder, O_PATH | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(!mkdirat(dir, "in", 0700) && !mkdirat(dir, "in/deep", 0700));
	put("file");
	put("in/deep/file");
	CHECK(!symlinkat("file", dir, "link"));
	CHECK(!symlinkat("in", dir, "way"));
	CHECK(!symlinkat("/etc", dir, "out"));
	CHECK(!symlinkat("/proc/self/root", dir, "root"));
}

static void teardown(void)
{
	static const char *const paths[] = {"made", "file", "in/deep/file", "link",
					    "way",  "out",  "root"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		unlinkat(dir, paths[i], 0);
	unlinkat(dir, "in/deep", AT_REMOVEDIR);
	unlinkat(dir, "in", AT_REMOVEDIR);
	close(dir);
	CHECK(!rmdir(folder));
}

UNIT_CASE(what_is_beneath_is_opened)
{
	setup();
	for (size_t i = 0; i < 2; i++) {
		int fd = ways[i](dir, "file", O_RDONLY, 0);

		CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && !close(fd));
		fd = ways[i](dir, "in/deep/file", O_RDONLY, 0);
		CHECK(fd >= 0 && !close(fd));
		fd = ways[i](dir, "made", O_WRONLY | O_CREAT | O_EXCL, 0640);
		CHECK(fd >= 0 && write(fd, "x", 1) == 1 && !close(fd));
		CHECK_INT(ways[i](dir, "made", O_WRONLY | O_CREAT | O_EXCL, 0640), -EEXIST);
		unlinkat(dir, "made", 0);
	}
	teardown();
}

UNIT_CASE(nothing_else_is_opened)
{
	static const char *const paths[] = {
		"link", "way/deep/file",     "out/passwd",	 "root/etc/passwd",
		"../x", "in/../..",	     "in/deep/../../..", "/etc/passwd",
		"",	"in/deep/file/more", "no/where",
	};

	setup();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (size_t way = 0; way < 2; way++) {
			int fd = ways[way](dir, paths[i], O_RDONLY, 0);

			if (fd >= 0)
				UNIT_FAIL("%s was opened, way %zu", paths[i], way);
		}
	CHECK_INT(beneath_open(dir, "link", O_RDONLY, 0), -ELOOP);
	CHECK_INT(beneath_walk(dir, "link", O_RDONLY, 0), -ELOOP);
	CHECK_INT(beneath_walk(dir, "in/../../etc/passwd", O_RDONLY, 0), -EXDEV);
	teardown();
}

int main(void)
{
	RUN(what_is_beneath_is_opened);
	RUN(nothing_else_is_opened);
	return unit_status();
}
