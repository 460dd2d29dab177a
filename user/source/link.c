// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * link.c - see link.h.
 */
#include <stddef.h>
#include <string.h>

#include "link.h"

/* What stands before the IP header, by the link type that the file names. */
struct link {
	uint32_t type;
	uint16_t header_len;
	int16_t type_off;    /* of the EtherType; -1: none, IP follows */
	int16_t ifindex_off; /* -1: none */
	enum pkt_result (*parse)(const struct link *link, struct pkt *pkt, const uint8_t *data,
				 const uint8_t *end, uint32_t frame_len);
};

static enum pkt_result link_ethernet(const struct link *link, struct pkt *pkt, const uint8_t *data,
				     const uint8_t *end, uint32_t frame_len)
{
	(void)link;
	return pkt_parse_eth(pkt, data, end, frame_len);
}

static uint16_t link_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * Everything else: a header of fixed length, perhaps with an EtherType, then VLAN tags as there
 * are, then IP. payload_off comes out relative to data.
 */
static enum pkt_result link_fixed(const struct link *link, struct pkt *pkt, const uint8_t *data,
				  const uint8_t *end, uint32_t frame_len)
{
	uint32_t skip = link->header_len;
	enum pkt_result result;
	uint16_t type;

	if ((size_t)(end - data) < skip)
		return PKT_SHORT;
	type = link->type_off < 0 ? PKT_ETH_IP4 : link_be16(data + link->type_off);
	while (type == PKT_ETH_VLAN || type == PKT_ETH_QINQ || type == PKT_ETH_QINQ1) {
		if ((size_t)(end - data) < skip + sizeof(struct pkt_vlan))
			return PKT_SHORT;
		type = link_be16(data + skip + 2);
		skip += sizeof(struct pkt_vlan);
	}
	if (type != PKT_ETH_IP4 && type != PKT_ETH_IP6)
		return PKT_OTHER;
	result = pkt_parse_ip(pkt, data + skip, end, frame_len - skip);
	if (result == PKT_TCP || result == PKT_UDP)
		pkt->payload_off += skip;
	return result;
}

/* https://www.tcpdump.org/linktypes.html */
static const struct link links[] = {
	{1, 0, -1, -1, link_ethernet},
	{113, 16, 14, -1, link_fixed}, /* LINUX_SLL */
	{276, 20, 0, 4, link_fixed},   /* LINUX_SLL2 */
	{101, 0, -1, -1, link_fixed},  /* RAW */
	{12, 0, -1, -1, link_fixed},   /* RAW, as systems number it that write no LINKTYPE_ */
	{14, 0, -1, -1, link_fixed},   /* the same on OpenBSD */
	{228, 0, -1, -1, link_fixed},  /* IPV4 */
	{229, 0, -1, -1, link_fixed},  /* IPV6 */
	/* Four bytes of address family, in either byte order: IP's own version says the same. */
	{0, 4, -1, -1, link_fixed},   /* NULL */
	{108, 4, -1, -1, link_fixed}, /* LOOP */
};

const struct link *link_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

/* Of those that are not known here, the ones that people come with. */
const char *link_name(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{6, "token ring"},
		{9, "PPP"},
		{10, "FDDI"},
		{50, "PPP"},
		{51, "PPPoE"},
		{104, "Cisco HDLC"},
		{105, "802.11"},
		{119, "802.11"},
		{127, "802.11 with radiotap"},
		{147, "user-defined"},
		{187, "Bluetooth"},
		{189, "USB"},
		{192, "802.11 (PPI)"},
		{220, "USB"},
		{239, "NFLOG"},
		{247, "InfiniBand"},
		{249, "USB on Windows"},
		{251, "Bluetooth"},
		{258, "PKTAP of macOS"},
		{253, "netlink"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return "no name";
}

/* The ifindex of the "any" device's second format, network order. */
static uint32_t link_ifindex(const struct link *link, const uint8_t *data)
{
	const uint8_t *p = data + link->ifindex_off;

	if (link->ifindex_off < 0)
		return 0;
	return (uint32_t)link_be16(p) << 16 | link_be16(p + 2);
}

enum pkt_result link_segment(const struct link *link, const struct frame *frame, struct seg *seg,
			     const uint8_t **payload)
{
	struct pkt pkt;
	enum pkt_result result =
		link->parse(link, &pkt, frame->data, frame->data + frame->cap_len, frame->len);
	uint32_t held;

	if (result == PKT_UDP && pkt.sport != SSRP_PORT && pkt.dport != SSRP_PORT)
		return PKT_OTHER;
	if (result != PKT_TCP && result != PKT_UDP)
		return result;
	memset(seg, 0, sizeof(*seg));
	if (result == PKT_UDP)
		pkt_datagram(&pkt, seg);
	else
		pkt_seg(&pkt, seg);
	held = pkt.payload_off < frame->cap_len ? frame->cap_len - pkt.payload_off : 0;
	seg->ts_ns = frame->ts_ns;
	seg->cap_len = held < seg->len ? held : seg->len;
	seg->ifindex = link_ifindex(link, frame->data);
	seg->note = result == PKT_UDP ? SEG_NOTE_UDP : 0;
	if (seg->cap_len < seg->len)
		seg->note |= SEG_NOTE_TRUNC;
	*payload = frame->data + (seg->cap_len ? pkt.payload_off : 0);
	return result;
}
