// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * series.c - several captures read as one: the order of their packets, whatever files there are.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "source/capture/series.h"
#include "unit.h"

#define PACKETS 8
#define FILES	24
#define PATHS	(FILES + 2)

static char folder[] = "/tmp/tdsmon-unit-series-XXXXXX";
static char paths[FILES][64];
static const char *list[PATHS];
static size_t list_count;

/* 10.0.0.1:50000 to 10.0.0.2:1433, without payload; the last byte of seq is the file's number. */
static const char ip4[] = "\x45\0\0\x28\xab\xcd\x40\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0\2"
			  "\xc3\x50\x05\x99\0\0\0\0\5\6\7\x08\x50\x10\2\0\0\0\0\0";

/* A capture with packets at these seconds, up to the 0. Returns its length. */
static size_t build(uint8_t *out, uint8_t file, const uint32_t *seconds)
{
	const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
	size_t len = sizeof(header);

	memcpy(out, header, len);
	for (; *seconds; seconds++) {
		const uint32_t record[] = {*seconds, 0, 40, 40};

		memcpy(out + len, record, sizeof(record));
		memcpy(out + len + sizeof(record), ip4, 40);
		out[len + sizeof(record) + 27] = file;
		len += sizeof(record) + 40;
	}
	return len;
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		UNIT_FAIL("cannot write %s", path);
}

/* Make file number file, NAME in the folder. */
static void make(uint8_t file, const char *name, const uint32_t *seconds)
{
	uint8_t data[24 + 56 * PACKETS];

	snprintf(paths[file], sizeof(paths[file]), "%s/%s", folder, name);
	write_file(paths[file], data, build(data, file, seconds));
}

#define MAKE(file, name, ...) make(file, name, (const uint32_t[]){__VA_ARGS__, 0})

static void add(const char *path)
{
	list[list_count++] = path;
}

/* The packets that come from the list, as "file:second ..."; then the list is empty. */
static const char *order(int err_wanted, size_t packets)
{
	static char text[4096];
	struct series *s = series_open(list, list_count, NULL);
	struct capture_stats stats;
	const uint8_t *payload;
	struct seg seg;
	size_t len = 0;

	text[0] = '\0';
	while (series_next(s, &seg, &payload) == 1)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u:%llu ", seg.seq,
					(unsigned long long)seg.ts_ns / 1000000000);
	CHECK_INT(series_err(s), err_wanted);
	series_stats(s, &stats);
	CHECK_INT(stats.packets, packets);
	CHECK_INT(stats.segments, packets);
	series_close(s);
	list_count = 0;
	return text;
}

/* Remove the files of earlier cases. */
static void clear(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/* %s/.x", folder, folder);
	CHECK_INT(system(command), 0);
}

UNIT_CASE(by_the_time_of_the_first_packet)
{
	MAKE(1, "a", 50, 60);
	MAKE(2, "b", 10, 20);
	MAKE(3, "c", 30, 40);
	add(paths[1]);
	add(paths[2]);
	add(paths[3]);
	CHECK_STR(order(0, 6), "2:10 2:20 3:30 3:40 1:50 1:60 ");
}

UNIT_CASE(merged_where_they_overlap)
{
	MAKE(1, "a", 10, 30, 50, 70);
	MAKE(2, "b", 20, 21, 60);
	MAKE(3, "c", 55, 80);
	add(paths[3]);
	add(paths[1]);
	add(paths[2]);
	CHECK_STR(order(0, 9), "1:10 2:20 2:21 1:30 1:50 3:55 2:60 1:70 3:80 ");
}

/* A file keeps its own order, also if its clock was set back; packets of one time stay together. */
UNIT_CASE(times_that_run_back)
{
	MAKE(1, "a", 10, 40, 15, 16);
	MAKE(2, "b", 20, 30);
	add(paths[1]);
	add(paths[2]);
	CHECK_STR(order(0, 6), "1:10 2:20 2:30 1:40 1:15 1:16 ");
	MAKE(1, "a", 10, 20, 20);
	MAKE(2, "b", 20, 30);
	add(paths[2]);
	add(paths[1]);
	CHECK_STR(order(0, 5), "1:10 1:20 1:20 2:20 2:30 ");
}

UNIT_CASE(a_directory)
{
	char other[80];

	clear();
	MAKE(1, "z.pcap", 10, 20);
	MAKE(2, "a.pcap", 30);
	MAKE(3, ".x", 5); /* hidden */
	snprintf(other, sizeof(other), "%s/notes.txt", folder);
	write_file(other, "no capture", 10);
	snprintf(other, sizeof(other), "%s/pipe", folder);
	CHECK_INT(mkfifo(other, 0600), 0); /* opening it would wait */
	snprintf(other, sizeof(other), "%s/sub", folder);
	CHECK_INT(mkdir(other, 0700), 0);
	add(folder);
	CHECK_STR(order(0, 3), "1:10 1:20 2:30 ");
	/* A file that is named twice is read once. */
	add(paths[1]);
	add(folder);
	CHECK_STR(order(0, 3), "1:10 1:20 2:30 ");
	/* A directory without captures. */
	add(other);
	CHECK_STR(order(-ENOENT, 0), "");
	clear();
}

UNIT_CASE(compressed_ones)
{
	uint8_t data[24 + 56 * PACKETS];
	size_t len = build(data, 1, (const uint32_t[]){10, 30, 0});
	gzFile gz;

	clear();
	snprintf(paths[1], sizeof(paths[1]), "%s/packed", folder);
	gz = gzopen(paths[1], "wb");
	CHECK_INT(gzwrite(gz, data, (unsigned int)len), len);
	gzclose(gz);
	MAKE(2, "b", 20);
	add(folder);
	CHECK_STR(order(0, 3), "1:10 2:20 1:30 ");
	clear();
}

UNIT_CASE(bad_ones_among_good_ones)
{
	MAKE(1, "a", 10, 40);
	MAKE(2, "b", 20, 30);
	CHECK_INT(truncate(paths[2], 24 + 56 + 30), 0); /* in its second packet */
	add("/nonexistent");
	add(paths[1]);
	CHECK_STR(order(-ENOENT, 2), "1:10 1:40 ");
	add(paths[1]);
	add(paths[2]);
	CHECK_STR(order(-EIO, 3), "1:10 2:20 1:40 ");
	write_file(paths[2], "no capture", 10);
	add(paths[2]);
	add(paths[1]);
	CHECK_STR(order(-EINVAL, 2), "1:10 1:40 ");
	/* And one without a packet, which is not an error. */
	make(2, "b", (const uint32_t[]){0});
	add(paths[2]);
	add(paths[1]);
	CHECK_STR(order(0, 2), "1:10 1:40 ");
	add("/nonexistent");
	CHECK_STR(order(-ENOENT, 0), "");
}

UNIT_CASE(more_that_overlap_than_can_be_merged)
{
	char want[1024] = "", name[8];
	size_t len = 0;

	for (uint8_t i = 1; i <= 18; i++) {
		snprintf(name, sizeof(name), "%02u", i);
		MAKE(i, name, 100u + i, 200u + i);
		add(paths[i]);
	}
	/* Sixteen at once; the others begin when the first ends, and catch up. */
	for (unsigned int i = 1; i <= 16; i++)
		len += (size_t)snprintf(want + len, sizeof(want) - len, "%u:%u ", i, 100 + i);
	len += (size_t)snprintf(want + len, sizeof(want) - len, "1:201 17:117 2:202 18:118 ");
	for (unsigned int i = 3; i <= 18; i++)
		len += (size_t)snprintf(want + len, sizeof(want) - len, "%u:%u ", i, 200 + i);
	CHECK_STR(order(0, 36), want);
}

/* A pipe cannot be read ahead: all are read in the given order. */
UNIT_CASE(with_a_pipe_in_the_order_given)
{
	uint8_t data[24 + 56 * PACKETS];
	size_t len = build(data, 2, (const uint32_t[]){10, 20, 0});
	struct series *s;
	char path[32];
	int ends[2];

	MAKE(1, "a", 15, 25);
	MAKE(3, "c", 5);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(pipe(ends), 0);
		CHECK_INT(write(ends[1], data, len), len);
		close(ends[1]);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
		add(paths[1]);
		add(path);
		add(paths[3]);
		if (i) {
			s = series_open(list, list_count, NULL);
			CHECK(series_is_live(s));
			series_close(s);
			list_count = 0;
		} else {
			CHECK_STR(order(0, 5), "1:15 1:25 2:10 2:20 3:5 ");
		}
		close(ends[0]);
	}
	add(paths[1]);
	s = series_open(list, list_count, NULL);
	CHECK(!series_is_live(s));
	series_close(s);
	list_count = 0;
}

int main(void)
{
	/* The messages about a file are not checked here; the codes are enough. */
	if (!mkdtemp(folder) || !freopen("/dev/null", "w", stderr))
		return 1;
	RUN(by_the_time_of_the_first_packet);
	RUN(merged_where_they_overlap);
	RUN(times_that_run_back);
	RUN(a_directory);
	RUN(compressed_ones);
	RUN(bad_ones_among_good_ones);
	RUN(more_that_overlap_than_can_be_merged);
	RUN(with_a_pipe_in_the_order_given);
	clear();
	rmdir(folder);
	return unit_status();
}
