// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * inject.c - passes logins through the tap's programs and its ring buffer by BPF_PROG_TEST_RUN. One
 * thread injects a capture's packets, each time from another client; the other takes records out,
 * as tdsmon does, into the engine and a sink.
 *
 *	inject CAPTURE COPIES
 *		Prints the logins reported as ok, and the CPU seconds of the taking thread.
 *	inject CAPTURE COPIES deaf
 *		Takes nothing until everything is injected: what does not fit into the ring buffer is
 *		lost. Prints packets injected, the sum of the tap's counters, packets lost, logins
 *		reported as ok, as incomplete, and as what they were not.
 *	inject CAPTURE COPIES records
 *		Takes each packet's records before the next packet. Prints lines of a kind of record,
 *		how many there are of it, and their bytes in the ring buffer.
 *
 * The exit status is 1 if packets are not accounted for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/measure.h"
#include "engine/engine.h"
#include "sink/formats.h"
#include "source/live/tap_load.h"
#include "source/live/tap_sums.h"
#include "source/live/tap_control.h"

#define FRAMES_MAX  4096
#define PCAP_HEADER 24
#define LOOK_NS	    5000000
/* Offsets of addresses and ports in a frame of Ethernet and IPv4 without options. */
#define SOURCE	    26
#define DESTINATION 30
#define SOURCE_PORT 34

struct frame {
	uint8_t *bytes;
	uint32_t len;
	bool from_client;
};

static struct frame frames[FRAMES_MAX];
static size_t frame_count;
static struct tap_bpf *tap;
static struct tap_control control;
static struct ring_buffer *ring;
static struct engine *engine;
static const struct sink_ops *format;
static void *sink;
static struct output out;
static unsigned long ok, incomplete, others;
static bool counts_records; /* and takes them at once */
static atomic_bool all_in;

/* The captures are all of one kind: pcap, in this machine's byte order. */
static void load(const char *path, uint16_t port)
{
	uint32_t record[4]; /* seconds, fraction, bytes that follow, bytes on the wire */
	FILE *file = fopen(path, "rb");

	if (!file)
		return;
	fseek(file, PCAP_HEADER, SEEK_SET);
	while (frame_count < FRAMES_MAX && fread(record, sizeof(record), 1, file) == 1) {
		struct frame *f = &frames[frame_count++];

		f->len = record[2];
		f->bytes = malloc(f->len);
		if (fread(f->bytes, 1, f->len, file) != f->len)
			break;
		f->from_client = (f->bytes[SOURCE_PORT] << 8 | f->bytes[SOURCE_PORT + 1]) != port;
	}
	fclose(file);
}

/* What a record tells, and how often it came. */
static struct kind {
	const char *name;
	unsigned long records, bytes;
} handshakes = {"handshake", 0, 0}, acks = {"bare ACK", 0, 0}, payloads = {"payload", 0, 0},
  heads = {"head of a frame", 0, 0}, ends = {"FIN or RST", 0, 0}, counts = {"counts", 0, 0};

static struct kind *const kinds[] = {&handshakes, &acks, &payloads, &heads, &ends, &counts};

static struct kind *kind_of(const struct seg *seg)
{
	if (seg->flags & SEG_SYN)
		return &handshakes;
	if (seg->flags & (SEG_FIN | SEG_RST))
		return &ends;
	if (seg->rec_flags & SEG_F_COUNTS)
		return &counts;
	if (seg->rec_flags & SEG_F_HEADS)
		return &heads;
	return seg->len ? &payloads : &acks;
}

/* A record has a header of 8 bytes, and takes a multiple of 8. */
static void kind_count(const struct seg *seg, size_t size)
{
	struct kind *kind = kind_of(seg);

	kind->records++;
	kind->bytes += (BPF_RINGBUF_HDR_SZ + size + 7) / 8 * 8;
}

static void take_now(void)
{
	ring_buffer__consume(ring);
	tap_control_flush(&control);
}

/* Each copy has a client address of its own. */
static void put_in(unsigned long copies)
{
	int in = bpf_program__fd(tap->progs.tap_ingress);
	int egress = bpf_program__fd(tap->progs.tap_egress);

	for (unsigned long copy = 0; copy < copies; copy++) {
		for (size_t i = 0; i < frame_count; i++) {
			struct frame *f = &frames[i];
			uint8_t *client = f->bytes + (f->from_client ? SOURCE : DESTINATION);
			LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->bytes,
				    .data_size_in = f->len, .repeat = 1);

			client[1] = (uint8_t)(copy >> 16);
			client[2] = (uint8_t)(copy >> 8);
			client[3] = (uint8_t)copy;
			if (bpf_prog_test_run_opts(f->from_client ? in : egress, &opts)) {
				fprintf(stderr, "inject: test run: %s\n", strerror(errno));
				exit(1);
			}
			if (counts_records)
				take_now();
		}
	}
	all_in = true;
}

static void *putting(void *copies)
{
	put_in(*(unsigned long *)copies);
	return NULL;
}

static void on_login(void *ctx, const struct login_record *rec)
{
	(void)ctx;
	*(rec->outcome == OUTCOME_OK	       ? &ok
	  : rec->outcome == OUTCOME_INCOMPLETE ? &incomplete
					       : &others) += 1;
	format->login(sink, rec);
}

static void on_close(void *ctx, const struct close_record *rec)
{
	(void)ctx;
	if (format->close)
		format->close(sink, rec);
}

static void on_tap(void *ctx, const struct flow_key *flow, uint8_t client, enum tap_level level)
{
	struct tap_steer one = {
		.level = (__u8)level,
		.client = client,
		.key = {.port = {flow->port[0], flow->port[1]}},
	};

	(void)ctx;
	for (int i = 0; i < 2; i++)
		memcpy(&one.key.addr[i], flow->addr[i] + 12, sizeof(one.key.addr[i]));
	tap_control_add(&control, &one);
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct seg seg;

	(void)ctx;
	if (counts_records)
		kind_count(data, size);
	engine_segment(engine, tap_record(data, SEG_PLAIN, &seg),
		       (const uint8_t *)data + SEG_PLAIN);
	return 0;
}

/* Take records until no more come. */
static void take_out(void)
{
	struct timespec pause = {.tv_nsec = LOOK_NS};
	bool last;

	do {
		nanosleep(&pause, NULL);
		last = all_in;
		ring_buffer__consume(ring);
		tap_control_flush(&control);
		output_flush(&out);
	} while (!last);
}

static void counters(uint64_t sum[TAP_CNT_MAX])
{
	struct tap_sums sums;

	if (tap_sums_init(&sums, bpf_map__fd(tap->maps.counters), bpf_map__fd(tap->maps.latencies),
			  bpf_map__fd(tap->maps.recent)))
		exit(1);
	for (uint32_t which = 0; which < TAP_CNT_MAX; which++)
		sum[which] = tap_sums_counter(&sums, which);
	tap_sums_free(&sums);
}

static void open_all(const struct port_set *ports, unsigned long copies)
{
	static const struct wallclock clock;
	const struct live_config config = {.ports = ports, .max_flows = (uint32_t)copies + 1024};
	const struct engine_config engine_config = {.ports = ports,
						    .kernel_times_commands = true,
						    .max_flows = (uint32_t)copies + 1024};
	const struct engine_ops ops = {.login = on_login, .close = on_close, .tap = on_tap};
	const struct sink_config sink_config = {.out = &out, .clock = &clock};

	if (tap_load(&tap, &config))
		exit(1);
	tap_control_init(&control, bpf_program__fd(tap->progs.tap_steer));
	engine = engine_new(&engine_config, &ops, NULL);
	output_init(&out, open("/dev/null", O_WRONLY));
	format = sink_find("text");
	sink = format->open(&sink_config);
	if (!engine || !sink)
		exit(1);
}

int main(int argc, char **argv)
{
	unsigned long copies = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t counted[TAP_CNT_MAX], all = 0, put;
	struct port_set ports = {0};
	bool deaf = argc == 4 && !strcmp(argv[3], "deaf");
	pthread_t thread;
	double begin;

	counts_records = argc == 4 && !strcmp(argv[3], "records");
	if (!copies || argc > 4 || (argc == 4 && !deaf && !counts_records))
		return 2;
	port_set_add(&ports, 1433);
	load(argv[1], 1433);
	open_all(&ports, copies);
	ring = ring_buffer__new(bpf_map__fd(tap->maps.events), on_record, NULL, NULL);
	if (!frame_count || !ring)
		return 1;
	if (deaf || counts_records)
		put_in(copies);
	else if (pthread_create(&thread, NULL, putting, &copies))
		return 1;
	begin = thread_cpu_s();
	take_out();
	engine_finish(engine);
	for (size_t i = 0; counts_records && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		printf("%s\t%lu\t%lu\n", kinds[i]->name, kinds[i]->records, kinds[i]->bytes);
	if (!deaf && !counts_records)
		printf("%lu\t%.6f\n", ok, thread_cpu_s() - begin);
	counters(counted);
	for (int i = 0; i < TAP_CNT_MAX; i++)
		all += i == TAP_CNT_SYNS ? 0 : counted[i];
	put = (uint64_t)frame_count * copies;
	if (deaf)
		printf("%lu\t%lu\t%lu\t%lu\t%lu\t%lu\n", (unsigned long)put, (unsigned long)all,
		       (unsigned long)counted[TAP_CNT_LOST], ok, incomplete, others);
	if (!deaf && !counts_records)
		pthread_join(thread, NULL);
	return all == put && (deaf || (ok == copies && !counted[TAP_CNT_LOST])) ? 0 : 1;
}
