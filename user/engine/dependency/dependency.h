/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * dependency.h - finds a login's share of the requests that its two hosts made meanwhile: the ones
 * that it waited for, how its waits split, and the cause. A request does not say which login it is
 * for, so all of this is inferred from overlap and order: docs/CAUSES.md.
 */
#ifndef TDSMON_DEPENDENCY_H
#define TDSMON_DEPENDENCY_H

#include "engine/dependency/companions.h"
#include "engine/stream/unacked_time.h"
#include "engine/dependency/witness.h"
#include "engine/record.h"

#define WAIT_SPLIT_NS	  20000000ull /* shorter steps are not split (JSON contract) */
#define DEPENDENCIES_MOST 16
#define PARTS_MOST	  48 /* of a record; the last one holds the rest of its step */

/* The requests that a Windows login causes to a domain controller. */
enum authority {
	AUTHORITY_NONE,	   /* a SQL login: any such request belongs to another login */
	AUTHORITY_UNKNOWN, /* encrypted, or Kerberos, whose tickets are seldom checked with a DC */
	AUTHORITY_DC,	   /* NTLM: one Netlogon call per login */
};

struct dependency_login {
	uint64_t id;
	const uint8_t *client, *server; /* its hosts, as companions_host() names them */
	uint64_t start_ns;		/* of the first step */
	const struct step *steps;
	size_t step_count;
	enum authority authority;
	const struct witness *witness;	     /* NULL: no sockets of its hosts were sampled */
	const struct unacked_times *unacked; /* NULL: none */
};

enum cause {
	CAUSE_NONE,
	CAUSE_DC_QUEUE,
	CAUSE_DC_SLOW,
	CAUSE_DC_FAR,
	CAUSE_DC_UNREACHABLE,
	CAUSE_SERVER_BUSY, /* its domain controller answered at once: the server took the rest */
	CAUSE_LDAP,
	CAUSE_DNS,
	CAUSE_KDC,
	CAUSE_KERBEROS_ERROR,
	CAUSE_CERTIFICATE_CHECK,
	CAUSE_TOKEN,
	CAUSE_STALLED, /* the server's process did not accept or read, or was stopped */
	CAUSE_THROTTLED,
	CAUSE_CLIENT_STALLED, /* the client's process did not read, was stopped or throttled */
	CAUSE_COUNT,
};

struct dependency_findings {
	struct dependency list[DEPENDENCIES_MOST];
	size_t count;
	struct step_part parts[PARTS_MOST];
	size_t part_count;
	enum cause cause;
	uint64_t cause_ns;	    /* duration of the part that is the cause */
	enum wait_part stalled_by;  /* of the last three: the largest part */
	const struct exchange *own; /* the login's Netlogon call; NULL: none found */
	uint64_t rtt_ns;	    /* to its domain controller; NO_NS: not known */
	bool own_at_once;	    /* own began right after the client's last token */
	bool others_unclear; /* the server had requests whose beginning or end was not seen */
	bool queue_is_dead;  /* a call that nobody acknowledged held up its queue */
	uint32_t in_flight;  /* the most Netlogon calls open at once during its queue */
	const struct exchange *worst;	       /* the exchange behind the cause; NULL: none */
	uint32_t kerberos_errors;	       /* of its client, in the login's time */
	const struct exchange *kerberos_error; /* the last of these */
	const struct exchange *missing_spn;    /* the last of these that refused a ticket for SQL
					     * Server as a name that the KDC does not know */
};

/*
 * Fill in out. Its pointers hold until the next segment. Claims the login's Netlogon call, so that
 * no later login claims it. If the login's hosts made no requests, this only looks at the newest
 * exchange. c may be NULL.
 */
void dependency_find(struct companions *c, const struct dependency_login *login,
		     struct dependency_findings *out);

/* A wait that goes on: for a side since from_ns. */
struct dependency_wait {
	enum side side;
	uint64_t from_ns, now_ns;
	const struct witness *witness;	     /* NULL: no sockets were sampled */
	const struct unacked_times *unacked; /* NULL: none */
};

/*
 * Its parts, of step 0: of what sockets and TCP say only, because a request can still turn out to be
 * another login's. Fills in parts and part_count.
 */
void dependency_pending(const struct dependency_wait *wait, struct dependency_findings *out);

/*
 * Time for which the client's host waited for DNS to give the server's address (16 bytes), before
 * the connection that began at start_ns; NO_NS: no such look-up was seen. The look-up counts for
 * that connection only. client: as companions_host() names it.
 */
uint64_t dependency_dns_before(struct companions *c, uint64_t id, const uint8_t *client,
			       const uint8_t *server, uint64_t start_ns);

#endif
