/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * regular.h - regular files named by settings: opened without waiting, whatever is at the path, and
 * read whole.
 */
#ifndef TDSMON_REGULAR_H
#define TDSMON_REGULAR_H

#include <stddef.h>

/*
 * Open for reading, following links. Returns a descriptor or -errno: -ENOTSUP if it is not a
 * regular file but, for example, a FIFO or a device.
 */
int regular_open(const char *path);

/*
 * Read a file from its start. A NUL is appended, which *len does not count; the caller frees the
 * text. NULL on failure, errno set: EFBIG if there are more than max bytes.
 */
char *regular_text(int fd, size_t max, size_t *len);

/* The text of an error of these two functions; strerror() lacks some of them. */
const char *regular_error(int err);

#endif
