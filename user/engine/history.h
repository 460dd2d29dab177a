/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history.h - what one login's verdict needs to know of the others: who dialled whom a moment
 * ago, whose logins failed, and who was sent where. Fixed memory: the newest are remembered.
 */
#ifndef TDSMON_HISTORY_H
#define TDSMON_HISTORY_H

#include "record.h"

#define HISTORY_DIALS	  256
#define HISTORY_FAILURES  256
#define HISTORY_REDIRECTS 32

struct history_entry {
	struct endpoint client, server;
	uint64_t at_ns; /* 0: free */
};

struct history {
	struct history_entry dials[HISTORY_DIALS];
	struct history_entry failures[HISTORY_FAILURES];
	struct history_entry redirects[HISTORY_REDIRECTS]; /* server: who sent the client on */
	uint32_t dial, failure, redirect;		   /* where the next one goes */
};

/* A client's SYN; a refused login; an answer that sends the client on. */
void history_dialled(struct history *h, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns);
void history_failed(struct history *h, const struct endpoint *client, const struct endpoint *server,
		    uint64_t ts_ns);
void history_redirected(struct history *h, const struct endpoint *client,
			const struct endpoint *server, uint64_t ts_ns);

/* Another server's address that this client dialled within within_ns of ts_ns, or NULL. */
const struct endpoint *history_parallel(const struct history *h, const struct endpoint *client,
					const struct endpoint *server, uint64_t ts_ns,
					uint64_t within_ns);
/* How many logins of this client's address were refused in the within_ns before ts_ns. */
uint32_t history_failures(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			  uint64_t within_ns);
/* Who sent this client on in the within_ns before ts_ns, to some other server; or NULL. */
const struct endpoint *history_sent_by(const struct history *h, const struct endpoint *client,
				       const struct endpoint *server, uint64_t ts_ns,
				       uint64_t within_ns);

#endif
