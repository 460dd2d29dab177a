/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * recent.h - facts of recent logins that another login's verdict needs: who connected to whom,
 * whose logins failed, who came without a login, and who was sent where. Fixed memory: only the
 * newest are remembered.
 */
#ifndef TDSMON_RECENT_H
#define TDSMON_RECENT_H

#include "engine/record.h"

#define HISTORY_ATTEMPTS  256
#define HISTORY_FAILURES  256
#define HISTORY_IDLERS	  64
#define HISTORY_REDIRECTS 32

#define REDIRECT_NS 5000000000ull /* a redirect is followed within this time, or never */

struct history_attempt {
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

/* A connection that was not a login: a probe, or bytes that are not TDS. */
struct history_idler {
	struct endpoint client, server;
	uint64_t at_ns;
	uint32_t beginning; /* its first bytes, as a number; 0: it had none */
};

struct history_redirect {
	struct endpoint client, server, target; /* server: the one that sent it on */
	uint64_t at_ns, followed_ns;		/* followed_ns: its next SYN; 0: none yet */
	uint16_t port;				/* the port it was sent to */
	bool known; /* the client had logged in to the target before, so it may have come on its
		     * own */
};

struct history {
	struct history_attempt attempts[HISTORY_ATTEMPTS];
	struct history_failure failures[HISTORY_FAILURES];
	struct history_idler idlers[HISTORY_IDLERS];
	struct history_redirect redirects[HISTORY_REDIRECTS];
	uint32_t attempt, failure, idler, redirect; /* the place of the next one */
	uint32_t unanswered;			    /* attempts that no SYN+ACK has answered */
};

/* Note a client's SYN; note that its login succeeded. */
void history_attempted(struct history *h, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns);
/* Note that the same SYN came again; that it was answered; that the answer was a reset. */
void history_attempted_again(struct history *h, const struct endpoint *client,
			     const struct endpoint *server, uint64_t ts_ns);
void history_answered(struct history *h, const struct endpoint *client,
		      const struct endpoint *server, uint64_t ts_ns, bool refused);
void history_logged_in(struct history *h, const struct endpoint *client,
		       const struct endpoint *server);
/* Note a login refused for its name or password. */
void history_failed(struct history *h, const struct endpoint *client, uint64_t ts_ns);
/* Note a connection that was not a login; beginning: its first bytes, as a number. */
void history_idled(struct history *h, const struct endpoint *client, const struct endpoint *server,
		   uint64_t ts_ns, uint32_t beginning);
/* Note an answer that sends the client on to a port of some host. */
void history_redirected(struct history *h, const struct endpoint *client,
			const struct endpoint *server, uint64_t ts_ns, uint16_t port);

/* Another server's address to which this client connected within within_ns of ts_ns, or NULL. */
const struct endpoint *history_parallel(const struct history *h, const struct endpoint *client,
					const struct endpoint *server, uint64_t ts_ns,
					uint64_t within_ns);
/* How many logins from this client's address were refused in the within_ns before ts_ns. */
uint32_t history_failures(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			  uint64_t within_ns);
/*
 * To how many servers and ports, and with how many kinds of bytes, this client's address connected
 * without a login in the within_ns before ts_ns.
 */
uint32_t history_targets(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			 uint64_t within_ns);
uint32_t history_beginnings(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			    uint64_t within_ns);
/* The server that sent this client on to this server's port shortly before ts_ns; or NULL. */
const struct endpoint *history_sent_by(const struct history *h, const struct endpoint *client,
				       const struct endpoint *server, uint64_t ts_ns);
/* Was a client at this address sent on to a port shortly before ts_ns, and has not followed? */
bool history_awaits(const struct history *h, const uint8_t client[16], uint16_t port,
		    uint64_t ts_ns);
/* How the redirect went that this connection got; NULL: it is not remembered. */
const struct history_redirect *history_redirect(const struct history *h,
						const struct endpoint *client,
						const struct endpoint *server);

#endif
