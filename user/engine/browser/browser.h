/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * browser.h - follows SQL Server Browser: the questions of clients, the answers and their delay,
 * and the logins that follow.
 *
 * The engine believes an answer that comes from UDP 1434, whether or not it saw the question: a
 * capture may begin between the two. But it trusts an answer without a question less, because
 * anybody may have sent it. See instance.h.
 */
#ifndef TDSMON_BROWSER_H
#define TDSMON_BROWSER_H

#include <linux/types.h>

#include "engine/browser/instance.h"
#include "engine/browser/routed.h"
#include "engine/protocol/ssrp.h"
#include "engine/record.h"
#include "lib/port_set.h"
#include "segment.h"

#define BROWSER_QUESTIONS 256
#define BROWSER_INSTANCES 50 /* believed of one answer: the most that SQL Server allows on a host */

struct question {
	uint64_t first_ns, last_ns; /* 0: free */
	uint64_t answer_ns;	    /* 0: no answer yet */
	struct endpoint client;
	uint8_t server[16];
	uint32_t tunnel; /* TUNNEL_* */
	uint16_t port;	 /* of the instance asked for, as the answer says; 0: no port */
	uint8_t kind;	 /* enum ssrp_kind */
	bool done;	 /* a login followed, or the question was reported */
	uint32_t retries;
	char name[SSRP_NAME_TEXT];
};

/* Callbacks; each may be NULL. They are as in engine.h. */
struct browser_ops {
	void (*unanswered)(void *ctx, const struct browser_record *rec);
	void (*port)(void *ctx, uint16_t port, bool serves);
};

struct browser_counts {
	uint64_t questions;  /* each counts once, however often it was repeated */
	uint64_t unanswered; /* of them, reported as unanswered */
	uint64_t evicted;    /* of them, dropped without an answer, no room */
	uint64_t malformed;  /* datagrams that are neither question nor answer */
	uint64_t cut;	     /* answers captured in part */
};

struct browser {
	const struct port_set *ports; /* servers' ports by configuration */
	struct browser_ops ops;
	void *ctx; /* of ops */
	struct browser_counts counts;
	struct instances instances;
	struct question questions[BROWSER_QUESTIONS];
	uint32_t next; /* index of the next question */
	uint32_t open; /* questions that are neither answered nor done */
	struct routed routed;
};

/*
 * b: zeroed. ports is read, and has to live as long as b. seed: of the hash of addresses, secret.
 */
void browser_init(struct browser *b, const struct port_set *ports, uint64_t seed,
		  const struct browser_ops *ops, void *ctx);

/* Take a datagram from or to SSRP_PORT. */
void browser_datagram(struct browser *b, const struct seg *seg, const uint8_t *payload);

/* Is this a server's port, by configuration or by an answer of SQL Server Browser? */
bool browser_serves(const struct browser *b, const uint8_t addr[16], uint16_t port);

/* Is it such a port, or one that a server routed its clients to? */
bool browser_watches(const struct browser *b, const uint8_t addr[16], uint16_t port);
/* A server's answer routes its client to the port. */
void browser_routed(struct browser *b, uint16_t port);

/*
 * A client connects. lookup gets the question that it asked before, which has its login now; NULL:
 * there is no login. Returns whether there is such a question; if not, lookup is left as it is.
 */
bool browser_connected(struct browser *b, const struct endpoint *client,
		       const struct endpoint *server, uint32_t tunnel, uint64_t ts_ns,
		       struct lookup *lookup);

/*
 * Report the questions that nobody answered by now_ns. ended: the capture ended, so no answer can
 * come any more.
 */
void browser_tick(struct browser *b, uint64_t now_ns, bool ended);

#endif
