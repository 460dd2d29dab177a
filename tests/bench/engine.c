// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * engine.c - how fast the engine processes segments, and how much memory it takes. The capture's
 * connections come COPIES times, each time from other clients.
 *
 *	engine rate CAPTURE COPIES [FORMAT]
 *		Prints "events<TAB>logins<TAB>CPU seconds"; records go in that format to /dev/null.
 *	engine live CAPTURE COPIES [FORMAT]
 *	engine causes CAPTURE COPIES [FORMAT]
 *		The same as if these were packets of this host; and the second also with what tells
 *		causes: the dependencies, and a look at what waits as often as there is one to take.
 *	engine memory CAPTURE COPIES
 *		Prints bytes per connection: in its handshake, before the last answer; then logged in
 *		and idle; and how many of those are on the heap.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "sink/formats.h"
#include "source/capture/capture.h"

#define SEGMENTS_MAX 65536

struct event {
	struct seg seg;
	uint8_t *payload;
};

static struct event events[SEGMENTS_MAX];
static size_t event_count;
static unsigned long login_count;
static struct port_set ports;
static struct output out;
static const struct sink_ops *format;
static void *sink;
static bool is_live, tells_causes;
static uint64_t look_ns; /* when to look next */

static int load(const char *path)
{
	const uint8_t *payload;
	struct seg seg;
	int err, got;
	const char *name;
	int fd = capture_open_path(path, &name);
	struct capture *capture = fd < 0 ? NULL : capture_open(fd, name, NULL, &err);

	if (!capture)
		return -1;
	while ((got = capture_next(capture, &seg, &payload)) > 0 && event_count < SEGMENTS_MAX) {
		struct event *ev = &events[event_count++];

		ev->seg = seg;
		ev->payload = malloc(seg.cap_len + 1);
		if (!ev->payload)
			return -1;
		memcpy(ev->payload, payload, seg.cap_len);
	}
	capture_close(capture);
	return got < 0 ? got : 0;
}

static void on_login(void *ctx, const struct login_record *rec)
{
	(void)ctx;
	login_count++;
	if (format)
		format->login(sink, rec);
}

static void on_close(void *ctx, const struct close_record *rec)
{
	(void)ctx;
	if (format && format->close)
		format->close(sink, rec);
}

static void on_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	(void)ctx, (void)key, (void)client, (void)level;
}

static bool on_is_local(void *ctx, const uint8_t *addr)
{
	(void)ctx, (void)addr;
	return true;
}

static void on_wait(void *ctx, const struct engine_wait *wait)
{
	(void)ctx, (void)wait;
}

static struct engine *engine_for(uint32_t connections)
{
	const struct engine_config config = {
		.ports = &ports, .max_flows = connections, .dependencies = tells_causes};
	const struct engine_ops ops = {.login = on_login,
				       .close = on_close,
				       .tap = is_live ? on_tap : NULL,
				       .is_local = is_live ? on_is_local : NULL};

	return engine_new(&config, &ops, NULL);
}

/* CPU time of this process: others use the machine, too. */
static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Feed events first to end, from the copy's own client, with times later by later_ns. */
static void feed(struct engine *engine, size_t first, size_t end, unsigned long copy,
		 uint64_t later_ns)
{
	for (size_t i = first; i < end; i++) {
		struct seg seg = events[i].seg;
		/* bytes 13 to 15 of the client's 10.x.y.z; the client's port is the higher one */
		uint8_t *client = seg.sport > seg.dport ? seg.saddr : seg.daddr;

		client[13] = (uint8_t)(copy >> 16);
		client[14] = (uint8_t)(copy >> 8);
		client[15] = (uint8_t)copy;
		seg.ts_ns += later_ns;
		engine_segment(engine, &seg, events[i].payload);
		if (tells_causes && seg.ts_ns >= look_ns) {
			engine_waiting(engine, seg.ts_ns, on_wait, NULL);
			look_ns = seg.ts_ns + WITNESS_FIRST_NS;
		}
	}
}

/* A function of its own, so that callgrind can count only in here. */
__attribute__((noinline)) void bench_take(struct engine *engine, unsigned long copies);

void bench_take(struct engine *engine, unsigned long copies)
{
	uint64_t span_ns = events[event_count - 1].seg.ts_ns - events[0].seg.ts_ns + 1000000;

	for (unsigned long copy = 0; copy < copies; copy++)
		feed(engine, 0, event_count, copy, copy * span_ns);
	engine_finish(engine);
}

static int rate(unsigned long copies)
{
	static const struct wallclock clock;
	const struct sink_config config = {.out = &out, .clock = &clock};
	struct engine *engine = engine_for(0);
	double start, end;

	output_init(&out, open("/dev/null", O_WRONLY));
	if (format)
		sink = format->open(&config);
	if (!engine || (format && !sink))
		return 1;
	/* Events of a first run are not counted: libraries initialise themselves in it. */
	feed(engine, 0, event_count, 0xffffff, 0);
	login_count = 0;
	start = cpu_s();
	bench_take(engine, copies);
	end = cpu_s();
	printf("%lu\t%lu\t%.6f\n", (unsigned long)event_count * copies, login_count, end - start);
	engine_free(engine);
	if (format)
		format->free(sink);
	return output_close(&out) ? 1 : 0;
}

static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		exit(1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t on_heap(void)
{
	return mallinfo2().uordblks;
}

/* Number of events until the login is reported. */
static size_t events_of_login(void)
{
	struct engine *engine = engine_for(16);
	size_t n = 0;

	while (engine && !login_count && n < event_count) {
		feed(engine, n, n + 1, 0xffffff, 0);
		n++;
	}
	engine_free(engine);
	login_count = 0;
	return n;
}

static int memory(unsigned long copies)
{
	size_t n = events_of_login(), heap, before, handshake, idle, heap_idle;
	struct engine *engine = engine_for((uint32_t)copies);

	if (!engine || n < 2)
		return 1;
	malloc_trim(0);
	heap = on_heap();
	before = resident();
	/*
	 * All events but the last for every copy, then the last ones: in between, all are in their
	 * handshake.
	 */
	for (unsigned long copy = 0; copy < copies; copy++)
		feed(engine, 0, n - 1, copy, copy);
	handshake = resident();
	for (unsigned long copy = 0; copy < copies; copy++)
		feed(engine, n - 1, n, copy, copy);
	heap_idle = on_heap() > heap ? on_heap() - heap : 0;
	malloc_trim(0);
	idle = resident();
	if (login_count != copies || engine_stats(engine)->flows != copies)
		return 1;
	printf("%.1f\t%.1f\t%.1f\n", (double)(handshake - before) / (double)copies,
	       (double)(idle - before) / (double)copies, (double)heap_idle / (double)copies);
	engine_free(engine);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long copies = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0;
	int status;

	format = argc == 5 ? sink_find(argv[4]) : NULL;
	if (!copies || argc > 5 || (argc == 5 && !format) || load(argv[2]) || !event_count)
		return 2;
	port_set_add(&ports, 1433);
	tells_causes = !strcmp(argv[1], "causes");
	is_live = tells_causes || !strcmp(argv[1], "live");
	status = strcmp(argv[1], "memory") ? rate(copies) : memory(copies);
	for (size_t i = 0; i < event_count; i++)
		free(events[i].payload);
	return status;
}
