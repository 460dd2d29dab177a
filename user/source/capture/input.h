/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * input.h - reads the bytes of a file or a pipe, in order and in bounded memory, and unpacks gzip
 * and zstd.
 *
 * It reads chunks that stay in the processor's cache, and maps nothing: if a file is truncated
 * meanwhile it just ends, while a mapping would end the process.
 */
#ifndef TDSMON_INPUT_H
#define TDSMON_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_MAX (512u * 1024) /* most bytes that input_need() can provide */

struct unpack;

struct input {
	const uint8_t *at, *end; /* the bytes that can be read */
	int err;		 /* why there are no more: 0: the end; otherwise -errno */
	const char *why;	 /* the same as text; NULL at the end */
	uint64_t raw_bytes;	 /* bytes read from the file */
	/* private to input.c */
	int fd;
	uint8_t *buffer;
	struct unpack *unpack; /* NULL: not compressed */
};

/* 0, or -errno. The descriptor stays the caller's. */
int input_open(struct input *in, int fd);
void input_close(struct input *in);

/* The compression's name for messages, such as "gzip"; NULL: not compressed. */
const char *input_compression(const struct input *in);

/* The slow path of input_need(). */
const uint8_t *input_fill(struct input *in, size_t len);

/*
 * Returns in->at, from which at least len bytes can be read. NULL: there are not so many, and
 * in->err says why. Pointers from earlier calls become invalid. After -EINTR it can be called
 * again.
 */
static inline const uint8_t *input_need(struct input *in, size_t len)
{
	return (size_t)(in->end - in->at) >= len ? in->at : input_fill(in, len);
}

/* Skip len bytes that were provided. They can be read until the next input_need(). */
static inline void input_take(struct input *in, size_t len)
{
	in->at += len;
}

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Skip len bytes, provided or not. False: there are fewer, and in->err says why. */
bool input_skip(struct input *in, uint64_t len);

#endif
