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

#include "engine/browser/instance.h"
#include "engine/record.h"
#include "engine/routed.h"
#include "engine/protocol/ssrp.h"

#define BROWSER_QUESTIONS 256
#define BROWSER_INSTANCES 50 /* believed of one answer: the most that SQL Server allows on a host */

struct engine;
struct flow;

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

struct browser {
	struct instances instances;
	struct question questions[BROWSER_QUESTIONS];
	uint32_t next; /* index of the next question */
	uint32_t open; /* questions that are neither answered nor done */
	struct routed routed;
};

void browser_init(struct engine *e);

/* Take a datagram from or to SSRP_PORT. */
void browser_datagram(struct engine *e, const struct seg *seg, const uint8_t *payload);

/* Is this a server's port, by configuration or by an answer of SQL Server Browser? */
bool browser_serves(const struct engine *e, const uint8_t addr[16], uint16_t port);

/* Is it such a port, or one that a server routed its clients to? */
bool browser_watches(const struct engine *e, const uint8_t addr[16], uint16_t port);
/* A server's answer routes its client to the port. */
void browser_routed(struct engine *e, uint16_t port);

/* A client connects: note in its login the question that it asked before. */
void browser_connected(struct engine *e, struct flow *f, uint64_t ts_ns);

/*
 * Report the questions that nobody answered. ended: the capture ended, so no answer can come any
 * more.
 */
void browser_tick(struct engine *e, bool ended);

#endif
