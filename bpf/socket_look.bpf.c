// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket_look.bpf.c - looks at one TCP socket of this host, in any network namespace that the own one
 * has an id for. It is not attached: user space runs it by BPF_PROG_TEST_RUN.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "socket_abi.h"

#define LOOK_TC_PASS -1 /* TC_ACT_UNSPEC */
#define LOOK_INLINE  static __attribute__((always_inline)) inline
#define LOOK_LISTEN  10 /* TCP_LISTEN */

/* With remote_port 0 there is no connection, and the listener is found. To be released. */
LOOK_INLINE struct bpf_sock *look_up(struct __sk_buff *skb, const struct socket_query *q,
				     __u16 remote_port)
{
	const __u32 *local = (const __u32 *)q->local, *remote = (const __u32 *)q->remote;
	bool v4 = !local[0] && !local[1] && local[2] == bpf_htonl(0xffff);
	struct bpf_sock_tuple t = {};

	if (v4) {
		t.ipv4.saddr = remote[3];
		t.ipv4.daddr = local[3];
		t.ipv4.sport = bpf_htons(remote_port);
		t.ipv4.dport = bpf_htons(q->local_port);
		return bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv4), (__u64)(__s64)q->netns, 0);
	}
	__builtin_memcpy(t.ipv6.saddr, remote, sizeof(t.ipv6.saddr));
	__builtin_memcpy(t.ipv6.daddr, local, sizeof(t.ipv6.daddr));
	t.ipv6.sport = bpf_htons(remote_port);
	t.ipv6.dport = bpf_htons(q->local_port);
	return bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv6), (__u64)(__s64)q->netns, 0);
}

/* Of the descriptor that a process has of it; 0: none has one. */
LOOK_INLINE __u32 look_inode(const struct tcp_sock *tp)
{
	const struct socket *socket = tp->inet_conn.icsk_inet.sk.sk_socket;
	const struct file *file;

	if (!socket)
		return 0;
	file = socket->file;
	return file && file->f_inode ? (__u32)file->f_inode->i_ino : 0;
}

LOOK_INLINE void look_connection(struct bpf_sock *sk, struct socket_query *q)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	q->state = (__u8)sk->state;
	if (!tp)
		return;
	q->received = tp->rcv_nxt;
	q->unread = tp->rcv_nxt - tp->copied_seq;
	q->inode = look_inode(tp);
	q->netns_inode = tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net->ns.inum;
}

LOOK_INLINE void look_listener(struct bpf_sock *sk, struct socket_query *q)
{
	struct tcp_sock *tp = sk->state == LOOK_LISTEN ? bpf_skc_to_tcp_sock(sk) : NULL;

	if (!tp)
		return;
	q->has_listener = 1;
	q->queue_length = tp->inet_conn.icsk_inet.sk.sk_ack_backlog;
	q->queue_limit = tp->inet_conn.icsk_inet.sk.sk_max_ack_backlog;
	q->listener_inode = look_inode(tp);
}

SEC("tc")
int socket_look(struct __sk_buff *skb)
{
	struct socket_query *q = (void *)(long)skb->data;
	struct bpf_sock *sk;

	if ((void *)(q + 1) > (void *)(long)skb->data_end)
		return LOOK_TC_PASS;
	sk = look_up(skb, q, q->remote_port);
	if (!sk)
		return LOOK_TC_PASS;
	look_connection(sk, q);
	bpf_sk_release(sk);
	sk = look_up(skb, q, 0);
	if (!sk)
		return LOOK_TC_PASS;
	look_listener(sk, q);
	bpf_sk_release(sk);
	return LOOK_TC_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
