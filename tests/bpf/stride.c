// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stride.c - a response's packets that the tap passes over by their length, against the same bytes
 * of which it reads every head: two connections, one of which gets them in segments at random, and
 * the other with never more than one head in a segment.
 */
#include "bpf/run.h"
#include "latency_histogram.h"

#define STREAMS 60
#define PACKETS 120 /* of a stream, at most */
#define SEGMENT 60000u
#define BASE	(0u - 200000u) /* sequence numbers wrap within a stream */

/* Behaviour of a stream that a real server shows seldom or never. */
enum odd {
	NOTHING,
	NUMBERS_ZERO, /* as some servers write them */
	SHORT_PACKET, /* not the last of its message, and not full */
	TWO_MESSAGES, /* the second follows without a request */
	OTHER_SPID,   /* in a packet amidst others */
	FALSE_HEADS,  /* the payload is full of what could be the next head */
	NUMBERS_SKIP, /* a number is left out */
	ODDS,
};

static uint8_t bytes[1 << 19];
static uint32_t length, starts[PACKETS + 1], packets;
static uint32_t seed;
static uint16_t at_once, each; /* client ports: heads passed over, and every head read */

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

static void add_packet(uint8_t status, uint32_t len, uint8_t spid, uint8_t number, enum odd odd)
{
	uint8_t head[8] = {4, status, (uint8_t)(len >> 8), (uint8_t)len, 0, spid, number, 0};
	uint8_t *to = bytes + length;

	for (uint32_t i = 8; i < len; i++)
		to[i] = (uint8_t)any(256);
	memcpy(to, head, 8);
	head[1] = 0;
	for (uint32_t i = 16; odd == FALSE_HEADS && i + 16 < len; i += 8 + any(8)) {
		head[6] = (uint8_t)(number + any(3));
		memcpy(to + i, head, 8);
	}
	starts[packets++] = length;
	length += len;
}

/* Messages of packets of one length, but for the odd ones. */
static void make_stream(enum odd odd)
{
	static const uint32_t sizes[] = {512, 1460, 4096, 8000};
	uint32_t size = sizes[any(4)], most = sizeof(bytes) - 2 * size;

	length = packets = 0;
	while (packets + 20 < PACKETS && length < most - 20 * size) {
		uint32_t count = 2 + any(17), strange = any(count - 1);

		for (uint32_t i = 0; i < count; i++) {
			bool last = i == count - 1, here = i == strange && !last;
			uint32_t len = last ? 8 + any(size - 7) : size;
			uint8_t number = odd == NUMBERS_ZERO ? 0 : (uint8_t)(i + 1);

			if (here && odd == SHORT_PACKET)
				len = 8 + any(size - 7);
			if (odd == NUMBERS_SKIP && i > strange)
				number++;
			if (odd == TWO_MESSAGES && i > strange)
				number = (uint8_t)(i - strange);
			add_packet(last || (here && odd == TWO_MESSAGES), len,
				   here && odd == OTHER_SPID ? 99 : 55, number, odd);
		}
	}
	starts[packets] = length;
}

static void server(struct tap *tap, uint16_t port, uint32_t from, uint32_t to)
{
	SEND(tap, HOOK_XDP, .sport = port, .swap = 1, .seq = BASE + from, .payload = bytes + from,
	     .payload_len = to - from, .flags = PSH | ACK);
}

/* A request, so that the message that follows is timed. */
static void request(struct tap *tap, uint32_t at)
{
	static const uint8_t batch[40] = {1, 1, 0, 40, 0, 0, 1, 0};

	for (uint16_t port = at_once; port <= each; port++)
		SEND(tap, HOOK_INGRESS, .sport = port, .seq = 2 + at * sizeof(batch),
		     .payload = batch, .payload_len = sizeof(batch));
}

static void begin(struct tap *tap)
{
	for (uint16_t port = at_once; port <= each; port++) {
		SEND(tap, HOOK_INGRESS, .sport = port, .flags = SYN, .seq = 1);
		SEND(tap, HOOK_EGRESS, .sport = port, .swap = 1, .flags = SYN | ACK,
		     .seq = BASE - 1, .ack = 2);
		SEND(tap, HOOK_INGRESS, .sport = port, .seq = 2, .ack = BASE,
		     .payload = (const uint8_t[40]){1, 1, 0, 40}, .payload_len = 40);
		set_level(tap, port, TAP_HEADS, 0);
	}
}

static struct tap_flow flow_of(struct tap *tap, uint16_t port)
{
	struct tap_key key;
	struct tap_flow flow = {0};

	flow_level(tap, port, &key);
	CHECK(!bpf_map_lookup_elem(bpf_map__fd(tap->skel->maps.flows), &key, &flow));
	/* times differ */
	flow.sent_ns = flow.first_ns = flow.last_ns = 0;
	return flow;
}

static void check_same(struct tap *tap)
{
	struct tap_flow a = flow_of(tap, at_once), b = flow_of(tap, each);

	CHECK_INT(a.track[0].next, b.track[0].next);
	CHECK_INT(a.track[1].next, b.track[1].next);
	CHECK(!memcmp(&a, &b, sizeof(a)));
}

static uint64_t responses(struct tap *tap)
{
	struct tap_sums all;
	struct latency sum;

	tap_sums_of(tap, &all);
	CHECK(!tap_sums_latency(&all, LATENCY_BATCH, &sum));
	tap_sums_free(&all);
	return sum.count;
}

/* Feed both; ends of messages are ends of segments, as a server waits for the next request. */
static void feed(struct tap *tap, enum odd odd)
{
	uint32_t at = 0, next = 0, requests = 1;

	while (at < length) {
		uint32_t to = at + 1 + any(SEGMENT), from = at;

		for (uint32_t i = 0; i < packets && odd != TWO_MESSAGES; i++)
			if (bytes[starts[i] + 1] & 1 && starts[i + 1] > at && starts[i + 1] < to)
				to = starts[i + 1];
		if (to > length)
			to = length;
		server(tap, at_once, from, to);
		while (at < to) {
			uint32_t cut;

			while (next < packets && starts[next] <= at)
				next++;
			cut = next < packets && starts[next] < to ? starts[next] : to;
			server(tap, each, at, cut);
			at = cut;
		}
		check_same(tap);
		if (at == starts[next] && bytes[starts[next - 1] + 1] & 1)
			request(tap, requests++);
	}
}

UNIT_CASE(passed_over_by_their_length)
{
	struct latency *zero = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*zero));
	uint64_t before, passed;
	uint32_t key = LATENCY_BATCH;
	struct tap tap;

	tap_open(&tap, &(struct tap_setup){0});
	CHECK(!bpf_map_update_elem(bpf_map__fd(tap.skel->maps.latencies), &key, zero, BPF_NOEXIST));
	for (uint32_t i = 0; i < STREAMS; i++) {
		seed = i;
		at_once = (uint16_t)(100 + 2 * i);
		each = at_once + 1;
		make_stream((enum odd)(i % ODDS));
		begin(&tap);
		before = responses(&tap);
		passed = tap_counter(&tap, TAP_CNT_SKIPPED);
		feed(&tap, (enum odd)(i % ODDS));
		CHECK(tap_counter(&tap, TAP_CNT_SKIPPED) > passed);
		CHECK(responses(&tap) > before);
		CHECK_INT((responses(&tap) - before) % 2, 0);
	}
	tap_close(&tap);
	free(zero);
}

int main(void)
{
	if (geteuid() || !has_frags()) {
		printf("skip - it needs root, and packets above a page: Linux 5.18\n");
		return 0;
	}
	RUN(passed_over_by_their_length);
	return unit_status();
}
