// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * input.c - see input.h.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/capture/input.h"
#include "source/capture/unpack.h"

/* bytes read at once, so that they stay in the cache until they are parsed */
#define CHUNK (128u * 1024)

/* Read bytes of the file itself. Returns how many; 0 at its end; -errno. */
static ssize_t input_raw(struct input *in, uint8_t *out, size_t len)
{
	struct pollfd ready = {.fd = in->fd, .events = POLLIN};
	ssize_t got = read(in->fd, out, len);

	/* Another process that shares the pipe may have made it non-blocking. */
	while (got < 0 && errno == EAGAIN) {
		if (poll(&ready, 1, -1) < 0)
			break;
		got = read(in->fd, out, len);
	}
	if (got < 0)
		return -errno;
	in->raw_bytes += (uint64_t)got;
	return got;
}

/* The same, unpacked. */
static ssize_t input_unpacked(struct input *in, uint8_t *out, size_t len)
{
	for (;;) {
		ssize_t got = unpack_out(in->unpack, out, len, &in->why);

		if (got)
			return got;
		got = input_raw(in, unpack_room(in->unpack), UNPACK_ROOM);
		if (!got)
			return unpack_end(in->unpack, &in->why);
		if (got < 0)
			return got;
		unpack_in(in->unpack, (size_t)got);
	}
}

static ssize_t input_read(struct input *in, uint8_t *out, size_t len)
{
	return in->unpack ? input_unpacked(in, out, len) : input_raw(in, out, len);
}

const uint8_t *input_fill(struct input *in, size_t len)
{
	size_t held = input_left(in);

	_Static_assert(CHUNK <= UNPACK_ROOM, "room for the bytes read to find the magic");
	assert(len <= INPUT_MAX);
	in->why = NULL;
	memmove(in->buffer, in->at, held);
	in->at = in->buffer;
	in->end = in->at + held;
	while (held < len) {
		ssize_t got = input_read(in, in->buffer + held, CHUNK);

		if (got <= 0) {
			in->err = (int)got;
			if (got < 0 && !in->why)
				in->why = strerror(-(int)got);
			return NULL;
		}
		held += (size_t)got;
		in->end += got;
	}
	return in->at;
}

bool input_skip(struct input *in, uint64_t len)
{
	while (len > input_left(in)) {
		len -= input_left(in);
		in->at = in->end;
		if (!input_need(in, 1))
			return false;
	}
	in->at += len;
	return true;
}

int input_open(struct input *in, int fd)
{
	int err;

	*in = (struct input){.fd = fd, .buffer = malloc(INPUT_MAX + CHUNK)};
	if (!in->buffer)
		return -ENOMEM;
	in->at = in->end = in->buffer;
	/* The compression is determined by the first bytes, not by the name. */
	if (!input_need(in, UNPACK_MAGIC) && in->err) {
		err = in->err;
		goto fail;
	}
	err = unpack_new(&in->unpack, in->at, input_left(in));
	if (err)
		goto fail;
	if (in->unpack)
		in->at = in->end;
	return 0;
fail:
	free(in->buffer);
	in->buffer = NULL;
	return err;
}

void input_close(struct input *in)
{
	unpack_free(in->unpack);
	free(in->buffer);
}

const char *input_compression(const struct input *in)
{
	return in->unpack ? unpack_name(in->unpack) : NULL;
}
