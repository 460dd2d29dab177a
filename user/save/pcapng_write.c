/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pcapng_write.c - see pcapng_write.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/ip_addr.h"
#include "save/pcapng_write.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	LINK_RAW = 101, /* IPv4 or IPv6, by the first byte */
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_FLAGS = 2,	 /* of a packet */
	OPT_ENDTIME = 3, /* of statistics */
	OPT_NAME = 2,	 /* of an interface */
	OPT_PROGRAM = 4, /* of a section */
	OPT_TIMES = 9,	 /* of an interface: 10^-9 s */
	FLAG_INBOUND = 1,
	FLAG_OUTBOUND = 2,
};

#define OPTION_MOST   4096   /* bytes of a text */
#define SEGMENT_MOST  60000u /* payload of a rebuilt packet: an IP header counts to 65,535 */
#define IP4_HEADER    20u
#define IP6_HEADER    40u
#define TCP_HEADER    20u
#define UDP_HEADER    8u
#define TCP_MSS	      4u /* the option: 2, its length, the size; RFC 9293 3.2 */
#define HEADERS_MOST  (IP6_HEADER + TCP_HEADER + TCP_MSS)
#define DONT_FRAGMENT 0x40

static void put(struct strbuf *out, const void *data, size_t len)
{
	static const char padding[4];

	strbuf_add(out, data, len);
	strbuf_add(out, padding, -len & 3);
}

static void put32(struct strbuf *out, uint32_t value)
{
	put(out, &value, sizeof(value));
}

/* Begin a block; returns where, for block_end(). */
static size_t block_begin(struct strbuf *out, uint32_t type)
{
	size_t at = out->len;

	put32(out, type);
	put32(out, 0);
	return at;
}

static void block_end(struct strbuf *out, size_t at)
{
	uint32_t len = (uint32_t)(out->len - at) + 4;

	put32(out, len);
	if (!out->failed)
		memcpy(out->data + at + 4, &len, sizeof(len));
}

static void put_option(struct strbuf *out, uint16_t code, const void *value, size_t len)
{
	uint16_t head[] = {code, (uint16_t)(len < OPTION_MOST ? len : OPTION_MOST)};

	put(out, head, sizeof(head));
	put(out, value, head[1]);
}

void pcapng_section(struct strbuf *out, const char *program, const char *comment)
{
	size_t at = block_begin(out, BLOCK_SECTION);
	const uint16_t version[] = {1, 0};

	put32(out, 0x1a2b3c4d);
	put(out, version, sizeof(version));
	put32(out, UINT32_MAX); /* the section's length: not stated */
	put32(out, UINT32_MAX);
	put_option(out, OPT_COMMENT, comment, strlen(comment));
	put_option(out, OPT_PROGRAM, program, strlen(program));
	put32(out, OPT_END);
	block_end(out, at);
}

void pcapng_interface(struct strbuf *out, const char *name)
{
	size_t at = block_begin(out, BLOCK_INTERFACE);
	const uint16_t link[] = {LINK_RAW, 0};
	const uint8_t times = 9;

	put(out, link, sizeof(link));
	put32(out, 0); /* no snap length */
	if (name)
		put_option(out, OPT_NAME, name, strlen(name));
	put_option(out, OPT_TIMES, &times, sizeof(times));
	put32(out, OPT_END);
	block_end(out, at);
}

/* ---- headers ---- */

static uint8_t *put_be16(uint8_t *p, uint32_t value)
{
	const uint16_t be = htons((uint16_t)value);

	memcpy(p, &be, sizeof(be));
	return p + sizeof(be);
}

static uint8_t *put_be32(uint8_t *p, uint32_t value)
{
	return put_be16(put_be16(p, value >> 16), value);
}

static uint8_t *put_bytes(uint8_t *p, const void *data, size_t len)
{
	memcpy(p, data, len);
	return p + len;
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *put_ip(uint8_t *p, const struct seg *seg, uint8_t protocol, uint32_t len)
{
	uint8_t *from = p;

	if (ip_is_v4(seg->saddr)) {
		*p++ = 0x45;
		*p++ = 0;
		p = put_be16(p, IP4_HEADER + len);
		p = put_be16(p, seg->ip_id);
		*p++ = DONT_FRAGMENT;
		*p++ = 0;
		*p++ = seg->ttl;
		*p++ = protocol;
		p = put_be16(p, 0);
		p = put_bytes(p, seg->saddr + IP_V4_AT, 4);
		p = put_bytes(p, seg->daddr + IP_V4_AT, 4);
		put_be16(from + 10, checksum(from, IP4_HEADER));
		return p;
	}
	p = put_be32(p, 6u << 28);
	p = put_be16(p, len);
	*p++ = protocol;
	*p++ = seg->ttl;
	p = put_bytes(p, seg->saddr, 16);
	return put_bytes(p, seg->daddr, 16);
}

/* The checksums of TCP and UDP stay 0: bytes that they count were masked, or not captured. */
static size_t put_headers(uint8_t headers[HEADERS_MOST], const struct seg *seg)
{
	bool udp = seg->rec_flags & SEG_F_UDP;
	uint32_t tcp = TCP_HEADER + (seg->mss ? TCP_MSS : 0);
	uint8_t *p = put_ip(headers, seg, udp ? IPPROTO_UDP : IPPROTO_TCP,
			    (udp ? UDP_HEADER : tcp) + seg->len);

	p = put_be16(p, seg->sport);
	p = put_be16(p, seg->dport);
	if (udp) {
		p = put_be16(p, UDP_HEADER + seg->len);
		return (size_t)(put_be16(p, 0) - headers);
	}
	p = put_be32(p, seg->seq);
	p = put_be32(p, seg->flags & SEG_ACK ? seg->ack : 0);
	*p++ = (uint8_t)(tcp / 4 << 4);
	*p++ = seg->flags;
	p = put_be16(p, seg->window);
	p = put_be32(p, 0);
	if (seg->mss)
		p = put_be32(p, 2u << 24 | TCP_MSS << 16 | seg->mss);
	return (size_t)(p - headers);
}

static void put_packet(struct strbuf *out, uint32_t interface, const struct seg *seg,
		       const uint8_t *payload, uint64_t wall_ns, const char *comments)
{
	size_t at = block_begin(out, BLOCK_PACKET), len;
	uint8_t headers[HEADERS_MOST];
	uint32_t flags = seg->dir == SEG_DIR_INGRESS  ? FLAG_INBOUND
			 : seg->dir == SEG_DIR_EGRESS ? FLAG_OUTBOUND
						      : 0;

	len = put_headers(headers, seg);
	put32(out, interface);
	put32(out, (uint32_t)(wall_ns >> 32));
	put32(out, (uint32_t)wall_ns);
	put32(out, (uint32_t)len + seg->cap_len);
	put32(out, (uint32_t)len + seg->len);
	strbuf_add(out, (const char *)headers, len); /* a multiple of four */
	put(out, payload, seg->cap_len);
	for (const char *text = comments; text && *text; text += strlen(text) + 1)
		put_option(out, OPT_COMMENT, text, strlen(text));
	if (flags)
		put_option(out, OPT_FLAGS, &flags, sizeof(flags));
	if (flags || (comments && *comments))
		put32(out, OPT_END);
	block_end(out, at);
}

void pcapng_packet(struct strbuf *out, uint32_t interface, const struct seg *seg,
		   const uint8_t *payload, uint64_t wall_ns, const char *comments)
{
	struct seg part = *seg;

	/* The kernel's super-segments, and those of captures, may be longer than a packet can say. */
	while (part.len > SEGMENT_MOST && !(part.rec_flags & SEG_F_UDP)) {
		struct seg first = part;

		first.len = SEGMENT_MOST;
		first.cap_len = part.cap_len < SEGMENT_MOST ? part.cap_len : SEGMENT_MOST;
		first.flags &= (uint8_t) ~(SEG_FIN | SEG_PSH);
		put_packet(out, interface, &first, payload, wall_ns, comments);
		comments = NULL;
		payload += first.cap_len;
		part.cap_len -= first.cap_len;
		part.len -= first.len;
		part.seq += first.len;
	}
	put_packet(out, interface, &part, payload, wall_ns, comments);
}

void pcapng_end(struct strbuf *out, uint32_t interface, uint64_t wall_ns)
{
	const uint32_t time[] = {(uint32_t)(wall_ns >> 32), (uint32_t)wall_ns};
	size_t at = block_begin(out, BLOCK_STATISTICS);

	put32(out, interface);
	put(out, time, sizeof(time));
	put_option(out, OPT_ENDTIME, time, sizeof(time));
	put32(out, OPT_END);
	block_end(out, at);
}
