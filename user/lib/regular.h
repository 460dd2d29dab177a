/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * regular.h - regular files that settings name: opened without waiting, whatever stands at their
 * path, and read as a whole.
 */
#ifndef TDSMON_REGULAR_H
#define TDSMON_REGULAR_H

#include <stddef.h>

/*
 * Open for reading, following links. A descriptor, or -errno: -ENOTSUP where it is no regular file,
 * such as a FIFO or a device, which is never waited for.
 */
int regular_open(const char *path);

/*
 * All of a file from its start, with a NUL appended that *len does not count; to be freed. NULL on
 * failure, errno set: EFBIG if there are more than max bytes.
 */
char *regular_text(int fd, size_t max, size_t *len);

/* Words for an error of these two: strerror() has none for some. */
const char *regular_error(int err);

#endif
