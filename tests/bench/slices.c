// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * slices.c - what uninterrupted traffic loses by being watched: the tap is attached and detached
 * every 100 ms, so that the machine's other work weighs on both alike.
 *
 *	slices none|noop|floor|tc|xdp INTERFACE PORT PAIRS
 *
 * none: nothing is ever attached, which shows the effect of chance. noop: programs that do nothing,
 * on tc ingress and egress, which shows the cost of the hooks. floor: programs there that only look
 * the connection up, read a frame's head and the clock, and add to a sum: the least that timing a
 * command takes (floor.bpf.c). tc: the tap against nothing. xdp: the tap instead of an XDP program
 * that does nothing, and tc egress.
 *
 * Prints six numbers for each pair: bytes received, bytes sent and packets received per second,
 * without and with. Then "told": the number of logins reported. For noop, floor and tc also "run": the
 * nanoseconds of a run of the programs, ingress and egress, by the kernel's statistics of one
 * second ("-": no packet came). The engine and a sink work as in tdsmon. With PAIRS 0, noop stays
 * attached until the process is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "engine/engine.h"
#include "floor.skel.h"
#include "sink/formats.h"
#include "source/live/attach.h"
#include "source/live/tap_load.h"
#include "source/live/tap_control.h"

#define SLICE_NS      80000000ull /* measured */
#define SETTLE_NS     20000000ull /* before that, after a change */
#define STATISTICS_NS 1000000000ull
#define LOOK_NS	      5000000ull /* between polls of the ring buffer, as in live.c */

enum way { NONE, NOOP, FLOOR, TC, XDP };

struct watcher {
	enum way way;
	struct tap_bpf *tap;
	struct ring_buffer *ring;
	struct tap_control control;
	struct engine *engine;
	struct output out;
	const struct sink_ops *format;
	void *sink;
	struct attachment at;
	struct attach_programs programs;
	struct netlink netlink; /* not opened: tcx needs none */
	int xdp_link, noop;
	unsigned long logins;
};

struct counters {
	double received, sent, packets;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *form, ...)
{
	va_list args;

	va_start(args, form);
	fputs("slices: ", stderr);
	vfprintf(stderr, form, args);
	fputc('\n', stderr);
	exit(1);
}

/* Of the network namespace of this process. */
static struct counters counters_of(const char *interface)
{
	unsigned long long received, packets, sent;
	char line[512], name[32];
	FILE *f = fopen("/proc/net/dev", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %31[^:]: %llu %llu %*u %*u %*u %*u %*u %*u %llu", name,
			   &received, &packets, &sent) != 4 ||
		    strcmp(name, interface))
			continue;
		fclose(f);
		return (struct counters){(double)received, (double)sent, (double)packets};
	}
	fail("no interface %s", interface);
}

/* ---- tdsmon, without its options and its loop ---- */

static void on_login(void *ctx, const struct login_record *rec)
{
	struct watcher *w = ctx;

	w->logins++;
	w->format->login(w->sink, rec);
}

static void on_close(void *ctx, const struct close_record *rec)
{
	struct watcher *w = ctx;

	if (w->format->close)
		w->format->close(w->sink, rec);
}

static void on_tap(void *ctx, const struct flow_key *flow, uint8_t client, enum tap_level level)
{
	struct watcher *w = ctx;
	struct tap_steer one = {
		.level = (__u8)level,
		.client = client,
		.key = {.port = {flow->port[0], flow->port[1]}},
	};

	for (int i = 0; i < 2; i++)
		memcpy(&one.key.addr[i], flow->addr[i] + 12, sizeof(one.key.addr[i]));
	tap_control_add(&w->control, &one);
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct watcher *w = ctx;
	struct seg seg;

	(void)size;
	engine_segment(w->engine, tap_record(data, SEG_PLAIN, &seg),
		       (const uint8_t *)data + SEG_PLAIN);
	return 0;
}

static void watcher_open(struct watcher *w, uint16_t port)
{
	static const struct wallclock clock;
	static struct port_set ports;
	const struct live_config config = {.ports = &ports,
					   .hook = w->way == XDP ? LIVE_HOOK_XDP : LIVE_HOOK_TC};
	const struct engine_config engine = {.ports = &ports, .kernel_times_commands = true};
	const struct engine_ops ops = {.login = on_login, .close = on_close, .tap = on_tap};
	const struct sink_config sink = {.out = &w->out, .clock = &clock};

	port_set_add(&ports, port);
	if (tap_load(&w->tap, &config))
		exit(1);
	w->ring = ring_buffer__new(bpf_map__fd(w->tap->maps.events), on_record, w, NULL);
	tap_control_init(&w->control, bpf_program__fd(w->tap->progs.tap_steer));
	w->engine = engine_new(&engine, &ops, w);
	output_init(&w->out, open("/dev/null", O_WRONLY));
	w->format = sink_find("text");
	w->sink = w->format->open(&sink);
	if (!w->ring || !w->engine || !w->sink)
		fail("out of memory");
	w->programs = (struct attach_programs){
		.ingress = bpf_program__fd(w->tap->progs.tap_ingress),
		.egress = bpf_program__fd(w->tap->progs.tap_egress),
		.ingress_ip = bpf_program__fd(w->tap->progs.tap_ingress_ip),
		.egress_ip = bpf_program__fd(w->tap->progs.tap_egress_ip),
		.xdp = -1,
	};
}

static int noop(enum bpf_prog_type type, int answer, const struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = answer},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "noop", "GPL", insns, 2, opts);

	if (fd < 0)
		fail("a program that does nothing: %s", strerror(errno));
	return fd;
}

static struct attach_programs same_at_all(int fd)
{
	return (struct attach_programs){fd, fd, fd, fd, -1};
}

/* Is it attached to both directions at tc? */
static bool is_by_tc(enum way way)
{
	return way == NOOP || way == FLOOR || way == TC;
}

static void noop_begin(struct watcher *w)
{
	w->programs = same_at_all(noop(BPF_PROG_TYPE_SCHED_CLS, -1 /* TC_ACT_UNSPEC */, NULL));
}

static void floor_begin(struct watcher *w, uint16_t port)
{
	struct floor_bpf *skel = floor_bpf__open_and_load();

	if (!skel)
		fail("the floor: %s", strerror(errno));
	skel->bss->ports[port / 64] |= 1ull << port % 64;
	w->programs = same_at_all(bpf_program__fd(skel->progs.floor_command));
}

/* An XDP program that does nothing stays attached; the tap replaces it for a while. */
static void xdp_begin(struct watcher *w)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP,
		    .prog_flags = BPF_F_XDP_HAS_FRAGS);

	w->noop = noop(BPF_PROG_TYPE_XDP, XDP_PASS, &opts);
	w->xdp_link = bpf_link_create(w->noop, (int)w->at.ifindex, BPF_XDP, NULL);
	if (w->xdp_link < 0)
		fail("XDP: %s", strerror(errno));
}

static void attach(struct watcher *w)
{
	struct attachment at = {.ifindex = w->at.ifindex, .netlink = &w->netlink};
	int err = 0;

	memcpy(at.name, w->at.name, sizeof(at.name));
	w->at = at;
	if (is_by_tc(w->way))
		err = attach_interface(&w->at, &w->programs, ATTACH_LINK_ETHERNET, ATTACH_BOTH);
	if (w->way == XDP) {
		w->at.egress.link_fd = bpf_link_create(w->programs.egress, (int)w->at.ifindex,
						       47 /* BPF_TCX_EGRESS */, NULL);
		w->at.egress.how = ATTACH_TCX;
		w->at.ingress.link_fd = -1;
		err = w->at.egress.link_fd < 0 ? -errno : 0;
		if (!err &&
		    bpf_link_update(w->xdp_link, bpf_program__fd(w->tap->progs.tap_xdp), NULL))
			err = -errno;
	}
	if (err)
		fail("attach: %s", strerror(-err));
}

static void detach(struct watcher *w)
{
	if (w->way == XDP && bpf_link_update(w->xdp_link, w->noop, NULL))
		fail("XDP: %s", strerror(errno));
	if (w->way != NONE)
		attach_release(&w->at);
}

/* As live.c does: poll while there is traffic. */
static void watch_for(struct watcher *w, uint64_t ns)
{
	uint64_t until_ns = now_ns() + ns;
	struct timespec pause = {.tv_nsec = LOOK_NS};

	while (now_ns() < until_ns) {
		nanosleep(&pause, NULL);
		if (!w->tap)
			continue;
		ring_buffer__consume(w->ring);
		tap_control_flush(&w->control);
		engine_tick(w->engine, now_ns());
		output_flush(&w->out);
	}
}

static struct counters slice(struct watcher *w, const char *interface)
{
	struct counters before, after;
	uint64_t begin_ns;
	double s;

	watch_for(w, SETTLE_NS);
	begin_ns = now_ns();
	before = counters_of(interface);
	watch_for(w, SLICE_NS);
	after = counters_of(interface);
	s = (double)(now_ns() - begin_ns) / 1e9;
	return (struct counters){(after.received - before.received) / s,
				 (after.sent - before.sent) / s,
				 (after.packets - before.packets) / s};
}

/* Neither is always first. */
static void pair(struct watcher *w, const char *interface, bool watched_first)
{
	struct counters got[2];

	for (int i = 0; i < 2; i++) {
		bool watched = watched_first ^ i;

		if (watched)
			attach(w);
		got[watched] = slice(w, interface);
		if (watched)
			detach(w);
	}
	printf("%.0f %.0f %.0f %.0f %.0f %.0f\n", got[0].received, got[0].sent, got[0].packets,
	       got[1].received, got[1].sent, got[1].packets);
	fflush(stdout);
}

struct runs {
	double ns, count;
};

static struct runs runs_of(int program)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		fail("what a program took: %s", strerror(errno));
	return (struct runs){(double)info.run_time_ns, (double)info.run_cnt};
}

static void statistics(struct watcher *w)
{
	const int programs[] = {w->programs.ingress, w->programs.egress};
	struct runs before[2], after;
	int fd;

	attach(w);
	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (fd < 0)
		fail("statistics: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		before[i] = runs_of(programs[i]);
	watch_for(w, STATISTICS_NS);
	printf("run");
	for (int i = 0; i < 2; i++) {
		after = runs_of(programs[i]);
		if (after.count > before[i].count)
			printf(" %.0f",
			       (after.ns - before[i].ns) / (after.count - before[i].count));
		else
			printf(" -");
	}
	printf("\n");
	close(fd);
	detach(w);
}

int main(int argc, char **argv)
{
	static const char *const ways[] = {"none", "noop", "floor", "tc", "xdp"};
	struct watcher w = {.xdp_link = -1};
	int pairs;

	while (argc == 5 && w.way <= XDP && strcmp(argv[1], ways[w.way]))
		w.way++;
	if (argc != 5 || w.way > XDP)
		return 2;
	w.at.ifindex = if_nametoindex(argv[2]);
	snprintf(w.at.name, sizeof(w.at.name), "%s", argv[2]);
	if (w.way == NOOP)
		noop_begin(&w);
	if (w.way == FLOOR)
		floor_begin(&w, (uint16_t)atoi(argv[3]));
	if (w.way == TC || w.way == XDP)
		watcher_open(&w, (uint16_t)atoi(argv[3]));
	if (w.way == XDP)
		xdp_begin(&w);
	pairs = atoi(argv[4]);
	if (!pairs && w.way == NOOP) {
		attach(&w);
		pause();
	}
	for (int i = 0; i < pairs; i++)
		pair(&w, argv[2], i % 2);
	printf("told %lu\n", w.logins);
	if (is_by_tc(w.way))
		statistics(&w);
	return 0;
}
