/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bounded_dir.h - a directory in which a program keeps at most so many files and bytes: the oldest
 * make room. Other files are never touched, links are not followed, and no file is written over.
 */
#ifndef TDSMON_BOUNDED_DIR_H
#define TDSMON_BOUNDED_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bounded_file;

struct bounded_dir {
	int fd; /* -1: not open */
	size_t files_most;
	uint64_t bytes_most;
	bool (*is_own)(const char *name);
	struct bounded_file *files; /* its own, the oldest first */
	size_t count;
	uint64_t bytes;
	uint64_t removed; /* so far, to make room */
};

/*
 * Open the directory, which must exist. Create and remove a file in it, to learn whether it can be
 * written to, and note its regular files whose names is_own() knows, by the time of their last
 * change. 0 or -errno; call bounded_dir_close() in both cases.
 */
int bounded_dir_open(struct bounded_dir *d, const char *path, size_t files_most,
		     uint64_t bytes_most, bool (*is_own)(const char *name));
void bounded_dir_close(struct bounded_dir *d);

/*
 * Write a new file of mode 0600, and before that remove the oldest as far as it needs room. If the
 * name is taken, a number is put before its last dot: NAME-2.EXT to NAME-99.EXT. 0 or -errno; then
 * there is no new file.
 */
int bounded_dir_write(struct bounded_dir *d, const char *name, const void *data, size_t len);

#endif
