/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unpack.h - unpacks gzip and zstd, in bounded memory whatever the size of the result. Consecutive
 * members or frames count as one.
 */
#ifndef TDSMON_UNPACK_H
#define TDSMON_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNPACK_MAGIC 4		   /* first bytes, which determine the compression */
#define UNPACK_ROOM  (128u * 1024) /* most compressed bytes that are held */

struct unpack;

/*
 * Unpack a file that begins with these len bytes, at most UNPACK_ROOM: *out consumes them. 0, with
 * *out NULL if they are not compressed; -ENOMEM.
 */
int unpack_new(struct unpack **out, const uint8_t *data, size_t len);
void unpack_free(struct unpack *u);

/* "gzip" or "zstd" */
const char *unpack_name(const struct unpack *u);

/* Put the next compressed bytes here once unpack_out() has returned 0, and say how many. */
uint8_t *unpack_room(struct unpack *u);
void unpack_in(struct unpack *u, size_t len);

/*
 * Unpack at most len bytes to out. 0: more input is needed. -errno: the data are damaged, or need
 * too much memory, as *why says.
 */
ssize_t unpack_out(struct unpack *u, uint8_t *out, size_t len, const char **why);

/* The input has ended: 0, or -EIO with *why: the data are incomplete. */
int unpack_end(const struct unpack *u, const char **why);

#endif
