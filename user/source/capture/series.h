/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * series.h - reads several captures as one: their packets in the order of time, however the files
 * were ordered.
 *
 * Files are ordered by the time of their first packet. Packets of overlapping files are merged, of
 * at most SERIES_OPEN at once; further ones wait until one ends. A pipe cannot be read ahead: if
 * one is among them, each capture is read to its end, in the given order.
 */
#ifndef TDSMON_SERIES_H
#define TDSMON_SERIES_H

#include "source/capture/capture.h"

#define SERIES_OPEN 16

struct series;

/*
 * Open the captures; "-" is standard input, and a directory stands for the captures in it. No file
 * is opened and no process is started later. Failures to open are logged, and returned by
 * series_err(). NULL: out of memory, logged. paths and hooks (or NULL) are kept.
 */
struct series *series_open(const char *const *paths, size_t count,
			   const struct capture_hooks *hooks);
void series_close(struct series *s);

/* Is one of them a pipe, which may still be written while it is read? */
bool series_is_live(const struct series *s);

/* 1: as capture_next(). 0: all have ended. -EINTR: interrupted by a signal; reading ends. */
int series_next(struct series *s, struct seg *seg, const uint8_t **payload);

/*
 * Does the last packet begin a capture after all others had ended? Then the time in between was not
 * captured.
 */
bool series_resumed(const struct series *s);

/* The last -errno of a capture that could not be read completely; each is logged. 0: none. */
int series_err(const struct series *s);

/* The statistics and the name of the capture that is being read; NULL: none yet. */
const struct capture_stats *series_current(const struct series *s, const char **name);

/* The sum of everything read so far, except bytes_read and bytes_total. */
void series_stats(const struct series *s, struct capture_stats *sum);

#endif
