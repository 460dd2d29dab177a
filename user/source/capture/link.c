// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * link.c - see link.h.
 */
#include <stddef.h>
#include <stdbool.h>
#include <string.h>

#include "source/capture/link.h"
#include "lib/off_path.h"
#include "lib/wire_int.h"
#include "service_ports.h"

/* Kinds of TCP options, RFC 9293 3.2 */
enum { TCP_OPTION_END = 0, TCP_OPTION_NOP = 1, TCP_OPTION_MSS = 2 };

/* The header of frames, by the link type in the file. */
struct link {
	uint32_t type;
	uint16_t header_len;
	int16_t type_off;    /* in the header, of the next header's EtherType; -1: none, */
	int16_t ifindex_off; /* -1: none */
	uint16_t first;	     /* ... and the next header is this one; 0: IP, by its own version */
};

/* https://www.tcpdump.org/linktypes.html */
static const struct link links[] = {
	{1, 0, -1, -1, DECAP_ETH_FRAME},
	{113, 16, 14, -1, 0}, /* LINUX_SLL */
	{276, 20, 0, 4, 0},   /* LINUX_SLL2 */
	{101, 0, -1, -1, 0},  /* RAW */
	{12, 0, -1, -1, 0},   /* RAW, with the number of systems that write no LINKTYPE_ */
	{14, 0, -1, -1, 0},   /* the same on OpenBSD */
	{228, 0, -1, -1, 0},  /* IPV4 */
	{229, 0, -1, -1, 0},  /* IPV6 */
	/* Four bytes of address family, in either byte order. IP's own version says the same. */
	{0, 4, -1, -1, 0},   /* NULL */
	{108, 4, -1, -1, 0}, /* LOOP */
	{51, 0, -1, -1, DECAP_ETH_PPPOE},
	{219, 0, -1, -1, DECAP_ETH_MPLS},
};

/* Packets from files are unwrapped from all known tunnels. */
static const struct decap_config link_decap = {
	.vxlan = {DECAP_VXLAN_PORT, DECAP_VXLAN_LINUX},
	.geneve = {DECAP_GENEVE_PORT},
	.gre = 1,
	.erspan = 1,
};

OFF_PATH static enum pkt_result link_tunnels(struct pkt *pkt, uint16_t type, const uint8_t *data,
					     const uint8_t *end, uint32_t len)
{
	return decap_parse(pkt, &link_decap, type, data, end, len);
}

/* Nearly all frames hold TCP in IPv4 in Ethernet, for which decap_parse() has the same result. */
static enum pkt_result link_unwrap(struct pkt *pkt, uint16_t type, const uint8_t *data,
				   const uint8_t *end, uint32_t len)
{
	const struct pkt_eth *eth = (const void *)data;

	if (type == DECAP_ETH_FRAME && (const uint8_t *)(eth + 1) <= end &&
	    eth->type_be == pkt_be16(PKT_ETH_IP4) &&
	    pkt_parse_ip4(pkt, data, eth + 1, end, len - (uint32_t)sizeof(*eth)) == PKT_TCP) {
		pkt->tunnel = TUNNEL_NONE;
		return PKT_TCP;
	}
	return link_tunnels(pkt, type, data, end, len);
}

static enum pkt_result link_parse(const struct link *link, const struct frame *frame,
				  struct pkt *pkt)
{
	uint16_t type = link->first;
	enum pkt_result result;
	const uint8_t *data;

	if (frame->cap_len <= link->header_len)
		return PKT_SHORT;
	data = frame->data + link->header_len;
	if (link->type_off >= 0)
		type = be16_at(frame->data + link->type_off);
	else if (!type)
		type = *data >> 4 == 4 ? PKT_ETH_IP4 : *data >> 4 == 6 ? PKT_ETH_IP6 : 0;
	result = link_unwrap(pkt, type, data, frame->data + frame->cap_len,
			     frame->len - link->header_len);
	if (result == PKT_TCP || result == PKT_UDP)
		pkt->payload_off += link->header_len;
	return result;
}

const struct link *link_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

/* Of the unsupported link types, those that users try. */
const char *link_name(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{6, "token ring"},     {9, "PPP"},
		{10, "FDDI"},	       {50, "PPP"},
		{104, "Cisco HDLC"},   {105, "802.11"},
		{119, "802.11"},       {127, "802.11 with radiotap"},
		{147, "user-defined"}, {187, "Bluetooth"},
		{189, "USB"},	       {192, "802.11 (PPI)"},
		{220, "USB"},	       {239, "NFLOG"},
		{247, "InfiniBand"},   {249, "USB on Windows"},
		{251, "Bluetooth"},    {258, "PKTAP of macOS"},
		{253, "netlink"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return "no name";
}

/* The ifindex in the second format of the "any" device, in network order. */
static uint32_t link_ifindex(const struct link *link, const uint8_t *data)
{
	const uint8_t *p = data + link->ifindex_off;

	if (link->ifindex_off < 0)
		return 0;
	return be32_at(p);
}

/* Datagrams that the engine reads: SQL Server Browser, DNS, Kerberos and connectionless LDAP. */
static bool link_wants_port(uint16_t port)
{
	return port == SSRP_PORT || service_is_udp(port);
}

/* The maximum segment size that a SYN's options state (RFC 9293 3.2); 0: they state none. end: of the frame. */
static uint16_t link_mss(const struct pkt *pkt, const uint8_t *frame, const uint8_t *end)
{
	const uint8_t *p = (const uint8_t *)(pkt->tcp + 1), *data = frame + pkt->payload_off;

	end = data < end ? data : end;
	while (p < end && *p != TCP_OPTION_END) {
		if (*p == TCP_OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return 0;
		if (*p == TCP_OPTION_MSS)
			return p[1] == 4 ? be16_at(p + 2) : 0;
		p += p[1];
	}
	return 0;
}

enum pkt_result link_segment(const struct link *link, const struct frame *frame, struct seg *seg,
			     const uint8_t **payload)
{
	struct pkt pkt;
	enum pkt_result result = link_parse(link, frame, &pkt);
	uint32_t held;

	if (result == PKT_UDP && !link_wants_port(pkt.sport) && !link_wants_port(pkt.dport))
		return PKT_OTHER;
	if (result != PKT_TCP && result != PKT_UDP)
		return result;
	held = pkt.payload_off < frame->cap_len ? frame->cap_len - pkt.payload_off : 0;
	*seg = (struct seg){
		.ts_ns = frame->ts_ns,
		.cap_len = held < pkt.payload_len ? held : pkt.payload_len,
		.ifindex = link_ifindex(link, frame->data),
		.tunnel = pkt.tunnel,
		.rec_flags = result == PKT_UDP ? SEG_F_UDP : 0,
	};
	if (result == PKT_UDP)
		pkt_datagram(&pkt, seg);
	else
		pkt_seg(&pkt, seg);
	if (seg->flags & SEG_SYN)
		seg->mss = link_mss(&pkt, frame->data, frame->data + frame->cap_len);
	if (seg->cap_len < seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	*payload = frame->data + (seg->cap_len ? pkt.payload_off : 0);
	return result;
}
