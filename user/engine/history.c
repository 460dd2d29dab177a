/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history.c - see history.h.
 */
#include <string.h>

#include "history.h"

static void note(struct history_entry *ring, uint32_t *next, uint32_t room,
		 const struct endpoint *client, const struct endpoint *server, uint64_t ts_ns)
{
	ring[*next] = (struct history_entry){*client, *server, ts_ns ? ts_ns : 1};
	*next = (*next + 1) % room;
}

void history_dialled(struct history *h, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns)
{
	note(h->dials, &h->dial, HISTORY_DIALS, client, server, ts_ns);
}

void history_failed(struct history *h, const struct endpoint *client, const struct endpoint *server,
		    uint64_t ts_ns)
{
	note(h->failures, &h->failure, HISTORY_FAILURES, client, server, ts_ns);
}

void history_redirected(struct history *h, const struct endpoint *client,
			const struct endpoint *server, uint64_t ts_ns)
{
	note(h->redirects, &h->redirect, HISTORY_REDIRECTS, client, server, ts_ns);
}

static bool same_addr(const struct endpoint *a, const struct endpoint *b)
{
	return !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* Of this client's, and not more than within_ns before ts_ns? */
static bool recent(const struct history_entry *e, const struct endpoint *client, uint64_t ts_ns,
		   uint64_t within_ns)
{
	return e->at_ns && e->at_ns <= ts_ns && ts_ns - e->at_ns <= within_ns &&
	       same_addr(&e->client, client);
}

const struct endpoint *history_parallel(const struct history *h, const struct endpoint *client,
					const struct endpoint *server, uint64_t ts_ns,
					uint64_t within_ns)
{
	for (int i = 0; i < HISTORY_DIALS; i++) {
		const struct history_entry *e = &h->dials[i];

		if (recent(e, client, ts_ns + within_ns, 2 * within_ns) &&
		    !same_addr(&e->server, server))
			return &e->server;
	}
	return NULL;
}

uint32_t history_failures(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			  uint64_t within_ns)
{
	uint32_t n = 0;

	for (int i = 0; i < HISTORY_FAILURES; i++)
		n += recent(&h->failures[i], client, ts_ns, within_ns);
	return n;
}

const struct endpoint *history_sent_by(const struct history *h, const struct endpoint *client,
				       const struct endpoint *server, uint64_t ts_ns,
				       uint64_t within_ns)
{
	for (int i = 0; i < HISTORY_REDIRECTS; i++) {
		const struct history_entry *e = &h->redirects[i];

		if (recent(e, client, ts_ns, within_ns) &&
		    (!same_addr(&e->server, server) || e->server.port != server->port))
			return &e->server;
	}
	return NULL;
}
