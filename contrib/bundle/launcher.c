// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * launcher.c - starts the tdsmon that lies beside it, on its own loader and libraries.
 *
 * PREFIX/sbin/tdsmon is this program, linked statically. It looks for PREFIX from itself, so PREFIX may
 * lie anywhere. PREFIX/lib/tdsmon holds the rest.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_PATH "/proc/self/exe"
#define LIB	 "/lib/tdsmon"
/* The kernel names the process after the file that it executes: so this is the loader's name. */
#define LOADER	 LIB "/loader/tdsmon"
#define PROGRAM	 LIB "/program/tdsmon"
#define TERMINFO LIB "/terminfo"

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("tdsmon: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_FAILURE);
}

/* The directory above the one that this program is in; "" for the root. */
static const char *find_prefix(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink(OWN_PATH, path, sizeof(path) - 1);

	if (len < 0)
		fail("cannot read " OWN_PATH
		     " (%s): mount /proc, as tdsmon finds its libraries by it",
		     strerror(errno));
	path[len] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			fail("%s is not in a directory sbin: unpack all of the archive", path);
		*slash = 0;
	}
	return path;
}

static char *join(const char *before, const char *between, const char *after)
{
	size_t size = strlen(before) + strlen(between) + strlen(after) + 1;
	char *text = malloc(size);

	if (!text)
		fail("out of memory");
	snprintf(text, size, "%s%s%s", before, between, after);
	return text;
}

/* Our descriptions of terminals come last: an empty name in the list stands for the usual places. */
static void set_terminfo(const char *prefix)
{
	const char *dirs = getenv("TERMINFO_DIRS");
	char *ours = join(prefix, TERMINFO, "");

	if (setenv("TERMINFO_DIRS", join(dirs ? dirs : "", ":", ours), 1))
		fail("out of memory");
}

int main(int argc, char **argv)
{
	const char *prefix = find_prefix();
	char *loader = join(prefix, LOADER, ""), *program = join(prefix, PROGRAM, "");
	char *name = argc ? argv[0] : "tdsmon";
	/* ld.so(8): the host's cache of libraries is not ours to use. */
	char *head[] = {
		name,	"--argv0", name, "--inhibit-cache", "--library-path", join(prefix, LIB, ""),
		program};
	size_t count = sizeof(head) / sizeof(head[0]);
	char **args = calloc(count + (size_t)argc + 1, sizeof(*args));

	if (!args)
		fail("out of memory");
	memcpy(args, head, sizeof(head));
	for (int i = 1; i < argc; i++)
		args[count++] = argv[i];
	if (access(program, R_OK))
		fail("cannot read %s (%s): unpack all of the archive, and move it as a whole",
		     program, strerror(errno));
	set_terminfo(prefix);
	execv(loader, args);
	fail("cannot execute %s: %s", loader, strerror(errno));
}
