// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * scale.c - what it costs that several CPUs fill one ring buffer, by BPF_PROG_TEST_RUN on two CPUs
 * at once. Two taps with a ring buffer each stand for a tap with two. Prints lines of
 * "name<TAB>value", medians of all rounds unless the name says otherwise.
 *
 *	scale cost
 *		ns of a run on one CPU, on two, and on two with a ring buffer each; the same of
 *		floor.bpf.c's program, which only parses, finds the flow and writes a record; ns to take a record
 *		out. Run it at real-time priority.
 *	scale rate
 *		Producers that never pause, and readers that do nothing with a record.
 *	scale memory
 *		Bytes of the tap's maps here, and how many come with each CPU.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "bench/measure.h"
#include "bpf/run.h"
#include "floor.skel.h"
#include "lib/clock.h"

#define ROUNDS	   7
#define LANES	   2
#define RUNS	   100000 /* of a lane, in a round; as many records fit into the ring buffer */
#define RING	   (64u << 20)
#define PAYLOAD	   64
#define FIRST_PORT 1000 /* of the clients, one for each lane */
#define AT_ONCE	   1000 /* runs between two looks at the time */
#define RATE_NS	   500000000l
#define LOOK_NS	   1000000l /* the reader's pause when it has emptied the ring buffer */

/* A CPU that runs its own connection's packet again and again. */
struct lane {
	pthread_t thread;
	int cpu, program;
	int other; /* another tap's program, which half of the runs go through; -1: none */
	struct packet packet;
	uint32_t at_once;   /* runs of a system call */
	double ns, per_s;   /* of a run; runs a second */
	uint64_t runs, got; /* got: records that its reader took */
	double reader_s;    /* CPU seconds of its reader */
	struct ring_buffer *ring;
};

static struct tap taps[LANES];
static struct floor_bpf *floors[LANES];
static struct ring_buffer *floor_rings[LANES];
static struct lane lanes[LANES];
static pthread_barrier_t barrier;
static atomic_bool over;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set)) {
		fprintf(stderr, "scale: there is no CPU %d, two are needed\n", cpu);
		exit(1);
	}
}

static void floor_open(int which)
{
	struct floor_bpf *skel = floors[which] = floor_bpf__open();

	if (!skel || bpf_map__set_max_entries(skel->maps.events, RING) || floor_bpf__load(skel)) {
		fprintf(stderr, "scale: floor: %s\n", strerror(errno));
		exit(1);
	}
	skel->bss->ports[1433 / 64] |= 1ull << 1433 % 64;
	floor_rings[which] =
		ring_buffer__new(bpf_map__fd(skel->maps.events), forget_record, NULL, NULL);
}

/* The lane's connection in a tap, at a level: at TAP_FULL each packet is a record. */
static void lane_set(struct lane *lane, struct tap *tap, uint8_t level)
{
	int cpu = (int)(lane - lanes);
	uint16_t sport = (uint16_t)(FIRST_PORT + cpu);

	SEND(tap, HOOK_INGRESS, .sport = sport, .swap = 1, .seq = 300, .payload_len = 100);
	set_level(tap, sport, level, 0);
	*lane = (struct lane){.cpu = cpu,
			      .program = bpf_program__fd(tap_program(tap, HOOK_INGRESS)),
			      .other = -1,
			      .ring = tap->ring};
	packet_build(&lane->packet,
		     &(struct packet_spec){
			     .sport = sport, .swap = 1, .seq = 400, .payload_len = PAYLOAD});
}

/* --- what a run costs --- */

static void *lane_cost(void *ctx)
{
	struct lane *lane = ctx;
	uint64_t begin_ns;
	double sum = 0;

	pin(lane->cpu);
	pthread_barrier_wait(&barrier);
	begin_ns = clock_now_ns();
	for (uint32_t done = 0; done < RUNS; done += lane->at_once) {
		bool other = lane->other >= 0 && (done + (uint32_t)lane->cpu) * 2654435761u >> 31;

		sum += test_run(other ? lane->other : lane->program, lane->packet.data,
				lane->packet.len, lane->at_once) *
		       lane->at_once;
	}
	lane->ns = sum / RUNS;
	lane->per_s = RUNS * 1e9 / (double)(clock_now_ns() - begin_ns);
	return NULL;
}

/* The average ns of a run, of so many lanes at once. */
static double cost(unsigned int count)
{
	double sum = 0;

	pthread_barrier_init(&barrier, NULL, count);
	for (unsigned int i = 0; i < count; i++)
		pthread_create(&lanes[i].thread, NULL, lane_cost, &lanes[i]);
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(lanes[i].thread, NULL);
		sum += lanes[i].ns;
	}
	pthread_barrier_destroy(&barrier);
	return sum / count;
}

/* Empty a ring buffer: the number of records, and the ns that each took. */
static unsigned int drained(struct ring_buffer *ring, double *took)
{
	double begin = thread_cpu_s();
	int got;

	record_count = RECORDS_MAX; /* nothing is kept of them */
	got = ring_buffer__consume(ring);
	if (got > 0)
		*took = (thread_cpu_s() - begin) / got * 1e9;
	return got > 0 ? (unsigned int)got : 0;
}

static const struct way {
	const char *name;
	unsigned int lanes, taps;
	bool mixed; /* each CPU fills both, as it would if connections were divided */
} ways[] = {
	{"one CPU", 1, 1, false},
	{"two CPUs, one ring buffer", 2, 1, false},
	{"two CPUs, a ring buffer each", 2, 2, false},
	{"two CPUs, two ring buffers by connection", 2, 2, true},
};
#define WAYS	    4
#define WAYS_SIMPLE 3 /* those that need no choice between two runs */

enum load { EMITTED, EMITTED_FLOOR, EMITTED_PACED, PASSED };

static void lane_load(struct lane *lane, unsigned int which, enum load load)
{
	static const char value[88]; /* of a flow, as large as the tap's */
	struct tap_key key;

	lane_set(lane, &taps[which], load == PASSED ? TAP_CLOSE : TAP_FULL);
	lane->at_once = load == EMITTED_PACED ? 1 : RUNS;
	if (load != EMITTED_FLOOR)
		return;
	flow_level(&taps[which], (uint16_t)(FIRST_PORT + lane->cpu), &key);
	bpf_map_update_elem(bpf_map__fd(floors[which]->maps.flows), &key, value, BPF_ANY);
	lane->program = bpf_program__fd(floors[which]->progs.floor_emit_64);
	lane->ring = floor_rings[which];
}

/* A round of one way. Every run that should has left a record. */
static double cost_round(const struct way *way, enum load load, double *take)
{
	unsigned int taken = 0, due = load == PASSED ? 0 : way->lanes * RUNS;
	double ns;

	for (unsigned int i = 0; i < way->lanes; i++) {
		int other = -1;

		if (way->mixed) {
			lane_load(&lanes[i], !i, load);
			other = lanes[i].program;
		}
		lane_load(&lanes[i], i % way->taps, load);
		lanes[i].other = other;
	}
	ns = cost(way->lanes);
	for (unsigned int i = 0; i < way->taps; i++)
		taken += drained(lanes[i].ring, take);
	if (taken != due) {
		fprintf(stderr, "scale: %u records, %u were due\n", taken, due);
		exit(1);
	}
	return ns;
}

static void bench_cost(enum load load, const char *what)
{
	double ns[WAYS][ROUNDS], take[ROUNDS] = {0}, per_s[WAYS] = {0};
	unsigned int count = load == EMITTED_PACED ? WAYS : WAYS_SIMPLE;
	char name[128];

	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int i = 0; i < count; i++) {
			unsigned int way = (i + round) % count; /* so that none is always first */

			ns[way][round] = cost_round(&ways[way], load, &take[round]);
			for (unsigned int k = 0; k < ways[way].lanes; k++)
				per_s[way] += lanes[k].per_s / ROUNDS;
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s, %s", what, ways[i].name);
		tell(name, median(ns[i], ROUNDS));
		snprintf(name, sizeof(name), "%s, %s, M/s", what, ways[i].name);
		tell(name, per_s[i] / 1e6);
	}
	if (load == EMITTED)
		tell("a record taken out", median(take, ROUNDS));
}

/* --- at full rate --- */

static void *lane_produce(void *ctx)
{
	struct lane *lane = ctx;

	pin(lane->cpu);
	pthread_barrier_wait(&barrier);
	while (!over) {
		test_run(lane->program, lane->packet.data, lane->packet.len, AT_ONCE);
		lane->runs += AT_ONCE;
	}
	return NULL;
}

/* Another CPU than its lane's. Looks as tdsmon does: until nothing is left, then after a pause. */
static void *lane_read(void *ctx)
{
	struct timespec pause = {.tv_nsec = LOOK_NS};
	struct lane *lane = ctx;
	double begin = thread_cpu_s();
	int got;

	pin(!lane->cpu);
	pthread_barrier_wait(&barrier);
	while (!over) {
		got = ring_buffer__consume(lane->ring);
		if (got > 0)
			lane->got += (uint64_t)got;
		else
			nanosleep(&pause, NULL);
	}
	lane->reader_s = thread_cpu_s() - begin;
	return NULL;
}

static void rate(const struct way *way)
{
	struct timespec span = {.tv_nsec = RATE_NS};
	uint64_t runs = 0, got = 0, lost = 0;
	pthread_t readers[LANES];
	double reader_s = 0;
	char name[128];

	record_count = RECORDS_MAX;
	for (unsigned int i = 0; i < way->taps; i++)
		lost -= tap_counter(&taps[i], TAP_CNT_LOST);
	pthread_barrier_init(&barrier, NULL, way->lanes + way->taps);
	over = false;
	for (unsigned int i = 0; i < way->lanes; i++) {
		lane_set(&lanes[i], &taps[i % way->taps], TAP_FULL);
		record_count = RECORDS_MAX;
	}
	for (unsigned int i = 0; i < way->lanes; i++)
		pthread_create(&lanes[i].thread, NULL, lane_produce, &lanes[i]);
	for (unsigned int i = 0; i < way->taps; i++)
		pthread_create(&readers[i], NULL, lane_read, &lanes[i]);
	nanosleep(&span, NULL);
	over = true;
	for (unsigned int i = 0; i < way->taps; i++)
		pthread_join(readers[i], NULL);
	for (unsigned int i = 0; i < way->lanes; i++) {
		pthread_join(lanes[i].thread, NULL);
		runs += lanes[i].runs;
		got += lanes[i].got;
		reader_s += lanes[i].reader_s;
	}
	pthread_barrier_destroy(&barrier);
	for (unsigned int i = 0; i < way->taps; i++)
		lost += tap_counter(&taps[i], TAP_CNT_LOST);
	snprintf(name, sizeof(name), "%s: M packets/s", way->name);
	tell(name, (double)runs * 1e3 / RATE_NS);
	snprintf(name, sizeof(name), "%s: lost, %%", way->name);
	tell(name, 100.0 * (double)lost / (double)runs);
	snprintf(name, sizeof(name), "%s: M records/s of a reader's CPU", way->name);
	tell(name, (double)got / reader_s / 1e6);
	for (unsigned int i = 0; i < way->taps; i++)
		got += (uint64_t)ring_buffer__consume(taps[i].ring);
	snprintf(name, sizeof(name), "%s: packets not accounted for", way->name);
	tell(name, (double)runs - (double)got - (double)lost);
}

/* --- memory --- */

static bool map_is_per_cpu(const struct bpf_map *map)
{
	enum bpf_map_type type = bpf_map__type(map);

	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* A value in a per-CPU map takes a multiple of 8 bytes on each CPU. */
static void memory(void)
{
	uint64_t all = 0, always = 0, full = 0;
	struct bpf_map *map;

	bpf_object__for_each_map(map, taps[0].skel->obj)
	{
		uint64_t each =
			(bpf_map__value_size(map) + 7ull) / 8 * 8 * bpf_map__max_entries(map);

		all += map_bytes(bpf_map__fd(map));
		if (map_is_per_cpu(map))
			*(bpf_map__map_flags(map) & BPF_F_NO_PREALLOC ? &full : &always) += each;
	}
	tell("CPUs", libbpf_num_possible_cpus());
	tell("all maps, bytes here", (double)all);
	tell("with each CPU, bytes from the start", (double)always);
	tell("with each CPU, bytes when all servers are timed", (double)full);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	bool is_memory = !strcmp(what, "memory");

	libbpf_set_print(quiet);
	for (int i = 0; i < LANES; i++)
		tap_open(&taps[i],
			 &(struct tap_setup){.budget = 1u << 31,
					     .ring_size = !strcmp(what, "cost") ? RING : 0});
	if (!strcmp(what, "cost")) {
		for (int i = 0; i < LANES; i++)
			floor_open(i);
		bench_cost(EMITTED, "a packet handed over");
		bench_cost(EMITTED_FLOOR, "the same by a program that does only that (the floor)");
		bench_cost(EMITTED_PACED, "a packet handed over, a system call after each");
		bench_cost(PASSED, "a packet passed over");
	} else if (!strcmp(what, "rate")) {
		for (unsigned int i = 0; i < WAYS_SIMPLE; i++)
			rate(&ways[i]);
	} else if (is_memory) {
		memory();
	}
	for (int i = 0; i < LANES; i++)
		tap_close(&taps[i]);
	return is_memory || !strcmp(what, "cost") || !strcmp(what, "rate") ? 0 : 2;
}
