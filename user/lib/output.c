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

#include "output.h"

void output_init(struct output *out, int fd)
{
	out->fd = fd;
	out->err = 0;
	out->used = 0;
}

/* Somebody may have made the terminal or pipe we share non-blocking: wait for it then. */
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

int output_flush(struct output *out)
{
	output_drain(out, out->buf, out->used);
	out->used = 0;
	return out->err;
}

void output_write(struct output *out, const char *data, size_t len)
{
	if (len > sizeof(out->buf) - out->used)
		output_flush(out);
	if (len > sizeof(out->buf)) {
		output_drain(out, data, len);
		return;
	}
	memcpy(out->buf + out->used, data, len);
	out->used += len;
}

void output_printf(struct output *out, const char *fmt, ...)
{
	size_t room = sizeof(out->buf) - out->used;
	char *text;
	va_list args;
	int len;

	/* Nearly always there is room for it where it is to stand. */
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

int output_close(struct output *out)
{
	output_flush(out);
	if (close(out->fd) && !out->err)
		out->err = -errno;
	out->fd = -1;
	return out->err;
}
