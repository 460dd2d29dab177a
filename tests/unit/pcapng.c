// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pcapng.c - the capture source, pcapng: every kind of block in both byte orders, different
 * interfaces, comments and secrets, and malformed files.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/capture/capture.h"
#include "unit.h"

/* 10.0.0.1:50000 to 10.0.0.2:1433, seq 0x01020304, "TDS!" */
static const char ip4[] = "\x45\0\0\x2c\xab\xcd\x40\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0\2"
			  "\xc3\x50\x05\x99\1\2\3\4\5\6\7\x08\x50\x18\2\0\0\0\0\0TDS!";
#define IP4_LEN 44
#define RAW	101
#define SLL	113

#define SECTION	 0x0a0d0d0a
#define KEY_LOG	 0x544c534b
#define FILE_MAX 1400000

/* A file being built; numbers are in this machine's byte order or the other one. */
static struct {
	uint8_t data[FILE_MAX];
	size_t len, block;
	bool swap;
} file;

static void put(const void *data, size_t len)
{
	memcpy(file.data + file.len, data, len);
	file.len += len;
}

static void put32(uint32_t v)
{
	v = file.swap ? __builtin_bswap32(v) : v;
	put(&v, 4);
}

static void put16(uint16_t v)
{
	v = file.swap ? __builtin_bswap16(v) : v;
	put(&v, 2);
}

static void put64(uint64_t v)
{
	v = file.swap ? __builtin_bswap64(v) : v;
	put(&v, 8);
}

static void pad(void)
{
	while (file.len % 4)
		put("", 1);
}

static void begin(uint32_t type)
{
	file.block = file.len;
	put32(type);
	put32(0);
}

static void end(void)
{
	size_t at, after;

	pad();
	put32((uint32_t)(file.len + 4 - file.block));
	at = file.block + 4;
	after = file.len;
	file.len = at;
	put32((uint32_t)(after - file.block));
	file.len = after;
}

static void option(uint16_t code, const void *value, uint16_t len)
{
	put16(code);
	put16(len);
	put(value, len);
	pad();
}

static void section(bool swap)
{
	file.swap = swap;
	begin(SECTION);
	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put64(UINT64_MAX);
	end();
}

/* resolution 0: without the option; the same for an offset of 0. */
static void interface(uint16_t link, uint32_t snap_len, uint8_t resolution, int64_t offset)
{
	uint64_t wire = file.swap ? __builtin_bswap64((uint64_t)offset) : (uint64_t)offset;

	begin(1);
	put16(link);
	put16(0);
	put32(snap_len);
	if (resolution)
		option(9, &resolution, 1);
	if (offset)
		option(14, &wire, 8);
	end();
}

/* An enhanced packet without its last cut bytes; its block stays open for options. */
static void packet_begin(uint32_t in, uint64_t time, const char *head, uint32_t head_len,
			 uint32_t cut)
{
	begin(6);
	put32(in);
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	put32(head_len + IP4_LEN - cut);
	put32(head_len + IP4_LEN);
	put(head, head_len);
	put(ip4, IP4_LEN - cut);
	pad();
}

static void packet(uint32_t in, uint64_t time)
{
	packet_begin(in, time, "", 0, 0);
	end();
}

static int fd;

static struct capture *open_file(const struct capture_hooks *hooks, int *err)
{
	fd = memfd_create("unit", 0);

	CHECK(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
	lseek(fd, 0, SEEK_SET);
	file.len = 0;
	return capture_open(fd, "unit", hooks, err);
}

static void close_file(struct capture *c)
{
	capture_close(c);
	close(fd);
}

/* The file must hold segments with these times, and then end with end_with. */
static void check_times(const uint64_t *times, size_t count, int end_with)
{
	const uint8_t *payload;
	struct capture *c;
	struct seg seg;
	int err, got;

	c = open_file(NULL, &err);
	CHECK(c);
	for (size_t i = 0; c && i < count; i++) {
		got = capture_next(c, &seg, &payload);
		CHECK_INT(got, 1);
		if (got != 1)
			break;
		CHECK_INT(seg.ts_ns, times[i]);
		CHECK_INT(seg.seq, 0x01020304);
		CHECK(!memcmp(payload, "TDS!", seg.cap_len));
	}
	if (c)
		CHECK_INT(capture_next(c, &seg, &payload), end_with);
	close_file(c);
}

#define CHECK_TIMES(end_with, ...)                                                                 \
	do {                                                                                       \
		const uint64_t times_[] = {__VA_ARGS__};                                           \
		check_times(times_, sizeof(times_) / sizeof(times_[0]), end_with);                 \
	} while (0)

UNIT_CASE(resolutions_and_offsets)
{
	static const struct {
		uint8_t resolution;
		int64_t offset;
		uint64_t units, ns;
	} cases[] = {
		{0, 0, 1500, 1500000},
		{6, 0, 1500, 1500000},
		{9, 0, 0x1122334455667788, 0x1122334455667788},
		{3, 0, 7, 7000000},
		{0, 100, 5, 100000005000},
		{9, -2, 3000000000, 1000000000},
		{10, 0, 95, 9},
		{12, 0, 1999, 1},
		{28, 0, UINT64_MAX - 1, 1},
		{100, 1, UINT64_MAX - 1, 1000000000},
		{0x80, 0, 3, 3000000000},
		{0x81, 0, 3, 1500000000},
		{0x80 | 32, 0, 1ull << 31, 500000000},
		{0x80 | 63, 0, 1ull << 63, 1000000000},
		{0x80 | 127, 7, UINT64_MAX - 1, 7000000000},
	};

	for (int swap = 0; swap < 2; swap++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			section(swap);
			interface(RAW, 0, cases[i].resolution, cases[i].offset);
			packet(0, cases[i].units);
			CHECK_TIMES(0, cases[i].ns);
		}
}

UNIT_CASE(times_beyond_64_bits_are_those_of_the_packet_before)
{
	section(false);
	interface(RAW, 0, 0, 0);
	interface(RAW, 0, 0, INT64_MAX);
	interface(RAW, 0, 0, -1000);
	packet(0, 2000);
	packet(0, UINT64_MAX);
	packet(1, 5);
	packet(2, 5);
	packet(0, 3000);
	CHECK_TIMES(0, 2000000, 2000000, 2000000, 2000000, 3000000);
}

UNIT_CASE(interfaces_that_differ)
{
	const uint8_t *payload;
	struct capture *c;
	struct seg seg;
	int err;

	section(false);
	interface(RAW, 0, 9, 0);
	interface(SLL, 58, 6, 0);
	packet(0, 1);
	packet_begin(1, 2, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x08\0", 16, 2);
	end();
	packet(0, 3);
	c = open_file(NULL, &err);
	CHECK_INT(capture_next(c, &seg, &payload), 1);
	CHECK_INT(seg.ts_ns, 1);
	CHECK_INT(seg.cap_len, 4);
	CHECK_INT(capture_next(c, &seg, &payload), 1);
	CHECK_INT(seg.ts_ns, 2000);
	CHECK_INT(seg.len, 4);
	CHECK_INT(seg.cap_len, 2);
	CHECK_INT(seg.rec_flags, SEG_F_TRUNC);
	CHECK_INT(capture_next(c, &seg, &payload), 1);
	CHECK_INT(seg.ts_ns, 3);
	CHECK_INT(capture_next(c, &seg, &payload), 0);
	close_file(c);
}

UNIT_CASE(sections_of_either_byte_order)
{
	section(true);
	interface(RAW, 0, 9, 0);
	packet(0, 10);
	section(false);
	interface(RAW, 0, 6, 0);
	packet(0, 20);
	section(true);
	interface(RAW, 0, 3, 0);
	packet(0, 30);
	CHECK_TIMES(0, 10, 20000, 30000000);
}

UNIT_CASE(a_section_forgets_interfaces)
{
	section(false);
	interface(RAW, 0, 9, 0);
	packet(0, 10);
	section(false);
	packet(0, 20);
	CHECK_TIMES(-EIO, 10);
}

UNIT_CASE(packets_of_all_kinds)
{
	for (int swap = 0; swap < 2; swap++) {
		section(swap);
		interface(RAW, 42, 9, 0);
		packet(0, 10);
		begin(2); /* the obsolete one: 16 bits of interface, 16 of drops */
		put16(0);
		put16(7);
		put32(0);
		put32(20);
		put32(IP4_LEN);
		put32(IP4_LEN);
		put(ip4, IP4_LEN);
		end();
		begin(3); /* the simple one, which the interface's snap length truncates */
		put32(IP4_LEN);
		put(ip4, 42);
		end();
		packet(0, 30);
		CHECK_TIMES(0, 10, 20, 20, 30);
	}
}

UNIT_CASE(a_simple_packet_of_more_than_its_block)
{
	const uint8_t *payload;
	struct capture *c;
	struct seg seg;
	int err;

	section(false);
	interface(RAW, 0, 0, 0);
	begin(3);
	put32(IP4_LEN);
	put(ip4, 40);
	end();
	c = open_file(NULL, &err);
	CHECK_INT(capture_next(c, &seg, &payload), 1);
	CHECK_INT(seg.len, 4);
	CHECK_INT(seg.cap_len, 0);
	CHECK_INT(capture_next(c, &seg, &payload), 0);
	close_file(c);
}

UNIT_CASE(other_blocks_are_passed_over)
{
	static const uint8_t nothing[600000];

	section(false);
	/* an unknown one, before any interface, and longer than the input's buffer */
	begin(0x80000001);
	put(nothing, 600000);
	end();
	interface(RAW, 0, 9, 0);
	begin(9); /* the journal's */
	put("A=1\n", 4);
	end();
	begin(0xbad); /* custom */
	put32(32473);
	put("any", 3);
	end();
	begin(4); /* names, one record, too short for its end */
	option(1, "\x0a\0\0\1abc", 8);
	end();
	begin(5); /* statistics */
	put64(0);
	put32(0);
	end();
	begin(10); /* secrets, skipped without a hook */
	put32(KEY_LOG);
	put32(3);
	put("KEY", 3);
	end();
	packet(0, 10);
	CHECK_TIMES(0, 10);
}

static void statistics(uint32_t in, uint16_t code, uint64_t time)
{
	begin(5);
	put32(in);
	put64(0);
	put16(code);
	put16(8);
	put32((uint32_t)(time >> 32));
	put32((uint32_t)time);
	end();
}

static void check_ended(uint64_t want)
{
	const uint8_t *payload;
	struct capture *c;
	struct seg seg;
	int err;

	c = open_file(NULL, &err);
	while (c && capture_next(c, &seg, &payload) > 0)
		;
	CHECK(c && capture_stats(c)->ended_ns == want);
	close_file(c);
}

/* By the interface's units; the latest counts; other options, and unknown interfaces, do not. */
UNIT_CASE(statistics_say_until_when_packets_were_captured)
{
	for (int swap = 0; swap < 2; swap++) {
		section(swap);
		interface(RAW, 0, 0, 0); /* microseconds */
		interface(RAW, 0, 9, 0);
		packet(0, 10);
		statistics(1, 3, 5000000000);
		statistics(0, 3, 4000000);
		statistics(2, 3, 9000000000);
		statistics(1, 2, 9000000000);
		check_ended(5000000000);
		section(swap);
		interface(RAW, 0, 0, 0);
		packet(0, 10);
		statistics(0, 3, 7000000);
		check_ended(7000000000);
		section(swap);
		interface(RAW, 0, 0, 0);
		statistics(0, 3, UINT64_MAX); /* not a time that 64 bits of ns hold */
		packet(0, 10);
		check_ended(0);
	}
}

/* The calls of the hooks, one line each. */
static char told[1000];

static void on_comment(void *ctx, const struct capture_comment *comment)
{
	size_t len = strlen(told);

	CHECK(ctx == told);
	CHECK_STR(comment->name, "unit");
	snprintf(told + len, sizeof(told) - len, "%llu %.*s\n", (unsigned long long)comment->packet,
		 (int)comment->len, comment->text);
}

static void on_secrets(void *ctx, const struct capture_secrets *secrets)
{
	size_t len = strlen(told);

	CHECK(ctx == told);
	snprintf(told + len, sizeof(told) - len, "%x %u of %u: %zu %c%c\n", secrets->type,
		 secrets->offset, secrets->total, secrets->len, secrets->data[0],
		 secrets->data[secrets->len - 1]);
}

static const struct capture_hooks hooks = {
	.ctx = told, .comment = on_comment, .secrets = on_secrets};

static void read_told(void)
{
	const uint8_t *payload;
	struct capture *c;
	struct seg seg;
	int err;

	told[0] = '\0';
	c = open_file(&hooks, &err);
	while (capture_next(c, &seg, &payload) == 1)
		;
	close_file(c);
}

UNIT_CASE(comments)
{
	for (int swap = 0; swap < 2; swap++) {
		file.swap = swap;
		begin(SECTION);
		put32(0x1a2b3c4d);
		put16(1);
		put16(0);
		put64(UINT64_MAX);
		option(4, "tests", 5);
		option(1, "of all", 6);
		option(0, "", 0);
		option(1, "after the end", 13);
		end();
		begin(1);
		put16(RAW);
		put16(0);
		put32(0);
		option(1, "of the interface", 16);
		end();
		packet(0, 10);
		packet_begin(0, 20, "", 0, 1); /* a byte of padding before the options */
		option(1, "of the second", 13);
		option(1, "once more", 9);
		end();
		begin(4);
		option(1, "\x0a\0\0\1abc", 8);
		option(0, "", 0);
		option(1, "of names", 8);
		end();
		begin(5);
		put32(0);
		put64(0);
		option(1, "of counts", 9);
		put16(1);
		put16(400); /* does not fit */
		end();
		read_told();
		CHECK_STR(told, "0 of all\n0 of the interface\n2 of the second\n2 once more\n"
				"0 of names\n0 of counts\n");
	}
}

UNIT_CASE(secrets)
{
	static char keys[150000];

	memset(keys, 'k', sizeof(keys));
	keys[0] = 'F';
	keys[65536] = 'S';
	keys[149999] = 'L';
	section(false);
	begin(10);
	put32(KEY_LOG);
	put32(5);
	put("KEYS\n", 5);
	end();
	begin(10);
	put32(KEY_LOG);
	put32(sizeof(keys));
	put(keys, sizeof(keys));
	option(1, "an option", 9);
	end();
	read_told();
	CHECK_STR(told,
		  "544c534b 0 of 5: 5 K\n\n544c534b 0 of 150000: 65536 Fk\n"
		  "544c534b 65536 of 150000: 65536 Sk\n544c534b 131072 of 150000: 18928 kL\n");
}

UNIT_CASE(links_that_are_not_known)
{
	/* Some packets are of unknown link types and skipped. */
	section(false);
	interface(105, 0, 9, 0);
	interface(RAW, 0, 9, 0);
	packet(0, 10);
	packet(1, 20);
	packet(0, 30);
	CHECK_TIMES(0, 20);
	/* All are: no packet can be used. */
	section(false);
	interface(105, 0, 9, 0);
	packet(0, 10);
	check_times(NULL, 0, -EPROTONOSUPPORT);
}

/* A packet, then a malformed block. */
static void good_then(uint32_t type)
{
	section(false);
	interface(RAW, 0, 9, 0);
	packet(0, 10);
	begin(type);
}

UNIT_CASE(blocks_that_make_no_sense)
{
	static const struct {
		uint32_t type, len, tail;
	} lengths[] = {{6, 0, 0},      {6, 8, 8},	   {6, 12, 12}, {6, 34, 34}, {6, 28, 28},
		       {6, 600000, 0}, {6, 0xfffffffc, 0}, {1, 16, 16}, {3, 12, 12}, {0xbad, 0, 0},
		       {0, 0, 0},      {0xbad, 16, 20},	   {5, 12, 12}, {10, 16, 16}};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		static const uint8_t nothing[64];

		good_then(lengths[i].type);
		file.len -= 4;
		put32(lengths[i].len);
		if (lengths[i].len > 12 && lengths[i].len < 64)
			put(nothing, lengths[i].len - 12);
		put32(lengths[i].tail);
		put(nothing, 12);
		CHECK_TIMES(-EIO, 10);
	}
}

UNIT_CASE(packets_that_make_no_sense)
{
	static const struct {
		uint32_t interface, cap_len;
	} cases[] = {{1, 0}, {UINT32_MAX, 0}, {0, 100}, {0, 262145}, {0, UINT32_MAX}, {0, 9}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		good_then(6);
		put32(cases[i].interface);
		put64(0);
		put32(cases[i].cap_len);
		put32(cases[i].cap_len);
		put("12345678", 8);
		end();
		CHECK_TIMES(-EIO, 10);
	}
	good_then(10);
	put32(KEY_LOG);
	put32(100);
	put("KEY", 3);
	end();
	CHECK_TIMES(-EIO, 10);
	good_then(SECTION);
	put32(0x1a2b3c4e);
	end();
	CHECK_TIMES(-EIO, 10);
	good_then(SECTION);
	put32(0x1a2b3c4d);
	put16(2);
	put16(0);
	put64(0);
	end();
	CHECK_TIMES(-EIO, 10);
}

UNIT_CASE(a_packet_longer_than_its_snap_length)
{
	section(false);
	interface(RAW, 20, 9, 0);
	packet(0, 10);
	CHECK_TIMES(0, 10);
}

UNIT_CASE(more_interfaces_than_are_remembered)
{
	section(false);
	for (int i = 0; i < 65536; i++)
		interface(RAW, 0, 0, 0);
	packet(65535, 1);
	interface(RAW, 0, 0, 0);
	packet(0, 2);
	CHECK_TIMES(-EIO, 1000);
}

UNIT_CASE(cut_short_anywhere)
{
	size_t whole, begins;
	static uint8_t copy[1000];

	section(false);
	interface(RAW, 0, 9, 0);
	packet(0, 10);
	begins = file.len;
	packet_begin(0, 20, "", 0, 0);
	option(1, "of it", 5);
	end();
	begin(10);
	put32(KEY_LOG);
	put32(5);
	put("KEYS\n", 5);
	end();
	whole = file.len;
	memcpy(copy, file.data, whole);
	for (size_t cut = begins; cut < whole; cut++) {
		bool between = cut == begins || cut == whole - 28;

		file.len = 0;
		put(copy, cut);
		if (cut < whole - 28)
			CHECK_TIMES(between ? 0 : -EIO, 10);
		else
			CHECK_TIMES(between ? 0 : -EIO, 10, 20);
	}
}

int main(void)
{
	/* The messages about a file are not checked here; the codes are enough. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	RUN(resolutions_and_offsets);
	RUN(times_beyond_64_bits_are_those_of_the_packet_before);
	RUN(interfaces_that_differ);
	RUN(sections_of_either_byte_order);
	RUN(a_section_forgets_interfaces);
	RUN(packets_of_all_kinds);
	RUN(a_simple_packet_of_more_than_its_block);
	RUN(other_blocks_are_passed_over);
	RUN(statistics_say_until_when_packets_were_captured);
	RUN(comments);
	RUN(secrets);
	RUN(links_that_are_not_known);
	RUN(blocks_that_make_no_sense);
	RUN(packets_that_make_no_sense);
	RUN(a_packet_longer_than_its_snap_length);
	RUN(more_interfaces_than_are_remembered);
	RUN(cut_short_anywhere);
	return unit_status();
}
