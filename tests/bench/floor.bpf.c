// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * floor.bpf.c - the least that a tap has to do: floors against which the tap's own programs are
 * measured in the same run. Records, keys and values have the tap's sizes. There is only IPv4,
 * everything is on one port, and nothing is decided.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "pkt.h"
#include "tap_abi.h"
#include "latency_histogram.h"

#define INLINE static __always_inline

struct flow {
	__u64 words[11];
};

struct slot {
	__u64 words[11];
};

struct small {
	struct seg seg;
	__u8 payload[128];
};

struct large {
	struct seg seg;
	__u8 payload[512];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct tap_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

struct set {
	__u16 tags[8];
	__u32 next;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, struct set);
} sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct tap_handshake);
} handshakes SEC(".maps");

__u64 sets_full;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 6);
	__type(key, __u32);
	__type(value, struct latency);
} sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

__u64 ports[65536 / 64] __attribute__((aligned(64)));

/* Parse the packet's segment, if it is to or from a port of interest. */
INLINE bool parsed(struct pkt *pkt, void *data, void *end, __u32 len)
{
	__u32 s, d;

	if (pkt_parse_eth(pkt, data, end, len) != PKT_TCP || !pkt->ip4)
		return false;
	s = pkt->sport / 64;
	d = pkt->dport / 64;
	return ports[s & 1023] >> (pkt->sport % 64) & 1 || ports[d & 1023] >> (pkt->dport % 64) & 1;
}

INLINE struct tap_key key_of(const struct pkt *pkt)
{
	__u32 s = pkt->ip4->saddr_be, d = pkt->ip4->daddr_be;
	bool lower = pkt_be32(s) < pkt_be32(d);

	return (struct tap_key){
		.addr = {lower ? s : d, lower ? d : s},
		.port = {lower ? pkt->sport : pkt->dport, lower ? pkt->dport : pkt->sport}};
}

/* For tables of slots. */
INLINE __u64 hash_of(const struct tap_key *key)
{
	return key_mix((__u64)key->addr[0] << 32 | key->addr[1],
		       (__u32)key->port[0] << 16 | key->port[1]);
}

INLINE struct flow *flow_of(const struct pkt *pkt)
{
	struct tap_key key = key_of(pkt);

	return bpf_map_lookup_elem(&flows, &key);
}

SEC("tc")
int floor_port(struct __sk_buff *skb)
{
	struct pkt pkt;

	return parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len) - 1;
}

SEC("xdp")
int floor_port_xdp(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct pkt pkt;

	return XDP_PASS - parsed(&pkt, data, end, end - data);
}

/* Look a flow up, and note in it how far the stream has come. */
SEC("tc")
int floor_flow(struct __sk_buff *skb)
{
	struct flow *flow;
	struct pkt pkt;

	if (!parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))
		return -1;
	flow = flow_of(&pkt);
	if (flow)
		flow->words[0] = pkt_be32(pkt.tcp->seq_be) + pkt.payload_len;
	return -1;
}

SEC("xdp")
int floor_flow_xdp(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct flow *flow;
	struct pkt pkt;

	if (!parsed(&pkt, data, end, end - data))
		return XDP_PASS;
	flow = flow_of(&pkt);
	if (flow)
		flow->words[0] = pkt_be32(pkt.tcp->seq_be) + pkt.payload_len;
	return XDP_PASS;
}

/* The same, and read a frame's head. */
SEC("tc")
int floor_head(struct __sk_buff *skb)
{
	struct flow *flow;
	struct pkt pkt;
	__u8 head[8];

	if (!parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))
		return -1;
	flow = flow_of(&pkt);
	if (flow && !bpf_skb_load_bytes(skb, pkt.payload_off, head, sizeof(head)))
		flow->words[0] = pkt_be32(pkt.tcp->seq_be) + (head[2] << 8 | head[3]);
	return -1;
}

/* The same, and read the clock; every other packet adds to a sum. A connection is followed from its first packet on. */
SEC("tc")
int floor_command(struct __sk_buff *skb)
{
	struct flow none = {};
	struct tap_key key;
	struct latency *sum;
	struct flow *flow;
	struct pkt pkt;
	__u32 kind = 0;
	__u8 head[8];
	__u64 now_ns;

	if (!parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))
		return -1;
	flow = flow_of(&pkt);
	if (!flow) {
		key = key_of(&pkt);
		bpf_map_update_elem(&flows, &key, &none, BPF_ANY);
		return -1;
	}
	if (bpf_skb_load_bytes(skb, pkt.payload_off, head, sizeof(head)))
		return -1;
	now_ns = bpf_ktime_get_ns();
	if (head[0] == 1) {
		flow->words[1] = now_ns;
		return -1;
	}
	sum = bpf_map_lookup_elem(&sums, &kind);
	if (sum) {
		sum->count++;
		sum->total_sum_ns += now_ns - flow->words[1];
		sum->total[(now_ns - flow->words[1]) >> 10 & 63]++;
	}
	return -1;
}

/* Look a flow up, read the clock, and emit a record with so many bytes of payload. */
#define EMIT(kind, ctx, index, load_bytes)                                                         \
	do {                                                                                       \
		struct flow *flow = flow_of(&pkt);                                                 \
		struct kind *rec;                                                                  \
                                                                                                   \
		if (!flow)                                                                         \
			break;                                                                     \
		flow->words[0] = pkt_be32(pkt.tcp->seq_be) + pkt.payload_len;                      \
		rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);                               \
		if (!rec)                                                                          \
			break;                                                                     \
		pkt_seg(&pkt, &rec->seg);                                                          \
		rec->seg.ts_ns = bpf_ktime_get_ns();                                               \
		rec->seg.cap_len = pkt.payload_len;                                                \
		rec->seg.ifindex = index;                                                          \
		load_bytes(ctx, pkt.payload_off, rec->payload, sizeof(rec->payload) / 2);          \
		bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);                                         \
	} while (0)

#define EMIT_TC(kind)                                                                              \
	do {                                                                                       \
		struct pkt pkt;                                                                    \
                                                                                                   \
		if (parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))  \
			EMIT(kind, skb, skb->ifindex, bpf_skb_load_bytes);                         \
	} while (0)

#define EMIT_XDP(kind)                                                                             \
	do {                                                                                       \
		void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;          \
		struct pkt pkt;                                                                    \
                                                                                                   \
		if (parsed(&pkt, data, end, end - data))                                           \
			EMIT(kind, xdp, xdp->ingress_ifindex, bpf_xdp_load_bytes);                 \
	} while (0)

SEC("tc")
int floor_emit_64(struct __sk_buff *skb)
{
	EMIT_TC(small);
	return -1;
}

SEC("tc")
int floor_emit_256(struct __sk_buff *skb)
{
	EMIT_TC(large);
	return -1;
}

SEC("xdp")
int floor_emit_64_xdp(struct xdp_md *xdp)
{
	EMIT_XDP(small);
	return XDP_PASS;
}

SEC("xdp")
int floor_emit_256_xdp(struct xdp_md *xdp)
{
	EMIT_XDP(large);
	return XDP_PASS;
}

/* Store a SYN, with its time, in a separate table. */
SEC("tc")
int floor_syn(struct __sk_buff *skb)
{
	struct pkt pkt;
	struct tap_key key;
	struct slot *slot;
	__u32 index;

	if (!parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))
		return -1;
	key = key_of(&pkt);
	index = hash_of(&key) >> 40 & 8191;
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot)
		return -1;
	__builtin_memcpy(slot->words, &key, sizeof(key));
	pkt_seg(&pkt, (struct seg *)(slot->words + 2));
	slot->words[2] = bpf_ktime_get_ns();
	return -1;
}

/*
 * The same, in a table that holds as many handshakes as the tap's, and as large; the oldest of a set
 * makes room. And the flow is looked for, since its ports may be used again. So all the memory is touched
 * that the tap has to touch.
 */
SEC("tc")
int floor_syn_tables(struct __sk_buff *skb)
{
	struct pkt pkt;
	struct tap_key key;
	struct tap_handshake *kept;
	struct set *set;
	__u32 index;

	if (!parsed(&pkt, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len))
		return -1;
	key = key_of(&pkt);
	if (bpf_map_lookup_elem(&flows, &key))
		return -1;
	index = hash_of(&key) >> 40 & 2047;
	set = bpf_map_lookup_elem(&sets, &index);
	if (!set)
		return -1;
	index = index * 8 + (set->next++ & 7);
	kept = bpf_map_lookup_elem(&handshakes, &index);
	if (!kept)
		return -1;
	if (kept->state)
		sets_full++;
	kept->key = key;
	kept->state = 1;
	pkt_seg(&pkt, &kept->syn);
	kept->syn.ts_ns = bpf_ktime_get_ns();
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
