/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * recent.h - what one login's verdict needs to know of the others: who dialled whom a moment
 * ago, whose logins failed, who came for nothing, and who was sent where. Fixed memory: the newest
 * are remembered.
 */
#ifndef TDSMON_RECENT_H
#define TDSMON_RECENT_H

#include "engine/record.h"

#define HISTORY_DIALS	  256
#define HISTORY_FAILURES  256
#define HISTORY_IDLERS	  64
#define HISTORY_REDIRECTS 32

#define REDIRECT_NS 5000000000ull /* a redirect is followed within this time, or not at all */

struct history_dial {
	struct endpoint client, server;
	uint64_t at_ns;			  /* 0: free, here and below */
	uint64_t last_ns, before_last_ns; /* of its SYNs */
	uint64_t answered_ns, refused_ns; /* by SYN+ACK, by a reset; 0: not so far */
	bool login;			  /* it was let in */
};

struct history_failure {
	struct endpoint client;
	uint64_t at_ns;
};

/* A connection that was no login: a probe, or what is no TDS. */
struct history_idler {
	struct endpoint client, server;
	uint64_t at_ns;
	uint32_t beginning; /* its first bytes, 0 where there were none */
};

struct history_redirect {
	struct endpoint client, server, target; /* server: who sent it on */
	uint64_t at_ns, followed_ns;		/* followed_ns: its next SYN; 0: none yet */
	uint16_t port;				/* where to */
	bool known; /* the client had logged in to the target before: it may have come by itself */
};

struct history {
	struct history_dial dials[HISTORY_DIALS];
	struct history_failure failures[HISTORY_FAILURES];
	struct history_idler idlers[HISTORY_IDLERS];
	struct history_redirect redirects[HISTORY_REDIRECTS];
	uint32_t dial, failure, idler, redirect; /* where the next one goes */
	uint32_t unanswered;			 /* dials that no SYN+ACK has answered */
};

/* A client's SYN; its login that succeeded. */
void history_dialled(struct history *h, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns);
/* The same SYN again; its answer, and that it was a reset. */
void history_dialled_again(struct history *h, const struct endpoint *client,
			   const struct endpoint *server, uint64_t ts_ns);
void history_answered(struct history *h, const struct endpoint *client,
		      const struct endpoint *server, uint64_t ts_ns, bool refused);
void history_logged_in(struct history *h, const struct endpoint *client,
		       const struct endpoint *server);
/* A login refused for its name or password. */
void history_failed(struct history *h, const struct endpoint *client, uint64_t ts_ns);
/* A connection that was no login; beginning: its first bytes, as a number. */
void history_idled(struct history *h, const struct endpoint *client, const struct endpoint *server,
		   uint64_t ts_ns, uint32_t beginning);
/* An answer that sends the client on to a port of some host. */
void history_redirected(struct history *h, const struct endpoint *client,
			const struct endpoint *server, uint64_t ts_ns, uint16_t port);

/* Another server's address that this client dialled within within_ns of ts_ns, or NULL. */
const struct endpoint *history_parallel(const struct history *h, const struct endpoint *client,
					const struct endpoint *server, uint64_t ts_ns,
					uint64_t within_ns);
/* How many logins of this client's address were refused in the within_ns before ts_ns. */
uint32_t history_failures(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			  uint64_t within_ns);
/* To how many servers and ports, and with how many kinds of bytes, this client's address came for
 * nothing in the within_ns before ts_ns. */
uint32_t history_targets(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			 uint64_t within_ns);
uint32_t history_beginnings(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			    uint64_t within_ns);
/* Who sent this client on to this server's port shortly before ts_ns; or NULL. */
const struct endpoint *history_sent_by(const struct history *h, const struct endpoint *client,
				       const struct endpoint *server, uint64_t ts_ns);
/* Was a client at this address sent on to a port shortly before ts_ns, and has not followed? */
bool history_awaits(const struct history *h, const uint8_t client[16], uint16_t port,
		    uint64_t ts_ns);
/* What became of the redirect that this connection got; NULL: it is not remembered. */
const struct history_redirect *history_redirect(const struct history *h,
						const struct endpoint *client,
						const struct endpoint *server);

#endif
