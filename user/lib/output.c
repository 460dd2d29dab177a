// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * output.c - buffered writing to a descriptor that remembers the first error.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/outqueue.h"
#include "lib/output.h"

#define QUEUE_WRITE 65536 /* bytes that wait in a queue before the end of a record writes them */

void output_init(struct output *out, int fd)
{
	out->fd = fd;
	out->err = 0;
	out->used = 0;
	out->queue = NULL;
	out->cut = false;
	out->cut_lines = 0;
}

int output_bound(struct output *out, size_t size)
{
	out->queue = outqueue_new(out->fd, size);
	return out->queue || errno != ENOMEM ? 0 : -ENOMEM;
}

/* Another process that shares the terminal or pipe may have made it non-blocking: wait. */
static void output_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	poll(&p, 1, -1);
}

static void output_drain(struct output *out, const char *data, size_t len)
{
	while (len && !out->err) {
		ssize_t n = write(out->fd, data, len);

		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN) {
			output_wait(out->fd);
		} else if (errno != EINTR) {
			out->err = -errno;
		}
	}
}

static void output_enqueue(struct output *out)
{
	if (out->cut)
		out->cut_lines++;
	else
		outqueue_put(out->queue, out->buf, out->used);
	out->cut = false;
	out->used = 0;
}

int output_flush(struct output *out)
{
	int err;

	if (!out->queue) {
		output_drain(out, out->buf, out->used);
		out->used = 0;
		return out->err;
	}
	output_enqueue(out);
	err = outqueue_write(out->queue);
	if (!out->err)
		out->err = err;
	return out->err;
}

void output_record_end(struct output *out)
{
	if (!out->queue)
		return;
	output_enqueue(out);
	if (outqueue_len(out->queue) >= QUEUE_WRITE)
		output_flush(out);
}

/* A record cannot be queued in parts. */
static void output_too_long(struct output *out)
{
	out->cut = true;
	out->used = 0;
}

void output_write_full(struct output *out, const char *data, size_t len)
{
	if (out->queue) {
		output_too_long(out);
		return;
	}
	output_flush(out);
	if (len > sizeof(out->buf))
		output_drain(out, data, len);
	else
		output_write(out, data, len);
}

void output_blanks(struct output *out, size_t count)
{
	static const char blanks[] = "                                ";

	for (; count >= sizeof(blanks); count -= sizeof(blanks) - 1)
		output_write(out, blanks, sizeof(blanks) - 1);
	output_write(out, blanks, count);
}

void output_left(struct output *out, size_t width, const char *text)
{
	size_t len = strlen(text);

	output_write(out, text, len);
	if (len < width)
		output_blanks(out, width - len);
}

void output_right(struct output *out, size_t width, const char *text)
{
	size_t len = strlen(text);

	if (len < width)
		output_blanks(out, width - len);
	output_write(out, text, len);
}

void output_printf(struct output *out, const char *fmt, ...)
{
	size_t room = sizeof(out->buf) - out->used;
	char *text;
	va_list args;
	int len;

	/* Nearly always it fits in place. */
	va_start(args, fmt);
	len = vsnprintf(out->buf + out->used, room, fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < room) {
		out->used += (size_t)len;
		return;
	}
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		if (!out->err)
			out->err = -ENOMEM;
		return;
	}
	output_write(out, text, len);
	free(text);
}

int output_queue_fd(const struct output *out)
{
	return out->queue ? outqueue_fd(out->queue) : -1;
}

uint64_t output_lost(const struct output *out)
{
	return out->queue ? outqueue_lost(out->queue) + out->cut_lines : 0;
}

bool output_waits(const struct output *out)
{
	return out->queue && outqueue_len(out->queue);
}

void output_ends(struct output *out)
{
	if (out->queue)
		outqueue_patient(out->queue);
}

int output_finish(struct output *out)
{
	int err = output_flush(out);

	if (!err && out->queue)
		out->err = outqueue_finish(out->queue);
	return out->err;
}

int output_close(struct output *out)
{
	output_finish(out);
	outqueue_free(out->queue);
	out->queue = NULL;
	if (close(out->fd) && !out->err)
		out->err = -errno;
	out->fd = -1;
	return out->err;
}
