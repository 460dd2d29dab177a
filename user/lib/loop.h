/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loop.h - the event loop: calls functions when their descriptors are readable or writable.
 */
#ifndef TDSMON_LOOP_H
#define TDSMON_LOOP_H

#include <stdint.h>

struct loop;

/* Called when fd is ready. A negative result, -errno, ends the round and is returned. */
typedef int loop_fn(void *ctx);

/* NULL on failure, errno then set. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Call fn while fd is readable. fd stays the caller's. 0 or -errno. */
int loop_add(struct loop *loop, int fd, loop_fn *fn, void *ctx);

/* Call fn each time fd becomes writable again, after a write failed with EAGAIN. */
int loop_add_writable(struct loop *loop, int fd, loop_fn *fn, void *ctx);

/* Call fn every period_ns. Missed periods are not repeated. 0 or -errno. */
int loop_every(struct loop *loop, uint64_t period_ns, loop_fn *fn, void *ctx);

/* Wait as long as it takes, then make one round of calls: 0 (also after a signal), or -errno. */
int loop_round(struct loop *loop);

#endif
