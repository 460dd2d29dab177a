// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * live.c - the live source: the tap in the kernel, and its ring buffer. live_open.c sets it up.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "system/sandbox.h"
#include "source/live/live_int.h"
#include "lib/log.h"
#include "lib/ip_addr.h"
#include "lib/units.h"

#define LIVE_POLL_NS	 5000000	 /* between polls of the ring buffer under traffic */
#define LIVE_IDLE_MAX	 4		 /* after so many empty polls, sleep until woken */
#define LIVE_FLOOD_NS	 (10 * NS_PER_S) /* between two messages about a flood */
#define LIVE_STRANGER_NS 3000000000ull	 /* within this time a watched port may still see a login */

void live_seed(const struct live *live, uint64_t seed[2])
{
	seed[0] = key_mix(live->tap->rodata->tap_seed[0], 0x7464736d6f6e2031ull);
	seed[1] = key_mix(live->tap->rodata->tap_seed[1], 0x7464736d6f6e2032ull);
}

int live_fd(const struct live *live)
{
	return live->epoll_fd;
}

static int live_drain(struct live *live)
{
	int err = ring_buffer__consume(live->ring);

	return err < 0 && err != -EAGAIN ? err : 0;
}

static void live_poll_after(const struct live *live, long ns)
{
	struct itimerspec spec = {.it_value.tv_nsec = ns};

	timerfd_settime(live->timer_fd, 0, &spec, NULL);
}

/* Poll again soon under traffic; otherwise let the tap wake us. */
static int live_schedule_poll(struct live *live)
{
	volatile __u32 *armed = &live->tap->bss->tap_armed;

	if (live->segments) {
		live->idle = 0;
		*armed = 0;
		live_poll_after(live, live->segments >= LIVE_BATCH ? 1 : LIVE_POLL_NS);
		return 0;
	}
	if (live->idle < LIVE_IDLE_MAX) {
		live->idle++;
		live_poll_after(live, LIVE_POLL_NS);
		return 0;
	}
	if (*armed)
		return 0;
	*armed = 1;
	__sync_synchronize();
	return live_drain(live); /* records that came before the tap saw it */
}

/* Overwrite the ports, because the kernel may have added some: bpf/sql_browser.h, bpf/routing.h. */
static void live_write_ports(struct live *live)
{
	__u64 *ports = live->tap->bss->tap_ports;

	for (size_t i = 0; i < sizeof(live->ports.bits) / sizeof(live->ports.bits[0]); i++)
		ports[i] = live->ports.bits[i] | live->learned.bits[i];
}

/* The recent time whose lower 32 bits are units. */
static uint64_t live_time_of(uint32_t units)
{
	uint64_t now = live_now_ns() >> FLOW_RESENT_SHIFT;

	return (now - ((uint32_t)now - units)) << FLOW_RESENT_SHIFT;
}

/* Report a flood, at most once every LIVE_FLOOD_NS. */
static void live_report_flood(struct live *live, uint64_t now_ns)
{
	uint64_t taps[TAP_CNT_MAX], n;

	if (live->flood_ns && now_ns - live->flood_ns < LIVE_FLOOD_NS)
		return;
	live_counters(live, taps);
	n = taps[TAP_CNT_HALF_OPEN] - live->half_open;
	if (!n)
		return;
	live->half_open = taps[TAP_CNT_HALF_OPEN];
	live->flood_ns = now_ns;
	log_warn("%" PRIu64 " half-open connections: a server answered their SYN, and their "
		 "clients never completed the handshake. This is a SYN flood with forged "
		 "addresses, or answers do not reach the clients. They are counted, not listed",
		 n);
}

void live_settle(struct live *live)
{
	live->tap->bss->tap_recognise_unwatched = 0;
}

static void live_note_stranger(struct live *live, uint16_t port, uint64_t now_ns)
{
	for (int i = 0; i < live->stranger_count; i++)
		if (live->strangers[i].port == port)
			return;
	if (!port || live->stranger_count == LIVE_STRANGERS)
		return;
	live->strangers[live->stranger_count].port = port;
	live->strangers[live->stranger_count++].since_ns = now_ns;
}

/* Report TDS on unwatched ports while watched ones see none. Each port is named once. */
static void live_report_strangers(struct live *live, uint64_t now_ns)
{
	const volatile __u16 *seen = live->tap->bss->tap_unwatched_tds;

	if (!live->tap->bss->tap_recognise_unwatched)
		return;
	for (size_t i = 0; i < sizeof(live->tap->bss->tap_unwatched_tds) / sizeof(*seen); i++)
		live_note_stranger(live, seen[i], now_ns);
	for (; live->strangers_reported < live->stranger_count; live->strangers_reported++) {
		uint16_t port = live->strangers[live->strangers_reported].port;

		if (now_ns - live->strangers[live->strangers_reported].since_ns < LIVE_STRANGER_NS)
			return;
		if (!port_set_has(&live->ports, port) && !port_set_has(&live->learned, port))
			log_warn("TDS seen on port %u, which is not watched: -p %u", port, port);
	}
}

static void live_poll_unanswered_syns(struct live *live)
{
	uint64_t now_ns = live_now_ns();

	live_report_strangers(live, now_ns);
	if (live->tap->bss->tap_syn_kept) {
		live->tap->bss->tap_syn_kept = 0;
		unanswered_syns_expect(live->syns);
	}
	if (!unanswered_syns_due(live->syns, now_ns))
		return;
	live->segments += unanswered_syns_poll(live->syns, now_ns, &live->ports, &live->learned,
					       live_segment, live);
	live_report_flood(live, now_ns);
}

/* Also takes the ring buffer's event; the caller polls the buffer itself. */
static int live_events(struct live *live)
{
	struct epoll_event events[4];
	int n = epoll_wait(live->epoll_fd, events, 4, 0);
	bool follow = interfaces_pending(live->interfaces);
	uint64_t expired;

	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == interfaces_fd(live->interfaces))
			follow = true;
		else if (events[i].data.fd == live->timer_fd &&
			 read(live->timer_fd, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
			return -errno;
	}
	if (follow) {
		interfaces_follow(live->interfaces);
		live_tell_addresses(live);
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
	browsed = live->tap->bss->tap_ports_added;
	live->tap->bss->tap_ports_added = 0;
	err = live_drain(live);
	tap_control_flush(&live->control); /* including the caller's requests in between */
	if (browsed)
		live_write_ports(live);
	if (!err)
		err = live_schedule_poll(live);
	if (!err)
		live_poll_unanswered_syns(live);
	/* The next attachment comes after the packets that arrived during the last one. */
	if (!err && interfaces_pending(live->interfaces))
		live_poll_after(live, 1);
	return err ? err : live->segments;
}

/* The kernel's key of a flow: tap_abi.h. */
static struct tap_key live_key(const struct live *live, const struct flow_key *flow)
{
	struct tap_key key = {.port = {flow->port[0], flow->port[1]}};
	uint64_t hash = key_hash6(live->tap->rodata->tap_seed[0], live->tap->rodata->tap_seed[1],
				  flow->addr[0], flow->addr[1]);

	memcpy(key.addr, &hash, sizeof(key.addr));
	for (int i = 0; i < 2 && ip_is_v4(flow->addr[0]); i++)
		memcpy(&key.addr[i], flow->addr[i] + IP_V4_AT, sizeof(key.addr[i]));
	key_enter(&key, live->tap->rodata->tap_seed[0], live->tap->rodata->tap_seed[1],
		  flow->tunnel);
	return key;
}

void live_tap(struct live *live, const struct flow_key *flow, uint8_t client, enum tap_level level)
{
	struct tap_steer steer = {
		.level = (__u8)level, .client = client, .key = live_key(live, flow)};

	if (level == TAP_HEADS)
		steer.server = command_latency_server(live->latencies, flow->addr[!client],
						      flow->port[!client]);
	tap_control_add(&live->control, &steer);
}

bool live_watches(const struct live *live, uint16_t port)
{
	return port_set_has(&live->ports, port) || port_set_has(&live->learned, port);
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
		port_set_remove(&live->learned, port);
	live_write_ports(live);
}

bool live_state(const struct live *live, const struct flow_key *flow_key, struct tap_state *out)
{
	struct tap_key key = live_key(live, flow_key);
	struct tap_flow flow;

	if (bpf_map_lookup_elem(bpf_map__fd(live->tap->maps.flows), &key, &flow))
		return false;
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < TAP_COMMANDS; i++)
		out->counts.commands[i] = flow.counts[i];
	out->counts.resets = flow.counts[TAP_COUNT_RESETS];
	for (int i = 0; i < 2; i++) {
		out->end[i] = flow.track[i].end;
		out->seen[i] = flow.level != TAP_FULL && flow.track[i].flags & TRACK_SEEN;
		out->acked[i] = flow.track[i].acked;
		out->has_acked[i] = !!(flow.track[i].flags & TRACK_ACKED);
		out->resent[i] = flow.track[i].resent;
		if (flow.track[i].resent)
			out->resent_ns = live_time_of(flow.resent_first);
	}
	return true;
}

int live_latency(const struct live *live, live_latency_fn *fn, void *ctx)
{
	return command_latency_read(live->latencies, fn, ctx);
}

bool live_is_local(const struct live *live, const uint8_t addr[16])
{
	return interfaces_are_at(live->interfaces, addr);
}

bool live_lost(const struct live *live)
{
	__u32 *lost = &live->tap->bss->tap_lost;

	return *lost && __atomic_exchange_n(lost, 0, __ATOMIC_ACQ_REL);
}

int live_events_fd(const struct live *live)
{
	return bpf_map__fd(live->tap->maps.events);
}

void live_counters(const struct live *live, uint64_t out[TAP_CNT_MAX])
{
	for (uint32_t which = 0; which < TAP_CNT_MAX; which++)
		out[which] = tap_sums_counter(&live->sums, which);
	out[TAP_CNT_SYNS] += unanswered_syns_unreported(live->syns);
	out[TAP_CNT_HALF_OPEN] += unanswered_syns_unreported_half_open(live->syns);
}

size_t live_interfaces(const struct live *live)
{
	return interfaces_count(live->interfaces);
}

static bool live_maps_answer(void *ctx)
{
	const struct live *live = ctx;
	uint32_t first = 0;

	return !bpf_map_lookup_elem(live->sums.counters, &first, live->sums.counts);
}

uint64_t live_capabilities(const struct live *live)
{
	const uint64_t bpf = SANDBOX_BIT(CAP_BPF) | SANDBOX_BIT(CAP_SYS_ADMIN);
	uint64_t needed = 0;

	if (!interfaces_by_links(live->interfaces))
		needed |= SANDBOX_BIT(CAP_NET_ADMIN);
	if (!sandbox_works_without(bpf, live_maps_answer, (void *)live))
		needed |= SANDBOX_BIT(CAP_BPF);
	return needed;
}

const char *live_describe(const struct live *live)
{
	return interfaces_describe(live->interfaces);
}

const char *live_interface_name(const struct live *live, uint32_t ifindex)
{
	return interfaces_name(live->interfaces, ifindex);
}
