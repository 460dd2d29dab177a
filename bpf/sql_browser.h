/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sql_browser.h - datagrams of SQL Server Browser (SSRP, UDP 1434), which tells clients the ports
 * of named instances. Requests and responses are forwarded, at a bounded rate.
 *
 * The client connects to the port at once, perhaps before user space has read the response. So
 * before a response is forwarded, the kernel watches the ports in it, provided it has seen the
 * request. User space decides whether and how long to trust the response, and removes ports it
 * rejects.
 */
#ifndef TDSMON_SQL_BROWSER_H
#define TDSMON_SQL_BROWSER_H

#include "packet_ctx.h"
#include "ringbuf.h"

/*
 * Most datagrams per second and CPU. All of them are forwarded, so a flood would push connections'
 * records out of the ring buffer.
 */
#define SQL_BROWSER_RATE    1024u
#define SQL_BROWSER_RATE_NS 1000000000ull

#define SQL_BROWSER_TEXT    1024u /* bytes read of a response, enough for one instance's */
#define SQL_BROWSER_BLOCK   16u
#define SQL_BROWSER_NO_PORT (1u << 16)

struct tap_ssrp {
	__u64 since_ns;
	__u64 count; /* since then */
	/* the current response */
	__u32 len;    /* of text */
	__u32 at;     /* bytes of text read so far */
	__u32 window; /* the last four characters, in lower case */
	__u32 port;   /* the digits since "tcp;"; SQL_BROWSER_NO_PORT or more: none */
	__u8 text[SQL_BROWSER_TEXT];
};

/* A client's request to a server. */
struct sql_browser_request {
	__u8 client[16];
	__u8 server[16];
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct sql_browser_request);
	__type(value, __u8);
} sql_browser_requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_ssrp);
} sql_browsers SEC(".maps");

TAP_INLINE struct tap_ssrp *sql_browser_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sql_browsers, &zero);
}

TAP_INLINE bool sql_browser_allows(struct tap_ssrp *b, __u64 now_ns)
{
	if (now_ns - b->since_ns >= SQL_BROWSER_RATE_NS) {
		b->since_ns = now_ns;
		b->count = 0;
	}
	return b->count++ < SQL_BROWSER_RATE;
}

/* Is it SQL Server Browser's datagram? If so, fill the work as for a segment. */
TAP_INLINE enum tap_counter sql_browser_classify(const struct pkt *pkt)
{
	struct tap_work *work;

	if (!tap_sql_browser || (pkt->sport != SSRP_PORT && pkt->dport != SSRP_PORT))
		return TAP_CNT_OTHER;
	work = tap_work();
	if (!work)
		return TAP_CNT_LOST;
	pkt_datagram(pkt, &work->seg);
	work->seg.cap_len = 0;
	work->seg.rec_flags = SEG_F_UDP;
	work->payload_off = pkt->payload_off;
	return TAP_CNT_DATAGRAM;
}

/*
 * Read a block of the text, in which ports appear as ";tcp;51234;" (MC-SQLR 2.2.5). Not static, and
 * with its state in the map, so that the verifier checks a block once.
 */
__noinline int sql_browser_read_block(void)
{
	struct tap_ssrp *b = sql_browser_state();
	__u32 i, at, window, port;

	if (!b)
		return 0;
	at = b->at & (SQL_BROWSER_TEXT - SQL_BROWSER_BLOCK);
	window = b->window;
	port = b->port;
	for (i = 0; i < SQL_BROWSER_BLOCK; i++) {
		__u8 c = b->text[at + i];

		if (at + i >= b->len)
			break;
		if (c == ';') {
			tap_watch_port(port);
			port = window == 0x3b746370 ? 0 : SQL_BROWSER_NO_PORT; /* ";tcp" */
		} else if (port < SQL_BROWSER_NO_PORT) {
			port = (__u8)(c - '0') < 10 ? port * 10 + (__u8)(c - '0')
						    : SQL_BROWSER_NO_PORT;
		}
		/* a single state for the verifier, whatever the characters */
		window = ringbuf_forget(window << 8 | c | 0x20);
		port = ringbuf_forget(port);
	}
	b->window = window;
	b->port = port;
	return 0;
}

/* Watch the ports that a response names. */
TAP_INLINE void sql_browser_read_ports(void *ctx, enum tap_hook hook, const struct tap_work *work,
				       struct tap_ssrp *b)
{
	__u32 n = work->avail, i;

	if (!n)
		return;
	b->len = n < SQL_BROWSER_TEXT ? n : SQL_BROWSER_TEXT;
	n = b->len - 1;
	tap_opaque(n);
	n = (n & (SQL_BROWSER_TEXT - 1)) + 1;
	if (ringbuf_load(ctx, hook, work->payload_off, b->text, n, SQL_BROWSER_TEXT) ||
	    b->text[0] != 5)
		return;
	if (b->len == 6 && b->text[3] == 1) /* the administrators' port, MC-SQLR 2.2.6 */
		tap_watch_port(b->text[4] | (__u32)b->text[5] << 8);
	b->window = 0;
	b->port = SQL_BROWSER_NO_PORT;
	for (i = 0; i < SQL_BROWSER_TEXT / SQL_BROWSER_BLOCK; i++) {
		b->at = i * SQL_BROWSER_BLOCK;
		sql_browser_read_block();
	}
}

TAP_INLINE void sql_browser_read(void *ctx, enum tap_hook hook, const struct tap_work *work,
				 struct tap_ssrp *b)
{
	const struct seg *seg = &work->seg;
	struct sql_browser_request q;
	__u8 asked = 1;

	if (seg->sport == SSRP_PORT) {
		__builtin_memcpy(q.client, seg->daddr, 16);
		__builtin_memcpy(q.server, seg->saddr, 16);
		q.port = seg->dport;
		if (bpf_map_lookup_elem(&sql_browser_requests, &q))
			sql_browser_read_ports(ctx, hook, work, b);
	} else {
		__builtin_memcpy(q.client, seg->saddr, 16);
		__builtin_memcpy(q.server, seg->daddr, 16);
		q.port = seg->sport;
		bpf_map_update_elem(&sql_browser_requests, &q, &asked, BPF_ANY);
	}
}

/* Forward the datagram. One that is too long for a record is truncated. */
TAP_INLINE enum tap_counter sql_browser_datagram(void *ctx, enum tap_hook hook)
{
	struct tap_ssrp *b = sql_browser_state();
	struct tap_work *work = tap_work();

	if (!work || !b)
		return TAP_CNT_LOST;
	work->seg.ts_ns = bpf_ktime_get_ns();
	if (!sql_browser_allows(b, work->seg.ts_ns))
		return TAP_CNT_FLOOD;
	sql_browser_read(ctx, hook, work, b);
	if (work->avail > SEG_CHUNK)
		work->avail = SEG_CHUNK;
	if (hook == TAP_HOOK_SKB ? ringbuf_skb(ctx) : ringbuf_xdp(ctx))
		return TAP_CNT_LOST;
	return TAP_CNT_DATAGRAM;
}

/* One function for each hook, so that the verifier checks it once. Returns enum tap_counter. */
__noinline int sql_browser_skb(struct __sk_buff *skb)
{
	return sql_browser_datagram(skb, TAP_HOOK_SKB);
}

__noinline int sql_browser_xdp(struct xdp_md *xdp)
{
	return sql_browser_datagram(xdp, TAP_HOOK_XDP);
}

#endif
