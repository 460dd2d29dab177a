// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_reads.bpf.c - records when a process has read all that had come on a socket whose next read
 * is awaited. The tracepoint fires for each TCP read of the host, in every network namespace; while
 * nothing is awaited that costs a comparison.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "socket_abi.h"

#define READS_INET6 10 /* AF_INET6 */

/* User space sets it while it awaits reads. */
__u32 reads_armed;

/* Ports of servers, bit n for port n, host order: a read of another connection ends here. */
__u64 reads_ports[65536 / 64];

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOCKETS_AWAITED);
	__type(key, struct socket_key);
	__type(value, __u8);
} awaited SEC(".maps");

/* The tap's ring buffer, so that a read comes before the answer that follows it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

static __attribute__((always_inline)) inline bool reads_port(__u16 port)
{
	return reads_ports[port / 64] >> (port % 64) & 1;
}

static __attribute__((always_inline)) inline void reads_key(const struct sock *sk,
							    struct socket_key *key)
{
	const struct sock_common *c = &sk->__sk_common;

	if (c->skc_family == READS_INET6) {
		__builtin_memcpy(key->local, &c->skc_v6_rcv_saddr, 16);
		__builtin_memcpy(key->remote, &c->skc_v6_daddr, 16);
	} else {
		key->local[10] = key->local[11] = key->remote[10] = key->remote[11] = 0xff;
		__builtin_memcpy(key->local + 12, &c->skc_rcv_saddr, 4);
		__builtin_memcpy(key->remote + 12, &c->skc_daddr, 4);
	}
	key->local_port = c->skc_num;
	key->remote_port = bpf_ntohs(c->skc_dport);
	key->netns_inode = c->skc_net.net->ns.inum;
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_read, struct sock *sk)
{
	const struct tcp_sock *tp;
	struct socket_key key = {};
	struct seg *seg;
	char *record;

	if (!reads_armed)
		return 0;
	if (!reads_port(sk->__sk_common.skc_num) &&
	    !reads_port(bpf_ntohs(sk->__sk_common.skc_dport)))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || tp->rcv_nxt != tp->copied_seq)
		return 0; /* there is more to read */
	reads_key(sk, &key);
	if (bpf_map_delete_elem(&awaited, &key))
		return 0;
	record = bpf_ringbuf_reserve(&events, SOCKET_READ_RECORD, 0);
	if (!record)
		return 0;
	__builtin_memset(record, 0, SOCKET_READ_RECORD);
	seg = (struct seg *)record;
	seg->ts_ns = bpf_ktime_get_ns();
	__builtin_memcpy(seg->saddr, key.local, 16);
	__builtin_memcpy(seg->daddr, key.remote, 16);
	seg->sport = key.local_port;
	seg->dport = key.remote_port;
	seg->rec_flags = SEG_F_READ;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP); /* the next look, or the answer, wakes it */
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
