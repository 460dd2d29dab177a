/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * attempts.c - see attempts.h.
 */
#include <string.h>

#include "engine/verdict/attempts.h"
#include "lib/units.h"

#define GIVEN_UP_NS   (3 * NS_PER_S / 10) /* a losing SYN may still be under way */
#define RETRY_MOST_NS (3 * NS_PER_S)	  /* no stack waits longer for its first SYN's answer */
#define CHAIN_MOST_NS (120 * NS_PER_S)	  /* no driver tries a name's addresses for longer */

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Another server of the same name, as far as known: another host, the same port. */
static bool is_sibling(const struct history_attempt *d, const struct endpoint *client,
		       const struct endpoint *server)
{
	return d->at_ns && endpoint_same_host(&d->client, client) &&
	       d->client.port != client->port && !endpoint_same_host(&d->server, server) &&
	       d->server.port == server->port;
}

/* The attempt of a connection that began at ts_ns, or NULL. */
static const struct history_attempt *find(const struct history *h, const struct endpoint *client,
					  const struct endpoint *server, uint64_t ts_ns)
{
	for (int i = 0; i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (d->at_ns == ts_ns && d->client.port == client->port &&
		    endpoint_same_host(&d->client, client) &&
		    endpoint_same_host(&d->server, server))
			return d;
	}
	return NULL;
}

const struct history_attempt *attempts_winner(const struct history *h,
					      const struct endpoint *client,
					      const struct endpoint *server, uint64_t ts_ns)
{
	const struct history_attempt *loser = find(h, client, server, ts_ns);

	for (int i = 0; loser && i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (is_sibling(d, client, server) && d->login &&
		    apart(d->at_ns, ts_ns) <= ATTEMPTS_STAGGER_NS &&
		    (!loser->refused_ns || loser->refused_ns >= d->at_ns) &&
		    loser->last_ns <= d->answered_ns + GIVEN_UP_NS)
			return d;
	}
	return NULL;
}

/*
 * The latest time until which a driver waits for an attempt. It repeats an unanswered SYN after
 * twice the previous time, and gives up when the next would be due; after a refusal it goes on at
 * once.
 */
static uint64_t given_up_by(const struct history_attempt *d)
{
	uint64_t wait_ns = 2 * (d->last_ns - d->before_last_ns);

	if (d->refused_ns)
		return d->refused_ns + NS_PER_S;
	return d->last_ns + (wait_ns > RETRY_MOST_NS ? wait_ns + NS_PER_S : RETRY_MOST_NS);
}

/* Did the client try d in vain, and go on at ts_ns? */
static bool failed_before(const struct history_attempt *d, uint64_t ts_ns)
{
	return !d->answered_ns && !d->login && d->at_ns < ts_ns && d->last_ns < ts_ns &&
	       (!d->refused_ns || d->refused_ns <= ts_ns) && ts_ns <= given_up_by(d) &&
	       (d->refused_ns || ts_ns - d->at_ns > ATTEMPTS_STAGGER_NS);
}

bool attempts_gone_on(const struct history *h, const struct endpoint *client,
		      const struct endpoint *server, uint64_t ts_ns)
{
	const struct history_attempt *failed = find(h, client, server, ts_ns);

	for (int i = 0; failed && i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (is_sibling(d, client, server) && d->login && failed_before(failed, d->at_ns))
			return true;
	}
	return false;
}

/* The last vain attempt that led to the connection begun at ts_ns; NULL: no attempt did. */
static const struct history_attempt *attempt_before(const struct history *h,
						    const struct endpoint *client,
						    const struct endpoint *server, uint64_t ts_ns)
{
	const struct history_attempt *last = NULL;

	if (!h->unanswered)
		return NULL;
	for (int i = 0; i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (is_sibling(d, client, server) && failed_before(d, ts_ns) &&
		    (!last || d->at_ns > last->at_ns))
			last = d;
	}
	return last;
}

void attempts_before(const struct history *h, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns, struct before *before)
{
	const struct history_attempt *d = attempt_before(h, client, server, ts_ns);
	uint64_t end_ns = ts_ns;

	*before = (struct before){.dns_ns = NO_NS};
	while (d && before->count < BEFORE_MOST && ts_ns - d->at_ns <= CHAIN_MOST_NS) {
		memmove(before->attempts + 1, before->attempts,
			before->count * sizeof(before->attempts[0]));
		before->attempts[0].server = d->server;
		before->attempts[0].outcome = d->refused_ns ? OUTCOME_REJECTED : OUTCOME_UNANSWERED;
		before->attempts[0].ns = end_ns - d->at_ns;
		before->count++;
		before->ns = ts_ns - d->at_ns;
		end_ns = d->at_ns;
		d = attempt_before(h, client, &d->server, d->at_ns);
	}
}

bool attempts_served(const struct history *h, const struct endpoint *server, uint64_t ts_ns,
		     uint64_t within_ns)
{
	for (int i = 0; i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (d->answered_ns && endpoint_same_host(&d->server, server) &&
		    d->server.port == server->port && apart(d->answered_ns, ts_ns) <= within_ns)
			return true;
	}
	return false;
}

bool attempts_one_port(const struct history *h, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns)
{
	for (int i = 0; i < HISTORY_ATTEMPTS; i++) {
		const struct history_attempt *d = &h->attempts[i];

		if (d->at_ns && d->client.port == client->port &&
		    endpoint_same_host(&d->client, client) &&
		    !endpoint_same_host(&d->server, server) && apart(d->at_ns, ts_ns) <= NS_PER_S)
			return true;
	}
	return false;
}
