/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pkt.h - the only packet parser: finds the TCP or UDP header of a frame that begins with Ethernet
 * or with IP, and turns it into a struct seg. Compiled for BPF (vmlinux.h included before) and for
 * user space. It only reads between data and end, and changes nothing.
 *
 * Tunnels are unwrapped by decap.h, with the functions of this file.
 *
 * Use: pkt_parse_eth() or pkt_parse_ip(). If that returns PKT_TCP or PKT_UDP, the pkt's ports are
 * set, so that packets on other ports can be rejected cheaply; pkt_seg() or pkt_datagram() fills in
 * the rest.
 */
#ifndef TDSMON_PKT_H
#define TDSMON_PKT_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#include "segment.h"

/*
 * Headers have any alignment. BPF's verifier allows that where the machine does, and there clang
 * would read packed structs byte by byte.
 */
#ifdef __BPF__
#define PKT_UNALIGNED
#else
#define PKT_UNALIGNED __attribute__((packed))
#endif

#define PKT_INLINE static inline __attribute__((always_inline))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define pkt_be16(x) ((__u16)__builtin_bswap16(x))
#define pkt_be32(x) ((__u32)__builtin_bswap32(x))
#else
#define pkt_be16(x) ((__u16)(x))
#define pkt_be32(x) ((__u32)(x))
#endif

/*
 * Hide from the compiler what it knows about a value. BPF's verifier follows the values themselves,
 * and loses track if clang turns "the IPv6 pointer is set" into a flag of its own.
 */
#ifdef __BPF__
#define pkt_opaque(x) asm volatile("" : "+r"(x))
#else
#define pkt_opaque(x) (void)(x)
#endif

#define PKT_VLAN_MAX 2 /* tags in a frame, 802.1ad: one outer, one inner */
#define PKT_EXT_MAX  6 /* IPv6 extension headers before the TCP header */

/* Results of parsing a frame. Never negative: they index tables. */
enum pkt_result {
	PKT_TCP = 0,
	PKT_OTHER,	 /* not IP, neither TCP nor UDP, or a datagram's later fragment */
	PKT_SHORT,	 /* cut short or malformed before the end of the TCP or UDP header */
	PKT_FRAGMENT,	 /* IP fragment other than the first */
	PKT_EXT_HEADERS, /* more than PKT_EXT_MAX IPv6 extension headers */
	PKT_UDP,
	PKT_NESTED, /* more nested tunnels than are unwrapped: decap.h */
	PKT_INNER,  /* never a frame's result: decap_step() has to read another header */
};

/* IEEE 802 EtherTypes */
enum {
	PKT_ETH_IP4 = 0x0800,
	PKT_ETH_VLAN = 0x8100, /* 802.1Q */
	PKT_ETH_IP6 = 0x86DD,
	PKT_ETH_QINQ = 0x88A8,	/* 802.1ad */
	PKT_ETH_QINQ1 = 0x9100, /* before 802.1ad, still in use */
};

/* IANA protocol numbers; the ones that IPv6 chains are in RFC 8200 4 and RFC 4302 (AH) */
enum {
	PKT_IP_HOPOPTS = 0,
	PKT_IP_TCP = 6,
	PKT_IP_UDP = 17,
	PKT_IP_ROUTING = 43,
	PKT_IP_FRAGMENT = 44,
	PKT_IP_AH = 51,
	PKT_IP_DSTOPTS = 60,
};

struct pkt_eth {
	__u8 dst[6];
	__u8 src[6];
	__u16 type_be;
} PKT_UNALIGNED;

struct pkt_vlan {
	__u16 tci_be;
	__u16 type_be;
} PKT_UNALIGNED;

/* RFC 791 3.1 */
struct pkt_ip4 {
	__u8 version_ihl;
	__u8 tos;
	__u16 total_len_be;
	__u16 id_be;
	__u16 frag_be;
	__u8 ttl;
	__u8 proto;
	__u16 csum_be;
	__u32 saddr_be;
	__u32 daddr_be;
} PKT_UNALIGNED;

#define PKT_IP4_OFFSET 0x1fff /* of frag_be, in units of 8 bytes */

/* RFC 8200 3 */
struct pkt_ip6 {
	__u32 version_class_flow_be;
	__u16 payload_len_be;
	__u8 next;
	__u8 hop_limit;
	__u32 saddr_be[4];
	__u32 daddr_be[4];
} PKT_UNALIGNED;

/* The fields that extension headers share, and the fragment header's offset. */
struct pkt_ext {
	__u8 next;
	__u8 len; /* units of 8 bytes, minus one (AH: of 4, minus two); reserved in a fragment header */
	__u16 frag_be;
} PKT_UNALIGNED;

#define PKT_IP6_OFFSET 0xfff8 /* of frag_be, in bytes (RFC 8200 4.5) */

/* RFC 9293 3.1, without the options */
struct pkt_tcp {
	__u16 sport_be;
	__u16 dport_be;
	__u32 seq_be;
	__u32 ack_be;
	__u8 offset; /* of the data, upper four bits, in units of 4 bytes */
	__u8 flags;
	__u16 window_be;
	__u16 csum_be;
	__u16 urgent_be;
} PKT_UNALIGNED;

/* RFC 768 */
struct pkt_udp {
	__u16 sport_be;
	__u16 dport_be;
	__u16 len_be; /* header and data */
	__u16 csum_be;
} PKT_UNALIGNED;

/* A frame that holds TCP or UDP. The pointers are into the caller's buffer. */
struct pkt {
	const struct pkt_ip4 *ip4; /* one of ip4 and ip6 is NULL */
	const struct pkt_ip6 *ip6;
	const struct pkt_tcp *tcp; /* only for PKT_TCP */
	__u32 payload_off;	   /* of the first payload byte, from data; may lie after end */
	/* by the headers: without padding, perhaps more than the frame holds; of a fragment its own */
	__u32 payload_len;
	__u16 sport;
	__u16 dport;
	__u32 tunnel; /* TUNNEL_*; only decap.h sets it */
};

/* tcp_len: bytes from the TCP header to the end of the IP packet */
PKT_INLINE enum pkt_result pkt_parse_tcp(struct pkt *pkt, const void *data, const void *pos,
					 const void *end, __u32 tcp_len)
{
	const struct pkt_tcp *tcp = pos;
	__u32 header_len;

	if ((const void *)(tcp + 1) > end)
		return PKT_SHORT;
	/* Options are not read, so they may be missing. */
	header_len = (tcp->offset >> 4) * 4;
	if (header_len < sizeof(*tcp) || header_len > tcp_len)
		return PKT_SHORT;

	pkt->tcp = tcp;
	pkt->payload_off = (__u32)((const __u8 *)pos - (const __u8 *)data) + header_len;
	pkt->payload_len = tcp_len - header_len;
	pkt->sport = pkt_be16(tcp->sport_be);
	pkt->dport = pkt_be16(tcp->dport_be);
	return PKT_TCP;
}

/* udp_len: bytes from the UDP header to the end of the IP packet, which may be a first fragment */
PKT_INLINE enum pkt_result pkt_parse_udp(struct pkt *pkt, const void *data, const void *pos,
					 const void *end, __u32 udp_len)
{
	const struct pkt_udp *udp = pos;
	__u32 len;

	if ((const void *)(udp + 1) > end)
		return PKT_SHORT;
	len = pkt_be16(udp->len_be);
	if (len > udp_len)
		len = udp_len;
	if (len < sizeof(*udp))
		return PKT_OTHER;
	pkt->payload_off = (__u32)((const __u8 *)pos - (const __u8 *)data) + (__u32)sizeof(*udp);
	pkt->payload_len = len - (__u32)sizeof(*udp);
	pkt->sport = pkt_be16(udp->sport_be);
	pkt->dport = pkt_be16(udp->dport_be);
	return PKT_UDP;
}

/* An IPv4 packet that is not TCP. Its header is complete, and of a valid length. */
PKT_INLINE enum pkt_result pkt_parse_ip4_udp(struct pkt *pkt, const void *data,
					     const struct pkt_ip4 *ip, const void *end)
{
	__u32 header_len = (ip->version_ihl & 0xf) * 4;
	__u32 total_len = pkt_be16(ip->total_len_be);

	if (ip->proto != PKT_IP_UDP || ip->frag_be & pkt_be16(PKT_IP4_OFFSET))
		return PKT_OTHER;
	if (total_len < header_len)
		return PKT_SHORT;
	pkt->ip4 = ip;
	pkt->ip6 = 0;
	pkt_opaque(pkt->ip4);
	pkt_opaque(pkt->ip6);
	return pkt_parse_udp(pkt, data, (const __u8 *)ip + header_len, end, total_len - header_len);
}

/* ip_len: bytes of the frame from the IP header on, including padding */
PKT_INLINE enum pkt_result pkt_parse_ip4(struct pkt *pkt, const void *data, const void *pos,
					 const void *end, __u32 ip_len)
{
	const struct pkt_ip4 *ip = pos;
	__u32 header_len, total_len;

	if ((const void *)(ip + 1) > end)
		return PKT_SHORT;
	header_len = (ip->version_ihl & 0xf) * 4;
	if (ip->version_ihl >> 4 != 4 || header_len < sizeof(*ip))
		return PKT_SHORT;
	if (ip->proto != PKT_IP_TCP)
		return pkt_parse_ip4_udp(pkt, data, ip, end);
	if (ip->frag_be & pkt_be16(PKT_IP4_OFFSET))
		return PKT_FRAGMENT;

	/* 0: too long for 16 bits, or left to the device (Linux' BIG TCP, segmentation offload) */
	total_len = pkt_be16(ip->total_len_be);
	if (!total_len)
		total_len = ip_len;
	if (total_len < header_len)
		return PKT_SHORT;

	pkt->ip4 = ip;
	pkt->ip6 = 0;
	pkt_opaque(pkt->ip4);
	pkt_opaque(pkt->ip6);
	return pkt_parse_tcp(pkt, data, (const __u8 *)pos + header_len, end,
			     total_len - header_len);
}

/* 1 if a == b, else 0, without a branch. a has at most 8 bits. */
PKT_INLINE __u32 pkt_equal(__u32 a, __u32 b)
{
	__u32 differ = a ^ b;

	pkt_opaque(differ);
	return (differ - 1) >> 31;
}

/* Is it an extension header after which this parser finds another header? */
PKT_INLINE int pkt_is_ext(__u8 next)
{
	const __u64 ext = 1ull << PKT_IP_HOPOPTS | 1ull << PKT_IP_ROUTING |
			  1ull << PKT_IP_FRAGMENT | 1ull << PKT_IP_AH | 1ull << PKT_IP_DSTOPTS;

	return next < 64 && ext >> next & 1;
}

/* A valid IPv6 header, and the header after its extensions. */
struct pkt_ip6_walk {
	const struct pkt_ip6 *ip;
	const void *pos; /* after the extension headers */
	__u32 len;	 /* bytes after the IPv6 header, up to the end of the packet */
	__u8 next;	 /* protocol of the header at pos */
};

/*
 * Skip the extension headers. Returns PKT_TCP if the header after them was reached, whatever its
 * protocol. The loop has few branches, because the verifier follows each one through all remaining
 * rounds.
 */
PKT_INLINE enum pkt_result pkt_walk_ip6(struct pkt_ip6_walk *walk, const void *pos, const void *end,
					__u32 ip_len)
{
	const struct pkt_ip6 *ip = pos;
	__u32 ext_len, is_ah, is_fragment;
	__u8 next;
	int i;

	if ((const void *)(ip + 1) > end)
		return PKT_SHORT;
	if (*(const __u8 *)pos >> 4 != 6)
		return PKT_SHORT;

	/* 0: the length is in a jumbo option (RFC 2675), or missing (Linux' BIG TCP) */
	walk->len = pkt_be16(ip->payload_len_be);
	if (!walk->len)
		walk->len = ip_len - (__u32)sizeof(*ip);

	next = ip->next;
	pos = ip + 1;
	for (i = 0; i < PKT_EXT_MAX && next != PKT_IP_TCP; i++) {
		const struct pkt_ext *ext = pos;

		if (!pkt_is_ext(next))
			break;
		if ((const void *)(ext + 1) > end)
			return PKT_SHORT;
		is_ah = pkt_equal(next, PKT_IP_AH);
		is_fragment = pkt_equal(next, PKT_IP_FRAGMENT);
		/* in a later fragment, the next header is not known to be TCP */
		if (ext->frag_be & pkt_be16(PKT_IP6_OFFSET) & -is_fragment)
			return PKT_FRAGMENT;
		ext_len = ext->len & (is_fragment - 1);
		ext_len = (ext_len + 1 + is_ah) << (3 - is_ah);
		pkt_opaque(ext_len);
		ext_len &= 0xfff; /* changes nothing, but now the verifier knows the bound, too */
		next = ext->next;
		pos = (const __u8 *)pos + ext_len;
	}
	walk->ip = ip;
	walk->pos = pos;
	walk->next = next;
	return PKT_TCP;
}

/* Parse the header at the end of the walk, if it is TCP's or UDP's. */
PKT_INLINE enum pkt_result pkt_walked_ip6(struct pkt *pkt, const void *data,
					  const struct pkt_ip6_walk *walk, const void *end)
{
	__u32 ext_len;

	if (walk->next != PKT_IP_TCP && walk->next != PKT_IP_UDP)
		return pkt_is_ext(walk->next) ? PKT_EXT_HEADERS : PKT_OTHER;

	ext_len = (__u32)((const __u8 *)walk->pos - (const __u8 *)(walk->ip + 1));
	if (walk->len < ext_len)
		return PKT_SHORT;
	pkt->ip4 = 0;
	pkt->ip6 = walk->ip;
	pkt_opaque(pkt->ip4);
	pkt_opaque(pkt->ip6);
	if (walk->next == PKT_IP_TCP)
		return pkt_parse_tcp(pkt, data, walk->pos, end, walk->len - ext_len);
	return pkt_parse_udp(pkt, data, walk->pos, end, walk->len - ext_len);
}

PKT_INLINE enum pkt_result pkt_parse_ip6(struct pkt *pkt, const void *data, const void *pos,
					 const void *end, __u32 ip_len)
{
	struct pkt_ip6_walk walk;
	enum pkt_result result = pkt_walk_ip6(&walk, pos, end, ip_len);

	return result == PKT_TCP ? pkt_walked_ip6(pkt, data, &walk, end) : result;
}

/*
 * A frame that starts with its IP header. [data, end) can be read; frame_len is its length on the
 * wire, >= end - data. Fills *pkt if the result is PKT_TCP or PKT_UDP.
 */
PKT_INLINE enum pkt_result pkt_parse_ip(struct pkt *pkt, const void *data, const void *end,
					__u32 frame_len)
{
	const __u8 *version = data;

	if (version + 1 > (const __u8 *)end)
		return PKT_SHORT;
	if (*version >> 4 == 4)
		return pkt_parse_ip4(pkt, data, data, end, frame_len);
	if (*version >> 4 == 6)
		return pkt_parse_ip6(pkt, data, data, end, frame_len);
	return PKT_OTHER;
}

/*
 * Is it the usual frame: Ethernet, IPv4 without options, and a valid TCP header? Then pkt_set_usual() and
 * pkt_set_usual_payload() do what pkt_parse_eth() does, in fewer instructions.
 */
PKT_INLINE int pkt_is_usual(const void *data, const void *end)
{
	const struct pkt_eth *eth = data;
	const struct pkt_ip4 *ip = (const void *)(eth + 1);
	const struct pkt_tcp *tcp = (const void *)(ip + 1);
	__u32 header_len;

	if ((const void *)(tcp + 1) > end)
		return 0;
	header_len = (__u32)sizeof(*ip) + (tcp->offset >> 4) * 4;
	return eth->type_be == pkt_be16(PKT_ETH_IP4) && ip->version_ihl == 0x45 &&
	       ip->proto == PKT_IP_TCP && !(ip->frag_be & pkt_be16(PKT_IP4_OFFSET)) &&
	       header_len >= sizeof(*ip) + sizeof(*tcp) && pkt_be16(ip->total_len_be) >= header_len;
}

/* Set the usual frame's headers and ports. False: pkt_is_usual() was not asked, and the frame is too short. */
PKT_INLINE int pkt_set_usual(struct pkt *pkt, const void *data, const void *end)
{
	const struct pkt_ip4 *ip = (const void *)((const struct pkt_eth *)data + 1);
	const struct pkt_tcp *tcp = (const void *)(ip + 1);

	if ((const void *)(tcp + 1) > end)
		return 0;
	pkt->ip4 = ip;
	pkt->ip6 = 0;
	pkt->tcp = tcp;
	pkt->sport = pkt_be16(tcp->sport_be);
	pkt->dport = pkt_be16(tcp->dport_be);
	return 1;
}

/* The rest, for those whose ports are of interest: where the payload is. */
PKT_INLINE void pkt_set_usual_payload(struct pkt *pkt)
{
	const struct pkt_tcp *tcp = pkt->tcp;
	__u32 header_len;

	pkt_opaque(tcp); /* or clang works it out before the ports are tested */
	header_len = (__u32)sizeof(struct pkt_ip4) + (tcp->offset >> 4) * 4;
	pkt->payload_off = (__u32)sizeof(struct pkt_eth) + header_len;
	pkt->payload_len = pkt_be16(pkt->ip4->total_len_be) - header_len;
}

/* The same, for a frame that starts with its Ethernet header. */
PKT_INLINE enum pkt_result pkt_parse_eth(struct pkt *pkt, const void *data, const void *end,
					 __u32 frame_len)
{
	const struct pkt_eth *eth = data;
	const struct pkt_vlan *vlan;
	__u16 type;
	int i;

	if ((const void *)(eth + 1) > end)
		return PKT_SHORT;
	type = pkt_be16(eth->type_be);
	vlan = (const void *)(eth + 1);
	frame_len -= (__u32)sizeof(*eth);

#ifdef __clang__
#pragma unroll
#endif
	for (i = 0; i < PKT_VLAN_MAX; i++) {
		if (type != PKT_ETH_VLAN && type != PKT_ETH_QINQ && type != PKT_ETH_QINQ1)
			break;
		if ((const void *)(vlan + 1) > end)
			return PKT_SHORT;
		type = pkt_be16(vlan->type_be);
		vlan++;
		frame_len -= (__u32)sizeof(*vlan);
	}
	if (type == PKT_ETH_IP4)
		return pkt_parse_ip4(pkt, data, vlan, end, frame_len);
	if (type == PKT_ETH_IP6)
		return pkt_parse_ip6(pkt, data, vlan, end, frame_len);
	return PKT_OTHER;
}

/* An IPv4 address as an IPv6 one: ::ffff:a.b.c.d (RFC 4291 2.5.5.2) */
PKT_INLINE void pkt_map_ip4(__u8 out[16], __u32 addr_be)
{
	__u32 words[4] = {0, 0, pkt_be32(0xffff), addr_be};

	__builtin_memcpy(out, words, sizeof(words));
}

/* The fields that TCP and UDP share. */
PKT_INLINE void pkt_ends(const struct pkt *pkt, struct seg *seg)
{
	if (pkt->ip4) {
		pkt_map_ip4(seg->saddr, pkt->ip4->saddr_be);
		pkt_map_ip4(seg->daddr, pkt->ip4->daddr_be);
		seg->ttl = pkt->ip4->ttl;
		seg->ip_id = pkt_be16(pkt->ip4->id_be);
	} else if (pkt->ip6) {
		__builtin_memcpy(seg->saddr, pkt->ip6->saddr_be, sizeof(seg->saddr));
		__builtin_memcpy(seg->daddr, pkt->ip6->daddr_be, sizeof(seg->daddr));
		seg->ttl = pkt->ip6->hop_limit;
		seg->ip_id = 0;
	}
	seg->sport = pkt->sport;
	seg->dport = pkt->dport;
	seg->len = pkt->payload_len;
}

/*
 * Fill in a segment's fields from the headers: addresses, ports, seq, ack, flags, window, ttl,
 * ip_id and len. The caller sets the others (ts_ns, cap_len, ifindex, dir, rec_flags).
 */
PKT_INLINE void pkt_seg(const struct pkt *pkt, struct seg *seg)
{
	const struct pkt_tcp *tcp = pkt->tcp;

	pkt_ends(pkt, seg);
	seg->seq = pkt_be32(tcp->seq_be);
	seg->ack = pkt_be32(tcp->ack_be);
	seg->window = pkt_be16(tcp->window_be);
	seg->flags = tcp->flags & (SEG_FIN | SEG_SYN | SEG_RST | SEG_PSH | SEG_ACK | SEG_URG);
}

/* The same for a datagram; seq, ack, window and flags are 0. */
PKT_INLINE void pkt_datagram(const struct pkt *pkt, struct seg *seg)
{
	pkt_ends(pkt, seg);
	seg->seq = 0;
	seg->ack = 0;
	seg->window = 0;
	seg->flags = 0;
}

#endif
