/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * input.h - the bytes of a file or a pipe, in order and in bounded memory; what is compressed with
 * gzip or zstd comes out unpacked.
 *
 * It reads in chunks that stay in the processor's cache, and maps nothing: of large captures, of
 * which every page is touched, that takes a third of the time that page faults take, and a file
 * that is cut short meanwhile ends, where a mapping would end the process.
 */
#ifndef TDSMON_INPUT_H
#define TDSMON_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_MAX (512u * 1024) /* most that input_need() is asked for */

struct unpack;

struct input {
	const uint8_t *at, *end; /* what is there to be read */
	int err;		 /* why there is no more: 0 it ends here, else -errno */
	const char *why;	 /* the same in words; NULL where it ends */
	uint64_t raw_bytes;	 /* read of the file */
	/* input.c's own */
	int fd;
	uint8_t *buffer;
	struct unpack *unpack; /* NULL: it is not compressed */
};

/* 0, or -errno. The descriptor stays the caller's. */
int input_open(struct input *in, int fd);
void input_close(struct input *in);

/* How it is compressed, for messages: "gzip"; NULL: it is not. */
const char *input_compression(const struct input *in);

/* input_need() where too little is there. */
const uint8_t *input_fill(struct input *in, size_t len);

/*
 * in->at, where at least len bytes follow one another from then on; NULL: so many do not come, and
 * in->err says why. What it answered before is gone then. After -EINTR it may be asked again.
 */
static inline const uint8_t *input_need(struct input *in, size_t len)
{
	return (size_t)(in->end - in->at) >= len ? in->at : input_fill(in, len);
}

/* Leave len bytes behind that are there. They can be read until the next input_need(). */
static inline void input_take(struct input *in, size_t len)
{
	in->at += len;
}

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Leave len bytes behind, there or not. False: fewer come, and in->err says why. */
bool input_skip(struct input *in, uint64_t len);

#endif
