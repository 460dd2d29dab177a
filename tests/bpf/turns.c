// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * turns.c - tests of what the tap keeps account of by itself at TAP_HEADS: commands by kind, and
 * after what time they were answered.
 */
#include "bpf/run.h"
#include "latency.h"

#define PORT 9

static struct latency sums[LATENCY_KINDS];
static uint32_t at[2]; /* sequence numbers: client, server */

enum { CLIENT, SERVER };

static void sums_begin(struct tap *tap)
{
	int map = bpf_map__fd(tap->skel->maps.latencies), cpus = libbpf_num_possible_cpus();
	struct latency *zero = calloc((size_t)cpus, sizeof(*zero));

	for (uint32_t key = 0; key < LATENCY_KINDS; key++)
		CHECK(!bpf_map_update_elem(map, &key, zero, BPF_NOEXIST));
	free(zero);
}

static void sums_read(struct tap *tap)
{
	int map = bpf_map__fd(tap->skel->maps.latencies), cpus = libbpf_num_possible_cpus();
	struct latency *all = calloc((size_t)cpus, sizeof(*all));

	memset(sums, 0, sizeof(sums));
	for (uint32_t key = 0; key < LATENCY_KINDS; key++) {
		CHECK(!bpf_map_lookup_elem(map, &key, all));
		for (int cpu = 0; cpu < cpus; cpu++) {
			sums[key].count += all[cpu].count;
			sums[key].first_sum_ns += all[cpu].first_sum_ns;
			sums[key].total_sum_ns += all[cpu].total_sum_ns;
			for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
				sums[key].first[i] += all[cpu].first[i];
				sums[key].total[i] += all[cpu].total[i];
			}
		}
	}
	free(all);
}

static int say(struct tap *tap, int who, uint8_t flags, const void *payload, uint32_t len)
{
	int counted = SEND(tap, who == CLIENT ? HOOK_INGRESS : HOOK_EGRESS, .sport = PORT,
			   .swap = who == SERVER, .seq = at[who], .flags = flags,
			   .payload = payload, .payload_len = len);

	at[who] += len;
	return counted;
}

/* The first `sent` bytes of a TDS packet of len bytes. */
static int tds(struct tap *tap, int who, uint8_t type, uint8_t status, uint32_t len, uint32_t sent)
{
	uint8_t packet_bytes[4096] = {type, status, (uint8_t)(len >> 8), (uint8_t)len, 0, 55, 1, 0};

	memset(packet_bytes + 8, 0x80, sizeof(packet_bytes) - 8); /* never a head */
	return say(tap, who, PSH | ACK, packet_bytes, sent);
}

static int more(struct tap *tap, int who, uint32_t len)
{
	uint8_t bytes[4096];

	memset(bytes, 0x80, sizeof(bytes));
	return say(tap, who, PSH | ACK, bytes, len);
}

static int tls(struct tap *tap, int who, uint8_t flags, uint32_t len)
{
	uint8_t bytes[4096] = {0x17, 3, 3, (uint8_t)((len - 5) >> 8), (uint8_t)(len - 5)};

	return say(tap, who, flags, bytes, len);
}

/* A flow at TAP_HEADS, of which both sides' frames are known. */
static void begin(struct tap *tap, const struct tap_setup *setup)
{
	tap_open(tap, setup);
	sums_begin(tap);
	at[CLIENT] = 5000;
	at[SERVER] = 9000;
	more(tap, SERVER, 10);
	set_level(tap, PORT, TAP_HEADS, 0);
	CHECK_INT(tds(tap, CLIENT, 1, 1, 600, 600), TAP_CNT_EVENT);
	CHECK_INT(tds(tap, SERVER, 4, 1, 600, 600), TAP_CNT_EVENT);
}

static const struct tap_counts *told(int i)
{
	CHECK_INT(records[i].seg.note, SEG_NOTE_HEADS | SEG_NOTE_COUNTS);
	CHECK_INT(records[i].seg.cap_len, 0);
	return (const struct tap_counts *)records[i].payload;
}

static void check_counts(const struct tap_counts *c, uint32_t batch, uint32_t rpc, uint32_t bulk,
			 uint32_t transaction, uint32_t attention, uint32_t resets)
{
	CHECK_INT(c->commands[LATENCY_BATCH], batch);
	CHECK_INT(c->commands[LATENCY_RPC], rpc);
	CHECK_INT(c->commands[LATENCY_BULK], bulk);
	CHECK_INT(c->commands[LATENCY_TRANSACTION], transaction);
	CHECK_INT(c->commands[LATENCY_ATTENTION], attention);
	CHECK_INT(c->resets, resets);
}

/* A stream of commands puts nothing into the ring buffer. */
UNIT_CASE(counted_and_timed)
{
	struct tap tap;
	uint64_t in_buckets = 0;

	begin(&tap, &(struct tap_setup){0});
	for (int i = 0; i < 50; i++) {
		CHECK_INT(tds(&tap, CLIENT, i % 2 ? 3 : 1, i == 4 ? 9 : 1, 100, 100),
			  TAP_CNT_SKIPPED);
		CHECK_INT(tds(&tap, SERVER, 4, 1, 300, 300), TAP_CNT_SKIPPED);
		CHECK_INT(record_count, 0);
	}
	CHECK_INT(tds(&tap, CLIENT, 14, 1, 40, 40), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 30, 30), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 25);
	CHECK_INT(sums[LATENCY_RPC].count, 25);
	CHECK_INT(sums[LATENCY_TRANSACTION].count, 1);
	CHECK_INT(sums[LATENCY_BULK].count, 0);
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++)
		in_buckets += sums[LATENCY_RPC].total[i];
	CHECK_INT(in_buckets, 25);
	CHECK(sums[LATENCY_RPC].first_sum_ns > 0);
	CHECK(sums[LATENCY_RPC].first_sum_ns ==
	      sums[LATENCY_RPC].total_sum_ns); /* one packet each */

	CHECK_INT(say(&tap, CLIENT, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	CHECK_INT(record_count, 2); /* how far the server has come, and the FIN */
	check_counts(told(1), 25, 25, 0, 1, 0, 1);
	CHECK_INT(told(1)->awaiting, 0);
	CHECK_INT(records[1].seg.flags, FIN | ACK);
	CHECK_INT(records[1].seg.seq, at[CLIENT]);
	/* what was told is not told again */
	CHECK_INT(say(&tap, SERVER, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	check_counts(told(record_count - 1), 0, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

/* Messages of many packets, cut anywhere: the first byte and the last count. */
UNIT_CASE(long_messages)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	CHECK_INT(tds(&tap, CLIENT, 7, 0, 1000, 400), TAP_CNT_SKIPPED);
	CHECK_INT(more(&tap, CLIENT, 600), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, CLIENT, 7, 1, 1000, 5), TAP_CNT_SKIPPED); /* a head that is cut */
	CHECK_INT(say(&tap, CLIENT, PSH | ACK, (uint8_t[95]){0, 55, 1}, 95), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BULK].count, 0);
	CHECK_INT(more(&tap, CLIENT, 900), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 0, 2000, 1400), TAP_CNT_SKIPPED);
	usleep(2000);
	CHECK_INT(more(&tap, SERVER, 600), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 2000, 1400), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BULK].count, 0);
	CHECK_INT(more(&tap, SERVER, 600), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BULK].count, 1);
	CHECK(sums[LATENCY_BULK].total_sum_ns >= sums[LATENCY_BULK].first_sum_ns + 2000000);
	say(&tap, SERVER, RST, NULL, 0);
	check_counts(told(record_count - 1), 0, 0, 1, 0, 0, 0);
	tap_close(&tap);
}

/* From an attention to the end of what it cancels; that is counted, but not timed. */
UNIT_CASE(attention)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	tds(&tap, CLIENT, 1, 1, 100, 100);
	tds(&tap, SERVER, 4, 0, 500, 500);
	CHECK_INT(tds(&tap, CLIENT, 6, 1, 8, 8), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 50, 50), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 0);
	CHECK_INT(sums[LATENCY_ATTENTION].count, 1);
	tds(&tap, CLIENT, 3, 1, 100, 100); /* never answered */
	CHECK_INT(say(&tap, CLIENT, RST, NULL, 0), TAP_CNT_EVENT);
	check_counts(told(record_count - 1), 1, 1, 0, 0, 1, 0);
	CHECK_INT(told(record_count - 1)->awaiting, 1);
	tap_close(&tap);
}

/* Under TLS: who speaks in turn. */
UNIT_CASE(sealed)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	tls(&tap, CLIENT, PSH | ACK, 100); /* makes it known to be TLS */
	tls(&tap, SERVER, PSH | ACK, 100);
	for (int i = 0; i < 5; i++) {
		CHECK_INT(tls(&tap, CLIENT, ACK, 1400), TAP_CNT_SKIPPED);
		CHECK_INT(tls(&tap, CLIENT, PSH | ACK, 100), TAP_CNT_SKIPPED);
		CHECK_INT(tls(&tap, SERVER, ACK, 1400), TAP_CNT_SKIPPED);
		usleep(2000);
		CHECK_INT(tls(&tap, SERVER, PSH | ACK, 100), TAP_CNT_SKIPPED);
		/* the same again is no turn */
		at[CLIENT] -= 100;
		CHECK_INT(tls(&tap, CLIENT, PSH | ACK, 100), TAP_CNT_SKIPPED);
	}
	CHECK_INT(say(&tap, CLIENT, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_SEALED].count, 5);
	CHECK(sums[LATENCY_SEALED].total_sum_ns >= sums[LATENCY_SEALED].first_sum_ns + 10000000);
	check_counts(told(record_count - 1), 0, 0, 0, 0, 0, 0);
	CHECK_INT(told(record_count - 1)->awaiting, 0);
	tap_close(&tap);
}

/* What a loss may have touched is not timed. */
UNIT_CASE(loss)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	CHECK_INT(tds(&tap, CLIENT, 3, 1, 100, 100), TAP_CNT_SKIPPED);
	at[SERVER] += 100;
	CHECK_INT(tds(&tap, SERVER, 4, 1, 600, 600), TAP_CNT_EVENT);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 600, 600), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_RPC].count, 0);
	tds(&tap, CLIENT, 3, 1, 100, 100);
	tds(&tap, SERVER, 4, 1, 100, 100);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_RPC].count, 1);
	tap_close(&tap);
}

/* A connection that is never seen to end: the next one of the same ports ends it. */
UNIT_CASE(replaced)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	tds(&tap, CLIENT, 1, 1, 100, 100);
	tds(&tap, SERVER, 4, 1, 100, 100);
	SEND(&tap, HOOK_INGRESS, .sport = PORT, .flags = SYN, .seq = 77);
	CHECK_INT(record_count, 1);
	check_counts(told(0), 1, 0, 0, 0, 0, 0);
	CHECK_INT(records[0].seg.flags, 0);
	CHECK_INT(records[0].seg.seq, at[CLIENT]);
	SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .flags = SYN | ACK, .ack = 78);
	CHECK_INT(record_count, 2);
	CHECK_INT(records[0].seg.seq, 77);
	CHECK_INT(records[0].seg.flags, SYN);
	tap_close(&tap);
}

/* Where user space sees the heads, it counts them; TLS records' are among them. */
UNIT_CASE(commands)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){.commands = true});
	CHECK_INT(tds(&tap, CLIENT, 1, 1, 100, 100), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.cap_len, 8);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 100, 100), TAP_CNT_EVENT);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 1);
	CHECK_INT(tls(&tap, CLIENT, PSH | ACK, 100), TAP_CNT_EVENT);
	CHECK_INT(record_count, 1);
	CHECK_INT(records[0].seg.seq, at[CLIENT] - 100);
	CHECK_INT(records[0].seg.cap_len, 5);
	CHECK_INT(records[0].seg.len, 100);
	CHECK_INT(records[0].seg.note, SEG_NOTE_HEADS);
	CHECK_INT(records[0].payload[0], 0x17);
	/* a record of 3,000 bytes in three segments: its head, and its end */
	CHECK_INT(say(&tap, SERVER, ACK, (uint8_t[1000]){0x17, 3, 3, 2995 >> 8, 2995 & 0xff}, 1000),
		  TAP_CNT_EVENT);
	CHECK_INT(more(&tap, SERVER, 1000), TAP_CNT_SKIPPED);
	CHECK_INT(more(&tap, SERVER, 1000), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.len, 1000);
	CHECK_INT(records[0].seg.cap_len, 0);
	CHECK_INT(say(&tap, CLIENT, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	check_counts(told(record_count - 1), 0, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

/* Every 2^30 bytes user space is told how far the stream has come. */
UNIT_CASE(far)
{
	struct tap tap;
	uint32_t marks = 0;

	begin(&tap, &(struct tap_setup){0});
	CHECK_INT(tls(&tap, SERVER, ACK, 1000), TAP_CNT_SKIPPED);
	for (int i = 0; i < 100; i++) {
		at[SERVER] += 100 << 20;
		more(&tap, SERVER, 1000);
		marks += (uint32_t)record_count;
		CHECK(!record_count || records[0].seg.seq == at[SERVER]);
	}
	CHECK_INT(marks, 9); /* of 10,000 MiB */
	tap_close(&tap);
}

UNIT_CASE(buckets)
{
	CHECK_INT(latency_bucket(0), 0);
	CHECK_INT(latency_bucket(1023), 0);
	CHECK_INT(latency_bucket(1024), 1);
	CHECK_INT(latency_bucket(4095), 3);
	CHECK_INT(latency_bucket(4096), 4);
	CHECK_INT(latency_bucket(1000000), 35);
	CHECK_INT(latency_bucket(1000000000), 75);
	CHECK_INT(latency_bucket(UINT64_MAX), 111);
	CHECK_INT(latency_floor_ns(35), 917504);
	CHECK_INT(latency_floor_ns(36), 1048576);
	for (uint32_t i = 1; i < LATENCY_BUCKETS; i++) {
		CHECK_INT(latency_bucket(latency_floor_ns(i)), i);
		CHECK_INT(latency_bucket(latency_floor_ns(i) - 1), i - 1);
	}
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(counted_and_timed);
	RUN(long_messages);
	RUN(attention);
	RUN(sealed);
	RUN(loss);
	RUN(replaced);
	RUN(commands);
	RUN(far);
	RUN(buckets);
	return unit_status();
}
