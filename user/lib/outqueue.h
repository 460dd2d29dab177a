/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * outqueue.h - a bounded queue for a slow reader of a pipe, a socket or a terminal, so that the
 * writer never waits. Lines that do not fit are lost and counted.
 */
#ifndef TDSMON_OUTQUEUE_H
#define TDSMON_OUTQUEUE_H

#include <stddef.h>
#include <stdint.h>

struct outqueue;

/*
 * A queue of at most size bytes for fd, which stays the caller's. NULL: fd is a file or the like,
 * which has no reader to wait for (errno 0), or there is no memory (ENOMEM).
 */
struct outqueue *outqueue_new(int fd, size_t size);
void outqueue_free(struct outqueue *queue); /* accepts NULL */

/* Queue all of it or nothing; in that case its lines are lost and counted. */
void outqueue_put(struct outqueue *queue, const char *data, size_t len);

/* Write what the reader accepts now. 0, also if it accepts nothing, or -errno. */
int outqueue_write(struct outqueue *queue);

/*
 * From now on, wait for a reader that reads, also in outqueue_put(): at most half a second for each
 * read, and ten seconds in all.
 */
void outqueue_patient(struct outqueue *queue);

/* Write all that a patient queue can. 0, -errno, or -ETIMEDOUT; the rest counts as lost. */
int outqueue_finish(struct outqueue *queue);

size_t outqueue_len(const struct outqueue *queue);    /* bytes queued */
uint64_t outqueue_lost(const struct outqueue *queue); /* lines */
int outqueue_fd(const struct outqueue *queue);	      /* to watch until it is writable */

#endif
