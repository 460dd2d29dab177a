/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * live.h - the live source: loads the tap, attaches it to interfaces and follows them, and passes
 * on the ring buffer's segments. Everything that it attached vanishes with it, or with the process.
 */
#ifndef TDSMON_LIVE_H
#define TDSMON_LIVE_H

#include "source/source.h"
#include "decap.h"
#include "latency_histogram.h"

struct live;

enum live_hook {
	LIVE_HOOK_TC,  /* tcx if the kernel has it, otherwise clsact */
	LIVE_HOOK_XDP, /* ingress by XDP, native or else generic; egress always by tc */
};

struct live_config {
	const char *const *interfaces; /* names; NULL: all that are up, loopback included */
	size_t interface_count;
	enum live_hook hook;
	bool mirror; /* one ingress hook sees both directions: no egress program */
	const struct port_set *ports;
	bool any_port;
	bool browser;	   /* forward SQL Server Browser's datagrams, too */
	bool sql;	   /* flows may stay at TAP_FULL as long as they last: no budget */
	bool commands;	   /* forward the heads of all messages */
	bool dependencies; /* and those of this host's requests to DNS, KDCs and the like; not with
			    * mirror, because no direction tells whose they are */
	const struct decap_config *decap; /* which tunnels to unwrap; NULL: none */
	uint32_t max_flows;		  /* 0: 65,536 */
	uint32_t ring_size;		  /* bytes of the ring buffer, a power of two; 0: 16 MiB */
};

/*
 * Load and attach. NULL on failure, *err then -errno, and the reason is logged with what to do
 * about it (no privilege: which capability; no BTF; no ring buffer; no such interface).
 */
struct live *live_open(const struct live_config *config, int *err);
void live_close(struct live *live);

/* Random numbers of this run for hash tables, different from those that key the kernel's. */
void live_seed(const struct live *live, uint64_t seed[2]);

/* A descriptor for poll or epoll: readable when live_dispatch() has work. */
int live_fd(const struct live *live);

/*
 * Follow interfaces that come and go, and pass the ring buffer's segments to fn, without blocking.
 * Returns the number of segments, or -errno. Call it when live_fd() is readable, and at least every
 * 200 ms.
 */
int live_dispatch(struct live *live, segment_fn *fn, void *ctx);

/* An interface's name, valid until the next live_dispatch(); NULL: no such interface. */
const char *live_interface_name(const struct live *live, uint32_t ifindex);

/* Watch these ports from now on. Followed connections on others get no more segments. */
void live_set_ports(struct live *live, const struct port_set *ports);

/* Is it a server's port, as set, or as SQL Server Browser named it? */
bool live_watches(const struct live *live, uint16_t port);

/*
 * The capabilities that watching keeps needing, bit n for capability n. Interfaces attached by
 * links need none. Without tcx (kernels before 6.6) CAP_NET_ADMIN adds and removes filters; CAP_BPF
 * if the kernel requires it even for open maps (before 5.19).
 */
uint64_t live_capabilities(const struct live *live);

/*
 * Set a flow's tap level in the kernel, before live_dispatch() returns or else with the next call.
 * Ignored if the kernel does not track the flow. client: which of the key's ends is the client, 0
 * or 1.
 */
void live_tap(struct live *live, const struct flow_key *key, uint8_t client, enum tap_level level);

/* The kernel's state of a flow, including counts not reported yet. False if it tracks none. */
bool live_state(const struct live *live, const struct flow_key *key, struct tap_state *out);

/*
 * Command latency since the start, by server and kind, if there was any. All servers beyond
 * LATENCY_SERVERS - 1 are one, with address and port 0. So are those of connections logged in
 * before the start, until they show which end is the server.
 */
typedef void live_latency_fn(void *ctx, const uint8_t addr[16], uint16_t port,
			     enum latency_kind kind, const struct latency *sum);
/* Calls fn any number of times. 0 or -errno. */
int live_latency(const struct live *live, live_latency_fn *fn, void *ctx);

/* Watch one more port from now on, or stop watching it. */
void live_port(struct live *live, uint16_t port, bool watch);

/* Is addr assigned to an interface of this host (of this network namespace)? */
bool live_is_local(const struct live *live, const uint8_t addr[16]);

/* A watched port has seen a login: stop looking for TDS on others. */
void live_settle(struct live *live);

/* Has the kernel lost a packet since the last call? The next segments may come after it. */
bool live_lost(const struct live *live);

/* The descriptor of the ring buffer's map, for programs that add records to it; the caller does not close it. */
int live_events_fd(const struct live *live);

/* Sum of the per-CPU counters, by enum tap_counter. */
void live_counters(const struct live *live, uint64_t out[TAP_CNT_MAX]);

/* How many interfaces are being watched. */
size_t live_interfaces(const struct live *live);

/* One line for people: "eth0 (tcx), lo (tcx ingress)". Valid until the next live_dispatch(). */
const char *live_describe(const struct live *live);

#endif
