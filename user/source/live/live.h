/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * live.h - the live source: loads the tap, attaches it to interfaces and follows them, and hands
 * the ring buffer's segments over. Everything it attached goes with it, or with the process.
 */
#ifndef TDSMON_LIVE_H
#define TDSMON_LIVE_H

#include "source/source.h"
#include "decap.h"
#include "latency_histogram.h"

struct live;

enum live_hook {
	LIVE_HOOK_TC,  /* tcx where the kernel has it, else clsact */
	LIVE_HOOK_XDP, /* ingress by XDP, native or else generic; egress always tc */
};

struct live_config {
	const char *const *interfaces; /* names; NULL: all that are up, loopback included */
	size_t interface_count;
	enum live_hook hook;
	bool mirror; /* one ingress hook sees both directions: no egress program */
	const struct port_set *ports;
	bool any_port;
	bool browser;  /* hand SQL Server Browser's datagrams over, too */
	bool sql;      /* flows may stay at TAP_FULL for as long as they last: no budget */
	bool commands; /* hand the heads of all messages over */
	const struct decap_config *decap; /* which tunnels to unwrap; NULL: none */
	uint32_t max_flows;		  /* 0: 65,536 */
	uint32_t ring_size;		  /* bytes of the ring buffer, a power of two; 0: 16 MiB */
};

/*
 * Load and attach. NULL on failure, *err then -errno and the reason, with what to do about it,
 * already logged (no privilege: which capability; no BTF; no ring buffer; no such interface).
 */
struct live *live_open(const struct live_config *config, int *err);
void live_close(struct live *live);

/* Random numbers of this run, for hash tables: not those that the kernel's are keyed by. */
void live_seed(const struct live *live, uint64_t seed[2]);

/* A descriptor for poll or epoll: readable when live_dispatch() has something to do. */
int live_fd(const struct live *live);

/*
 * Without blocking: follow interfaces that came or went, drain the ring buffer into fn. Returns
 * the number of segments, or -errno. To be called on live_fd() and at least every 200 ms.
 */
int live_dispatch(struct live *live, segment_fn *fn, void *ctx);

/* An interface's name, valid until the next live_dispatch(); NULL: there is none. */
const char *live_interface_name(const struct live *live, uint32_t ifindex);

/* Watch these ports from now on. Of connections that are followed on others nothing more comes. */
void live_set_ports(struct live *live, const struct port_set *ports);

/*
 * The capabilities that watching goes on to need, bit n for capability n. Interfaces are attached
 * to by links, which take none; without tcx (kernels before 6.6) CAP_NET_ADMIN, to add and remove
 * filters; CAP_BPF where the kernel wants it even for maps that are open (before 5.19).
 */
uint64_t live_capabilities(const struct live *live);

/*
 * Set a flow's tap level in the kernel, by the end of live_dispatch() or else with the next one; a
 * flow that is not there is ignored. client: which of the key's ends is the client, 0 or 1.
 */
void live_tap(struct live *live, const struct flow_key *key, uint8_t client, enum tap_level level);

/* What the kernel knows of a flow and has not told. False if it knows none. */
bool live_state(const struct live *live, const struct flow_key *key, struct tap_state *out);

/*
 * Command latency by server and kind, where there was any, as summed up since the start. Servers
 * beyond LATENCY_SERVERS - 1 are one, of address and port 0; so are those of connections that were
 * logged in before the start, until they have shown which end is the server.
 */
typedef void live_latency_fn(void *ctx, const uint8_t addr[16], uint16_t port,
			     enum latency_kind kind, const struct latency *sum);
/* fn may be called any number of times. 0 or -errno. */
int live_latency(const struct live *live, live_latency_fn *fn, void *ctx);

/* Watch a port besides from now on, or no longer. */
void live_port(struct live *live, uint16_t port, bool watch);

/* True if addr is assigned to one of this host's interfaces (of this network namespace). */
bool live_is_local(const struct live *live, const uint8_t addr[16]);

/* A watched port has seen a login: look for TDS on others no longer. */
void live_settle(struct live *live);

/* Has the kernel lost a packet since the last call? What is read next may come after it. */
bool live_lost(const struct live *live);

/* Sum of the per-CPU counters, by enum tap_counter. */
void live_counters(const struct live *live, uint64_t out[TAP_CNT_MAX]);

/* How many interfaces are watched now. */
size_t live_interfaces(const struct live *live);

/* One line for people: "eth0 (tcx), lo (tcx ingress)". Valid until the next live_dispatch(). */
const char *live_describe(const struct live *live);

#endif
