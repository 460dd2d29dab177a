/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service_message.h - messages of the services that a login depends on: DNS, Kerberos, DCE/RPC,
 * SMB2, LDAP and HTTP. Each parser reads one message, which may be truncated. It reports whether
 * the message is a request or a response, the ids that match the two, and the request's operation
 * and target. Bodies are never kept: a parser returns a name at most.
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
	MESSAGE_ONE_WAY, /* a request without a response, or an interim response: no exchange */
};

struct service_message {
	enum message_role role;
	enum dependency_kind kind; /* of this message: a named pipe carries Netlogon over SMB */
	uint64_t id;		   /* a response has the id of its request */
	uint64_t other_id;	   /* another id that request and response may share; 0: none */
	const char *operation;	   /* a static string; NULL: no name */
	const char *result; /* of a response, a static string; "ok" on success, NULL: not known */
	char target[MESSAGE_TARGET_LEN];	  /* printable ASCII; "": not seen */
	uint8_t addresses[MESSAGE_ADDRESSES][16]; /* from a DNS response */
	uint32_t address_count;
	bool more; /* further fragments or packets of this response follow */
	/* a response to a request that moves a pipe's bytes: it does not end the RPC call in them */
	bool carries;
};

/* RPC interfaces by the UUID of a bind: [C706] 12.6.4.3 */
enum rpc_interface { RPC_UNBOUND, RPC_NETLOGON, RPC_EPM, RPC_LSA, RPC_SAMR, RPC_OTHER };

#define RPC_PIPES 4

/* A named pipe that RPC goes through. */
struct rpc_pipe {
	uint64_t file; /* the volatile half of its id, MS-SMB2 2.2.14.1 */
	enum rpc_interface interface;
	bool used;
};

/* Those of an SMB connection; the oldest is dropped first. All zero: none is known. */
struct rpc_pipes {
	struct rpc_pipe at[RPC_PIPES];
	uint64_t opening;	    /* id of the request that opens Netlogon's pipe; 0: none */
	enum rpc_interface unknown; /* of all other pipes */
	uint8_t next;
};

/*
 * Length in bytes of the message that begins at p, of which len bytes are there. 0: no message of
 * the protocol begins so, or len does not hold its whole head. MESSAGE_HEAD bytes always hold it.
 */
#define MESSAGE_HEAD 16
uint32_t kerberos_tcp_length(const uint8_t *p, size_t len);
uint32_t dns_tcp_length(const uint8_t *p, size_t len);
uint32_t rpc_length(const uint8_t *p, size_t len);
uint32_t smb_length(const uint8_t *p, size_t len);
uint32_t ldap_length(const uint8_t *p, size_t len);

/*
 * Parse one message of which len bytes are there. Every field of m is set; role is MESSAGE_UNKNOWN
 * if the bytes are not of the protocol. dns_ and kerberos_ take a message as in a datagram, without
 * the length that precedes it over TCP.
 */
void dns_parse(const uint8_t *p, size_t len, struct service_message *m);
void kerberos_parse(const uint8_t *p, size_t len, struct service_message *m);
void ldap_parse(const uint8_t *p, size_t len, struct service_message *m);
void http_parse(const uint8_t *p, size_t len, struct service_message *m);
/* interface: the one that the connection is bound to. A bind changes it. */
void rpc_parse(const uint8_t *p, size_t len, enum rpc_interface *interface,
	       struct service_message *m);
/* pipes: those of the connection. A message may add one. */
void smb_parse(const uint8_t *p, size_t len, struct rpc_pipes *pipes, struct service_message *m);

/*
 * Append len bytes of p to m->target. '?' replaces what is not printable ASCII; too long a name is
 * truncated.
 */
void message_target(struct service_message *m, const void *p, size_t len);

#endif
