// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * file.c - the capture file source: one TCP segment behind every link type, both time precisions
 * and byte orders; files that are cut short, empty or no captures.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/file.h"
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
	uint32_t cut; /* bytes of the packet that the capture left out */
};

#define PCAP_US 0xa1b2c3d4
#define PCAP_NS 0xa1b23c4d

static char path[] = "/tmp/tdsmon-unit-file-XXXXXX";

static void file_write(const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		UNIT_FAIL("cannot write %s", path);
}

/* A capture of one packet; returns its length. */
static size_t frame_file_build(const struct frame_file *ff, uint8_t out[256])
{
	uint32_t len = ff->head_len + IP4_LEN, held = len - ff->cut;
	bool swap = ff->magic == __builtin_bswap32(PCAP_US);
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

/* Read the file's one segment: all of it, and what is to be said of all link types. */
static void check_file(const struct frame_file *ff, uint64_t ts_ns, struct seg *seg)
{
	const uint8_t *payload;
	uint8_t data[256];
	struct file *file;
	int err;

	file_write(data, frame_file_build(ff, data));
	file = file_open(path, &err);
	CHECK(file);
	if (!file)
		return;
	CHECK_INT(file_next(file, seg, &payload), 1);
	check_segment(seg);
	CHECK_INT(seg->ts_ns, ts_ns);
	CHECK_INT(seg->cap_len, 4 - ff->cut);
	CHECK(!memcmp(payload, "TDS!", seg->cap_len));
	CHECK_INT(file_next(file, seg, &payload), 0);
	CHECK_INT(file_stats(file)->packets, 1);
	CHECK_INT(file_stats(file)->segments, 1);
	CHECK_INT(file_stats(file)->truncated, ff->cut > 0);
	file_close(file);
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

/* A capture of that datagram, of which cut bytes were left out, from the given port. */
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

UNIT_CASE(datagrams_of_the_browser)
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
		{53, 101, "", 0, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *payload;
		struct file *file;
		struct seg seg;
		int err;

		datagram_file(cases[i].sport, cases[i].link_type, cases[i].head, cases[i].head_len,
			      cases[i].cut);
		file = file_open(path, &err);
		CHECK_INT(file_next(file, &seg, &payload), cases[i].got);
		CHECK_INT(file_stats(file)->other, 1);
		CHECK_INT(file_stats(file)->segments, 0);
		CHECK_INT(file_stats(file)->truncated, 0);
		if (cases[i].got) {
			CHECK_INT(seg.sport, 1434);
			CHECK_INT(seg.dport, 40000);
			CHECK_INT(seg.saddr[15], 2);
			CHECK_INT(seg.len, 4);
			CHECK_INT(seg.cap_len, 4 - cases[i].cut);
			CHECK_INT(seg.note,
				  cases[i].cut ? SEG_NOTE_UDP | SEG_NOTE_TRUNC : SEG_NOTE_UDP);
			CHECK_INT(seg.ts_ns, 1000005000000);
			CHECK(!memcmp(payload, "SSRP", seg.cap_len));
			CHECK_INT(file_next(file, &seg, &payload), 0);
		}
		file_close(file);
	}
}

UNIT_CASE(precisions_and_byte_orders)
{
	struct seg seg;

	check_file(&(struct frame_file){PCAP_NS, 101, "", 0, 0}, 1000000005000, &seg);
	check_file(&(struct frame_file){__builtin_bswap32(PCAP_US), 101, "", 0, 0}, 1000005000000,
		   &seg);
}

UNIT_CASE(snap_length_is_a_gap)
{
	struct seg seg;

	check_file(&(struct frame_file){PCAP_US, 101, "", 0, 3}, 1000005000000, &seg);
	CHECK_INT(seg.note, SEG_NOTE_TRUNC);
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
	CHECK(!file_open(path, &err));
	return err;
}

UNIT_CASE(no_captures)
{
	uint8_t wifi[256];
	size_t len = frame_file_build(&(struct frame_file){PCAP_US, 105, "", 0, 0}, wifi);
	int err = 0;

	CHECK_INT(open_error("", 0), -EINVAL);
	CHECK_INT(open_error("hello, world, this is no capture", 32), -EINVAL);
	CHECK_INT(open_error("\x1f\x8b\x08\0", 4), -EINVAL);
	CHECK_INT(open_error(wifi, len), -EPROTONOSUPPORT);
	CHECK(!file_open("/nonexistent/file", &err));
	CHECK_INT(err, -ENOENT);
	CHECK(!file_open("/tmp", &err));
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
		struct file *file;

		file_write(data, cut);
		file = file_open(path, &err);
		CHECK(file);
		if (!file)
			return;
		CHECK_INT(file_next(file, &seg, &payload), -EIO);
		CHECK_INT(file_stats(file)->segments, 0);
		file_close(file);
	}
}

int main(void)
{
	int fd = mkstemp(path);

	/* What is wrong with a file is told; here the codes are enough. */
	if (fd < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	close(fd);
	RUN(link_types);
	RUN(datagrams_of_the_browser);
	RUN(precisions_and_byte_orders);
	RUN(snap_length_is_a_gap);
	RUN(interface_of_linux_cooked_v2);
	RUN(no_captures);
	RUN(cut_short_anywhere);
	unlink(path);
	return unit_status();
}
