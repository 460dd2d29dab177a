/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * beneath.h - open a file beneath a directory that is held open, and nowhere else.
 */
#ifndef TDSMON_BENEATH_H
#define TDSMON_BENEATH_H

#include <sys/types.h>

/*
 * path is relative to dir and may have several components. No link is followed, wherever it stands,
 * and ".." is refused. flags and mode as for open(); O_NOFOLLOW, O_NONBLOCK, O_NOCTTY and O_CLOEXEC
 * are added. A descriptor, or -errno: -EXDEV or -ELOOP where the path leads elsewhere.
 *
 * By openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS where the kernel has it (5.6), else
 * component by component.
 */
int beneath_open(int dir, const char *path, int flags, mode_t mode);

/* The second way, which beneath_open() takes without openat2(). */
int beneath_walk(int dir, const char *path, int flags, mode_t mode);

/*
 * Create a file of that name, which must be free, in the directory, and remove it. Permissions do not
 * tell: the kernel creates no file in /proc, for one. 0 or -errno; 0 also on a full disk, which may
 * have room later.
 */
int beneath_try(int dir, const char *name);

#endif
