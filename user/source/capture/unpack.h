/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unpack.h - what gzip and zstd compressed, in bounded memory whatever it unpacks to. Several
 * members or frames behind one another are one.
 */
#ifndef TDSMON_UNPACK_H
#define TDSMON_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNPACK_MAGIC 4		   /* first bytes that tell how a file is compressed */
#define UNPACK_ROOM  (128u * 1024) /* compressed bytes held */

struct unpack;

/*
 * A file that begins with these len bytes, UNPACK_ROOM at most: *out takes them in and unpacks
 * them; NULL, and 0, where they are not compressed. -ENOMEM.
 */
int unpack_new(struct unpack **out, const uint8_t *data, size_t len);
void unpack_free(struct unpack *u);

/* "gzip" or "zstd" */
const char *unpack_name(const struct unpack *u);

/* Where the next compressed bytes go, once unpack_out() answered 0, and how many came. */
uint8_t *unpack_room(struct unpack *u);
void unpack_in(struct unpack *u, size_t len);

/*
 * Bytes unpacked to out, len at most; 0: more is needed. -errno: the data are damaged, or take too
 * much memory, and *why says so.
 */
ssize_t unpack_out(struct unpack *u, uint8_t *out, size_t len, const char **why);

/* More does not come: 0, or -EIO and *why: it ends in the middle. */
int unpack_end(const struct unpack *u, const char **why);

#endif
