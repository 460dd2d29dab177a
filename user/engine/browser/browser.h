/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * browser.h - SQL Server Browser as the engine follows it: what clients ask, what they are answered
 * and how late, and the logins that come of it.
 *
 * An answer is believed if it comes from UDP 1434, whether or not its question was seen: a capture
 * may begin between the two. But then it is trusted less, see instance.h: anybody may have sent it.
 */
#ifndef TDSMON_BROWSER_H
#define TDSMON_BROWSER_H

#include "engine/browser/instance.h"
#include "engine/record.h"
#include "engine/routed.h"
#include "engine/protocol/ssrp.h"

#define BROWSER_QUESTIONS 256
#define BROWSER_INSTANCES 50 /* of one answer that are believed: SQL Server's most on a host */

struct engine;
struct flow;

struct question {
	uint64_t first_ns, last_ns; /* 0: free */
	uint64_t answer_ns;	    /* 0: none yet */
	struct endpoint client;
	uint8_t server[16];
	uint32_t tunnel; /* TUNNEL_* */
	uint16_t port;	 /* of the instance asked for, by the answer; 0: not one */
	uint8_t kind;	 /* enum ssrp_kind */
	bool done;	 /* a login came of it, or it was told */
	uint32_t retries;
	char name[SSRP_NAME_TEXT];
};

struct browser {
	struct instances instances;
	struct question questions[BROWSER_QUESTIONS];
	uint32_t next; /* where the next one goes */
	uint32_t open; /* not answered and not done */
	struct routed routed;
};

void browser_init(struct engine *e);

/* A datagram from or to SSRP_PORT. */
void browser_datagram(struct engine *e, const struct seg *seg, const uint8_t *payload);

/* Is this the port of a server, by configuration or by an answer of SQL Server Browser's? */
bool browser_serves(const struct engine *e, const uint8_t addr[16], uint16_t port);

/* Is it that, or one that a server sent clients on to? */
bool browser_watches(const struct engine *e, const uint8_t addr[16], uint16_t port);
/* A server's answer sends its client on to the port. */
void browser_routed(struct engine *e, uint16_t port);

/* A client dials: note in its login what it asked before. */
void browser_dialled(struct engine *e, struct flow *f, uint64_t ts_ns);

/* Tell the questions that nobody answered. ended: the capture did, nothing more will come. */
void browser_tick(struct engine *e, bool ended);

#endif
