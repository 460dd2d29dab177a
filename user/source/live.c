// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * live.c - the live source: the tap in the kernel, the interfaces it is attached to, and its ring
 * buffer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach.h"
#include "confine.h"
#include "live.h"
#include "load.h"
#include "log.h"
#include "netdev.h"
#include "silent.h"
#include "steer.h"
#include "latencies.h"

#define LIVE_BATCH	  65536 /* most segments in one dispatch, so that the caller's timers run */
#define LIVE_LOOK_NS	  5000000 /* between looks at the ring buffer while there is traffic */
#define LIVE_IDLE_MAX	  4	  /* looks in vain after which to sleep until woken */
#define LIVE_ATTACHED_MAX 1024	  /* interfaces; reaching it is logged */

struct live_attached {
	struct attachment at;
	int promiscuous_fd; /* -1: not wanted */
};

struct live {
	struct tap_bpf *tap;
	struct port_set ports, learned; /* the tap watches both */
	struct ring_buffer *ring;
	struct latencies *latencies;
	struct silent *silent;
	struct steer steer;
	struct attach_programs programs;
	enum attach_mode mode;
	bool promiscuous;
	char **names; /* NULL: all that are up */
	size_t name_count;
	struct live_attached *attached;
	size_t attached_count;
	uint8_t (*addresses)[16];
	size_t address_count;
	int epoll_fd, netlink_fd, timer_fd, slot_fd;
	unsigned int slot;
	unsigned int idle; /* looks in vain in a row */
	int cpus;
	char *description;
	/* of the dispatch going on */
	segment_fn *fn;
	void *fn_ctx;
	int segments;
};

static bool live_wants(const struct live *live, const struct netdev *dev)
{
	if (!live->names)
		return dev->up && attach_link_of(dev->arphrd) != ATTACH_LINK_UNKNOWN;
	for (size_t i = 0; i < live->name_count; i++)
		if (!strcmp(live->names[i], dev->name))
			return true;
	return false;
}

static struct live_attached *live_find(const struct live *live, unsigned int ifindex)
{
	for (size_t i = 0; i < live->attached_count; i++)
		if (live->attached[i].at.ifindex == ifindex)
			return &live->attached[i];
	return NULL;
}

static void live_detach(struct live_attached *a)
{
	attach_release(&a->at);
	if (a->promiscuous_fd >= 0)
		close(a->promiscuous_fd);
}

static int live_attach(struct live *live, const struct netdev *dev)
{
	struct live_attached *a = &live->attached[live->attached_count];
	enum attach_link link = attach_link_of(dev->arphrd);
	int err;

	if (live->attached_count == LIVE_ATTACHED_MAX) {
		log_warn("%s: not watched, there are more than %d interfaces", dev->name,
			 LIVE_ATTACHED_MAX);
		return 0;
	}
	if (link == ATTACH_LINK_UNKNOWN) {
		log_error("%s: can't read this kind of interface (ARPHRD %u)", dev->name,
			  dev->arphrd);
		return -EOPNOTSUPP;
	}
	*a = (struct live_attached){.promiscuous_fd = -1};
	memcpy(a->at.name, dev->name, sizeof(a->at.name));
	a->at.ifindex = dev->ifindex;
	a->at.clsact_slot = live->slot;
	err = attach_interface(&a->at, &live->programs, link, live->mode);
	if (err) {
		log_error("%s: can't attach: %s", dev->name, strerror(-err));
		return err;
	}
	if (live->promiscuous && link == ATTACH_LINK_ETHERNET) {
		a->promiscuous_fd = netdev_promiscuous(dev->ifindex);
		if (a->promiscuous_fd < 0)
			log_warn(
				"%s: not promiscuous (%s): of a mirror port only what is addressed "
				"to this host is seen",
				dev->name, strerror(-a->promiscuous_fd));
	}
	live->attached_count++;
	return 0;
}

static void live_describe_anew(struct live *live)
{
	size_t size = 256 * (live->attached_count + 1), used = 0;
	char *text = malloc(size);

	if (!text)
		return;
	snprintf(text, size, "no interface");
	for (size_t i = 0; i < live->attached_count; i++) {
		if (i)
			used += (size_t)snprintf(text + used, size - used, ", ");
		attach_describe(&live->attached[i].at, text + used, size - used);
		used += strlen(text + used);
	}
	free(live->description);
	live->description = text;
}

/* Forget the interfaces that went away, or no longer bear a name that is wanted. */
static bool live_drop_gone(struct live *live, const struct netdev *devs, size_t count)
{
	size_t kept = 0;
	bool changed;

	for (size_t i = 0; i < live->attached_count; i++) {
		struct live_attached *a = &live->attached[i];
		bool there = false;

		for (size_t j = 0; j < count && !there; j++)
			there = devs[j].ifindex == a->at.ifindex &&
				(!live->names || live_wants(live, &devs[j]));
		if (there) {
			live->attached[kept++] = *a;
			continue;
		}
		log_info("%s: went away, no longer watched", a->at.name);
		live_detach(a);
	}
	changed = kept != live->attached_count;
	live->attached_count = kept;
	return changed;
}

/* Bring what is attached in line with the interfaces there are. Later failures are not fatal. */
static int live_follow_links(struct live *live)
{
	size_t count;
	struct netdev *devs = netdev_list(&count);
	bool changed;
	int err = 0;

	if (!devs)
		return -errno;
	changed = live_drop_gone(live, devs, count);
	for (size_t i = 0; i < count; i++) {
		int one;

		if (!live_wants(live, &devs[i]) || live_find(live, devs[i].ifindex))
			continue;
		one = live_attach(live, &devs[i]);
		changed = true;
		if (one && live->names)
			err = one;
	}
	if (changed)
		live_describe_anew(live);
	free(devs);
	return err;
}

static int live_follow_addresses(struct live *live)
{
	size_t count;
	uint8_t(*addresses)[16] = netdev_addresses(&count);

	if (!addresses)
		return -errno;
	free(live->addresses);
	live->addresses = addresses;
	live->address_count = count;
	return 0;
}

/* Each name that was given is to be there at the start, lest a typing error go unnoticed. */
static int live_check_names(const struct live *live)
{
	size_t count;
	struct netdev *devs = netdev_list(&count);
	char all[1024] = "";
	size_t used = 0;
	int err = 0;

	if (!devs)
		return -errno;
	for (size_t i = 0; i < count && used < sizeof(all); i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "",
					 devs[i].name);
	for (size_t n = 0; n < live->name_count; n++) {
		bool there = false;

		for (size_t i = 0; i < count && !there; i++)
			there = !strcmp(live->names[n], devs[i].name);
		if (there)
			continue;
		log_error("no interface '%s'; there are: %s", live->names[n], all);
		err = -ENODEV;
	}
	free(devs);
	return err;
}

static int live_copy_names(struct live *live, const struct live_config *config)
{
	if (!config->interfaces)
		return 0;
	live->names = calloc(config->interface_count + 1, sizeof(*live->names));
	if (!live->names)
		return -ENOMEM;
	for (size_t i = 0; i < config->interface_count; i++) {
		live->names[i] = strdup(config->interfaces[i]);
		if (!live->names[i])
			return -ENOMEM;
		live->name_count++;
	}
	return 0;
}

static int live_on_record(void *ctx, void *data, size_t size)
{
	struct live *live = ctx;
	const struct seg *seg = data;

	if (size < sizeof(*seg) || seg->cap_len > size - sizeof(*seg) ||
	    (seg->note & SEG_NOTE_COUNTS && size < sizeof(*seg) + sizeof(struct tap_counts)))
		return 0;
	live->fn(live->fn_ctx, seg, (const uint8_t *)(seg + 1));
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
	live->netlink_fd = netdev_watch();
	if (live->netlink_fd < 0)
		return live->netlink_fd;
	live->ring = ring_buffer__new(events, live_on_record, live, NULL);
	if (!live->ring)
		return -errno;
	/* Edges: the tap's wake-ups alone, and not whatever came in since the last look. */
	err = live_watch_fd(live, events, EPOLLIN | EPOLLET);
	if (!err)
		err = live_watch_fd(live, live->timer_fd, EPOLLIN);
	if (!err)
		err = live_watch_fd(live, live->netlink_fd, EPOLLIN);
	return err;
}

static int live_load(struct live *live, const struct live_config *config)
{
	struct bpf_program *xdp;
	int err = tap_load(&live->tap, config);

	if (err)
		return err;
	if (config->ports)
		live->ports = *config->ports;
	live->latencies = latencies_new(bpf_map__fd(live->tap->maps.latencies),
					bpf_map__fd(live->tap->maps.servers));
	if (!live->latencies)
		return -ENOMEM;
	live->silent = silent_new(bpf_map__fd(live->tap->maps.halves),
				  bpf_map__max_entries(live->tap->maps.halves));
	if (!live->silent)
		return -errno;
	steer_init(&live->steer, bpf_program__fd(live->tap->progs.tap_steer));
	xdp = live->tap->progs.tap_xdp;
	live->programs = (struct attach_programs){
		.ingress = bpf_program__fd(live->tap->progs.tap_ingress),
		.egress = bpf_program__fd(live->tap->progs.tap_egress),
		.ingress_ip = bpf_program__fd(live->tap->progs.tap_ingress_ip),
		.egress_ip = bpf_program__fd(live->tap->progs.tap_egress_ip),
		.xdp = config->hook == LIVE_HOOK_XDP ? bpf_program__fd(xdp) : -1,
	};
	live->mode = config->mirror ? ATTACH_INGRESS_ONLY : ATTACH_BOTH;
	live->promiscuous = config->mirror;
	return 0;
}

/* What a killed run left on any interface, also on those not watched this time. */
static int live_clear_leftovers(struct live *live)
{
	size_t count;
	struct netdev *devs;

	live->slot_fd = attach_slot_claim(&live->slot);
	if (live->slot_fd < 0) {
		log_error("too many are running already: no clsact slot is free");
		return live->slot_fd;
	}
	devs = netdev_list(&count);
	for (size_t i = 0; devs && i < count; i++)
		attach_remove_leftovers(devs[i].ifindex, live->slot);
	free(devs);
	return 0;
}

static int live_start(struct live *live, const struct live_config *config)
{
	int err = live_copy_names(live, config);

	if (!err)
		err = live_check_names(live);
	if (!err)
		err = live_load(live, config);
	if (!err)
		err = live_open_fds(live);
	if (!err)
		err = live_clear_leftovers(live);
	if (!err)
		err = live_follow_addresses(live);
	if (!err)
		err = live_follow_links(live);
	if (err)
		return err;
	live->tap->bss->tap_armed = 1;
	if (!live->attached_count)
		log_warn("no interface is up yet");
	live_describe_anew(live);
	return live->description ? 0 : -ENOMEM;
}

struct live *live_open(const struct live_config *config, int *err)
{
	struct live *live = calloc(1, sizeof(*live));

	*err = -ENOMEM;
	if (!live) {
		log_error("out of memory");
		return NULL;
	}
	live->epoll_fd = live->netlink_fd = live->timer_fd = live->slot_fd = -1;
	live->cpus = libbpf_num_possible_cpus();
	live->attached = calloc(LIVE_ATTACHED_MAX, sizeof(*live->attached));
	if (live->attached)
		*err = live_start(live, config);
	if (!*err)
		return live;
	log_error("can't watch live: %s", strerror(-*err));
	live_close(live);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void live_close(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < live->attached_count; i++)
		live_detach(&live->attached[i]);
	ring_buffer__free(live->ring);
	silent_free(live->silent);
	latencies_free(live->latencies);
	tap_bpf__destroy(live->tap);
	close_fd(live->netlink_fd);
	close_fd(live->timer_fd);
	close_fd(live->epoll_fd);
	close_fd(live->slot_fd);
	for (size_t i = 0; i < live->name_count; i++)
		free(live->names[i]);
	free(live->names);
	free(live->attached);
	free(live->addresses);
	free(live->description);
	free(live);
}

int live_fd(const struct live *live)
{
	return live->epoll_fd;
}

static void live_follow(struct live *live)
{
	unsigned int changes = netdev_changes(live->netlink_fd);

	if (changes & NETDEV_LINKS)
		live_follow_links(live);
	if (changes & NETDEV_ADDRESSES)
		live_follow_addresses(live);
}

static int live_drain(struct live *live)
{
	int err = ring_buffer__consume(live->ring);

	return err < 0 && err != -EAGAIN ? err : 0;
}

static void live_look_after(const struct live *live, long ns)
{
	struct itimerspec spec = {.it_value.tv_nsec = ns};

	timerfd_settime(live->timer_fd, 0, &spec, NULL);
}

/* Look again soon while there is traffic; have the tap wake us when there is some again. */
static int live_next_look(struct live *live)
{
	volatile __u32 *armed = &live->tap->bss->tap_armed;

	if (live->segments) {
		live->idle = 0;
		*armed = 0;
		live_look_after(live, live->segments >= LIVE_BATCH ? 1 : LIVE_LOOK_NS);
		return 0;
	}
	if (live->idle < LIVE_IDLE_MAX) {
		live->idle++;
		live_look_after(live, LIVE_LOOK_NS);
		return 0;
	}
	if (*armed)
		return 0;
	*armed = 1;
	__sync_synchronize();
	return live_drain(live); /* what came in before the tap could know */
}

/* The kernel may have added ports by itself, see bpf/browser.h: they are taken back. */
static void live_write_ports(struct live *live)
{
	__u64 *ports = live->tap->bss->tap_ports;

	for (size_t i = 0; i < sizeof(live->ports.bits) / sizeof(live->ports.bits[0]); i++)
		ports[i] = live->ports.bits[i] | live->learned.bits[i];
}

static void live_look_for_silent(struct live *live)
{
	struct timespec now;

	if (live->tap->bss->tap_kept) {
		live->tap->bss->tap_kept = 0;
		silent_expect(live->silent);
	}
	clock_gettime(CLOCK_MONOTONIC, &now); /* the tap's */
	live->segments +=
		silent_look(live->silent, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
			    &live->ports, &live->learned, live->fn, live->fn_ctx);
}

/* Takes note of the ring buffer's edge, too; what is in it is found by looking. */
static int live_events(struct live *live)
{
	struct epoll_event events[4];
	int n = epoll_wait(live->epoll_fd, events, 4, 0);
	uint64_t expired;

	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == live->netlink_fd)
			live_follow(live);
		else if (events[i].data.fd == live->timer_fd &&
			 read(live->timer_fd, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

int live_dispatch(struct live *live, segment_fn *fn, void *ctx)
{
	bool browsed;
	int err = live_events(live);

	if (err)
		return err;
	live->fn = fn;
	live->fn_ctx = ctx;
	live->segments = 0;
	browsed = live->tap->bss->tap_browsed;
	live->tap->bss->tap_browsed = 0;
	err = live_drain(live);
	steer_flush(&live->steer); /* also of what the caller asked for in between */
	if (browsed)
		live_write_ports(live);
	if (!err)
		err = live_next_look(live);
	if (!err)
		live_look_for_silent(live);
	return err ? err : live->segments;
}

/* As the kernel has it: key.h. */
static struct tap_key live_key(const struct live *live, const struct flow_key *flow)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	struct tap_key key = {.port = {flow->port[0], flow->port[1]}};
	uint64_t hash = key_hash6(live->tap->rodata->tap_seed[0], live->tap->rodata->tap_seed[1],
				  flow->addr[0], flow->addr[1]);

	memcpy(key.addr, &hash, sizeof(key.addr));
	for (int i = 0; i < 2 && !memcmp(flow->addr[0], mapped, sizeof(mapped)); i++)
		memcpy(&key.addr[i], flow->addr[i] + sizeof(mapped), sizeof(key.addr[i]));
	return key;
}

void live_tap(struct live *live, const struct flow_key *flow, uint8_t client, enum tap_level level)
{
	struct tap_steer steer = {
		.level = (__u8)level, .client = client, .key = live_key(live, flow)};

	if (level == TAP_HEADS)
		steer.server =
			latencies_server(live->latencies, flow->addr[!client], flow->port[!client]);
	steer_add(&live->steer, &steer);
}

void live_set_ports(struct live *live, const struct port_set *ports)
{
	live->ports = *ports;
	live_write_ports(live);
}

void live_port(struct live *live, uint16_t port, bool watch)
{
	if (watch)
		port_set_add(&live->learned, port);
	else
		live->learned.bits[port / 64] &= ~(1ull << (port % 64));
	live_write_ports(live);
}

bool live_state(const struct live *live, const struct flow_key *flow_key, struct tap_state *out)
{
	struct tap_key key = live_key(live, flow_key);
	struct tap_flow flow;

	if (bpf_map_lookup_elem(bpf_map__fd(live->tap->maps.flows), &key, &flow))
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->counts.commands, flow.counts, sizeof(out->counts.commands));
	out->counts.resets = flow.counts[5];
	for (int i = 0; i < 2; i++) {
		out->end[i] = flow.walk[i].end;
		out->seen[i] = flow.level != TAP_FULL && flow.walk[i].flags & TAP_WALK_SEEN;
	}
	return true;
}

int live_latency(const struct live *live, live_latency_fn *fn, void *ctx)
{
	return latencies_read(live->latencies, fn, ctx);
}

bool live_is_local(const struct live *live, const uint8_t addr[16])
{
	static const uint8_t loopback[13] = {[10] = 0xff, 0xff, 127};

	if (!memcmp(addr, loopback, sizeof(loopback)))
		return true;
	for (size_t i = 0; i < live->address_count; i++)
		if (!memcmp(live->addresses[i], addr, 16))
			return true;
	return false;
}

void live_counters(const struct live *live, uint64_t out[TAP_CNT_MAX])
{
	int map = bpf_map__fd(live->tap->maps.counters);
	uint64_t *per_cpu = calloc((size_t)live->cpus, sizeof(*per_cpu));

	memset(out, 0, TAP_CNT_MAX * sizeof(*out));
	for (uint32_t which = 0; per_cpu && which < TAP_CNT_MAX; which++) {
		if (bpf_map_lookup_elem(map, &which, per_cpu))
			continue;
		for (int cpu = 0; cpu < live->cpus; cpu++)
			out[which] += per_cpu[cpu];
	}
	out[TAP_CNT_SYNS] += silent_untold(live->silent);
	free(per_cpu);
}

size_t live_interfaces(const struct live *live)
{
	return live->attached_count;
}

static bool live_maps_answer(void *ctx)
{
	const struct live *live = ctx;
	uint64_t *per_cpu = calloc((size_t)live->cpus, sizeof(*per_cpu));
	uint32_t first = 0;
	bool answer = per_cpu &&
		      !bpf_map_lookup_elem(bpf_map__fd(live->tap->maps.counters), &first, per_cpu);

	free(per_cpu);
	return answer;
}

uint64_t live_capabilities(const struct live *live)
{
	const uint64_t bpf = CONFINE_BIT(CAP_BPF) | CONFINE_BIT(CAP_SYS_ADMIN);
	uint64_t needed = 0;
	bool links = live->attached_count;

	for (size_t i = 0; i < live->attached_count; i++)
		links &= !attach_is_clsact(&live->attached[i].at);
	if (!links)
		needed |= CONFINE_BIT(CAP_NET_ADMIN);
	if (live->promiscuous)
		needed |= CONFINE_BIT(CAP_NET_RAW);
	if (!confine_works_without(bpf, live_maps_answer, (void *)live))
		needed |= CONFINE_BIT(CAP_BPF);
	return needed;
}

const char *live_describe(const struct live *live)
{
	return live->description;
}
