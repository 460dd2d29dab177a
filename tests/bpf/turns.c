// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * turns.c - tests of what the tap itself counts at TAP_HEADS: commands by kind, and the times of
 * their responses.
 */
#include "bpf/talk.h"

/* A flow at TAP_HEADS, with both sides' frames known. */
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
	CHECK_INT(record_count, 2); /* how far the server's stream has come, and the FIN */
	check_counts(told(1), 25, 25, 0, 1, 0, 1);
	CHECK_INT(told(1)->awaiting, 0);
	CHECK_INT(records[1].seg.flags, FIN | ACK);
	CHECK_INT(records[1].seg.seq, at[CLIENT]);
	/* counts that were reported are not reported again */
	CHECK_INT(say(&tap, SERVER, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	check_counts(told(record_count - 1), 0, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

/* Results are added up 16 at a time: kinds that change within them, and one without sums, mix nothing. */
UNIT_CASE(runs_of_a_kind)
{
	static const uint8_t types[] = {1, 14, 3};
	const uint32_t unknown = LATENCY_TRANSACTION;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	CHECK(!bpf_map_delete_elem(bpf_map__fd(tap.skel->maps.latencies), &unknown));
	for (int i = 0; i < 105; i++) {
		CHECK_INT(tds(&tap, CLIENT, types[i / 5 % 3], 1, 100, 100), TAP_CNT_SKIPPED);
		CHECK_INT(tds(&tap, SERVER, 4, 1, 300, 300), TAP_CNT_SKIPPED);
	}
	sums_begin_one(&tap, unknown);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 35);
	CHECK_INT(sums[LATENCY_RPC].count, 35);
	tap_close(&tap);
}

/* Messages of many packets with any boundaries: the first and the last byte count. */
UNIT_CASE(long_messages)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	CHECK_INT(tds(&tap, CLIENT, 7, 0, 1000, 400), TAP_CNT_SKIPPED);
	CHECK_INT(more(&tap, CLIENT, 600), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, CLIENT, 7, 1, 1000, 5), TAP_CNT_SKIPPED); /* a split head */
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

/* From an attention to the end of the command that it cancels, which is counted but not timed. */
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

/* Under TLS: inferred from who sends. */
UNIT_CASE(sealed)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	tls(&tap, CLIENT, PSH | ACK, 100); /* shows that it is TLS */
	tls(&tap, SERVER, PSH | ACK, 100);
	for (int i = 0; i < 5; i++) {
		CHECK_INT(tls(&tap, CLIENT, ACK, 1400), TAP_CNT_SKIPPED);
		CHECK_INT(tls(&tap, CLIENT, PSH | ACK, 100), TAP_CNT_SKIPPED);
		CHECK_INT(tls(&tap, SERVER, ACK, 1400), TAP_CNT_SKIPPED);
		usleep(2000);
		CHECK_INT(tls(&tap, SERVER, PSH | ACK, 100), TAP_CNT_SKIPPED);
		/* a retransmission is not a new request */
		at[CLIENT] -= 100;
		CHECK_INT(tls(&tap, CLIENT, PSH | ACK, 100), TAP_CNT_SKIPPED);
	}
	CHECK_INT(say(&tap, CLIENT, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_ENCRYPTED].count, 5);
	CHECK(sums[LATENCY_ENCRYPTED].total_sum_ns >=
	      sums[LATENCY_ENCRYPTED].first_sum_ns + 10000000);
	check_counts(told(record_count - 1), 0, 0, 0, 0, 0, 0);
	CHECK_INT(told(record_count - 1)->awaiting, 0);
	tap_close(&tap);
}

/* Commands that a loss may have affected are not timed. */
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

/* A connection whose end was never seen: the next one on the same ports ends it. */
UNIT_CASE(replaced)
{
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	tds(&tap, CLIENT, 1, 1, 100, 100);
	tds(&tap, SERVER, 4, 1, 100, 100);
	CHECK_INT(SEND(&tap, HOOK_INGRESS, .sport = PORT, .flags = SYN, .seq = 77),
		  TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .flags = SYN | ACK, .seq = 500,
	     .ack = 78);
	CHECK_INT(record_count, 1);
	check_counts(told(0), 1, 0, 0, 0, 0, 0);
	CHECK_INT(records[0].seg.flags, 0);
	CHECK_INT(records[0].seg.seq, at[SERVER]);
	SEND(&tap, HOOK_INGRESS, .sport = PORT, .seq = 78, .ack = 501);
	CHECK_INT(record_count, 3);
	CHECK_INT(records[0].seg.seq, 77);
	CHECK_INT(records[0].seg.flags, SYN);
	tap_close(&tap);
}

/* If user space sees the heads, it counts them, including those of TLS records. */
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
	CHECK_INT(records[0].seg.rec_flags, SEG_F_HEADS);
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

/* Every 2^30 bytes a mark tells user space how far the stream has come. */
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
	RUN(runs_of_a_kind);
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
