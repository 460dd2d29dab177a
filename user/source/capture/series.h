/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * series.h - several captures as one: their packets in the order of time, whatever the order in
 * which the files were named.
 *
 * Files are ordered by the time of their first packet. Of files that overlap the packets are
 * merged, SERIES_OPEN at once; the one that is too many waits until another ends. A pipe can't be
 * looked at ahead: with one among them, each is read to its end in the order in which they were
 * named.
 */
#ifndef TDSMON_SERIES_H
#define TDSMON_SERIES_H

#include "source/capture/capture.h"

#define SERIES_OPEN 16

struct series;

/*
 * Open the captures, "-" being standard input, and a directory the captures in it. From then on no
 * file is opened and no process started. What can't be opened is logged, and told by series_err();
 * NULL: out of memory, logged. paths and hooks (or NULL) are kept.
 */
struct series *series_open(const char *const *paths, size_t count,
			   const struct capture_hooks *hooks);
void series_close(struct series *s);

/* Whether one of them is a pipe, which may be filled while it is read. */
bool series_is_live(const struct series *s);

/* 1: as capture_next(). 0: there is no more. -EINTR: a signal came, and no more is read. */
int series_next(struct series *s, struct seg *seg, const uint8_t **payload);

/*
 * Does the packet that came last begin a capture after all others had ended? Then nobody captured
 * what went on between.
 */
bool series_resumed(const struct series *s);

/* The last -errno of a capture that could not be read, or not to its end; all are logged. 0: none.
 */
int series_err(const struct series *s);

/* The capture that was read last, and its name; NULL: none yet. */
const struct capture_stats *series_current(const struct series *s, const char **name);

/* All that was read so far. bytes_read and bytes_total are not kept. */
void series_stats(const struct series *s, struct capture_stats *sum);

#endif
