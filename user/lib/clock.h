/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * clock.h - clocks and how times and durations are written.
 */
#ifndef TDSMON_CLOCK_H
#define TDSMON_CLOCK_H

#include <stdint.h>

/* Turns times on a source's clock into wall time. Files carry wall time: offset 0. */
struct wallclock {
	int64_t offset_ns; /* wall time minus the source's */
};

/* CLOCK_MONOTONIC, the live source's clock. */
uint64_t clock_now_ns(void);

/* Set the live source's offset; again every few seconds, because the wall clock is adjusted. */
void wallclock_sync(struct wallclock *clock);

/* Wall time, in ns since 1970, of a time on the source's clock. */
uint64_t wallclock_ns(const struct wallclock *clock, uint64_t source_ns);

#define CLOCK_TEXT 48 /* longest text of the functions below, with its NUL */

/* "2021-01-01T00:01:56.577669800Z" (RFC 3339). Returns text. */
const char *clock_rfc3339(uint64_t wall_ns, char text[CLOCK_TEXT]);

/* "850ns", "30.4µs", "8.59ms", "110ms", "15.0s", "125s": three significant digits. Returns text. */
const char *clock_duration(uint64_t ns, char text[CLOCK_TEXT]);

#endif
