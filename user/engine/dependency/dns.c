// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dns.c - DNS queries and responses: RFC 1035 4.1.
 */
#include <string.h>

#include "engine/dependency/service_message.h"
#include "lib/cursor.h"
#include "lib/ip_addr.h"
#include "lib/wire_int.h"

#define DNS_HEADER	 12
#define DNS_RESPONSE	 0x8000 /* QR */
#define DNS_OPCODE	 0x7800 /* 0: a standard query */
#define DNS_RCODE	 0x000f
#define DNS_TYPE_A	 1
#define DNS_TYPE_AAAA	 28
#define DNS_CLASS_IN	 1
#define DNS_POINTER	 0xc0 /* RFC 1035 4.1.4 */
#define DNS_LABELS_MOST	 128
#define DNS_RECORDS_MOST 32

static const char *const rcodes[16] = {
	[0] = "ok",	 [1] = "FORMERR", [2] = "SERVFAIL", [3] = "NXDOMAIN",
	[4] = "NOTIMP",	 [5] = "REFUSED", [6] = "YXDOMAIN", [7] = "YXRRSET",
	[8] = "NXRRSET", [9] = "NOTAUTH", [10] = "NOTZONE",
};

static const char *dns_type_name(uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} types[] = {{1, "A"},	  {2, "NS"},	 {5, "CNAME"}, {6, "SOA"},
		     {12, "PTR"}, {15, "MX"},	 {16, "TXT"},  {28, "AAAA"},
		     {33, "SRV"}, {65, "HTTPS"}, {255, "ANY"}, {256, "URI"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

/* Read a name; if m is not NULL, into its target. A pointer ends the name and is not followed. */
static void dns_name(struct cursor *c, struct service_message *m)
{
	for (int labels = 0; labels < DNS_LABELS_MOST; labels++) {
		uint8_t len = cursor_u8(c);
		const uint8_t *label;

		if (!len)
			return;
		if (len >= DNS_POINTER) {
			cursor_skip(c, 1);
			return;
		}
		label = cursor_take(c, len);
		if (!label)
			return;
		if (m && labels)
			message_target(m, ".", 1);
		if (m)
			message_target(m, label, len);
	}
	c->bad = true;
}

static void dns_address(struct service_message *m, uint16_t type, const uint8_t *data, uint16_t len)
{
	uint8_t *to;

	if (m->address_count == MESSAGE_ADDRESSES)
		return;
	to = m->addresses[m->address_count];
	if (type == DNS_TYPE_A && len == 4) {
		ip_map_v4(to, data);
		m->address_count++;
	} else if (type == DNS_TYPE_AAAA && len == 16) {
		memcpy(to, data, 16);
		m->address_count++;
	}
}

static void dns_answers(struct cursor *c, uint16_t count, struct service_message *m)
{
	for (int i = 0; i < count && i < DNS_RECORDS_MOST && !c->bad; i++) {
		uint16_t type, class, len;
		const uint8_t *data;

		dns_name(c, NULL);
		type = cursor_be16(c);
		class = cursor_be16(c);
		cursor_skip(c, 4);
		len = cursor_be16(c);
		data = cursor_take(c, len);
		if (data && class == DNS_CLASS_IN)
			dns_address(m, type, data, len);
	}
}

uint32_t dns_tcp_length(const uint8_t *p, size_t len)
{
	uint32_t n = len >= 2 ? be16_at(p) : 0;

	return n > DNS_HEADER ? n + 2 : 0;
}

void dns_parse(const uint8_t *p, size_t len, struct service_message *m)
{
	struct cursor c = cursor_init(p, len);
	uint16_t id = cursor_be16(&c), flags = cursor_be16(&c), questions = cursor_be16(&c);
	uint16_t answers = cursor_be16(&c), type, class;

	memset(m, 0, sizeof(*m));
	cursor_skip(&c, 4);
	if (c.bad || flags & DNS_OPCODE || questions != 1)
		return;
	dns_name(&c, m);
	type = cursor_be16(&c);
	class = cursor_be16(&c);
	if (c.bad || (class & 0xff) != DNS_CLASS_IN)
		return;
	m->kind = DEPENDENCY_DNS;
	/* A resolver asks for A and AAAA with separate ids. The type guards against a forged id. */
	m->id = (uint64_t)type << 16 | id;
	m->operation = dns_type_name(type);
	m->role = flags & DNS_RESPONSE ? MESSAGE_RESPONSE : MESSAGE_REQUEST;
	if (m->role == MESSAGE_REQUEST)
		return;
	m->result = rcodes[flags & DNS_RCODE] ? rcodes[flags & DNS_RCODE] : "error";
	dns_answers(&c, answers, m);
}
