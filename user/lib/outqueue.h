/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * outqueue.h - what waits for a reader of a pipe, a socket or a terminal, so that nobody waits
 * for the reader: bounded, and what it has no room for is counted.
 */
#ifndef TDSMON_OUTQUEUE_H
#define TDSMON_OUTQUEUE_H

#include <stddef.h>
#include <stdint.h>

struct outqueue;

/*
 * A queue of at most size bytes for fd, which stays the caller's. NULL: fd is a file or the like,
 * whose writes wait for no reader (errno 0), or memory is used up (ENOMEM).
 */
struct outqueue *outqueue_new(int fd, size_t size);
void outqueue_free(struct outqueue *queue); /* accepts NULL */

/* All of it is queued, or nothing: then its lines are lost, and counted. */
void outqueue_put(struct outqueue *queue, const char *data, size_t len);

/* Write what the reader takes now: 0, also when it takes nothing, or -errno. */
int outqueue_write(struct outqueue *queue);

/*
 * From now on a reader that reads is waited for, in outqueue_put(), too: up to half a second
 * for its next read, and up to ten seconds in all.
 */
void outqueue_patient(struct outqueue *queue);

/* Write all that a patient queue can: 0, -errno, or -ETIMEDOUT, and the rest counts as lost. */
int outqueue_finish(struct outqueue *queue);

size_t outqueue_len(const struct outqueue *queue);    /* bytes that wait */
uint64_t outqueue_lost(const struct outqueue *queue); /* lines */
int outqueue_fd(const struct outqueue *queue);	      /* to watch for when it takes more */

#endif
