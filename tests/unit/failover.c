// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * failover.c - what is a failover of an availability group, as far as the wire shows, and what does not count as one.
 */
#include <stdlib.h>
#include <string.h>

#include "sink/failover.h"
#include "unit.h"

#define S  1000000000ull
#define MS 1000000ull

struct seen {
	struct failover *failover;
	struct failover_event last;
	unsigned calls;
};

static void on_event(void *ctx, const struct failover_event *event)
{
	struct seen *seen = ctx;

	seen->last = *event;
	seen->calls++;
}

static struct endpoint host(uint8_t last, uint16_t port)
{
	return (struct endpoint){{[10] = 0xff, 0xff, 10, 0, 0, last}, port};
}

static struct seen begin(void)
{
	return (struct seen){0};
}

static void log_in(struct seen *seen, uint64_t at_ns, uint8_t client, uint8_t server, bool good)
{
	struct login_record rec = {
		.start_ns = at_ns,
		.end_ns = at_ns + 10 * MS,
		.client = host(client, 40000),
		.server = host(server, 1433),
		.outcome = good ? OUTCOME_OK : OUTCOME_REJECTED,
		.verdict = {good ? V_OK : V_CONNECTION_REFUSED, good ? VERDICT_OK : VERDICT_FAILED,
			    "", good},
	};

	failover_login(seen->failover, &rec);
}

static void close_one(struct seen *seen, uint64_t at_ns, uint8_t client, uint8_t server,
		      enum side by)
{
	struct close_record rec = {
		.time_ns = at_ns,
		.client = host(client, 40000),
		.server = host(server, 1433),
		.has_login = true,
		.login = OUTCOME_OK,
		.by = by,
		.how = by == SIDE_SERVER ? CLOSE_RST : CLOSE_FIN,
		.phase = PHASE_SESSION,
	};

	failover_close(seen->failover, &rec);
}

/* Twenty sessions of four clients (1 to 4) at server 10, from 1 s on. */
static void sessions(struct seen *seen)
{
	seen->failover = failover_new(on_event, seen);
	for (unsigned i = 0; i < 20; i++)
		log_in(seen, S + i * MS, (uint8_t)(1 + i % 4), 10, true);
}

/* The server closes that many of them, 10 ms apart, from 100 s on. */
static void close_many(struct seen *seen, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close_one(seen, 100 * S + i * 10 * MS, (uint8_t)(1 + i % 4), 10, SIDE_SERVER);
}

UNIT_CASE(to_another_address)
{
	struct seen seen = begin();
	char text[FAILOVER_TEXT];

	sessions(&seen);
	close_many(&seen, 20);
	CHECK_INT(seen.last.id, 1);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	CHECK_STR(failover_text(&seen.last, text),
		  "10.0.0.10:1433 closed 20 of 20 sessions of 4 clients within 190ms; 0 logins "
		  "failed; no login succeeded since then");
	for (unsigned i = 0; i < 7; i++)
		log_in(&seen, 101 * S, 1, 10, false);
	log_in(&seen, 108 * S, 1, 11, true);
	log_in(&seen, 109 * S, 2, 11, true);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED); /* two may be chance */
	log_in(&seen, 110 * S, 3, 11, true);
	CHECK_INT(seen.last.kind, FAILOVER_ELSEWHERE);
	CHECK_STR(
		failover_text(&seen.last, text),
		"failover (inferred): 10.0.0.10:1433 closed 20 of 20 sessions of 4 clients within "
		"190ms; 7 logins failed; the first good login came after 8.01s, to "
		"10.0.0.11:1433");
	failover_tick(seen.failover, 120 * S);
	CHECK(seen.last.over);
	CHECK_INT(seen.last.id, 1);
	failover_free(seen.failover);
}

UNIT_CASE(behind_the_same_address)
{
	struct seen seen = begin();
	char text[FAILOVER_TEXT];

	sessions(&seen);
	close_many(&seen, 20);
	log_in(&seen, 101 * S, 1, 10, false);
	log_in(&seen, 115 * S, 2, 10, true);
	CHECK_INT(seen.last.kind, FAILOVER_SAME);
	CHECK_STR(failover_text(&seen.last, text),
		  "failover behind the same address, or restart (inferred): 10.0.0.10:1433 closed "
		  "20 of 20 sessions of 4 clients within 190ms; 1 login failed; the first good "
		  "login came after 15.0s, to the same address");
	failover_free(seen.failover);
}

/* Sessions were ended (ALTER DATABASE, KILL), but the server went on: observed, nothing inferred. */
UNIT_CASE(no_login_failed)
{
	struct seen seen = begin();

	sessions(&seen);
	close_many(&seen, 20);
	log_in(&seen, 101 * S, 1, 10, true);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	CHECK(seen.last.login_ns == 1010 * MS);
	/* What comes later changes nothing. */
	for (unsigned i = 0; i < 5; i++)
		log_in(&seen, 102 * S, (uint8_t)(1 + i % 4), 11, true);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	failover_free(seen.failover);
}

/* A refused connection is known to be one only seconds later. */
UNIT_CASE(a_failure_that_comes_late)
{
	struct seen seen = begin();

	sessions(&seen);
	close_many(&seen, 20);
	log_in(&seen, 104 * S, 1, 10, true);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	log_in(&seen, 105 * S, 1, 10, false); /* after the good one: says nothing */
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	log_in(&seen, 101 * S, 1, 10, false);
	CHECK_INT(seen.last.kind, FAILOVER_SAME);
	CHECK_INT(seen.last.failed, 1);
	failover_free(seen.failover);
}

/* Logins between closes do not end an event. */
UNIT_CASE(a_pool_that_comes_back_too_early)
{
	struct seen seen = begin();

	sessions(&seen);
	close_many(&seen, 16);
	log_in(&seen, 100 * S + 155 * MS, 1, 10, true);
	CHECK(seen.last.login_ns != NO_NS);
	close_one(&seen, 101 * S, 1, 10, SIDE_SERVER);
	CHECK(seen.last.login_ns == NO_NS);
	CHECK_INT(seen.last.id, 1);
	CHECK_INT(seen.last.closed, 17);
	failover_tick(seen.failover, 300 * S);
	CHECK(seen.last.over && seen.last.login_ns == NO_NS);
	failover_free(seen.failover);
}

UNIT_CASE(what_is_none)
{
	struct seen seen = begin();

	/* a handful of twenty */
	sessions(&seen);
	close_many(&seen, 6);
	failover_tick(seen.failover, 200 * S);
	CHECK_INT(seen.calls, 0);
	failover_free(seen.failover);
	/* all, but by the clients: a pool that is emptied */
	sessions(&seen);
	for (unsigned i = 0; i < 20; i++)
		close_one(&seen, 100 * S, (uint8_t)(1 + i % 4), 10, SIDE_CLIENT);
	CHECK_INT(seen.calls, 0);
	failover_free(seen.failover);
	/* all, but one after the other */
	sessions(&seen);
	for (unsigned i = 0; i < 20; i++)
		close_one(&seen, (100 + 3 * i) * S, 1, 10, SIDE_SERVER);
	CHECK_INT(seen.calls, 0);
	failover_free(seen.failover);
	/* four sessions, all that there were */
	seen.failover = failover_new(on_event, &seen);
	for (unsigned i = 0; i < 4; i++)
		log_in(&seen, S, 1, 10, true);
	close_many(&seen, 4);
	CHECK_INT(seen.calls, 0);
	failover_free(seen.failover);
}

/* Clients that always used both servers say nothing about where the first one's work went. */
UNIT_CASE(a_server_that_was_in_use_before)
{
	struct seen seen = begin();

	sessions(&seen);
	for (unsigned i = 0; i < 4; i++)
		log_in(&seen, 2 * S, (uint8_t)(1 + i), 11, true);
	close_many(&seen, 20);
	for (unsigned i = 0; i < 8; i++)
		log_in(&seen, 105 * S, (uint8_t)(1 + i % 4), 11, true);
	CHECK_INT(seen.last.kind, FAILOVER_CLOSED);
	CHECK(seen.last.login_ns == NO_NS);
	failover_free(seen.failover);
}

/* More servers and clients than there are places: nothing is made up, nothing grows. */
UNIT_CASE(full_tables)
{
	struct seen seen = begin();

	seen.failover = failover_new(on_event, &seen);
	for (unsigned i = 0; i < 200000; i++)
		log_in(&seen, S + i * MS, (uint8_t)i, (uint8_t)(i / 256), true);
	for (unsigned i = 0; i < 100; i++)
		close_one(&seen, 500 * S + i, (uint8_t)i, 10, SIDE_SERVER);
	CHECK_INT(seen.calls, 0);
	failover_free(seen.failover);
}

int main(void)
{
	RUN(to_another_address);
	RUN(behind_the_same_address);
	RUN(no_login_failed);
	RUN(a_failure_that_comes_late);
	RUN(a_pool_that_comes_back_too_early);
	RUN(what_is_none);
	RUN(a_server_that_was_in_use_before);
	RUN(full_tables);
	return unit_status();
}
