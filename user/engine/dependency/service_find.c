// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * service_find.c - which of a connection's two ends is a service, by its port or by what it says.
 */
#include <string.h>

#include "engine/dependency/companions_int.h"
#include "service_ports.h"

static const struct service services[] = {
	{SERVICE_DNS, DEPENDENCY_DNS, true, true, dns_tcp_length, 2},
	{SERVICE_HTTP, DEPENDENCY_HTTP, false, true, NULL, 0},
	{SERVICE_KERBEROS, DEPENDENCY_KERBEROS, true, true, kerberos_tcp_length, 4},
	{SERVICE_EPM, DEPENDENCY_OTHER, false, true, rpc_length, 0},
	{SERVICE_NETBIOS, DEPENDENCY_SMB, false, true, smb_length, 0},
	{SERVICE_LDAP, DEPENDENCY_LDAP, true, true, ldap_length, 0},
	{SERVICE_HTTPS, DEPENDENCY_HTTPS, false, true, NULL, 0},
	{SERVICE_SMB, DEPENDENCY_SMB, false, true, smb_length, 0},
	{SERVICE_LDAPS, DEPENDENCY_LDAP, false, true, NULL, 0},
	{SERVICE_GC, DEPENDENCY_LDAP, false, true, ldap_length, 0},
	{SERVICE_GCS, DEPENDENCY_LDAP, false, true, NULL, 0},
};

/* RPC on a port that the server was given when it started. */
static const struct service rpc_service = {0, DEPENDENCY_OTHER, false, true, rpc_length, 0};

const struct service *service_find(uint16_t port, bool udp)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].port == port && (udp ? services[i].udp : services[i].tcp))
			return &services[i];
	return NULL;
}

static bool rpc_known(const struct companions *c, const uint8_t *addr, uint16_t port)
{
	for (uint32_t i = 0; i < c->rpc_count; i++)
		if (c->rpc[i].port == port && !memcmp(c->rpc[i].addr, addr, 16))
			return true;
	return false;
}

static void rpc_learn(struct companions *c, const uint8_t *addr, uint16_t port)
{
	struct endpoint *e = &c->rpc[c->rpc_next];

	if (rpc_known(c, addr, port))
		return;
	memcpy(e->addr, addr, 16);
	e->port = port;
	c->rpc_next = (c->rpc_next + 1) % COMPANION_RPC_ENDPOINTS;
	if (c->rpc_count < COMPANION_RPC_ENDPOINTS)
		c->rpc_count++;
}

/* Does this segment begin with an RPC request (1) or response (2)? 0: neither. */
static int rpc_recognise(const struct seg *seg, const uint8_t *payload)
{
	enum rpc_interface interface = RPC_UNBOUND;
	struct service_message m;

	if (seg->len < MESSAGE_HEAD || !rpc_length(payload, seg->cap_len))
		return 0;
	rpc_parse(payload, seg->cap_len, &interface, &m);
	return m.role == MESSAGE_REQUEST ? 1 : m.role == MESSAGE_RESPONSE ? 2 : 0;
}

const struct service *service_rpc(struct companions *c, const struct seg *seg,
				  const uint8_t *payload, bool *from_requester)
{
	int what;

	if (rpc_known(c, seg->daddr, seg->dport) || rpc_known(c, seg->saddr, seg->sport)) {
		*from_requester = rpc_known(c, seg->daddr, seg->dport);
		return &rpc_service;
	}
	what = seg->flags & SEG_SYN ? 0 : rpc_recognise(seg, payload);
	if (!what)
		return NULL;
	*from_requester = what == 1;
	rpc_learn(c, *from_requester ? seg->daddr : seg->saddr,
		  *from_requester ? seg->dport : seg->sport);
	return &rpc_service;
}
