/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* recent.c - see recent.h. */
#include <string.h>

#include "engine/verdict/recent.h"

#define COPY_NS 100000000ull /* no stack sends a SYN again as soon as this */

static bool within(uint64_t at_ns, uint64_t ts_ns, uint64_t within_ns)
{
	return at_ns && at_ns <= ts_ns && ts_ns - at_ns <= within_ns;
}

static uint32_t next_of(uint32_t *next, uint32_t room)
{
	uint32_t at = *next;

	*next = (at + 1) % room;
	return at;
}

static uint64_t nonzero(uint64_t ts_ns)
{
	return ts_ns ? ts_ns : 1;
}

/* Had this client logged in to this server before at_ns? */
static bool has_logged_in(const struct history *h, const struct endpoint *client,
			  const struct endpoint *server, uint64_t at_ns)
{
	for (int i = 0; i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (d->login && d->at_ns < at_ns && endpoint_same_host(&d->client, client) &&
		    endpoint_same(&d->server, server))
			return true;
	}
	return false;
}

/* Note that the client followed its oldest redirect to this port that it had not followed yet. */
static void redirect_followed(struct history *h, const struct endpoint *client,
			      const struct endpoint *server, uint64_t ts_ns)
{
	struct history_redirect *oldest = NULL;

	/* The ring fills from its beginning, and is mostly empty. */
	for (int i = 0; i < HISTORY_REDIRECTS && h->redirects[i].at_ns; i++) {
		struct history_redirect *r = &h->redirects[i];

		if (!r->followed_ns && r->port == server->port &&
		    endpoint_same_host(&r->client, client) &&
		    within(r->at_ns, ts_ns, REDIRECT_NS) && (!oldest || r->at_ns < oldest->at_ns))
			oldest = r;
	}
	if (!oldest)
		return;
	oldest->followed_ns = nonzero(ts_ns);
	oldest->target = *server;
	oldest->known = has_logged_in(h, client, server, oldest->at_ns);
}

void history_attempted(struct history *h, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns)
{
	struct history_attempt *d = &h->attempts[next_of(&h->attempt, HISTORY_ATTEMPTS)];

	h->unanswered += !d->at_ns || d->answered_ns; /* else it takes the place of an unanswered
						       * one */
	*d = (struct history_attempt){
		.client = *client,
		.server = *server,
		.at_ns = nonzero(ts_ns),
		.last_ns = nonzero(ts_ns),
		.before_last_ns = nonzero(ts_ns),
	};
	redirect_followed(h, client, server, ts_ns);
}

/* Search from the newest: it is mostly among the last few. */
static struct history_attempt *attempt_of(struct history *h, const struct endpoint *client,
					  const struct endpoint *server)
{
	for (uint32_t i = 1; i <= HISTORY_ATTEMPTS; i++) {
		struct history_attempt *d =
			&h->attempts[(h->attempt + HISTORY_ATTEMPTS - i) % HISTORY_ATTEMPTS];

		if (d->at_ns && endpoint_same(&d->client, client) &&
		    endpoint_same(&d->server, server))
			return d;
	}
	return NULL;
}

void history_attempted_again(struct history *h, const struct endpoint *client,
			     const struct endpoint *server, uint64_t ts_ns)
{
	struct history_attempt *d = attempt_of(h, client, server);

	if (!d || ts_ns < d->last_ns + COPY_NS)
		return; /* the same packet captured twice */
	d->before_last_ns = d->last_ns;
	d->last_ns = nonzero(ts_ns);
	d->refused_ns = 0;
}

void history_answered(struct history *h, const struct endpoint *client,
		      const struct endpoint *server, uint64_t ts_ns, bool refused)
{
	struct history_attempt *d = attempt_of(h, client, server);

	if (d && refused) {
		d->refused_ns = nonzero(ts_ns);
	} else if (d && !d->answered_ns) {
		d->answered_ns = nonzero(ts_ns);
		h->unanswered--;
	}
}

void history_logged_in(struct history *h, const struct endpoint *client,
		       const struct endpoint *server)
{
	struct history_attempt *d = attempt_of(h, client, server);

	if (d)
		d->login = true;
}

void history_failed(struct history *h, const struct endpoint *client, uint64_t ts_ns)
{
	h->failures[next_of(&h->failure, HISTORY_FAILURES)] = (struct history_failure){
		.client = *client,
		.at_ns = nonzero(ts_ns),
	};
}

void history_idled(struct history *h, const struct endpoint *client, const struct endpoint *server,
		   uint64_t ts_ns, uint32_t beginning)
{
	h->idlers[next_of(&h->idler, HISTORY_IDLERS)] = (struct history_idler){
		.client = *client,
		.server = *server,
		.at_ns = nonzero(ts_ns),
		.beginning = beginning,
	};
}

void history_redirected(struct history *h, const struct endpoint *client,
			const struct endpoint *server, uint64_t ts_ns, uint16_t port)
{
	h->redirects[next_of(&h->redirect, HISTORY_REDIRECTS)] = (struct history_redirect){
		.client = *client,
		.server = *server,
		.at_ns = nonzero(ts_ns),
		.port = port,
	};
}

static const struct history_attempt *
parallel(const struct history *h, const struct endpoint *client, const struct endpoint *server,
	 uint64_t ts_ns, uint64_t within_ns, const struct history_attempt *after)
{
	const struct history_attempt *d = after ? after + 1 : h->attempts;

	for (; d < h->attempts + HISTORY_ATTEMPTS; d++) {
		if (within(d->at_ns, ts_ns + within_ns, 2 * within_ns) &&
		    endpoint_same_host(&d->client, client) &&
		    !endpoint_same_host(&d->server, server))
			return d;
	}
	return NULL;
}

const struct endpoint *history_parallel(const struct history *h, const struct endpoint *client,
					const struct endpoint *server, uint64_t ts_ns,
					uint64_t within_ns)
{
	const struct history_attempt *d = parallel(h, client, server, ts_ns, within_ns, NULL);

	return d ? &d->server : NULL;
}

uint32_t history_failures(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			  uint64_t within_ns)
{
	uint32_t n = 0;

	for (int i = 0; i < HISTORY_FAILURES; i++)
		n += within(h->failures[i].at_ns, ts_ns, within_ns) &&
		     endpoint_same_host(&h->failures[i].client, client);
	return n;
}

/* Is it this client's, of that time, and different from all before it in the ring? */
static bool idler_counts(const struct history *h, int i, const struct endpoint *client,
			 uint64_t ts_ns, uint64_t within_ns,
			 bool (*alike)(const struct history_idler *, const struct history_idler *))
{
	const struct history_idler *it = &h->idlers[i];

	if (!within(it->at_ns, ts_ns, within_ns) || !endpoint_same_host(&it->client, client))
		return false;
	for (int j = 0; j < i; j++) {
		const struct history_idler *other = &h->idlers[j];

		if (within(other->at_ns, ts_ns, within_ns) &&
		    endpoint_same_host(&other->client, client) && alike(it, other))
			return false;
	}
	return true;
}

static bool same_target(const struct history_idler *a, const struct history_idler *b)
{
	return endpoint_same(&a->server, &b->server);
}

static bool same_beginning(const struct history_idler *a, const struct history_idler *b)
{
	return a->beginning == b->beginning;
}

uint32_t history_targets(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			 uint64_t within_ns)
{
	uint32_t n = 0;

	for (int i = 0; i < HISTORY_IDLERS; i++)
		n += idler_counts(h, i, client, ts_ns, within_ns, same_target);
	return n;
}

uint32_t history_beginnings(const struct history *h, const struct endpoint *client, uint64_t ts_ns,
			    uint64_t within_ns)
{
	uint32_t n = 0;

	for (int i = 0; i < HISTORY_IDLERS; i++)
		n += h->idlers[i].beginning &&
		     idler_counts(h, i, client, ts_ns, within_ns, same_beginning);
	return n;
}

const struct endpoint *history_sent_by(const struct history *h, const struct endpoint *client,
				       const struct endpoint *server, uint64_t ts_ns)
{
	for (int i = 0; i < HISTORY_REDIRECTS && h->redirects[i].at_ns; i++) {
		const struct history_redirect *r = &h->redirects[i];

		if (r->followed_ns && !r->known && r->followed_ns == nonzero(ts_ns) &&
		    within(r->at_ns, ts_ns, REDIRECT_NS) &&
		    endpoint_same_host(&r->client, client) && endpoint_same(&r->target, server) &&
		    !endpoint_same(&r->server, server))
			return &r->server;
	}
	return NULL;
}

bool history_awaits(const struct history *h, const uint8_t client[16], uint16_t port,
		    uint64_t ts_ns)
{
	for (int i = 0; i < HISTORY_REDIRECTS && h->redirects[i].at_ns; i++) {
		const struct history_redirect *r = &h->redirects[i];

		if (!r->followed_ns && r->port == port && within(r->at_ns, ts_ns, REDIRECT_NS) &&
		    !memcmp(r->client.addr, client, sizeof(r->client.addr)))
			return true;
	}
	return false;
}

const struct history_redirect *history_redirect(const struct history *h,
						const struct endpoint *client,
						const struct endpoint *server)
{
	const struct history_redirect *newest = NULL;

	for (int i = 0; i < HISTORY_REDIRECTS; i++) {
		const struct history_redirect *r = &h->redirects[i];

		if (r->at_ns && endpoint_same(&r->client, client) &&
		    endpoint_same(&r->server, server) && (!newest || r->at_ns > newest->at_ns))
			newest = r;
	}
	return newest;
}
