// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * live_open.c - opens the live source, takes the records of its ring buffer, and closes it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "source/live/live_int.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/units.h"

uint64_t live_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void live_segment(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	struct live *live = ctx;

	if (seg->ts_ns >= live->since_ns || seg->rec_flags & SEG_F_UDP)
		live->fn(live->fn_ctx, seg, payload);
}

static int live_on_record(void *ctx, void *data, size_t size)
{
	struct live *live = ctx;
	size_t head = live->seg_len;
	const struct seg *seg;
	struct seg room;

	if (size < head)
		return 0;
	seg = tap_record(data, head, &room);
	if (seg->cap_len > size - head ||
	    (seg->rec_flags & SEG_F_COUNTS && size < head + sizeof(struct tap_counts)))
		return 0;
	live_segment(live, seg, (const uint8_t *)data + head);
	return ++live->segments < LIVE_BATCH ? 0 : -EAGAIN;
}

static int live_watch_fd(const struct live *live, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int live_open_fds(struct live *live)
{
	int events = bpf_map__fd(live->tap->maps.events);
	int err;

	live->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (live->epoll_fd < 0)
		return -errno;
	live->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (live->timer_fd < 0)
		return -errno;
	live->ring = ring_buffer__new(events, live_on_record, live, NULL);
	if (!live->ring)
		return -errno;
	/* Edge-triggered: only the tap's wake-ups, not everything that came since the last poll. */
	err = live_watch_fd(live, events, EPOLLIN | EPOLLET);
	if (!err)
		err = live_watch_fd(live, live->timer_fd, EPOLLIN);
	return err;
}

static int live_load(struct live *live, const struct live_config *config)
{
	int err = tap_load(&live->tap, config);

	if (err)
		return err;
	if (config->ports)
		live->ports = *config->ports;
	err = tap_sums_init(&live->sums, bpf_map__fd(live->tap->maps.counters),
			    bpf_map__fd(live->tap->maps.latencies),
			    bpf_map__fd(live->tap->maps.recent));
	if (err)
		return err;
	live->latencies = command_latency_new(&live->sums, bpf_map__fd(live->tap->maps.servers));
	if (!live->latencies)
		return -ENOMEM;
	live->syns = unanswered_syns_new(bpf_map__fd(live->tap->maps.half_open),
					 bpf_map__max_entries(live->tap->maps.half_open));
	if (!live->syns)
		return -errno;
	tap_control_init(&live->control, bpf_program__fd(live->tap->progs.tap_steer));
	return 0;
}

static int live_watch(struct live *live, const struct live_config *config)
{
	const struct tap_bpf *tap = live->tap;
	const struct attach_programs programs = {
		.ingress = bpf_program__fd(tap->progs.tap_ingress),
		.egress = bpf_program__fd(tap->progs.tap_egress),
		.ingress_ip = bpf_program__fd(tap->progs.tap_ingress_ip),
		.egress_ip = bpf_program__fd(tap->progs.tap_egress_ip),
		.xdp = config->hook == LIVE_HOOK_XDP ? bpf_program__fd(tap->progs.tap_xdp) : -1,
	};
	int err = interfaces_watch(live->interfaces, &programs,
				   config->mirror ? ATTACH_INGRESS_ONLY : ATTACH_BOTH);

	return err ?: live_watch_fd(live, interfaces_fd(live->interfaces), EPOLLIN);
}

int live_tell_addresses(struct live *live)
{
	size_t count;
	const uint8_t(*addresses)[16] = interfaces_addresses(live->interfaces, &count);

	return live->dependencies ? services_hosts(&live->services, addresses, count) : 0;
}

static int live_start_services(struct live *live, const struct live_config *config)
{
	int err;

	live->dependencies = config->dependencies && !config->mirror;
	if (!live->dependencies)
		return 0;
	services_init(&live->services, live->tap);
	err = live_tell_addresses(live);
	log_debug("%zu connections may be RPC's", services_connections(&live->services, live->tap));
	return err;
}

static int live_start(struct live *live, const struct live_config *config)
{
	int err;

	live->seg_len = config->decap ? sizeof(struct seg) : SEG_PLAIN;
	live->interfaces = interfaces_new(config->interfaces, config->interface_count, &err);
	if (live->interfaces)
		err = live_load(live, config);
	if (!err)
		err = live_open_fds(live);
	if (!err)
		err = live_watch(live, config);
	if (!err)
		err = live_start_services(live, config);
	live->since_ns = live_now_ns();
	if (!err) {
		live->tap->bss->tap_armed = 1;
		live->tap->bss->tap_recognise_unwatched = !config->any_port;
	}
	return err;
}

struct live *live_open(const struct live_config *config, int *err)
{
	struct live *live = calloc(1, sizeof(*live));

	*err = -ENOMEM;
	if (!live) {
		log_error("out of memory");
		return NULL;
	}
	live->epoll_fd = live->timer_fd = -1;
	*err = live_start(live, config);
	if (!*err)
		return live;
	log_error("cannot watch live: %s", strerror(-*err));
	live_close(live);
	return NULL;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	interfaces_free(live->interfaces);
	ring_buffer__free(live->ring);
	unanswered_syns_free(live->syns);
	command_latency_free(live->latencies);
	tap_sums_free(&live->sums);
	services_release(&live->services);
	tap_bpf__destroy(live->tap);
	fd_close(live->timer_fd);
	fd_close(live->epoll_fd);
	free(live);
}
