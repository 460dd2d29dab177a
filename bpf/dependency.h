/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * dependency.h - this host's requests to the services that a login depends on, and the responses:
 * DNS, Kerberos, LDAP, RPC, SMB, HTTP, and the start of TLS connections. The tap forwards the heads of
 * these packets at a bounded rate, and user space parses them: docs/CAUSES.md.
 *
 * Requests are taken at egress hooks and responses at ingress hooks. So a packet on the loopback
 * interface, which passes both, counts once. In bulk transfers only the segments that begin or end a
 * write (PSH) are forwarded.
 *
 * Of an SMB2 message the ids of its tree and session and its signature are left out, so that the
 * bytes which are forwarded reach the number of an RPC call in a named pipe.
 */
#ifndef TDSMON_DEPENDENCY_H
#define TDSMON_DEPENDENCY_H

#include "flow_table.h"
#include "packet_ctx.h"
#include "ringbuf.h"
#include "rpc_ports.h"
#include "service_ports.h"

#define DEPENDENCY_HEAD	   128u /* payload bytes of a packet that are forwarded, at most */
#define DEPENDENCY_ERROR   256u /* of a KDC's error, in which names stand behind times */
#define DEPENDENCY_RATE_NS 1000000000ull
#define DEPENDENCY_FLOWS   8192u
#define DEPENDENCY_HOSTS   4096u

/* Set before loading. Without the first nothing of this file is left in the programs. */
const volatile bool tap_dependencies = false;
const volatile __u32 tap_dependency_rate = 2000; /* packets in a second of each CPU */

#define KERBEROS_ERROR 0x7e /* the first byte of a KRB-ERROR, an application tag */
#define SMB2_KEPT      40u  /* from the length over TCP to the message's id: MS-SMB2 2.2.1.2 */
#define SMB2_BODY      64u  /* where forwarding goes on: the last bytes of the signature */
#define SMB2_REST      (DEPENDENCY_HEAD - SMB2_KEPT)

/* This host's addresses (16 bytes, network order), which user space keeps up to date. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEPENDENCY_HOSTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dependency_host);
	__type(value, __u8);
} dependency_hosts SEC(".maps");

/* A connection to a service. */
struct dependency_flow {
	__u32 request_end; /* the sequence number that follows what the host has sent */
	__u8 speaker;	   /* enum dependency_speaker: whose turn it is */
	__u8 unacked;	   /* what was forwarded of its requests is not acknowledged yet */
	__u8 over;	   /* nothing more of it is of interest */
	__u8 pushed;	   /* the last payload ended a write */
};

enum dependency_speaker { DEPENDENCY_NOBODY, DEPENDENCY_HOST, DEPENDENCY_SERVICE };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DEPENDENCY_FLOWS);
	__type(key, struct tap_key);
	__type(value, struct dependency_flow);
} dependency_flows SEC(".maps");

/* Services whose connections may carry bulk have half of the budget, and leave the others theirs. */
enum dependency_group { DEPENDENCY_NAMES, DEPENDENCY_BULK, DEPENDENCY_GROUPS };

struct dependency_budget {
	__u64 since_ns;
	__u32 used[DEPENDENCY_GROUPS];	  /* since then */
	__u8 reported[DEPENDENCY_GROUPS]; /* skipping was reported */
	__u8 pad[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dependency_budget);
} dependency_budgets SEC(".maps");

TAP_INLINE bool dependency_port(__u16 port)
{
	__u32 word = port / 64;

	tap_opaque(word);
	return tap_services[word & (65536 / 64 - 1)] >> (port % 64) & 1;
}

/* Only the parser of the tap that unwraps tunnels fills the field. */
TAP_INLINE bool dependency_in_tunnel(const struct pkt *pkt)
{
	return TAP_DECAP && pkt->tunnel;
}

/* A packet of no watched port: may it be one of those, as far as its port and direction tell? */
TAP_INLINE bool dependency_is_tcp(const struct pkt *pkt, __u32 dir)
{
	return tap_dependencies && !dependency_in_tunnel(pkt) &&
	       dependency_port(dir == SEG_DIR_EGRESS ? pkt->dport : pkt->sport);
}

/* The same of a datagram. */
TAP_INLINE bool dependency_is_udp(const struct pkt *pkt, __u32 dir)
{
	__u16 port = dir == SEG_DIR_EGRESS ? pkt->dport : pkt->sport;

	return tap_dependencies && !dependency_in_tunnel(pkt) && service_is_udp(port);
}

TAP_INLINE bool dependency_asks(const struct seg *seg)
{
	return seg->dir == SEG_DIR_EGRESS;
}

TAP_INLINE __u16 dependency_service_port(const struct seg *seg)
{
	return dependency_asks(seg) ? seg->dport : seg->sport;
}

TAP_INLINE bool dependency_is_own(const struct seg *seg)
{
	struct dependency_host host;

	__builtin_memcpy(host.addr, dependency_asks(seg) ? seg->saddr : seg->daddr, 16);
	return bpf_map_lookup_elem(&dependency_hosts, &host);
}

TAP_INLINE bool dependency_is_service(const struct seg *seg)
{
	struct dependency_endpoint peer = {.port = dependency_service_port(seg)};

	if (service_is_fixed(peer.port))
		return true;
	__builtin_memcpy(peer.addr, dependency_asks(seg) ? seg->daddr : seg->saddr, 16);
	return bpf_map_lookup_elem(&dependency_rpc, &peer);
}

TAP_INLINE struct dependency_budget *dependency_budget(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&dependency_budgets, &zero);
}

/* May one more packet of the group be forwarded? */
TAP_INLINE bool dependency_allows(struct dependency_budget *b, __u64 now_ns, __u32 bulk)
{
	__u32 *used = bulk ? &b->used[DEPENDENCY_BULK] : &b->used[DEPENDENCY_NAMES];

	if (now_ns - b->since_ns >= DEPENDENCY_RATE_NS) {
		b->since_ns = now_ns;
		b->used[DEPENDENCY_NAMES] = b->used[DEPENDENCY_BULK] = 0;
		b->reported[DEPENDENCY_NAMES] = b->reported[DEPENDENCY_BULK] = 0;
	}
	if (b->used[DEPENDENCY_NAMES] + b->used[DEPENDENCY_BULK] >= tap_dependency_rate ||
	    (bulk && *used >= tap_dependency_rate / 2))
		return false;
	(*used)++;
	return true;
}

/* Report the first that is skipped in a second: it may be the response to an open request. */
TAP_INLINE enum tap_counter dependency_skip(struct tap_work *work, struct dependency_budget *b,
					    __u32 bulk)
{
	__u8 *reported = bulk ? &b->reported[DEPENDENCY_BULK] : &b->reported[DEPENDENCY_NAMES];

	if (*reported)
		return TAP_CNT_DEPENDENCY_SKIPPED;
	*reported = 1;
	work->seg.cap_len = 0;
	work->seg.rec_flags |= SEG_F_SKIPPED;
	return ringbuf_header(work) ? TAP_CNT_DEPENDENCY_SKIPPED : TAP_CNT_LOST;
}

/* A KRB-ERROR, of which the name that was asked for is of interest (RFC 4120 5.9.1)? */
TAP_INLINE bool dependency_is_kdc_error(void *ctx, enum tap_hook hook, const struct tap_work *work)
{
	/* over TCP it stands behind the message's length */
	__u32 at = work->payload_off + (work->seg.rec_flags & SEG_F_UDP ? 0 : 4);
	__u8 head[8] = {};

	return work->seg.sport == SERVICE_KERBEROS && !dependency_asks(&work->seg) &&
	       work->avail > DEPENDENCY_HEAD &&
	       !ringbuf_load(ctx, hook, at, head, sizeof(head), sizeof(head)) &&
	       head[0] == KERBEROS_ERROR;
}

/* An SMB2 message that is longer than a head? */
TAP_INLINE bool dependency_is_smb2(void *ctx, enum tap_hook hook, const struct tap_work *work)
{
	__u16 port = dependency_service_port(&work->seg);
	__u8 head[8] = {};

	return (port == SERVICE_SMB || port == SERVICE_NETBIOS) && work->avail > DEPENDENCY_HEAD &&
	       !ringbuf_load(ctx, hook, work->payload_off, head, sizeof(head), sizeof(head)) &&
	       !head[0] && head[4] == 0xfe && head[5] == 'S' && head[6] == 'M' && head[7] == 'B';
}

/* Forward it with zeros for what is left out. */
TAP_INLINE enum tap_counter dependency_emit_smb2(void *ctx, enum tap_hook hook,
						 struct tap_work *work)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + DEPENDENCY_ERROR, 0);
	__u32 n = work->avail - SMB2_BODY, i;
	__u8 *payload;

	if (!rec)
		return TAP_CNT_LOST;
	*rec = work->seg;
	payload = (__u8 *)(rec + 1);
	n = (n < SMB2_REST ? n : SMB2_REST) - 1;
	tap_opaque(n);
	n = (n & (DEPENDENCY_HEAD - 1)) + 1;
	for (i = SMB2_KEPT; i < SMB2_BODY; i += 8)
		*(__u64 *)(payload + i) = 0;
	rec->cap_len = SMB2_BODY + n;
	if (rec->cap_len < rec->len)
		rec->rec_flags |= SEG_F_TRUNC;
	if (ringbuf_load(ctx, hook, work->payload_off, payload, SMB2_KEPT, SMB2_BODY) ||
	    ringbuf_load(ctx, hook, work->payload_off + SMB2_BODY, payload + SMB2_BODY, n,
			 DEPENDENCY_HEAD)) {
		rec->cap_len = 0;
		rec->rec_flags |= SEG_F_TRUNC;
	}
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return TAP_CNT_DEPENDENCY;
}

/* Forward the head of what is in the work, if there is budget for it. */
TAP_INLINE enum tap_counter dependency_emit(void *ctx, enum tap_hook hook, struct tap_work *work)
{
	struct dependency_budget *b = dependency_budget();
	struct seg *seg = &work->seg;
	__u32 bulk = service_is_bulk(dependency_service_port(seg)), room = DEPENDENCY_HEAD;

	if (!b)
		return TAP_CNT_LOST;
	seg->ts_ns = bpf_ktime_get_ns();
	seg->rec_flags |= SEG_F_SERVICE;
	if (!dependency_allows(b, seg->ts_ns, bulk))
		return dependency_skip(work, b, bulk);
	if (dependency_is_smb2(ctx, hook, work))
		return dependency_emit_smb2(ctx, hook, work);
	if (dependency_is_kdc_error(ctx, hook, work))
		room = DEPENDENCY_ERROR;
	seg->cap_len = work->avail < room ? work->avail : room;
	if (seg->cap_len < seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	if (!seg->cap_len)
		return ringbuf_header(work) ? TAP_CNT_DEPENDENCY : TAP_CNT_LOST;
	if (seg->cap_len <= DEPENDENCY_HEAD ? ringbuf_record(ctx, hook, work, DEPENDENCY_HEAD)
					    : ringbuf_record(ctx, hook, work, DEPENDENCY_ERROR))
		return TAP_CNT_DEPENDENCY;
	return TAP_CNT_LOST;
}

/* Does a write begin with this payload? */
TAP_INLINE bool dependency_write_begins(const struct dependency_flow *flow, __u8 speaker)
{
	return flow->speaker != speaker || flow->pushed;
}

/* Payload of the host's: is it to be forwarded? Takes note of it. */
TAP_INLINE bool dependency_request(struct dependency_flow *flow, const struct seg *seg)
{
	__u32 end = seg->seq + seg->len;
	bool turn = flow->speaker != DEPENDENCY_HOST;
	bool again = !turn && seq_diff(end, flow->request_end) <= 0;
	bool begins = dependency_write_begins(flow, DEPENDENCY_HOST);

	flow->speaker = DEPENDENCY_HOST;
	if (!again) {
		flow->request_end = end;
		flow->pushed = !!(seg->flags & SEG_PSH);
	}
	if (service_is_start_only(seg->dport) ? !turn : !begins && !again && !flow->pushed)
		return false;
	flow->unacked = 1;
	return true;
}

/* The same of the service's. */
TAP_INLINE bool dependency_response(struct dependency_flow *flow, const struct seg *seg)
{
	bool begins = dependency_write_begins(flow, DEPENDENCY_SERVICE);

	flow->speaker = DEPENDENCY_SERVICE;
	flow->pushed = !!(seg->flags & SEG_PSH);
	flow->unacked = 0;
	if (service_is_start_only(seg->sport))
		flow->over = 1;
	return begins || flow->pushed;
}

/* The same of any segment of a connection that is followed. */
TAP_INLINE bool dependency_wants(struct dependency_flow *flow, const struct seg *seg)
{
	bool asks = dependency_asks(seg);

	if (flow->over)
		return false;
	if (seg->flags & (SEG_SYN | SEG_RST))
		return true;
	if (seg->len)
		return asks ? dependency_request(flow, seg) : dependency_response(flow, seg);
	if (asks)
		return false;
	if (flow->unacked && seq_diff(seg->ack, flow->request_end) >= 0) {
		flow->unacked = 0;
		return true;
	}
	return seg->flags & SEG_FIN;
}

/*
 * A segment of a connection that is not followed: of one to a service it is from a SYN or payload
 * on, of one of which only the start counts, from a SYN on.
 */
TAP_INLINE bool dependency_begins(const struct seg *seg)
{
	if (seg->flags & (SEG_FIN | SEG_RST))
		return false;
	if (!(seg->flags & SEG_SYN) &&
	    (!seg->len || service_is_start_only(dependency_service_port(seg))))
		return false;
	return dependency_is_service(seg) && dependency_is_own(seg);
}

/* enum tap_counter */
TAP_INLINE int dependency_segment(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();
	struct dependency_flow *flow, fresh = {};

	if (!work)
		return TAP_CNT_LOST;
	flow = bpf_map_lookup_elem(&dependency_flows, &work->key);
	if (!flow && !dependency_begins(&work->seg))
		return TAP_CNT_OTHER;
	if (!flow || (work->seg.flags & (SEG_SYN | SEG_ACK)) == SEG_SYN) {
		dependency_wants(&fresh, &work->seg);
		bpf_map_update_elem(&dependency_flows, &work->key, &fresh, BPF_ANY);
	} else if (!dependency_wants(flow, &work->seg)) {
		return TAP_CNT_OTHER;
	}
	if (work->seg.sport == SERVICE_EPM && !dependency_asks(&work->seg))
		rpc_ports_read(ctx, hook, work);
	return dependency_emit(ctx, hook, work);
}

/* enum tap_counter */
TAP_INLINE int dependency_datagram(void *ctx, enum tap_hook hook)
{
	struct tap_work *work = tap_work();

	if (!work)
		return TAP_CNT_LOST;
	work->seg.rec_flags = SEG_F_UDP;
	return dependency_is_own(&work->seg) ? dependency_emit(ctx, hook, work) : TAP_CNT_OTHER;
}

/* The same for each hook and protocol, for the verifier to look at once. */
__noinline int dependency_tcp_skb(struct __sk_buff *skb)
{
	return dependency_segment(skb, TAP_HOOK_SKB);
}

__noinline int dependency_tcp_xdp(struct xdp_md *xdp)
{
	return dependency_segment(xdp, TAP_HOOK_XDP);
}

__noinline int dependency_udp_skb(struct __sk_buff *skb)
{
	return dependency_datagram(skb, TAP_HOOK_SKB);
}

__noinline int dependency_udp_xdp(struct xdp_md *xdp)
{
	return dependency_datagram(xdp, TAP_HOOK_XDP);
}

#endif
