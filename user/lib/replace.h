/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * replace.h - a file that is written again and again: its readers see the old one or the new one,
 * whole. Its directory is held open, and no link in it is followed, so that whoever may write to
 * the directory cannot have other files overwritten.
 */
#ifndef TDSMON_REPLACE_H
#define TDSMON_REPLACE_H

#include <stddef.h>

struct replace {
	int dir;	 /* -1: not open */
	char *name;	 /* in dir */
	char *temporary; /* in dir, too */
};

/* The directory of path has to be there. 0 or -errno; replace_close() is due after either. */
int replace_open(struct replace *file, const char *path);
void replace_close(struct replace *file);

/* A new file to be written to, which is not seen yet: a descriptor or -errno. */
int replace_begin(const struct replace *file);
/* It takes the place of the old one; 0 or -errno, the old one then stays. */
int replace_commit(const struct replace *file);
/* It is removed. */
void replace_drop(const struct replace *file);

/* Begin, write, close, and commit or drop. 0 or -errno. */
int replace_write(const struct replace *file, const void *data, size_t len);

/* Write it all and close fd: some file systems report a full disk at close only. 0 or -errno. */
int replace_fill(int fd, const void *data, size_t len);

#endif
