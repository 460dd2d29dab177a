/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * socket_file.h - the file of a UNIX socket, which is removed when its process ends. Its directory
 * is held open.
 */
#ifndef TDSMON_SOCKET_FILE_H
#define TDSMON_SOCKET_FILE_H

#include <stdint.h>

struct socket_file {
	int dir;	  /* -1: not open */
	const char *name; /* in dir */
	uint64_t node;	  /* the socket's inode; 0: not noted */
};

/*
 * Open the directory of path, which must outlive file, or make it if only its last component is
 * missing. 0 or -errno.
 */
int socket_file_open(struct socket_file *file, const char *path);
void socket_file_close(struct socket_file *file);

/* The socket exists now: note which one it is. */
void socket_file_note(struct socket_file *file);

/* Remove the socket that was noted; one that another process put there meanwhile stays. */
void socket_file_remove(struct socket_file *file);

#endif
