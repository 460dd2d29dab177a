/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fd.h - descriptors that may not be open.
 */
#ifndef TDSMON_FD_H
#define TDSMON_FD_H

#include <unistd.h>

/* Close it unless it is negative: not opened, or -errno. */
static inline void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

#endif
