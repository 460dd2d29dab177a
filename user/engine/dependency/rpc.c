// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rpc.c - heads of connection-oriented DCE/RPC PDUs: [C706] 12.6, MS-RPCE 2.2.2. The body of a
 * Netlogon call is encrypted; kind, operation and call number are in clear.
 */
#include <string.h>

#include "engine/dependency/service_message.h"
#include "lib/cursor.h"
#include "lib/wire_int.h"

#define RPC_HEAD	  16
#define RPC_FIRST_FRAG	  0x01
#define RPC_LAST_FRAG	  0x02
#define RPC_LITTLE_ENDIAN 0x10
#define RPC_OPNUM_AT	  22
#define RPC_BIND_UUID_AT  32
#define RPC_AUTH_NETLOGON 0x44 /* the secure channel: MS-RPCE 2.2.1.1.7 */
#define RPC_FRAG_MOST	  65535

enum {
	RPC_REQUEST = 0,
	RPC_RESPONSE = 2,
	RPC_FAULT = 3,
	RPC_BIND = 11,
	RPC_BIND_ACK = 12,
	RPC_BIND_NAK = 13,
	RPC_ALTER = 14,
	RPC_ALTER_ACK = 15,
	RPC_AUTH3 = 16,
	RPC_CANCEL = 18,
	RPC_ORPHANED = 19,
};

struct rpc_operation {
	enum rpc_interface interface;
	uint16_t opnum;
	const char *name;
};

/*
 * MS-NRPC 3.5.4, MS-LSAT 3.1.4, [C706] appendix O. The three forms of SamLogon are one operation.
 */
static const struct rpc_operation operations[] = {
	{RPC_NETLOGON, 2, "SamLogon"},
	{RPC_NETLOGON, 4, "ServerReqChallenge"},
	{RPC_NETLOGON, 12, "LogonControl"},
	{RPC_NETLOGON, 21, "LogonDummyRoutine1"},
	{RPC_NETLOGON, 26, "ServerAuthenticate3"},
	{RPC_NETLOGON, 29, "LogonGetDomainInfo"},
	{RPC_NETLOGON, 30, "ServerPasswordSet2"},
	{RPC_NETLOGON, 34, "DsrGetDcNameEx2"},
	{RPC_NETLOGON, 39, "SamLogon"},
	{RPC_NETLOGON, 45, "SamLogon"},
	{RPC_EPM, 3, "EndpointMap"},
	{RPC_LSA, 76, "LookupSids3"},
	{RPC_LSA, 77, "LookupNames4"},
};

static enum rpc_interface rpc_bound(const uint8_t uuid[16])
{
	static const struct {
		uint8_t uuid[16];
		enum rpc_interface interface;
	} known[] = {
		{{0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
		  0x67, 0xcf, 0xfb},
		 RPC_NETLOGON},
		{{0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b,
		  0x14, 0xa0, 0xfa},
		 RPC_EPM},
		{{0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
		  0x67, 0x89, 0xab},
		 RPC_LSA},
		{{0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0x00, 0x01, 0x23, 0x45,
		  0x67, 0x89, 0xac},
		 RPC_SAMR},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!memcmp(known[i].uuid, uuid, 16))
			return known[i].interface;
	return RPC_OTHER;
}

static const struct rpc_operation *rpc_operation(enum rpc_interface interface, uint16_t opnum)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].interface == interface && operations[i].opnum == opnum)
			return &operations[i];
	return NULL;
}

/* Does the trailer's length fit a secure channel's signature? MS-NRPC 2.2.1.3.2, 2.2.1.3.3 */
static bool rpc_fits_netlogon(uint32_t auth_len)
{
	return auth_len == 32 || auth_len == 56;
}

/*
 * The bind was not seen: a secure channel carries Netlogon and LSA calls, and SamLogon's number
 * tells. auth is the trailer's type; -1: it is not among the bytes there are, and its length has to
 * do.
 */
static enum rpc_interface rpc_guess(uint16_t opnum, int auth, uint32_t auth_len)
{
	if (auth != RPC_AUTH_NETLOGON && !(auth == -1 && rpc_fits_netlogon(auth_len)))
		return RPC_UNBOUND;
	if (opnum == 76 || opnum == 77)
		return RPC_LSA;
	return opnum == 2 || opnum == 39 || opnum == 45 ? RPC_NETLOGON : RPC_UNBOUND;
}

static bool rpc_is_head(const uint8_t *p, size_t len)
{
	return len >= RPC_HEAD && p[0] == 5 && p[1] <= 1 && p[2] <= RPC_ORPHANED &&
	       p[4] == RPC_LITTLE_ENDIAN && !p[5] && !p[6] && !p[7];
}

uint32_t rpc_length(const uint8_t *p, size_t len)
{
	uint32_t n;

	if (!rpc_is_head(p, len))
		return 0;
	n = le16_at(p + 8);
	return n >= RPC_HEAD ? n : 0;
}

static void rpc_request(const uint8_t *p, size_t len, enum rpc_interface *interface,
			struct service_message *m)
{
	uint32_t frag = le16_at(p + 8);
	uint32_t auth = le16_at(p + 10);
	uint16_t opnum;
	int type = -1;
	enum rpc_interface of = *interface;
	const struct rpc_operation *operation;

	if (len < RPC_OPNUM_AT + 2)
		return;
	opnum = le16_at(p + RPC_OPNUM_AT);
	if (auth && frag >= auth + 8 + RPC_HEAD && len > frag - auth - 8)
		type = p[frag - auth - 8];
	if (of == RPC_UNBOUND)
		of = *interface = rpc_guess(opnum, type, auth);
	m->role = p[3] & RPC_FIRST_FRAG ? MESSAGE_REQUEST : MESSAGE_ONE_WAY;
	m->kind = of == RPC_NETLOGON ? DEPENDENCY_NETLOGON : DEPENDENCY_OTHER;
	operation = rpc_operation(of, opnum);
	m->operation = operation ? operation->name : NULL;
}

static void rpc_bind(const uint8_t *p, size_t len, enum rpc_interface *interface,
		     struct service_message *m)
{
	if (len < RPC_BIND_UUID_AT + 16)
		return;
	*interface = rpc_bound(p + RPC_BIND_UUID_AT);
	m->role = MESSAGE_REQUEST;
	m->kind = *interface == RPC_NETLOGON ? DEPENDENCY_NETLOGON : DEPENDENCY_OTHER;
	m->operation = "bind";
}

void rpc_parse(const uint8_t *p, size_t len, enum rpc_interface *interface,
	       struct service_message *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = *interface == RPC_NETLOGON ? DEPENDENCY_NETLOGON : DEPENDENCY_OTHER;
	if (!rpc_is_head(p, len))
		return;
	m->id = le32_at(p + 12);
	switch (p[2]) {
	case RPC_REQUEST:
		rpc_request(p, len, interface, m);
		break;
	case RPC_BIND:
	case RPC_ALTER:
		rpc_bind(p, len, interface, m);
		break;
	case RPC_RESPONSE:
	case RPC_BIND_ACK:
	case RPC_ALTER_ACK:
		m->role = MESSAGE_RESPONSE;
		m->more = !(p[3] & RPC_LAST_FRAG);
		m->result = "ok";
		break;
	case RPC_FAULT:
	case RPC_BIND_NAK:
		m->role = MESSAGE_RESPONSE;
		m->result = p[2] == RPC_FAULT ? "fault" : "bind refused";
		break;
	default:
		m->role = MESSAGE_ONE_WAY;
	}
}
