// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * netmon.c - see netmon.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/sandbox.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "source/capture/netmon.h"

#define EXIT_NOT_FOUND 127 /* as in shells */

bool netmon_is(int fd)
{
	char magic[4];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       (!memcmp(magic, "GMBU", 4) || !memcmp(magic, "RTSS", 4));
}

/* A file without a name, on a file system with room for large ones. */
static int scratch_open(void)
{
	const char *const folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
	int fd = -ENOENT;

	for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		if (folders[i])
			fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	return fd < 0 ? -errno : fd;
}

/*
 * Runs in the child. The file may be malicious, so it is read as a user with few rights and without
 * capabilities. Both files are standard descriptors, so that no name is looked up.
 */
static _Noreturn void editcap_exec(int from, int to)
{
	static char *const argv[] = {"editcap", "-F", "pcapng", "-", "-", NULL};

	if (dup2(from, STDIN_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0 ||
	    lseek(STDIN_FILENO, 0, SEEK_SET) || sandbox_privileges(SANDBOX_USER_DEFAULT, NULL, 0))
		_exit(EXIT_FAILURE);
	execvp(argv[0], argv);
	/* EACCES: this user may not read a folder of PATH. */
	_exit(errno == ENOENT || errno == EACCES ? EXIT_NOT_FOUND : EXIT_FAILURE);
}

/* Run editcap. Returns its exit status, or -errno. */
static int editcap_run(int from, int to)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child)
		editcap_exec(from, to);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int netmon_convert(int fd, const char *name)
{
	int to = scratch_open(), result;

	if (to < 0) {
		log_error(
			"%s is a Network Monitor capture, and there is no room to convert it: %s. "
			"Set TMPDIR to a folder with room",
			name, strerror(-to));
		return to;
	}
	result = editcap_run(fd, to);
	if (!result && !lseek(to, 0, SEEK_SET))
		return to;
	fd_close(to);
	if (result == EXIT_NOT_FOUND)
		log_error("%s is a Network Monitor capture, which editcap converts, but editcap is "
			  "not "
			  "installed. It comes with Wireshark (Debian: wireshark-common); "
			  "elsewhere, run editcap -F pcapng FILE OUT",
			  name);
	else
		log_error("%s is a Network Monitor capture, and editcap could not convert it%s%s",
			  name, result < 0 ? ": " : "", result < 0 ? strerror(-result) : "");
	return result < 0 ? result : -EINVAL;
}
