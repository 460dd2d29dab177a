/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * routing.h - the port to which a server routes its client: ROUTING in the answer to LOGIN7. The
 * client connects to it at once, perhaps before user space has read the answer. So the kernel
 * watches the port before it forwards the answer. User space removes ports that it rejects, as it
 * does for SQL Server Browser's.
 */
#ifndef TDSMON_ROUTING_H
#define TDSMON_ROUTING_H

#include "flow_table.h"
#include "packet_ctx.h"
#include "ringbuf.h"

#define ROUTING_TEXT  1024u /* bytes of an answer; one with ROUTING is shorter */
#define ROUTING_BLOCK 16u
#define ROUTING_BYTES 32768u /* of a flow; the login is over before */

struct routing {
	__u64 window; /* the last eight bytes */
	__u32 len;    /* of text */
	__u32 at;     /* bytes of text read so far */
	__u8 text[ROUTING_TEXT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct routing);
} routings SEC(".maps");

TAP_INLINE struct routing *routing_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&routings, &zero);
}

/*
 * Read a block of the answer. ENVCHANGE is 0xe3, its length, 20, the value's length, the protocol
 * 0, and the port (MS-TDS 2.2.7.9). Not static, so that the verifier checks a block once.
 */
__noinline int routing_block(void)
{
	struct routing *r = routing_state();
	__u32 i, at;
	__u64 w;

	if (!r)
		return 0;
	at = r->at & (ROUTING_TEXT - ROUTING_BLOCK);
	w = r->window;
	for (i = 0; i < ROUTING_BLOCK; i++) {
		__u8 c = r->text[at + i];

		if (at + i >= r->len)
			break;
		/* e3 length(2) 14 value(2) 00 port(low), and c is the port's upper byte */
		if ((w >> 56) == 0xe3 && (w >> 32 & 0xff) == 20 && !(w >> 8 & 0xff) &&
		    (__u16)((w >> 48 & 0xff) | (w >> 40 & 0xff) << 8) ==
			    (__u16)(((w >> 24 & 0xff) | (w >> 16 & 0xff) << 8) + 5))
			tap_watch_port((__u32)(w & 0xff) | (__u32)c << 8);
		w = w << 8 | c;
	}
	r->window = w;
	return 0;
}

/* Read the server's segment in the work if it may be an answer to LOGIN7 that names a port. */
TAP_INLINE int routing_read(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct routing *r = routing_state();
	__u32 n, i;

	if (!work || !r)
		return 0;
	n = work->avail - 1;
	if (n >= ROUTING_TEXT)
		return 0;
	r->len = n + 1;
	tap_opaque(n);
	n = (n & (ROUTING_TEXT - 1)) + 1;
	if (ringbuf_load(ctx, hook, work->payload_off, r->text, n, ROUTING_TEXT))
		return 0;
	if (r->text[0] != 4 || !(r->text[1] & 1)) /* a whole response, MS-TDS 2.2.3.1 */
		return 0;
	r->window = 0;
	for (i = 0; i < ROUTING_TEXT / ROUTING_BLOCK; i++) {
		r->at = i * ROUTING_BLOCK;
		if (r->at >= r->len)
			break;
		routing_block();
	}
	return 0;
}

__noinline int routing_skb(struct __sk_buff *skb)
{
	return routing_read(skb, TAP_HOOK_SKB);
}

__noinline int routing_xdp(struct xdp_md *xdp)
{
	return routing_read(xdp, TAP_HOOK_XDP);
}

/* Only short segments at a flow's start can be an answer to LOGIN7. */
TAP_INLINE void routing_segment(void *ctx, enum tap_hook hook, const struct tap_work *work,
				const struct tap_flow *flow)
{
	if (work->side == flow->client || work->seg.len < 32 || work->seg.len > ROUTING_TEXT ||
	    flow->bytes > ROUTING_BYTES)
		return;
	if (hook == TAP_HOOK_SKB)
		routing_skb(ctx);
	else
		routing_xdp(ctx);
}

#endif
