// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - the capture source, pcap: one TCP segment behind every link type, with both time
 * precisions and byte orders; files that are truncated, empty or not captures.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/capture/capture.h"
#include "unit.h"

#define IP4_LEN 44 /* IPv4 and TCP headers and "TDS!" */

/* 10.0.0.1:50000 to 10.0.0.2:1433, seq 0x01020304, ack 0x05060708, PSH and ACK, window 512 */
static const uint8_t ip4[IP4_LEN] = "\x45\0\0\x2c\xab\xcd\x40\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0\2"
				    "\xc3\x50\x05\x99\1\2\3\4\5\6\7\x08\x50\x18\2\0\0\0\0\0TDS!";

struct frame_file {
	uint32_t magic; /* of pcap, in our byte order */
	uint32_t link_type;
	const char *head; /* link header */
	uint32_t head_len;
	uint32_t cut; /* bytes of the packet that the capture omitted */
};

#define PCAP_US 0xa1b2c3d4
#define PCAP_NS 0xa1b23c4d

static char path[] = "/tmp/tdsmon-unit-capture-XXXXXX";

static void file_write(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		UNIT_FAIL("cannot write %s", path);
}

static int fd = -1;

static struct capture *open_path(const char *name, int *err)
{
	const char *called;

	capture_close_path(fd); /* of the previous one */
	fd = capture_open_path(name, &called);
	*err = fd < 0 ? fd : 0;
	return fd < 0 ? NULL : capture_open(fd, called, NULL, err);
}

/* Build a capture of one packet. Returns its length. */
static size_t frame_file_build(const struct frame_file *ff, uint8_t out[256])
{
	uint32_t len = ff->head_len + IP4_LEN, held = len - ff->cut;
	bool swap = ff->magic != PCAP_US && ff->magic != PCAP_NS;
	uint32_t words[] = {ff->magic,	   0x00040002, 0,    0,	   65535,
			    ff->link_type, 1000,       5000, held, len};

	if (swap)
		for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++)
			words[i] = __builtin_bswap32(words[i]);
	if (swap)
		words[1] = 0x04000200;
	memcpy(out, words, sizeof(words));
	memcpy(out + sizeof(words), ff->head, ff->head_len);
	memcpy(out + sizeof(words) + ff->head_len, ip4, IP4_LEN);
	return sizeof(words) + held;
}

static void check_segment(const struct seg *seg)
{
	static const uint8_t client[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};

	CHECK(!memcmp(seg->saddr, client, 16));
	CHECK_INT(seg->sport, 50000);
	CHECK_INT(seg->dport, 1433);
	CHECK_INT(seg->seq, 0x01020304);
	CHECK_INT(seg->ack, 0x05060708);
	CHECK_INT(seg->window, 512);
	CHECK_INT(seg->flags, SEG_PSH | SEG_ACK);
	CHECK_INT(seg->ip_id, 0xabcd);
	CHECK_INT(seg->ttl, 64);
	CHECK_INT(seg->len, 4);
}

/* Read the file's one segment, and check everything that all link types have in common. */
static void check_file(const struct frame_file *ff, uint64_t ts_ns, struct seg *seg)
{
	const uint8_t *payload;
	uint8_t data[256];
	struct capture *c;
	int err;

	file_write(data, frame_file_build(ff, data));
	c = open_path(path, &err);
	CHECK(c);
	if (!c)
		return;
	CHECK_INT(capture_next(c, seg, &payload), 1);
	check_segment(seg);
	CHECK_INT(seg->ts_ns, ts_ns);
	CHECK_INT(seg->cap_len, 4 - ff->cut);
	CHECK(!memcmp(payload, "TDS!", seg->cap_len));
	CHECK_INT(capture_next(c, seg, &payload), 0);
	CHECK_INT(capture_stats(c)->packets, 1);
	CHECK_INT(capture_stats(c)->segments, 1);
	CHECK_INT(capture_stats(c)->truncated, ff->cut > 0);
	capture_close(c);
}

UNIT_CASE(link_types)
{
	static const struct frame_file files[] = {
		{PCAP_US, 1, "\1\2\3\4\5\6\1\2\3\4\5\6\x08\0", 14, 0},
		{PCAP_US, 1, "\1\2\3\4\5\6\1\2\3\4\5\6\x81\0\0\1\x08\0", 18, 0},
		{PCAP_US, 113, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x08\0", 16, 0},
		{PCAP_US, 113, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x81\0\0\1\x08\0", 20, 0},
		{PCAP_US, 276, "\x08\0\0\0\0\0\0\7\0\1\0\6\0\0\0\0\0\0\0\0", 20, 0},
		{PCAP_US, 101, "", 0, 0},
		{PCAP_US, 228, "", 0, 0},
		{PCAP_US, 12, "", 0, 0},
		{PCAP_US, 14, "", 0, 0},
		{PCAP_US, 0, "\2\0\0\0", 4, 0},
		{PCAP_US, 0, "\0\0\0\2", 4, 0},
		{PCAP_US, 108, "\0\0\0\2", 4, 0},
	};
	struct seg seg;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_file(&files[i], 1000005000000, &seg);
}

/* 10.0.0.2:1434 to 10.0.0.1:40000, "SSRP" */
static const uint8_t udp[32] = "\x45\0\0\x20\0\1\x40\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1"
			       "\x05\x9a\x9c\x40\0\x0c\0\0SSRP";

/* A capture of that datagram without its last cut bytes, from the given port. */
static void datagram_file(uint16_t sport, uint32_t link_type, const void *head, uint32_t head_len,
			  uint32_t cut)
{
	uint32_t len = head_len + sizeof(udp);
	uint32_t words[] = {PCAP_US,   0x00040002, 0,	 0,	    65535,
			    link_type, 1000,	   5000, len - cut, len};
	uint8_t out[128], *at = out + sizeof(words) + head_len;

	memcpy(out, words, sizeof(words));
	memcpy(out + sizeof(words), head, head_len);
	memcpy(at, udp, sizeof(udp));
	at[20] = (uint8_t)(sport >> 8);
	at[21] = (uint8_t)sport;
	file_write(out, sizeof(words) + len - cut);
}

UNIT_CASE(datagrams_that_the_engine_reads)
{
	static const struct {
		uint16_t sport;
		uint32_t link_type;
		const char *head;
		uint32_t head_len, cut;
		int got;
	} cases[] = {
		{1434, 101, "", 0, 0, 1},
		{1434, 1, "\1\2\3\4\5\6\1\2\3\4\5\6\x81\0\0\1\x08\0", 18, 0, 1},
		{1434, 113, "\0\0\0\1\0\6\0\0\0\0\0\0\0\0\x08\0", 16, 1, 1},
		{53, 101, "", 0, 0, 1},
		{88, 101, "", 0, 0, 1},
		{389, 101, "", 0, 0, 1},
		{5353, 101, "", 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *payload;
		struct capture *c;
		struct seg seg;
		int err;

		datagram_file(cases[i].sport, cases[i].link_type, cases[i].head, cases[i].head_len,
			      cases[i].cut);
		c = open_path(path, &err);
		CHECK_INT(capture_next(c, &seg, &payload), cases[i].got);
		CHECK_INT(capture_stats(c)->other, 1);
		CHECK_INT(capture_stats(c)->segments, 0);
		CHECK_INT(capture_stats(c)->truncated, 0);
		if (cases[i].got) {
			CHECK_INT(seg.sport, cases[i].sport);
			CHECK_INT(seg.dport, 40000);
			CHECK_INT(seg.saddr[15], 2);
			CHECK_INT(seg.len, 4);
			CHECK_INT(seg.cap_len, 4 - cases[i].cut);
			CHECK_INT(seg.rec_flags,
				  cases[i].cut ? SEG_F_UDP | SEG_F_TRUNC : SEG_F_UDP);
			CHECK_INT(seg.ts_ns, 1000005000000);
			CHECK(!memcmp(payload, "SSRP", seg.cap_len));
			CHECK_INT(capture_next(c, &seg, &payload), 0);
		}
		capture_close(c);
	}
}

UNIT_CASE(precisions_and_byte_orders)
{
	struct seg seg;

	check_file(&(struct frame_file){PCAP_NS, 101, "", 0, 0}, 1000000005000, &seg);
	check_file(&(struct frame_file){__builtin_bswap32(PCAP_US), 101, "", 0, 0}, 1000005000000,
		   &seg);
	check_file(&(struct frame_file){__builtin_bswap32(PCAP_NS), 101, "", 0, 0}, 1000000005000,
		   &seg);
}

UNIT_CASE(snap_length_is_a_gap)
{
	struct seg seg;

	check_file(&(struct frame_file){PCAP_US, 101, "", 0, 3}, 1000005000000, &seg);
	CHECK_INT(seg.rec_flags, SEG_F_TRUNC);
}

UNIT_CASE(interface_of_linux_cooked_v2)
{
	static const struct frame_file sll2 = {PCAP_US, 276,
					       "\x08\0\0\0\0\0\0\7\0\1\0\6\0\0\0\0\0\0\0\0", 20, 0};
	struct seg seg;

	check_file(&sll2, 1000005000000, &seg);
	CHECK_INT(seg.ifindex, 7);
}

static int open_error(const void *data, size_t len)
{
	int err = 0;

	file_write(data, len);
	CHECK(!open_path(path, &err));
	return err;
}

UNIT_CASE(no_captures)
{
	uint8_t wifi[256];
	size_t len = frame_file_build(&(struct frame_file){PCAP_US, 105, "", 0, 0}, wifi);
	int err = 0;

	CHECK_INT(open_error("", 0), -EINVAL);
	CHECK_INT(open_error("hello, world, this is no capture", 32), -EINVAL);
	CHECK_INT(open_error("\x1f\x8b\x08\0", 4), -EIO);
	CHECK_INT(open_error(wifi, len), -EPROTONOSUPPORT);
	CHECK(!open_path("/nonexistent/file", &err));
	CHECK_INT(err, -ENOENT);
	CHECK(!open_path("/tmp", &err));
	CHECK_INT(err, -EISDIR);
}

UNIT_CASE(cut_short_anywhere)
{
	uint8_t data[256];
	size_t len = frame_file_build(&(struct frame_file){PCAP_US, 101, "", 0, 0}, data);
	const uint8_t *payload;
	struct seg seg;
	int err;

	for (size_t cut = 25; cut < len; cut++) {
		struct capture *c;

		file_write(data, cut);
		c = open_path(path, &err);
		CHECK(c);
		if (!c)
			return;
		CHECK_INT(capture_next(c, &seg, &payload), -EIO);
		CHECK_INT(capture_stats(c)->segments, 0);
		capture_close(c);
	}
}

/* A file of these words, and the packet as it is. */
struct words {
	uint32_t words[12];
	size_t count;
};

static struct capture *open_words(const struct words *header, const struct words *records,
				  size_t record_count)
{
	size_t len = 4 * header->count;
	uint8_t data[1024];
	int err;

	memcpy(data, header->words, len);
	for (size_t i = 0; i < record_count; i++) {
		memcpy(data + len, records[i].words, 4 * records[i].count);
		len += 4 * records[i].count;
		memcpy(data + len, ip4, IP4_LEN);
		len += IP4_LEN;
	}
	file_write(data, len);
	return open_path(path, &err);
}

#define WORDS(...)                                                                                 \
	{                                                                                          \
		{__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4                         \
	}

static void check_one(const struct words *header, const struct words *record, uint64_t ts_ns,
		      uint32_t cap_len)
{
	struct capture *c = open_words(header, record, 1);
	const uint8_t *payload;
	struct seg seg;

	CHECK(c);
	if (!c)
		return;
	CHECK_INT(capture_next(c, &seg, &payload), 1);
	check_segment(&seg);
	CHECK_INT(seg.ts_ns, ts_ns);
	CHECK_INT(seg.cap_len, cap_len);
	CHECK_INT(capture_next(c, &seg, &payload), 0);
	capture_close(c);
}

UNIT_CASE(variants)
{
	const struct {
		struct words header, record;
		uint64_t ts_ns;
		uint32_t cap_len;
	} cases[] = {
		/* Kuznetzov's, with an interface, a protocol and a direction in each record */
		{WORDS(0xa1b2cd34, 0x00040002, 0, 0, 65535, 101),
		 WORDS(1000, 5000, 44, 44, 2, 0x00040008), 1000005000000, 4},
		/* up to 2.2 the captured length comes second; 2.3 is either; 543 is DG/UX's */
		{WORDS(PCAP_US, 0x00020002, 0, 0, 65535, 101), WORDS(1000, 5000, 1500, 44),
		 1000005000000, 4},
		{WORDS(PCAP_US, 0x0000021f, 0, 0, 65535, 101), WORDS(1000, 5000, 1500, 44),
		 1000005000000, 4},
		{WORDS(PCAP_US, 0x00030002, 0, 0, 65535, 101), WORDS(1000, 5000, 1500, 44),
		 1000005000000, 4},
		{WORDS(PCAP_US, 0x00030002, 0, 0, 65535, 101), WORDS(1000, 5000, 44, 1500),
		 1000005000000, 4},
		/* two bytes of check sequence at the end */
		{WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 0x14000000 | 101),
		 WORDS(1000, 5000, 44, 46), 1000005000000, 4},
		{WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 0x14000000 | 101),
		 WORDS(1000, 5000, 44, 44), 1000005000000, 2},
		/* more than the snap length; less on the wire than was captured */
		{WORDS(PCAP_US, 0x00040002, 0, 0, 20, 101), WORDS(1000, 5000, 44, 44),
		 1000005000000, 4},
		{WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 101), WORDS(1000, 5000, 44, 20),
		 1000005000000, 4},
		/* the earliest and the latest time, and a fraction of more than a second */
		{WORDS(PCAP_NS, 0x00040002, 0, 0, 65535, 101), WORDS(0, 0, 44, 44), 0, 4},
		{WORDS(PCAP_NS, 0x00040002, 0, 0, 65535, 101), WORDS(0xffffffff, 999999999, 44, 44),
		 4294967295999999999, 4},
		{WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 101), WORDS(1, 3000000, 44, 44),
		 4000000000, 4},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_one(&cases[i].header, &cases[i].record, cases[i].ts_ns, cases[i].cap_len);
}

UNIT_CASE(headers_that_make_no_sense)
{
	const struct words headers[] = {
		WORDS(PCAP_US, 0x00040001, 0, 0, 65535, 101), /* version 1.4 */
		WORDS(PCAP_US, 0x00000000, 0, 0, 65535, 101),
		WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 0x02000000 | 101),
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		CHECK(!open_words(&headers[i], NULL, 0));
}

/* A good packet, then an impossible one: the first is valid, and nothing hangs. */
UNIT_CASE(records_that_make_no_sense)
{
	const struct words header = WORDS(PCAP_US, 0x00040002, 0, 0, 262144, 101);
	const struct words bad[] = {
		WORDS(1000, 5000, 262145, 262145), WORDS(1000, 5000, 0xffffffff, 0xffffffff),
		WORDS(0x54445321, 0x54445321, 0x54445321, 0x54445321),
		WORDS(1000, 5000, 45, 45), /* one byte more than there is */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct words records[] = {WORDS(1000, 5000, 44, 44), bad[i]};
		struct capture *c = open_words(&header, records, 2);
		const uint8_t *payload;
		struct seg seg;

		CHECK_INT(capture_next(c, &seg, &payload), 1);
		CHECK_INT(capture_next(c, &seg, &payload), -EIO);
		CHECK_INT(capture_stats(c)->packets, 1);
		capture_close(c);
	}
}

/* Captures joined with "cat", also of different kinds. */
UNIT_CASE(files_joined)
{
	const struct words header = WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 101);
	const struct words records[] = {
		WORDS(1000, 5000, 44, 44),
		WORDS(PCAP_US, 0x00040002, 0, 0, 65535, 101, 2000, 6000, 44, 44),
		WORDS(PCAP_US, 0x00040002, 0, 0, 1500, 228, 3000, 7000, 44, 44),
	};
	struct capture *c = open_words(&header, records, 3);
	const uint8_t *payload;
	struct seg seg;

	for (uint64_t i = 1; i <= 3; i++) {
		CHECK_INT(capture_next(c, &seg, &payload), 1);
		check_segment(&seg);
		CHECK_INT(seg.ts_ns, i * 1000000000000 + (4 + i) * 1000000);
	}
	CHECK_INT(capture_next(c, &seg, &payload), 0);
	capture_close(c);
}

int main(void)
{
	int made = mkstemp(path);

	/* The messages about a file are not checked here; the codes are enough. */
	if (made < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	close(made);
	RUN(link_types);
	RUN(datagrams_that_the_engine_reads);
	RUN(precisions_and_byte_orders);
	RUN(snap_length_is_a_gap);
	RUN(interface_of_linux_cooked_v2);
	RUN(no_captures);
	RUN(cut_short_anywhere);
	RUN(variants);
	RUN(headers_that_make_no_sense);
	RUN(records_that_make_no_sense);
	RUN(files_joined);
	unlink(path);
	return unit_status();
}
