// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * outqueue.c - see outqueue.h. O_NONBLOCK belongs to the open file, which a shell and other
 * programs share with us, so it is never set there. A pipe or a terminal is opened again, which
 * gives us an open file of our own; for a socket, each call has the flag. If opening is not allowed
 * (another user's terminal), poll() says whether a few bytes can be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/outqueue.h"
#include "lib/units.h"

#define STUCK_MS   500
#define FINISH_NS  (10 * NS_PER_S)
#define KEEP_BYTES (1u << 20) /* most memory that an empty queue keeps */
#define TTY_BYTES  128	      /* bytes that a writable terminal accepts at least; n_tty(4) */

struct outqueue {
	int fd;	 /* the caller's */
	int own; /* the same file, opened again as non-blocking; -1 */
	bool socket, terminal;
	bool patient, stuck;
	uint64_t until_ns; /* patient: the latest time */
	uint64_t lost;	   /* lines */
	char *data;	   /* a ring; NULL while nothing waits */
	size_t size, from, len;
	size_t most; /* the highest len since data was allocated */
};

static int outqueue_open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct outqueue *outqueue_new(int fd, size_t size)
{
	struct outqueue *queue;
	bool terminal = isatty(fd);
	struct stat st;

	errno = 0;
	if (fstat(fd, &st) || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || terminal)) {
		errno = 0;
		return NULL;
	}
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	queue->fd = fd;
	queue->size = size;
	queue->terminal = terminal;
	queue->socket = S_ISSOCK(st.st_mode);
	queue->own = queue->socket ? -1 : outqueue_open_again(fd);
	return queue;
}

void outqueue_free(struct outqueue *queue)
{
	if (!queue)
		return;
	fd_close(queue->own);
	free(queue->data);
	free(queue);
}

/* write(), but it returns -EAGAIN instead of waiting. */
static ssize_t outqueue_write_some(const struct outqueue *queue, const char *data, size_t len)
{
	struct pollfd p = {.fd = queue->fd, .events = POLLOUT};
	size_t most = queue->terminal ? TTY_BYTES : PIPE_BUF;
	ssize_t n;

	if (queue->socket) {
		n = send(queue->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (queue->own >= 0) {
		n = write(queue->own, data, len);
	} else {
		if (poll(&p, 1, 0) <= 0)
			return -EAGAIN;
		n = write(queue->fd, data, len < most ? len : most);
	}
	return n < 0 ? -errno : n;
}

static void outqueue_emptied(struct outqueue *queue)
{
	queue->from = 0;
	if (queue->most <= KEEP_BYTES)
		return;
	free(queue->data);
	queue->data = NULL;
	queue->most = 0;
}

int outqueue_write(struct outqueue *queue)
{
	while (queue->len) {
		size_t piece = queue->size - queue->from;
		ssize_t n;

		if (piece > queue->len)
			piece = queue->len;
		n = outqueue_write_some(queue, queue->data + queue->from, piece);
		if (n == -EAGAIN)
			return 0;
		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		queue->from = (queue->from + (size_t)n) % queue->size;
		queue->len -= (size_t)n;
	}
	if (queue->data)
		outqueue_emptied(queue);
	return 0;
}

/* Wait until a patient queue's reader reads. False: it did not in time, and is given up. */
static bool outqueue_wait(struct outqueue *queue)
{
	struct pollfd p = {.fd = outqueue_fd(queue), .events = POLLOUT};
	int n = -1;

	errno = EINTR;
	while (n < 0 && errno == EINTR && clock_now_ns() < queue->until_ns)
		n = poll(&p, 1, STUCK_MS);
	queue->stuck = n <= 0;
	return !queue->stuck;
}

static void outqueue_copy(struct outqueue *queue, const char *data, size_t len)
{
	size_t at = (queue->from + queue->len) % queue->size, piece = queue->size - at;

	if (piece > len)
		piece = len;
	memcpy(queue->data + at, data, piece);
	memcpy(queue->data, data + piece, len - piece);
	queue->len += len;
	if (queue->len > queue->most)
		queue->most = queue->len;
}

static uint64_t lines_of(const char *data, size_t len)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += data[i] == '\n';
	return lines;
}

void outqueue_put(struct outqueue *queue, const char *data, size_t len)
{
	if (!len)
		return;
	while (queue->patient && !queue->stuck && len > queue->size - queue->len &&
	       len <= queue->size)
		if (!outqueue_wait(queue) || outqueue_write(queue))
			break;
	if (!queue->data)
		queue->data = malloc(queue->size);
	if (queue->data && len <= queue->size - queue->len)
		outqueue_copy(queue, data, len);
	else
		queue->lost += lines_of(data, len);
}

void outqueue_patient(struct outqueue *queue)
{
	queue->patient = true;
	queue->until_ns = clock_now_ns() + FINISH_NS;
}

int outqueue_finish(struct outqueue *queue)
{
	int err = outqueue_write(queue);

	if (!queue->patient)
		outqueue_patient(queue);
	while (!err && queue->len && !queue->stuck && outqueue_wait(queue))
		err = outqueue_write(queue);
	if (err || !queue->len)
		return err;
	while (queue->len) {
		queue->lost += queue->data[queue->from] == '\n';
		queue->from = (queue->from + 1) % queue->size;
		queue->len--;
	}
	return -ETIMEDOUT;
}

size_t outqueue_len(const struct outqueue *queue)
{
	return queue->len;
}

uint64_t outqueue_lost(const struct outqueue *queue)
{
	return queue->lost;
}

int outqueue_fd(const struct outqueue *queue)
{
	return queue->own >= 0 ? queue->own : queue->fd;
}
