// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * input.c - bytes of files and pipes: in pieces of any size, compressed or not, damaged or
 * truncated.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "source/capture/input.h"
#include "unit.h"

#define BIG (3u << 20)

static uint8_t plain[BIG], packed[2 * BIG];

/* Bytes that compress poorly, and that show their position. */
static void plain_init(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < BIG; i++) {
		state = state * 1664525 + 1013904223;
		plain[i] = i & 3 ? (uint8_t)(i >> 8) : (uint8_t)(state >> 24);
	}
}

static size_t gzip(const void *data, size_t len, uint8_t *out, size_t room)
{
	z_stream z = {.next_in = (void *)data,
		      .avail_in = (unsigned int)len,
		      .next_out = out,
		      .avail_out = (unsigned int)room};

	CHECK_INT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t zstd(const void *data, size_t len, uint8_t *out, size_t room)
{
	size_t made = ZSTD_compress(out, room, data, len, 3);

	CHECK(!ZSTD_isError(made));
	return made;
}

typedef size_t pack_fn(const void *data, size_t len, uint8_t *out, size_t room);

static pack_fn *const packers[] = {gzip, zstd};

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("unit", 0);

	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void close_both(struct input *in)
{
	input_close(in);
	close(in->fd);
}

/* Read everything, in pieces of these sizes in turn. Returns how many bytes are correct. */
static size_t read_all(int fd, const size_t *sizes, size_t size_count, struct input *in)
{
	size_t at = 0;
	int err = input_open(in, fd);

	CHECK_INT(err, 0);
	for (size_t i = 0; !err; i++) {
		size_t len = sizes[i % size_count];
		const uint8_t *data = input_need(in, len);

		if (!data)
			len = input_left(in);
		CHECK(at + len <= BIG && !memcmp(in->at, plain + at, len));
		input_take(in, len);
		at += len;
		if (!data)
			break;
	}
	return at;
}

static const size_t sizes[] = {1, 4, 100000, 16, INPUT_MAX, 3, 131072, 131073};

#define READ(fd, in) read_all(fd, sizes, sizeof(sizes) / sizeof(sizes[0]), in)

UNIT_CASE(pieces_of_any_size)
{
	struct input in;

	CHECK_INT(READ(memory_file(plain, BIG), &in), BIG);
	CHECK_INT(in.err, 0);
	CHECK_INT(in.raw_bytes, BIG);
	CHECK(!input_compression(&in));
	close_both(&in);
}

UNIT_CASE(nothing_and_next_to_nothing)
{
	for (size_t len = 0; len < 5; len++) {
		struct input in;

		CHECK_INT(READ(memory_file(plain, len), &in), len);
		CHECK_INT(in.err, 0);
		close_both(&in);
	}
}

UNIT_CASE(compressed)
{
	static const char *const names[] = {"gzip", "zstd"};

	for (int i = 0; i < 2; i++) {
		size_t len = packers[i](plain, BIG, packed, sizeof(packed));
		struct input in;

		CHECK(len < BIG);
		CHECK_INT(READ(memory_file(packed, len), &in), BIG);
		CHECK_INT(in.err, 0);
		CHECK_INT(in.raw_bytes, len);
		CHECK_STR(input_compression(&in), names[i]);
		close_both(&in);
	}
}

/* As appended by gzip and pigz, and by pzstd, which begins with a skippable frame. */
UNIT_CASE(members_and_frames)
{
	static const uint8_t skipped[12] = {0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9};

	for (int i = 0; i < 2; i++) {
		struct input in;
		size_t len = 0;

		if (packers[i] == zstd) {
			memcpy(packed, skipped, sizeof(skipped));
			len = sizeof(skipped);
		}
		len += packers[i](plain, 1000, packed + len, sizeof(packed) - len);
		len += packers[i](plain, 0, packed + len, sizeof(packed) - len);
		len += packers[i](plain + 1000, 500000, packed + len, sizeof(packed) - len);
		CHECK_INT(READ(memory_file(packed, len), &in), 501000);
		CHECK_INT(in.err, 0);
		close_both(&in);
	}
}

UNIT_CASE(compressed_and_cut_short)
{
	for (int i = 0; i < 2; i++) {
		size_t len = packers[i](plain, 300000, packed, sizeof(packed));

		for (size_t cut = 4; cut < len; cut += cut < 40 ? 1 : 977) {
			struct input in;

			CHECK(READ(memory_file(packed, cut), &in) < 300001);
			CHECK_INT(in.err, -EIO);
			CHECK_STR(in.why, "the compressed data end early");
			close_both(&in);
		}
	}
}

UNIT_CASE(compressed_and_damaged)
{
	for (int i = 0; i < 2; i++) {
		size_t len = packers[i](plain, 300000, packed, sizeof(packed)), got;
		struct input in;

		/* Whatever comes out before, the damage is noticed at the end at the latest. */
		packed[len / 2] ^= 0x55;
		CHECK_INT(input_open(&in, memory_file(packed, len)), 0);
		for (got = 0; input_need(&in, 1); got += 1)
			input_take(&in, 1);
		CHECK(packers[i] == zstd || in.err == -EIO);
		CHECK(got <= 300000 + 131072);
		close_both(&in);
		packed[len / 2] ^= 0x55;
		memcpy(packed + len, "garbage", 7);
		CHECK_INT(READ(memory_file(packed, len + 7), &in), 300000);
		CHECK_INT(in.err, -EIO);
		CHECK_STR(in.why, "garbage follows the compressed data");
		close_both(&in);
	}
}

/* 256 MiB of zeros in a few kilobytes: read, but not held. */
UNIT_CASE(bombs_take_no_memory)
{
	static uint8_t zeros[1 << 20];
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 2; i++) {
		size_t len = 0, one = packers[i](zeros, sizeof(zeros), packed, sizeof(packed));
		struct input in;

		for (; len + one <= 256 * one && len + one < sizeof(packed); len += one)
			memmove(packed + len, packed, one);
		CHECK_INT(input_open(&in, memory_file(packed, len)), 0);
		CHECK(input_skip(&in, (uint64_t)(len / one) << 20));
		CHECK(!input_skip(&in, 1));
		CHECK_INT(in.err, 0);
		close_both(&in);
	}
	getrusage(RUSAGE_SELF, &after);
	CHECK(after.ru_maxrss - before.ru_maxrss < 8192);
}

/* A frame that needs a window of 2 GiB. */
UNIT_CASE(windows_beyond_the_limit_are_refused)
{
	static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0};
	struct input in;

	CHECK_INT(READ(memory_file(frame, sizeof(frame)), &in), 0);
	CHECK_INT(in.err, -EIO);
	CHECK(in.why && strstr(in.why, "zstd -dc --long=31"));
	close_both(&in);
}

/* Feeds a pipe in pieces of odd sizes. */
struct feed {
	int fd;
	const uint8_t *data;
	size_t len;
};

static void *feed_run(void *arg)
{
	struct feed *feed = arg;
	size_t at = 0, len;

	for (size_t i = 1; at < feed->len; i = i * 7 % 9973) {
		len = i < feed->len - at ? i : feed->len - at;
		if (write(feed->fd, feed->data + at, len) != (ssize_t)len)
			break;
		at += len;
	}
	close(feed->fd);
	return NULL;
}

static size_t read_pipe(const uint8_t *data, size_t len, int flags)
{
	struct feed feed = {.data = data, .len = len};
	pthread_t thread;
	struct input in;
	size_t got;
	int ends[2];

	CHECK_INT(pipe(ends), 0);
	CHECK_INT(fcntl(ends[0], F_SETFL, flags), 0);
	feed.fd = ends[1];
	CHECK_INT(pthread_create(&thread, NULL, feed_run, &feed), 0);
	got = READ(ends[0], &in);
	CHECK_INT(in.err, 0);
	pthread_join(thread, NULL);
	close_both(&in);
	return got;
}

UNIT_CASE(pipes)
{
	CHECK_INT(read_pipe(plain, BIG, 0), BIG);
	CHECK_INT(read_pipe(plain, 1, 0), 1);
	CHECK_INT(read_pipe(plain, 200000, O_NONBLOCK), 200000);
	for (int i = 0; i < 2; i++) {
		size_t len = packers[i](plain, BIG, packed, sizeof(packed));

		CHECK_INT(read_pipe(packed, len, 0), BIG);
	}
}

/* Bytes that have come can be read while the pipe is open, without waiting for more. */
UNIT_CASE(pipes_do_not_wait_for_more)
{
	for (int i = -1; i < 2; i++) {
		size_t len = i < 0 ? 1000 : packers[i](plain, 1000, packed, sizeof(packed));
		struct input in;
		int ends[2];

		CHECK_INT(pipe(ends), 0);
		CHECK_INT(write(ends[1], i < 0 ? plain : packed, len), len);
		alarm(5);
		CHECK_INT(input_open(&in, ends[0]), 0);
		CHECK(input_need(&in, 1000) && !memcmp(in.at, plain, 1000));
		alarm(0);
		close(ends[1]);
		close_both(&in);
	}
}

UNIT_CASE(a_file_cut_short_while_it_is_read)
{
	int fd = memory_file(plain, BIG);
	struct input in;
	size_t got = 0;

	CHECK_INT(input_open(&in, fd), 0);
	CHECK(input_skip(&in, 100000));
	CHECK_INT(ftruncate(fd, 1000), 0);
	for (; input_need(&in, 1); got++) {
		CHECK(*in.at == plain[100000 + got]);
		input_take(&in, 1);
	}
	CHECK_INT(in.err, 0);
	CHECK_INT(got, 131072 - 100000);
	close_both(&in);
}

UNIT_CASE(what_cannot_be_read)
{
	struct input in;

	CHECK_INT(input_open(&in, open("/", O_RDONLY)), -EISDIR);
}

int main(void)
{
	plain_init();
	RUN(pieces_of_any_size);
	RUN(nothing_and_next_to_nothing);
	RUN(compressed);
	RUN(members_and_frames);
	RUN(compressed_and_cut_short);
	RUN(compressed_and_damaged);
	RUN(bombs_take_no_memory);
	RUN(windows_beyond_the_limit_are_refused);
	RUN(pipes);
	RUN(pipes_do_not_wait_for_more);
	RUN(a_file_cut_short_while_it_is_read);
	RUN(what_cannot_be_read);
	return unit_status();
}
