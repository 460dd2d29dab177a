/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * replace.h - a file that is replaced again and again: its readers see the old one or the new one,
 * complete. Its directory is held open and no link in it is followed, so that somebody who can
 * write to the directory cannot make tdsmon overwrite other files.
 */
#ifndef TDSMON_REPLACE_H
#define TDSMON_REPLACE_H

#include <stddef.h>

struct replace {
	int dir;	 /* -1: not open */
	char *name;	 /* in dir */
	char *temporary; /* also in dir */
};

/* The directory of path must exist. 0 or -errno; call replace_close() in both cases. */
int replace_open(struct replace *file, const char *path);
void replace_close(struct replace *file);

/* Try whether the file could be written now: beneath_try(). 0 or -errno. */
int replace_try(const struct replace *file);
/* Open, try and close: log why path cannot be written and what to do. 0 or -errno. */
int replace_try_path(const char *path);
/* Log that. */
void replace_refused(const char *path, int err);

/* Begin a new file, which readers do not see yet. Returns a descriptor or -errno. */
int replace_begin(const struct replace *file);
/* Put it in the old one's place. 0, or -errno; then the old one stays. */
int replace_commit(const struct replace *file);
/* Remove it. */
void replace_drop(const struct replace *file);

/* Begin, write, close, and commit or drop. 0 or -errno. */
int replace_write(const struct replace *file, const void *data, size_t len);

/* Write all data and close fd; some file systems report a full disk only at close. 0 or -errno. */
int replace_fill(int fd, const void *data, size_t len);

#endif
