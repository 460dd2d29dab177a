/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_service.c - see mask.h: packets to and from DNS, domain controllers and the like. DNS and
 * SQL Server Browser name hosts and instances, and stay. Of other protocols' messages only those
 * bytes stay without which the parser, whose results are in the records, would find something else.
 */
#include <string.h>

#include "engine/dependency/service_message.h"
#include "lib/wire_int.h"
#include "save/mask.h"
#include "service_ports.h"

#define PREFIX_KERBEROS 4 /* bytes: the length before a message over TCP */
#define MESSAGE_MOST	2048
#define SMB_ID_AT	28 /* of a message over TCP: its id of 8 bytes, MS-SMB2 2.2.1 */

typedef void parse_fn(const uint8_t *p, size_t len, struct service_message *m);

/* The interface that the connection is bound to is unknown: a message has to mean the same for each. */
static void parse_rpc(const uint8_t *p, size_t len, struct service_message *m)
{
	for (int i = RPC_UNBOUND; i <= RPC_OTHER; i++) {
		enum rpc_interface bound = (enum rpc_interface)i;

		rpc_parse(p, len, &bound, &m[i]);
		m[i].more = m[i].more || bound != (enum rpc_interface)i;
		m[i].other_id ^= (uint64_t)bound << 56;
	}
}

/* The same of pipes. Once the message is taken for the one that opens or opened Netlogon's pipe. */
static void parse_smb(const uint8_t *p, size_t len, struct service_message *m)
{
	for (int i = RPC_UNBOUND; i <= RPC_OTHER; i++) {
		struct rpc_pipes pipes = {.unknown = (enum rpc_interface)i};

		if (i == RPC_OTHER && len >= SMB_ID_AT + 8)
			pipes.opening =
				(uint64_t)le32_at(p + SMB_ID_AT + 4) << 32 | le32_at(p + SMB_ID_AT);
		smb_parse(p, len, &pipes, &m[i]);
		m[i].other_id ^= pipes.at[0].file ^ (uint64_t)pipes.at[0].interface << 56 ^
				 pipes.opening << 32;
	}
}

struct protocol {
	parse_fn *parse;
	uint32_t (*length)(const uint8_t *p, size_t len); /* over TCP; NULL: to the packet's end */
	uint32_t prefix;				  /* over TCP, before what parse reads */
};

static const struct protocol rpc = {parse_rpc, rpc_length, 0};

static const struct protocol *protocol_of(uint16_t port)
{
	static const struct protocol kerberos = {kerberos_parse, kerberos_tcp_length,
						 PREFIX_KERBEROS},
				     ldap = {ldap_parse, ldap_length, 0},
				     smb = {parse_smb, smb_length, 0}, http = {http_parse, NULL, 0};

	switch (port) {
	case SERVICE_KERBEROS:
		return &kerberos;
	case SERVICE_LDAP:
	case SERVICE_GC:
		return &ldap;
	case SERVICE_SMB:
	case SERVICE_NETBIOS:
		return &smb;
	case SERVICE_HTTP:
		return &http;
	case SERVICE_EPM:
		return &rpc;
	}
	return NULL;
}

/* ---- what a parser rests on ---- */

struct trial {
	const struct protocol *protocol;
	uint8_t *p;
	uint32_t len;
	uint32_t length; /* of the message, which may be cut */
	struct service_message wanted[RPC_OTHER + 1], got[RPC_OTHER + 1];
};

static void trial_parse(struct trial *t, struct service_message *m)
{
	memset(m, 0, sizeof(t->got));
	t->protocol->parse(t->p, t->len, m);
}

/* Its length by its own head; 0: the head is not among these bytes. */
static uint32_t trial_length(const struct trial *t)
{
	return t->protocol->length && !t->protocol->prefix ? t->protocol->length(t->p, t->len) : 0;
}

static bool message_is(const struct service_message *a, const struct service_message *b)
{
	return a->role == b->role && a->kind == b->kind && a->id == b->id &&
	       a->other_id == b->other_id && a->operation == b->operation &&
	       a->result == b->result && !strcmp(a->target, b->target) && a->more == b->more &&
	       a->carries == b->carries && a->address_count == b->address_count;
}

static bool trial_holds(struct trial *t)
{
	trial_parse(t, t->got);
	for (size_t i = 0; i < sizeof(t->got) / sizeof(t->got[0]); i++)
		if (!message_is(&t->got[i], &t->wanted[i]))
			return false;
	return trial_length(t) == t->length;
}

/* Overwrite [from, to), as far as the parser finds the same: the whole, or else its halves. */
static void trial_hide(struct trial *t, uint32_t from, uint32_t to)
{
	uint8_t kept[MESSAGE_MOST];
	uint32_t half = (to - from) / 2;

	if (from >= to)
		return;
	memcpy(kept, t->p + from, to - from);
	memset(t->p + from, 0, to - from);
	if (trial_holds(t))
		return;
	memcpy(t->p + from, kept, to - from);
	if (!half)
		return;
	trial_hide(t, from, from + half);
	trial_hide(t, from + half, to);
}

static void message_hide(const struct protocol *protocol, uint8_t *p, uint32_t len)
{
	struct trial t = {.protocol = protocol, .p = p, .len = len};

	if (len > MESSAGE_MOST) {
		memset(p, 0, len);
		return;
	}
	trial_parse(&t, t.wanted);
	t.length = trial_length(&t);
	trial_hide(&t, 0, len);
}

/* The messages that begin in the packet, each from its first byte on; other bytes are hidden. */
static void tcp_hide(const struct protocol *protocol, uint8_t *p, uint32_t len)
{
	while (len) {
		uint32_t n = protocol->length ? protocol->length(p, len) : len;
		uint32_t prefix = protocol->prefix;

		if (!n || n <= prefix || len <= prefix) {
			memset(p, 0, len);
			return;
		}
		n = n < len ? n : len;
		message_hide(protocol, p + prefix, n - prefix);
		p += n;
		len -= n;
	}
}

void mask_service(struct packet *packet)
{
	const struct seg *seg = &packet->seg;
	bool udp = seg->rec_flags & SEG_F_UDP;
	const struct protocol *protocol = protocol_of(seg->sport);
	uint16_t ports[] = {seg->sport, seg->dport};

	for (int i = 0; i < 2; i++)
		if (ports[i] == SERVICE_DNS || (udp && ports[i] == SSRP_PORT))
			return;
	protocol = protocol ? protocol : protocol_of(seg->dport);
	if (!protocol && !service_is_fixed(seg->sport) && !service_is_fixed(seg->dport))
		protocol = &rpc; /* its ports are learned */
	if (!protocol)
		memset(packet->data, 0, seg->cap_len); /* encrypted */
	else if (udp)
		message_hide(protocol, packet->data, seg->cap_len);
	else
		tcp_hide(protocol, packet->data, seg->cap_len);
}
