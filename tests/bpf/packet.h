/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packet.h - builds packets for the tests of the parser and of the tap from a description. It
 * shares no code with the parser.
 */
#ifndef TDSMON_TESTS_PACKET_H
#define TDSMON_TESTS_PACKET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum packet_family {
	PACKET_IP4,
	PACKET_IP6,
	PACKET_ARP,
};

/* 0 stands for the usual value. */
struct packet_spec {
	uint16_t vlan[3]; /* EtherTypes of tags, outermost first */
	enum packet_family family;
	bool raw;	       /* no Ethernet header */
	uint8_t ip_options;    /* bytes, multiple of 4 */
	uint8_t ext[9];	       /* IPv6 extension headers; HOPOPTS as 255 */
	uint8_t ext_len;       /* their length field */
	uint16_t frag;	       /* the whole field, host order */
	uint8_t proto;	       /* 0: TCP; 17 gets UDP's header, all others TCP's */
	int32_t udp_len;       /* 0: correct; -1: 0 */
	uint8_t ihl, doff;     /* 0: correct */
	int32_t total_len;     /* 0: correct; -1: 0 */
	uint8_t tcp_options;   /* bytes, multiple of 4 */
	uint8_t swap;	       /* from the server: addresses and ports exchanged */
	uint8_t flags;	       /* 0: ACK */
	uint16_t sport, dport; /* 0: 40000, 1433 */
	uint32_t seq, ack;     /* 0: 1000, 2000 */
	uint32_t payload_len;
	const uint8_t *payload; /* NULL: a pattern, see packet_byte() */
	uint16_t padding;
};

struct packet {
	uint8_t data[1 << 17];
	size_t len;
	size_t tcp_off; /* or UDP's */
	size_t payload_off;
};

static inline uint8_t packet_byte(uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) + 1);
}

static inline void put(struct packet *p, const void *from, size_t n)
{
	memcpy(p->data + p->len, from, n);
	p->len += n;
}

static inline void put8(struct packet *p, unsigned int v)
{
	p->data[p->len++] = (uint8_t)v;
}

static inline void put16(struct packet *p, unsigned int v)
{
	put8(p, v >> 8);
	put8(p, v);
}

static inline void put32(struct packet *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p, v & 0xffff);
}

static inline void put_fill(struct packet *p, size_t n, uint8_t v)
{
	memset(p->data + p->len, v, n);
	p->len += n;
}

static inline void packet_ethernet(struct packet *p, const struct packet_spec *s)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	static const uint16_t types[] = {0x0800, 0x86dd, 0x0806};

	put(p, macs, sizeof(macs));
	for (int i = 0; i < 3 && s->vlan[i]; i++) {
		put16(p, s->vlan[i]);
		put16(p, 100 + (unsigned int)i);
	}
	put16(p, types[s->family]);
}

static inline size_t ext_size(uint8_t type, uint8_t len)
{
	if (type == 44)
		return 8;
	return type == 51 ? (len + 2u) * 4 : (len + 1u) * 8;
}

static inline void packet_ip4(struct packet *p, const struct packet_spec *s, size_t tcp_len)
{
	static const uint8_t client[4] = {10, 0, 0, 1}, server[4] = {10, 0, 0, 2};
	unsigned int header = 20u + s->ip_options;

	put8(p, 0x40 | (s->ihl ? s->ihl : header / 4));
	put8(p, 0);
	put16(p, s->total_len > 0    ? (unsigned int)s->total_len
		 : s->total_len == 0 ? (unsigned int)(header + tcp_len) & 0xffff
				     : 0);
	put16(p, 0x1234);
	put16(p, s->frag);
	put8(p, 57);
	put8(p, s->proto ? s->proto : 6);
	put16(p, 0);
	put(p, s->swap ? server : client, 4);
	put(p, s->swap ? client : server, 4);
	put_fill(p, s->ip_options, 1);
}

static inline void packet_ip6(struct packet *p, const struct packet_spec *s, size_t tcp_len)
{
	static const uint8_t client[16] = {0x20, 1, 0xd, 0xb8, [15] = 1},
			     server[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
	size_t ext = 0;

	for (int i = 0; s->ext[i]; i++)
		ext += ext_size(s->ext[i], s->ext_len);
	put32(p, 0x60000000);
	put16(p, s->total_len > 0    ? (unsigned int)s->total_len
		 : s->total_len == 0 ? (unsigned int)(ext + tcp_len) & 0xffff
				     : 0);
	put8(p, s->ext[0] == 255 ? 0 : s->ext[0] ? s->ext[0] : s->proto ? s->proto : 6);
	put8(p, 57);
	put(p, s->swap ? server : client, 16);
	put(p, s->swap ? client : server, 16);
	for (int i = 0; s->ext[i]; i++) {
		size_t start = p->len;
		uint8_t next = s->ext[i + 1];

		put8(p, next == 255 ? 0 : next ? next : s->proto ? s->proto : 6);
		put8(p, s->ext_len);
		put16(p, s->ext[i] == 44 ? s->frag : 0);
		put_fill(p, ext_size(s->ext[i], s->ext_len) - (p->len - start), 0);
	}
}

static inline void packet_tcp(struct packet *p, const struct packet_spec *s)
{
	uint16_t sport = s->sport ? s->sport : 40000, dport = s->dport ? s->dport : 1433;

	p->tcp_off = p->len;
	put16(p, s->swap ? dport : sport);
	put16(p, s->swap ? sport : dport);
	put32(p, s->seq ? s->seq : 1000);
	put32(p, s->ack ? s->ack : 2000);
	put8(p, (s->doff ? s->doff : (20u + s->tcp_options) / 4) << 4);
	put8(p, s->flags ? s->flags : 0x10);
	put16(p, 502);
	put32(p, 0);
	put_fill(p, s->tcp_options, 1);
}

static inline void packet_udp(struct packet *p, const struct packet_spec *s)
{
	uint16_t sport = s->sport ? s->sport : 40000, dport = s->dport ? s->dport : 1434;
	uint32_t len = 8 + s->payload_len;

	p->tcp_off = p->len;
	put16(p, s->swap ? dport : sport);
	put16(p, s->swap ? sport : dport);
	put16(p, s->udp_len > 0 ? (unsigned int)s->udp_len : s->udp_len ? 0 : len);
	put16(p, 0);
}

static inline void packet_payload(struct packet *p, const struct packet_spec *s)
{
	p->payload_off = p->len;
	if (s->payload) {
		put(p, s->payload, s->payload_len);
		return;
	}
	for (uint32_t i = 0; i < s->payload_len; i++)
		put8(p, packet_byte(i));
}

static inline void packet_build(struct packet *p, const struct packet_spec *s)
{
	bool udp = s->proto == 17;
	size_t tcp_len = (udp ? 8u : 20u + s->tcp_options) + s->payload_len;

	p->len = p->tcp_off = p->payload_off = 0;
	if (!s->raw)
		packet_ethernet(p, s);
	if (s->family == PACKET_ARP) {
		put_fill(p, 46, 0);
		return;
	}
	if (s->family == PACKET_IP6)
		packet_ip6(p, s, tcp_len);
	else
		packet_ip4(p, s, tcp_len);
	if (udp)
		packet_udp(p, s);
	else
		packet_tcp(p, s);
	packet_payload(p, s);
	put_fill(p, s->padding, 0xee);
}

#endif
