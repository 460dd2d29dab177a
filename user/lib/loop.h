/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loop.h - the event loop: descriptors, and what to call when they can be read or written.
 */
#ifndef TDSMON_LOOP_H
#define TDSMON_LOOP_H

#include <stdint.h>

struct loop;

/* Called when fd is readable. A negative answer, -errno, ends the round with it. */
typedef int loop_fn(void *ctx);

/* NULL on failure, errno then set. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Watch fd, which stays the caller's; 0 or -errno. */
int loop_add(struct loop *loop, int fd, loop_fn *fn, void *ctx);

/* The same, called whenever fd takes more after it took no more: after a write got EAGAIN. */
int loop_add_writable(struct loop *loop, int fd, loop_fn *fn, void *ctx);

/* Call fn every period_ns; 0 or -errno. Periods that were missed are not made up for. */
int loop_every(struct loop *loop, uint64_t period_ns, loop_fn *fn, void *ctx);

/* Wait, without end, and make one round of calls: 0 (also on a signal), or -errno. */
int loop_round(struct loop *loop);

#endif
