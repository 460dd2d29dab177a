// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel.c - what the tap costs per packet, by BPF_PROG_TEST_RUN. Each figure is the time of a
 * program minus that of one that does nothing, on the same hook and in the same round. Prints lines
 * of "name<TAB>value", the median of all rounds, in nanoseconds unless the name says otherwise. If
 * there is a floor, two values follow, each after a tab: the time of floor.bpf.c's program in the
 * same rounds, less the no-op's as well, and how often the tap's whole run takes the floor's.
 *
 * Run it pinned to a CPU, at real-time priority.
 */
#include <linux/pkt_cls.h>

#include "bench/measure.h"
#include "bpf/run.h"
#include "floor.skel.h"
#include "latency_histogram.h"

#define ROUNDS	   7
#define FLOWS	   32768u
#define IDLE_FLOWS 1000u
#define SYNS	   1000000u
#define HOT	   1000000 /* repetitions of one packet */
#define EMITTED	   20000   /* as many records as fit into the ring buffer */

enum program { NOOP, TAP, FLOOR, PROGRAMS };

struct gate {
	const char *name;
	enum hook hook;
	const char *floor; /* a program of floor.bpf.c */
	struct packet_spec spec;
	uint32_t repeat;
	double ns[ROUNDS], floor_ns[ROUNDS], ratio[ROUNDS];
};

#define BULK(port)                                                                                 \
	{                                                                                          \
		.sport = (port), .swap = 1, .seq = 2000, .payload_len = 1400                       \
	}

static struct gate gates[] = {
	{"packet of another port, tc",
	 HOOK_INGRESS,
	 "floor_port",
	 {.dport = 80, .payload_len = 100},
	 HOT,
	 {0},
	 {0},
	 {0}},
	{"packet of another port, XDP",
	 HOOK_XDP,
	 "floor_port_xdp",
	 {.dport = 80, .payload_len = 100},
	 HOT,
	 {0},
	 {0},
	 {0}},
	{"bulk at HEADS, tc", HOOK_INGRESS, "floor_flow", BULK(11), HOT, {0}, {0}, {0}},
	{"bulk at HEADS, XDP", HOOK_XDP, "floor_flow_xdp", BULK(11), HOT, {0}, {0}, {0}},
	{"bulk at CLOSE, tc", HOOK_INGRESS, "floor_flow", BULK(12), HOT, {0}, {0}, {0}},
	{"bulk at CLOSE, XDP", HOOK_XDP, "floor_flow_xdp", BULK(12), HOT, {0}, {0}, {0}},
	{"64 bytes handed over again, XDP",
	 HOOK_XDP,
	 "floor_emit_64_xdp",
	 {.sport = 13, .payload_len = 64},
	 EMITTED,
	 {0},
	 {0},
	 {0}},
	{"256 bytes handed over again, XDP",
	 HOOK_XDP,
	 "floor_emit_256_xdp",
	 {.sport = 13, .payload_len = 256},
	 EMITTED,
	 {0},
	 {0},
	 {0}},
};

static int noop_fd[2]; /* tc, XDP */
static struct floor_bpf *the_floor;

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

static int floor_fd(const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(the_floor->obj, name));
}

static int program_fd(struct tap *tap, enum hook hook, const char *floor, enum program which)
{
	if (which == NOOP)
		return noop_fd[hook == HOOK_XDP];
	if (which == FLOOR)
		return floor_fd(floor);
	return bpf_program__fd(tap_program(tap, hook));
}

static void empty_rings(struct tap *tap)
{
	static struct ring_buffer *floors;

	if (!floors)
		floors = ring_buffer__new(bpf_map__fd(the_floor->maps.events), forget_record, NULL,
					  NULL);
	record_count = RECORDS_MAX;
	ring_buffer__consume(tap->ring);
	ring_buffer__consume(floors);
}

/* All floors have the tap's flow table. */
static void floor_follow(const struct tap_key *key)
{
	static const char value[88];

	bpf_map_update_elem(bpf_map__fd(the_floor->maps.flows), key, value, BPF_ANY);
}

/* ns of one run, averaged over so many runs with the current packet */
static double run(int fd, uint32_t repeat)
{
	return test_run(fd, packet.data, packet.len, repeat);
}

static void gate_round(struct tap *tap, struct gate *g, int round)
{
	double ns[PROGRAMS] = {0};

	packet_build(&packet, &g->spec);
	for (int i = 0; i < PROGRAMS; i++) {
		int which = (i + round) % PROGRAMS; /* so that none is always first */

		ns[which] = run(program_fd(tap, g->hook, g->floor, (enum program)which), g->repeat);
		empty_rings(tap);
	}
	g->ns[round] = ns[TAP] - ns[NOOP];
	g->floor_ns[round] = ns[FLOOR] - ns[NOOP];
	g->ratio[round] = ns[TAP] / ns[FLOOR];
}

static void spec_client(struct packet_spec *spec, uint32_t i)
{
	spec->sport = (uint16_t)(1024 + i);
	spec->swap = 1;
}

/* The medians of all rounds. */
static void tell_floor(const char *name, double *ns, double *floor_ns, double *ratio)
{
	printf("%s\t%.1f\t%.1f\t%.2f\n", name, median(ns, ROUNDS), median(floor_ns, ROUNDS),
	       median(ratio, ROUNDS));
	fflush(stdout);
}

static const uint8_t message[600] = {4, 1, 2, 88}; /* a TDS packet, and the last of its message */

/* A flow begun by the server, at a level, with known frame boundaries. */
static void flow_at(struct tap *tap, uint16_t sport, uint8_t level)
{
	struct tap_key key;

	SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .seq = 300, .payload_len = 100);
	set_level(tap, sport, level, 0);
	flow_level(tap, sport, &key);
	floor_follow(&key);
	SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .seq = 400, .payload = message,
	     .payload_len = sizeof(message));
}

/* --- packets that differ --- */

/* A field of run n's packet: ((n >> shift) * times & mask) * step + base, network order. */
struct vary {
	int16_t off;
	uint8_t size; /* 2 or 4 bytes */
	uint8_t shift;
	int32_t times, mask, step, base;
};

#define VARY_MAX 6

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){.code = (c),                                                            \
			   .dst_reg = (d),                                                         \
			   .src_reg = (s),                                                         \
			   .off = (int16_t)(o),                                                    \
			   .imm = (int)(i)})
#define ALU_IMM(op, d, i)    INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s)	     INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define LOAD(size, d, s, o)  INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define MAP_FD(d, kind, fd)  INSN(BPF_LD | BPF_IMM | BPF_DW, d, kind, 0, fd)
#define NOTHING		     INSN(0, 0, 0, 0, 0) /* the second half of a MAP_FD */

static int create_map(enum bpf_map_type type, const char *name, uint32_t value_size)
{
	int fd = bpf_map_create(type, name, 4, value_size, 1, NULL);

	if (fd < 0) {
		fprintf(stderr, "kernel: map: %s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

/*
 * A program that makes each packet differ and then continues with another program: so that one is
 * measured with its code in the caches, and without the cost of a system call per packet.
 */
static int driver(const struct vary *vary, int count, int target)
{
	int runs = create_map(BPF_MAP_TYPE_ARRAY, "runs", 8);
	int targets = create_map(BPF_MAP_TYPE_PROG_ARRAY, "targets", 4);
	struct bpf_insn insns[16 + 9 * VARY_MAX];
	uint32_t n = 0, zero = 0, check;
	int fd, reach = 0;

	for (int i = 0; i < count; i++)
		reach = vary[i].off + vary[i].size > reach ? vary[i].off + vary[i].size : reach;

	insns[n++] = MOV_REG(6, 1);
	insns[n++] = MAP_FD(7, BPF_PSEUDO_MAP_VALUE, runs);
	insns[n++] = NOTHING;
	insns[n++] = LOAD(BPF_DW, 8, 7, 0);
	insns[n++] = MOV_REG(1, 8);
	insns[n++] = ALU_IMM(BPF_ADD, 1, 1);
	insns[n++] = STORE(BPF_DW, 7, 1, 0);
	insns[n++] = LOAD(BPF_W, 2, 6, offsetof(struct __sk_buff, data));
	insns[n++] = LOAD(BPF_W, 3, 6, offsetof(struct __sk_buff, data_end));
	insns[n++] = MOV_REG(4, 2);
	insns[n++] = ALU_IMM(BPF_ADD, 4, reach);
	check = n++;
	for (int i = 0; i < count; i++) {
		const struct vary *v = &vary[i];

		insns[n++] = MOV_REG(1, 8);
		insns[n++] = ALU_IMM(BPF_RSH, 1, v->shift);
		insns[n++] = ALU_IMM(BPF_MUL, 1, v->times);
		insns[n++] = ALU_IMM(BPF_AND, 1, v->mask);
		insns[n++] = ALU_IMM(BPF_MUL, 1, v->step);
		insns[n++] = ALU_IMM(BPF_ADD, 1, v->base);
		insns[n++] = INSN(BPF_ALU | BPF_END | BPF_TO_BE, 1, 0, 0, v->size * 8);
		insns[n++] = STORE(v->size == 2 ? BPF_H : BPF_W, 2, 1, v->off);
	}
	insns[n++] = MOV_REG(1, 6);
	insns[n++] = MAP_FD(2, BPF_PSEUDO_MAP_FD, targets);
	insns[n++] = NOTHING;
	insns[n++] = ALU_IMM(BPF_MOV, 3, 0);
	insns[n++] = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
	insns[check] = INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, n - check - 1, 0);
	insns[n++] = ALU_IMM(BPF_MOV, 0, -1);
	insns[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "driver", "GPL", insns, n, NULL);
	if (fd < 0 || bpf_map_update_elem(targets, &zero, &target, 0)) {
		fprintf(stderr, "kernel: driver: %s\n", strerror(errno));
		exit(1);
	}
	close(runs);
	/* it stays open: the program array is emptied when its last descriptor is closed */
	return fd;
}

/* Offsets of fields in a packet of Ethernet, IPv4 and TCP without options. */
enum { SADDR = 26, DADDR = 30, SPORT = 34, DPORT = 36, SEQ = 38, HEAD = 54 };

/* Measure the current packet at tc, each differing from the last; then empty the ring buffer. */
static void measure_varied(struct tap *tap, const char *name, const char *floor,
			   const struct vary *vary, int count, uint32_t repeat)
{
	double ns[ROUNDS], floor_ns[ROUNDS], ratio[ROUNDS];
	int fd[PROGRAMS];

	for (int which = 0; which < PROGRAMS; which++)
		fd[which] = driver(vary, count,
				   program_fd(tap, HOOK_INGRESS, floor, (enum program)which));
	for (int round = 0; round < ROUNDS; round++) {
		double got[PROGRAMS], once; /* a no-op's run, without what makes packets differ */

		for (int i = 0; i < PROGRAMS; i++) {
			int which = (i + round) % PROGRAMS;

			got[which] = run(fd[which], repeat);
			empty_rings(tap);
		}
		ns[round] = got[TAP] - got[NOOP];
		floor_ns[round] = got[FLOOR] - got[NOOP];
		once = run(noop_fd[0], HOT);
		ratio[round] = (ns[round] + once) / (floor_ns[round] + once);
	}
	for (int which = 0; which < PROGRAMS; which++)
		close(fd[which]);
	tell_floor(name, ns, floor_ns, ratio);
}

#define MEASURE(tap, name, floor, repeat, ...)                                                     \
	do {                                                                                       \
		static const struct vary vary[] = {__VA_ARGS__};                                   \
                                                                                                   \
		_Static_assert(sizeof(vary) <= VARY_MAX * sizeof(vary[0]), "driver()");            \
		measure_varied(tap, name, floor, vary, sizeof(vary) / sizeof(vary[0]), repeat);    \
	} while (0)

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
		tell_floor(gates[i].name, gates[i].ns, gates[i].floor_ns, gates[i].ratio);
}

/* Go through the ring buffers once, because memory that was never touched costs more. */
static void warm_up(struct tap *tap)
{
	flow_at(tap, 16, TAP_FULL);
	packet_build(&packet, &(struct packet_spec){.sport = 16, .payload_len = 256});
	for (int i = 0; i < 2; i++) {
		for (int which = TAP; which <= FLOOR; which++)
			run(program_fd(tap, HOOK_INGRESS, "floor_emit_256", (enum program)which),
			    EMITTED);
		empty_rings(tap);
	}
}

/* Packets of a login: each is a new message. */
static void bench_emitted(struct tap *tap)
{
	static const uint8_t small[64] = {4, 1, 0, 64}, large[256] = {4, 1, 1, 0};

	flow_at(tap, 16, TAP_FULL);
	packet_build(&packet, &(struct packet_spec){.sport = 16,
						    .swap = 1,
						    .payload = small,
						    .payload_len = sizeof(small)});
	MEASURE(tap, "64 bytes handed over, tc", "floor_emit_64", EMITTED,
		{SEQ, 4, 0, 1, -1, sizeof(small), 1000});
	flow_at(tap, 17, TAP_FULL);
	packet_build(&packet, &(struct packet_spec){.sport = 17,
						    .swap = 1,
						    .payload = large,
						    .payload_len = sizeof(large)});
	MEASURE(tap, "256 bytes handed over, tc", "floor_emit_256", EMITTED,
		{SEQ, 4, 0, 1, -1, sizeof(large), 1000});
}

/* A frame in each packet. */
static void bench_heads(struct tap *tap)
{
	/* the longest of a test run */
	static uint8_t payload[3400] = {4, 0, 3400 >> 8, 3400 & 0xff};

	flow_at(tap, 14, TAP_HEADS);
	packet_build(&packet, &(struct packet_spec){.sport = 14,
						    .swap = 1,
						    .payload = payload,
						    .payload_len = sizeof(payload)});
	MEASURE(tap, "heads walked, packets of 3.4 KB, tc", "floor_head", 200000,
		{SEQ, 4, 0, 1, -1, sizeof(payload), 1000});
}

/* Requests and responses of one packet each, counted and timed in the kernel. */
static void bench_commands(struct tap *tap)
{
	static const uint8_t payload[100] = {1, 1, 0, 100};
	int map = bpf_map__fd(tap->skel->maps.latencies), cpus = libbpf_num_possible_cpus();
	struct latency *sums = calloc((size_t)cpus, sizeof(*sums));
	uint32_t key = LATENCY_BATCH;
	struct tap_sums all;

	bpf_map_update_elem(map, &key, sums, BPF_NOEXIST);
	flow_at(tap, 15, TAP_HEADS);
	SEND(tap, HOOK_INGRESS, .sport = 15, .seq = 400, .payload = message,
	     .payload_len = sizeof(message));
	packet_build(&packet, &(struct packet_spec){.sport = 15,
						    .payload = payload,
						    .payload_len = sizeof(payload)});
	MEASURE(tap, "commands counted and timed, a packet, tc", "floor_command", 200000,
		{SADDR, 4, 0, 1, 1, 1, 0x0a000001}, {DADDR, 4, 0, 1, 1, -1, 0x0a000002},
		{SPORT, 2, 0, 1, 1, 1433 - 15, 15}, {DPORT, 2, 0, 1, 1, 15 - 1433, 1433},
		{SEQ, 4, 1, 1, -1, 100, 1000}, {HEAD, 2, 0, 1, 1, 0x300, 0x0101});
	tap_sums_of(tap, &all);
	tap_sums_latency(&all, key, sums);
	tell("commands that were timed, of 700,000", (double)sums->count);
	tap_sums_free(&all);
	free(sums);
}

static void bench_scattered(struct tap *tap)
{
	struct tap_key key;

	for (uint32_t i = 0; i < FLOWS; i++) {
		uint16_t sport = (uint16_t)(1500 + i);

		SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .payload_len = 10);
		set_level(tap, sport, TAP_CLOSE, 0);
		flow_level(tap, sport, &key);
		floor_follow(&key);
	}
	packet_build(&packet, &(struct packet_spec){.sport = 1, .swap = 1, .payload_len = 1400});
	MEASURE(tap, "bulk, 32,768 flows in no order, tc", "floor_flow", FLOWS,
		{DPORT, 2, 0, 20011, FLOWS - 1, 1, 1500});
}

static bool same_size(const struct bpf_map *a, const struct bpf_map *b)
{
	return bpf_map__max_entries(a) == bpf_map__max_entries(b) &&
	       bpf_map__value_size(a) == bpf_map__value_size(b);
}

/* floor_syn_tables is a floor only if its tables are as large as the tap's. */
static void check_tables(const struct tap *tap)
{
	if (same_size(tap->skel->maps.half_open, the_floor->maps.handshakes) &&
	    same_size(tap->skel->maps.half_open_sets, the_floor->maps.sets) &&
	    same_size(tap->skel->maps.flows, the_floor->maps.flows))
		return;
	fprintf(stderr, "kernel: the floor's tables do not have the size of the tap's\n");
	exit(1);
}

/* Idle logged-in connections, then a million SYNs, each from another client. */
static void bench_flood(struct tap *tap)
{
	uint64_t lost = tap_counter(tap, TAP_CNT_LOST);
	uint32_t alive = 0, events = 0;
	struct tap_key key;

	for (uint32_t i = 0; i < IDLE_FLOWS; i++) {
		struct packet_spec spec = {.payload_len = 10};

		spec_client(&spec, i);
		tap_send(tap, HOOK_INGRESS, &spec);
		set_level(tap, spec.sport, TAP_HEADS, 0);
	}
	packet_build(&packet, &(struct packet_spec){.flags = SYN});
	MEASURE(tap, "SYN flood: a SYN, tc", "floor_syn", SYNS / ROUNDS,
		{SADDR, 4, 16, 1, -1, 1, 0x0a140001}, {SPORT, 2, 0, 1, 0xffff, 1, 0},
		{SEQ, 4, 0, 1, -1, 77, 5});
	record_count = 0;
	ring_buffer__consume(tap->ring);
	events = (uint32_t)record_count;
	check_tables(tap);
	MEASURE(tap, "SYN flood: a SYN, tc, against tables of the tap's size", "floor_syn_tables",
		SYNS / ROUNDS, {SADDR, 4, 16, 1, -1, 1, 0x0a150001}, {SPORT, 2, 0, 1, 0xffff, 1, 0},
		{SEQ, 4, 0, 1, -1, 77, 5});
	for (uint32_t i = 0; i < IDLE_FLOWS; i++)
		alive += flow_level(tap, (uint16_t)(1024 + i), &key) == TAP_HEADS;
	tell("SYN flood: records", events + (double)(tap_counter(tap, TAP_CNT_LOST) - lost));
	tell("SYN flood: idle connections kept of 1,000", alive);
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

/* A million connections: only the tap's flow map. */
static void bench_memory(void)
{
	const uint32_t connections = 1000000;
	struct tap_bpf *skel = tap_bpf__open();
	uint64_t all = 0;
	struct bpf_map *map;

	if (!skel)
		exit(1);
	bpf_map__set_max_entries(skel->maps.flows, connections);
	if (tap_bpf__load(skel)) {
		fprintf(stderr, "kernel: a million connections: %s\n", strerror(errno));
		exit(1);
	}
	tell("kernel memory, bytes a connection of 1,000,000",
	     (double)map_bytes(bpf_map__fd(skel->maps.flows)) / connections);
	bpf_object__for_each_map(map, skel->obj) if (map != skel->maps.flows) all +=
		map_bytes(bpf_map__fd(map));
	tell("kernel memory, all else, MiB", (double)all / (1 << 20));
	tap_bpf__destroy(skel);
}

int main(void)
{
	struct tap tap;

	libbpf_set_print(quiet);
	noop_fd[0] = noop(BPF_PROG_TYPE_SCHED_CLS, -1);
	noop_fd[1] = noop(BPF_PROG_TYPE_XDP, XDP_PASS);
	the_floor = floor_bpf__open_and_load();
	if (!the_floor) {
		fprintf(stderr, "kernel: floor: %s\n", strerror(errno));
		return 1;
	}
	the_floor->bss->ports[1433 / 64] |= 1ull << 1433 % 64;
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	tell_instructions(&tap);
	bench_memory();
	warm_up(&tap);
	bench_gates(&tap);
	bench_emitted(&tap);
	bench_heads(&tap);
	bench_commands(&tap);
	tap_close(&tap);
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	bench_flood(&tap);
	tap_close(&tap);
	tap_open(&tap, &(struct tap_setup){.budget = 1u << 31});
	bench_scattered(&tap);
	tap_close(&tap);
	return 0;
}
