/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rpc_ports.h - the ports of RPC services, such as Netlogon's, that the endpoint mapper (EPM) tells
 * this host. The host connects at once, sooner than user space may have read of it, so the port is
 * looked at before the response is forwarded.
 */
#ifndef TDSMON_RPC_PORTS_H
#define TDSMON_RPC_PORTS_H

#include "packet_ctx.h"
#include "ringbuf.h"

#define RPC_PORTS_TEXT	256u /* of a response that is read: that is one tower, and more */
#define RPC_PORTS_BLOCK 16u

/* TCP ports of services, a bit each. User space sets them before loading; EPM's answers add some. */
__u64 tap_services[65536 / 64] __attribute__((aligned(64)));

/* Where RPC services listen on ports that they were given at their start. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct dependency_endpoint);
	__type(value, __u8);
} dependency_rpc SEC(".maps");

struct rpc_ports {
	__u64 window; /* the last eight bytes */
	__u32 len;    /* of text */
	__u32 at;     /* how much of it was read */
	struct dependency_endpoint peer;
	__u8 text[RPC_PORTS_TEXT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rpc_ports);
} rpc_ports_states SEC(".maps");

TAP_INLINE struct rpc_ports *rpc_ports_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rpc_ports_states, &zero);
}

/* Another CPU that writes the same word may lose this: then the next response adds the port. */
TAP_INLINE void rpc_ports_add(struct rpc_ports *r, __u32 port)
{
	__u32 word = port / 64;
	__u8 known = 1;

	if (!port)
		return;
	r->peer.port = port;
	bpf_map_update_elem(&dependency_rpc, &r->peer, &known, BPF_ANY);
	tap_opaque(word);
	tap_services[word & (65536 / 64 - 1)] |= 1ull << (port % 64);
}

/*
 * A block of the response. In its towers a TCP port stands as the floor 01 00 07, 02 00, and the
 * port, before the floor of the address, 01 00 09 ([C706] appendix L). Not static, for the verifier
 * to look at a block once.
 */
__noinline int rpc_ports_block(void)
{
	struct rpc_ports *r = rpc_ports_state();
	__u32 i, at;
	__u64 w;

	if (!r)
		return 0;
	at = r->at & (RPC_PORTS_TEXT - RPC_PORTS_BLOCK);
	w = r->window;
	for (i = 0; i < RPC_PORTS_BLOCK; i++) {
		if (at + i >= r->len)
			break;
		w = w << 8 | r->text[at + i];
		if (w >> 24 == 0x0100070200ull && (__u8)w == 1)
			rpc_ports_add(r, w >> 8 & 0xffff);
	}
	r->window = w;
	return 0;
}

/* EPM's segment to this host, in the work. */
TAP_INLINE void rpc_ports_read(void *ctx, enum tap_hook hook, const struct tap_work *work)
{
	struct rpc_ports *r = rpc_ports_state();
	__u32 n = work->avail, i;

	if (!r || !n)
		return;
	r->len = n < RPC_PORTS_TEXT ? n : RPC_PORTS_TEXT;
	n = r->len - 1;
	tap_opaque(n);
	n = (n & (RPC_PORTS_TEXT - 1)) + 1;
	if (ringbuf_load(ctx, hook, work->payload_off, r->text, n, RPC_PORTS_TEXT) ||
	    r->text[0] != 5 || r->text[2] != 2) /* a response, [C706] 12.6.4.10 */
		return;
	__builtin_memcpy(r->peer.addr, work->seg.saddr, sizeof(r->peer.addr));
	r->window = 0;
	for (i = 0; i < RPC_PORTS_TEXT / RPC_PORTS_BLOCK; i++) {
		r->at = i * RPC_PORTS_BLOCK;
		if (r->at >= r->len)
			break;
		rpc_ports_block();
	}
}

#endif
