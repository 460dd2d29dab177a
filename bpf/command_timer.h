/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * command_timer.h - whose turn it is in a flow: counts its commands, and sums up how long they are answered
 * after; at TAP_FULL user space does, and it is followed alone, so that TAP_HEADS can go on from
 * there. The clock is read at turns alone: it costs as much as the flow's look-up.
 */
#ifndef TDSMON_COMMAND_TIMER_H
#define TDSMON_COMMAND_TIMER_H

#include "flow_table.h"
#include "latency_histogram.h"
#include "packet_ctx.h"

_Static_assert(LATENCY_ATTENTION + 1 == TAP_COMMANDS, "the kinds that are counted come first");

/* Made by user space for each server that it knows, so that none are made here. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, LATENCY_SERVERS *LATENCY_KINDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* server * LATENCY_KINDS + enum latency_kind */
	__type(value, struct latency);
} latencies SEC(".maps");

/* The numbers of those servers. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LATENCY_SERVERS);
	__type(key, struct latency_server);
	__type(value, __u16);
} servers SEC(".maps");

/* The server's number, of a segment that is from it or to it. */
TAP_INLINE __u16 command_timer_server(const struct seg *seg, bool from_server)
{
	struct latency_server key = {.port = from_server ? seg->sport : seg->dport};
	const __u16 *number;

	__builtin_memcpy(key.addr, from_server ? seg->saddr : seg->daddr, sizeof(key.addr));
	number = bpf_map_lookup_elem(&servers, &key);
	return number ? *number : 0;
}

TAP_INLINE void command_timer_add(const struct tap_flow *flow, __u64 last_ns)
{
	__u32 key = flow->server * LATENCY_KINDS + flow->kind, first, total;
	struct latency *sum = bpf_map_lookup_elem(&latencies, &key);
	__u64 first_ns = flow->first_ns - flow->sent_ns;
	__u64 total_ns = last_ns - flow->sent_ns;

	if (!sum || (__s64)first_ns < 0 || (__s64)total_ns < 0)
		return;
	sum->count++;
	sum->first_sum_ns += first_ns;
	sum->total_sum_ns += total_ns;
	first = latency_bucket(first_ns);
	total = latency_bucket(total_ns);
	tap_opaque(first);
	tap_opaque(total);
	if (first < LATENCY_BUCKETS)
		sum->first[first]++;
	if (total < LATENCY_BUCKETS)
		sum->total[total]++;
}

/* When the packet at hand came; *now_ns: 0, or what the clock said. */
TAP_INLINE __u64 command_timer_now(__u64 *now_ns)
{
	if (!*now_ns)
		*now_ns = bpf_ktime_get_ns();
	return *now_ns;
}

/* The client's segment: a request begins in it, or ends. */
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

/* The server's segment: it holds a packet's head, or a message's end. */
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

/* What is under way can't be timed: packets are missing. */
TAP_INLINE void command_timer_cancel(struct tap_flow *flow)
{
	flow->request = REQUEST_IDLE;
}

/* The answer under TLS is over as far as can be told. */
TAP_INLINE void command_timer_encrypted_end(struct tap_flow *flow)
{
	if (flow->encrypted && flow->request == REQUEST_RESPONDING)
		command_timer_add(flow, flow->last_ns);
	if (flow->encrypted)
		flow->request = REQUEST_IDLE;
}

/*
 * New payload under TLS: what follows the other side's is a turn. A side's last byte is where it
 * pushes, as all senders do at the end of what they write.
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
