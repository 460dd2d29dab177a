// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * regular.c - see regular.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/regular.h"

int regular_open(const char *path)
{
	/* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st)	    ? -errno
	      : S_ISREG(st.st_mode) ? 0
	      : S_ISDIR(st.st_mode) ? -EISDIR
				    : -ENOTSUP;
	if (!err)
		return fd;
	close(fd);
	return err;
}

char *regular_text(int fd, size_t max, size_t *len)
{
	size_t room = 4096, used = 0;
	char *text = NULL, *grown;
	ssize_t n;

	do {
		room = room > max / 2 ? max + 1 : 2 * room;
		grown = realloc(text, room + 1);
		if (!grown)
			goto fail;
		text = grown;
		do {
			n = pread(fd, text + used, room - used, (off_t)used);
			used += n > 0 ? (size_t)n : 0;
		} while (n > 0 && used < room);
		if (n < 0)
			goto fail;
	} while (used == room && used <= max);
	if (used > max) {
		errno = EFBIG;
		goto fail;
	}
	text[used] = '\0';
	*len = used;
	return text;
fail:
	free(text);
	return NULL;
}

const char *regular_error(int err)
{
	if (err < 0)
		err = -err;
	if (err == ENOTSUP)
		return "not a regular file";
	if (err == EILSEQ)
		return "not a text file";
	return strerror(err);
}
