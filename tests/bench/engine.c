// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * engine.c - how fast the engine takes segments: engine CAPTURE COPIES. The capture's connections
 * come COPIES times, each time from other clients. Prints "events<TAB>logins<TAB>seconds".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"
#include "source/file.h"

#define SEGMENTS_MAX 65536

struct event {
	struct seg seg;
	uint8_t *payload;
};

static struct event events[SEGMENTS_MAX];
static size_t event_count;
static unsigned long login_count;

static int load(const char *path)
{
	const uint8_t *payload;
	struct seg seg;
	int err, got;
	struct file *file = file_open(path, &err);

	if (!file)
		return err;
	while ((got = file_next(file, &seg, &payload)) > 0 && event_count < SEGMENTS_MAX) {
		struct event *ev = &events[event_count++];

		ev->seg = seg;
		ev->payload = malloc(seg.cap_len + 1);
		if (!ev->payload)
			return -1;
		memcpy(ev->payload, payload, seg.cap_len);
	}
	file_close(file);
	return got < 0 ? got : 0;
}

static void on_login(void *ctx, const struct login_record *rec)
{
	(void)ctx, (void)rec;
	login_count++;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* By name, so that callgrind can be told to count in here alone. */
__attribute__((noinline)) void bench_take(struct engine *engine, unsigned long copies);

void bench_take(struct engine *engine, unsigned long copies)
{
	uint64_t span_ns = events[event_count - 1].seg.ts_ns - events[0].seg.ts_ns + 1000000;

	for (unsigned long copy = 0; copy < copies; copy++) {
		for (size_t i = 0; i < event_count; i++) {
			struct seg seg = events[i].seg;
			/* bytes 13 to 15 of 10.x.y.z, of the client, whose port is the higher */
			uint8_t *client = seg.sport > seg.dport ? seg.saddr : seg.daddr;

			client[13] = (uint8_t)(copy >> 16);
			client[14] = (uint8_t)(copy >> 8);
			client[15] = (uint8_t)copy;
			seg.ts_ns += copy * span_ns;
			engine_segment(engine, &seg, events[i].payload);
		}
	}
	engine_finish(engine);
}

int main(int argc, char **argv)
{
	static struct port_set ports;
	const struct engine_config config = {.ports = &ports};
	const struct engine_ops ops = {.login = on_login};
	unsigned long copies = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct engine *engine;
	double start;

	if (!copies || load(argv[1]) || !event_count)
		return 2;
	port_set_add(&ports, 1433);
	engine = engine_new(&config, &ops, NULL);
	if (!engine)
		return 1;
	start = now_s();
	bench_take(engine, copies);
	printf("%lu\t%lu\t%.6f\n", (unsigned long)event_count * copies, login_count,
	       now_s() - start);
	engine_free(engine);
	for (size_t i = 0; i < event_count; i++)
		free(events[i].payload);
	return 0;
}
