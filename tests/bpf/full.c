// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * full.c - tests of a flow at TAP_FULL: its frames are walked while everything is forwarded, so
 * that TAP_HEADS can start at any segment; and of how user space steers it.
 */
#include "bpf/talk.h"

/* A connection whose handshake is seen, and its PRELOGIN. */
static void handshake(struct tap *tap)
{
	at[CLIENT] = 5001;
	at[SERVER] = 9001;
	SEND(tap, HOOK_INGRESS, .sport = PORT, .flags = SYN, .seq = 5000);
	SEND(tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .flags = SYN | ACK, .seq = 9000,
	     .ack = 5001);
	SEND(tap, HOOK_INGRESS, .sport = PORT, .seq = 5001, .ack = 9001);
	CHECK_INT(SEND(tap, HOOK_INGRESS, .sport = PORT, .seq = 5001, .ack = 9001,
		       .payload = (const uint8_t[40]){0x12, 1, 0, 40}, .payload_len = 40),
		  TAP_CNT_EVENT);
	at[CLIENT] += 40;
}

static void begin_unanswered(struct tap *tap, const struct tap_setup *setup)
{
	tap_open(tap, setup);
	sums_begin(tap);
	handshake(tap);
}

/* The same, and the answer. */
static void begin(struct tap *tap, const struct tap_setup *setup)
{
	begin_unanswered(tap, setup);
	CHECK_INT(tds(tap, SERVER, 4, 1, 40, 40), TAP_CNT_EVENT);
	CHECK_INT(records[0].seg.rec_flags, 0);
}

static uint8_t level(struct tap *tap)
{
	struct tap_key key;

	return (uint8_t)flow_level(tap, PORT, &key);
}

/* End the client's stream. Returns the counts since the last record. */
static const struct tap_counts *finish(struct tap *tap)
{
	say(tap, CLIENT, FIN | ACK, NULL, 0);
	return told(record_count - 1);
}

/* Nothing of a result is lost that comes before user space has set a level. */
static void bulk_before_word(enum hook server_hook, const struct tap_setup *setup)
{
	static uint8_t result[60000];
	struct tap tap;
	uint32_t handed = 0, len = 0;

	begin(&tap, setup);
	tds(&tap, CLIENT, 1, 1, 100, 100);
	for (; len + 1000 <= sizeof(result);
	     len += 1000) { /* packets of 1,000 bytes, one message */
		memset(result + len, 0x80, 1000);
		memcpy(result + len,
		       (const uint8_t[8]){4, len + 2000 > sizeof(result), 1000 >> 8, 1000 & 0xff, 0,
					  55, 1},
		       8);
	}
	for (uint32_t from = 0; from < len; from += 700) { /* and segments with any boundaries */
		uint32_t n = len - from < 700 ? len - from : 700;

		SEND(&tap, server_hook, .sport = PORT, .swap = 1, .seq = at[SERVER],
		     .payload = result + from, .payload_len = n);
		at[SERVER] += n;
		handed += record_count ? records[0].seg.cap_len : 0;
	}
	CHECK(handed > 10000 && handed < 12000);
	CHECK_INT(level(&tap), TAP_HEADS);
	CHECK_INT(tap_counter(&tap, TAP_CNT_BUDGET), 0);
	sums_read(&tap);
	/* the kernel does not count the command that began before */
	CHECK_INT(sums[LATENCY_BATCH].count, 1);
	CHECK(sums[LATENCY_BATCH].first_sum_ns < sums[LATENCY_BATCH].total_sum_ns);
	CHECK_INT(tds(&tap, CLIENT, 3, 1, 100, 100), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 100, 100), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_RPC].count, 1);
	check_counts(finish(&tap), 0, 1, 0, 0, 0, 0);
	tap_close(&tap);
}

UNIT_CASE(bulk_before_word_tc)
{
	bulk_before_word(HOOK_EGRESS, &(struct tap_setup){.budget = 12000});
}

UNIT_CASE(bulk_before_word_xdp)
{
	bulk_before_word(HOOK_XDP, &(struct tap_setup){.budget = 12000});
	bulk_before_word(HOOK_XDP, &(struct tap_setup){.budget = 12000, .xdp_direct = true});
}

/* If frames are not known, forwarding ends with the budget. */
UNIT_CASE(not_tds)
{
	static const uint8_t garbage[1000] = "no TDS";
	struct tap tap;

	begin(&tap, &(struct tap_setup){.budget = 2000});
	say(&tap, CLIENT, PSH | ACK, garbage, sizeof(garbage));
	say(&tap, CLIENT, PSH | ACK, garbage, sizeof(garbage));
	CHECK_INT(say(&tap, CLIENT, PSH | ACK, garbage, sizeof(garbage)), TAP_CNT_BUDGET);
	CHECK_INT(level(&tap), TAP_CLOSE);
	tap_close(&tap);
}

/* A server that never answers, and then closes: no record says how far its stream has come. */
UNIT_CASE(closed_before_an_answer)
{
	struct tap_key key;
	struct tap tap;

	begin_unanswered(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	CHECK_INT(say(&tap, SERVER, FIN | ACK, NULL, 0), TAP_CNT_EVENT);
	steer(&tap, &key, TAP_HEADS);
	CHECK_INT(say(&tap, CLIENT, ACK, NULL, 0),
		  TAP_CNT_EVENT); /* the ACK of a FIN is forwarded */
	at[SERVER]++;
	CHECK_INT(say(&tap, SERVER, RST, NULL, 0), TAP_CNT_EVENT);
	for (int i = 0; i < record_count; i++)
		CHECK_INT(records[i].seg.seq, records[i].seg.sport == 1433 ? 9002 : 5041);
	tap_close(&tap);
}

static void flow_read(struct tap *tap, struct flow_value *flow)
{
	struct tap_key key;

	CHECK(flow_level(tap, PORT, &key) >= 0);
	CHECK(!bpf_map_lookup_elem(bpf_map__fd(tap->skel->maps.flows), &key, flow));
}

/* A forged packet from the client, with a sequence number that is so far off. */
static int forge(struct tap *tap, uint8_t flags, int32_t off)
{
	return SEND(tap, HOOK_INGRESS, .sport = PORT, .seq = at[CLIENT] + (uint32_t)off,
		    .flags = flags, .ack = at[SERVER]);
}

/* A packet that the server ignores ends nothing, and does not change the counts after it. */
static void made_up(uint8_t with_level)
{
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	if (with_level != TAP_FULL)
		steer(&tap, &key, with_level);
	for (int32_t off = 1; off < 1 << 30; off *= 7) {
		CHECK_INT(forge(&tap, RST, off), TAP_CNT_EVENT); /* user space decides */
		CHECK_INT(records[record_count - 1].seg.flags, RST);
		CHECK_INT(records[record_count - 1].seg.seq, at[CLIENT] + (uint32_t)off);
		CHECK_INT(records[record_count - 1].seg.rec_flags, 0);
		CHECK_INT(forge(&tap, FIN | ACK, off), TAP_CNT_EVENT);
	}
	CHECK_INT(forge(&tap, SYN, 100000), TAP_CNT_SKIPPED);
	CHECK_INT(record_count, 0);
	/* the server's challenge, RFC 5961 4 */
	say(&tap, SERVER, ACK, NULL, 0);
	CHECK_INT(flow_level(&tap, PORT, &key), with_level);
	steer(&tap, &key, TAP_HEADS);
	tds(&tap, CLIENT, 1, 1, 100, 100);
	tds(&tap, SERVER, 4, 1, 100, 100);
	check_counts(finish(&tap), 1, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

UNIT_CASE(packets_that_tcp_ignores)
{
	made_up(TAP_FULL);
	made_up(TAP_HEADS);
}

/* A reset with the expected sequence number ends the flow; its ports may then be used again. */
UNIT_CASE(reset_that_counts)
{
	struct flow_value flow;
	struct tap_key key;
	struct tap tap;

	for (int heads = 0; heads <= 1; heads++) {
		begin(&tap, &(struct tap_setup){0});
		flow_level(&tap, PORT, &key);
		if (heads)
			steer(&tap, &key, TAP_HEADS);
		forge(&tap, RST, 1);
		flow_read(&tap, &flow);
		CHECK_INT(flow.marks, 2);
		forge(&tap, RST, 0);
		flow_read(&tap, &flow);
		CHECK_INT(flow.marks, 2 | 4);
		forge(&tap, SYN, 5000);
		CHECK_INT(flow_level(&tap, PORT, &key), -1);
		tap_close(&tap);
	}
}

/* What each side acknowledged, at any level, but not more than was sent. */
UNIT_CASE(acknowledged)
{
	struct flow_value flow;
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	for (int heads = 0; heads <= 1; heads++) {
		uint32_t before = at[CLIENT];

		SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER], .ack = before);
		if (heads)
			steer(&tap, &key, TAP_HEADS);
		tds(&tap, CLIENT, 1, 1, 100, 100);
		flow_read(&tap, &flow);
		CHECK(flow.walk[0].flags & 0x40);
		CHECK_INT(flow.walk[0].acked, before);
		CHECK_INT(flow.walk[0].end, before + 100);
		SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER],
		     .ack = before + 60);
		flow_read(&tap, &flow);
		CHECK_INT(flow.walk[0].acked, before + 60);
		SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER],
		     .ack = before + 102);
		SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER],
		     .ack = before + 2);
		flow_read(&tap, &flow);
		CHECK_INT(flow.walk[0].acked, before + 60);
		SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER],
		     .ack = before + 100);
		flow_read(&tap, &flow);
		CHECK_INT(flow.walk[0].acked, before + 100);
	}
	tap_close(&tap);
}

/* Retransmissions of a request are counted, without further records. */
UNIT_CASE(sent_again)
{
	struct flow_value flow;
	struct tap_key key;
	struct tap tap;
	uint32_t before;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	steer(&tap, &key, TAP_HEADS);
	before = at[CLIENT];
	SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER], .ack = before);
	tds(&tap, CLIENT, 1, 1, 100, 100);
	at[CLIENT] = before;
	tds(&tap, CLIENT, 1, 1, 100, 100); /* at once: the same packet on another interface */
	flow_read(&tap, &flow);
	CHECK_INT(flow.walk[0].resent, 0);
	for (int n = 1; n <= 3; n++) {
		usleep(20000);
		for (int copy = 0; copy < 2; copy++) {
			at[CLIENT] = before;
			CHECK_INT(tds(&tap, CLIENT, 1, 1, 100, 100), TAP_CNT_SKIPPED);
		}
		flow_read(&tap, &flow);
		CHECK_INT(flow.walk[0].resent, n);
		CHECK(flow.resent_first);
	}
	SEND(&tap, HOOK_EGRESS, .sport = PORT, .swap = 1, .seq = at[SERVER], .ack = before + 100);
	flow_read(&tap, &flow);
	CHECK_INT(flow.walk[0].resent, 0);
	check_counts(finish(&tap), 1, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

/*
 * A server's answer that routes its client: one byte in place of LOGINACK, then ENVCHANGE 20 to
 * "db2", port 51433 (MS-TDS 2.2.7.9), and DONE.
 */
static void say_routing(struct tap *tap, int who, uint8_t type, uint8_t status, uint8_t value_len)
{
	uint8_t answer[] = {type, status,    0, 45, 0,	  55,	1, 0, 0xad, 0xe3, 16,  0,
			    20,	  value_len, 0, 0,  0xe9, 0xc8, 3, 0, 'd',  0,	  'b', 0,
			    '2',  0,	     0, 0,  0xfd, 0,	0, 0, 0,    0,	  0,   0,
			    0,	  0,	     0, 0,  0,	  0,	0, 0, 0};

	say(tap, who, PSH | ACK, answer, sizeof(answer));
}

static bool watched(const struct tap *tap, uint16_t port)
{
	return tap->skel->bss->tap_ports[port / 64] >> (port % 64) & 1;
}

UNIT_CASE(redirect)
{
	struct tap_key key;
	struct tap tap;

	begin_unanswered(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	say_routing(&tap, CLIENT, 4, 1, 11); /* a client routes nobody */
	say_routing(&tap, SERVER, 4, 0, 11); /* more of the answer follows */
	say_routing(&tap, SERVER, 0x12, 1, 11);
	say_routing(&tap, SERVER, 4, 1, 12); /* the lengths do not fit */
	CHECK(!watched(&tap, 51433));
	CHECK_INT(tap.skel->bss->tap_ports_added, 0);
	say_routing(&tap, SERVER, 4, 1, 11);
	CHECK(watched(&tap, 51433));
	CHECK_INT(tap.skel->bss->tap_ports_added, 1); /* user space has to check the ports */
	tap_close(&tap);
	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	steer(&tap, &key, TAP_HEADS);
	say_routing(&tap, SERVER, 4, 1, 11); /* after the login it is a result */
	CHECK(!watched(&tap, 51433));
	tap_close(&tap);
}

/* From the first segment after user space's change on, nothing is forwarded. */
UNIT_CASE(steered)
{
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	CHECK_INT(flow_level(&tap, PORT, &key), TAP_FULL);
	steer(&tap, &key, TAP_HEADS);
	CHECK_INT(level(&tap), TAP_HEADS);
	CHECK_INT(tds(&tap, CLIENT, 1, 1, 100, 100), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 0, 2000, 1000), TAP_CNT_SKIPPED);
	CHECK_INT(more(&tap, SERVER, 1000), TAP_CNT_SKIPPED);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 200, 200), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 1);
	check_counts(finish(&tap), 1, 0, 0, 0, 0, 0);
	tap_close(&tap);
}

/* The kernel knows a server's number by itself, once user space has added the server. */
UNIT_CASE(server_known)
{
	const struct latency_server server = {.addr = {[10] = 0xff, 0xff, 10, 0, 0, 2},
					      .port = 1433};
	int cpus = libbpf_num_possible_cpus();
	struct latency *sum = calloc((size_t)cpus, sizeof(*sum));
	uint32_t key = 7 * LATENCY_KINDS + LATENCY_RPC;
	uint16_t number = 7;
	struct tap_sums all;
	struct tap tap;
	int map;

	tap_open(&tap, &(struct tap_setup){.budget = 300});
	map = bpf_map__fd(tap.skel->maps.latencies);
	CHECK(!bpf_map_update_elem(map, &key, sum, BPF_NOEXIST));
	CHECK(!bpf_map_update_elem(bpf_map__fd(tap.skel->maps.servers), &server, &number, BPF_ANY));
	handshake(&tap);
	tds(&tap, SERVER, 4, 1, 400, 400);
	tds(&tap, CLIENT, 3, 1, 100, 100);
	tds(&tap, SERVER, 4, 1, 100, 100);
	tap_sums_of(&tap, &all);
	CHECK(!tap_sums_latency(&all, key, sum));
	CHECK_INT(sum->count, 1);
	tap_sums_free(&all);
	free(sum);
	tap_close(&tap);
}

/* As many flows as fit into one call; unknown ones are ignored. */
UNIT_CASE(steered_many_at_once)
{
	static struct tap_steers steers;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &steers, .data_size_in = sizeof(steers));
	struct tap_key key;
	struct tap tap;
	int steered = 0;

	tap_open(&tap, &(struct tap_setup){0});
	for (uint16_t i = 0; i < TAP_STEERS; i++) {
		if (i % 3)
			SEND(&tap, HOOK_EGRESS, .sport = (uint16_t)(i + 1), .swap = 1,
			     .payload_len = 9);
		flow_level(&tap, (uint16_t)(i + 1), &steers.at[i].key);
		steers.at[i].level = i % 2 ? TAP_HEADS : TAP_CLOSE;
	}
	CHECK_INT(bpf_prog_test_run_opts(bpf_program__fd(tap.skel->progs.tap_steer), &opts), 0);
	for (uint16_t i = 0; i < TAP_STEERS; i++)
		steered += flow_level(&tap, (uint16_t)(i + 1), &key) == (i % 3 == 0 ? -1
									 : i % 2    ? TAP_HEADS
										    : TAP_CLOSE);
	CHECK_INT(steered, TAP_STEERS);
	tap_close(&tap);
}

/* A connection that is over is removed, unless its ports were used again before. */
UNIT_CASE(over)
{
	struct tap_key key;
	struct tap tap;

	for (int reset = 0; reset <= 1; reset++) {
		for (uint8_t before = TAP_FULL; before <= TAP_CLOSE; before++) {
			begin(&tap, &(struct tap_setup){0});
			flow_level(&tap, PORT, &key);
			steer(&tap, &key, before);
			steer(&tap, &key, TAP_OVER); /* it is not over */
			CHECK_INT(level(&tap), before);
			say(&tap, CLIENT, reset ? RST | ACK : FIN | ACK, NULL, 0);
			CHECK_INT(level(&tap), before);
			steer(&tap, &key, TAP_OVER);
			CHECK_INT(flow_level(&tap, PORT, &key), -1);
			handshake(&tap);
			steer(&tap, &key, TAP_OVER);
			CHECK_INT(level(&tap), TAP_FULL);
			tap_close(&tap);
		}
	}
}

/* The kernel times a command whose beginning user space saw, but not one that it saw completely. */
UNIT_CASE(steered_within_a_command)
{
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	CHECK_INT(tds(&tap, CLIENT, 1, 1, 100, 100), TAP_CNT_EVENT);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 100, 100), TAP_CNT_EVENT);
	CHECK_INT(tds(&tap, CLIENT, 3, 1, 100, 100), TAP_CNT_EVENT);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 2000, 1000), TAP_CNT_EVENT);
	usleep(2000);
	steer(&tap, &key, TAP_HEADS);
	CHECK_INT(more(&tap, SERVER, 1000), TAP_CNT_SKIPPED);
	sums_read(&tap);
	CHECK_INT(sums[LATENCY_BATCH].count, 0);
	CHECK_INT(sums[LATENCY_RPC].count, 1);
	CHECK(sums[LATENCY_RPC].total_sum_ns >= sums[LATENCY_RPC].first_sum_ns + 2000000);
	check_counts(finish(&tap), 0, 0, 0, 0, 0, 0); /* user space counted them */
	tap_close(&tap);
}

/* Heads with any boundaries, several in a segment, TLS and SMP: the walk goes on. */
UNIT_CASE(frames_of_all_kinds)
{
	static const uint8_t stream[] = {
		4,    1, 0, 12, 0,  55, 1, 0, 9, 9, 9, 9,	      /* TDS */
		0x17, 3, 3, 0,	4,  9,	9, 9, 9,		      /* TLS */
		0x53, 1, 0, 0,	16, 0,	0, 0, 0, 0, 0, 0, 4, 0, 0, 0, /* SMP */
		4,    1, 0, 9,	0,  55, 1, 0, 9,
	};
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	for (uint32_t cut = 1; cut < sizeof(stream); cut++) {
		steer(&tap, &key, TAP_FULL);
		CHECK_INT(say(&tap, SERVER, PSH | ACK, stream, cut), TAP_CNT_EVENT);
		CHECK_INT(say(&tap, SERVER, PSH | ACK, stream + cut, sizeof(stream) - cut),
			  TAP_CNT_EVENT);
		CHECK_INT(records[0].seg.rec_flags, 0);
		CHECK_INT(records[0].seg.cap_len, sizeof(stream) - cut);
		steer(&tap, &key, TAP_HEADS);
		CHECK_INT(tds(&tap, SERVER, 4, 1, 300, 300), TAP_CNT_SKIPPED);
	}
	tap_close(&tap);
}

/* A loss at TAP_FULL, then a segment that begins with a frame. */
UNIT_CASE(loss)
{
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	at[SERVER] += 50;
	CHECK_INT(tds(&tap, SERVER, 4, 1, 700, 700),
		  TAP_CNT_EVENT); /* long enough to be accepted as a boundary */
	steer(&tap, &key, TAP_HEADS);
	CHECK_INT(tds(&tap, SERVER, 4, 1, 100, 100), TAP_CNT_SKIPPED);
	steer(&tap, &key, TAP_FULL);
	at[SERVER] += 50;
	CHECK_INT(more(&tap, SERVER, 700), TAP_CNT_EVENT);
	steer(&tap, &key, TAP_HEADS);
	CHECK_INT(more(&tap, SERVER, 700), TAP_CNT_EVENT);
	CHECK_INT(records[record_count - 1].seg.rec_flags, 0);
	tap_close(&tap);
}

/* An exchange that is not a command, such as a login on an old connection, is not timed. */
UNIT_CASE(no_command)
{
	struct tap_key key;
	struct tap tap;

	begin(&tap, &(struct tap_setup){0});
	flow_level(&tap, PORT, &key);
	steer(&tap, &key, TAP_HEADS);
	for (uint8_t type = 16; type <= 18; type++) {
		CHECK_INT(tds(&tap, CLIENT, type, 1, 100, 100), TAP_CNT_SKIPPED);
		CHECK_INT(tds(&tap, SERVER, 4, 1, 100, 100), TAP_CNT_SKIPPED);
	}
	sums_read(&tap);
	for (int kind = 0; kind < LATENCY_KINDS; kind++)
		CHECK_INT(sums[kind].count, 0);
	CHECK_INT(finish(&tap)->awaiting, 0);
	tap_close(&tap);
}

int main(void)
{
	libbpf_set_print(quiet);
	RUN(bulk_before_word_tc);
	RUN(bulk_before_word_xdp);
	RUN(not_tds);
	RUN(redirect);
	RUN(packets_that_tcp_ignores);
	RUN(reset_that_counts);
	RUN(acknowledged);
	RUN(sent_again);
	RUN(closed_before_an_answer);
	RUN(steered);
	RUN(server_known);
	RUN(steered_many_at_once);
	RUN(over);
	RUN(steered_within_a_command);
	RUN(frames_of_all_kinds);
	RUN(loss);
	RUN(no_command);
	return unit_status();
}
