/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * command_timer.h - follows requests and responses in a flow: counts its commands, and sums up how
 * long their responses took. At TAP_FULL user space does that, and the kernel only follows the
 * state, so that TAP_HEADS can go on from there. The clock is only read when the state changes: it
 * costs as much as the flow's look-up.
 */
#ifndef TDSMON_COMMAND_TIMER_H
#define TDSMON_COMMAND_TIMER_H

#include "flow_table.h"
#include "latency_histogram.h"
#include "packet_ctx.h"

_Static_assert(LATENCY_ATTENTION + 1 == TAP_COMMANDS, "the kinds that are counted come first");

/* User space adds the entries for each server that it knows, so the kernel adds none. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, LATENCY_SERVERS *LATENCY_KINDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* server * LATENCY_KINDS + enum latency_kind */
	__type(value, struct latency);
} latencies SEC(".maps");

/* The servers' numbers, which user space assigns. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LATENCY_SERVERS);
	__type(key, struct latency_server);
	__type(value, __u16);
} servers SEC(".maps");

/* Number of the server of a segment; 0: a server without one. */
TAP_INLINE __u16 command_timer_server(const struct seg *seg, bool from_server)
{
	struct latency_server key = {.port = from_server ? seg->sport : seg->dport};
	const __u16 *number;

	__builtin_memcpy(key.addr, from_server ? seg->saddr : seg->daddr, sizeof(key.addr));
	number = bpf_map_lookup_elem(&servers, &key);
	return number ? *number : 0;
}

/* Add a result to its server's sums. */
TAP_INLINE void command_timer_sum(struct latency *sum, const struct tap_result *result)
{
	__u32 first = latency_bucket(result->first_ns), total = latency_bucket(result->total_ns);

	sum->count++;
	sum->first_sum_ns += result->first_ns;
	sum->total_sum_ns += result->total_ns;
	tap_opaque(first);
	tap_opaque(total);
	if (first < LATENCY_BUCKETS)
		sum->first[first]++;
	if (total < LATENCY_BUCKETS)
		sum->total[total]++;
}

/*
 * Add up this CPU's results. Most that follow one another are of the same server and kind: so the
 * sums are looked up only where these change. Not static, so that the verifier checks it once.
 */
__noinline int command_timer_flush(void)
{
	struct tap_recent *now = tap_recent();
	struct latency *sum = 0;
	__u32 key = 0;

	if (!now)
		return 0;
	for (__u32 i = 0; i < TAP_RESULTS; i++) {
		const struct tap_result *result = &now->results[i];

		if (!i || result->key != key) {
			key = result->key;
			sum = bpf_map_lookup_elem(&latencies, &key);
		}
		if (sum)
			command_timer_sum(sum, result);
	}
	now->flushed = now->added;
	return 0;
}

/* The flow's current command has ended. */
TAP_INLINE void command_timer_add(const struct tap_flow *flow, __u64 last_ns)
{
	struct tap_recent *now = tap_recent();
	__u64 first_ns = flow->first_ns - flow->sent_ns;
	__u64 total_ns = last_ns - flow->sent_ns;
	struct tap_result *result;
	__u32 at;

	if (!now || (__s64)first_ns < 0 || (__s64)total_ns < 0)
		return;
	at = now->added;
	tap_opaque(at);
	result = &now->results[at & (TAP_RESULTS - 1)];
	result->first_ns = first_ns;
	result->total_ns = total_ns;
	result->key = flow->server * LATENCY_KINDS + flow->kind;
	barrier();
	if (++now->added - now->flushed >= TAP_RESULTS)
		command_timer_flush();
}

/* The current packet's time. *now_ns caches the clock; 0: not read yet. */
TAP_INLINE __u64 command_timer_now(__u64 *now_ns)
{
	if (!*now_ns)
		*now_ns = bpf_ktime_get_ns();
	return *now_ns;
}

/* A segment from the client: a request begins or ends in it. */
TAP_INLINE void command_timer_request(struct tap_flow *flow, bool begins, __u32 kind, bool ends,
				      __u64 *now_ns)
{
	if (begins) {
		flow->kind = kind;
		flow->request = kind < LATENCY_KINDS ? REQUEST_SENDING : REQUEST_IDLE;
	}
	if (ends && flow->request == REQUEST_SENDING) {
		flow->sent_ns = command_timer_now(now_ns);
		flow->request = REQUEST_WAITING;
	}
}

/* A segment from the server: it holds a packet's head, or the end of a message. */
TAP_INLINE void command_timer_response(struct tap_flow *flow, bool head, bool ends, __u64 *now_ns)
{
	if (flow->request < REQUEST_WAITING)
		return;
	if (head && flow->request == REQUEST_WAITING) {
		flow->first_ns = command_timer_now(now_ns);
		flow->request = REQUEST_RESPONDING;
	}
	if (ends && flow->request == REQUEST_RESPONDING) {
		if (flow->level != TAP_FULL)
			command_timer_add(flow, command_timer_now(now_ns));
		flow->request = REQUEST_IDLE;
	}
}

/* Packets are missing, so the current command cannot be timed. */
TAP_INLINE void command_timer_cancel(struct tap_flow *flow)
{
	flow->request = REQUEST_IDLE;
}

/* A response under TLS has ended, as far as its packets show. */
TAP_INLINE void command_timer_encrypted_end(struct tap_flow *flow)
{
	if (flow->encrypted && flow->request == REQUEST_RESPONDING)
		command_timer_add(flow, flow->last_ns);
	if (flow->encrypted)
		flow->request = REQUEST_IDLE;
}

/*
 * New payload under TLS: payload that follows the other side's begins a request or a response. The
 * end of what a side writes is where it sets PSH, as all senders do.
 */
TAP_INLINE void command_timer_encrypted(struct tap_flow *flow, __u32 side, __u8 flags)
{
	bool push = flags & SEG_PSH;

	if (side == flow->client) {
		command_timer_encrypted_end(flow);
		if (!push)
			return;
		flow->kind = LATENCY_ENCRYPTED;
		flow->sent_ns = bpf_ktime_get_ns();
		flow->request = REQUEST_WAITING;
		return;
	}
	if (flow->request == REQUEST_WAITING) {
		flow->first_ns = flow->last_ns = bpf_ktime_get_ns();
		flow->request = REQUEST_RESPONDING;
	} else if (flow->request == REQUEST_RESPONDING && push) {
		flow->last_ns = bpf_ktime_get_ns();
	}
}

#endif
