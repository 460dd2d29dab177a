/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service_message.h - messages of the services that a login depends on: DNS, Kerberos, DCE/RPC,
 * SMB2, LDAP and HTTP. Each parser reads one message, which may be cut short, and says whether it
 * is a request or a response, which of them belong together, and the request's operation and
 * target. Bodies are never kept: a name is the most that leaves a parser.
 */
#ifndef TDSMON_SERVICE_MESSAGE_H
#define TDSMON_SERVICE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/record.h"

/* Longest target kept, with its NUL: a DNS name has at most 255 bytes (RFC 1035 2.3.4). */
#define MESSAGE_TARGET_LEN 128
#define MESSAGE_ADDRESSES  4

enum message_role {
	MESSAGE_UNKNOWN, /* not a message of this protocol, or too short to tell */
	MESSAGE_REQUEST,
	MESSAGE_RESPONSE,
	MESSAGE_ONE_WAY, /* a request that gets no response, or an interim response: no exchange */
};

struct service_message {
	enum message_role role;
	enum dependency_kind kind; /* of this message: a named pipe carries Netlogon over SMB */
	uint64_t id;		   /* a response's is its request's */
	uint64_t other_id;	   /* a response may carry this one instead; 0: none */
	const char *operation;	   /* lives as long as the program; NULL: no name */
	const char *result;	   /* of a response, likewise; "ok", NULL: not known */
	char target[MESSAGE_TARGET_LEN];	  /* printable ASCII; "": not seen */
	uint8_t addresses[MESSAGE_ADDRESSES][16]; /* that a DNS response names */
	uint32_t address_count;
	bool more; /* further fragments or packets of this response follow */
};

/* RPC interfaces by the UUID of a bind: [C706] 12.6.4.3 */
enum rpc_interface { RPC_UNBOUND, RPC_NETLOGON, RPC_EPM, RPC_LSA, RPC_SAMR, RPC_OTHER };

/*
 * Length in bytes of the message that begins at p, of which len bytes are there; 0: this is no
 * head of the protocol, or len does not hold one whole. MESSAGE_HEAD bytes always do.
 */
#define MESSAGE_HEAD 16
uint32_t kerberos_tcp_length(const uint8_t *p, size_t len);
uint32_t dns_tcp_length(const uint8_t *p, size_t len);
uint32_t rpc_length(const uint8_t *p, size_t len);
uint32_t smb_length(const uint8_t *p, size_t len);
uint32_t ldap_length(const uint8_t *p, size_t len);

/*
 * Parse one message of which len bytes are there. m is filled in whole; role MESSAGE_UNKNOWN where
 * the bytes are not of the protocol. dns_ and kerberos_ take a message as it stands in a datagram;
 * over TCP its length goes before it.
 */
void dns_parse(const uint8_t *p, size_t len, struct service_message *m);
void kerberos_parse(const uint8_t *p, size_t len, struct service_message *m);
void ldap_parse(const uint8_t *p, size_t len, struct service_message *m);
void http_parse(const uint8_t *p, size_t len, struct service_message *m);
/* interface: what the connection was bound to; a bind changes it. */
void rpc_parse(const uint8_t *p, size_t len, enum rpc_interface *interface,
	       struct service_message *m);
void smb_parse(const uint8_t *p, size_t len, enum rpc_interface *pipe, struct service_message *m);

/* Append len bytes of p to m->target, what is not printable ASCII as '?'; too long a name is cut.
 */
void message_target(struct service_message *m, const void *p, size_t len);

#endif
