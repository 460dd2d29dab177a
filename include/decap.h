/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decap.h - unwraps packets: finds the TCP or UDP header of a frame that may be in tunnels.
 * Compiled for BPF and for user space, as pkt.h is.
 *
 * VXLAN, GENEVE, GRE and ERSPAN give the connection a tunnel (segment.h's TUNNEL_*); if there are
 * several, the innermost. VLAN tags, VN-Tag, E-Tag, MPLS, PPPoE and IP in IP are skipped.
 *
 * Use: decap_init(), then decap_step() while it returns PKT_INNER, at most DECAP_STEPS times;
 * decap_parse() does both. A step reads one header, or an IP header together with the tunnel's
 * after it, so that BPF's verifier checks each of them once. Against hostile packets every length
 * is checked, and both the number of headers and the nesting of tunnels are bounded.
 */
#ifndef TDSMON_DECAP_H
#define TDSMON_DECAP_H

#include "pkt.h"

#define DECAP_STEPS  24	     /* most headers of a frame that are read */
#define DECAP_LAYERS 4	     /* most IP headers before the last one */
#define DECAP_REACH  0x2000u /* bytes of a frame in which headers are read, a power of two */
#define DECAP_PORTS  2	     /* of each kind */

#define DECAP_VXLAN_PORT  4789 /* RFC 7348 5 */
#define DECAP_VXLAN_LINUX 8472 /* before IANA gave that number; still the kernel's default */
#define DECAP_GENEVE_PORT 6081 /* RFC 8926 3.3 */

/* EtherTypes of the headers that are skipped, and of GRE's payloads */
enum {
	DECAP_ETH_FRAME = 0x6558,   /* a frame from its Ethernet header on (RFC 1701) */
	DECAP_ETH_MPLS = 0x8847,    /* RFC 3032 5 */
	DECAP_ETH_MPLS_UP = 0x8848, /* the same, label assigned upstream (RFC 5332 3) */
	DECAP_ETH_PPPOE = 0x8864,   /* session stage (RFC 2516 4) */
	DECAP_ETH_VNTAG = 0x8926,   /* VN-Tag, Cisco's forerunner of 802.1BR */
	DECAP_ETH_ETAG = 0x893f,    /* E-Tag, IEEE 802.1BR 7.5 */
	DECAP_ETH_QINQ2 = 0x9200,   /* before 802.1ad, as PKT_ETH_QINQ1 */
	DECAP_ETH_ERSPAN = 0x88be,  /* in GRE: ERSPAN, types I and II */
	DECAP_ETH_ERSPAN3 = 0x22eb, /* in GRE: ERSPAN, type III */
};

/* IANA protocol numbers */
enum {
	DECAP_IP_IP4 = 4,
	DECAP_IP_IP6 = 41,
	DECAP_IP_GRE = 47,
};

#define DECAP_GRE_CSUM	  0x8000 /* RFC 2784 2.1, RFC 2890 2 */
#define DECAP_GRE_ROUTING 0x4000 /* RFC 1701; source routes are not followed */
#define DECAP_GRE_KEY	  0x2000
#define DECAP_GRE_SEQ	  0x1000
#define DECAP_GRE_VERSION 0x0007 /* 1: PPTP, not unwrapped */

/* Which tunnels are unwrapped. UDP ports in host order; 0: none. */
struct decap_config {
	__u16 vxlan[DECAP_PORTS];
	__u16 geneve[DECAP_PORTS];
	__u8 gre;
	__u8 erspan;
	__u8 pad[2];
};

/* State of unwrapping a frame. Offsets count from the frame's first byte. */
struct decap {
	__u32 off;    /* of the next header */
	__u32 end;    /* where the packet that contains it ends on the wire */
	__u32 tunnel; /* the innermost so far */
	__u16 type;   /* EtherType of the next header */
	__u8 layers;  /* IP headers that led to another one */
	__u8 pad;
};

/* A frame of frame_len bytes on the wire, whose first header has this type. */
PKT_INLINE void decap_init(struct decap *d, __u16 type, __u32 frame_len)
{
	d->off = 0;
	d->end = frame_len;
	d->tunnel = TUNNEL_NONE;
	d->type = type;
	d->layers = 0;
	d->pad = 0;
}

PKT_INLINE const __u8 *decap_at(const void *data, __u32 off)
{
	pkt_opaque(off);
	return (const __u8 *)data + (off & (DECAP_REACH - 1));
}

PKT_INLINE __u32 decap_be16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

PKT_INLINE __u32 decap_be24(const __u8 *p)
{
	return (__u32)p[0] << 16 | (__u32)p[1] << 8 | p[2];
}

PKT_INLINE __u32 decap_gre_tunnel(__u32 key)
{
	if (key < TUNNEL_GRE_LONG)
		return TUNNEL_GRE + key;
	return TUNNEL_GRE_HASH | key * 0x9e3779b1u >> 9;
}

/* Another header of the same packet follows at pos. */
PKT_INLINE enum pkt_result decap_next(struct decap *d, const void *data, const __u8 *pos,
				      __u32 type)
{
	d->off = (__u32)(pos - (const __u8 *)data);
	d->type = (__u16)type;
	return PKT_INNER;
}

/* A packet in a tunnel follows at pos. */
PKT_INLINE enum pkt_result decap_enter(struct decap *d, const void *data, const __u8 *pos,
				       __u32 type)
{
	if (d->layers >= DECAP_LAYERS)
		return PKT_NESTED;
	d->layers++;
	return decap_next(d, data, pos, type);
}

/* The packet's length field says that it ends len bytes after d->off. */
PKT_INLINE void decap_ends(struct decap *d, __u32 len)
{
	if (d->off + len < d->end)
		d->end = d->off + len;
}

/* Bytes on the wire from the next header on. */
PKT_INLINE __u32 decap_left(const struct decap *d)
{
	return d->end > d->off ? d->end - d->off : 0;
}

/* ---- in UDP ---- */

/* RFC 7348 5: flags, 24 bits reserved, VNI, 8 bits reserved */
PKT_INLINE enum pkt_result decap_vxlan(struct decap *d, const void *data, const __u8 *p,
				       const void *end)
{
	if ((const void *)(p + 8) > end)
		return PKT_SHORT;
	if ((p[0] & 0x0c) != 0x08) /* no VNI, or VXLAN-GPE, which carries any protocol */
		return PKT_UDP;
	d->tunnel = TUNNEL_VXLAN | decap_be24(p + 4);
	return decap_enter(d, data, p + 8, DECAP_ETH_FRAME);
}

/* RFC 8926 3.4: version and length of the options, flags, protocol, VNI, 8 bits reserved */
PKT_INLINE enum pkt_result decap_geneve(struct decap *d, const void *data, const __u8 *p,
					const void *end)
{
	if ((const void *)(p + 8) > end)
		return PKT_SHORT;
	if (p[0] >> 6 || p[1] & 0x80) /* another version, or the tunnel's own messages */
		return PKT_UDP;
	d->tunnel = TUNNEL_GENEVE | decap_be24(p + 4);
	return decap_enter(d, data, p + 8 + (p[0] & 0x3f) * 4, decap_be16(p + 2));
}

PKT_INLINE int decap_port(const __u16 ports[DECAP_PORTS], __u16 port)
{
	return port && (port == ports[0] || port == ports[1]);
}

/* A datagram, in *pkt. Only its destination port counts: the source port is a hash (RFC 7348 5). */
PKT_INLINE enum pkt_result decap_udp(struct decap *d, const struct decap_config *config,
				     const struct pkt *pkt, const void *data, const void *end)
{
	if (pkt->payload_off >= DECAP_REACH || pkt->payload_len < 8)
		return PKT_UDP;
	if (decap_port(config->vxlan, pkt->dport))
		return decap_vxlan(d, data, decap_at(data, pkt->payload_off), end);
	if (decap_port(config->geneve, pkt->dport))
		return decap_geneve(d, data, decap_at(data, pkt->payload_off), end);
	return PKT_UDP;
}

/* ---- in GRE ---- */

/*
 * The ERSPAN header (draft-foschiano-erspan 4.2 and 4.3): version, VLAN, flags and session ID, 10
 * bits, then fields of its version. sequenced: GRE has a sequence number; without one it is type I,
 * which has no header.
 */
PKT_INLINE enum pkt_result decap_erspan(struct decap *d, const void *data, const __u8 *p,
					const void *end, int sequenced)
{
	if (!sequenced) {
		d->tunnel = TUNNEL_ERSPAN_NO_ID;
		return decap_enter(d, data, p, DECAP_ETH_FRAME);
	}
	if ((const void *)(p + 8) > end)
		return PKT_SHORT;
	if (p[0] >> 4 != 1)
		return PKT_OTHER;
	d->tunnel = TUNNEL_ERSPAN | (decap_be16(p + 2) & 0x3ff);
	return decap_enter(d, data, p + 8, DECAP_ETH_FRAME);
}

/* Type III: 12 bytes, and 8 more if the last bit is set. Five bits give the payload's type. */
PKT_INLINE enum pkt_result decap_erspan3(struct decap *d, const void *data, const __u8 *p,
					 const void *end)
{
	__u32 len, holds;

	if ((const void *)(p + 12) > end)
		return PKT_SHORT;
	if (p[0] >> 4 != 2)
		return PKT_OTHER;
	holds = p[10] >> 2 & 0x1f;
	len = 12 + (p[11] & 1) * 8;
	d->tunnel = TUNNEL_ERSPAN | (decap_be16(p + 2) & 0x3ff);
	if (!holds)
		return decap_enter(d, data, p + len, DECAP_ETH_FRAME);
	if (holds != 2)
		return PKT_OTHER;
	p += len;
	if ((const void *)(p + 1) > end)
		return PKT_SHORT;
	return decap_enter(d, data, p, *p >> 4 == 6 ? PKT_ETH_IP6 : PKT_ETH_IP4);
}

/* RFC 2784 2.1: flags, protocol; each optional field that is present takes 4 bytes */
PKT_INLINE enum pkt_result decap_gre(struct decap *d, const struct decap_config *config,
				     const void *data, const __u8 *p, const void *end)
{
	__u32 flags, type, csum;

	if ((const void *)(p + 4) > end)
		return PKT_SHORT;
	flags = decap_be16(p);
	type = decap_be16(p + 2);
	if (flags & (DECAP_GRE_ROUTING | DECAP_GRE_VERSION))
		return PKT_OTHER;
	csum = flags >> 15;
	p += 4 + csum * 4;
	d->tunnel = TUNNEL_GRE_NO_KEY;
	if (flags & DECAP_GRE_KEY) {
		if ((const void *)(p + 4) > end)
			return PKT_SHORT;
		d->tunnel = decap_gre_tunnel(decap_be16(p) << 16 | decap_be16(p + 2));
		p += 4;
	}
	p += (flags >> 12 & 1) * 4;
	if (type == DECAP_ETH_ERSPAN && config->erspan)
		return decap_erspan(d, data, p, end, flags & DECAP_GRE_SEQ);
	if (type == DECAP_ETH_ERSPAN3 && config->erspan)
		return decap_erspan3(d, data, p, end);
	if (!config->gre)
		return PKT_OTHER;
	return decap_enter(d, data, p, type);
}

/* ---- tags and labels ---- */

/* Does p look like an Ethernet header? 18 bytes can be read. */
PKT_INLINE int decap_is_frame(const __u8 *p)
{
	__u32 type = decap_be16(p + 12);

	if (type == PKT_ETH_IP4)
		return p[14] >> 4 == 4;
	if (type == PKT_ETH_IP6)
		return p[14] >> 4 == 6;
	type = type == PKT_ETH_VLAN || type == PKT_ETH_QINQ ? decap_be16(p + 16) : 0;
	return type == PKT_ETH_IP4 || type == PKT_ETH_IP6 || type == PKT_ETH_VLAN;
}

/* Can TCP or UDP follow this protocol's header? */
PKT_INLINE int decap_leads(__u8 protocol)
{
	return protocol == PKT_IP_TCP || protocol == PKT_IP_UDP || protocol == DECAP_IP_GRE ||
	       protocol == DECAP_IP_IP4 || protocol == DECAP_IP_IP6 || pkt_is_ext(protocol);
}

/*
 * After the last label, at p, no field names the next header. Its first four bits do: IP's version,
 * or 0 for the control word before a frame (RFC 4385 3), which may be missing (RFC 4448 4.6).
 * Ethernet addresses may begin with any of these, so the rest of the header has to agree.
 */
PKT_INLINE enum pkt_result decap_labelled(struct decap *d, const void *data, const __u8 *p,
					  const void *end)
{
	__u32 left = decap_left(d), len;

	if ((const void *)(p + 22) > end) /* IP needs 20 anyway, and TCP after it */
		return PKT_SHORT;
	left = left > 4 ? left - 4 : 0;
	len = decap_be16(p + 2);
	if (p[0] >> 4 == 4 && (p[0] & 0xf) >= 5 && len >= 20 && len <= left && decap_leads(p[9]))
		return decap_next(d, data, p, PKT_ETH_IP4);
	len = decap_be16(p + 4) + 40;
	if (p[0] >> 4 == 6 && len > 40 && len <= left && decap_leads(p[6]))
		return decap_next(d, data, p, PKT_ETH_IP6);
	if (decap_is_frame(p))
		return decap_next(d, data, p, DECAP_ETH_FRAME);
	if (!p[0] && decap_is_frame(p + 4))
		return decap_next(d, data, p + 4, DECAP_ETH_FRAME);
	return PKT_OTHER;
}

/* A label (RFC 3032 2.1): the third byte's last bit marks the last one. */
PKT_INLINE enum pkt_result decap_mpls(struct decap *d, const void *data, const __u8 *p,
				      const void *end)
{
	if ((const void *)(p + 4) > end)
		return PKT_SHORT;
	if (p[2] & 1)
		return decap_labelled(d, data, p + 4, end);
	return decap_next(d, data, p + 4, d->type);
}

/* RFC 2516 4: version and type, code, session, length; RFC 1661 2: protocol */
PKT_INLINE enum pkt_result decap_pppoe(struct decap *d, const void *data, const __u8 *p,
				       const void *end)
{
	__u32 protocol;

	if ((const void *)(p + 8) > end)
		return PKT_SHORT;
	if (p[0] != 0x11 || p[1])
		return PKT_OTHER;
	protocol = decap_be16(p + 6);
	decap_ends(d, 6 + decap_be16(p + 4));
	if (protocol == 0x0021)
		return decap_next(d, data, p + 8, PKT_ETH_IP4);
	if (protocol == 0x0057)
		return decap_next(d, data, p + 8, PKT_ETH_IP6);
	return PKT_OTHER;
}

/* A tag of len bytes, which ends with the EtherType of the next header. */
PKT_INLINE enum pkt_result decap_tag(struct decap *d, const void *data, const __u8 *p,
				     const void *end, __u32 len)
{
	if ((const void *)(p + len) > end)
		return PKT_SHORT;
	return decap_next(d, data, p + len, decap_be16(p + len - 2));
}

/* Any header except IP's. */
PKT_INLINE enum pkt_result decap_link(struct decap *d, const void *data, const __u8 *p,
				      const void *end)
{
	__u32 type = d->type;

	if (type == PKT_ETH_VLAN || type == PKT_ETH_QINQ || type == PKT_ETH_QINQ1 ||
	    type == DECAP_ETH_QINQ2)
		return decap_tag(d, data, p, end, 4);
	if (type == DECAP_ETH_VNTAG)
		return decap_tag(d, data, p, end, 6);
	if (type == DECAP_ETH_ETAG)
		return decap_tag(d, data, p, end, 8);
	if (type == DECAP_ETH_MPLS || type == DECAP_ETH_MPLS_UP)
		return decap_mpls(d, data, p, end);
	if (type == DECAP_ETH_PPPOE)
		return decap_pppoe(d, data, p, end);
	return PKT_OTHER;
}

/* ---- IP ---- */

/* The header after IP's, if it is neither TCP's nor UDP's. */
PKT_INLINE enum pkt_result decap_protocol(struct decap *d, const struct decap_config *config,
					  const void *data, const __u8 *p, const void *end,
					  __u8 protocol)
{
	if (protocol == DECAP_IP_GRE)
		return decap_gre(d, config, data, p, end);
	if (protocol == DECAP_IP_IP4) /* RFC 2003 */
		return decap_enter(d, data, p, PKT_ETH_IP4);
	if (protocol == DECAP_IP_IP6) /* RFC 2473, RFC 4213 */
		return decap_enter(d, data, p, PKT_ETH_IP6);
	return PKT_OTHER;
}

PKT_INLINE enum pkt_result decap_ip4(struct decap *d, const struct decap_config *config,
				     struct pkt *pkt, const void *data, const __u8 *p,
				     const void *end)
{
	const struct pkt_ip4 *ip = (const void *)p;
	enum pkt_result result = pkt_parse_ip4(pkt, data, p, end, decap_left(d));
	__u32 total_len;

	if (result != PKT_OTHER && result != PKT_UDP)
		return result;
	if ((const void *)(ip + 1) > end)
		return PKT_SHORT;
	total_len = pkt_be16(ip->total_len_be);
	if (total_len)
		decap_ends(d, total_len);
	if (result == PKT_UDP)
		return decap_udp(d, config, pkt, data, end);
	if (ip->frag_be & pkt_be16(PKT_IP4_OFFSET))
		return PKT_OTHER;
	return decap_protocol(d, config, data, p + (ip->version_ihl & 0xf) * 4, end, ip->proto);
}

PKT_INLINE enum pkt_result decap_ip6(struct decap *d, const struct decap_config *config,
				     struct pkt *pkt, const void *data, const __u8 *p,
				     const void *end)
{
	struct pkt_ip6_walk walk;
	enum pkt_result result;
	__u32 left = decap_left(d);

	if (left < sizeof(struct pkt_ip6))
		return PKT_SHORT;
	result = pkt_walk_ip6(&walk, p, end, left);
	if (result != PKT_TCP)
		return result;
	result = pkt_walked_ip6(pkt, data, &walk, end);
	if (result != PKT_OTHER && result != PKT_UDP)
		return result;
	decap_ends(d, walk.len + (__u32)sizeof(*walk.ip));
	if (result == PKT_UDP)
		return decap_udp(d, config, pkt, data, end);
	return decap_protocol(d, config, data, walk.pos, end, walk.next);
}

/*
 * Read the frame's next header; [data, end) can be read. PKT_INNER: another one follows. Fills *pkt
 * as pkt_parse_eth() does, and its tunnel.
 */
PKT_INLINE enum pkt_result decap_step(struct decap *d, const struct decap_config *config,
				      struct pkt *pkt, const void *data, const void *end)
{
	const __u8 *p = decap_at(data, d->off);
	enum pkt_result result;

	if (d->off >= DECAP_REACH)
		return PKT_SHORT;
	if (d->type == DECAP_ETH_FRAME) {
		const struct pkt_eth *eth = (const void *)p;

		if ((const void *)(eth + 1) > end)
			return PKT_SHORT;
		p = (const void *)(eth + 1);
		decap_next(d, data, p, pkt_be16(eth->type_be));
	}
	pkt->tunnel = d->tunnel;
	if (d->type == PKT_ETH_IP4)
		result = decap_ip4(d, config, pkt, data, p, end);
	else if (d->type == PKT_ETH_IP6)
		result = decap_ip6(d, config, pkt, data, p, end);
	else
		result = decap_link(d, data, p, end);
	return result;
}

/* All steps for a frame: see decap_init(). Never returns PKT_INNER. */
PKT_INLINE enum pkt_result decap_parse(struct pkt *pkt, const struct decap_config *config,
				       __u16 type, const void *data, const void *end,
				       __u32 frame_len)
{
	enum pkt_result result = PKT_INNER;
	struct decap d;

	decap_init(&d, type, frame_len);
	for (int i = 0; i < DECAP_STEPS && result == PKT_INNER; i++)
		result = decap_step(&d, config, pkt, data, end);
	return result == PKT_INNER ? PKT_NESTED : result;
}

#endif
