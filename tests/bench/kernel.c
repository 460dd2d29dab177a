// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel.c - what the tap costs a packet, by BPF_PROG_TEST_RUN: each figure is what a program takes
 * more than one that does nothing, on the same hook and in the same round. Prints lines of
 * "name<TAB>value", the median of all rounds; nanoseconds where nothing else is said.
 *
 * Run it pinned to a CPU, at real-time priority.
 */
#include <linux/pkt_cls.h>

#include "bpf/run.h"

#define ROUNDS	   7
#define FLOWS	   32768u
#define IDLE_FLOWS 1000u
#define SYNS	   1000000u
#define HOT	   1000000 /* repetitions of one packet */
#define EMITTED	   20000   /* as many records as fit into the ring buffer */

enum program { NOOP, TAP };

struct gate {
	const char *name;
	enum hook hook;
	struct packet_spec spec;
	uint32_t repeat;
	double ns[ROUNDS];
};

static struct gate gates[] = {
	{"packet of another port, tc", HOOK_INGRESS, {.dport = 80, .payload_len = 100}, HOT, {0}},
	{"packet of another port, XDP", HOOK_XDP, {.dport = 80, .payload_len = 100}, HOT, {0}},
	{"bulk at HEADS, tc",
	 HOOK_INGRESS,
	 {.sport = 11, .swap = 1, .seq = 2000, .payload_len = 1400},
	 HOT,
	 {0}},
	{"bulk at HEADS, XDP",
	 HOOK_XDP,
	 {.sport = 11, .swap = 1, .seq = 2000, .payload_len = 1400},
	 HOT,
	 {0}},
	{"bulk at CLOSE, tc",
	 HOOK_INGRESS,
	 {.sport = 12, .swap = 1, .payload_len = 1400},
	 HOT,
	 {0}},
	{"bulk at CLOSE, XDP", HOOK_XDP, {.sport = 12, .swap = 1, .payload_len = 1400}, HOT, {0}},
	{"64 bytes handed over, tc", HOOK_INGRESS, {.sport = 13, .payload_len = 64}, EMITTED, {0}},
	{"64 bytes handed over, XDP", HOOK_XDP, {.sport = 13, .payload_len = 64}, EMITTED, {0}},
	{"256 bytes handed over, tc",
	 HOOK_INGRESS,
	 {.sport = 13, .payload_len = 256},
	 EMITTED,
	 {0}},
	{"256 bytes handed over, XDP", HOOK_XDP, {.sport = 13, .payload_len = 256}, EMITTED, {0}},
};

static int noop_fd[2]; /* tc, XDP */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

/* mov r0, answer; exit */
static int noop(enum bpf_prog_type type, int answer)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = answer},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "noop", "GPL", insns, 2, NULL);

	if (fd < 0) {
		fprintf(stderr, "kernel: no-op: %s (root is needed)\n", strerror(errno));
		exit(1);
	}
	return fd;
}

static int program_fd(struct tap *tap, enum hook hook, enum program which)
{
	if (which == NOOP)
		return noop_fd[hook == HOOK_XDP];
	return bpf_program__fd(tap_program(tap, hook));
}

/* ns of one run, on average of so many of the packet at hand */
static double run(int fd, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data,
		    .data_size_in = (__u32)packet.len, .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(fd, &opts)) {
		fprintf(stderr, "kernel: test run: %s\n", strerror(errno));
		exit(1);
	}
	return opts.duration;
}

static void gate_round(struct tap *tap, struct gate *g, int round)
{
	double ns[2];

	packet_build(&packet, &g->spec);
	for (int i = 0; i < 2; i++) {
		int which = (i + round) % 2; /* neither is always the first */

		ns[which] = run(program_fd(tap, g->hook, (enum program)which), g->repeat);
		record_count = RECORDS_MAX; /* read, and not kept */
		ring_buffer__consume(tap->ring);
	}
	g->ns[round] = ns[TAP] - ns[NOOP];
}

static void spec_client(struct packet_spec *spec, uint32_t i)
{
	spec->sport = (uint16_t)(1024 + i);
	spec->swap = 1;
}

static const uint8_t message[600] = {4, 1, 2, 88}; /* a TDS packet, and the last of its message */

/* A flow that the server has begun, at a level, and where the frames are known. */
static void flow_at(struct tap *tap, uint16_t sport, uint8_t level)
{
	SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .seq = 300, .payload_len = 100);
	set_level(tap, sport, level, 0);
	SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .seq = 400, .payload = message,
	     .payload_len = sizeof(message));
}

/* A frame in each packet: packets differ, so each is a run of its own. */
static double frames(struct tap *tap, enum program which)
{
	static uint8_t payload[3400] = {4, 0}; /* the most that a test run takes of a page */
	const uint32_t n = 20000, len = sizeof(payload);
	double sum = 0;

	payload[2] = (uint8_t)(len >> 8);
	payload[3] = (uint8_t)len;
	flow_at(tap, 14, TAP_FULL);
	set_level(tap, 14, TAP_HEADS, 0);
	for (uint32_t i = 0; i < n; i++) {
		packet_build(&packet, &(struct packet_spec){.sport = 14,
							    .swap = 1,
							    .seq = 1000 + i * len,
							    .payload = payload,
							    .payload_len = len});
		sum += run(program_fd(tap, HOOK_INGRESS, which), 1);
	}
	ring_buffer__consume(tap->ring);
	return sum / n;
}

/* The flows in no order, each packet of another one. */
static double scattered(struct tap *tap, enum program which)
{
	double sum = 0;

	packet_build(&packet, &(struct packet_spec){.sport = 1, .swap = 1, .payload_len = 1400});
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint16_t sport = (uint16_t)(1500 + i * 20011 % FLOWS);

		packet.data[packet.tcp_off + 2] = (uint8_t)(sport >> 8);
		packet.data[packet.tcp_off + 3] = (uint8_t)sport;
		sum += run(program_fd(tap, HOOK_INGRESS, which), 1);
	}
	return sum / FLOWS;
}

static void tell(const char *name, double value)
{
	printf("%s\t%.1f\n", name, value);
	fflush(stdout);
}

static void bench_gates(struct tap *tap)
{
	const size_t n = sizeof(gates) / sizeof(gates[0]);

	flow_at(tap, 11, TAP_HEADS);
	SEND(tap, HOOK_INGRESS, .sport = 11, .swap = 1, .seq = 1000, .payload_len = 1400,
	     .payload = (const uint8_t[1400]){4, 0, 0x7f, 0xff});
	flow_at(tap, 12, TAP_CLOSE);
	flow_at(tap, 13, TAP_FULL);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			gate_round(tap, &gates[(i + (size_t)round) % n], round);
	for (size_t i = 0; i < n; i++)
		tell(gates[i].name, median(gates[i].ns, ROUNDS));
}

static void bench_each(struct tap *tap, const char *name,
		       double (*measure)(struct tap *, enum program))
{
	double ns[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double noop_first = round % 2 ? 0 : measure(tap, NOOP);
		double tap_ns = measure(tap, TAP);

		ns[round] = tap_ns - (round % 2 ? measure(tap, NOOP) : noop_first);
	}
	tell(name, median(ns, ROUNDS));
}

static void bench_scattered(struct tap *tap)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint16_t sport = (uint16_t)(1500 + i);

		SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .payload_len = 10);
		set_level(tap, sport, TAP_CLOSE, 0);
	}
	bench_each(tap, "bulk, 32,768 flows in no order, tc", scattered);
}

/* Connections that are logged in and idle, and then a million SYNs, each of another client. */
static void bench_flood(struct tap *tap)
{
	uint64_t lost = tap_counter(tap, TAP_CNT_LOST);
	uint32_t alive = 0, events = 0;
	struct flow_key key;
	double sum = 0, base = 0;

	for (uint32_t i = 0; i < IDLE_FLOWS; i++) {
		struct packet_spec spec = {.payload_len = 10};

		spec_client(&spec, i);
		tap_send(tap, HOOK_INGRESS, &spec);
		set_level(tap, spec.sport, TAP_HEADS, 0);
	}
	packet_build(&packet, &(struct packet_spec){.flags = SYN});
	for (uint32_t i = 0; i < SYNS; i++) {
		packet.data[packet.tcp_off - 8 + 1] = (uint8_t)(20 + (i >> 16)); /* the address */
		packet.data[packet.tcp_off] = (uint8_t)(i >> 8);
		packet.data[packet.tcp_off + 1] = (uint8_t)i;
		packet.data[packet.tcp_off + 6] = (uint8_t)(i >> 8);
		sum += run(program_fd(tap, HOOK_INGRESS, TAP), 1);
		if (i % 16 == 0)
			base += run(program_fd(tap, HOOK_INGRESS, NOOP), 1);
	}
	record_count = 0;
	ring_buffer__consume(tap->ring);
	events = (uint32_t)record_count;
	for (uint32_t i = 0; i < IDLE_FLOWS; i++)
		alive += flow_level(tap, (uint16_t)(1024 + i), &key) == TAP_HEADS;
	tell("SYN flood: records", events + (double)(tap_counter(tap, TAP_CNT_LOST) - lost));
	tell("SYN flood: idle connections kept of 1,000", alive);
	tell("SYN flood: a SYN, tc", sum / SYNS - base / (SYNS / 16));
}

static void tell_instructions(struct tap *tap)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, tap->skel->obj)
	{
		struct bpf_prog_info info = {0};
		__u32 len = sizeof(info);
		char name[64];

		if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			continue;
		snprintf(name, sizeof(name), "verifier instructions, %s", bpf_program__name(prog));
		tell(name, info.verified_insns);
	}
}

int main(void)
{
	struct tap tap;

	libbpf_set_print(quiet);
	noop_fd[0] = noop(BPF_PROG_TYPE_SCHED_CLS, -1);
	noop_fd[1] = noop(BPF_PROG_TYPE_XDP, XDP_PASS);
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	tell_instructions(&tap);
	bench_gates(&tap);
	bench_each(&tap, "heads walked, packets of 3.4 KB, tc", frames);
	tap_close(&tap);
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	bench_flood(&tap);
	tap_close(&tap);
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	bench_scattered(&tap);
	tap_close(&tap);
	return 0;
}
