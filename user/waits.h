/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * waits.h - looks at the sockets that logins wait for, while they wait, and tells the engine.
 */
#ifndef TDSMON_WAITS_H
#define TDSMON_WAITS_H

#include "app.h"
#include "lib/loop.h"
#include "source/live/socket_look.h"

struct waits;

/* Do the settings want sockets to be looked at? On a mirror port they are other hosts'. */
bool waits_wanted(const struct opts *opts);

/* Reads all segments that there are: 0 or -errno. */
typedef int waits_segments_fn(struct app *app);

/*
 * After live_open(), before the process is confined. segments is called before each look. 0 or
 * -errno; *waits NULL: nothing is looked at.
 */
int waits_open(struct waits **waits, struct app *app, struct loop *loop,
	       waits_segments_fn *segments);
void waits_close(struct waits *waits);

/* Segments came: is there a login to look at soon? NULL is accepted. */
void waits_expect(struct waits *waits);

/* Time passes: forget processes that no login waits for. NULL is accepted. */
void waits_tick(struct waits *waits, uint64_t now_ns);

/* sockets_queues(), of any port. NULL is accepted. */
void waits_queues(struct waits *waits, socket_queue_fn *fn, void *ctx);

/* A record with SEG_F_READ came. NULL is accepted. */
void waits_on_read(struct waits *waits, const struct seg *seg);

#endif
